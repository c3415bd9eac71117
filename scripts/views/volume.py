"""The volume view: a layer of three axes as two rows of slices, the output's above the input's.

A slice is what lies at one position of the first axis: of depth, or of time.  Slices are slanted and beside each other,
so that none hides another's cells.
"""

from dataclasses import dataclass, replace
from math import prod
from typing import NamedTuple

from scripts.core.arithmetic import Cell
from scripts.core.figures import Figure
from scripts.core.frames import Frame, frames
from scripts.core.layers import Layer
from scripts.errors import LayerError
from scripts.views.limits import Extent, check_layer, check_size, longest, shown_steps
from scripts.views.maps import Block, Blocks, InputMap, Point, blocks, extent, input_map, offset, positions, sizes
from scripts.views.plane import MOST_ROOM
from scripts.views.scene import Scene

AXES = 3
# Space between two slices, and between the two rows of slices; and how far slanted slices rise for each of their
# columns, at most.
GAP, ROW_GAP, RISE = 1.5, 2.25, 0.375


class Slice(NamedTuple):
    """A slice of the input, and its number along the first axis; None for padding and inserted zeros."""

    at: Point
    number: int | None
    map: InputMap


class OutputSlice(NamedTuple):
    """A slice of the output, and its number along the first axis."""

    at: Point
    number: int


@dataclass(frozen=True)
class Volume:
    """The static parts; each slice of the output has `rows` and `columns`.

    Where a slice is, cells count to the right and downwards, and from there along its own slanted columns and rows.
    """

    input_label: str
    inputs: tuple[Slice, ...]
    output_label: str
    outputs: tuple[OutputSlice, ...]
    columns: int
    rows: int


class Window(NamedTuple):
    """The cells of a window in a slice of the input."""

    at: Point
    cells: Blocks


class Link(NamedTuple):
    """A line from a corner of a window in the slice at `start` to a corner of the output element."""

    start: Point
    corner: Point
    end: Point
    element_corner: Point


@dataclass(frozen=True)
class Step:
    """A window, slice by slice, lines from each of them to the output element, and that element in its slice."""

    windows: tuple[Window, ...]
    links: tuple[Link, ...]
    at: Point
    element: Block


def scene(figure: Figure) -> Scene:
    """The scene of a layer of three axes; raises `LayerError`."""
    layer = figure.layer
    check_layer(layer, "volume", AXES)
    if len(layer.axes) < AXES:
        raise LayerError("view", f"the volume view draws layers of {AXES} axes", "Use the plane view")
    check_size(layer, lambda layer: _extent(figure, layer))
    still = _volume(layer)
    numbers = figure.shown(prod(layer.output_size))
    steps = tuple(_step(frame, still) for frame in frames(layer, None, numbers=numbers))
    sentence = "From left to right, the slices along the first axis, numbered from 0."
    return Scene(figure, still, steps, sentence, equivalent=layer.transposed)


def _extent(figure: Figure, layer: Layer) -> Extent:
    depth, rows, columns = (axis.extent for axis in layer.window_axes)
    steps = shown_steps(figure, prod(layer.output_size))
    length = round(depth * (max(columns, layer.output_size[-1]) + GAP))
    return Extent(max(length, longest(layer)), steps, steps * min(depth * rows * columns, MOST_ROOM**2))


def _volume(layer: Layer) -> Volume:
    depth, rows, columns = layer.grid
    _, height, width = layer.output_size
    pitch = max(len(columns.cells), width) + GAP
    plane = input_map(layer, (rows, columns))
    top = -height - ROW_GAP - RISE * len(columns.cells)
    return Volume(
        input_label=f"input {sizes(layer.input_size)}",
        inputs=tuple(
            Slice(Point(pitch * number, 0), cell.input_index if cell.kind == "input" else None, _slice(plane, cell))
            for number, cell in enumerate(depth.cells)
        ),
        output_label=f"output {sizes(layer.output_size)}",
        outputs=tuple(
            OutputSlice(Point(pitch * place + offset(columns), top), number)
            for number, place in enumerate(_places(layer))
        ),
        columns=width,
        rows=height,
    )


def _places(layer: Layer) -> list[float]:
    """Where the slices of the output are along the first axis, counted in slices of the input.

    Over those if there are as many, as in a causal layer; else over the middle of their windows, if these move.
    """
    depth = layer.grid[0]
    if layer.direct and len(positions(depth, "input")) != len(depth.windows):
        return [(window[0].position + window[-1].position) / 2 for window in depth.windows]
    return [offset(depth) + number for number in range(len(depth.windows))]


def _slice(plane: InputMap, cell: Cell) -> InputMap:
    """What a slice of the input shows of a plane, if it lies at some cell of the first axis."""
    none: Blocks = ()
    if cell.kind == "overhang":
        return replace(plane, cropped=none, overhang=plane.cells, kept=none, copied=none, input=none)
    if cell.kind == "cropped":
        held = plane.cropped or plane.copied
        return replace(plane, cropped=held, overhang=none, kept=none, copied=none, input=none)
    if cell.kind == "input":
        return plane
    # Zeros, or copies of a slice.
    copied = plane.copied if cell.input_index is not None else none
    return replace(plane, cropped=none, copied=copied, input=none)


def _step(frame: Frame, still: Volume) -> Step:
    depth, row, column = frame.output_index
    slices, rows, columns = frame.windows
    window = blocks(rows, columns)
    output = still.outputs[depth].at
    links = list[Link]()
    if all(frame.windows):
        (first_row, _), (first_column, width) = extent(rows), extent(columns)
        links = [
            Link(
                still.inputs[number].at, Point(first_column + x * width, first_row), output, Point(column + x, row + 1)
            )
            for number in slices
            for x in (0, 1)
        ]
    return Step(
        windows=tuple(Window(still.inputs[number].at, window) for number in slices),
        links=tuple(links),
        at=output,
        element=Block(column, row, 1, 1),
    )
