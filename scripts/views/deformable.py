"""The deformable view: a convolution whose kernel elements take samples off the grid, at given offsets."""

from dataclasses import dataclass
from math import ceil, dist, floor
from typing import NamedTuple

import numpy as np

from scripts.core.figures import Figure
from scripts.core.layers import Index
from scripts.core.variants import samples
from scripts.errors import LayerError
from scripts.views.limits import LONGEST_AXIS, check_layer, check_steps
from scripts.views.maps import (
    Block,
    InputMap,
    Number,
    NumberMap,
    Point,
    Weighted,
    decimals,
    input_map,
    number_map,
    numbers,
    sizes,
)
from scripts.views.numerical import grid_cells
from scripts.views.scene import Scene

# Space between two maps.
GAP = 1.5
# The shortest way on which an arrow can be seen.
SHORTEST = 0.4


class Tap(NamedTuple):
    """Where a kernel element would be in the grid, and where it takes its sample; if `far`, with an arrow between."""

    start: Point
    end: Point
    far: bool


@dataclass(frozen=True)
class Maps:
    """The static parts: from left to right the input, the samples of a window, and the output.

    `room` is the grid with what lies beyond it as far as there are samples, and `values` are the input's, in its grid.
    Samples and the output have so many decimals.
    """

    input: InputMap
    room: Block
    values: tuple[Number, ...]
    samples: NumberMap
    sample_decimals: int
    output: NumberMap
    decimals: int


@dataclass(frozen=True)
class Step:
    """The kernel elements, the samples that they take, with their weights, and the output element."""

    taps: tuple[Tap, ...]
    samples: tuple[Weighted, ...]
    element: Number


def scene(figure: Figure) -> Scene:
    """The scene of a convolution of two axes with values and offsets; raises `LayerError`."""
    check_layer(figure.layer, "deformable")
    layer, offset = figure.layer, figure.offset
    if len(layer.axes) != 2:
        raise LayerError("view", "the deformable view draws layers of 2 axes", "Use the plane view")
    if offset is None:
        rule = "The deformable view needs it, in the layout of torchvision's deform_conv2d"
        raise LayerError("offset", "is missing", rule)
    if figure.input_values is None or figure.kernel_values is None or figure.output_values is None:
        raise LayerError("view", "the deformable view draws values", "Give input_values and kernel_values")
    check_steps(figure, grid_cells, terms=True)
    grid, output, kernel = input_map(layer, layer.grid), figure.output_values, figure.kernel_values
    (height, width), (top, left) = layer.kernel_size, (axis.padding[0] for axis in layer.axes)
    found = {index: list(samples(layer, figure.input_values, offset, index)) for index in np.ndindex(*output.shape)}
    ends = [
        Point(left + sample.place[1] + 0.5, top + sample.place[0] + 0.5) for one in found.values() for sample in one
    ]
    room = _room(grid, ends)
    samples_at = Point(room.column + room.columns + GAP, (grid.rows - height) / 2)
    output_at = Point(samples_at.column + width + GAP, (grid.rows - output.shape[0]) / 2)
    still = Maps(
        grid,
        room,
        tuple(cell._replace(column=cell.column + left, row=cell.row + top) for cell in numbers(figure.input_values)),
        NumberMap("samples", width, height, samples_at),
        decimals(np.array([sample.value for one in found.values() for sample in one])),
        number_map(f"output {sizes(layer.output_size)}", output, output_at),
        decimals(output),
    )

    def step(index: Index) -> Step:
        windows = [axis.windows[o] for axis, o in zip(layer.grid, index, strict=True)]
        taps, cells = [], []
        for (row, column), (y, x), value in found[index]:
            start = Point(windows[1][column].position + 0.5, windows[0][row].position + 0.5)
            end = Point(left + x + 0.5, top + y + 0.5)
            taps.append(Tap(start, end, far=dist(start, end) >= SHORTEST))
            cells.append(Weighted(column, row, value, kernel[row, column].item()))
        return Step(tuple(taps), tuple(cells), Number(index[1], index[0], output[index].item()))

    indices = list(found)
    return Scene(figure, still, [step(indices[n]) for n in figure.shown(len(indices))], _sentence())


def _room(grid: InputMap, ends: list[Point]) -> Block:
    """The cells of a grid, and those around it in which samples lie; raises `LayerError` where there are too many."""
    columns, rows = zip(*ends, strict=True)
    left, top = floor(min(0, *columns)), floor(min(0, *rows))
    right, bottom = ceil(max(grid.columns, *columns)), ceil(max(grid.rows, *rows))
    if max(right - left, bottom - top) > LONGEST_AXIS:
        rule = f"leads to {max(right - left, bottom - top)} cells in a row"
        raise LayerError("offset", rule, f"A drawing has at most {LONGEST_AXIS}")
    return Block(left, top, right - left, bottom - top)


def _sentence() -> str:
    return (
        "As a deformable convolution: arrows lead from the places of the window's elements to those that their offsets "
        "move them to, where the input is interpolated. The small numbers at the samples are the kernel's."
    )
