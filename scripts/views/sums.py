"""The sums view: each input element of a transposed layer adds a multiple of the kernel to the output."""

from dataclasses import dataclass
from typing import NamedTuple

from scripts.core.figures import Figure
from scripts.core.layers import Layer, Values
from scripts.errors import LayerError
from scripts.views.limits import Extent, check_layer, check_size
from scripts.views.maps import Line, NumberMap, Point, as_rows, in_words, number_map
from scripts.views.scene import Scene

# From one row to the next, from the last one down to the sums with a line between, and from the input elements to the
# first product.
PITCH, SUM_GAP, INPUT_GAP = 1.3, 0.3, 1.7


class Product(NamedTuple):
    """What an input element adds to a column of the output, or to one that is cropped."""

    column: int
    number: float
    cropped: bool


@dataclass(frozen=True)
class Row:
    """An input element, at a height, and its products."""

    row: float
    number: float
    products: tuple[Product, ...]


@dataclass(frozen=True)
class Sums:
    """The input elements, all in one column, with their products; and their sums below a line."""

    column: float
    rows: tuple[Row, ...]
    rule: Line
    output: NumberMap


def products(layer: Layer, input_values: Values, kernel_values: Values) -> list[list[Product]]:
    """For each input element of a transposed layer of one axis, what it adds to which element of the output."""
    (axis,), (size,) = layer.axes, layer.output_size
    places = [
        [n * axis.stride - axis.padding[0] + j * axis.dilation for j in range(axis.kernel_size)]
        for n in range(axis.input_size)
    ]
    return [
        [
            Product(place, value * weight, not 0 <= place < size)
            for place, weight in zip(row, kernel_values.tolist(), strict=True)
        ]
        for row, value in zip(places, input_values.tolist(), strict=True)
    ]


def _extent(layer: Layer) -> Extent:
    (axis,) = layer.axes
    return Extent(axis.scattered_size + sum(axis.padding), parts=axis.input_size * axis.kernel_size)


def scene(figure: Figure) -> Scene:
    """The scene of a transposed layer of one axis with values; raises `LayerError`."""
    layer = figure.layer
    check_layer(layer, "sums", most_axes=1)
    if not layer.transposed:
        raise LayerError("view", "the sums view draws transposed convolutions", "Use the plane view")
    if figure.input_values is None or figure.kernel_values is None or figure.output_values is None:
        raise LayerError("view", "the sums view draws values", "Give input_values and kernel_values")
    (axis,) = layer.axes
    check_size(layer, _extent)
    rows = products(layer, figure.input_values, figure.kernel_values)
    column = -axis.padding[0] - INPUT_GAP
    bottom = round(PITCH * len(rows), 2)
    still = Sums(
        column=column,
        rows=tuple(
            Row(round(PITCH * n, 2), value, tuple(row))
            for n, (value, row) in enumerate(zip(figure.input_values.tolist(), rows, strict=True))
        ),
        rule=(Point(column, bottom), Point(layer.output_size[0] + 1, bottom)),
        output=number_map("sum", as_rows(figure.output_values), Point(0, round(bottom + SUM_GAP, 2))),
    )
    cropped = any(product.cropped for row in rows for product in row)
    return Scene(
        figure,
        still,
        sentence="Each row is an input element times the kernel; the sums of the columns are the output."
        + (" Pale cells are cropped by the padding." if cropped else ""),
        alternative=f"The inputs {in_words(as_rows(figure.input_values))} times a kernel, each further to the right, "
        f"and the sums of the columns: {in_words(as_rows(figure.output_values))}.",
    )
