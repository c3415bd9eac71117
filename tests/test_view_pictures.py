"""The pictures of all views, read back from their sources; those of the views in `MEANT` mean what the arithmetic says.

The products of a layer are counted anew here, from its parameters: nothing of the views or their templates is used
but what they draw.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import combinations, pairwise, product
from math import ceil, floor, inf, prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import strategies as st

from scripts.core import receptive
from scripts.core.arithmetic import Cell, Element, GridAxis
from scripts.core.figures import Figure, load
from scripts.core.frames import frames
from scripts.core.gradients import input_gradient, kernel_gradient
from scripts.core.layers import Branches, Index, Layer, Stack, all_layers
from scripts.core.receptive import field
from scripts.errors import UserError
from scripts.stages.render import caption
from scripts.stages.templates import escape_tex, templates
from scripts.views import VIEWS, scene_of, view_name
from tests.conftest import PROJECT
from tests.oracle import File
from tests.pictures import Document, Label, Line, Picture, Point, ReadError, Text
from tests.test_engines import FULL, ask_many, files, written
from tests.test_pictures import (
    Expected,
    Place,
    around,
    as_given,
    as_rounded,
    assert_caption,
    assert_drawn,
    assert_kernel,
    assert_labelled,
    assert_meant,
    assert_parameters,
    centred,
    decimals_of,
    described,
    drawn_as,
    grid_of,
    in_file,
    in_rows,
    output_origin,
    own,
    parameters_in,
    per_axis,
    places,
    read_back,
    sides,
    switched_on,
    two,
)
from tests.test_pictures import number as number_text

# Small layers that between them use all that these views draw.
SMALL: dict[str, File] = {
    "excerpt": {
        "operation": "transposed_convolution", "input_size": [9, 16], "kernel_size": [2, 3], "stride": [1, 2],
        "padding": [0, 1],
    },
    "excerpt_1d": {"operation": "average_pooling", "input_size": [300], "kernel_size": 20, "stride": 15, "padding": 10},
    "kernel": {"operation": "convolution", "input_size": 2, "kernel_values": [[1, -2], [0.5, 0]], "values": "random"},
    "channels": {
        "operation": "convolution", "input_size": [2, 3], "kernel_size": 2, "padding": [0, [0, 1]], "in_channels": 2,
        "out_channels": 3, "values": "random",
    },
    "channels_groups": {
        "operation": "convolution", "input_size": [2], "kernel_size": 2, "in_channels": 12, "out_channels": 6,
        "groups": 2,
    },
    "channels_rest": {
        "operation": "convolution", "input_size": [2, 1], "kernel_size": [3, 1], "padding": [1, 0], "in_channels": 5,
        "out_channels": 2, "values": "random", "frames": [1, 2], "padding_mode": "reflect",
    },
    "channels_pair": {
        "input_size": [2], "layers": [
            {"kernel_size": 3, "padding": 1, "in_channels": 2, "out_channels": 2, "groups": 2},
            {"kernel_size": 1, "in_channels": 2, "out_channels": 3},
        ],
    },
    "wiring": {
        "operation": "convolution", "input_size": 2, "kernel_size": [2, 1], "in_channels": 4, "out_channels": 2,
        "groups": 2,
    },
    "subsampling": {
        "operation": "convolution", "input_values": [[1, 2, 3], [4, -5, 6]], "kernel_values": [[2]], "stride": [1, 2],
    },
    "positions": {
        "operation": "max_pooling", "input_size": [4], "kernel_size": 2, "dilation": 2, "stride": 2,
        "padding": [[1, 0]], "ceil_mode": True,
    },
    "positions_adaptive": {"operation": "adaptive_max_pooling", "input_size": [5], "output_size": [3]},
    "overlap": {"operation": "transposed_convolution", "input_size": 2, "kernel_size": [3, 1], "stride": [1, 2]},
    "sums": {
        "operation": "transposed_convolution", "input_values": [1, -2], "kernel_values": [3, 0.5, 4], "stride": 2,
        "padding": [[1, 0]],
    },
    "scatter": {
        "operation": "transposed_convolution", "input_values": [[1, -2], [0.5, 3]], "kernel_values": [[3, 0.5, 4]],
        "stride": [1, 2], "padding": [0, [1, 0]], "output_padding": [0, 1],
    },
    "scatter_gaps": {
        "operation": "transposed_convolution", "input_values": [[1], [2]], "kernel_values": [[1], [3]],
        "stride": [3, 1], "padding": [[1, 0], 0], "output_padding": [1, 0],
    },
    "scatter_1d": {
        "operation": "transposed_convolution", "input_values": [1, -2], "kernel_values": [3, 0.5], "stride": 3,
        "output_padding": 2,
    },
    "gather": {
        "operation": "transposed_convolution", "input_values": [[1, -2]], "kernel_values": [[3, 0.5, 4]],
        "stride": [1, 2], "padding": [0, [1, 0]], "output_padding": [0, 1],
    },
    "gather_cropped": {
        "operation": "transposed_convolution", "input_values": [1, -2, 5], "kernel_values": [3, 7], "dilation": 2,
        "padding": [[3, 0]], "frames": [1, 4],
    },
    "matrix": {"operation": "convolution", "input_size": [2, 3], "kernel_size": 2},
    "matrix_transposed": {
        "operation": "transposed_convolution", "input_values": [1, -2], "kernel_values": [3, 0.5], "stride": 2,
    },
    "matrix_dots": {
        "operation": "convolution", "input_size": [40], "kernel_size": 3, "padding": 1, "dilation": 2, "frames": [0, 3],
    },
    "matrix_dots_transposed": {
        "operation": "transposed_convolution", "input_size": [6, 7], "kernel_size": 2, "stride": [2, 1],
        "values": "random", "frames": [1, 5],
    },
    "volume": {
        "operation": "convolution", "input_size": [2, 2, 3], "kernel_size": [2, 1, 2], "padding": [[1, 0], 0, [0, 1]],
        "stride": [1, 2, 1],
    },
    "volume_transposed": {
        "operation": "transposed_convolution", "input_size": [2, 2, 1], "kernel_size": [1, 2, 1], "stride": [2, 1, 1],
        "padding": [0, [0, 2], 0],
    },
    "volume_cropped": {
        "operation": "transposed_convolution", "input_size": [3, 1, 1], "kernel_size": [1, 1, 2], "padding": [1, 0, 0],
    },
    "volume_pooling": {
        "operation": "max_pooling", "input_size": [3, 1, 3], "kernel_size": [2, 1, 2], "stride": 2, "ceil_mode": True,
    },
    "volume_copied": {
        "operation": "convolution", "input_size": [2, 2, 1], "kernel_size": [2, 2, 1], "padding": [1, [0, 1], 0],
        "padding_mode": "circular", "frames": [0, 5],
    },
    "im2col": {
        "operation": "convolution", "input_values": [[1, -2, 3]], "kernel_values": [[4, 0.5]], "stride": [1, 2],
        "padding": [0, [1, 1]],
    },
    "im2col_copied": {
        "operation": "convolution", "input_size": [3], "kernel_size": 2, "padding": 1, "padding_mode": "circular",
    },
    "input_gradient": {
        "operation": "convolution", "input_values": [[1, 2, 3, 4, 5], [0, -1, 2, 0, 1]],
        "kernel_values": [[3, -1], [0, 0.5]], "stride": [1, 2], "padding": [0, [1, 0]], "output_gradient": [[2, -3, 1]],
    },
    "input_gradient_transposed": {
        "operation": "transposed_convolution", "input_values": [1, -2], "kernel_values": [3, 0.5], "dilation": 3,
        "output_padding": 2,
    },
    "kernel_gradient": {
        "operation": "convolution", "input_values": [[1, 2, 3, 4], [0, -1, 2, 0]], "kernel_values": [[3, -1]],
        "stride": [1, 3], "dilation": [1, 2], "padding": [0, [1, 0]], "padding_mode": "reflect",
    },
    "kernel_gradient_transposed": {
        "operation": "transposed_convolution", "input_values": [1, -2], "kernel_values": [3, 0.5, 1], "stride": 2,
        "padding": [[1, 0]], "output_padding": 1, "output_gradient": [1, 0, -3, 2, 4],
    },
    "upsampling": {
        "operation": "transposed_convolution", "input_values": [[1, -2], [0.5, 3]], "kernel_values": [[3, 0.5], [1, 4]],
        "stride": [1, 2], "padding": [[1, 0], 0],
    },
    "upsampling_1d": {
        "operation": "transposed_convolution", "input_values": [1, -2, 7], "kernel_values": [3, 0.5], "stride": 3,
        "output_padding": 1,
    },
    "pixel_shuffle": {
        "operation": "transposed_convolution", "input_values": [[1, -2], [0.5, 3]],
        "kernel_values": [[3, 0.5, 1], [1, 4, 0]], "stride": 2, "padding": [0, [1, 0]],
    },
    "pixel_shuffle_1d": {
        "operation": "transposed_convolution", "input_values": [1, -2], "kernel_values": [3, 0.5], "stride": 3,
        "output_padding": 1,
    },
    "partial": {
        "operation": "convolution", "input_values": [[1, 2, 3, 4], [0, -1, 2, 0.5]], "kernel_values": [[3, -1]],
        "padding": [0, [1, 0]], "mask": [[1, 0, 0, 1], [0, 0, 1, 1]],
    },
    "partial_1d": {
        "operation": "convolution", "input_values": [1, 2, 3, 4, 5], "kernel_values": [3, -1], "dilation": 2,
        "mask": [1, 0, 1, 0, 0],
    },
    "deformable": {
        "operation": "convolution", "input_values": [[1, 2, 3], [0, -1, 2], [4, 0, 0.5]], "kernel_values": [[4, -2]],
        "stride": [2, 1], "dilation": [1, 2], "padding": [0, [1, 0]],
        "offset": [[[0.5, 0], [0, 1]], [[-0.25, 0.5], [0, 0]], [[0, 0], [-1, -0.5]], [[0.25, -1], [-0.75, 0]]],
    },
    "deformable_beyond": {
        "operation": "convolution", "input_values": [[1, 2], [3, 4]], "kernel_values": [[2]], "padding": [[0, 1], 0],
        "offset": [[[0.5, 0], [0, 1], [0, 0]], [[-2.25, 0.5], [0, 0], [0, 0.75]]],
    },
    "streaming": {
        "operation": "convolution", "input_size": [5], "kernel_size": 3, "dilation": 2, "padding": "causal",
    },
    "streaming_values": {
        "operation": "convolution", "input_values": [1, -2, 0.5], "kernel_values": [3, 0.25], "padding": "causal",
    },
    "receptive_field": {
        "input_size": [4], "layers": [{"kernel_size": 2, "padding": "causal"}, {"kernel_size": 2, "stride": 2}]
    },
    "receptive_field_causal": {
        "input_size": [6],
        "layers": [{"kernel_size": 2, "padding": "causal"}, {"kernel_size": 2, "stride": 2, "padding": "causal"}],
    },
    "receptive_field_branches": {
        "input_size": [6],
        "layers": [
            {"branches": [[], [{"kernel_size": 3, "padding": 1}, {"kernel_size": 1}], [{"kernel_size": 1}]]},
            {"operation": "adaptive_average_pooling", "output_size": 4},
        ],
    },
    "receptive_field_maps": {
        "input_size": [4, 5],
        "layers": [
            {"kernel_size": [3, 1], "padding": [1, 0]},
            {"branches": [
                [],
                [
                    {"operation": "max_pooling", "kernel_size": 1, "stride": [2, 1]},
                    {"operation": "transposed_convolution", "kernel_size": [2, 1], "stride": [2, 1]},
                ],
            ]},
        ],
    },
}  # fmt: skip


def view_of(name: str) -> str:
    """The view of a small layer, whose name begins with it."""
    return max((view for view in VIEWS if name.startswith(view)), key=len)


# Random layers of each view that are to be drawn, and out of how many that are made: some do not exist, and a view
# draws only some.
RANDOM = {
    "excerpt": (8, 60),
    "kernel": (6, 40),
    "wiring": (8, 80),
    "channels": (4, 120),
    "subsampling": (8, 120),
    "positions": (8, 60),
    "overlap": (8, 40),
    "sums": (6, 80),
    "scatter": (6, 80),
    "gather": (4, 80),
    "matrix": (8, 60),
    "im2col": (6, 60),
    "input_gradient": (6, 60),
    "kernel_gradient": (6, 60),
    "upsampling": (3, 80),
    "pixel_shuffle": (3, 80),
    "volume": (6, 100),
    "receptive_field": (8, 60),
}
OPERATIONS = {
    "im2col": ("convolution",),
    "excerpt": ("convolution", "transposed_convolution", "max_pooling", "max_unpooling"),
    "volume": ("convolution", "transposed_convolution", "max_pooling", "max_unpooling"),
    "subsampling": ("convolution", "convolution", "max_pooling", "average_pooling", "lp_pooling"),
    "positions": ("convolution", "transposed_convolution", "max_pooling", "adaptive_max_pooling"),
    "channels": ("convolution",),
    "sums": ("transposed_convolution",),
    "upsampling": ("transposed_convolution",),
    "pixel_shuffle": ("transposed_convolution",),
    "scatter": ("transposed_convolution",),
    "gather": ("transposed_convolution",),
}


# Products, from a layer's parameters


class Product(NamedTuple):
    """The elements of the output, the input and the kernel that meet in a product."""

    output: Index
    input: Index
    kernel: Index


# Indices of input elements, padded; −1 is none.
COPIED: dict[str, Callable[[Any, tuple[int, int]], Any]] = {
    "zeros": lambda indices, sides: np.pad(indices, sides, constant_values=-1),
    "reflect": lambda indices, sides: np.pad(indices, sides, "reflect"),
    "replicate": lambda indices, sides: np.pad(indices, sides, "edge"),
    "circular": lambda indices, sides: np.pad(indices, sides, "wrap"),
}


def along(layer: Layer, place: int) -> list[tuple[int, int, int]]:
    """(output, input, kernel) along one axis: o = s·i − p + d·j if transposed, else i = s·o − p + d·j."""
    axis, outputs = layer.axes[place], range(layer.output_size[place])
    kernel = range(axis.kernel_size)
    if layer.operation.name == "transposed_convolution":
        met = [
            (axis.stride * i - axis.padding[0] + axis.dilation * j, i, j)
            for i in range(axis.input_size)
            for j in kernel
        ]
        return [found for found in met if found[0] in outputs]
    if layer.operation.name.startswith("adaptive"):
        i, o = axis.input_size, len(outputs)
        return [(n, place, k) for n in outputs for k, place in enumerate(range(n * i // o, -(-(n + 1) * i // o)))]
    padded = COPIED[layer.padding_mode](np.arange(axis.input_size), axis.padding).tolist()
    # Windows of ceil mode hang over.
    padded += [-1] * axis.stride * axis.kernel_size * axis.dilation
    met = [(o, padded[axis.stride * o + axis.dilation * j], j) for o in outputs for j in kernel]
    return [found for found in met if found[1] >= 0]


def products(layer: Layer) -> list[Product]:
    """All products of a layer without channels."""
    axes = product(*(along(layer, place) for place in range(len(layer.axes))))
    return sorted(Product(*zip(*met, strict=True)) for met in axes)


def output_of(layer: Layer, figure: Figure) -> dict[Index, float]:
    """The output of a layer, computed from a figure's values."""
    assert figure.input_values is not None
    held: dict[Index, list[Any]] = {index: [] for index in np.ndindex(*layer.output_size)}
    for met in products(layer):
        weight = 1 if figure.kernel_values is None else figure.kernel_values[met.kernel].item()
        held[met.output].append(weight * figure.input_values[met.input].item())
    window = prod(layer.kernel_size) if layer.count_include_pad else 0
    reduced: dict[str | None, Callable[[list[Any]], float]] = {
        None: sum,
        "maximum": lambda values: max(values, default=-inf),
        "average": lambda values: sum(values) / max(window or len(values), 1),
        "norm": lambda values: sum(abs(value) ** layer.norm for value in values) ** (1 / layer.norm),
    }
    return {index: reduced[layer.reduction](values) for index, values in held.items()}


# What is to be seen


def in_full(value: float) -> str:
    """A computed number with all the digits that it has."""
    return as_given(value) if value in (-inf, int(value) if value > -inf else 0) else f"{value:.12g}".replace("-", "−")


def size(index: Index) -> str:
    return " × ".join(map(str, index))


def add_map(
    picture: Picture,
    at: tuple[float, float],
    rows_and_columns: Index,
    fill: str,
    texts: dict[Index, Text] | None = None,
    line: str = "outline",
) -> None:
    """Add the cells of a map with lines around them, and a text in each if there are any."""
    for row, column in np.ndindex(*in_rows(rows_and_columns)):
        cell = (round(at[0] + column, 6), round(at[1] + row, 6), 0)
        picture.fills[cell] = (fill,)
        picture.edges |= {edge_at(edge): (line,) for edge in around(cell)}
    for index, text in (texts or {}).items():
        row, column = two(index)
        picture.texts[round(at[0] + column, 6), round(at[1] + row, 6), 0] = (text,)


def edge_at(edge: tuple[Point, str]) -> tuple[Point, str]:
    (x, y, z), run = edge
    return (round(x, 6), round(y, 6), z), run


def values(found: Mapping[Any, Any], style: str) -> dict[Index, Text]:
    return {index: Text(in_full(value), style, (0.5, 0.5), None) for index, value in found.items()}


