"""The channels view: each output channel has a kernel, with a slice for each input channel that it adds up."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice, product
from math import prod
from typing import NamedTuple

import numpy as np

from scripts.core.figures import Figure
from scripts.core.layers import Channels, Index, Layer, Values
from scripts.errors import LayerError
from scripts.views.limits import Extent, check_axes, check_size, check_weighted, longest, shown_steps
from scripts.views.maps import (
    Blocks,
    InputMap,
    Number,
    Point,
    as_rows,
    blocks,
    contents,
    counted,
    decimals,
    in_two_axes,
    input_map,
    numbers,
    sizes,
    slices_for,
)
from scripts.views.scene import Scene

# Of more channels than these, the first ones and the last are shown.
MOST_SHOWN = 4
# Space between neighbouring maps, more of it where channels are left out, and space between the parts.
GAP, DOTS_GAP, PART_GAP = 1, 1, 2
# From the lowest sum to the total below it.
TOTAL_GAP = 0.6


class Map(NamedTuple):
    """The map of an output channel, or a slice of its kernel, with its values if there are any.

    `tint` tells output channels apart: 0 for the first that is shown, 1 for the second …
    """

    at: Point
    tint: int
    numbers: tuple[Number, ...]


class Cell(NamedTuple):
    """A cell of an input channel; the number is None without values."""

    column: int
    row: int
    kind: str
    number: float | None


class Input(NamedTuple):
    """The grid of an input channel, with what its cells hold."""

    at: Point
    cells: tuple[Cell, ...]


class Sum(NamedTuple):
    """A cell for the sum of the products of one channel, of those that are not shown, or of all."""

    at: Point
    number: float | None


class Dots(NamedTuple):
    """The middle of dots in place of channels that are not shown, side by side or one below the other."""

    at: Point
    across: bool


@dataclass(frozen=True)
class Parts:
    """The static parts, from left to right: input channels, kernels, room for sums, output channels.

    All input channels have the same `grid`.  The slices of a kernel are in line with their input channels.
    `kernel_size` and `output_size` are (rows, columns).  `labels` are texts, each with the middle of a part's top;
    `room` are the cells in which steps write sums.  Computed values have so many `decimals`.
    """

    grid: InputMap
    inputs: tuple[Input, ...]
    slices: tuple[Map, ...]
    kernel_size: Index
    outputs: tuple[Map, ...]
    output_size: Index
    dots: tuple[Dots, ...]
    labels: tuple[tuple[Point, str], ...]
    room: tuple[Point, ...]
    decimals: int


class Window(NamedTuple):
    """The window over an input channel, the slice of the kernel that it meets there, and the sum of their products."""

    at: Point
    cells: tuple[Cell, ...]
    slice: Map
    sum: Sum


@dataclass(frozen=True)
class Step:
    """An element of an output channel, and what it is computed from in each input channel of its group.

    `blocks` are the cells of the window, `rest` is the sum of the channels that are not shown, and `total` that of all;
    it is None where there is only one.
    """

    blocks: Blocks
    windows: tuple[Window, ...]
    rest: Sum | None
    total: Sum | None
    output: Map
    column: int
    row: int
    number: float | None


class _Line:
    """Channels side by side: which of them are shown, where each begins, and where others are left out."""

    def __init__(self, channels: Sequence[range], size: int) -> None:
        left_out = sum(map(len, channels)) > MOST_SHOWN
        self.channels = list(islice(chain.from_iterable(channels), MOST_SHOWN - left_out))
        if left_out:
            self.channels.append(channels[-1][-1])
        self.starts = [float(place * (size + GAP)) for place in range(len(self.channels))]
        self.dots: float | None = None
        if left_out:
            self.dots = self.starts[-1] + (DOTS_GAP - GAP) / 2
            self.starts[-1] += DOTS_GAP
        self.end = self.starts[-1] + size


class _Layout:
    """Where the channels are; `layer` is what is done in each of them, in two axes."""

    def __init__(self, layer: Layer, channels: Channels) -> None:
        self.layer = in_two_axes(replace(layer, channels=None))
        self.ins, self.outs = channels.per_group
        self.rows, self.columns = (axis.extent for axis in self.layer.window_axes)
        self.kernel_size, self.output_size = self.layer.kernel_size, self.layer.output_size
        self.height = max(self.rows, self.kernel_size[0])
        self.inputs = _Line([range(channels.in_channels)], self.height)
        groups = sorted({channel // self.ins for channel in self.inputs.channels})
        outputs = [range(group * self.outs, (group + 1) * self.outs) for group in groups]
        self.kernels, self.outputs = _Line(outputs, self.kernel_size[1]), _Line(outputs, self.output_size[0])
        self.kernels_at = self.columns + PART_GAP
        self.sums_at = self.kernels_at + self.kernels.end + PART_GAP
        self.outputs_at = self.sums_at + 1 + PART_GAP
        self.drop = (self.inputs.end - self.outputs.end) / 2

    @property
    def steps(self) -> int:
        return prod(self.output_size) * len(self.outputs.channels)

    def met(self, output: int) -> list[int]:
        """The places of the shown input channels in the group of an output channel."""
        group = output // self.outs
        return [place for place, channel in enumerate(self.inputs.channels) if channel // self.ins == group]

    def input_at(self, place: int) -> Point:
        return Point(0, self.inputs.starts[place] + (self.height - self.rows) / 2)

    def slice_at(self, tint: int, place: int) -> Point:
        row = self.inputs.starts[place] + (self.height - self.kernel_size[0]) / 2
        return Point(self.kernels_at + self.kernels.starts[tint], row)

    def sum_at(self, place: int) -> Point:
        return Point(self.sums_at, self.inputs.starts[place] + (self.height - 1) / 2)

    def output_at(self, tint: int) -> Point:
        return Point(self.outputs_at, self.drop + self.outputs.starts[tint])

    def rest_at(self, output: int) -> Point | None:
        """Where the sum of channels is that are not shown; None if all channels of the group are."""
        if len(self.met(output)) == self.ins or self.inputs.dots is None:
            return None
        return Point(self.sums_at, self.inputs.dots - 0.5)

    def total_at(self, output: int) -> Point | None:
        """Where the sum of all channels is; None if there is only one."""
        met = self.met(output)
        if len(met) == 1 and self.rest_at(output) is None:
            return None
        below = self.sum_at(met[-1])
        return Point(below.column, below.row + 1 + TOTAL_GAP)

    def room(self) -> Iterator[Point]:
        """The cells for all sums."""
        yield from map(self.sum_at, range(len(self.inputs.channels)))
        places = [at(output) for at in (self.rest_at, self.total_at) for output in self.outputs.channels]
        yield from dict.fromkeys(place for place in places if place is not None)

    def dots(self) -> Iterator[Dots]:
        if self.inputs.dots is not None:
            yield Dots(Point(self.columns / 2, self.inputs.dots), across=False)
            yield Dots(Point(self.kernels_at + self.kernels.end / 2, self.inputs.dots), across=False)
        if self.kernels.dots is not None:
            yield Dots(Point(self.kernels_at + self.kernels.dots, self.inputs.end / 2), across=True)
        if self.outputs.dots is not None:
            yield Dots(Point(self.outputs_at + self.output_size[1] / 2, self.drop + self.outputs.dots), across=False)

    def labels(self, layer: Layer) -> Iterator[tuple[Point, str]]:
        top = min(0, self.drop)
        yield Point(self.columns / 2, top), f"input {sizes(layer.input_shape)}"
        yield Point(self.kernels_at + self.kernels.end / 2, top), f"kernels {sizes(layer.kernel_shape)}"
        yield Point(self.outputs_at + self.output_size[1] / 2, top), f"output {sizes(layer.output_shape)}"


def scene(figure: Figure) -> Scene:
    """The scene of a direct convolution of one or two axes with channels; raises `LayerError`."""
    channels = figure.layer.channels
    if channels is None:
        raise LayerError("view", "the channels view draws channels", "Give in_channels and out_channels")
    check_axes(figure.layer, "channels")
    check_weighted(figure.layer, "channels")
    if figure.layer.transposed:
        raise LayerError("view", "the channels view draws direct convolutions", "Use the wiring view")
    check_size(figure.layer, lambda layer: _extent(figure, _Layout(layer, channels)))
    layout = _Layout(figure.layer, channels)

    held = [_held(layout.layer, _values(figure.input_values, channel)) for channel in layout.inputs.channels]
    outputs = [_values(figure.output_values, channel) for channel in layout.outputs.channels]
    slices = {
        (tint, place): Map(
            layout.slice_at(tint, place),
            tint,
            _numbers(_values(figure.kernel_values, output, layout.inputs.channels[place] % layout.ins)),
        )
        for tint, output in enumerate(layout.outputs.channels)
        for place in layout.met(output)
    }
    sums = _sums(figure, layout)
    still = Parts(
        grid=input_map(figure.layer, layout.layer.grid),
        inputs=tuple(Input(layout.input_at(place), tuple(cells.values())) for place, cells in enumerate(held)),
        slices=tuple(slices.values()),
        kernel_size=layout.kernel_size,
        outputs=tuple(Map(layout.output_at(tint), tint, _numbers(values)) for tint, values in enumerate(outputs)),
        output_size=layout.output_size,
        dots=tuple(layout.dots()),
        labels=tuple(layout.labels(figure.layer)),
        room=tuple(layout.room()),
        decimals=_decimals(figure, sums),
    )
    steps = _steps(figure, layout, still, slices, sums, held)
    return Scene(figure, still, tuple(steps), _sentence(layout, channels))


def _steps(
    figure: Figure,
    layout: _Layout,
    still: Parts,
    slices: Mapping[tuple[int, int], Map],
    sums: Mapping[tuple[int, int], Values],
    held: Sequence[Mapping[Index, Cell]],
) -> Iterator[Step]:
    """The elements of the shown output channels: for each window, one channel after the other."""
    elements = list(product(np.ndindex(*layout.output_size), enumerate(layout.outputs.channels)))
    for number in figure.shown(len(elements)):
        index, (tint, output) = elements[number]
        rows, columns = (
            [element.position for element in axis.windows[o]] for axis, o in zip(layout.layer.grid, index, strict=True)
        )
        met = layout.met(output)
        values = _values(figure.output_values, output)
        value = None if values is None else values[index].item()
        parts = [None if value is None else sums[tint, place][index].item() for place in met]
        windows = tuple(
            Window(
                at=layout.input_at(place),
                cells=tuple(held[place][cell] for cell in product(rows, columns)),
                slice=slices[tint, place],
                sum=Sum(layout.sum_at(place), part),
            )
            for place, part in zip(met, parts, strict=True)
        )
        rest_at = layout.rest_at(output)
        rest = None if value is None else value - sum(part for part in parts if part is not None)
        total_at = layout.total_at(output)
        yield Step(
            blocks=blocks(rows, columns),
            windows=windows,
            rest=None if rest_at is None else Sum(rest_at, rest),
            total=None if total_at is None else Sum(total_at, value),
            output=still.outputs[tint],
            column=index[1],
            row=index[0],
            number=value,
        )


def _extent(figure: Figure, layout: _Layout) -> Extent:
    steps = shown_steps(figure, layout.steps)
    window, shown = prod(layout.kernel_size), len(layout.inputs.channels)
    height = round(max(layout.inputs.end, layout.outputs.end))
    length = max(height, round(layout.outputs_at) + layout.output_size[1], longest(layout.layer))
    return Extent(length, steps, steps * shown * (layout.rows * layout.columns + window), terms=shown * window)


def _values(values: Values | None, *channel: int) -> Values | None:
    """The values of a channel, or of a slice of a kernel, in two axes."""
    return None if values is None else as_rows(values[channel])


def _numbers(values: Values | None) -> tuple[Number, ...]:
    return () if values is None else numbers(values)


def _held(layer: Layer, values: Values | None) -> dict[Index, Cell]:
    """What each cell of an input channel holds."""
    found = contents(layer, np.zeros(layer.input_size, int) if values is None else values)
    return {
        (row, column): Cell(column, row, kind, None if values is None else number)
        for (row, column), (kind, number) in found.items()
    }


def _sums(figure: Figure, layout: _Layout) -> dict[tuple[int, int], Values]:
    """What each shown input channel adds to each shown output channel, if there are values."""
    if figure.input_values is None or figure.kernel_values is None:
        return {}
    return {
        (tint, place): layout.layer.output(
            as_rows(figure.input_values[channel]), as_rows(figure.kernel_values[output, channel % layout.ins])
        )
        for tint, output in enumerate(layout.outputs.channels)
        for place in layout.met(output)
        for channel in (layout.inputs.channels[place],)
    }


def _decimals(figure: Figure, sums: Mapping[tuple[int, int], Values]) -> int:
    if figure.output_values is None:
        return 0
    return decimals(np.concatenate([figure.output_values.ravel(), *(values.ravel() for values in sums.values())]))


def _sentence(layout: _Layout, channels: Channels) -> str:
    sentence = (
        f"Each output channel has a kernel with {slices_for(layout.ins)}, and adds up what the slices find in them."
    )
    shown = len(layout.inputs.channels), len(layout.outputs.channels)
    if shown != (channels.in_channels, channels.out_channels):
        sentence += f" {counted(shown[0], 'input channel')} and {counted(shown[1], 'output channel')} are shown."
    return sentence
