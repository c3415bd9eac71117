"""The plane view: the output above the input, as slanted planes, or as rows where the layer has one axis."""

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Literal

from scripts.core.figures import Figure
from scripts.core.frames import Frame, frames
from scripts.core.layers import Layer
from scripts.views.limits import check_layer, check_steps, longest
from scripts.views.maps import (
    Block,
    Blocks,
    InputMap,
    Line,
    OutputMap,
    Point,
    Run,
    blocks,
    extent,
    in_two_axes,
    input_map,
    offset,
    output_map,
)
from scripts.views.scene import Scene

# Along an axis of more cells than this, \fitcells of templates/drawing.tex makes them so small that they take no more
# room.
MOST_ROOM = 12
Layout = Literal["planes", "rows"]


@dataclass(frozen=True)
class Planes:
    """The static parts: the two maps, and the corners between which the output is raised.

    `layout` is how they are drawn, as slanted planes or as rows.  `back` is the input's corner that the output's
    corner `front` has to clear.
    """

    layout: Layout
    input: InputMap
    output: OutputMap
    back: Point
    front: Point


@dataclass(frozen=True)
class Step:
    """The cells of a window, the lines from its corners to those of its output element, and that element."""

    window: Blocks
    links: tuple[Line, ...]
    element: Block


def scene(figure: Figure) -> Scene:
    """The scene of a layer of one or two axes; raises `LayerError`."""
    check_layer(figure.layer, "plane")
    check_steps(figure, _cells)
    layer = in_two_axes(figure.layer)
    rows, columns = layer.grid
    at = Point(offset(columns), offset(rows))
    still = planes(figure.layer, input_map(figure.layer, layer.grid), output_map(figure.layer, at))
    numbers = figure.shown(prod(layer.output_size))
    steps = tuple(_step(frame, still) for frame in frames(layer, None, numbers=numbers))
    return Scene(figure, still, steps, equivalent=figure.layer.transposed)


def _cells(layer: Layer) -> int:
    # A slanted plane takes the room of a square.
    return prod([min(longest(layer), MOST_ROOM)] * len(layer.axes))


def planes(layer: Layer, inputs: InputMap, outputs: OutputMap) -> Planes:
    """The two maps of a layer, one above the other."""
    return Planes(
        layout="rows" if len(layer.axes) == 1 else "planes",
        input=inputs,
        output=outputs,
        back=Point(inputs.columns, 0),
        front=Point(outputs.at.column, float(outputs.at.row + outputs.rows)),
    )


def links(layout: Layout, window: tuple[Run, Run], element: Point) -> tuple[Line, ...]:
    """The lines from the corners of a window, given by its rows and its columns, to those of an output element.

    Between two rows, they join the edges that face each other.
    """
    (first_row, height), (first_column, width) = window
    corners = ((0, 0), (1, 0)) if layout == "rows" else tuple((x, y) for y, x in product((0, 1), repeat=2))
    return tuple(
        (Point(first_column + x * width, first_row + y * height), Point(element.column + x, element.row + y))
        for x, y in corners
    )


def _step(frame: Frame, still: Planes) -> Step:
    row, column = frame.output_index
    lines: tuple[Line, ...] = ()
    if all(frame.windows):
        rows, columns = map(extent, frame.windows)
        at = still.output.at
        lines = links(still.layout, (rows, columns), Point(float(column + at.column), float(row + at.row)))
    return Step(blocks(*frame.windows), lines, Block(column, row, 1, 1))