def each(array: Any) -> dict[Index, Any]:
    """The values of an array by their indices."""
    return {index: value.item() for index, value in np.ndenumerate(array)}


def labels(picture: Picture, anchor: str, words: list[str]) -> list[tuple[float, float]]:
    """Where some labels are, which have to be all that there are."""
    assert [(label.text, label.anchor, label.rotate) for label in picture.labels] == [
        (text, anchor, "") for text in words
    ]
    return [label.at[:2] for label in picture.labels]


def assert_flat(picture: Picture) -> None:
    """That columns go on to the right and rows downwards."""
    assert picture.matrix is not None
    a, b, c, d = picture.matrix
    assert a > 0 > d
    assert (b, c) == (0, 0)
    assert picture.lift is None


def single(found: Document) -> Picture:
    """The only frame of a view without motion."""
    (frame,) = found.frames
    assert_flat(frame)
    return frame


def kernel(figure: Figure, found: Document) -> None:
    picture, weights = single(found), np.atleast_2d(figure.kernel_values)  # type: ignore[arg-type] # a kernel has values
    height, width = weights.shape
    (first, below), (second, other) = labels(picture, "north", ["kernel", "rotated by 180°"])
    assert (first, below, other) == (width / 2, height, height)
    left = second - width / 2
    assert left > width
    expected = Picture()
    add_map(expected, (0, 0), (height, width), "weight", values(each(weights), "weight value"))
    rotated = {(r, c): weights[height - 1 - r, width - 1 - c].item() for r, c in np.ndindex(height, width)}
    add_map(expected, (left, 0), (height, width), "weight", values(rotated, "weight value"))
    assert_drawn(picture, expected)
    assert picture.parameters is None


def overlap(figure: Figure, found: Document) -> None:
    picture, layer = single(found), figure.layer
    (label,) = picture.labels
    assert (label.anchor, label.at) == ("south", (layer.output_size[-1] / 2, 0, 0))
    said = own(layer)
    assert parameters_in(label.text, len(layer.axes)) == {key: said[key] for key in ("kernel", "stride")}
    counts = Counter(met.output for met in products(layer))
    drawn = {index: counts[index] for index in np.ndindex(*layer.output_size)}
    expected = Picture()
    add_map(expected, (0, 0), layer.output_size, "")
    shades = dict[int, set[int]]()
    for index, count in drawn.items():
        row, column = two(index)
        (look,) = expected.fills[column, row, 0] = picture.fills[column, row, 0]
        shade = re.fullmatch(r"count=(\d+)", look)
        assert shade
        expected.texts[column, row, 0] = (Text(in_full(count), f"count value={shade[1]}", (0.5, 0.5), None),)
        shades.setdefault(count, set()).add(int(shade[1]))
    assert_drawn(picture, expected)
    # The darker the more, the most of them in full.
    parts = [shade for count in sorted(shades) for shade in shades[count]]
    assert len(parts) == len(shades)
    assert parts == sorted(set(parts))
    assert parts[-1] == (100 if counts else 0)
    assert_parameters(layer, picture.parameters, as_convolution=False)


def sums(figure: Figure, found: Document) -> None:
    picture, layer = single(found), figure.layer
    assert figure.input_values is not None
    assert figure.kernel_values is not None
    (axis,), (outputs,) = layer.axes, layer.output_size
    *rows, (_, sums) = labels(picture, "east", ["input"] * axis.input_size + ["sum"])
    (column,) = {x for x, _ in rows}
    tops = [y - 0.5 for _, y in rows] + [sums - 0.5]
    assert all(below - above > 1 for above, below in pairwise(tops))
    expected, texts = Picture(), dict[tuple[float, float], tuple[str, str]]()
    for n, (top, value) in enumerate(zip(tops[:-1], figure.input_values.tolist(), strict=True)):
        places = [axis.stride * n - axis.padding[0] + axis.dilation * j for j in range(axis.kernel_size)]
        assert column + 1 < min(places)
        added = list(zip(places, figure.kernel_values.tolist(), strict=True))
        for kept in (False, True):
            for place, weight in added:
                if (0 <= place < outputs) == kept:
                    cell = (place, round(top, 6), 0)
                    line, style = ("draw=outlinecolor", "weight value") if kept else ("cropped", "cropped value")
                    expected.fills[cell] = ("weight",) if kept else ()
                    expected.edges |= {edge_at(edge): (line,) for edge in around(cell)}
                    texts[place + 0.5, round(top + 0.5, 6)] = (in_full(value * weight), style)
        add_map(expected, (column, top), (1, 1), "input", line="draw=outlinecolor")
        texts[round(column + 0.5, 6), round(top + 0.5, 6)] = (in_full(value), "input value")
    add_map(expected, (0, tops[-1]), (outputs,), "output")
    for (place,), value in output_of(layer, figure).items():
        texts[place + 0.5, round(sums, 6)] = (in_full(value), "output value")
    # A line above the sums, over all of the columns.
    ((start, end),) = [(line.start, line.end) for line in picture.lines]
    assert tops[-2] + 1 < start[1] == end[1] < tops[-1]
    assert start[0] <= column
    assert end[0] >= outputs
    expected.lines, expected.texts = picture.lines, picture.texts
    assert_drawn(picture, expected)
    assert centres(picture) == texts
    assert_parameters(layer, picture.parameters, as_convolution=False)


def centres(picture: Picture) -> dict[tuple[float, float], tuple[str, str]]:
    """Texts and their styles by where their centres are."""
    found = {}
    for (x, y, _), stacked in picture.texts.items():
        for text in stacked:
            found[round(x + text.place[0], 6), round(y + text.place[1], 6)] = (text.text, text.style)
    return found


def scatter(figure: Figure, found: Document) -> None:
    layer = figure.layer
    elements = [*np.ndindex(*layer.input_size), None]
    assert len(found.frames) == len(elements)
    for lit, picture in zip(elements, found.frames, strict=True):
        assert_flat(picture)
        assert_drawn(picture, scattered(figure, picture, lit))
        assert_parameters(layer, picture.parameters, as_convolution=False)


def scattered(figure: Figure, picture: Picture, lit: Index | None, others: Sequence[Label] = ()) -> Picture:
    """What is to be seen once an element, or all, have been stamped; there are labels of `others` than the stamps."""
    layer = figure.layer
    assert figure.input_values is not None
    assert figure.kernel_values is not None
    whole = replace(layer, axes=tuple(replace(axis, padding=(0, 0), output_padding=0) for axis in layer.axes))
    (top, left), outputs = two_or_zero(tuple(axis.padding[0] for axis in layer.axes)), in_rows(layer.output_size)
    grid = [max(a, b + c) for a, b, c in zip(in_rows(whole.output_size), (top, left), outputs, strict=True)]
    stamp = in_rows(tuple(axis.reach + 1 for axis in layer.axes))
    names = [f"input {size(layer.input_size)}", "element × kernel", f"output {size(layer.output_size)}"]
    widths = [in_rows(layer.input_size)[1], stamp[1], grid[1]]
    kept = set(product(range(top, top + outputs[0]), range(left, left + outputs[1])))
    most = max(Counter(met.output for met in products(whole)).values())
    padded = [Label("dashed: computed for output padding", "north", (0, 0, 0))] * any(
        axis.output_padding for axis in layer.axes
    )
    first, rest = picture.labels[: len(names)], picture.labels[len(names) :]
    middles = labels(replace(picture, labels=first), "south", names)
    input_x, stamp_x, grid_x = (x - width / 2 for (x, _), width in zip(middles, widths, strict=True))
    assert [y for _, y in middles] == [0, 0, 0]
    assert input_x == 0
    assert widths[0] < stamp_x < grid_x - stamp[1]

    expected = Picture()
    add_map(expected, (0, 0), layer.input_size, "input", values(each(figure.input_values), "input value"))
    add_empty(expected, (stamp_x, 0), stamp)
    add_empty(expected, (grid_x, 0), tuple(grid))
    sums, stamps, changed = dict[Index, float](), Counter[Index](), set[Index]()
    for met in products(whole):
        if lit is not None and met.input > lit:
            continue
        product_ = figure.kernel_values[met.kernel].item() * figure.input_values[met.input].item()
        place = two(met.output)
        sums[place], stamps[place] = sums.get(place, 0) + product_, stamps[place] + 1
        if met.input == lit:
            changed.add(place)
            steps = two(tuple(axis.dilation for axis in layer.axes))
            row, column = (a * b for a, b in zip(two(met.kernel), steps, strict=True))
            add_map(expected, (stamp_x + column, row), (1, 1), "weight", {(0, 0): fitted(product_, "weight value")})
    if lit is None:
        sums = dict.fromkeys(kept, 0.0) | sums
    else:
        light(expected, (0, 0), {lit}, "window over input")
        r, c = two(lit)
        expected.texts[c, r, 0] = (fitted(figure.input_values[lit].item(), "window over input value"),)
    # Those that the step changes are drawn last.
    for place, number in sorted(sums.items(), key=lambda item: item[0] in changed):
        cell: Point = (grid_x + place[1], place[0], 0)
        share, style = round(100 * stamps[place] / most), "cropped value"
        if place in kept:
            lit_now = place in changed
            paint(
                expected,
                cell,
                "window over output" if lit_now else f"count={share}",
                "lit" if lit_now else "outline",
            )
            style = "window over output value" if lit_now else f"count value={share}"
        expected.texts[cell] = (fitted(number, style),)
    frame(expected, (grid_x + left, top), outputs, "outline")
    extra_rows, extra_columns = two_or_zero(tuple(axis.output_padding for axis in layer.axes))
    for x, y, rows, columns in (
        (left + outputs[1] - extra_columns, top, outputs[0], extra_columns),
        (left, top + outputs[0] - extra_rows, extra_rows, outputs[1] - extra_columns),
    ):
        if rows and columns:
            frame(expected, (grid_x + x, y), (rows, columns), "output padding")
    padded = [label._replace(at=(grid_x + grid[1] / 2, grid[0], 0)) for label in padded]
    assert rest == [*padded, *others]
    return expected


def gather(figure: Figure, found: Document) -> None:
    layer = figure.layer
    _, columns = grid_of(figure)
    size_, reach = in_rows(layer.output_size), in_rows(tuple(axis.reach + 1 for axis in layer.axes))
    steps = [(True, index) for index in np.ndindex(*layer.input_size)]
    steps += [(False, index) for index in np.ndindex(*layer.output_size)]
    steps = [steps[n] for n in figure.frames] if isinstance(figure.frames, tuple) else steps
    assert len(found.frames) == len(steps)
    names = ["inputs and zeros", "window × kernel", f"output {size(layer.output_size)}"]
    for (scattering, lit), picture in zip(steps, found.frames, strict=True):
        assert_flat(picture)
        gathering = picture.labels[-3:]
        corners = labels(replace(picture, labels=gathering), "south", names)
        widths = (len(columns.cells), reach[1], size_[1])
        left, stamp_x, output_x = (x - width / 2 for (x, _), width in zip(corners, widths, strict=True))
        assert [y for _, y in corners] == [0, 0, 0]
        expected = scattered(figure, picture, lit if scattering else None, gathering)
        assert left > max(x for (x, _, _), _ in expected.edges) + 2
        assert stamp_x > left + widths[0]
        assert output_x > stamp_x + widths[1]
        add_moved(expected, Expected(replace(figure, view="numerical"), (0, 0, 0)).input(set(), {}), (left, 0))
        for cell, texts in expected.texts.items():
            if cell[0] >= left:
                expected.texts[cell] = tuple(text._replace(width="valuewidth") for text in texts)
        add_empty(expected, (stamp_x, 0), reach)
        add_empty(expected, (output_x, 0), size_)
        if not scattering:
            add_gathered(expected, figure, lit, (left, stamp_x, output_x))
        frame(expected, (output_x, 0), size_, "outline")
        extra_rows, extra_columns = two_or_zero(tuple(axis.output_padding for axis in layer.axes))
        if extra_columns:
            frame(expected, (output_x + size_[1] - extra_columns, 0), (size_[0], extra_columns), "output padding")
        if extra_rows:
            bottom = (output_x, size_[0] - extra_rows)
            frame(expected, bottom, (extra_rows, size_[1] - extra_columns), "output padding")
        assert_drawn(picture, expected)
        assert_parameters(layer, picture.parameters)


def add_gathered(picture: Picture, figure: Figure, lit: Index, at: tuple[float, float, float]) -> None:
    """Add the window of an output element, its products, and the elements up to it."""
    assert figure.input_values is not None
    assert figure.kernel_values is not None
    left, stamp_x, output_x = at
    kernels = {(met.output, met.input): met.kernel for met in products(figure.layer)}
    covered = patch(figure, lit)
    top, first = covered[0][1]
    for place, (r, c) in covered:
        cell: Point = (left + c, r, 0)
        picture.fills[cell] = (f"window over {place.kind}",)
        index, number = place.input_index, 0.0
        held = 0 if index is None else figure.input_values[index].item()
        picture.texts[cell] = (fitted(held, f"window over {place.kind} value"),)
        if index is not None:
            number = held * figure.kernel_values[kernels[lit, index]].item()
        cell = (stamp_x + c - first, r - top, 0)
        paint(picture, cell, "weight", "outline")
        picture.texts[cell] = (fitted(number, "weight value"),)
    sides = Counter(edge for _, (r, c) in covered for edge in around((left + c, r, 0)))
    picture.edges |= {edge: ("window grid" if count == 2 else "lit",) for edge, count in sides.items()}
    for index, result in output_of(figure.layer, figure).items():
        if index <= lit:
            style = "window over output" if index == lit else "output"
            r, c = two(index)
            paint(picture, (output_x + c, r, 0), style, "lit" if index == lit else "outline")
            picture.texts[output_x + c, r, 0] = (fitted(result, f"{style} value"),)


def two_or_zero(numbers: Index) -> Index:
    """Numbers of both axes of a map, zero along an axis that the layer does not have."""
    return (0, *numbers) if len(numbers) == 1 else numbers


def fitted(value: float, style: str) -> Text:
    """A number made to fit."""
    return Text(in_full(value), style, (0.5, 0.5), "valuewidth")


def frame(picture: Picture, at: tuple[float, float], rows_and_columns: Index, line: str) -> None:
    """Draw a line around some cells; dashed ones do not hide those below them."""
    (x, y), (rows, columns) = at, rows_and_columns
    edges = [((x + c, y + r, 0), "across") for c in range(columns) for r in (0, rows)]
    edges += [((x + c, y + r, 0), "down") for c in (0, columns) for r in range(rows)]
    for edge in edges:
        under = (
            tuple(other for other in picture.edges.get(edge, ()) if other != line) if line == "output padding" else ()
        )
        picture.edges[edge] = (*under, line)


def subsampling(figure: Figure, found: Document) -> None:
    picture, layer = single(found), figure.layer
    unit = with_stride(layer, stride=1)
    (height, width), (kept_height, kept_width) = in_rows(unit.output_size), in_rows(layer.output_size)
    assert [label.anchor for label in picture.labels] == ["north", "north"]
    first, second = picture.labels
    assert first == Label(f"stride 1: output {size(unit.output_size)}", "north", (width / 2, height, 0))
    stride, _, output = second.text.partition(": ")
    assert parameters_in(stride, len(layer.axes)) == {"stride": [axis.stride for axis in layer.axes]}
    assert output == f"output {size(layer.output_size)}"
    left, top = second.at[0] - kept_width / 2, second.at[1] - kept_height
    assert left > width
    assert top + kept_height / 2 == height / 2
    expected = Picture()
    numbers = {} if figure.input_values is None else output_of(unit, figure)
    add_map(expected, (0, 0), unit.output_size, "dropped output", values(numbers, "dropped output value"))
    kept = {} if figure.input_values is None else values(output_of(layer, figure), "output value")
    down, right = in_rows(tuple(axis.stride for axis in layer.axes))
    for row, column in np.ndindex(kept_height, kept_width):
        cell = (column * right, row * down, 0)
        expected.fills[cell] = ("output",)
        expected.edges |= dict.fromkeys(around(cell), ("lit",))
        if cell in expected.texts:
            expected.texts[cell] = (expected.texts[cell][0]._replace(style="output value"),)
    add_map(expected, (left, top), layer.output_size, "output", kept)
    # An arrow from the one to the other.
    ((style, start, end),) = picture.lines
    assert style == "link, -latex"
    assert width < start[0] < end[0] < left
    assert start[1] == end[1] == height / 2
    expected.lines = picture.lines
    assert_drawn(picture, expected)
    assert_parameters(layer, picture.parameters, as_convolution=False)


def with_stride(layer: Layer, stride: int) -> Layer:
    """The layer with another stride."""
    return replace(layer, axes=tuple(replace(axis, stride=stride) for axis in layer.axes))


