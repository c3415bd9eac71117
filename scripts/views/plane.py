"""The plane view: the output's plane floats above the input's."""

from dataclasses import dataclass
from itertools import product

from scripts.core.figures import Figure
from scripts.core.frames import Frame, frames
from scripts.views.limits import check_layer, check_room, check_steps
from scripts.views.maps import (
    Block,
    Blocks,
    InputMap,
    Line,
    OutputMap,
    Point,
    blocks,
    extent,
    in_two_axes,
    input_map,
    offset,
    output_map,
)
from scripts.views.scene import Scene


@dataclass(frozen=True)
class Planes:
    """The static parts: the two maps, and the corners between which the output is raised.

    `back` is the input's corner that the output's corner `front` has to clear.
    """

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
    check_steps(figure.layer)
    # A slanted row takes the room of a square.
    check_room(figure.layer, max(len(axis.cells) for axis in figure.layer.grid) ** 2)
    layer = in_two_axes(figure.layer)
    rows, columns = layer.grid
    output = output_map(figure.layer, Point(offset(columns), offset(rows)))
    still = Planes(
        input=input_map(figure.layer, layer.grid),
        output=output,
        back=Point(len(columns.cells), 0),
        front=Point(output.at.column, float(output.at.row + output.rows)),
    )
    steps = tuple(_step(frame, output.at) for frame in frames(layer, None))
    return Scene(figure, still, steps, equivalent=figure.layer.transposed)


def _step(frame: Frame, at: Point) -> Step:
    row, column = frame.output_index
    links: tuple[Line, ...] = ()
    if all(frame.windows):
        (first_row, height), (first_column, width) = map(extent, frame.windows)
        links = tuple(
            (
                Point(first_column + x * width, first_row + y * height),
                Point(float(column + at.column + x), float(row + at.row + y)),
            )
            for y, x in product((0, 1), repeat=2)
        )
    return Step(blocks(*frame.windows), links, Block(column, row, 1, 1))
