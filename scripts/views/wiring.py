"""The wiring view: a slice of a kernel wherever the column of an input channel meets the row of an output channel."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from scripts.core.figures import Figure
from scripts.core.layers import Channels, Index, Layer
from scripts.errors import LayerError
from scripts.views.limits import Extent, check_axes, check_size
from scripts.views.maps import Line, NumberMap, Point, in_two_axes, sizes
from scripts.views.scene import Scene

# Space between two columns and two rows, above the first row, and around lines and arrows.
COLUMN_GAP, ROW_GAP = 1.5, 1
HEAD_GAP = 1.6
LINE_GAP, ARROW_GAP, ARROW = 0.2, 0.1, 0.5


@dataclass(frozen=True)
class Wiring:
    """Channels and the slices of the kernels between them.

    `stems` are lines from the input channels down to the last slice that they meet, `drops` the arrows into each slice;
    `sums` are arrows through the slices of an output channel to it, with a plus at each of `pluses`.
    """

    inputs: tuple[NumberMap, ...]
    slices: tuple[NumberMap, ...]
    outputs: tuple[NumberMap, ...]
    stems: tuple[Line, ...]
    drops: tuple[Line, ...]
    sums: tuple[Line, ...]
    pluses: tuple[Point, ...]


@dataclass(frozen=True)
class _Layout:
    """The layout: the row of the first slice and the column of the first input channel begin at 0."""

    input_size: Index
    kernel_size: Index
    output_size: Index
    in_channels: int
    out_channels: int
    ins: int
    outs: int

    @property
    def extent(self) -> Extent:
        width = round(self.column * self.in_channels) + self.output_size[1]
        height = round(self.row * self.out_channels) + self.input_size[0]
        return Extent(max(width, height), parts=self.out_channels * self.ins)

    @property
    def column(self) -> float:
        return max(self.input_size[1], self.kernel_size[1]) + COLUMN_GAP

    @property
    def row(self) -> float:
        return max(self.kernel_size[0], self.output_size[0]) + ROW_GAP

    def met(self, output: int) -> range:
        """The input channels of an output channel's group."""
        first = output // self.outs * self.ins
        return range(first, first + self.ins)

    def input(self, channel: int) -> NumberMap:
        height, width = self.input_size
        return NumberMap(f"input channel {channel}", width, height, Point(channel * self.column, -height - HEAD_GAP))

    def stem(self, channel: int) -> Line:
        x = channel * self.column + self.input_size[1] / 2
        last = channel // self.ins * self.outs + self.outs - 1
        return Point(x, LINE_GAP - HEAD_GAP), Point(x, last * self.row)

    def slice(self, output: int, channel: int) -> NumberMap:
        height, width = self.kernel_size
        x = channel * self.column + (self.input_size[1] - width) / 2
        return NumberMap("", width, height, Point(x, output * self.row))

    def drop(self, output: int, channel: int) -> Line:
        x, y = channel * self.column + self.input_size[1] / 2, output * self.row
        return Point(x, y - ARROW_GAP - ARROW), Point(x, y - ARROW_GAP)

    def middle(self, output: int) -> float:
        return output * self.row + self.kernel_size[0] / 2

    def sum(self, output: int) -> Line:
        first = self.slice(output, self.met(output)[0])
        y = self.middle(output)
        return Point(first.at.column + first.columns + LINE_GAP, y), Point(self.in_channels * self.column, y)

    def pluses(self, output: int) -> Iterator[Point]:
        for channel in self.met(output)[:-1]:
            slice_ = self.slice(output, channel)
            yield Point(slice_.at.column + (slice_.columns + self.column) / 2, self.middle(output))

    def output(self, channel: int) -> NumberMap:
        height, width = self.output_size
        at = Point(self.in_channels * self.column + LINE_GAP, self.middle(channel) - height / 2)
        return NumberMap(f"output channel {channel}", width, height, at)


def _layout(layer: Layer, channels: Channels) -> _Layout:
    ins, outs = channels.in_channels // channels.groups, channels.out_channels // channels.groups
    sizes = (in_two_axes(layer).input_size, in_two_axes(layer).kernel_size, in_two_axes(layer).output_size)
    return _Layout(*sizes, channels.in_channels, channels.out_channels, ins, outs)


def scene(figure: Figure) -> Scene:
    """The scene of a layer of one or two axes with channels; raises `LayerError`."""
    channels = figure.layer.channels
    if channels is None:
        raise LayerError("view", "the wiring view draws channels", "Give in_channels and out_channels")
    check_axes(figure.layer, "wiring")
    check_size(figure.layer, lambda layer: _layout(layer, channels).extent)
    layout = _layout(figure.layer, channels)
    inputs, outputs = range(channels.in_channels), range(channels.out_channels)
    met = [(output, channel) for output in outputs for channel in layout.met(output)]
    still = Wiring(
        inputs=tuple(map(layout.input, inputs)),
        slices=tuple(layout.slice(*pair) for pair in met),
        outputs=tuple(map(layout.output, outputs)),
        stems=tuple(map(layout.stem, inputs)),
        drops=tuple(layout.drop(*pair) for pair in met),
        sums=tuple(map(layout.sum, outputs)),
        pluses=tuple(plus for output in outputs for plus in layout.pluses(output)),
    )
    one = "its only input channel" if layout.ins == 1 else f"each of {layout.ins} input channels"
    sentence = (
        f"Each output channel has a kernel with a slice for {one}, and adds up their products: "
        f"{sizes(figure.layer.kernel_shape)} = {prod(figure.layer.kernel_shape)} weights in all."
    )
    return Scene(figure, still, sentence=sentence)
