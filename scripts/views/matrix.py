"""The matrix view: a convolution as a matrix that maps its flattened input to its flattened output, row by row."""

from dataclasses import dataclass
from math import prod
from typing import NamedTuple

import numpy as np

from scripts.core.figures import Figure
from scripts.core.frames import frames
from scripts.core.layers import Index, Layer, Values
from scripts.errors import LayerError
from scripts.views.limits import Extent, check_layer, check_size, check_weighted, shown_steps
from scripts.views.maps import ORIGIN, NumberMap, Point, as_rows, number_map, sizes
from scripts.views.scene import Scene

# Space above the output map and between the maps and the matrix, which their labels take.
LABEL_GAP, MATRIX_GAP, LEAST_WIDTH = 2, 2, 4


class Entry(NamedTuple):
    """An entry of the matrix that is not always zero: the index of its weight, or its number if there are values."""

    column: int
    row: int
    kernel_index: Index
    number: float | None


@dataclass(frozen=True)
class Matrix:
    """The static parts: the input map, below it the output map, and at their right the matrix.

    `columns` and `rows` are the size of the matrix, `at` its place in cells of the maps: its left edge, and the
    height of its middle.  Coordinates of the entries count its own cells.
    """

    input: NumberMap
    output: NumberMap
    columns: int
    rows: int
    at: Point
    entries: tuple[Entry, ...]


class Cell(NamedTuple):
    """A cell of a map, with its number if it has one."""

    column: int
    row: int
    number: float | None


@dataclass(frozen=True)
class Step:
    """A row of the matrix: its entries, the input elements that they are multiplied by, and the output element."""

    row: int
    entries: tuple[Entry, ...]
    inputs: tuple[Cell, ...]
    output: Cell


def entries(layer: Layer, kernel_values: Values | None = None) -> list[tuple[Entry, ...]]:
    """The entries of each row of the matrix, for a layer without channels that is padded with zeros.

    `kernel_values` has the layer's `kernel_shape`.
    """
    return [
        tuple(
            Entry(
                column=int(np.ravel_multi_index(term.input_index, layer.input_size)),
                row=row,
                kernel_index=term.kernel_index,
                number=None if kernel_values is None else kernel_values[term.kernel_index].item(),
            )
            for term in frame.terms
            if term.input_index is not None
        )
        for row, frame in enumerate(frames(layer, None))
    ]


def scene(figure: Figure) -> Scene:
    """The scene of a convolution of one or two axes, transposed or not; raises `LayerError`."""
    layer = figure.layer
    check_layer(layer, "matrix")
    check_weighted(layer, "matrix")
    if layer.padding_mode != "zeros":
        rule = f"{layer.padding_mode} makes entries of the matrix sums of weights"
        raise LayerError("padding_mode", rule, "The matrix view draws padding with zeros")

    def extent(layer: Layer) -> Extent:
        rows, columns = prod(layer.output_size), prod(layer.input_size)
        steps = shown_steps(figure, rows)
        return Extent(max(rows, columns), steps, steps * rows * columns)

    check_size(layer, extent)
    rows, columns = prod(layer.output_size), prod(layer.input_size)
    by_row = entries(layer, figure.kernel_values)
    inputs = _map("input", layer.input_size, figure.input_values, ORIGIN)
    outputs = _map("output", layer.output_size, figure.output_values, Point(0, inputs.rows + LABEL_GAP))
    at = Point(max(inputs.columns, outputs.columns, LEAST_WIDTH) + MATRIX_GAP, (outputs.at.row + outputs.rows) / 2)
    still = Matrix(inputs, outputs, columns, rows, at, tuple(entry for row in by_row for entry in row))
    steps = tuple(
        Step(
            row=row,
            entries=row_entries,
            inputs=tuple(_cell(inputs, entry.column) for entry in row_entries),
            output=_cell(outputs, row),
        )
        for row in figure.shown(rows)
        for row_entries in (by_row[row],)
    )
    order = "" if len(layer.axes) == 1 else ", both counted row by row"
    names = "" if figure.kernel_values is not None else " The indices of a weight w count the kernel's elements from 0."
    sentence = (
        f"Each row of the matrix belongs to an output element, each column to an input element{order}; "
        f"entries that are not shown are zero.{names}"
    )
    return Scene(figure, still, steps, sentence)


def _map(name: str, size: Index, values: Values | None, at: Point) -> NumberMap:
    label = f"{name} {sizes(size)}"
    if values is not None:
        return number_map(label, as_rows(values), at)
    return NumberMap(label, size[-1], prod(size[:-1]), at)


def _cell(map_: NumberMap, place: int) -> Cell:
    """The cell of an element that is counted row by row."""
    row, column = divmod(place, map_.columns)
    return Cell(column, row, map_.numbers[place].number if map_.numbers else None)
