"""The gather view: a transposed layer as it scatters its input, and beside it the convolution that gathers the same."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from scripts.core.figures import Figure
from scripts.core.frames import Frame, frames
from scripts.core.layers import Index, Layer, Values
from scripts.views import scatter
from scripts.views.limits import Extent, check_size, longest, shown_steps
from scripts.views.maps import (
    Block,
    Blocks,
    InputMap,
    Number,
    OutputMap,
    Point,
    blocks,
    contents,
    in_two_axes,
    input_map,
    sizes,
)
from scripts.views.scene import Scene

# Space between the two ways.
MIDDLE = 2.5


class Cell(NamedTuple):
    """A cell of the grid that the window moves over; the number is None where nothing counts."""

    column: int
    row: int
    kind: str
    number: float | None


@dataclass(frozen=True)
class Ways:
    """The static parts: what the scatter view shows, and at its right the grid, the products in a window, the output.

    `cells` is what the grid holds, and `extra` are those cells of the output that only output padding adds.
    """

    scatter: scatter.Maps
    grid: InputMap
    at: Point
    cells: tuple[Cell, ...]
    products: OutputMap
    output: OutputMap
    extra: tuple[Block, ...]


@dataclass(frozen=True)
class Gathered:
    """A window with its cells, its products, and the elements of the output so far, of which the last is its sum."""

    window: Blocks
    cells: tuple[Cell, ...]
    products: tuple[Number, ...]
    results: tuple[Number, ...]


@dataclass(frozen=True)
class Step:
    """A step of the scatter view, or its result beside a window."""

    scatter: scatter.Step
    gathered: Gathered | None


def scene(figure: Figure) -> Scene:
    """The scene of a transposed layer of one or two axes with values; raises `LayerError`."""
    layer, (input_values, kernel_values) = figure.layer, scatter.values_of(figure, "gather")
    check_size(layer, lambda layer: _extent(figure, layer))
    maps, (*scattering, scattered) = scatter.scattered(layer, input_values, kernel_values)
    still = _ways(layer, maps, input_values)
    steps = [Step(step, None) for step in scattering]
    steps += [Step(scattered, gathered) for gathered in _gathered(layer, still, input_values, kernel_values)]
    shown = tuple(steps[number] for number in figure.shown(len(steps)))
    sentence = (
        "Left, each input element adds its multiple of the kernel to the output; right, each output element gathers "
        "the products in its window. The results are equal."
    )
    if still.extra:
        sentence += " A dashed line sets off the elements that output padding adds: they are computed like all others."
    return Scene(figure, still, shown, sentence, equivalent=True)


def _extent(figure: Figure, layer: Layer) -> Extent:
    cells = scatter.covered(layer)
    steps = shown_steps(figure, prod(layer.input_size) + prod(layer.output_size))
    room = prod(cells) + prod(axis.extent for axis in layer.window_axes) + prod(layer.output_size)
    length = sum((layer.input_size[-1], cells[-1], layer.window_axes[-1].extent, layer.output_size[-1]))
    return Extent(max(length, longest(layer)), steps, steps * room, terms=prod(layer.kernel_size))


def _ways(own: Layer, maps: scatter.Maps, input_values: Values) -> Ways:
    layer = in_two_axes(own)
    grid = input_map(own, layer.grid)
    height, width = layer.output_size
    at = Point(maps.covered.at.column + maps.covered.columns + MIDDLE, 0)
    products_at = Point(at.column + grid.columns + scatter.GAP, 0)
    output_at = Point(products_at.column + maps.stamp.columns + scatter.GAP, 0)
    return Ways(
        scatter=maps,
        grid=grid,
        at=at,
        cells=tuple(Cell(column, row, *held) for (row, column), held in contents(layer, input_values).items()),
        products=OutputMap("window × kernel", maps.stamp.columns, maps.stamp.rows, products_at),
        output=OutputMap(f"output {sizes(own.output_size)}", width, height, output_at),
        extra=scatter.added(layer, 0, 0),
    )


def _gathered(own: Layer, still: Ways, input_values: Values, kernel_values: Values) -> Iterator[Gathered]:
    """A window for each output element."""
    layer = in_two_axes(own)
    output = layer.output(input_values, kernel_values)
    cells: dict[Index, Cell] = {(cell.row, cell.column): cell for cell in still.cells}
    results = list[Number]()
    for frame in frames(layer, None):
        row, column = frame.output_index
        results.append(Number(column, row, output[frame.output_index].item()))
        yield Gathered(
            window=blocks(*frame.windows),
            cells=tuple(cells[term.position] for term in frame.terms),
            products=tuple(_products(frame, kernel_values, cells)),
            results=tuple(results),
        )


def _products(frame: Frame, kernel_values: Values, cells: Mapping[Index, Cell]) -> Iterator[Number]:
    """The products in a window, each where its cell is in it."""
    top, left = (window[0] for window in frame.windows)
    for term in frame.terms:
        cell = cells[term.position]
        yield Number(cell.column - left, cell.row - top, (cell.number or 0) * kernel_values[term.kernel_index].item())
