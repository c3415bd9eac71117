"""The numerical view: flat grids with their values, side by side."""

from dataclasses import dataclass
from math import prod
from typing import Literal, NamedTuple

import numpy as np

from scripts.core.figures import Figure
from scripts.core.frames import Frame, frames
from scripts.core.layers import Index, Layer, Values
from scripts.errors import LayerError
from scripts.views.limits import check_layer, check_steps
from scripts.views.maps import (
    Block,
    Blocks,
    InputMap,
    Line,
    Number,
    NumberMap,
    OutputMap,
    Point,
    as_rows,
    blocks,
    contents,
    decimals,
    extent,
    in_two_axes,
    input_map,
    number_map,
    numbers,
    offset,
    output_map,
)
from scripts.views.scene import Scene


class Cell(NamedTuple):
    """A cell with its number, and a small one in its corner; None where there is none."""

    column: int
    row: int
    kind: str
    number: float | None
    small: float | None


@dataclass(frozen=True)
class Maps:
    """The static parts: the two maps with their values.

    `layout` is where the output is: below the input if both are single rows, else beside it.  `decimals` is how many
    of them computed values have; None if all values are given ones.  `kernel` is at the other side of the input.
    """

    input: InputMap
    output: OutputMap
    kernel: NumberMap | None
    layout: Literal["below", "beside"]
    cells: tuple[Cell, ...]
    numbers: tuple[Number, ...]
    decimals: int | None


@dataclass(frozen=True)
class Step:
    """The cells of a window, those of each kind together, the lines to its output element, and that element."""

    window: Blocks
    covered: tuple[tuple[Cell, ...], ...]
    links: tuple[Line, ...]
    element: Block
    value: float


def grid_cells(layer: Layer) -> int:
    """Number of cells that windows move over."""
    return prod(axis.grid_size for axis in layer.window_axes)


def scene(figure: Figure) -> Scene:
    """The scene of a layer of one or two axes with values; raises `LayerError`."""
    check_layer(figure.layer, "numerical")
    if figure.input_values is None or figure.output_values is None:
        raise LayerError("view", "the numerical view draws values", "Give input_values, or use the plane view")
    check_steps(figure, grid_cells, terms=True)
    layer, output = in_two_axes(figure.layer), as_rows(figure.output_values)
    kernel, indices = (None if v is None else as_rows(v) for v in (figure.kernel_values, figure.indices))
    held = contents(layer, as_rows(figure.input_values))

    def cell(position: Index, kernel_index: Index | None = None) -> Cell:
        small = None
        if indices is not None:
            small = indices[position].item()
        elif kernel is not None and kernel_index is not None:
            small = kernel[kernel_index].item()
        row, column = position
        return Cell(column, row, *held[position], small)

    def step(frame: Frame) -> Step:
        cells = [cell(term.position, term.kernel_index) for term in frame.terms]
        kinds = (tuple(cell for cell in cells if cell.kind == kind) for kind in ("input", "copy", "padding"))
        row, column = frame.output_index
        return Step(
            window=blocks(*frame.windows),
            covered=tuple(cells for cells in kinds if cells),
            links=_links(frame, still.output.at) if still.layout == "below" else (),
            element=Block(column, row, 1, 1),
            value=output[frame.output_index].item(),
        )

    still = Maps(
        input=input_map(figure.layer, layer.grid),
        output=output_map(figure.layer, _output_place(layer)),
        kernel=None if kernel is None else _kernel_map(layer, kernel),
        layout="below" if _is_row(layer) else "beside",
        cells=tuple(cell(position) for position in held),
        numbers=numbers(output),
        decimals=None if layer.reduction == "maximum" or indices is not None else decimals(output),
    )
    numbers_shown = figure.shown(prod(layer.output_size))
    steps = tuple(step(frame) for frame in frames(layer, None, numbers=numbers_shown))
    return Scene(figure, still, steps, _sentence(figure), equivalent=figure.layer.transposed)


def _is_row(layer: Layer) -> bool:
    return len(layer.grid[0].cells) == 1 and layer.output_size[0] == 1


def _output_place(layer: Layer) -> Point:
    """Where the output is, without the gap between the maps."""
    rows, columns = layer.grid
    if _is_row(layer):
        return Point(offset(columns), 1)
    return Point(len(columns.cells), (len(rows.cells) - len(rows.windows)) / 2)


def _kernel_map(layer: Layer, kernel: Values) -> NumberMap:
    """The kernel as it lies on the input: above it if that is a row, else at its left, without the gap between."""
    height, width = kernel.shape
    at = Point(0, -1) if _is_row(layer) else Point(-width, (len(layer.grid[0].cells) - height) / 2)
    return number_map("rotated kernel", np.flip(kernel), at) if layer.transposed else number_map("kernel", kernel, at)


def _links(frame: Frame, output: Point) -> tuple[Line, ...]:
    """The lines from both ends of a row's window to those of its output element."""
    _, window = frame.windows
    if not window:
        return ()
    column, width = extent(window)
    element = float(frame.output_index[1] + output.column)
    return tuple((Point(column + n * width, 1), Point(element + n, output.row)) for n in (0, 1))


def _sentence(figure: Figure) -> str:
    if figure.indices is not None:
        return "The small numbers are the places of the maxima, counted row by row."
    if figure.kernel_values is not None:
        return f"The small numbers are the kernel's{', rotated' if figure.layer.transposed else ''}."
    return ""
