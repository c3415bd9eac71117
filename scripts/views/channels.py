"""The channels view: each output channel has a kernel, with a slice for each input channel that it adds up."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice, product
from math import prod
from typing import NamedTuple

import numpy as np

from scripts.core.figures import Figure
from scripts.core.layers import Branches, Channels, Index, Layer, Values
from scripts.errors import LayerError
from scripts.views.limits import Extent, check_axes, check_size, check_weighted, longest, shown_steps
from scripts.views.maps import (
    ORIGIN,
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
    """The static parts of a layer, from left to right: input channels, kernels, room for sums, output channels.

    The input channels of a stack's second layer are the output channels of its first; it has no `inputs`.  All of a
    layer's input channels have the same `grid`.  The slices of a kernel are in line with their input channels.
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


@dataclass(frozen=True)
class Layers:
    """The static parts of all layers, the first one's at the left."""

    parts: tuple[Parts, ...]


class Window(NamedTuple):
    """The window over an input channel, the slice of the kernel that it meets there, and the sum of their products."""

    at: Point
    cells: tuple[Cell, ...]
    slice: Map
    sum: Sum


@dataclass(frozen=True)
class Step:
    """An element of an output channel, and what it is computed from in each input channel of its group.

    `layer` is the number of its layer, `blocks` are the cells of the window, `rest` is the sum of the channels that are
    not shown, and `total` that of all; it is None where there is only one.
    """

    layer: int
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
    """Where the channels are, from a point on; `layer` is what is done in each of them, in two axes."""

    def __init__(self, own: Layer, channels: Channels, at: Point = ORIGIN) -> None:
        self.own, self.at = own, at
        self.layer = in_two_axes(replace(own, channels=None))
        self.ins, self.outs = channels.per_group
        self.rows, self.columns = (axis.extent for axis in self.layer.window_axes)
        self.kernel_size, self.output_size = self.layer.kernel_size, self.layer.output_size
        self.height = max(self.rows, self.kernel_size[0])
        self.inputs = _Line([range(channels.in_channels)], self.height)
        groups = sorted({channel // self.ins for channel in self.inputs.channels})
        outputs = [range(group * self.outs, (group + 1) * self.outs) for group in groups]
        self.kernels, self.outputs = _Line(outputs, self.kernel_size[1]), _Line(outputs, self.output_size[0])
        self.kernels_at = at.column + self.columns + PART_GAP
        self.sums_at = self.kernels_at + self.kernels.end + PART_GAP
        self.outputs_at = self.sums_at + 1 + PART_GAP
        self.drop = at.row + (self.inputs.end - self.outputs.end) / 2

    @property
    def steps(self) -> int:
        return prod(self.output_size) * len(self.outputs.channels)

    def met(self, output: int) -> list[int]:
        """The places of the shown input channels in the group of an output channel."""
        group = output // self.outs
        return [place for place, channel in enumerate(self.inputs.channels) if channel // self.ins == group]

    def input_at(self, place: int) -> Point:
        return Point(self.at.column, self._row(place, self.rows))

    def slice_at(self, tint: int, place: int) -> Point:
        return Point(self.kernels_at + self.kernels.starts[tint], self._row(place, self.kernel_size[0]))

    def sum_at(self, place: int) -> Point:
        return Point(self.sums_at, self._row(place, 1))

    def _row(self, place: int, height: int) -> float:
        """Where something of a height begins that is in line with an input channel."""
        return self.at.row + self.inputs.starts[place] + (self.height - height) / 2

    def output_at(self, tint: int) -> Point:
        return Point(self.outputs_at, self.drop + self.outputs.starts[tint])

    def rest_at(self, output: int) -> Point | None:
        """Where the sum of channels is that are not shown; None if all channels of the group are."""
        if len(self.met(output)) == self.ins or self.inputs.dots is None:
            return None
        return Point(self.sums_at, self.at.row + self.inputs.dots - 0.5)

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
            row = self.at.row + self.inputs.dots
            yield Dots(Point(self.at.column + self.columns / 2, row), across=False)
            yield Dots(Point(self.kernels_at + self.kernels.end / 2, row), across=False)
        if self.kernels.dots is not None:
            yield Dots(Point(self.kernels_at + self.kernels.dots, self.at.row + self.inputs.end / 2), across=True)
        if self.outputs.dots is not None:
            yield Dots(Point(self.outputs_at + self.output_size[1] / 2, self.drop + self.outputs.dots), across=False)

    def labels(self, top: float) -> Iterator[tuple[Point, str]]:
        if self.at == ORIGIN:
            yield Point(self.columns / 2, top), f"input {sizes(self.own.input_shape)}"
        yield Point(self.kernels_at + self.kernels.end / 2, top), f"kernels {sizes(self.own.kernel_shape)}"
        yield Point(self.outputs_at + self.output_size[1] / 2, top), f"output {sizes(self.own.output_shape)}"


def scene(figure: Figure) -> Scene:
    """The scene of a direct convolution of one or two axes with channels, or of one and pointwise ones.

    Raises `LayerError`.
    """
    layouts = list[_Layout]()
    for layer in figure.layers:
        if isinstance(layer, Branches):
            raise LayerError("branches", "the channels view draws one layer after the other", "Leave them out")
        channels = layer.channels
        if channels is None:
            raise LayerError("view", "the channels view draws channels", "Give in_channels and out_channels")
        check_axes(layer, "channels")
        check_weighted(layer, "channels")
        if layer.transposed:
            raise LayerError("view", "the channels view draws direct convolutions", "Use the wiring view")
        check_size(layer, partial(_extent, figure, channels))
        if layouts:
            _check_pointwise(layer, channels)
        at = Point(layouts[-1].outputs_at, layouts[-1].drop) if layouts else ORIGIN
        layouts.append(_Layout(layer, channels, at))

    top = min(layout.drop for layout in layouts)
    drawn = [_drawn(figure, layout, min(0, top)) for layout in layouts]
    elements = [
        (number, index, tint)
        for number, layout in enumerate(layouts)
        for index in np.ndindex(*layout.output_size)
        for tint in range(len(layout.outputs.channels))
    ]
    steps = tuple(
        _step(figure, layouts[layer], drawn[layer], layer, index, tint)
        for layer, index, tint in (elements[number] for number in figure.shown(len(elements)))
    )
    return Scene(
        figure,
        Layers(tuple(one.parts for one in drawn)),
        steps,
        _sentence(figure, layouts),
        parameters=len(layouts) == 1,
    )


def _check_pointwise(layer: Layer, channels: Channels) -> None:
    """Refuse a later layer of a stack whose windows are more than an element of what the one before draws."""
    if layer.kernel_size != (1,) * len(layer.axes) or layer.output_size != layer.input_size:
        rule = "is followed by a layer with larger windows, strides or padding"
        raise LayerError("layers", rule, "The channels view draws a stack of a layer and a pointwise one")
    if channels.in_channels > MOST_SHOWN:
        rule = f"have {channels.in_channels} channels between them"
        raise LayerError("layers", rule, f"The channels view draws at most {MOST_SHOWN} of them in a stack")


@dataclass(frozen=True)
class _Drawn:
    """A layer's parts, and what steps take from them: its slices and sums by output and input, its input channels."""

    parts: Parts
    slices: Mapping[tuple[int, int], Map]
    sums: Mapping[tuple[int, int], Values]
    held: Sequence[Mapping[Index, Cell]]


def _drawn(figure: Figure, layout: _Layout, top: float) -> _Drawn:
    kind = None if layout.at == ORIGIN else "output"
    held = [_held(layout.layer, _values(figure.input_values, channel), kind) for channel in layout.inputs.channels]
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
    parts = Parts(
        grid=input_map(layout.own, layout.layer.grid),
        inputs=tuple(
            Input(layout.input_at(place), tuple(cells.values())) for place, cells in enumerate(held) if kind is None
        ),
        slices=tuple(slices.values()),
        kernel_size=layout.kernel_size,
        outputs=tuple(Map(layout.output_at(tint), tint, _numbers(values)) for tint, values in enumerate(outputs)),
        output_size=layout.output_size,
        dots=tuple(layout.dots()),
        labels=tuple(layout.labels(top)),
        room=tuple(layout.room()),
        decimals=_decimals(figure, sums),
    )
    return _Drawn(parts, slices, sums, held)


def _step(figure: Figure, layout: _Layout, drawn: _Drawn, layer: int, index: Index, tint: int) -> Step:
    """An element of an output channel."""
    output = layout.outputs.channels[tint]
    rows, columns = (
        [element.position for element in axis.windows[o]] for axis, o in zip(layout.layer.grid, index, strict=True)
    )
    met = layout.met(output)
    values = _values(figure.output_values, output)
    value = None if values is None else values[index].item()
    parts = [None if value is None else drawn.sums[tint, place][index].item() for place in met]
    windows = tuple(
        Window(
            at=layout.input_at(place),
            cells=tuple(drawn.held[place][cell] for cell in product(rows, columns)),
            slice=drawn.slices[tint, place],
            sum=Sum(layout.sum_at(place), part),
        )
        for place, part in zip(met, parts, strict=True)
    )
    rest_at = layout.rest_at(output)
    rest = None if value is None else value - sum(part for part in parts if part is not None)
    total_at = layout.total_at(output)
    return Step(
        layer=layer,
        blocks=blocks(rows, columns),
        windows=windows,
        rest=None if rest_at is None else Sum(rest_at, rest),
        total=None if total_at is None else Sum(total_at, value),
        output=drawn.parts.outputs[tint],
        column=index[1],
        row=index[0],
        number=value,
    )


def _extent(figure: Figure, channels: Channels, layer: Layer) -> Extent:
    layout = _Layout(layer, channels)
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


def _held(layer: Layer, values: Values | None, kind: str | None) -> dict[Index, Cell]:
    """What each cell of an input channel holds; all are of one `kind`, if given."""
    found = contents(layer, np.zeros(layer.input_size, int) if values is None else values)
    return {
        (row, column): Cell(column, row, kind or own, None if values is None else number)
        for (row, column), (own, number) in found.items()
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


def _sentence(figure: Figure, layouts: Sequence[_Layout]) -> str:
    if len(layouts) > 1:
        kernels = (slices_for(layout.ins) for layout in layouts)
        each = (f"in layer {number} with {kernel}" for number, kernel in enumerate(kernels, start=1))
        return f"Each output channel has a kernel, {', '.join(each)}."
    (layout,), channels = layouts, figure.layer.channels
    sentence = (
        f"Each output channel has a kernel with {slices_for(layout.ins)}, and adds up what the slices find in them."
    )
    shown = len(layout.inputs.channels), len(layout.outputs.channels)
    if channels is not None and shown != (channels.in_channels, channels.out_channels):
        sentence += f" {counted(shown[0], 'input channel')} and {counted(shown[1], 'output channel')} are shown."
    return sentence
