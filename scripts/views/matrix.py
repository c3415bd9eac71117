"""The matrix view: a convolution as a matrix that maps its flattened input to its flattened output, row by row.

Each weight has a shade of its own.  Beside the matrix of a transposed layer is that of the convolution which it
transposes: a row of the one is a column of the other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise, product
from math import prod
from typing import NamedTuple

import numpy as np

from scripts.core.figures import Figure
from scripts.core.layers import Index, Layer, Values
from scripts.errors import LayerError
from scripts.views.limits import LONGEST_AXIS, Extent, check_layer, check_size, check_weighted, longest, shown_steps
from scripts.views.maps import Blocks, Point, blocks, runs, sizes
from scripts.views.scene import Scene

# A matrix with more rows or columns is drawn with dots in place of most of them; of its lines, so many at least are
# shown before the dots.
MOST_SHOWN, LEAST_SHOWN = 28, 2
# Space above a map for its label and between the maps and the matrix; and the width that labels need, without and with
# the one of the convolution's matrix.
LABEL_GAP, MATRIX_GAP = 1.8, 4
LEAST_WIDTH, LEAST_WIDTH_TRANSPOSED = 4, 8
# Between the matrix and the vectors beside it, in its cells; and the cells of the small matrix in cells of the maps.
VECTOR_GAP, SMALL_CELL = 0.4, 0.5

Places = dict[int, int]


class Entry(NamedTuple):
    """An entry of the matrix that is not always zero.

    It is the kernel's element at an index, the `weight`-th of all, or its number if there are values.
    """

    column: int
    row: int
    kernel_index: Index
    weight: int
    number: float | None


class Cell(NamedTuple):
    """An element of a map in its cell, by its index, with its number if there are values."""

    column: int
    row: int
    element: Index
    number: float | None


class Dots(NamedTuple):
    """The middle of dots in place of what is left out, side by side or one below the other."""

    at: Point
    across: bool


@dataclass(frozen=True)
class Grid:
    """The cells of a matrix or a map, of `columns` × `rows` with the room for `dots`, where some are left out."""

    columns: int
    rows: int
    blocks: Blocks
    dots: tuple[Dots, ...]


@dataclass(frozen=True)
class Map:
    """A grid at a point with what its cells hold: the input, the output or the kernel, as they are or flattened."""

    label: str
    at: Point
    grid: Grid
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Convolution:
    """The matrix of the convolution that a layer transposes, at a point in cells of the maps."""

    label: str
    at: Point
    grid: Grid
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Matrix:
    """The static parts: input, output and kernel, one below the other, and the matrix at their right.

    `at` is the place of the matrix in cells of the maps: its left edge, and the height of its middle.  Its entries are
    counted in its own cells, as are the flattened `inputs` above and `outputs` at the left.  `convolution` is None for
    a direct layer.
    """

    input: Map
    output: Map
    kernel: Map
    convolution: Convolution | None
    at: Point
    label: str
    grid: Grid
    entries: tuple[Entry, ...]
    inputs: Map
    outputs: Map


@dataclass(frozen=True)
class Step:
    """A row of the matrix with its entries, and the elements that they join.

    `inputs` and `output` are cells of the maps, `factors` and `result` those of the same elements beside the matrix.
    """

    row: int
    entries: tuple[Entry, ...]
    inputs: tuple[Cell, ...]
    output: Cell
    factors: tuple[Cell, ...]
    result: Cell


class Lines:
    """The rows of a convolution's matrix, which are the columns of the matrix that transposes it.

    There are `count` lines, each of `length` entries.
    """

    def __init__(self, layer: Layer) -> None:
        ends = (layer.input_size, layer.output_size) if layer.transposed else (layer.output_size, layer.input_size)
        self._size, self._others = ends
        self.count, self.length = map(prod, ends)
        self._met: list[list[list[tuple[int, int]]]] = []
        for axis, size in zip(layer.grid, self._size, strict=True):
            met: list[list[tuple[int, int]]] = [[] for _ in range(size)]
            for output, window in enumerate(axis.windows):
                for position, weight in window:
                    index = axis.cells[position].input_index
                    if index is not None:
                        line, other = (index, output) if layer.transposed else (output, index)
                        met[line].append((other, weight))
            self._met.append(met)

    def met(self, line: int) -> list[tuple[int, Index]]:
        """The entries of a line that are not always zero: where they are in it, and the indices of their weights."""
        index = np.unravel_index(line, self._size)
        along = (met[n] for met, n in zip(self._met, index, strict=True))
        pairs = [tuple(zip(*met, strict=True)) for met in product(*along)]
        return [(int(np.ravel_multi_index(others, self._others)), weight) for others, weight in pairs]


def entries(layer: Layer, kernel_values: Values | None = None, kept: Iterable[int] | None = None) -> list[Entry]:
    """The entries of the matrix of a layer without channels that is padded with zeros; those in `kept` lines, if given.

    `kernel_values` has the layer's `kernel_shape`.
    """
    lines = Lines(layer)
    return [
        Entry(
            *((line, other) if layer.transposed else (other, line)),
            kernel_index=weight,
            weight=int(np.ravel_multi_index(weight, layer.kernel_size)),
            number=None if kernel_values is None else kernel_values[weight].item(),
        )
        for line in (range(lines.count) if kept is None else kept)
        for other, weight in lines.met(line)
    ]


def places(kept: Iterable[int], size: int) -> Places:
    """Where elements along a line are drawn: neighbours side by side, between others a cell for dots.

    The first and the last of `size` elements always are, and any that would be left out alone.
    """
    numbers = {0, *kept, size - 1}
    numbers |= {number + 1 for number in numbers if number + 2 in numbers}
    found = {0: 0}
    for last, number in pairwise(sorted(numbers)):
        found[number] = found[last] + (1 if number == last + 1 else 2)
    return found


def _extent(places: Places) -> int:
    return 1 + max(places.values())


def shown(layer: Layer) -> tuple[Places, Places]:
    """Where the rows and the columns of the matrix are drawn: all of them if they fit.

    Otherwise the first lines and the last one, and of those across them the ones that they meet.
    """
    lines = Lines(layer)
    kept, across = places(range(lines.count), lines.count), places(range(lines.length), lines.length)
    if max(lines.count, lines.length) > MOST_SHOWN:
        last, met = lines.count - 1, {other for other, _ in lines.met(lines.count - 1)}
        for line in range(last):
            met |= {other for other, _ in lines.met(line)}
            found = places({*range(line + 1), last}, lines.count), places(met, lines.length)
            if line >= LEAST_SHOWN and max(map(_extent, found)) > MOST_SHOWN:
                break
            kept, across = found
    return (across, kept) if layer.transposed else (kept, across)


def scene(figure: Figure) -> Scene:
    """The scene of a convolution of one or two axes, transposed or not; raises `LayerError`."""
    layer = figure.layer
    check_layer(layer, "matrix")
    check_weighted(layer, "matrix")
    if layer.padding_mode != "zeros":
        rule = f"{layer.padding_mode} makes entries of the matrix sums of weights"
        raise LayerError("padding_mode", rule, "The matrix view draws padding with zeros")

    def extent(layer: Layer) -> Extent:
        if longest(layer) > LONGEST_AXIS:
            return Extent(longest(layer))
        rows, columns = map(_extent, shown(layer))
        steps = shown_steps(figure, rows)
        return Extent(max(rows, columns), steps, steps * rows * columns)

    check_size(layer, extent)
    rows, columns = shown(layer)
    still = _matrix(figure, rows, columns)
    numbers = list(rows.items())
    steps = tuple(_step(still, layer, *numbers[number]) for number in figure.shown(len(rows)))
    return Scene(figure, still, steps, _sentence(figure, still))


def _matrix(figure: Figure, rows: Places, columns: Places) -> Matrix:
    layer = figure.layer
    weights = range(prod(layer.kernel_size))
    inputs = _map("input", layer.input_size, figure.input_values, columns, 0)
    outputs = _map("output", layer.output_size, figure.output_values, rows, _below(inputs))
    kernel = _map("kernel", layer.kernel_size, figure.kernel_values, weights, _below(outputs))
    found = tuple(
        entry._replace(column=columns[entry.column], row=rows[entry.row])
        for entry in entries(layer, figure.kernel_values, columns if layer.transposed else rows)
        if entry.column in columns and entry.row in rows
    )
    size = prod(layer.output_size), prod(layer.input_size)
    width: float = max(LEAST_WIDTH, *(map_.grid.columns for map_ in (inputs, outputs, kernel)))
    bottom, convolution = _below(kernel) - LABEL_GAP, None
    if layer.transposed:
        convolution = Convolution(
            f"convolution {sizes(reversed(size))}",
            Point(0, _below(kernel)),
            _grid(columns, rows),
            tuple(entry._replace(column=entry.row, row=entry.column) for entry in found),
        )
        bottom = convolution.at.row + SMALL_CELL * convolution.grid.rows
        width = max(LEAST_WIDTH_TRANSPOSED, width, SMALL_CELL * convolution.grid.columns)
    return Matrix(
        input=inputs,
        output=outputs,
        kernel=kernel,
        convolution=convolution,
        at=Point(width + MATRIX_GAP, bottom / 2),
        label=f"{'transposed ' if layer.transposed else ''}matrix {sizes(size)}",
        grid=_grid(rows, columns),
        entries=found,
        inputs=Map(
            "inputs",
            Point(0, -1 - VECTOR_GAP),
            _grid({0: 0}, columns),
            tuple(
                _cell(figure.input_values, _index(number, layer.input_size), place, 0)
                for number, place in columns.items()
            ),
        ),
        outputs=Map(
            "outputs",
            Point(-1 - VECTOR_GAP, 0),
            _grid(rows, {0: 0}),
            tuple(
                _cell(figure.output_values, _index(number, layer.output_size), 0, place)
                for number, place in rows.items()
            ),
        ),
    )


def _map(name: str, size: Index, values: Values | None, kept: Iterable[int], top: float) -> Map:
    """A map of one or two axes, of which the rows and the columns with the elements `kept` are drawn."""
    *heights, width = size
    height = heights[0] if heights else 1
    rows, columns = places((n // width for n in kept), height), places((n % width for n in kept), width)
    cells = tuple(
        _cell(values, (row, column)[-len(size) :], columns[column], rows[row]) for row, column in product(rows, columns)
    )
    return Map(f"{name} {sizes(size)}", Point(0, top), _grid(rows, columns), cells)


def _cell(values: Values | None, index: Index, column: int, row: int) -> Cell:
    return Cell(column, row, index, None if values is None else values[index].item())


def _below(map_: Map) -> float:
    return map_.at.row + map_.grid.rows + LABEL_GAP


def _index(number: int, size: Index) -> Index:
    return tuple(int(n) for n in np.unravel_index(number, size))


def _grid(rows: Places, columns: Places) -> Grid:
    """The cells in some rows and columns, with dots between those that are not neighbours."""
    down, across = runs(list(rows.values())), runs(list(columns.values()))
    dots = [
        Dots(Point(column - 0.5, row + height / 2), across=True) for column, _ in across[1:] for row, height in down
    ] + [Dots(Point(column + width / 2, row - 0.5), across=False) for row, _ in down[1:] for column, width in across]
    return Grid(_extent(columns), _extent(rows), blocks(list(rows.values()), list(columns.values())), tuple(dots))


def _step(still: Matrix, layer: Layer, number: int, row: int) -> Step:
    """The row of an output element, by its number."""
    found = tuple(entry for entry in still.entries if entry.row == row)
    place = {cell.column: cell.element for cell in still.inputs.cells}
    met = {place[entry.column] for entry in found}
    output = _index(number, layer.output_size)
    (cell,) = (cell for cell in still.output.cells if cell.element == output)
    (result,) = (cell for cell in still.outputs.cells if cell.element == output)
    return Step(
        row=row,
        entries=found,
        inputs=tuple(cell for cell in still.input.cells if cell.element in met),
        output=cell,
        factors=tuple(cell for cell in still.inputs.cells if cell.element in met),
        result=result,
    )


def _sentence(figure: Figure, still: Matrix) -> str:
    layer = figure.layer
    order = "" if len(layer.axes) == 1 else ", both counted row by row"
    sentence = (
        f"Each row of the matrix belongs to an output element, each column to an input element{order}; "
        "empty entries are zero."
    )
    if figure.kernel_values is None:
        sentence += " The indices of a weight w count the kernel's elements from 0."
    if still.convolution is not None:
        sentence += (
            " It is the transpose of the matrix of the convolution, which is drawn small: a row of the one is a column "
            "of the other."
        )
    if still.grid.dots:
        rows, columns = prod(layer.output_size), prod(layer.input_size)
        sentence += f" Dots take the place of most of its {rows} rows and {columns} columns."
    return sentence