def positions(figure: Figure, found: Document) -> None:
    picture, layer = single(found), figure.layer
    (axis,) = layer.grid
    (label,) = picture.labels
    assert (label.anchor, label.at) == ("south", (len(axis.cells) / 2, 0, 0))
    first, *second = label.text.split("\n")
    count = len(axis.windows)
    if layer.operation.name.startswith("adaptive"):
        assert first == f"{count} window{'' if count == 1 else 's'}"
        assert second == []
    else:
        (drawn,) = layer.direct
        assert first == f"stride {drawn.stride}: {count} position{'' if count == 1 else 's'}"
        before, after = (str(side).replace("-", "−") for side in drawn.padding)
        assert second == ([f"padding {before} before, {after} after"] if any(drawn.padding) else [])
    expected = Expected(figure, (0, 0, 0)).input(set(), {})
    tops = sorted({line.start[1] for line in picture.lines})
    assert len(tops) == count
    assert tops[0] > 1
    for window, middle in zip(axis.windows, tops, strict=True):
        covered = [element.position for element in window]
        expected.lines.append(Line("link", (covered[0], middle, 0), (covered[-1] + 1, middle, 0)))
        shapes = [shape for shape in picture.shapes if shape.start[1] < middle < shape.end[1]]
        assert [shape.style for shape in shapes] == ["window over input"] * len(shapes)
        assert [round((shape.start[0] + shape.end[0]) / 2, 6) for shape in shapes] == [cell + 0.5 for cell in covered]
        assert all(0.5 < shape.end[0] - shape.start[0] < 1 for shape in shapes)
    # Rows do not overlap.
    assert len(picture.shapes) == sum(map(len, axis.windows))
    heights = sorted({(shape.start[1], shape.end[1]) for shape in picture.shapes})
    assert all(above[1] < below[0] for above, below in pairwise(heights))
    expected.shapes = picture.shapes
    assert_drawn_with_shapes(picture, expected)
    assert_parameters(layer, picture.parameters)


def assert_drawn_with_shapes(picture: Picture, expected: Picture) -> None:
    assert sorted(picture.shapes) == sorted(expected.shapes)
    picture.shapes, shapes = [], picture.shapes
    assert_drawn(picture, expected)
    picture.shapes = shapes


# A matrix of more rows or columns has dots in place of some.
MOST_LINES = 28


def matrix(figure: Figure, found: Document) -> None:
    layer = figure.layer
    met = products(layer)
    rows, columns = drawn_lines(layer, met)
    lit_rows = [list(rows)[n] for n in figure.frames] if isinstance(figure.frames, tuple) else list(rows)
    assert len(found.frames) == len(lit_rows)
    assert len(found.strip) == 1
    inputs, outputs = numbered(layer.input_size, columns), numbered(layer.output_size, rows)
    kernel = numbered(layer.kernel_size, range(prod(layer.kernel_size)))
    words = {"input": (layer.input_size, inputs), "output": (layer.output_size, outputs)}
    words["kernel"] = (layer.kernel_size, kernel)
    for number, picture in zip(lit_rows, found.frames, strict=True):
        (lit,) = numbered(layer.output_size, [number])
        seen = {term.input for term in met if term.output == lit} & inputs.keys()
        assert_flat(picture)
        corners = labels(picture, "south west", [f"{name} {size(of)}" for name, (of, _) in words.items()])
        expected, below, right = Picture(), 0.0, 0
        shades = list[str]()
        for (left, top), (name, (of, kept)) in zip(corners, words.items(), strict=True):
            assert left == 0
            assert top >= below
            down, across = (laid_out({two(i)[axis] for i in kept}, count) for axis, count in enumerate(in_rows(of)))
            cells = {(r, c)[-len(of) :]: (across[c], top + down[r], 0.0) for r, c in product(down, across)}
            if name == "kernel":
                shades = [picture.fills[cell][0].partition("=")[2] for cell in cells.values()]
            add_elements(expected, figure, name, cells, {"input": seen, "output": {lit}}.get(name, set()), shades)
            add_dots(expected, (0, top), down, across)
            below, right = top + max(down.values()) + 2, max(right, *across.values())
        # The later a weight, the stronger its shade.
        assert shades == sorted(set(shades), key=int)
        (corner, entries), *convolution = sorted(picture.beside.items(), reverse=True)
        assert picture.matrix is not None
        scale, beside, picture.beside = picture.matrix[0], picture.beside, {}
        assert corner[0] > scale * (right + 3)
        if layer.transposed:
            ((at, direct),) = convolution
            assert -at[1] > scale * below
            bottom = at[1] + direct_matrix(direct, layer, met, rows, columns, number, shades)
        else:
            assert not convolution
            bottom = -scale * (below - 1)
        assert corner[1] == pytest.approx(bottom / 2)
        assert_drawn_with_dots(picture, expected)
        picture.beside = beside
        assert_matrix(figure, entries, (rows, columns), (lit, seen), shades)
        assert_parameters(layer, picture.parameters, as_convolution=False)


def drawn_lines(layer: Layer, met: list[Product]) -> tuple[dict[int, int], dict[int, int]]:
    """Where the rows and the columns of a layer's matrix are: the first ones, as many as fit, and the last one.

    These are the rows of a convolution or the columns of its transpose; across them, those in which they are not zero.
    """
    pairs = [(flat(term.output, layer.output_size), flat(term.input, layer.input_size)) for term in met]
    count, length = prod(layer.output_size), prod(layer.input_size)
    if layer.transposed:
        pairs, count, length = [(i, o) for o, i in pairs], length, count
    first, across = laid_out(set(range(count)), count), laid_out(set(range(length)), length)
    if max(count, length) > MOST_LINES:
        for n in range(1, count):
            lines = {*range(n), count - 1}
            found = laid_out(lines, count), laid_out({other for line, other in pairs if line in lines}, length)
            if n > 2 and max(1 + max(drawn.values()) for drawn in found) > MOST_LINES:
                break
            first, across = found
    return (across, first) if layer.transposed else (first, across)


def laid_out(kept: set[int], count: int) -> dict[int, int]:
    """Where elements along a line are: side by side, with a cell for dots wherever two or more are left out."""
    kept = kept | {0, count - 1}
    kept |= {n for n in range(1, count - 1) if {n - 1, n + 1} <= kept}
    order = sorted(kept)
    gaps = [n for n, after in pairwise(order) if after > n + 1]
    return {n: place + sum(gap < n for gap in gaps) for place, n in enumerate(order)}


def flat(index: Index, of: Index) -> int:
    return int(np.ravel_multi_index(index, of))


def numbered(of: Index, numbers: Iterable[int]) -> dict[Index, int]:
    """The indices of elements by their numbers, row by row."""
    return {tuple(int(n) for n in np.unravel_index(number, of)): number for number in numbers}


NAMES = {"input": "x", "output": "y", "kernel": "w"}


def add_elements(
    picture: Picture,
    figure: Figure,
    name: str,
    cells: Mapping[Index, Point],
    lit: set[Index],
    shades: list[str],
    small: bool = True,
) -> None:
    """Add elements of a map in their cells: their numbers, or their names where there are none."""
    array = {"input": figure.input_values, "output": figure.output_values, "kernel": figure.kernel_values}[name]
    for lit_now, (index, cell) in [*product([False], cells.items()), *product([True], cells.items())]:
        if lit_now and index not in lit:
            continue
        fill = f"window over {name}" if lit_now else name
        style = f"{fill} value"
        if name == "kernel":
            shade = shades[flat(index, figure.layer.kernel_size)]
            fill, style = f"weight shade={shade}", f"weight shade value={shade}"
        paint(picture, cell, fill, "lit" if lit_now else "outline")
        text = in_full(array[index].item()) if array is not None else f"{NAMES[name]} {','.join(map(str, index))}"
        width = "kernelwidth" if small else "valuewidth"
        picture.texts[cell] = (Text(text, style + ", map value" * small, (0.5, 0.5), width),)


def spans(places: Iterable[int]) -> list[tuple[int, int]]:
    """The first and the last of places that are side by side."""
    order = sorted(places)
    starts = [n for n in order if n - 1 not in order]
    return list(zip(starts, [n for n in order if n + 1 not in order], strict=True))


def add_dots(picture: Picture, at: tuple[float, float], down: Mapping[int, int], across: Mapping[int, int]) -> None:
    """Add three dots between neighbouring blocks of some rows and columns."""
    rows, columns = spans(down.values()), spans(across.values())
    middles = [(start - 0.5, (first + last + 1) / 2, True) for start, _ in columns[1:] for first, last in rows]
    middles += [((first + last + 1) / 2, start - 0.5, False) for start, _ in rows[1:] for first, last in columns]
    for x, y, aside in middles:
        for n in (-0.3, 0, 0.3):
            point = (round(at[0] + x + n * aside, 6), round(at[1] + y + n * (not aside), 6), 0.0)
            picture.shapes.append(Line("left out", point, point))


def assert_drawn_with_dots(picture: Picture, expected: Picture) -> None:
    dots = [shape._replace(start=snapped(shape.start), end=snapped(shape.end)) for shape in picture.shapes]
    assert sorted(dots) == sorted(expected.shapes)
    picture.shapes, shapes = [], picture.shapes
    assert_drawn(picture, expected)
    picture.shapes = shapes


def snapped(point: Point) -> Point:
    x, y, z = (round(number, 6) for number in point)
    return x, y, z


def in_map(array: Any, style: str) -> dict[Index, Text]:
    """The values in a small map, made to fit."""
    found = {} if array is None else each(array)
    return {
        index: Text(in_full(value), f"{style}, map value", (0.5, 0.5), "kernelwidth") for index, value in found.items()
    }


def light(picture: Picture, at: tuple[float, float], cells: set[Index], style: str) -> None:
    """Light cells of a map that is drawn already."""
    for row, column in map(two, cells):
        cell = (at[0] + column, at[1] + row, 0)
        picture.fills[cell] = (style,)
        picture.edges |= dict.fromkeys(around(cell), ("lit",))
        if cell in picture.texts:
            picture.texts[cell] = tuple(
                text._replace(style=f"{style} value, map value") for text in picture.texts[cell]
            )


def add_lines(picture: Picture, down: Mapping[int, int], across: Mapping[int, int], top: float) -> None:
    """Add faint lines between the cells of a matrix, and outlines around its blocks."""
    for row, column in product(down.values(), across.values()):
        picture.edges |= dict.fromkeys(around((column, top + row, 0)), ("cropped",))
    for (first, last), (left, right) in product(spans(down.values()), spans(across.values())):
        frame(picture, (left, top + first), (last - first + 1, right - left + 1), "outline")


def direct_matrix(
    picture: Picture,
    layer: Layer,
    met: list[Product],
    rows: Mapping[int, int],
    columns: Mapping[int, int],
    lit: int,
    shades: list[str],
) -> float:
    """That the matrix of the convolution has the layer's rows as columns; gives its height on the paper, below 0."""
    assert_flat(picture)
    height, width = prod(layer.input_size), prod(layer.output_size)
    assert picture.labels == [Label(f"convolution {height} × {width}", "south west", (0, 0, 0))]
    expected = Picture()
    for term in met:
        row, column = flat(term.input, layer.input_size), flat(term.output, layer.output_size)
        if row in columns and column in rows:
            shade = shades[flat(term.kernel, layer.kernel_size)]
            expected.fills[rows[column], columns[row], 0] = (f"weight shade={shade}",)
    add_lines(expected, columns, rows, 0)
    add_dots(expected, (0, 0), columns, rows)
    for first, last in spans(columns.values()):
        frame(expected, (rows[lit], first), (last - first + 1, 1), "lit")
    assert_drawn_with_dots(picture, expected)
    assert picture.matrix is not None
    return picture.matrix[3] * (1 + max(columns.values()))


def assert_matrix(
    figure: Figure,
    picture: Picture,
    lines: tuple[Mapping[int, int], Mapping[int, int]],
    lit: tuple[Index, set[Index]],
    shades: list[str],
) -> None:
    """That a row of the matrix belongs to each output element, and a column to each input element."""
    layer, (rows, columns), (lit_output, seen) = figure.layer, lines, lit
    height, width = 1 + max(rows.values()), 1 + max(columns.values())
    assert_flat(picture)
    top = -height / 2
    above, left, below = picture.labels
    assert (above.text, above.anchor, above.rotate, above.at[0]) == ("inputs", "south", "", width / 2)
    assert (left.text, left.anchor, left.rotate, left.at[1]) == ("outputs", "south", "90", 0)
    name = "transposed matrix" if layer.transposed else "matrix"
    words = f"{name} {prod(layer.output_size)} × {prod(layer.input_size)}"
    assert below == Label(words, "north", (width / 2, top + height, 0))
    # The vectors, in line with columns and rows.
    assert top - 2 < above.at[1] < top - 1
    assert -2 < left.at[0] < -1
    expected = Picture()
    x, y = left.at[0], above.at[1]
    places: dict[Index, Point] = {i: (columns[n], y, 0.0) for i, n in numbered(layer.input_size, columns).items()}
    add_elements(expected, figure, "input", places, seen, shades, small=False)
    add_dots(expected, (0, y), {0: 0}, columns)
    places = {i: (x, top + rows[n], 0.0) for i, n in numbered(layer.output_size, rows).items()}
    add_elements(expected, figure, "output", places, {lit_output}, shades, small=False)
    add_dots(expected, (x, top), rows, {0: 0})
    # The matrix.
    add_lines(expected, rows, columns, top)
    add_dots(expected, (0, top), rows, columns)
    for term in sorted(products(layer), key=lambda term: term.output == lit_output):
        column, row = flat(term.input, layer.input_size), flat(term.output, layer.output_size)
        if column not in columns or row not in rows:
            continue
        cell = (columns[column], top + rows[row], 0)
        style = "window over weight shade" if term.output == lit_output else "weight shade"
        shade = shades[flat(term.kernel, layer.kernel_size)]
        expected.fills[cell] = (f"{style}={shade}",)
        word = "w " + ",".join(map(str, term.kernel))
        if figure.kernel_values is not None:
            word = in_full(figure.kernel_values[term.kernel].item())
        expected.texts[cell] = (Text(word, f"{style} value={shade}", (0.5, 0.5), "valuewidth"),)
        if term.output == lit_output:
            expected.edges |= dict.fromkeys(around(cell), ("outline",))
    for first, last in spans(columns.values()):
        row = rows[flat(lit_output, layer.output_size)]
        frame(expected, (first, top + row), (1, last - first + 1), "lit")
    assert_drawn_with_dots(picture, expected)


def volume(figure: Figure, found: Document) -> None:
    layer = figure.layer
    depth, rows, columns = layer.grid
    size_ = layer.output_size
    height, width, (outputs, tall, wide) = len(rows.cells), len(columns.cells), size_
    steps = list(np.ndindex(*size_))
    steps = [steps[n] for n in figure.frames] if isinstance(figure.frames, tuple) else steps
    assert len(found.frames) == len(steps)
    assert re.findall(r"slice/\.style.*yslant=-([\d.]+)", (PROJECT.templates / "styles.tex").read_text()) == [
        str(SLANT)
    ]
    for (o, r, c), picture in zip(steps, found.frames, strict=True):
        assert_flat(picture)
        right = max(x for (x, y, _), _ in picture.edges if y >= 0)
        pitch = (right - width) / max(len(depth.cells) - 1, 1)
        if len(depth.cells) == 1 < outputs:
            first, second = (label.at[0] for label in picture.labels if label.anchor == "south" and label.text in "01")
            pitch = second - first
        assert picture.reach == ("volume", (max(right, height), 0, 0))
        # No slice is over another one, and none of the output is over the input, whose columns rise to the right.
        assert pitch >= max(width, wide) + 1 or len(depth.cells) == outputs == 1
        top = min(y for _, y, _ in picture.fills)
        assert top + tall < -SLANT * width - 1
        windows = [
            [element.position for element in axis.windows[n]] for axis, n in zip(layer.grid, (o, r, c), strict=True)
        ]
        expected = Picture()
        for n in range(len(depth.cells)):
            covered = set(product(*windows[1:])) if n in windows[0] else set()
            add_moved(expected, slice_of(figure, n, covered), (n * pitch, 0))
        places_ = [centred(depth) + n for n in range(outputs)]
        if layer.direct and outputs != layer.input_size[0]:
            places_ = [sum(element.position for element in window) / len(window) for window in depth.windows]
        lefts = [n * pitch + centred(columns) for n in places_]
        for left in lefts:
            add_map(expected, (left, top), (tall, wide), "output")
        lit: Point = (lefts[o] + c, top + r, 0)
        expected.fills[lit] = ("output", "window")
        expected.edges |= dict.fromkeys(around(lit), ("lit",))
        if all(windows):
            ends = [(min(windows[2]), c), (max(windows[2]) + 1, c + 1)]
            expected.lines = sorted(
                Line("link", (n * pitch + x, windows[1][0], 0), (lefts[o] + end, top + r + 1, 0))
                for n in windows[0]
                for x, end in ends
            )
        numbers = [(n * pitch, cell.input_index) for n, cell in enumerate(depth.cells) if cell.kind == "input"]
        words = [Label(str(n), "north", (x + width / 2, height, 0)) for x, n in numbers]
        words += [Label(str(n), "south", (left + wide, top, 0)) for n, left in enumerate(lefts)]
        words += [Label(f"input {size(layer.input_size)}", "east", (0, height / 2, 0))]
        words += [Label(f"output {size(size_)}", "east", (lefts[0], top + tall / 2, 0))]
        assert picture.labels == [label._replace(at=snapped(label.at)) for label in words]
        assert_drawn_at(picture, expected)
        assert_parameters(layer, picture.parameters)


# By how many rows the slices of a volume rise for each of their columns.
SLANT = 0.35


def assert_drawn_at(picture: Picture, expected: Picture) -> None:
    """That a picture is the one that is expected, to the sixth decimal of a place."""
    expected.fills = {snapped(cell): look for cell, look in expected.fills.items()}
    expected.edges = {edge_at(edge): look for edge, look in expected.edges.items()}
    lines = [Line(line.style, snapped(line.start), snapped(line.end)) for line in expected.lines]
    expected.lines = sorted(lines)
    assert_drawn(picture, expected)


