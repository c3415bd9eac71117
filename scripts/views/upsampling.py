"""The up-sampling view: a transposed convolution beside nearest and (bi)linear up-sampling by the same factor."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Literal, NamedTuple

import numpy as np

from scripts.core.figures import Figure
from scripts.core.frames import frames
from scripts.core.layers import Layer, Values
from scripts.core.sampling import Mode, upsampled_from
from scripts.errors import LayerError
from scripts.views.limits import Extent, check_layer, check_multiplying, check_size, shown_steps
from scripts.views.maps import (
    Number,
    NumberMap,
    Point,
    Weighted,
    as_rows,
    decimals,
    in_two_axes,
    number_map,
    once,
    sizes,
    weighted,
)
from scripts.views.scene import Scene

# Space between an input and its output, between two pairs side by side, and between two of rows one below the other.
GAP, BETWEEN, BELOW = 0.6, 1.5, 1.2
MODES: tuple[Mode, ...] = ("nearest", "linear")


@dataclass(frozen=True)
class Method:
    """A way to enlarge an input: its name, the input, the output below it, and how many decimals that has."""

    name: str
    input: NumberMap
    output: NumberMap
    decimals: int


@dataclass(frozen=True)
class Methods:
    """The static parts: all ways side by side, or one below the other where maps are single rows."""

    methods: tuple[Method, ...]
    layout: Literal["beside", "below"]


class Sum(NamedTuple):
    """An output element, and the input elements that it is a weighted sum of."""

    sources: tuple[Weighted, ...]
    element: Number


@dataclass(frozen=True)
class Step:
    """An output element as each way computes it."""

    sums: tuple[Sum, ...]


def _extent(figure: Figure, layer: Layer) -> Extent:
    width, count = layer.output_size[-1], prod(layer.output_size)
    ways, steps = len(MODES) + 1, shown_steps(figure, count)
    length = width if len(layer.axes) == 1 else ways * (width + 2)
    return Extent(max(length, *layer.output_size), steps, steps * ways * count, terms=prod(layer.kernel_size))


def scene(figure: Figure) -> Scene:
    """The scene of a transposed convolution of one or two axes with values, which multiplies its input's size by s.

    Raises `LayerError`.
    """
    check_layer(figure.layer, "upsampling")
    check_multiplying(figure.layer, "upsampling")
    if figure.input_values is None or figure.kernel_values is None:
        raise LayerError("view", "the upsampling view draws values", "Give input_values and kernel_values")
    check_size(figure.layer, lambda layer: _extent(figure, layer))
    layer = in_two_axes(figure.layer)
    values, kernel = as_rows(figure.input_values), as_rows(figure.kernel_values)
    linear = "bilinear" if len(figure.layer.axes) == 2 else "linear"
    columns = {
        "nearest": list(_upsampled(layer, values, "nearest")),
        linear: list(_upsampled(layer, values, "linear")),
        "transposed convolution": [weighted(frame, values, kernel) for frame in frames(layer, None)],
    }
    is_row = len(figure.layer.axes) == 1
    methods, sums = [], []
    for number, (name, sources) in enumerate(columns.items()):
        output = np.array([sum(cell.number * cell.small for cell in cells) for cells in sources])
        output = output.reshape(layer.output_size)
        methods.append(_method(name, values, output, number, is_row))
        sums.append([Sum(cells, element) for cells, element in zip(sources, methods[-1].output.numbers, strict=True)])
    steps = [Step(tuple(one[number] for one in sums)) for number in figure.shown(len(sums[0]))]
    still = Methods(tuple(methods), "below" if is_row else "beside")
    factor = once(axis.stride for axis in figure.layer.axes)
    sentence = (
        f"Beside it, Upsample with scale factor {factor}: mode nearest repeats elements, and mode {linear}, with "
        "align_corners=False, interpolates between their middles. The small numbers are the weights of input elements."
    )
    return Scene(figure, still, steps, sentence)


def _upsampled(layer: Layer, values: Values, mode: Mode) -> Iterator[tuple[Weighted, ...]]:
    """For each output element the elements that an up-sampling takes it from."""
    factors = tuple(axis.stride for axis in layer.axes)
    for index in np.ndindex(*layer.output_size):
        sources = upsampled_from(mode, index, factors, layer.input_size)
        yield tuple(Weighted(column, row, values[row, column].item(), share) for (row, column), share in sources)


def _method(name: str, values: Values, output: Values, number: int, is_row: bool) -> Method:
    """A way in its place: the input is over the middle of the output."""
    rows, columns = values.shape
    out_rows, out_columns = output.shape
    left = 0 if is_row else number * (out_columns + BETWEEN)
    top = number * (rows + GAP + out_rows + BELOW) if is_row else 0
    return Method(
        name,
        number_map(f"input {sizes(values.shape)}", values, Point(left + (out_columns - columns) / 2, top)),
        number_map(f"output {sizes(output.shape)}", output, Point(left, top + rows + GAP)),
        decimals(output),
    )
