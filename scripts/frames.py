"""The frames of a figure: one per output element, saying which kernel element meets which input element."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from scripts.arithmetic import Index, Layer, Values


@dataclass(frozen=True, slots=True)
class Term:
    """One element of the window.

    `position` is its cell in the drawn grid, `kernel_index` the layer's own kernel element there and
    `input_index` the input element below, None over padding and inserted zeros.
    """

    position: Index
    kernel_index: Index
    input_index: Index | None


@dataclass(frozen=True, slots=True)
class Frame:
    """One step: the window, and the output element (with its value, if any) that its terms give.

    `windows` holds, per axis, the grid positions that the window covers.
    """

    output_index: Index
    windows: tuple[Index, ...]
    terms: tuple[Term, ...]
    value: int | float | None


def frames(layer: Layer, output: Values | None) -> Iterator[Frame]:
    """All frames of a layer in the order of its output elements, the last axis fastest."""
    for output_index in layer.output_indices():
        value = None if output is None else output[output_index].item()
        windows = tuple(axis.window(o) for axis, o in zip(layer.direct, output_index, strict=True))
        yield Frame(output_index, windows, tuple(_terms(layer, windows)), value)


def _terms(layer: Layer, windows: Sequence[Index]) -> Iterator[Term]:
    for window_index in product(*(range(len(window)) for window in windows)):
        position = tuple(window[j] for window, j in zip(windows, window_index, strict=True))
        indices = [axis.input_index(p) for axis, p in zip(layer.direct, position, strict=True)]
        input_index = tuple(i for i in indices if i is not None)
        yield Term(
            position,
            layer.kernel_index(window_index),
            input_index if len(input_index) == len(indices) else None,
        )