def slice_of(figure: Figure, number: int, covered: set[Index]) -> Picture:
    """A slice of the input, under a window that covers some of its cells."""
    cell = figure.layer.grid[0].cells[number]
    plane = replace(figure, layers=(replace(figure.layer, axes=figure.layer.axes[1:]),))
    drawn = Expected(plane, (0, 0, 0))
    if cell.kind != "input":
        drawn.places = {at: found for at, place in drawn.places.items() if (found := beyond(cell, place)) is not None}
    return drawn.input(covered, {})


def beyond(cell: Cell, place: Place) -> Place | None:
    """What becomes of a cell of a plane in a slice that holds no elements of its own; None where nothing is drawn."""
    if cell.kind == "overhang" or place.kind == "overhang":
        return Place("overhang", None)
    if cell.kind == "cropped":
        return Place("cropped", place.input_index)
    if place.kind == "cropped":
        return None
    held = cell.input_index is not None and place.input_index is not None
    return Place("copy", place.input_index) if held else Place("padding", None)


def add_moved(picture: Picture, part: Picture, by: tuple[float, float]) -> None:
    """Add a picture, moved to another place."""
    for (x, y, z), look in part.fills.items():
        picture.fills[x + by[0], y + by[1], z] = look
    for (x, y, z), texts in part.texts.items():
        picture.texts[x + by[0], y + by[1], z] = texts
    for ((x, y, z), run), lines in part.edges.items():
        picture.edges[(x + by[0], y + by[1], z), run] = lines


def im2col(figure: Figure, found: Document) -> None:
    layer = figure.layer
    outputs, kernel = list(np.ndindex(*layer.output_size)), list(np.ndindex(*layer.kernel_size))
    rows, columns = grid_of(figure)
    names = ["patches as columns", "kernel as a row", "output as a row"]
    names = [f"input {size(layer.input_size)}", *names, f"output {size(layer.output_size)}"]
    widths = [len(columns.cells), len(outputs), len(kernel), len(outputs), in_rows(layer.output_size)[1]]
    assert len(found.frames) == len(outputs)
    for lit, picture in enumerate(found.frames):
        assert_flat(picture)
        middles = labels(picture, "south", names)
        corners = [(x - width / 2, y) for (x, y), width in zip(middles, widths, strict=True)]
        input_at, patches_at, kernel_at, row_at, map_at = corners
        assert input_at == (0, 0)
        # Columns are in line with their results, and nothing is over anything else.
        assert row_at == (patches_at[0], kernel_at[1])
        assert patches_at[1] + len(kernel) == max(len(rows.cells), len(kernel))
        assert row_at[1] > patches_at[1] + len(kernel)
        assert patches_at[0] > max(len(columns.cells), len(kernel))
        assert kernel_at[0] + len(kernel) + 2 == patches_at[0]
        assert map_at[0] > patches_at[0] + len(outputs)
        assert map_at[1] + in_rows(layer.output_size)[0] >= row_at[1] + 1
        assert map_at[1] > 0

        expected = Expected(figure, (0, 0, 0)).input(set(), {})
        for (r, c), place in places(figure).items():
            expected.texts[c, r, 0] = (held_text(figure, place.input_index, place.kind),)
        for place, (r, c) in patch(figure, outputs[lit]):
            paint(expected, (c, r, 0), f"window over {place.kind}", "lit")
            expected.texts[c, r, 0] = (held_text(figure, place.input_index, f"window over {place.kind}"),)
        add_empty(expected, patches_at, (len(kernel), len(outputs)))
        add_empty(expected, row_at, (1, len(outputs)))
        weights = figure.kernel_values
        words = [f"w {','.join(map(str, k))}" if weights is None else as_given(weights[k]) for k in kernel]
        texts: dict[Index, Text] = {
            (0, n): Text(word, "weight value, map value", (0.5, 0.5), "kernelwidth") for n, word in enumerate(words)
        }
        add_map(expected, kernel_at, (1, len(kernel)), "weight", texts)
        add_empty(expected, map_at, layer.output_size)
        add_columns(expected, figure, patches_at, outputs, lit)
        add_results(expected, figure, [(row_at, [(0, n) for n in range(len(outputs))]), (map_at, outputs)], lit)
        assert_drawn(picture, expected)
        assert_parameters(layer, picture.parameters, as_convolution=False)


def patch(figure: Figure, output: Index) -> list[tuple[Any, Index]]:
    """What the window of an output element covers, and in which row and column."""
    windows = [axis.windows[o] for axis, o in zip(grid_of(figure), two(output), strict=True)]
    covered = [(r.position, c.position) for r, c in product(*windows)]
    return [(places(figure)[position], position) for position in covered]


def add_columns(expected: Picture, figure: Figure, at: tuple[float, float], outputs: list[Index], lit: int) -> None:
    """Add the patches up to the lit one, all of a kind at a time."""
    kernel = list(np.ndindex(*figure.layer.kernel_size))
    held = {(met.output, met.kernel): met.input for met in products(figure.layer)}
    kinds = ("input", "copy", "padding")
    for kind, n in [*product(kinds, range(lit)), *((kind, lit) for kind in kinds)]:
        for row, (place, _) in enumerate(patch(figure, outputs[n])):
            assert held.get((outputs[n], kernel[row])) == place.input_index
            if place.kind == kind:
                cell = (at[0] + n, at[1] + row, 0)
                dashed = n < lit and kind == "padding"
                fill = f"window over {kind}" if n == lit else kind
                paint(
                    expected, cell, None if dashed else fill, "padding" if dashed else "lit" if n == lit else "outline"
                )
                expected.texts[cell] = (held_text(figure, place.input_index, fill),)
    left, top = at[0] + lit, at[1]
    expected.edges |= {((left, top + y, 0), "across"): ("lit",) for y in (0, len(kernel))}
    expected.edges |= {((left + x, top + y, 0), "down"): ("lit",) for x in (0, 1) for y in range(len(kernel))}


def add_results(expected: Picture, figure: Figure, maps: list[tuple[Any, list[Index]]], lit: int) -> None:
    """Add the results up to the lit one to maps, each with its corner and the places in it."""
    results = [] if figure.output_values is None else list(output_of(figure.layer, figure).values())
    for (x, y), indices in maps:
        for n, (row, column) in enumerate(map(two, indices[: lit + 1])):
            cell = (x + column, y + row, 0)
            fill = "window over output" if n == lit else "output"
            paint(expected, cell, fill, "lit" if n == lit else "outline")
            if results:
                style = f"{fill} value, map value"
                word = as_rounded(results[n], decimals_of(results))
                expected.texts[cell] = (Text(word, style, (0.5, 0.5), "kernelwidth"),)


def held_text(figure: Figure, index: Index | None, fill: str) -> Text:
    """What a cell of some kind says of the input element that it holds, if any."""
    style = f"{fill} value, map value"
    word = "0"
    if index is not None:
        word = f"x {','.join(map(str, index))}" if figure.input_values is None else as_given(figure.input_values[index])
    return Text(word, style, (0.5, 0.5), "kernelwidth")


def add_empty(picture: Picture, at: tuple[float, float], rows_and_columns: Index) -> None:
    """Add the faint cells of a map that is still empty."""
    for row, column in np.ndindex(*in_rows(rows_and_columns)):
        paint(picture, (at[0] + column, at[1] + row, 0), None, "cropped")


def paint(picture: Picture, cell: Point, fill: str | None, line: str) -> None:
    """Paint a cell over what is there; dashed lines do not hide those below them."""
    if fill is not None:
        picture.fills[cell] = (fill,)
    for edge in map(edge_at, around(cell)):
        under = tuple(other for other in picture.edges.get(edge, ()) if other != line) if line == "padding" else ()
        picture.edges[edge] = (*under, line)


def gradient_of(figure: Figure) -> Any:
    """The gradient of a figure's output: that of its sum where none is given."""
    given = figure.output_gradient
    return np.ones(figure.layer.output_size, int) if given is None else given


def gradient_of_input(figure: Figure, found: Document) -> None:
    layer, operands = figure.layer, (gradient_of(figure), figure.kernel_values)
    kernel = "kernel" if layer.transposed else "rotated kernel"
    terms = [(met.input, met.kernel, met.output) for met in products(layer)]
    names = ("output gradient", kernel, "input gradient")
    assert_gradient(figure, found, input_gradient(layer), operands, terms, names)


def gradient_of_kernel(figure: Figure, found: Document) -> None:
    layer, operands, names = figure.layer, (figure.input_values, gradient_of(figure)), ("input", "output gradient")
    terms = [(met.kernel, met.output, met.input) for met in products(layer)]
    if layer.transposed:
        operands, names = operands[::-1], names[::-1]
        terms = [(kernel, input_, output) for kernel, output, input_ in terms]
    assert_gradient(figure, found, kernel_gradient(layer), operands, terms, (*names, "kernel gradient"))


def assert_gradient(
    figure: Figure,
    found: Document,
    backward: Layer,
    operands: tuple[Any, Any],
    terms: list[tuple[Index, Index, Index]],
    names: tuple[str, str, str],
) -> None:
    """That a gradient is drawn as the convolution that has some terms: element of the gradient, kernel and input."""
    input_values, weights = operands
    sums = np.zeros(backward.output_size)
    for index, kernel_index, input_index in terms:
        sums[index] += weights[kernel_index] * input_values[input_index]
    shown = replace(
        figure,
        view="numerical",
        layers=(backward,),
        input_values=input_values,
        kernel_values=weights,
        output_values=sums,
    )
    expected = Expected(shown, output_origin(shown, found.frames[0]))
    for picture, frame in zip(found.frames, frames(backward, None), strict=True):
        met = [(term.kernel_index, term.input_index) for term in frame.terms if term.input_index is not None]
        assert sorted(met) == sorted(term[1:] for term in terms if term[0] == frame.output_index)
        assert_kernel(shown, picture, names[1])
        assert_drawn(replace(picture, beside={}), expected.frame(frame))
    assert_labelled(shown, found.frames[0], (names[0], names[2]))
    assert_in_columns(figure.layer, backward, found.frames[0].parameters)


def assert_in_columns(layer: Layer, backward: Layer, rows: list[list[str]] | None) -> None:
    """That the parameters of a layer are beside those of the convolution that computes its gradient."""
    assert rows is not None
    assert rows[0] == ["", "layer", "its gradient, as convolution"]
    n, said = len(layer.axes), {name: (mine, drawn) for name, mine, drawn in rows[1:]}
    assert len(said) == len(rows) - 1
    mine = parameters_in(", ".join(f"{name} {words}" for name, (words, _) in said.items()), n)
    dilated = {"dilation": [axis.dilation for axis in layer.axes]} if "dilation" in said else {}
    assert mine == {key: value for key, value in own(layer).items() if key != "padded with"} | dilated
    drawn = {name: words for name, (_, words) in said.items() if name != "output padding"}
    kernel, *turned = drawn["kernel"].split(", ")
    assert turned == (["rotated 180°"] if backward.transposed else [])
    assert per_axis(kernel, n) == [axis.kernel_size for axis in backward.axes]
    stride, *apart = drawn["stride"].split(", ")
    # Each axis as it is in the table of the formulas: of the input, inputs come apart, of the kernel, the windows.
    before, after = np.array([axis.padding for axis in backward.direct]).T
    assert sides(drawn["padding"], n) == list(zip(before.tolist(), after.tolist(), strict=True))
    if backward.transposed:
        assert per_axis(stride, n) == [1] * n
        assert apart == ([f"inputs {once_of(mine['stride'])} apart"] if max(mine["stride"]) > 1 else [])
    else:
        assert (per_axis(stride, n), apart) == ([axis.stride for axis in backward.axes], [])
    dilations = per_axis(drawn.get("dilation", "1"), n)
    assert dilations == [axis.dilation for axis in backward.axes]


def once_of(numbers: list[int]) -> str:
    """Numbers of all axes, a single one where they agree."""
    return str(numbers[0]) if len({*numbers}) == 1 else " × ".join(map(str, numbers))


