"""The excerpt view: the plane view of a layer that is too large to draw whole, without the cells that show nothing new.

Along each axis the first, the second and the last window are shown.  Of many neighbouring cells that these have in
common, or that none of them reaches, only those at both ends are drawn, with dots between.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, product
from math import prod
from typing import NamedTuple

from scripts.core.arithmetic import GridAxis
from scripts.core.figures import Figure
from scripts.core.frames import Frame, frames
from scripts.core.layers import Layer
from scripts.views.limits import Extent, TooLargeError, check_layer
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
    placed,
    runs,
    sizes,
)
from scripts.views.plane import Planes, links, planes
from scripts.views.plane import Step as Drawn
from scripts.views.scene import Scene

# The longest run of cells alike that is drawn in full; of longer ones, what is drawn at both ends, and the room
# between.
LONGEST_RUN, KEPT, GAP = 8, 1, 2
# The look of inputs with zeros between, which are left out together.
SPREAD = "spread"
# How many cells of a row a digit beside it takes the room of, in a drawing of so many.
CELLS_PER_DIGIT = 40
# Elements of all windows along an axis, which keep an excerpt within a second.
MOST_ELEMENTS = 500_000


class Tick(NamedTuple):
    """The index of an element, at the column or the row in which it is drawn."""

    place: int
    number: int


class Dots(NamedTuple):
    """Three dots in place of cells, around their middle: to the right, downwards or both."""

    middle: Point
    right: int
    down: int


@dataclass(frozen=True)
class MapNotes:
    """What a map has besides its cells: the indices of rows and of columns, and dots where some are left out."""

    rows: tuple[Tick, ...]
    columns: tuple[Tick, ...]
    dots: tuple[Dots, ...]


@dataclass(frozen=True)
class Excerpt:
    """The maps, whose blocks include the room of what is left out; `ruled` are the cells that are there."""

    planes: Planes
    ruled_input: InputMap
    ruled_output: Blocks
    input_notes: MapNotes
    output_notes: MapNotes


@dataclass(frozen=True)
class Step:
    """What a step adds to the planes, and the cells of the window that are there."""

    drawn: Drawn
    ruled: Blocks


@dataclass(frozen=True)
class Places:
    """Where the cells of an axis are drawn: those that are `kept`; and `all`, with those that share a gap."""

    kept: dict[int, int]
    all: dict[int, int]
    gaps: tuple[int, ...]

    @property
    def length(self) -> int:
        """Number of cells that have room."""
        return 1 + max(self.all.values())


def places(looks: Sequence[Hashable]) -> Places:
    """The places of cells, where long runs of those that look alike are shortened to a gap."""
    kept, everything, gaps = dict[int, int](), dict[int, int](), list[int]()
    place = position = 0
    for look, run in groupby(looks):
        length = len(list(run))
        left_out = range(position + KEPT, position + length - KEPT) if length > LONGEST_RUN else range(0)
        for cell in range(position, position + length):
            if cell in left_out:
                if look != SPREAD:
                    # The run goes on through the whole gap.
                    everything[cell] = place + (cell - left_out.start) * GAP // len(left_out)
                if cell == left_out[-1]:
                    gaps.append(place)
                    place += GAP
            else:
                kept[cell] = everything[cell] = place
                place += 1
        position += length
    return Places(kept, everything, tuple(gaps))


def scene(figure: Figure) -> Scene:
    """The scene of a layer of one or two axes, of almost any size; raises `LayerError`."""
    check_layer(figure.layer, "excerpt")
    _check_elements(figure.layer)
    layer = in_two_axes(figure.layer)
    shown = list(frames(layer, None, numbers=figure.shown(prod(layer.output_size), _ends(layer))))
    outputs = [sorted({*indices}) for indices in zip(*(frame.output_index for frame in shown), strict=True)]
    inside = [places(_looks(axis, lit)) for axis, lit in zip(layer.grid, outputs, strict=True)]
    outside = [
        places([n if n in lit else None for n in range(size)])
        for size, lit in zip(layer.output_size, map(set, outputs), strict=True)
    ]
    _check_drawing(figure.layer, inside, len(shown))
    crowd = [sum(axis.length for axis in inside) / CELLS_PER_DIGIT] * 2
    still = Excerpt(
        planes(
            figure.layer,
            input_map(figure.layer, layer.grid, [axis.all for axis in inside]),
            _output_map(figure.layer, inside, outside),
        ),
        ruled_input=input_map(figure.layer, layer.grid, [axis.kept for axis in inside]),
        ruled_output=blocks(*(list(axis.kept.values()) for axis in outside)),
        input_notes=_notes(inside, map(_input_ticks, layer.grid, outputs, inside, crowd)),
        output_notes=_notes(outside, map(_output_ticks, outputs, outside, crowd)),
    )
    sentence = (
        f"Of {prod(layer.output_size)} steps, {len(shown)} are shown. Dots take the place of cells that are left out; "
        "the numbers are indices of elements."
    )
    steps = tuple(_step(frame, still.planes, inside, outside) for frame in shown)
    return Scene(figure, still, steps, sentence, equivalent=figure.layer.transposed)


def _check_elements(layer: Layer) -> None:
    """Refuse a layer with more elements along an axis than an excerpt is taken of."""
    count = max(
        windows.grid_size + windows.output_size * axis.kernel_size
        for axis, windows in zip(layer.axes, layer.window_axes, strict=True)
    )
    if count > MOST_ELEMENTS:
        rule = f"gives windows of {count} elements along an axis"
        raise TooLargeError("input_size", rule, f"An excerpt is taken of at most {MOST_ELEMENTS}")


def _check_drawing(layer: Layer, inside: Sequence[Places], steps: int) -> None:
    """Refuse an excerpt that is too large itself: its windows are far apart, or their elements."""
    length = max(axis.length for axis in inside)
    problem = Extent(length, steps, steps * length ** len(layer.axes)).problem
    if problem is not None:
        raise TooLargeError("kernel_size", problem, "Show fewer frames, or describe this layer")


def _ends(layer: Layer) -> list[int]:
    """The numbers of the first, the second and the last frame along each axis of a layer of two."""
    rows, columns = (sorted({0, min(1, size - 1), size - 1}) for size in layer.output_size)
    return [row * layer.output_size[1] + column for row, column in product(rows, columns)]


def _looks(axis: GridAxis, outputs: Sequence[int]) -> list[Hashable]:
    """For each cell of an axis, which of some windows have it; and its kind, as far as it matters there."""
    windows = [{element.position for element in axis.windows[n]} for n in outputs]
    spread = any(cell.kind == "inserted" for cell in axis.cells)
    looks = list[Hashable]()
    for position, cell in enumerate(axis.cells):
        users = tuple(n for n, window in enumerate(windows) if position in window)
        between = spread and not users and cell.kind in ("input", "inserted")
        looks.append(SPREAD if between else (cell.kind, users))
    return looks


def _output_map(layer: Layer, inside: Sequence[Places], outside: Sequence[Places]) -> OutputMap:
    """The output over the middle of the input."""
    rows, columns = (axis.length for axis in outside)
    down, right = ((a.length - b.length) / 2 for a, b in zip(inside, outside, strict=True))
    return OutputMap(f"output {sizes(layer.output_size)}", columns, rows, Point(right, down))


def _step(frame: Frame, still: Planes, inside: Sequence[Places], outside: Sequence[Places]) -> Step:
    window = [placed(positions, axis.all) for positions, axis in zip(frame.windows, inside, strict=True)]
    ruled = [placed(positions, axis.kept) for positions, axis in zip(frame.windows, inside, strict=True)]
    row, column = (axis.kept[n] for n, axis in zip(frame.output_index, outside, strict=True))
    at = still.output.at
    lines: tuple[Line, ...] = ()
    if all(window):
        rows, columns = map(extent, window)
        lines = links(still.layout, (rows, columns), Point(at.column + column, at.row + row))
    return Step(Drawn(blocks(*window), lines, Block(column, row, 1, 1)), blocks(*ruled))


def _notes(axes: Sequence[Places], ticks: Iterable[tuple[Tick, ...]]) -> MapNotes:
    rows, columns = ticks
    return MapNotes(rows, columns, tuple(_dots(*axes)))


def _dots(rows: Places, columns: Places) -> Iterator[Dots]:
    """Dots in the middle of each gap, beside each block of cells and where two gaps cross."""
    parts = [
        [(start + length / 2, 0) for start, length in runs(list(axis.kept.values()))]
        + [(start + GAP / 2, 1) for start in axis.gaps]
        for axis in (rows, columns)
    ]
    for (row, down), (column, right) in product(*parts):
        if down or right:
            yield Dots(Point(column, row), right, down)


def _input_ticks(axis: GridAxis, outputs: Sequence[int], places: Places, crowd: float) -> tuple[Tick, ...]:
    """The indices of the first and the last input element along an axis, and in each window."""
    held = {n: cell.input_index for n, cell in enumerate(axis.cells) if cell.kind == "input" and n in places.kept}
    ends = [min(held), max(held)] if held else []
    for n in (outputs[0], outputs[-1], *outputs):
        inputs = [element.position for element in axis.windows[n] if element.position in held]
        ends += [*inputs[:1], *inputs[-1:]]
    return _apart([Tick(places.kept[n], index) for n in ends if (index := held[n]) is not None], crowd)


def _output_ticks(outputs: Sequence[int], places: Places, crowd: float) -> tuple[Tick, ...]:
    return _apart([Tick(places.kept[n], n) for n in (outputs[0], outputs[-1], *outputs)], crowd)


def _apart(ticks: Iterable[Tick], crowd: float) -> tuple[Tick, ...]:
    """Ticks without those that would touch earlier ones, where a digit is `crowd` cells wide."""
    kept = list[Tick]()
    for tick in ticks:
        if all(
            abs(tick.place - other.place) >= max(1, crowd * len(str(max(tick.number, other.number)))) for other in kept
        ):
            kept.append(tick)
    return tuple(sorted(kept))
