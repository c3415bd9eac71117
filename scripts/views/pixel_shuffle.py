"""The pixel shuffle view: a transposed convolution as a convolution to s² channels, whose elements are interleaved.

Source: W. Shi et al., "Is the deconvolution layer the same as a convolutional layer?", arXiv:1609.07009 (2016).
"""

from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from scripts.core.figures import Figure
from scripts.core.frames import frames
from scripts.core.layers import Layer
from scripts.errors import LayerError
from scripts.views.limits import Extent, check_layer, check_multiplying, check_size, shown_steps
from scripts.views.maps import (
    Number,
    NumberMap,
    OutputMap,
    Point,
    Weighted,
    as_rows,
    counted,
    decimals,
    in_two_axes,
    number_map,
    numbers,
    output_map,
    sizes,
    weighted,
)
from scripts.views.scene import Scene

# Space between the input, the channels and the output, and between two channels, one above the other or side by side.
GAP, BELOW, BETWEEN = 1.5, 1, 0.5
# Channels have so many different tints.
TINTS = 4


class Element(NamedTuple):
    """An output element with its value, and the tint of the channel that it comes from."""

    column: int
    row: int
    number: float
    tint: int


@dataclass(frozen=True)
class Channel:
    """A channel with its tint."""

    map: NumberMap
    tint: int


@dataclass(frozen=True)
class Maps:
    """The static parts: from left to right the input, the channels and the output.

    `decimals` is how many of them computed values have.
    """

    input: NumberMap
    channels: tuple[Channel, ...]
    output: OutputMap
    elements: tuple[Element, ...]
    decimals: int


@dataclass(frozen=True)
class Step:
    """An element of the channel with some number, the input elements that it sums, and its place in the output."""

    sources: tuple[Weighted, ...]
    channel: int
    element: Number
    shuffled: Number


def _extent(figure: Figure, layer: Layer) -> Extent:
    count = prod(layer.output_size)
    steps = shown_steps(figure, count)
    length = layer.input_size[-1] + 2 * layer.output_size[-1] + layer.axes[-1].stride
    high = layer.output_size[0] + layer.axes[0].stride
    return Extent(max(length, high), steps, 3 * steps * count, terms=prod(layer.kernel_size))


def scene(figure: Figure) -> Scene:
    """The scene of a transposed convolution of one or two axes with values, which multiplies its input's size by s.

    Raises `LayerError`.
    """
    check_layer(figure.layer, "pixel_shuffle")
    check_multiplying(figure.layer, "pixel_shuffle")
    if figure.input_values is None or figure.kernel_values is None or figure.output_values is None:
        raise LayerError("view", "the pixel_shuffle view draws values", "Give input_values and kernel_values")
    check_size(figure.layer, lambda layer: _extent(figure, layer))
    layer = in_two_axes(figure.layer)
    values, kernel, output = map(as_rows, (figure.input_values, figure.kernel_values, figure.output_values))
    down, right = (axis.stride for axis in layer.axes)
    rows, columns = layer.input_size
    # Channels of a single row are one below the other, else in rows of s.
    in_row = right if len(figure.layer.axes) == 2 else 1
    channels = tuple(
        number_map(
            f"channel {number}",
            output[number // right :: down, number % right :: right],
            Point(columns + GAP + number % in_row * (columns + BETWEEN), number // in_row * (rows + BELOW)),
        )
        for number in range(down * right)
    )
    height = channels[-1].at.row + rows
    at = Point(channels[-1].at.column + columns + GAP, (height - layer.output_size[0]) / 2)
    still = Maps(
        input=number_map(f"input {sizes(figure.layer.input_size)}", values, Point(0, (height - rows) / 2)),
        channels=tuple(Channel(channel, n % TINTS) for n, channel in enumerate(channels)),
        output=output_map(figure.layer, at),
        elements=tuple(
            Element(*cell, (cell.row % down * right + cell.column % right) % TINTS) for cell in numbers(output)
        ),
        decimals=decimals(output),
    )
    by_index = {frame.output_index: frame for frame in frames(layer, None)}

    def step(number: int) -> Step:
        channel, place = divmod(number, rows * columns)
        element = channels[channel].numbers[place]
        row, column = element.row * down + channel // right, element.column * right + channel % right
        sources = weighted(by_index[row, column], values, kernel)
        return Step(sources, channel, element, Number(column, row, element.number))

    return Scene(figure, still, [step(n) for n in figure.shown(output.size)], _sentence(figure.layer))


def _sentence(layer: Layer) -> str:
    factors = [axis.stride for axis in layer.axes]
    shuffle = f"PixelShuffle({factors[0]})"
    if len(factors) == 1 or len(set(factors)) > 1:
        shuffle = f"an interleaving by {sizes(factors)}, as in PixelShuffle"
    return (
        f"The same as a convolution to {counted(prod(factors), 'channel')} and {shuffle}: each channel has "
        "those of the kernel's weights that meet input elements at its place. The small numbers are these weights."
    )