def shares(mode: str, index: Index, factors: Index, size: Index) -> dict[Index, float]:
    """The elements that an up-sampled one is made of: those whose tents reach its place, or the nearest."""
    found = {}
    for source in np.ndindex(*size):
        share = 1.0
        for o, i, factor, length in zip(index, source, factors, size, strict=True):
            place = min(max((o + 0.5) / factor - 0.5, 0), length - 1)
            share *= (i == o // factor) if mode == "nearest" else max(1 - abs(place - i), 0)
        if share > 1e-9:
            found[source] = share
    return found


def upsampling(figure: Figure, found: Document) -> None:
    layer = figure.layer
    assert figure.input_values is not None
    assert figure.kernel_values is not None
    flat, outputs = len(layer.axes) == 1, list(np.ndindex(*layer.output_size))
    names = ["nearest", "linear" if flat else "bilinear", "transposed convolution"]
    factors = tuple(axis.stride for axis in layer.axes)
    weights = [{o: shares(mode, o, factors, layer.input_size) for o in outputs} for mode in ("nearest", "linear")]
    weights.append(
        {o: {m.input: figure.kernel_values[m.kernel].item() for m in products(layer) if m.output == o} for o in outputs}
    )
    sums = [{o: sum(w * figure.input_values[i].item() for i, w in one[o].items()) for o in outputs} for one in weights]
    (height, width), (_, out_width) = in_rows(layer.input_size), in_rows(layer.output_size)
    assert len(found.frames) == len(outputs)
    for lit, picture in zip(outputs, found.frames, strict=True):
        assert_flat(picture)
        expected = Picture()
        ends = (0.0, 0.0)
        for (x, y), one, results in zip(
            labels(picture, "east" if flat else "south", names), weights, sums, strict=True
        ):
            # The input is over the middle of its output.
            middle = out_width / 2 if flat else x
            input_at = (middle - width / 2, min(c[1] for c in picture.fills if c[1] >= ends[1] - 1e-9) if flat else y)
            tops = {c[1] for c, look in picture.fills.items() if "output" in look[0] and c[1] > input_at[1]}
            output_at = (middle - out_width / 2, min(tops))
            assert flat == (y == output_at[1] + 0.5)
            assert ends[0] <= output_at[0]
            assert ends[1] <= input_at[1]
            assert input_at[1] + height < output_at[1]
            ends = (0, output_at[1] + 1) if flat else (output_at[0] + out_width, 0)
            add_map(expected, input_at, layer.input_size, "input", values(each(figure.input_values), "input value"))
            add_map(expected, output_at, layer.output_size, "output", rounded(results, "output value"))
            for index, weight in one[lit].items():
                light_cell(expected, input_at, index, "window over input", figure.input_values[index].item(), weight)
            light_cell(expected, output_at, lit, "window over output", rounded(results, "")[lit])
        assert_drawn(picture, expected)
        assert_parameters(layer, picture.parameters, as_convolution=False)


def rounded(results: dict[Index, float], style: str) -> dict[Index, Text]:
    """Computed numbers of a map, rounded alike."""
    decimals = decimals_of([float(value) for value in results.values()])
    return {index: number_text(as_rounded(value, decimals), style) for index, value in results.items()}


def light_cell(
    picture: Picture, at: tuple[float, float], index: Index, fill: str, content: Any, weight: float | None = None
) -> None:
    """Light a cell of a map, with its number and the small one beside it."""
    row, column = two(index)
    cell = (round(at[0] + column, 6), round(at[1] + row, 6), 0)
    picture.fills[cell] = (fill,)
    picture.edges |= {edge_at(edge): ("lit",) for edge in around(cell)}
    text = content if isinstance(content, Text) else number_text(as_given(content), "")
    picture.texts[cell] = (text._replace(style=f"{fill} value"),)
    if weight is not None:
        small = number_text(as_given(round(weight, 2)), f"{fill} value, kernel value", (1, 1), "kernelwidth")
        picture.texts[cell] += (small,)


def pixel_shuffle(figure: Figure, found: Document) -> None:
    layer = figure.layer
    assert figure.input_values is not None
    assert figure.kernel_values is not None
    results = output_of(layer, figure)
    down, right = two(tuple(axis.stride for axis in layer.axes)) if len(layer.axes) == 2 else (1, layer.axes[0].stride)
    (rows, columns), (_, out_columns) = in_rows(layer.input_size), in_rows(layer.output_size)
    count = down * right
    names = [
        f"input {size(layer.input_size)}",
        *(f"channel {n}" for n in range(count)),
        f"output {size(layer.output_size)}",
    ]
    widths = [columns] * (count + 1) + [out_columns]
    texts = rounded(results, "")
    # Channel by channel, each of which has every s-th element.
    order = [
        (n, (r * down + n // right, c * right + n % right), (r, c))
        for n in range(count)
        for r, c in np.ndindex(rows, columns)
    ]
    assert len(found.frames) == len(order)
    for (channel, place, inner), picture in zip(order, found.frames, strict=True):
        assert_flat(picture)
        corners = [(x - w / 2, y) for (x, y), w in zip(labels(picture, "south", names), widths, strict=True)]
        input_at, *channels_at, output_at = corners
        assert input_at[0] == 0
        assert all(input_at[0] + columns < x and x + columns < output_at[0] for x, _ in channels_at)
        # No two channels overlap.
        assert all(
            abs(a[0] - b[0]) > columns or abs(a[1] - b[1]) > rows for a, b in product(channels_at, repeat=2) if a != b
        )
        assert len({*channels_at}) == count
        expected = Picture()
        add_map(expected, input_at, layer.input_size, "input", values(each(figure.input_values), "input value"))
        for index, text in texts.items():
            row, column = two(index)
            n = row % down * right + column % right
            cell: dict[Index, Text] = {(0, 0): text._replace(style=f"tint value={n % 4}")}
            add_map(
                expected,
                (channels_at[n][0] + column // right, channels_at[n][1] + row // down),
                (1, 1),
                f"tint={n % 4}",
                cell,
            )
            add_map(expected, (output_at[0] + column, output_at[1] + row), (1, 1), f"tint={n % 4}", cell)
        for met in products(layer):
            if two(met.output) == place:
                weight = figure.kernel_values[met.kernel].item()
                light_cell(expected, input_at, met.input, "window over input", figure.input_values[met.input].item())
                small = number_text(as_given(weight), "window over input value, kernel value", (1, 1), "kernelwidth")
                r, c = two(met.input)
                expected.texts[input_at[0] + c, input_at[1] + r, 0] += (small,)
        text = texts[place[-len(layer.axes) :]]
        light_cell(expected, channels_at[channel], inner, "window over output", text)
        light_cell(expected, output_at, place, "window over output", text)
        assert_drawn(picture, expected)
        assert_parameters(layer, picture.parameters, as_convolution=False)


def partial(figure: Figure, found: Document) -> None:
    layer, met = figure.layer, products(figure.layer)
    assert figure.input_values is not None
    assert figure.kernel_values is not None
    assert figure.mask is not None
    valid = [term for term in met if figure.mask[term.input]]
    counts = Counter(term.output for term in valid)
    sums = np.zeros(layer.output_size)
    for term in valid:
        share = prod(layer.kernel_size) / counts[term.output]
        sums[term.output] += share * figure.kernel_values[term.kernel] * figure.input_values[term.input]
    shown = replace(figure, view="numerical", output_values=sums)
    x, y, z = output_origin(shown, found.frames[0])
    expected = Expected(shown, (x, y, z))
    _, out_columns = in_rows(layer.output_size)
    holes = {
        index for index, place in places(figure).items() if place.input_index and not figure.mask[place.input_index]
    }
    for picture, step in zip(found.frames, frames(layer, None), strict=True):
        *two_labels, third = picture.labels
        is_row = len(layer.axes) == 1
        assert (third.text, third.anchor) == ("valid elements", "east" if is_row else "south")
        # As far from the output as that is from the input.
        left, top = (x, third.at[1] - 0.5) if is_row else (third.at[0] - out_columns / 2, y)
        _, grid_columns = grid_of(figure)
        if is_row:
            assert third.at[0] == left
            assert top - y == pytest.approx(y)
        else:
            assert left - x - out_columns == pytest.approx(x - len(grid_columns.cells))
            assert third.at[1] == top
        assert_labelled(shown, replace(picture, labels=two_labels))
        assert_kernel(shown, picture)
        drawn = expected.frame(step)
        covered = {two(term.position) for term in step.terms}
        for r, c in holes:
            drawn.fills[c, r, 0] = ("window over hole",) if (r, c) in covered else ("hole",)
            drawn.texts[c, r, 0] = ()
        add_map(
            drawn,
            (left, top),
            layer.output_size,
            "weight",
            values({o: counts[o] for o in np.ndindex(*layer.output_size)}, "weight value"),
        )
        for index in np.ndindex(*layer.output_size):
            row, column = two(index)
            if counts[index] == 0:
                lit = index == step.output_index
                drawn.fills[x + column, y + row, 0] = ("window over hole" if lit else "hole",)
                drawn.texts[x + column, y + row, 0] = ()
        light_cell(
            drawn,
            (left, top),
            step.output_index,
            "window over weight",
            Text(str(counts[step.output_index]), "", (0.5, 0.5), None),
        )
        assert_drawn(replace(picture, beside={}), drawn)
    assert_parameters(layer, found.frames[0].parameters)


def deformable(figure: Figure, found: Document) -> None:
    layer = figure.layer
    assert figure.input_values is not None
    assert figure.kernel_values is not None
    assert figure.offset is not None
    down, right = layer.axes
    outputs, kernel = list(np.ndindex(*layer.output_size)), list(np.ndindex(*layer.kernel_size))
    starts, ends, samples = dict[Any, Point](), dict[Any, Point](), dict[Any, float]()
    for o, (t, k) in product(outputs, enumerate(kernel)):
        y, x = (a.stride * n + a.dilation * j for a, n, j in zip(layer.axes, o, k, strict=True))
        dy, dx = (figure.offset[(2 * t + n, *o)].item() for n in (0, 1))
        starts[o, k], ends[o, k] = (x + 0.5, y + 0.5, 0), (x + dx + 0.5, y + dy + 0.5, 0)
        tents = (
            max(0, 1 - abs(y + dy - down.padding[0] - i)) * max(0, 1 - abs(x + dx - right.padding[0] - j)) * value
            for (i, j), value in each(figure.input_values).items()
        )
        samples[o, k] = sum(tents)
    sums = {o: sum(samples[o, k] * figure.kernel_values[k].item() for k in kernel) for o in outputs}
    decimals = decimals_of(list(samples.values()))
    texts = rounded(sums, "")
    rows, columns = (len(axis.cells) for axis in layer.grid)
    _, width = layer.kernel_size
    names = [f"input {size(layer.input_size)}", "samples", f"output {size(layer.output_size)}"]
    assert len(found.frames) == len(outputs)
    for lit, picture in zip(outputs, found.frames, strict=True):
        assert_flat(picture)
        input_at, (x, y), (out_x, out_y) = labels(picture, "south", names)
        samples_at, output_at = (x - width / 2, y), (out_x - layer.output_size[1] / 2, out_y)
        expected = Expected(figure, (0, 0, 0)).input(set(), {})
        room = [min(0, floor(min(end[n] for end in ends.values()))) for n in (0, 1)]
        room += [max(size, ceil(max(end[n] for end in ends.values()))) for n, size in enumerate((columns, rows))]
        assert input_at == (columns / 2, room[1])
        assert room[2] < samples_at[0] < samples_at[0] + width < output_at[0]
        if room != [0, 0, columns, rows]:
            cells = [*product(range(columns), range(rows))]
            inner = Counter(edge for c, r in cells for edge in around((c, r, 0)))
            everywhere = product(range(room[0], room[2]), range(room[1], room[3]))
            beyond = {edge for c, r in everywhere for edge in around((c, r, 0)) if inner[edge] < 2}
            for edge in beyond:
                under = expected.edges.get(edge, ())
                expected.edges[edge] = under if under == ("outline",) else ("overhang", *under)
        for (r, c), place in places(figure).items():
            if place.input_index is not None:
                word = as_given(figure.input_values[place.input_index].item())
                expected.texts[c, r, 0] = (number_text(word, "input value, kernel value", (1, 1), "kernelwidth"),)
        add_empty(expected, samples_at, layer.kernel_size)
        for k in kernel:
            r, c = k
            value = number_text(as_rounded(samples[lit, k], decimals), "copy value")
            add_map(expected, (samples_at[0] + c, samples_at[1] + r), (1, 1), "copy", {(0, 0): value})
            small = number_text(
                as_given(figure.kernel_values[k].item()), "copy value, kernel value", (1, 1), "kernelwidth"
            )
            expected.texts[samples_at[0] + c, samples_at[1] + r, 0] += (small,)
            start, end = starts[lit, k], ends[lit, k]
            expected.shapes += [Line("tap", start, start), Line("sample", end, end)]
            if (start[0] - end[0]) ** 2 + (start[1] - end[1]) ** 2 >= 0.16:
                expected.lines.append(Line("offset, -latex", start, end))
        expected.lines.sort()
        add_map(
            expected,
            output_at,
            layer.output_size,
            "output",
            {o: t._replace(style="output value") for o, t in texts.items()},
        )
        light_cell(expected, output_at, lit, "window over output", texts[lit])
        assert_drawn_with_shapes(picture, expected)
        assert_parameters(layer, picture.parameters)


def streaming(figure: Figure, found: Document) -> None:
    layer = figure.layer
    (axis,), inputs = layer.axes, [None] * layer.input_size[0]
    kept = axis.dilation * (axis.kernel_size - 1)
    held = inputs if figure.input_values is None else figure.input_values.tolist()
    weights = [None] * axis.kernel_size if figure.kernel_values is None else figure.kernel_values.tolist()
    results = [] if figure.input_values is None else list(output_of(layer, figure).values())

    def cell(picture: Picture, at: tuple[float, float], fill: str, line: str, text: tuple[str, str] | None) -> None:
        paint(picture, (*at, 0), None if fill == "padding" else fill, line)
        if text is not None:
            style = "cropped value" if fill == "cropped input" else f"{fill} value"
            word = f"{text[0]} {text[1]}" if text[0] else text[1]
            picture.texts[*at, 0] = (Text(word, style, (0.5, 0.5), "valuewidth"),)

    def sample(n: int) -> tuple[str, str]:
        number = held[n] if n >= 0 else 0
        return ("x", str(n)) if number is None else ("", in_full(number))

    assert len(found.frames) == len(inputs)
    for t, picture in enumerate(found.frames):
        assert_flat(picture)
        east = [label for label in picture.labels if label.anchor == "east"]
        (new,) = [label for label in picture.labels if label.anchor == "west"]
        assert [label.text for label in east] == [
            f"output {size(layer.output_size)}",
            f"input {size(layer.input_size)}",
            "buffer",
            "kernel",
        ]
        output_at, input_at, buffer_at, kernel_at = [(label.at[0], label.at[1] - 0.5) for label in east]
        assert new.text == "new sample"
        at_new = (new.at[0] - 1, new.at[1] - 0.5)
        assert at_new[1] == buffer_at[1]
        assert at_new[0] > buffer_at[0] + kept
        assert output_at == (kept, output_at[1])
        assert input_at == buffer_at[:1] + input_at[1:] == (0, 0)
        assert output_at[1] + 1 < 0 < 1 < buffer_at[1] < buffer_at[1] + 1 < kernel_at[1]
        expected = Picture()
        for n in range(len(inputs)):
            paint(expected, (kept + n, 0, 0), None, "cropped")
            paint(expected, (kept + n, output_at[1], 0), None, "cropped")
        for n in range(kept):
            paint(expected, (n, 0, 0), None, "padding")
        # The kernel, below what it meets.
        columns = [*range(kept), at_new[0]]
        for j, weight in enumerate(weights):
            word = ("w", str(j)) if weight is None else ("", in_full(weight))
            cell(expected, (columns[axis.dilation * j], kernel_at[1]), "weight", "outline", word)
        for n in range(t - kept):
            cell(expected, (kept + n, 0), "cropped input", "cropped", sample(n))
        for place in range(t, t + kept):
            n = place - kept
            cell(expected, (place, 0), *(("padding", "padding") if n < 0 else ("input", "outline")), sample(n))
        cell(expected, (kept + t, 0), "window over input", "lit", sample(t))
        frame(expected, (t, 0), (1, kept), "lit")
        met = {t - kept + axis.dilation * j for j in range(axis.kernel_size)}
        for n, column in zip(range(t - kept, t + 1), columns, strict=True):
            kind = "input" if n >= 0 else "padding"
            looks = (f"window over {kind}", "lit") if n in met else (kind, "outline" if n >= 0 else "padding")
            cell(expected, (column, buffer_at[1]), *looks, sample(n))
        frame(expected, buffer_at, (1, kept), "lit")
        for n in range(t + 1):
            looks = ("window over output", "lit") if n == t else ("output", "outline")
            text = ("", as_rounded(results[n], decimals_of(results))) if results else None
            cell(expected, (kept + n, output_at[1]), *looks, text)
        assert_drawn(picture, expected)
        assert_parameters(layer, picture.parameters, as_convolution=False)


class Drawn(NamedTuple):
    """A map of a stack: the layers up to it, its label, and the maps below it, each with the layer between, if any."""

    stack: Stack
    size: Index
    words: list[str]
    below: list[tuple[int, Layer | None]]


def maps_of(stack: Stack) -> list[Drawn]:
    """All maps of a stack from the input up; of two axes, a skip connection has one of its own."""
    found = [Drawn((), stack[0].input_size, ["input"], [])]
    grow(found, stack, 0)
    return found


def grow(found: list[Drawn], stack: Stack, bottom: int) -> int:
    for step in stack:
        below = found[bottom]
        if isinstance(step, Layer):
            found.append(Drawn((*below.stack, step), step.output_size, words_of(step), [(bottom, step)]))
        else:
            tops = []
            for branch in reversed(step.branches):
                if not branch and len(below.size) == 2:
                    found.append(Drawn(below.stack, below.size, ["identity"], [(bottom, None)]))
                    tops.append(len(found) - 1)
                else:
                    tops.append(grow(found, branch, bottom))
            joined: list[tuple[int, Layer | None]] = [(top, None) for top in tops]
            found.append(Drawn((*below.stack, step), step.output_size, ["joined"], joined))
        bottom = len(found) - 1
    return bottom


def words_of(layer: Layer) -> list[str]:
    name = layer.operation.name
    words = {"convolution": [], "transposed_convolution": ["transposed"]}.get(name, [name.replace("_", " ")])
    if name.startswith(("global", "adaptive")):
        return words
    kernel, stride, dilation = (
        once([getattr(axis, key) for axis in layer.axes]) for key in ("kernel_size", "stride", "dilation")
    )
    numbers = [f"{'kernel' if 'convolution' in name else 'window'} {kernel}"]
    return words + numbers + [f"{key} {n}" for key, n in (("stride", stride), ("dilation", dilation)) if n != "1"]


def once(numbers: list[Any]) -> str:
    return str(numbers[0]) if len(set(numbers)) == 1 else " × ".join(map(str, numbers))


def fields_in_words(map_: Drawn) -> list[str]:
    """The size, the jump and the start of the fields of a map's elements."""
    found = [field(receptive.along(map_.stack, axis)) for axis in range(len(map_.size))]
    sizes = [f"{one.sizes[0]}–{one.sizes[-1]}" if len(one.sizes) > 1 else str(one.size) for one in found]
    return [once(sizes), once([str(one.jump) for one in found]), once([as_given(one.start) for one in found])]


def reached(maps: list[Drawn], output: Index) -> Iterator[list[Counter[Index]]]:
    """How many paths lead to the elements of each map so far: at the output element, and after each step down."""
    found = [Counter[Index]() for _ in maps]
    found[-1][output] = 1
    yield [Counter(numbers) for numbers in found]
    for upper in range(len(maps) - 1, 0, -1):
        for lower, layer in maps[upper].below:
            met = (
                Counter((o, o) for o in found[upper])
                if layer is None
                else Counter(each[:2] for each in products(layer))
            )
            for (o, i), ways in met.items():
                if found[upper][o]:
                    found[lower][i] += ways * found[upper][o]
        yield [Counter(numbers) for numbers in found]


def receptive_field(figure: Figure, found: Document) -> None:
    maps = maps_of(figure.layers)
    flat = len(maps[0].size) == 1
    output = tuple(most_seen(maps, axis) for axis in range(len(maps[0].size)))
    numbers = [*reached(maps, output)]
    assert len(numbers) == len(maps)
    shown = figure.frames if isinstance(figure.frames, tuple) else range(len(numbers) + 1)
    assert len(found.frames) == len(shown)
    for number, picture in zip(shown, found.frames, strict=True):
        seen = numbers[min(number, len(numbers) - 1)]
        old = seen if number == len(numbers) else numbers[number - 1] if number else [Counter() for _ in maps]
        styles = [
            {index: f"seen {'output' if level else 'input'}{'' if index in old[level] else ', lit'}" for index in one}
            for level, one in enumerate(seen)
        ]
        ways = seen[0] if number == len(numbers) else Counter()
        styles[0] |= {index: f"paths={percent(count, ways)}" for index, count in ways.items()}
        (assert_rows if flat else assert_maps)(picture, maps, styles, ways, max(len(maps) - number, 1))
        if len(maps) > 2 or isinstance(figure.layers[0], Branches):
            assert picture.parameters in (None, [[figure.note.rstrip(".")]])
        else:
            assert_parameters(figure.layer, picture.parameters, as_convolution=False)


def percent(count: int, counts: Counter[Index]) -> int:
    return round(Fraction(100 * count, max(counts.values())))


def most_seen(maps: list[Drawn], axis: int) -> int:
    """The output element that sees most of the input along an axis, or the one in the middle of these."""
    network, size = receptive.along(maps[-1].stack, axis), maps[-1].size[axis]
    ends = [receptive.seen(network, n, n) for n in range(size)]
    inside = [len({*range(maps[0].size[axis])} & {*range(first, last + 1)}) for first, last in ends]
    best = [n for n in range(size) if inside[n] == max(inside)]
    return min(best, key=lambda n: (abs(n - size / 2), n))


def assert_rows(
    picture: Picture,
    maps: list[Drawn],
    styles: list[dict[Index, str]],
    ways: Counter[Index],
    followed: int,
) -> None:
    """The steps down from the maps since `followed` have been drawn."""
    names = [label for label in picture.labels if label.anchor == "east"]
    beside = [label for label in picture.labels if label.anchor == "mid"]
    assert len(names) + len(beside) == len(picture.labels)
    assert [re.split(", |\n", label.text) for label in names] == [map_.words for map_ in maps]
    fields = [field(receptive.along(map_.stack)) for map_ in maps]
    causal = is_causal(fields)
    unit = min(one.jump for one in fields)
    points = list[dict[int, Point]]()
    for map_, one, label in zip(maps, fields, names, strict=True):
        lane = label.at[0] - names[0].at[0]
        ends = [(one.last if causal else one.centre) + one.jump * n for n in range(*map_.size)]
        if not causal and all(isinstance(layer, Layer) for layer in map_.stack):
            layers = tuple(layer for layer in map_.stack if isinstance(layer, Layer))
            assert [round(float(end), 6) for end in ends] == [place(layers, n) for n in range(*map_.size)]
        points.append({n: (round(float(end / unit) + lane, 6), label.at[1], 0) for n, end in enumerate(ends)})
        assert label.at[0] < min(points[-1].values())[0]
    # From the input up, without any two maps in one place.
    assert all(min(maps_above) < row for row, maps_above in rows_above(maps, names))
    extents = sorted((row[0][1], row[0][0], max(row.values())[0]) for row in points)
    assert all(left[0] < right[0] or left[2] + 4 < right[1] for left, right in pairwise(extents))
    # The fields of each map in its row, on its right.
    for number, (map_, row) in enumerate(zip(maps, points, strict=True)):
        size_, jump, start = beside[3 * number : 3 * number + 3]
        assert [size_.text, jump.text, start.text] == fields_in_words(map_)
        assert max(row.values())[0] < size_.at[0] < jump.at[0] < start.at[0]
        assert {label.at[1] for label in (size_, jump, start)} == {row[0][1]}
    heads = beside[3 * len(maps) :]
    columns = {label.at[0] for label in beside[: 3 * len(maps)]}
    assert sorted(label.at[0] for label in heads) == sorted(columns)
    for label in heads:
        texts = [other for other in beside if other.at[0] == label.at[0]]
        assert label.at[1] == min(other.at[1] for other in texts)
        assert label.text == ("size", "jump", "start")[beside.index(texts[0]) % 3]
    # The elements, the lines between those that are seen, and the numbers of paths.
    expected = {at: styles[level].get((n,), "unseen") for level, row in enumerate(points) for n, at in row.items()}
    assert {shape.start: shape.style for shape in picture.shapes} == expected
    lines = set[Line]()
    for upper, map_ in enumerate(maps):
        for lower, layer in map_.below:
            met = [((n,), (n,)) for n in range(*map_.size)] if layer is None else [each[:2] for each in products(layer)]
            style = "link to[skip]" if map_.stack[:-1] == maps[lower].stack and layer is None else "link"
            lines |= {
                Line(style, points[upper][o], points[lower][i])
                for (o,), (i,) in met
                if (o,) in styles[upper] and upper >= followed
            }
    assert {*picture.lines} == lines
    written = {index: str(count) for index, count in ways.items() if max(ways.values()) <= 999}
    assert centres(picture) == {
        points[0][n][:2]: (text, f"paths value={percent(ways[n,], ways)}") for (n,), text in written.items()
    }
    assert not (picture.fills or picture.edges or picture.beside)


def is_causal(fields: list[receptive.Field]) -> bool:
    """Whether fields end at their elements' own places, all of them whole, and some begin before."""
    return (
        {one.last for one in fields} == {0}
        and {one.first % 1 for one in fields} == {0}
        and any(one.first for one in fields)
    )


def rows_above(maps: list[Drawn], names: list[Label]) -> Iterator[tuple[float, list[float]]]:
    """The row of each map with those of the maps over it."""
    for lower in range(len(maps) - 1):
        above = [names[upper].at[1] for upper, map_ in enumerate(maps) if lower in dict(map_.below)]
        yield names[lower].at[1], above


def assert_maps(
    picture: Picture, maps: list[Drawn], styles: list[dict[Index, str]], ways: Counter[Index], _followed: int
) -> None:
    assert_flat(picture)
    names = [label for label in picture.labels if label.anchor == "south"]
    below = [label for label in picture.labels if label.anchor == "north"]
    assert len(names) + len(below) == len(picture.labels)
    assert [label.text.split("\n") for label in names] == [map_.words for map_ in maps]
    expected, corners = Picture(), list[tuple[float, float]]()
    for map_, label, under in zip(maps, names, below, strict=True):
        rows, columns = map_.size
        corners.append((label.at[0] - columns / 2, label.at[1]))
        assert under.at[:2] == (label.at[0], label.at[1] + rows)
        words = [f"{key} {word}" for key, word in zip(("size", "jump", "start"), fields_in_words(map_), strict=True)]
        assert under.text.split("\n") == words
        add_empty(expected, corners[-1], map_.size)
        frame(expected, corners[-1], (rows, columns), "outline")
    boxes = [(x, y, x + map_.size[1], y + map_.size[0]) for (x, y), map_ in zip(corners, maps, strict=True)]
    assert all(a[2] < b[0] or b[2] < a[0] or a[3] + 3 < b[1] or b[3] + 3 < a[1] for a, b in combinations(boxes, 2))
    # Those that are new, and the input, are painted last.
    painted = [(level, index, style) for level, one in enumerate(styles) for index, style in one.items()]
    for level, (row, column), style in sorted(painted, key=lambda each: (each[0] == 0, "lit" in each[2], each[:2])):
        x, y = corners[level]
        fill, _, line = style.partition(", ")
        paint(expected, (x + column, y + row, 0), fill, line or fill)
    for (row, column), count in ways.items():
        if max(ways.values()) <= 999:
            x, y = corners[0]
            style = f"paths value={percent(count, ways)}"
            expected.texts[x + column, y + row, 0] = (Text(str(count), style, (0.5, 0.5), "kernelwidth"),)
    arrows = sorted(picture.lines)
    edges = [(lower, upper) for upper, map_ in enumerate(maps) for lower, _ in map_.below]
    assert len(arrows) == len(edges)
    for lower, upper in edges:
        (left, top, right, bottom), (next_left, next_top, _, next_bottom) = boxes[lower], boxes[upper]
        assert any(
            style == "link, -latex"
            and 0 < start[0] - right < 1
            and 0 < next_left - end[0] < 1
            and top < start[1] < bottom
            and next_top < end[1] < next_bottom
            for style, start, end in arrows
        )
        assert left < next_left
    expected.lines = arrows
    # Maps may begin at half a cell.
    assert centres(picture) == centres(expected)
    picture.texts, expected.texts, texts = {}, {}, picture.texts
    assert_drawn(picture, expected)
    picture.texts = texts


def place(layers: tuple[Layer, ...], element: int) -> float:
    """The middle of all that an element sees in the first layer's input and beyond its borders."""
    middle = Fraction(element)
    for layer in reversed(layers):
        (axis,) = layer.axes
        offset = Fraction(axis.dilation * (axis.kernel_size - 1), 2) - axis.padding[0]
        middle = (middle - offset) / axis.stride if layer.transposed else middle * axis.stride + offset
    return round(float(middle), 6)


def wiring(figure: Figure, found: Document) -> None:
    picture, layer = single(found), figure.layer
    assert layer.channels is not None
    ins, outs, groups = layer.channels.in_channels, layer.channels.out_channels, layer.channels.groups
    met = {(o, i) for o in range(outs) for i in range(ins) if o * groups // outs == i * groups // ins}
    pluses, found_labels = list[Label](), list[Label]()
    for label in picture.labels:
        (pluses if label.text == "+" else found_labels).append(label)
    words = [(f"input channel {n}", "south") for n in range(ins)] + [
        (f"output channel {n}", "west") for n in range(outs)
    ]
    assert [(label.text, label.anchor) for label in found_labels] == words
    sizes = layer.input_size, layer.kernel_size, layer.output_size
    (height, width), (tall, wide), (out_height, out_width) = map(in_rows, sizes)
    middles = [label.at[0] for label in found_labels[:ins]]
    heights = [label.at[1] for label in found_labels[ins:]]
    (top,) = {label.at[1] for label in found_labels[:ins]}
    (right,) = {label.at[0] - out_width for label in found_labels[ins:]}
    assert all(b - a > max(width, wide) for a, b in pairwise(middles))
    assert all(b - a > max(tall, out_height) for a, b in pairwise(heights))
    assert middles[-1] + max(width, wide) / 2 < right
    assert top + height < heights[0] - tall / 2
    expected = Picture()
    for x in middles:
        add_map(expected, (x - width / 2, top), layer.input_size, "input")
    for o, i in met:
        add_map(expected, (middles[i] - wide / 2, heights[o] - tall / 2), layer.kernel_size, "weight")
    for y in heights:
        add_map(expected, (right, y - out_height / 2), layer.output_size, "output")
    expected.lines = sorted(picture.lines)
    assert_drawn(picture, expected)
    # A stem from each input channel to the last slice that it meets.
    stems, drops, sums = list[Line](), list[Line](), list[Line]()
    for line in picture.lines:
        (stems if line.style == "link" else drops if line.start[0] == line.end[0] else sums).append(line)
    assert len(stems) == ins
    for i, (_, start, end) in enumerate(sorted(stems, key=lambda line: line.start[0])):
        assert start[0] == end[0] == middles[i]
        assert top + height < start[1] < heights[0] - tall / 2
        assert end[1] == pytest.approx(max(heights[o] for o, met_input in met if met_input == i) - tall / 2)
    # An arrow into each slice.
    tips = {(line.end[0], line.end[1]) for line in drops}
    assert len(drops) == len(met) == len(tips)
    for o, i in met:
        gaps = [heights[o] - tall / 2 - y for x, y in tips if x == middles[i]]
        assert sum(0 <= round(gap, 6) < 0.3 for gap in gaps) == 1
    assert all(line.start[1] < line.end[1] for line in drops)
    # An arrow through the slices of each output channel to it, and a plus between each two.
    assert len(sums) == outs
    for o, (style, start, end) in enumerate(sorted(sums, key=lambda line: line.start[1])):
        inputs = sorted(i for output, i in met if output == o)
        assert style == "link, -latex"
        assert start[1] == end[1] == heights[o]
        assert 0 < start[0] - (middles[inputs[0]] + wide / 2) < 1
        assert 0 < right - end[0] < 1
        between = sorted(label.at[0] for label in pluses if label.at[1] == heights[o])
        assert len(between) == len(inputs) - 1
        for x, (a, b) in zip(between, pairwise(inputs), strict=True):
            assert middles[a] + wide / 2 < x < middles[b] - wide / 2
    assert len(pluses) == len(met) - outs
    assert_parameters(layer, picture.parameters, as_convolution=False)


# Of more channels, the first ones and the last one are drawn.
MOST_CHANNELS = 4


class Row(NamedTuple):
    """Channels that are drawn, by where each begins, the middle of the dots in place of others, and where they end."""

    starts: dict[int, float]
    dots: float | None
    end: float


def in_line(numbers: list[int], length: int) -> Row:
    """Channels of some length, with one cell between neighbours and three where dots take the place of others."""
    left_out = len(numbers) > MOST_CHANNELS
    shown = [*numbers[: MOST_CHANNELS - 1], numbers[-1]] if left_out else numbers
    starts = {n: float(place * (length + 1)) for place, n in enumerate(shown)}
    if left_out:
        starts[shown[-1]] += 1
    return Row(starts, starts[shown[-1]] - 1 if left_out else None, starts[shown[-1]] + length)


def channels(figure: Figure, found: Document) -> None:
    alone = [replace(figure, layers=(layer,)) for layer in figure.layers]
    steps = [
        (n, index, o)
        for n, one in enumerate(alone)
        for index in np.ndindex(*one.layer.output_size)
        for o in drawn_outputs(one.layer)
    ]
    steps = [steps[n] for n in figure.frames] if isinstance(figure.frames, tuple) else steps
    assert len(found.frames) == len(steps)
    for (number, index, o), picture in zip(steps, found.frames, strict=True):
        assert_flat(picture)
        expected, at = Picture(), (0.0, 0.0)
        words, middles, tops = list[str](), list[float](), list[float]()
        for n, one in enumerate(alone):
            at, said = add_channels(expected, one, at, (index, o) if n == number else None)
            parts = {
                "input": one.layer.input_shape,
                "kernels": one.layer.kernel_shape,
                "output": one.layer.output_shape,
            }
            for (name, shape), middle in list(zip(parts.items(), said, strict=True))[n > 0 :]:
                words.append(f"{name} {size(shape)}")
                middles.append(round(middle, 6))
            tops.append(at[1])
        corners = labels(picture, "south", words)
        assert [(round(x, 6), y) for x, y in corners] == [(x, min(0, *tops)) for x in middles]
        assert sorted(map(shape_at, picture.shapes)) == sorted(map(shape_at, expected.shapes))
        assert written_at(picture) == written_at(expected)
        assert_drawn_at(replace(picture, shapes=[], texts={}), replace(expected, shapes=[], texts={}))
        if len(alone) == 1:
            assert_parameters(figure.layer, picture.parameters, as_convolution=False)
        else:
            assert picture.parameters is None


def drawn_outputs(layer: Layer) -> list[int]:
    """The output channels that are drawn: of the groups of the input channels that are."""
    assert layer.channels is not None
    ins, outs, groups = layer.channels.in_channels, layer.channels.out_channels, layer.channels.groups
    met = {i * groups // ins for i in in_line(list(range(ins)), 1).starts}
    return list(in_line([o for o in range(outs) if o * groups // outs in met], 1).starts)


def add_channels(
    expected: Picture, figure: Figure, at: tuple[float, float], lit: tuple[Index, int] | None
) -> tuple[tuple[float, float], tuple[float, float, float]]:
    """Add a layer's channels from a point on, and what a step shows of an element of an output channel, if it does.

    Gives where the output channels begin, and the middles of input, kernels and output.  The input channels of a layer
    that is not the first are there already.
    """
    layer, (left, above) = figure.layer, at
    assert layer.channels is not None
    ins, outs, groups = layer.channels.in_channels, layer.channels.out_channels, layer.channels.groups
    one_channel = replace(layer, channels=None)
    rows, columns = (len(axis.cells) for axis in grid_of(figure))
    (kh, kw), (tall, wide) = in_rows(layer.kernel_size), in_rows(layer.output_size)
    height = max(rows, kh)
    inputs = in_line(list(range(ins)), height)
    met = {o: [i for i in inputs.starts if i * groups // ins == o * groups // outs] for o in range(outs)}
    kernels = in_line([o for o, channels_ in met.items() if channels_], kw)
    outputs = in_line([o for o, channels_ in met.items() if channels_], tall)
    kernels_x = left + columns + 2
    sums_x = kernels_x + kernels.end + 2
    outputs_x, drop = sums_x + 3, above + (inputs.end - outputs.end) / 2

    def input_of(channel: int) -> Figure:
        values_ = None if figure.input_values is None else figure.input_values[channel]
        view = "channels" if values_ is None else "numerical"
        return replace(
            figure, layers=(one_channel,), input_values=values_, kernel_values=None, output_values=None, view=view
        )

    def part(output: int, channel: int) -> dict[Index, float]:
        assert figure.kernel_values is not None
        kernel_ = figure.kernel_values[output, channel % (ins // groups)]
        return output_of(one_channel, replace(input_of(channel), kernel_values=kernel_))

    tints = {o: n for n, o in enumerate(outputs.starts)}
    numerical = figure.input_values is not None
    parts = (
        {(o, i): part(o, i) for o in tints for i in range(ins) if i * groups // ins == o * groups // outs}
        if numerical
        else {}
    )
    totals = (
        {
            o: {
                at: sum(found_[at] for (other, _), found_ in parts.items() if other == o)
                for at in np.ndindex(*layer.output_size)
            }
            for o in tints
        }
        if numerical
        else {}
    )
    shown_parts = [value for (_, i), found_ in parts.items() if i in inputs.starts for value in found_.values()]
    everything = [] if figure.output_values is None else [*figure.output_values.ravel().tolist(), *shown_parts]
    decimals = decimals_of(everything) if numerical else 0

    def sum_y(channel: int) -> float:
        return above + inputs.starts[channel] + (height - 1) / 2

    def has_rest(output: int) -> bool:
        return len(met[output]) < ins // groups and inputs.dots is not None

    def total_y(output: int) -> float | None:
        return sum_y(met[output][-1]) + 1.6 if len(met[output]) > 1 or has_rest(output) else None

    for channel, start in inputs.starts.items() if at == (0, 0) else ():
        expected_input = Expected(input_of(channel), (0, 0, 0)).input(set(), {})
        for cell, texts in expected_input.texts.items():
            expected_input.texts[cell] = tuple(
                text._replace(style=f"{text.style}, map value", width="kernelwidth") for text in texts
            )
        add_moved(expected, expected_input, (0, start + (height - rows) / 2))
    for output, tint in tints.items():
        for channel in met[output]:
            corner = kernels_x + kernels.starts[output], above + inputs.starts[channel] + (height - kh) / 2
            weights = None if figure.kernel_values is None else figure.kernel_values[output, channel % (ins // groups)]
            add_map(expected, corner, (kh, kw), f"tint={tint}", in_map(weights, f"tint value={tint}"))
        corner = outputs_x, drop + outputs.starts[output]
        texts_ = {
            at: small(as_rounded(value, decimals), f"tint value={tint}") for at, value in totals.get(output, {}).items()
        }
        add_map(expected, corner, (tall, wide), f"tint={tint}", texts_)
    if inputs.dots is not None:
        add_line_of_dots(expected, (left + columns / 2, above + inputs.dots), across=False)
        add_line_of_dots(expected, (kernels_x + kernels.end / 2, above + inputs.dots), across=False)
    if kernels.dots is not None and outputs.dots is not None:
        add_line_of_dots(expected, (kernels_x + kernels.dots, above + inputs.end / 2), across=True)
        add_line_of_dots(expected, (outputs_x + wide / 2, drop + outputs.dots), across=False)
    room = [sum_y(channel) for channel in inputs.starts]
    if any(has_rest(output) for output in tints) and inputs.dots is not None:
        room.append(above + inputs.dots - 0.5)
    room += [y for output in tints if (y := total_y(output)) is not None]
    for y in room:
        paint(expected, (sums_x, y, 0), None, "cropped")
    middles = left + columns / 2, kernels_x + kernels.end / 2, outputs_x + wide / 2
    if lit is None:
        return (outputs_x, drop), middles
    index, o = lit
    # The window in each channel that the output channel meets.
    tint = tints[o]
    covered = patch(input_of(0), index)
    for channel in met[o]:
        top = above + inputs.starts[channel] + (height - rows) / 2
        for place_, (r, c) in covered:
            kind = place_.kind if at == (0, 0) else "output"
            expected.fills[left + c, top + r, 0] = (f"window over {kind}",)
            if numerical:
                text = held_text(input_of(channel), place_.input_index, f"window over {place_.kind}")
                expected.texts[left + c, top + r, 0] = (text,)
        sides = Counter(edge for _, (r, c) in covered for edge in around((left + c, top + r, 0)))
        expected.edges |= {edge: ("window grid" if count == 2 else "lit",) for edge, count in sides.items()}
        corner = kernels_x + kernels.starts[o], above + inputs.starts[channel] + (height - kh) / 2
        frame(expected, corner, (kh, kw), "lit")
    heights = {sum_y(channel): parts[o, channel][index] if numerical else None for channel in met[o]}
    if has_rest(o) and inputs.dots is not None:
        left_out = [found_[index] for (output, i), found_ in parts.items() if output == o and i not in inputs.starts]
        heights[above + inputs.dots - 0.5] = sum(left_out) if numerical else None
    for y, value in heights.items():
        paint(expected, (sums_x, y, 0), f"tint={tint}", "outline")
        if value is not None:
            expected.texts[sums_x, y, 0] = (small(as_rounded(value, decimals), f"tint value={tint}"),)
    results = [(outputs_x + two(index)[1], drop + outputs.starts[o] + two(index)[0])]
    bottom = total_y(o)
    if bottom is not None:
        results.append((sums_x, bottom))
        for y in sorted(heights)[1:]:
            expected.texts[sums_x - 1.1, y, 0] = (Text("+", "map value", (0.5, 0.5), None),)
        expected.lines = [Line("outline", (sums_x - 1, bottom - 0.3, 0), (sums_x + 1.2, bottom - 0.3, 0))]
    for x, y in results:
        paint(expected, (x, y, 0), "window over output", "lit")
        if numerical:
            expected.texts[x, y, 0] = (small(as_rounded(totals[o][index], decimals), "window over output value"),)
    return (outputs_x, drop), middles


def small(text: str, style: str) -> Text:
    """A text in a cell of a small map."""
    return Text(text, f"{style}, map value", (0.5, 0.5), "kernelwidth")


def add_line_of_dots(picture: Picture, at: tuple[float, float], across: bool) -> None:
    for n in (-0.4, 0, 0.4):
        point = (at[0] + n * across, at[1] + n * (not across), 0.0)
        picture.shapes.append(Line("left out", point, point))


def shape_at(shape: Line) -> Line:
    return shape._replace(start=snapped(shape.start), end=snapped(shape.end))


def written_at(picture: Picture) -> dict[tuple[float, float], list[tuple[str, str, str | None]]]:
    """Texts with their styles and widths, by where their centres are."""
    found = dict[tuple[float, float], list[tuple[str, str, str | None]]]()
    for (x, y, _), texts in picture.texts.items():
        for text in texts:
            centre = round(x + text.place[0], 4), round(y + text.place[1], 4)
            found.setdefault(centre, []).append((text.text, text.style, text.width))
    return found


class Side(NamedTuple):
    """An axis of a map in an excerpt.

    It has the places of its cells, of those painted as elements and of those lit in each frame; and indices by places.
    """

    cells: list[float]
    painted: set[float]
    lit: list[set[float]]
    indices: dict[float, int]


def excerpt(figure: Figure, found: Document) -> None:
    """That the cells of an excerpt can be told apart as those of the whole maps, with all windows where they belong."""
    layer, flat = figure.layer, len(figure.layer.axes) == 1
    ends = [sorted({0, min(1, n - 1), n - 1}) for n in layer.output_size]
    shown = [two(index) for index in product(*ends)]
    if isinstance(figure.frames, tuple):
        shown = [two(tuple(map(int, np.unravel_index(n, layer.output_size)))) for n in figure.frames]
    first, second = found.frames[0].labels[-2:]
    assert (first.text, second.text) == (f"input {size(layer.input_size)}", f"output {size(layer.output_size)}")
    assert_parameters(layer, found.frames[0].parameters)
    grid = layer.grid if not flat else (GridAxis((Cell("input", 0),), ((Element(0, 0),),)), *layer.grid)
    input_, output = (cells_of(found.bare, above) for above in (False, True))
    # The output is over the middle of the input.
    for place in (0, 1) if not flat else (0,):
        assert sum(min(numbers) + max(numbers) for numbers in [[cell[place] for cell in input_]]) == sum(
            min(numbers) + max(numbers) for numbers in [[cell[place] for cell in output]]
        )
    for down, axis in ((True, grid[0]), (False, grid[1])):
        outputs = [index[0 if down else 1] for index in shown]
        inputs = [(n, cell.input_index) for n, cell in enumerate(axis.cells) if cell.kind == "input"]
        held = {n: index for n, index in inputs if index is not None}
        windows = [{element.position for element in axis.windows[n]} for n in outputs]
        # A window that is empty along the other axis covers no cell.
        windows = [window if all(covers(grid, index)) else set() for window, index in zip(windows, shown, strict=True)]
        side = side_of(found, input_, down, False, {"north", "north west"} if not down else {"north east"})
        assert_read(side, len(axis.cells), windows, held)
        met = {held[n] for window in windows for n in window & held.keys()}
        assert {*side.indices.values()} <= met | {min(held.values()), max(held.values())}
        side = side_of(found, output, down, True, {"south", "south east"} if not down else {"south west"})
        assert_read(side, len(axis.windows), [{n} for n in outputs], {n: n for n in range(len(axis.windows))})
        assert {*side.indices.values()} <= {*outputs}
        assert bool(side.indices) == (not (flat and down))
    for picture in found.frames:
        assert picture.labels == found.frames[0].labels
        assert [cells_of(picture, above) for above in (False, True)] == [input_, output]
        assert_linked(picture, flat)
    for cells, above in ((input_, False), (output, True)):
        found_dots = {line.start[:2] for line in found.bare.shapes if is_above(line.start) == above}
        assert found_dots == {*dots([sorted({cell[n] for cell in cells}) for n in (0, 1)])}


def covers(grid: Sequence[GridAxis], index: Index) -> Iterator[bool]:
    """Whether the window of an output element covers something along each axis."""
    for axis, n in zip(grid, index, strict=True):
        yield bool(axis.windows[n])


def dots(axes: list[list[float]]) -> Iterator[tuple[float, float]]:
    """The places of the dots between cells in some columns and rows: three to the right, downwards or slantwise."""
    parts = []
    for cells in axes:
        ends = [cell for cell in cells if cell + 1 not in cells]
        starts = [cell for cell in cells if cell - 1 not in cells]
        parts.append([((a + b + 1) / 2, 0.0) for a, b in zip(starts, ends, strict=True)])
        parts[-1] += [((a + 1 + b) / 2, 0.6) for a, b in zip(ends[:-1], starts[1:], strict=True)]
    for (x, right), (y, down) in product(*parts):
        if right or down:
            yield from ((round(x + n * right, 6), round(y + n * down, 6)) for n in (-1, 0, 1))


def is_above(cell: Point) -> bool:
    """Whether a cell belongs to the output, which is higher or in a row above."""
    return cell[2] > 0 or cell[1] < 0


def cells_of(picture: Picture, above: bool) -> list[Point]:
    """The cells of a map that have lines around them."""
    starts = {point for point, _ in picture.edges if is_above(point) == above}
    return sorted(cell for cell in starts if all(edge_at(edge) in picture.edges for edge in around(cell)))


def lit_of(picture: Picture, above: bool) -> list[Point]:
    return [cell for cell, look in picture.fills.items() if "window" in look and is_above(cell) == above]


def side_of(found: Document, cells: list[Point], down: bool, above: bool, anchors: set[str]) -> Side:
    """The rows or the columns of a map."""
    place = 1 if down else 0
    lit = [{cell[place] for cell in lit_of(picture, above)} for picture in found.frames]
    rows, columns = ({cell[n] for cell in cells} for n in (1, 0))
    style = "output" if above else "input"
    painted = {cell[place] for cell, look in found.bare.fills.items() if style in look and is_above(cell) == above}
    assert {(x, y) for x, y, _ in cells} == {*product(columns, rows)}
    for picture in found.frames:
        window = {(x, y) for x, y, _ in lit_of(picture, above)}
        assert window == {*product({x for x, _ in window}, {y for _, y in window})}
    *ticks, _, _ = found.frames[0].labels
    beside = [label for label in ticks if label.anchor in anchors]
    # Beside the map, in the middle of a cell.
    edge = {"north": max(rows) + 1, "north west": max(rows) + 1, "north east": min(columns)}
    edge |= {"south": min(rows), "south east": min(rows), "south west": max(columns) + 1}
    assert all(label.at[1 - place] == edge[label.anchor] for label in beside)
    indices = {label.at[place] - 0.5: int(label.text) for label in beside}
    assert indices.keys() <= {cell[place] for cell in cells}
    return Side(sorted(rows if down else columns), painted, lit, indices)


def assert_read(side: Side, count: int, windows: list[set[int]], held: dict[int, int]) -> None:
    """That there are places for all that is drawn of an axis of `count` cells, and that the rest is uniform."""
    # How many of the cells before each are in a window.
    before, elements = (
        [np.cumsum([0] + [n in inside for n in range(count)]) for inside in sets] for sets in (windows, [held.keys()])
    )
    parts = list[list[float]]()
    for cell in side.cells:
        if not parts or parts[-1][-1] != cell - 1:
            parts.append([])
        parts[-1].append(cell)

    def fits(start: int, end: int, part: list[float], gap: list[float]) -> bool:
        """Whether a part may begin at a cell, if the one before ended at another."""
        painted = {n for n, place in enumerate(part, start) if place in side.painted}
        if painted != held.keys() & {*range(start, start + len(part))}:
            return False
        # What is left out is painted as elements only if it consists of them.
        if side.painted & {*gap} and elements[0][start] - elements[0][end] != start - end:
            return False
        return all(
            {n for n, place in enumerate(part, start) if place in lit} == window & {*range(start, start + len(part))}
            and sums[start] - sums[end] == (start - end if gap and gap[0] in lit else 0)
            and len({place in lit for place in gap}) <= 1
            for window, lit, sums in zip(windows, side.lit, before, strict=True)
        ) and all(held.get(start + part.index(p)) == index for p, index in side.indices.items() if p in part)

    end, last = 0, 0.0
    for number, part in enumerate(parts):
        # Dots have the room of two cells, for more than that.
        gap = [last + 1, last + 2] if number else []
        assert not number or part[0] == last + 3
        least = end + 3 if number else 0
        starts = range(least, count - len(part) + 1) if number < len(parts) - 1 else [count - len(part)]
        assert not gap or starts[0] >= least
        start = next((start for start in starts if fits(start, end, part, gap)), None)
        assert start is not None
        assert number or start == 0
        end, last = start + len(part), part[-1]


def assert_linked(picture: Picture, flat: bool) -> None:
    """That lines join the corners of a window to those of its output element."""
    ((x, y, z),) = lit_of(picture, above=True)
    window = lit_of(picture, above=False)
    if not window:
        assert not picture.lines
        return
    columns, rows = ([cell[n] for cell in window] for n in (0, 1))
    lines = [
        (((max(columns) + 1 if i else min(columns)), (max(rows) + 1 if j else min(rows)), 0), (x + i, y + j, z))
        for i, j in product((0, 1), repeat=2)
    ]
    if flat:
        lines = [((a, 0, 0), (b, y + 1, 0)) for (a, _, _), (b, c, _) in lines if c == y]
    assert sorted(line[1:] for line in picture.lines) == sorted(lines)


# What each view's pictures mean.  A view that is not here is only read.
MEANT: dict[str, Callable[[Figure, Document], None]] = {
    "plane": assert_meant,
    "excerpt": excerpt,
    "numerical": assert_meant,
    "kernel": kernel,
    "wiring": wiring,
    "channels": channels,
    "subsampling": subsampling,
    "positions": positions,
    "overlap": overlap,
    "sums": sums,
    "scatter": scatter,
    "gather": gather,
    "matrix": matrix,
    "volume": volume,
    "im2col": im2col,
    "input_gradient": gradient_of_input,
    "kernel_gradient": gradient_of_kernel,
    "upsampling": upsampling,
    "pixel_shuffle": pixel_shuffle,
    "partial": partial,
    "deformable": deformable,
    "streaming": streaming,
    "receptive_field": receptive_field,
}


# Legends, where they are switched on: what these views have besides maps and windows.
LEGENDS = {
    "subsampling": [("dropped output, outline", "dropped by the stride")],
    "positions": [("padding", "padding (−∞)")],
    "sums": [("cropped", "cropped by the padding")],
    "scatter": [("output padding", "added by output padding"), ("window over output, lit", "changed by this step")],
    "im2col": [
        ("window over input, lit", "window"),
        ("padding", "padding"),
        ("window over padding, lit", "window without input"),
    ],
    "matrix": [("window over weight shade=40, lit", "row of the marked output element"), ("cropped", "zero")],
    "streaming": [
        ("window over input, lit", "used by this step"),
        ("cropped input, cropped", "dropped"),
        ("padding", "zero before the first sample"),
    ],
    "receptive_field": [
        ("unseen", "not seen by the output element"),
        ("seen output, lit", "new in this step"),
    ],
    "input_gradient": [
        ("window over input, lit", "window"),
        ("padding", "zeros around and between elements"),
        ("window over padding, lit", "window without input"),
    ],
    "kernel_gradient": [
        ("window over input, lit", "window"),
        ("copy, padding", "padding that repeats the input"),
        ("cropped input, cropped", "in no window of the layer"),
    ],
    "upsampling": [("window over input, lit", "elements that the output element sums")],
    "pixel_shuffle": [("window over input, lit", "elements that the output element sums")],
    "partial": [
        ("window over input, lit", "window"),
        ("padding", "padding"),
        ("window over padding, lit", "window without input"),
        ("hole, outline", "hole"),
    ],
    "deformable": [
        ("padding", "padding"),
        ("copy, outline", "sample of the input, and the weight that it is multiplied by"),
    ],
}


@pytest.mark.parametrize("name", LEGENDS)
def test_a_legend_explains_the_cells_that_a_figure_has(name: str, tmp_path: Path) -> None:
    pictures = switched_on(in_file(tmp_path, "figure", view=name, **SMALL[name]), "figurelegend")
    assert {tuple(picture.legend) for picture in pictures} == {tuple(LEGENDS[name])}


# What is said of them


def rest_of_caption(figure: Figure) -> str:
    """What a caption has to say beyond the layer's description."""
    view = view_name(figure)
    match view:
        case "kernel":
            return " Left, its kernel; right, the same rotated by 180°."
        case "wiring":
            shape = figure.layer.kernel_shape
            assert figure.layer.channels is not None
            ins = figure.layer.channels.in_channels // figure.layer.channels.groups
            one = "its only input channel" if ins == 1 else f"each of {ins} input channels"
            return (
                f" Each output channel has a kernel with a slice for {one}, and adds up their products: "
                f"{size(shape)} = {prod(shape)} weights in all."
            )
        case "channels" if len(figure.layers) > 1:
            counts = [layer.kernel_shape[1] for layer in all_layers(figure.layers)]
            slices = ["its only input channel" if count == 1 else f"each of {count} input channels" for count in counts]
            each = (f"in layer {n} with a slice for {words}" for n, words in enumerate(slices, start=1))
            return f" Each output channel has a kernel, {', '.join(each)}."
        case "channels":
            assert figure.layer.channels is not None
            ins, outs = figure.layer.channels.in_channels, figure.layer.channels.out_channels
            groups = figure.layer.channels.groups
            one = "its only input channel" if ins == groups else f"each of {ins // groups} input channels"
            text = (
                f" Each output channel has a kernel with a slice for {one}, and adds up what the slices find in them."
            )
            shown = list(in_line(list(range(ins)), 1).starts)
            met = [o for o in range(outs) if o * groups // outs in {i * groups // ins for i in shown}]
            some = len(shown), len(in_line(met, 1).starts)
            if some == (ins, outs):
                return text
            counted = [f"{n} {name} channel{'s' * (n > 1)}" for n, name in zip(some, ("input", "output"), strict=True)]
            return f"{text} {' and '.join(counted)} are shown."
        case "excerpt":
            steps, drawn = prod(figure.layer.output_size), prod(min(n, 3) for n in figure.layer.output_size)
            return (
                f" Of {steps} steps, {drawn} are shown. Dots take the place of cells that are left out; "
                "the numbers are indices of elements."
            )
        case "volume":
            return " From left to right, the slices along the first axis, numbered from 0."
        case "subsampling":
            count = size(with_stride(figure.layer, stride=1).output_size)
            return f" Left, the {count} elements of stride 1, of which the strongly coloured ones remain."
        case "positions":
            if figure.layer.operation.name.startswith("adaptive"):
                return " Each row below the input is one of the windows."
            return " Each row below the input shows where the window stands at one of its positions."
        case "overlap":
            return " Each output element shows how many products of an input and a kernel element add up to it."
        case "sums":
            cropped = len(products(figure.layer)) < figure.layer.input_size[0] * figure.layer.kernel_size[0]
            text = " Each row is an input element times the kernel; the sums of the columns are the output."
            return text + (" Pale cells are cropped by the padding." if cropped else "")
        case "scatter":
            layer = figure.layer
            return (
                " Each step adds a multiple of the kernel to the output; "
                "the stronger a cell's colour, the more products it sums."
                + " Cells outside the output are cropped by the padding."
                * any(any(axis.padding) for axis in layer.axes)
                + " A dashed line sets off the elements that output padding adds: they are computed like all others."
                * any(axis.output_padding for axis in layer.axes)
            )
        case "gather":
            text = (
                " Left, each input element adds its multiple of the kernel to the output; right, each output element "
                "gathers the products in its window. The results are equal."
            )
            padded = any(axis.output_padding for axis in figure.layer.axes)
            extra = " A dashed line sets off the elements that output padding adds: they are computed like all others."
            return text + extra * padded
        case "matrix":
            order = ", both counted row by row" if len(figure.layer.axes) == 2 else ""
            names = " The indices of a weight w count the kernel's elements from 0."
            text = " Each row of the matrix belongs to an output element, each column to an input element"
            text = f"{text}{order}; empty entries are zero." + (names if figure.kernel_values is None else "")
            if figure.layer.transposed:
                text += (
                    " It is the transpose of the matrix of the convolution, which is drawn small: a row of the one is "
                    "a column of the other."
                )
            rows, columns = prod(figure.layer.output_size), prod(figure.layer.input_size)
            if max(rows, columns) > MOST_LINES:
                text += f" Dots take the place of most of its {rows} rows and {columns} columns."
            return text
        case "im2col":
            weights = prod(figure.layer.kernel_size)
            return (
                f" Each window's patch is a column of {weights}, the kernel a row of as many; their product is the "
                "output, row by row."
            )
        case "input_gradient" | "kernel_gradient":
            return gradient_sentence(figure)
        case "upsampling":
            factors, linear = [axis.stride for axis in figure.layer.axes], "linear"
            return (
                f" Beside it, Upsample with scale factor {once_of(factors)}: mode nearest repeats elements, and mode "
                f"{'bi' * (len(factors) == 2)}{linear}, with align_corners=False, interpolates between their middles. "
                "The small numbers are the weights of input elements."
            )
        case "partial":
            padded = any(any(axis.padding) for axis in figure.layer.axes)
            return (
                f" As a partial convolution: of each window only valid elements are summed, times "
                f"{size(figure.layer.kernel_size)} by their number; a window without any leaves a hole."
                + " Padding is not valid." * padded
                + " The small numbers are the kernel's."
            )
        case "deformable":
            return (
                " As a deformable convolution: arrows lead from the places of the window's elements to those that "
                "their offsets move them to, where the input is interpolated. The small numbers at the samples are "
                "the kernel's."
            )
        case "pixel_shuffle":
            factors = [axis.stride for axis in figure.layer.axes]
            is_torch = len(factors) == 2 and factors[0] == factors[1]
            words = f"an interleaving by {size(tuple(factors))}, as in PixelShuffle"
            words = f"PixelShuffle({factors[0]})" if is_torch else words
            return (
                f" The same as a convolution to {prod(factors)} channel{'s' * (prod(factors) > 1)} and {words}: each "
                "channel has those of the kernel's weights that meet input elements at its place. "
                "The small numbers are these weights."
            )
        case "streaming":
            (axis,) = figure.layer.axes
            return (
                " Each step takes one sample and gives one output element. Of the samples before it, the layer keeps "
                f"d(k − 1) = {axis.dilation * (axis.kernel_size - 1)}, zeros at first; the oldest one is dropped when "
                "the next sample arrives."
            )
    return rest_of_stack(figure)


def rest_of_stack(figure: Figure) -> str:
    maps = maps_of(figure.layers)
    output = tuple(most_seen(maps, axis) for axis in range(len(maps[0].size)))
    *_, (ways, *_) = reached(maps, output)
    span = prod(max(places) - min(places) + 1 for places in zip(*ways, strict=True)) if ways else 0
    of = f" of the {span} that its field spans" if span > len(ways) else ""
    shown = "numbers count" if max(ways.values(), default=0) <= 999 else "colours show"
    text = (
        f" The output element that is shown depends on {len(ways)} input element{'' if len(ways) == 1 else 's'}{of}; "
        f"the {shown} the paths to each. Of each map's fields, size is how many input elements they span, jump how far "
        "apart they are, and start where the first one begins."
    )
    if len(output) == 2:
        return text
    fields = [field(receptive.along(map_.stack)) for map_ in maps]
    causal = is_causal(fields)
    place = "the last input element that it sees" if causal else "the centre of its own field"
    return f"{text} Each element is over {place}."


def gradient_sentence(figure: Figure) -> str:
    """What the caption of a gradient says of it."""
    layer = figure.layer
    if view_name(figure) == "input_gradient":
        name = "convolution" if layer.transposed else "transposed convolution"
        text = f" The gradient of its input is the {name} of the output's gradient with the same kernel"
        text += "." if layer.transposed else ", drawn as a convolution with the rotated kernel."
        text += " The small numbers are the kernel's."
    else:
        first, second = ("output's gradient", "input") if layer.transposed else ("input", "output's gradient")
        text = f" The gradient of its kernel is a convolution of the {first} with the {second}"
        swapped = any(axis.stride > 1 or axis.dilation > 1 for axis in layer.axes)
        text += ", in which stride and dilation have changed places" * swapped
        text += f". The small numbers are the {'input' if layer.transposed else 'output gradient'}'s."
        outside = [
            axis.padding[1] < (size + sum(axis.padding) - axis.dilation * (axis.kernel_size - 1) - 1) % axis.stride
            if not layer.transposed
            else axis.padding[1] < axis.output_padding
            for axis, size in zip(layer.axes, layer.input_size, strict=True)
        ]
        text += " Pale cells are in no window of the layer." * any(outside)
    return text + " The output's gradient is that of its sum: 1 everywhere." * (figure.output_gradient is None)


def assert_said(figure: Figure) -> None:
    """That a caption and an alternative text say what the picture shows."""
    view = view_name(figure)
    if view in ("plane", "numerical"):
        assert_caption(figure)
    elif figure.is_stack:
        assert_stack_described(figure)
    else:
        rest = described(figure)
        if view in ("positions", "excerpt", "volume", "gather") and figure.layer.transposed:
            rest = drawn_as(figure.layer, rest)
        assert rest == rest_of_caption(figure)
    assert scene_of(figure).alternative == alternative(figure)


def assert_stack_described(figure: Figure) -> None:
    """That the caption of a stack has the description of each of its layers."""
    first, last = figure.layers[0].input_size, figure.layers[-1].output_size
    count = len(figure.layers)
    layers = "layer" if count == 1 else "layers"
    start = f"A stack of {count} {layers}, from an input of {size(first)} to an output of {size(last)}: "
    text, note = caption(PROJECT, figure), f" {figure.note}" if figure.note else ""
    assert text.startswith(start)
    assert text.endswith(f".{rest_of_caption(figure)}{note}")
    assert_layers(text.removeprefix(start).removesuffix(f".{rest_of_caption(figure)}{note}"), figure.layers)


def assert_layers(text: str, stack: Stack) -> None:
    """That a text describes layers one after the other, and branches in brackets."""
    for number, step in enumerate(stack):
        if isinstance(step, Branches):
            start = f"{len(step.branches)} joined branches ("
            assert text.startswith(start)
            end = closing(text)
            inner = re.split(r"(?:^|; )\d: ", text[len(start) : end])[1:]
            assert len(inner) == len(step.branches)
            for part, branch in zip(inner, step.branches, strict=True):
                assert branch or part == "identity"
                assert_layers(part if branch else "", branch)
            text = text[end + 1 :]
        else:
            part = re.split("; ", text, maxsplit=1)[0]
            text = text[len(part) :]
            name, _, parameters = part.partition(" with ")
            assert name == step.operation.name.replace("_", " ").replace("lp ", "LP ")
            if not name.startswith("adaptive"):
                assert parameters_in(parameters, len(step.axes)) == own(step)
        separator = "" if number == len(stack) - 1 else "; "
        assert text.startswith(separator)
        text = text.removeprefix(separator)
    assert text == ""


def closing(text: str) -> int:
    """Where the first bracket of a text is closed."""
    depth = 0
    for number, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == ")" and depth == 0:
            return number
    raise ValueError(text)


def alternative(figure: Figure) -> str:
    """What those are told who cannot see a picture; nothing where the caption says all."""

    def listed(array: Any) -> str:
        return "; ".join(", ".join(map(in_full, row)) for row in np.atleast_2d(array).tolist())

    match view_name(figure):
        case "receptive_field":
            maps = maps_of(figure.layers)
            output = tuple(most_seen(maps, axis) for axis in range(len(maps[0].size)))
            *_, numbers = reached(maps, output)
            levels = [f"{', '.join(map_.words)}: {len(one)}" for map_, one in zip(maps, numbers, strict=True)]
            text = f"The elements that an output element depends on, from the output down: {'; '.join(levels[::-1])}."
            if max(numbers[0].values(), default=0) > 999:
                return text
            ways = np.zeros(maps[0].size, int)
            for index, count in numbers[0].items():
                ways[index] = count
            return f"{text} The paths to the input elements: {listed(ways)}."
        case "kernel":
            return f"A kernel with the rows {listed(figure.kernel_values)}, and the same rotated by 180°."
        case "overlap":
            counts = np.zeros(figure.layer.output_size, int)
            for met in products(figure.layer):
                counts[met.output] += 1
            return f"How many products add up to each output element, row by row: {listed(counts)}."
        case "positions":
            (axis,) = figure.layer.grid
            shown = ", ".join(f"{window[0].position}–{window[-1].position}" for window in axis.windows)
            return f"A row of {len(axis.cells)} cells, and the positions of a window below: cells {shown}."
        case "sums":
            sums = np.array(list(output_of(figure.layer, figure).values()))
            return (
                f"The inputs {listed(figure.input_values)} times a kernel, each further to the right, "
                f"and the sums of the columns: {listed(sums)}."
            )
    return ""


@cache
def in_the_report() -> dict[str, tuple[str, str]]:
    """The caption of each figure of the catalogue as TeX defines it, and its alternative text."""
    figures = [load(PROJECT.figures / f"{name}.toml") for name in PROJECT.figure_names()]
    captions = [(scene_of(figure), view_name(figure), caption(PROJECT, figure)) for figure in figures]
    text = templates(PROJECT).fill("figures.tex.j2", captions=captions)
    found = re.findall(r"^\\definefigure\{(.*?)\}\{.*?\}\{(.*)\}\{([0-9a-f]*)\}$", text, re.MULTILINE)
    # PDF wants the mark of UTF-16 in that order.
    assert all(other.startswith("feff") for _, _, other in found)
    return {name: (caption, bytes.fromhex(other).decode("utf-16")) for name, caption, other in found}


# Tests


def assert_figure(figure: Figure, every: bool = True) -> None:
    MEANT[view_name(figure)](figure, read_back(figure, every))
    assert_said(figure)


@pytest.mark.parametrize("name", SMALL)
def test_every_picture_of_a_small_layer_is_what_the_arithmetic_says(name: str, tmp_path: Path) -> None:
    assert_figure(in_file(tmp_path, name, view=view_of(name), **SMALL[name]))


@pytest.mark.parametrize("name", PROJECT.figure_names())
def test_every_picture_of_the_catalogue_is_what_the_arithmetic_says(name: str, full: bool, notes: list[str]) -> None:
    figure = load(PROJECT.figures / f"{name}.toml")
    view = view_name(figure)
    text, other = in_the_report()[name]
    assert text.startswith(escape_tex(caption(PROJECT, figure)))
    assert other == (scene_of(figure).alternative or caption(PROJECT, figure))
    try:
        found = read_back(figure, every=full)
    except ReadError as error:
        if view in MEANT:
            raise
        notes.append(f"{name}: tests/pictures.py cannot read the {view} view yet: {error}")
        return
    shown, count = len(found.strip), len(found.frames)
    said = re.search(r" The first (?:(\d+) )?of (\d+) steps\.", text)
    assert (said and (said[1], said[2])) == (
        None if shown == count else (str(shown) if shown > 1 else None, str(count))
    )
    if view not in MEANT:
        notes.append(f"{name}: add the {view} view to MEANT in {Path(__file__).name}, to compare its pictures")
        return
    MEANT[view](figure, found)
    assert_said(figure)


def test_the_matrix_of_a_transposed_layer_is_drawn_transposed() -> None:
    drawn = []
    for name in ("matrix", "matrix_transposed"):
        (frame, *_) = read_back(load(PROJECT.figures / f"{name}.toml"), every=False).frames
        entries = frame.beside[max(frame.beside)]
        found = {(y, x, text.text) for (x, y, _), (text,) in entries.texts.items() if text.text.startswith("w")}
        top = min(y for y, _, _ in found)
        drawn.append({(y - top, x, text) for y, x, text in found})
    direct, transposed = drawn
    assert direct
    assert {(column, row, weight) for row, column, weight in direct} == transposed


TRANSPOSED = {"operation": "transposed_convolution"}


@pytest.mark.parametrize(
    ("view", "keys"),
    [
        # A kernel that is larger than the input.
        ("wiring", TRANSPOSED | {"input_size": 1, "kernel_size": 3, "in_channels": 2, "out_channels": 2}),
        # No input element under any window.
        (
            "overlap",
            {"operation": "convolution", "input_size": [1], "kernel_size": 1, "stride": 2, "padding": [[1, 0]]},
        ),
        # A product that has no sign.
        ("sums", TRANSPOSED | {"input_values": [-0.25], "kernel_values": [0.0]}),
        # Thirds, which add up to no input element's place.
        (
            "receptive_field",
            {
                "input_size": [3],
                "layers": [
                    {"kernel_size": 1, "stride": 2, "padding": [[1, 0]]},
                    TRANSPOSED | {"kernel_size": 2, "stride": 3, "padding": [[1, 0]]},
                ],
            },
        ),
    ],
)
def test_pictures_of_odd_layers_are_what_the_arithmetic_says(view: str, keys: File, tmp_path: Path) -> None:
    assert_figure(in_file(tmp_path, "figure", view=view, **keys))


def test_the_maximum_of_no_input_is_a_number_too(tmp_path: Path) -> None:
    keys = {"operation": "max_pooling", "input_values": [1, 2], "kernel_size": [2], "dilation": 3, "padding": 1}
    figure = in_file(tmp_path, "figure", view="subsampling", **keys)
    assert_figure(figure)
    (frame,) = read_back(figure).frames
    assert [text.text for texts in frame.texts.values() for text in texts] == ["−∞", "−∞"]


def draw(file: File, folder: Path, most_frames: int) -> bool:
    """Draw a layer if there is such a one and its view draws it, and compare."""
    try:
        figure = load(written(folder, figure=file)[0])
        scene = scene_of(figure)
    except UserError:
        return False
    if scene.count > most_frames:
        return False
    assert_figure(figure, every=False)
    return True


@st.composite
def drawn(draw: st.DrawFn, view: str) -> File:
    """A figure's file of a view."""
    if view == "receptive_field":
        return draw(stacks())
    operations = OPERATIONS.get(view, ("convolution", "transposed_convolution"))
    file = draw(files(draw(st.sampled_from(operations)))) | {"view": view}
    if view == "channels":
        # Random values take their shapes from the channels.
        file = {key: value for key, value in file.items() if not key.endswith("_values")}
        groups = draw(st.integers(1, 3))
        ins, outs = (groups * draw(st.integers(1, 3)) for _ in range(2))
        file |= {"in_channels": ins, "out_channels": outs, "groups": groups, "values": "random"}
    return file


@st.composite
def stacks(draw: st.DrawFn) -> File:
    """Layers along one axis."""
    numbers = st.integers(1, 3)
    layers = []
    for _ in range(draw(numbers)):
        operation = draw(st.sampled_from(["convolution", "convolution", "max_pooling", "transposed_convolution"]))
        layer = {
            "operation": operation,
            "kernel_size": draw(numbers),
            "stride": draw(numbers),
            "dilation": draw(numbers),
        }
        layers.append(layer | {"padding": [[draw(st.integers(0, 2)), draw(st.integers(0, 2))]]})
    return {"title": "A stack", "view": "receptive_field", "input_size": [draw(st.integers(3, 12))], "layers": layers}


@pytest.mark.parametrize("view", RANDOM)
def test_random_layers_are_drawn_as_the_arithmetic_says(view: str, full: bool, tmp_path: Path) -> None:
    wanted, made = RANDOM[view]
    count = ask_many(made, full, drawn(view), lambda file: draw(file, tmp_path, 999 if full else 20))
    assert count >= wanted * (FULL if full else 1)
