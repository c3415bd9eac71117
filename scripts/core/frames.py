"""The frames of a layer: one per output element, with the kernel and input elements that it is computed from."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from scripts.core.arithmetic import Element
from scripts.core.layers import Index, Layer, Values
from scripts.errors import LayerError

# Bounds that keep the time and memory for values and frames within seconds and megabytes.
MOST_FRAMES = 65_536
MOST_TERMS = 2**20
MOST_CELLS = 2**20


@dataclass(frozen=True, slots=True)
class Term:
    """An element of a window, unless it hangs over the padding.

    `position` is its cell in the grid, `kernel_index` the layer's own kernel element and `input_index` the
    input element in that cell: None for padding and inserted zeros, and for an input element that an unpooling
    puts elsewhere.
    """

    position: Index
    kernel_index: Index
    input_index: Index | None


@dataclass(frozen=True, slots=True)
class Frame:
    """One step: an output element, with its value if any, and the window that it is computed from.

    `windows` holds, per axis, the grid positions that the window covers.
    """

    output_index: Index
    windows: tuple[Index, ...]
    terms: tuple[Term, ...]
    value: int | float | None


def check_extent(layer: Layer) -> None:
    """Raise `LayerError` where a layer has too many elements for values and frames."""
    count, window = prod(layer.output_shape), prod(layer.kernel_size)
    if count > MOST_FRAMES:
        rule = f"gives {count} output elements"
        raise LayerError("input_size", rule, f"Values and frames are computed for at most {MOST_FRAMES}")
    if layer.channels is not None:
        window *= layer.channels.in_channels // layer.channels.groups
    if count * window > MOST_TERMS:
        rule = f"gives {count} windows of {window} elements"
        raise LayerError("kernel_size", rule, f"All windows together have at most {MOST_TERMS}")
    cells = max(prod(axis.extent for axis in layer.window_axes), prod(layer.input_shape), prod(layer.kernel_shape))
    if cells > MOST_CELLS:
        rule = f"gives a grid of {cells} cells"
        raise LayerError("input_size", rule, f"Values and frames are computed for at most {MOST_CELLS}")
    # Raises the errors of the axes.
    _ = layer.grid


def frames(
    layer: Layer, output: Values | None, indices: Values | None = None, numbers: Iterable[int] | None = None
) -> Iterator[Frame]:
    """The frames of a layer, those with some `numbers`, by default all, the last axis fastest.

    `output` has the values of the output, if any, and `indices` those of an unpooling with values.
    """
    chosen = layer.output_indices() if numbers is None else (_unravelled(layer, number) for number in numbers)
    for output_index in chosen:
        value = None if output is None else output[output_index].item()
        spatial = output_index[-len(layer.axes) :]
        windows = [axis.windows[o] for axis, o in zip(layer.grid, spatial, strict=True)]
        terms = list(_terms(layer, output_index, windows))
        if indices is not None:
            place = np.ravel_multi_index(output_index, layer.output_shape)
            terms = [term if _goes_to(term, indices, int(place)) else _without_input(term) for term in terms]
        positions = tuple(tuple(element.position for element in window) for window in windows)
        yield Frame(output_index, positions, tuple(terms), value)


def _unravelled(layer: Layer, number: int) -> Index:
    """The index of an output element by its number."""
    return tuple(int(n) for n in np.unravel_index(number, layer.output_shape))


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
