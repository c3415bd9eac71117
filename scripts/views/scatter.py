"""The scatter view: each input element of a transposed layer stamps its multiple of the kernel onto the output."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np

from scripts.core.figures import Figure
from scripts.core.layers import Index, Layer, Values
from scripts.errors import LayerError
from scripts.views.limits import Extent, check_layer, check_size, shown_steps
from scripts.views.maps import (
    Block,
    Number,
    NumberMap,
    OutputMap,
    Point,
    as_rows,
    in_two_axes,
    number_map,
    sizes,
)
from scripts.views.scene import Scene

# Space between two maps.
GAP = 1.5


class Sum(NamedTuple):
    """A cell with the sum of what so many stamps have put there."""

    column: int
    row: int
    number: float
    stamps: int


@dataclass(frozen=True)
class Maps:
    """The static parts: from left to right the input, a stamp, and the cells that all stamps cover.

    Of the latter, `output` are the output, of which `extra` are those cells that only output padding adds, and the
    others are cropped by the padding.  `most` is the largest number of stamps on a cell.
    """

    input: NumberMap
    stamp: OutputMap
    covered: OutputMap
    output: Block
    extra: tuple[Block, ...]
    most: int


@dataclass(frozen=True)
class Step:
    """An input element, its multiple of the kernel, the sums of cells that it changes, and those of all others so far.

    In the last step all elements have been added, `element` is None, and `others` include the output's cells that no
    stamp covers.
    """

    element: Number | None
    stamp: tuple[Number, ...]
    changed: tuple[Sum, ...]
    others: tuple[Sum, ...]


def covered(layer: Layer) -> Index:
    """The size of all that stamps cover, with the rest of the output."""
    return tuple(
        max(axis.stride * (axis.input_size - 1) + axis.reach + 1, axis.padding[0] + size)
        for axis, size in zip(layer.axes, layer.output_size, strict=True)
    )


def _extent(figure: Figure, layer: Layer) -> Extent:
    cells, steps = covered(layer), shown_steps(figure, prod(layer.input_size) + 1)
    length = layer.input_size[-1] + layer.axes[-1].reach + 1 + cells[-1]
    return Extent(max(length, *cells), steps, steps * prod(cells), terms=prod(layer.kernel_size))


def scene(figure: Figure) -> Scene:
    """The scene of a transposed layer of one or two axes with values; raises `LayerError`."""
    input_values, kernel_values = values_of(figure, "scatter")
    check_size(figure.layer, lambda layer: _extent(figure, layer))
    still, steps = scattered(figure.layer, input_values, kernel_values)
    shown = tuple(steps[number] for number in figure.shown(len(steps)))
    return Scene(figure, still, shown, _sentence(still))


def values_of(figure: Figure, view: str) -> tuple[Values, Values]:
    """The values of input and kernel in two axes; raises `LayerError` for all but transposed layers with values."""
    check_layer(figure.layer, view)
    if not figure.layer.transposed:
        raise LayerError("view", f"the {view} view draws transposed convolutions", "Use the plane view")
    if figure.input_values is None or figure.kernel_values is None:
        raise LayerError("view", f"the {view} view draws values", "Give input_values and kernel_values")
    return as_rows(figure.input_values), as_rows(figure.kernel_values)


def scattered(own: Layer, input_values: Values, kernel_values: Values) -> tuple[Maps, tuple[Step, ...]]:
    """The maps of a transposed layer, and a step for each input element and one for all; values are in two axes."""
    layer = in_two_axes(own)
    stamp_rows, stamp_columns = (axis.reach + 1 for axis in layer.axes)
    rows, columns = covered(layer)
    steps = tuple(_steps(layer, input_values, kernel_values))
    stamp_at = Point(input_values.shape[1] + GAP, 0)
    (top, left), (height, width) = ((axis.padding[0] for axis in layer.axes), layer.output_size)
    still = Maps(
        input=number_map(f"input {sizes(own.input_size)}", input_values),
        stamp=OutputMap("element × kernel", stamp_columns, stamp_rows, stamp_at),
        covered=OutputMap(
            f"output {sizes(own.output_size)}", columns, rows, Point(stamp_at.column + stamp_columns + GAP, 0)
        ),
        output=Block(left, top, width, height),
        extra=added(layer, left, top),
        most=max(sum_.stamps for sum_ in steps[-1].others),
    )
    return still, steps


def added(layer: Layer, left: int, top: int) -> tuple[Block, ...]:
    """The cells of a layer's output that only output padding adds, where the output begins at (left, top)."""
    (height, width), (rows, columns) = layer.output_size, (axis.output_padding for axis in layer.axes)
    blocks = (
        Block(left + width - columns, top, columns, height),
        Block(left, top + height - rows, width - columns, rows),
    )
    return tuple(block for block in blocks if block.columns and block.rows)


def _steps(layer: Layer, input_values: Values, kernel_values: Values) -> Iterator[Step]:
    """A step for each input element, row by row, and the last one."""
    down, right = layer.axes
    sums = dict[tuple[int, int], tuple[float, int]]()
    for (row, column), value in np.ndenumerate(input_values):
        stamp = tuple(
            Number(j * right.dilation, i * down.dilation, (value * weight).item())
            for (i, j), weight in np.ndenumerate(kernel_values)
        )
        changed = []
        for cell in stamp:
            place = row * down.stride + cell.row, column * right.stride + cell.column
            number, stamps = sums.get(place, (0, 0))
            sums[place] = number + cell.number, stamps + 1
            changed.append(place)
        yield Step(
            Number(column, row, value.item()),
            stamp,
            changed=tuple(Sum(c, r, *sums[r, c]) for r, c in changed),
            others=tuple(Sum(c, r, *sum_) for (r, c), sum_ in sums.items() if (r, c) not in changed),
        )
    (top, left), (height, width) = (axis.padding[0] for axis in layer.axes), layer.output_size
    for r, c in product(range(top, top + height), range(left, left + width)):
        sums.setdefault((r, c), (0, 0))
    yield Step(None, (), (), others=tuple(Sum(c, r, *sum_) for (r, c), sum_ in sums.items()))


def _sentence(maps: Maps) -> str:
    sentence = (
        "Each step adds a multiple of the kernel to the output; "
        "the stronger a cell's colour, the more products it sums."
    )
    if (maps.output.columns, maps.output.rows) != (maps.covered.columns, maps.covered.rows):
        sentence += " Cells outside the output are cropped by the padding."
    if maps.extra:
        sentence += " A dashed line sets off the elements that output padding adds: they are computed like all others."
    return sentence
