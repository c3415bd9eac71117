"""The frames of a layer: one per output element, saying which kernel element meets which input element."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from scripts.core.arithmetic import Element
from scripts.core.layers import Index, Layer, Values


@dataclass(frozen=True, slots=True)
class Term:
    """One element of the window that takes part; what hangs over the padding does not.

    `position` is its cell in the drawn grid, `kernel_index` the layer's own kernel element there and
    `input_index` the input element in it: None over zero padding and inserted zeros, and where an
    unpooled element goes elsewhere.
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


def frames(layer: Layer, output: Values | None, indices: Values | None = None) -> Iterator[Frame]:
    """All frames of a layer in the order of its output elements, the last axis fastest.

    `output` holds the output's values and `indices` those of an unpooling, if there are any.
    """
    for output_index in layer.output_indices():
        value = None if output is None else output[output_index].item()
        spatial = output_index[-len(layer.axes) :]
        windows = [axis.windows[o] for axis, o in zip(layer.grid, spatial, strict=True)]
        terms = list(_terms(layer, output_index, windows))
        if indices is not None:
            place = np.ravel_multi_index(output_index, layer.output_shape)
            terms = [term if _goes_to(term, indices, int(place)) else _without_input(term) for term in terms]
        positions = tuple(tuple(element.position for element in window) for window in windows)
        yield Frame(output_index, positions, tuple(terms), value)


def _terms(layer: Layer, output_index: Index, windows: list[tuple[Element, ...]]) -> Iterator[Term]:
    channels = layer.channel_indices(output_index)
    for (kernel_channel, input_channel), elements in product(channels, product(*windows)):
        cells = [axis.cells[element.position] for axis, element in zip(layer.grid, elements, strict=True)]
        if any(cell.kind == "overhang" for cell in cells):
            continue
        indices = [cell.input_index for cell in cells]
        input_index = tuple(i for i in indices if i is not None)
        yield Term(
            tuple(element.position for element in elements),
            (*kernel_channel, *(element.kernel_index for element in elements)),
            (*input_channel, *input_index) if len(input_index) == len(indices) else None,
        )


def _goes_to(term: Term, indices: Values, place: int) -> bool:
    return bool(indices[term.input_index] == place)


def _without_input(term: Term) -> Term:
    return Term(term.position, term.kernel_index, None)
