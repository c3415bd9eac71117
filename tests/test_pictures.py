"""Pictures mean what the arithmetic says: each is read back from its source and compared with the frames.

Nothing of the views or their templates is used here but what they draw.
"""

import re
import subprocess
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import product
from math import floor, inf, isfinite, prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import strategies as st

from scripts.core.arithmetic import Cell, Element, GridAxis
from scripts.core.figures import Figure, load
from scripts.core.frames import Frame, Term, frames
from scripts.core.layers import Index, Layer
from scripts.core.operations import OPERATIONS
from scripts.errors import LayerError, UserError
from scripts.stages.render import caption, render
from scripts.stages.templates import templates
from scripts.views import scene_of, view_name
from tests.conftest import PROJECT
from tests.oracle import File
from tests.pictures import Definitions, Document, Label, Line, Picture, Point, ReadError, Text, read, read_document
from tests.test_engines import FULL, ask_many, files, written

CATALOGUE = [PROJECT.figures / f"{name}.toml" for name in PROJECT.figure_names()]
# Those that are drawn as maps.
FIGURES = [file for file in CATALOGUE if view_name(load(file)) in ("plane", "numerical")]
# Small layers that between them use all that the views draw.
SMALL: dict[str, File] = {
    "plane": {"operation": "convolution", "input_size": 3, "kernel_size": 2},
    "plane_1d": {"operation": "convolution", "input_size": [4], "kernel_size": 2, "dilation": 2, "padding": "causal"},
    "plane_cropped": {
        "operation": "transposed_convolution", "input_size": 3, "kernel_size": 2, "stride": 2, "padding": [2, [1, 2]],
    },
    "plane_ceil_mode": {
        "operation": "max_pooling", "input_size": [3, 4], "kernel_size": 2, "stride": 2, "ceil_mode": True,
        "padding": [0, [1, 0]],
    },
    "numerical": {
        "operation": "convolution", "input_values": [[1, 2], [3, -4]], "kernel_values": [[1, 0.5], [0, -1]],
        "padding": [0, 1],
    },
    "numerical_1d_transposed": {
        "operation": "transposed_convolution", "input_values": [1, 2, 3], "kernel_values": [1, 10, 100], "stride": 3,
        "dilation": 2, "padding": 1, "output_padding": 1,
    },
    "numerical_cropped": {
        "operation": "transposed_convolution", "input_values": [[1, 2], [3, 4]], "kernel_values": [[1, -1]],
        "stride": [1, 2], "padding": [0, [0, 2]],
    },
    "numerical_ceil_mode": {
        "operation": "average_pooling", "input_values": [[1, 2, 4, 8]], "kernel_size": [1, 2], "stride": 2,
        "padding": [0, [1, 0]], "ceil_mode": True, "count_include_pad": False,
    },
    "numerical_copied": {
        "operation": "convolution", "input_values": [[1, 2], [3, 4]], "kernel_values": [[1, 1]], "stride": 2,
        "padding": 1, "padding_mode": "replicate",
    },
    "numerical_pooling": {
        "operation": "lp_pooling", "input_values": [[3, 4], [-1.5, 1000], [0, 2]], "kernel_size": 2, "norm": 2.5,
        "dilation": [2, 1], "padding": [[0, 1], 1], "stride": [1, 2],
    },
    "plane_adaptive": {"operation": "adaptive_average_pooling", "input_size": [3, 5], "output_size": [2, 3]},
    "numerical_adaptive": {
        "operation": "adaptive_average_pooling", "input_values": [1, 2, -4, 8, 0.5], "output_size": 3,
    },
    "numerical_unpooling": {
        "operation": "max_unpooling", "input_values": [[5, 6]], "kernel_size": 2, "stride": 2, "indices": [[1, 6]],
    },
}  # fmt: skip
# Random layers of each operation that are to be drawn; there is less to see of the global ones.
LAYERS: dict[str, int] = {operation: 3 if operation.startswith("global") else 8 for operation in OPERATIONS}


def sources(figure: Figure) -> tuple[list[str], str]:
    """The sources of a figure: each step's, and that of the document with all frames."""
    *steps, document = render(PROJECT, scene_of(figure), PROJECT.catalogue).values()
    return steps, document


@cache
def in_the_report() -> dict[str, str]:
    """What the report says below each figure of the catalogue, as TeX defines it."""
    figures = map(load, CATALOGUE)
    captions = [(scene_of(figure), view_name(figure), caption(PROJECT, figure)) for figure in figures]
    text = templates(PROJECT).fill("figures.tex.j2", captions=captions)
    return dict(re.findall(r"^\\definefigure\{(.*?)\}(.*)$", text, re.MULTILINE))


# What is to be seen, from the arithmetic

Edge = tuple[Point, str]

# How a cell is filled and how it is drawn around, by its kind.
FILLS = {"input": ("input",), "copy": ("copy",)}
LINES = {"input": "outline", "copy": "padding", "padding": "padding", "overhang": "overhang", "cropped": "cropped"}


class Place(NamedTuple):
    """A cell of the grid: its kind, and the input element in it or copied into it."""

    kind: str
    input_index: Index | None


def grid_of(figure: Figure) -> tuple[GridAxis, GridAxis]:
    """Rows and columns; a layer of one axis has a single row."""
    *rows, columns = figure.layer.grid
    return rows[0] if rows else GridAxis((Cell("input", 0),), ((Element(0, 0),),)), columns


def places(figure: Figure) -> dict[Index, Place]:
    """All cells of the grid, by row and column."""
    rows, columns = grid_of(figure)
    found: dict[Index, Place] = {}
    for (r, row), (c, column) in product(enumerate(rows.cells), enumerate(columns.cells)):
        kinds = {row.kind, column.kind}
        index = [cell.input_index for cell in ((row, column) if len(figure.layer.axes) == 2 else (column,))]
        input_index = None if None in index else tuple(i for i in index if i is not None)
        kind = next((kind for kind in ("overhang", "cropped") if kind in kinds), "padding")
        if kind == "padding" and input_index is not None:
            kind = "input" if kinds == {"input"} else "copy"
        found[r, c] = Place(kind, input_index)
    return found


def two(index: Index) -> Index:
    """An index along one axis, in the row that is drawn."""
    return (0, *index) if len(index) == 1 else index


class Expected:
    """The pictures of a figure whose output stands at `origin`."""

    def __init__(self, figure: Figure, origin: Point) -> None:
        self.figure = figure
        self.origin = origin
        self.places = places(figure)
        self.numerical = is_numerical(figure)
        self.outputs = list(product(*(range(len(axis.windows)) for axis in grid_of(figure))))

    def frame(self, frame: Frame) -> Picture:
        """What is seen in one of its frames, but for labels."""
        rows, columns = frame.windows if len(frame.windows) == 2 else ((0,), *frame.windows)
        picture = self.input(set(product(rows, columns)), {two(term.position): term for term in frame.terms})
        self._show_output(picture, two(frame.output_index))
        picture.lines = self._links(two(frame.output_index), list(rows), list(columns))
        return picture

    def input(self, covered: set[Index], taking: dict[Index, Term]) -> Picture:
        """The input under a window that covers some cells, of which it takes some in."""
        picture = Picture()
        for (r, c), place in self.places.items():
            cell: Point = (c, r, 0)
            term = taking.get((r, c))
            look = FILLS.get(place.kind, ())
            if place.kind == "cropped" and place.input_index is not None:
                look = ("cropped input",)
            if self.numerical:
                look = (f"window over {place.kind}",) if term else look
                picture.texts[cell] = self._texts(place, None if term is None else term.kernel_index)
            elif (r, c) in covered:
                look = (*look, "window")
            picture.fills[cell] = look
            self._around(picture, cell, LINES[place.kind])
        if any(place.kind == "cropped" for place in self.places.values()):
            self._show_faint_border(picture)
        # Lines between cells of the window, and stronger ones around them.
        sides = Counter(edge for r, c in covered for edge in around((c, r, 0)))
        picture.edges |= {edge: ("window grid" if count == 2 else "lit",) for edge, count in sides.items()}
        return picture

    def _show_output(self, picture: Picture, lit_index: Index) -> None:
        decimals = self._decimals()
        for index in self.outputs:
            x, y, z = self.origin
            cell = (x + index[1], y + index[0], z)
            lit = index == lit_index
            over = ("window over output",) if self.numerical else ("output", "window")
            picture.fills[cell] = over if lit else ("output",)
            self._around(picture, cell, "outline")
            if self.numerical:
                value = self._value(index)
                text = as_given(value) if decimals is None else as_rounded(value, decimals)
                picture.texts[cell] = (number(text, "window over output value" if lit else "output value"),)

        x, y, z = self.origin
        picture.edges |= dict.fromkeys(around((x + lit_index[1], y + lit_index[0], z)), ("lit",))

    def _around(self, picture: Picture, cell: Point, line: str) -> None:
        """The lines around a cell; solid ones of the layer itself hide its neighbours' lines."""
        for edge in around(cell):
            lines = {*picture.edges.get(edge, ()), line}
            order = ("outline",) if "outline" in lines else ("cropped", "overhang", "padding")
            picture.edges[edge] = tuple(line for line in order if line in lines)

    def _show_faint_border(self, picture: Picture) -> None:
        """Faint lines, where there are any, go around the whole grid: at its border they show between dashes."""
        height, width = (max(numbers) + 1 for numbers in zip(*self.places, strict=True))
        for ((x, y, _), run), lines in picture.edges.items():
            if lines == ("padding",) and (y in (0, height) if run == "across" else x in (0, width)):
                picture.edges[(x, y, 0), run] = ("cropped", "padding")

    def _texts(self, place: Place, kernel_index: Index | None) -> tuple[Text, ...]:
        """The number in a cell, and the small one; `kernel_index` is given where the window takes it in."""
        layer, texts = self.figure.layer, []
        style = f"{place.kind} value" if kernel_index is None else f"window over {place.kind} value"
        held = None
        if place.input_index is not None:
            assert self.figure.input_values is not None
            held = self.figure.input_values[place.input_index]
        elif place.kind == "padding":
            held = counted_as(layer)
        if held is not None:
            texts.append(number(as_given(held), style))
        small = None
        if self.figure.indices is not None:
            small = self.figure.indices[place.input_index]
        elif self.figure.kernel_values is not None and kernel_index is not None:
            small = self.figure.kernel_values[kernel_index]
        if small is not None:
            texts.append(number(as_given(small), f"{style}, kernel value", (1, 1), "kernelwidth"))
        return tuple(texts)

    def _value(self, index: Index) -> float:
        assert self.figure.output_values is not None
        return float(self.figure.output_values[index[-len(self.figure.layer.axes) :]])

    def _decimals(self) -> int | None:
        """How many decimals the output has; None where its numbers are taken from the input as they are."""
        if not self.numerical or "max" in self.figure.layer.operation.name:
            return None
        return decimals_of([self._value(index) for index in self.outputs])

    def _links(self, index: Index, rows: list[int], columns: list[int]) -> list[Line]:
        x, y, z = self.origin[0] + index[1], self.origin[1] + index[0], self.origin[2]
        flat = is_flat(self.figure)
        if not rows or not columns or (self.numerical and not flat):
            return []
        # Of the sides that face each other.
        below, above = (1, y) if self.numerical else (0, y + 1)
        corners = [(columns[0], below, x, above), (columns[-1] + 1, below, x + 1, above)]
        if not flat:
            corners = [
                (columns[-1] + 1 if right else columns[0], rows[-1] + 1 if below else rows[0], x + right, y + below)
                for right, below in product((0, 1), repeat=2)
            ]
        return sorted(Line("link", (a, b, 0), (c, d, z)) for a, b, c, d in corners)


def decimals_of(values: list[float]) -> int:
    """How many decimals computed numbers are written with."""
    sizes = [abs(value) for value in values]
    for decimals in (0, 1, 2):
        if all(abs(value * 10**decimals - round(value * 10**decimals)) < 1e-7 for value in sizes):
            return decimals
    return 1 if min(filter(None, sizes)) >= 0.1 else 2


def in_rows(sizes: Index) -> Index:
    """Sizes along one axis, with the row that is drawn."""
    return (1, *sizes) if len(sizes) == 1 else sizes


def around(cell: Point) -> list[Edge]:
    """The lines around a cell."""
    x, y, z = cell
    return [((x, y, z), "across"), ((x, y + 1, z), "across"), ((x, y, z), "down"), ((x + 1, y, z), "down")]


def is_numerical(figure: Figure) -> bool:
    """Whether a figure is drawn with its numbers, as it is where it has any and asks for nothing else."""
    return figure.view == "numerical" or (figure.view is None and figure.input_values is not None)


def drawable(layer: Layer) -> bool:
    """Whether a layer can be drawn as maps."""
    return len(layer.axes) <= 2 and layer.channels is None


def is_flat(figure: Figure) -> bool:
    """Whether a figure is drawn as two rows, one over the other."""
    rows, _ = grid_of(figure)
    one_axis = len(figure.layer.axes) == 1
    return one_axis or (is_numerical(figure) and len(rows.cells) == len(rows.windows) == 1)


def centred(axis: GridAxis) -> float:
    """Where the output begins: over the input if it is as large, else over the middle of what windows move over."""
    inputs = [position for position, cell in enumerate(axis.cells) if cell.kind == "input"]
    moved = [position for position, cell in enumerate(axis.cells) if cell.kind != "cropped"]
    if len(inputs) == len(axis.windows):
        return inputs[0]
    return moved[0] + (len(moved) - len(axis.windows)) / 2


def counted_as(layer: Layer) -> float | None:
    """What padding and inserted zeros count as in a layer."""
    if "max" in layer.operation.name:
        return -inf
    return None if layer.operation.name.endswith("average_pooling") and not layer.count_include_pad else 0


def as_given(value: Any) -> str:
    """A number as in a figure's file."""
    if not isfinite(value):
        return "−∞"
    text = str(int(value)) if value == int(value) else repr(float(value))
    return text.replace("-", "−")


def as_rounded(value: float, decimals: int) -> str:
    """Rounded as at school, halves away from zero; no zero has a sign."""
    whole = floor(abs(value) * 10**decimals + 0.5 + 1e-9)
    digits = str(whole).rjust(decimals + 1, "0")
    cut = len(digits) - decimals
    return ("−" if value < 0 and whole else "") + digits[:cut] + ("." if decimals else "") + digits[cut:]


def number(text: str, style: str, place: tuple[float, float] = (0.5, 0.5), width: str = "valuewidth") -> Text:
    """A number in a cell; one of more than three characters is made to fit."""
    return Text(text, style, place, width if len(text) > 3 else None)


# What is read, made comparable


def output_origin(figure: Figure, picture: Picture) -> Point:
    """Where the output stands, which has to be in the middle of its side."""
    rows, columns = grid_of(figure)
    x, y, z = min(cell for cell, look in picture.fills.items() if {"output", "window over output"} & {*look})
    if is_flat(figure):
        assert (x, z) == (centred(columns), 0)
        # Below an input with numbers, otherwise above it, with room for lines.
        assert 1 < y < 2 if is_numerical(figure) else -2 < y < -1
    elif not is_numerical(figure):
        assert (x, y, z) == (centred(columns), centred(rows), 1)
    else:
        assert (y, z) == ((len(rows.cells) - len(rows.windows)) / 2, 0)
        assert len(columns.cells) < x < len(columns.cells) + 2
    return x, y, z


def assert_drawn(picture: Picture, expected: Picture) -> None:
    """That a picture is the one that is expected, labels aside."""
    assert filled(picture.fills) == filled(expected.fills)
    assert filled(picture.texts) == filled(expected.texts)
    assert picture.edges == expected.edges
    assert sorted(picture.lines) == expected.lines
    assert not picture.shapes
    assert not picture.beside


def filled(found: dict[Point, tuple[Any, ...]]) -> dict[Point, tuple[Any, ...]]:
    """Cells with something in them."""
    return {cell: content for cell, content in found.items() if content}


def assert_kernel(figure: Figure, picture: Picture, name: str = "") -> None:
    """That the kernel is beside the input where its values are shown, as it lies on the input, with its name."""
    if not is_numerical(figure) or figure.kernel_values is None:
        assert not picture.beside
        return
    (((x, y), beside),) = picture.beside.items()
    assert picture.matrix is not None
    width, height = picture.matrix[0], picture.matrix[3]
    weights = figure.kernel_values.reshape(in_rows(figure.layer.kernel_size))
    (label,) = beside.labels
    if figure.layer.transposed:
        weights = weights[::-1, ::-1]
    assert label.text == (name or ("rotated kernel" if figure.layer.transposed else "kernel"))
    if is_flat(figure):
        assert (x, label.anchor, label.at) == (0, "east", (0, 0.5, 0))
        assert 1.5 < y / -height < 2
    else:
        assert (label.anchor, label.at) == ("south", (weights.shape[1] / 2, 0, 0))
        assert 0.5 < -x / width - weights.shape[1] < 2
        rows, _ = grid_of(figure)
        assert y / height + weights.shape[0] / 2 == pytest.approx(len(rows.cells) / 2)
    expected = Picture()
    for (row, column), value in np.ndenumerate(weights):
        cell = (column, row, 0)
        expected.fills[cell] = ("weight",)
        expected.texts[cell] = (number(as_given(value), "weight value"),)
        expected.edges |= dict.fromkeys(around(cell), ("outline",))
    assert_drawn(beside, expected)
    assert beside.matrix == picture.matrix


def arrow(figure: Figure, picture: Picture) -> tuple[Point, Point] | None:
    """The arrow of a strip's panels: between two maps with numbers side by side, at the middle of the output."""
    if not is_numerical(figure) or is_flat(figure):
        return None
    rows, columns = grid_of(figure)
    x, y, z = output_origin(figure, picture)
    middle = y + len(rows.windows) / 2
    return (len(columns.cells), middle, z), (x, middle, z)


def assert_labelled(figure: Figure, picture: Picture, names: tuple[str, str] = ("input", "output")) -> None:
    """That each map has its name and size beside it, and that the space is the view's."""
    rows, columns = grid_of(figure)
    assert picture.matrix is not None
    a, b, c, d = picture.matrix
    # To the right columns go on, downwards rows do; only the plane is slanted.
    assert a > 0 > d
    slanted = not is_numerical(figure) and len(figure.layer.axes) == 2
    assert ((b, c) == (0, 0)) == (not slanted)
    first, second = picture.labels
    x, y, z = output_origin(figure, picture)
    # The output's front edge is raised over the input's back edge.
    assert picture.lift == (((len(columns.cells), 0, 0), (x, y + len(rows.windows), 0)) if slanted else None)
    # Cells without numbers may be small.
    reach = ("plane" if slanted else "row", (len(columns.cells), len(rows.cells), 0))
    assert picture.reach == (None if is_numerical(figure) else reach)
    assert_beside(picture.matrix, first, (0, 0, 0), len(columns.cells), len(rows.cells))
    assert_beside(picture.matrix, second, (x, y, z), len(columns.windows), len(rows.windows))
    sizes = [" × ".join(map(str, size)) for size in (figure.layer.input_size, figure.layer.output_size)]
    assert [first.text, second.text] == [f"{name} {size}" for name, size in zip(names, sizes, strict=True)]


def assert_beside(matrix: tuple[float, ...], label: Label, origin: Point, width: int, height: int) -> None:
    """That a label is at the middle of one of its map's sides, and reads away from it."""
    a, b, c, d = matrix
    x, y, z = (round(at - start, 6) for at, start in zip(label.at, origin, strict=True))
    assert z == 0
    assert (x in (0, width) and y == height / 2) or (x == width / 2 and y in (0, height))
    out_x, out_y = x - width / 2, y - height / 2
    side = {"north": (0, -1), "south": (0, 1), "east": (-1, 0), "west": (1, 0)}
    across, up = map(sum, zip(*(side[word] for word in label.anchor.split()), strict=True))
    assert (a * out_x + c * out_y) * across + (b * out_x + d * out_y) * up > 0


def assert_meant(figure: Figure, found: Document) -> None:
    """That all frames are drawn as the arithmetic says."""
    expected = Expected(figure, output_origin(figure, found.frames[0]))
    for picture, frame in zip(found.frames, frames(figure.layer, None, figure.indices), strict=True):
        assert_kernel(figure, picture)
        assert_drawn(replace(picture, beside={}), expected.frame(frame))
    assert_labelled(figure, found.frames[0])
    assert_parameters(figure.layer, found.frames[0].parameters)
    assert found.bare.fills.keys() <= found.frames[0].fills.keys()
    assert found.bare.edges.keys() == found.frames[0].edges.keys()
    assert not any("window" in style for look in found.bare.fills.values() for style in look)
    assert not found.bare.lines
    assert len(found.strip) == len(found.frames) or 1 < len(found.strip) < len(found.frames)
    assert {panel.arrow for panel in found.strip.values()} == {arrow(figure, found.frames[0])}


def read_back(figure: Figure, every: bool = True) -> Document:
    """All frames and the strip of a figure, which have to agree with the steps' own sources and with each other.

    Of the steps only the first and the last unless `every` one is to be read.
    """
    steps, document = sources(figure)
    found = read_document(document)
    assert len(steps) == len(found.frames)
    for number in range(len(steps)) if every else {0, len(steps) - 1}:
        assert read(steps[number]) == found.frames[number]
    assert_strip(found)
    assert_on_page(found)
    return found


def assert_strip(found: Document) -> None:
    """That a strip shows the first frames as they are read, labelled once."""
    assert 0 < len(found.strip) <= len(found.frames)
    columns = max(column for _, column in found.strip) + 1
    assert list(found.strip) == [divmod(number, columns) for number in range(len(found.strip))]
    for number, (panel, frame) in enumerate(zip(found.strip.values(), found.frames, strict=False)):
        unlabelled = replace(frame, labels=[]) if number else frame
        assert panel == replace(unlabelled, parameters=None, beside=panel.beside, step=panel.step, arrow=panel.arrow)
        assert panel.step == (str(number + 1) if len(found.strip) > 1 else None)
        # The kernel beside maps is on the pages only.
        assert panel.beside in ({}, frame.beside) or number


def assert_on_page(found: Document) -> None:
    """That frames are as large as the page, which only knows what stands still."""
    page = corners(found.bare)
    for frame in found.frames:
        for space, points in corners(frame).items():
            assert space in page
            for numbers, all_numbers in zip(zip(*points, strict=True), zip(*page[space], strict=True), strict=True):
                assert min(all_numbers) <= min(numbers) <= max(numbers) <= max(all_numbers)


def corners(picture: Picture, space: Any = None) -> dict[Any, list[tuple[float, float]]]:
    """The points (column, row) between which a picture is drawn, by their heights and spaces."""
    points = [point for x, y, z in picture.fills for point in ((x, y, z), (x + 1, y + 1, z))]
    points += [start for start, _ in picture.edges]
    points += [point for line in (*picture.lines, *picture.shapes) for point in (line.start, line.end)]
    found: dict[Any, list[tuple[float, float]]] = {}
    for x, y, z in points:
        found.setdefault((space, z), []).append((x, y))
    for corner, other in picture.beside.items():
        found |= corners(other, corner)
    return found


# Words, read back into numbers

SIZES = r"\d+(?: × \d+)*"
SIDE = r"(?:\d+|−\d+ \(cropped\))"
SIDES = rf"(?:{SIDE}(?: before, {SIDE} after)?|\({SIDE}, {SIDE}\))"
PARAMETER = re.compile(
    rf"(?P<sizes>kernel|window|stride|dilation|output padding) (?P<numbers>{SIZES})"
    r"|windows (?P<windows>\d+(?:–\d+)?(?: × \d+(?:–\d+)?)*)"
    rf"|padding (?P<padding>{SIDES}(?: × {SIDES})*)"
    r"(?: \((?P<with>−∞|counted|not counted|reflect|replicate|circular)\))?"
    r"|(?P<other>ceil mode)|norm (?P<norm>[\d.]+)|(?P<groups>\d+) groups"
)
CAPTION = re.compile(
    r"(?P<operation>[A-Z][A-Za-z ]+?)(?: with (?P<parameters>.+))?"
    r", from an input of (?P<input>.+?) to an output of (?P<output>.+?)\.(?P<rest>.*)"
)
DRAWN_AS = re.compile(
    rf" Drawn as the equivalent direct convolution: kernel rotated by 180°, stride 1, padding (?P<padding>.+?)"
    rf"(?:, dilation (?P<dilation>{SIZES}))?(?:, inputs (?P<apart>{SIZES}) apart with zeros between)?\."
)
OVER_HALF = " Padded by more than half of the window, which ONNX allows and PyTorch does not."
Pairs = list[tuple[int, int]]


def per_axis(text: str, n: int) -> list[int]:
    """A number for each axis, from one for all or one each."""
    numbers = [int(word) for word in text.split(" × ")]
    assert len(numbers) in (1, n)
    return numbers * n if len(numbers) == 1 else numbers


def sides(text: str, n: int) -> Pairs:
    """Padding (before, after) for each axis."""
    words = re.findall(SIDES, text)
    assert " × ".join(words) == text
    pairs = []
    for word in words:
        numbers = [int(side.replace("−", "-").removesuffix(" (cropped)")) for side in re.findall(SIDE, word)]
        pairs.append((numbers[0], numbers[-1]))
    assert len(pairs) in (1, n)
    return pairs * n if len(pairs) == 1 else pairs


def parameters_in(text: str, n: int) -> dict[str, Any]:
    """What a list of parameters says."""
    said: dict[str, Any] = {}
    at = 0
    while at < len(text):
        match = PARAMETER.match(text, at)
        assert match, f"{text[at:]!r} in {text!r}"
        if match["sizes"]:
            said[match["sizes"]] = per_axis(match["numbers"], n)
        elif match["windows"]:
            said["windows"] = [[int(size) for size in axis.split("–")] for axis in match["windows"].split(" × ")]
        elif match["padding"]:
            said["padding"] = sides(match["padding"], n)
            if match["with"]:
                said["padded with"] = match["with"]
        elif match["norm"]:
            said["norm"] = float(match["norm"])
        elif match["groups"]:
            said["groups"] = int(match["groups"])
        else:
            said[match["other"]] = True
        between = re.compile(r", | and |$").match(text, match.end())
        assert between, f"{text[match.end() :]!r} in {text!r}"
        at = between.end()
    return said


def own(layer: Layer) -> dict[str, Any]:
    """A layer's parameters, those that are worth saying."""
    axes, operation = layer.axes, layer.operation.name
    said: dict[str, Any] = {}
    if operation.startswith("adaptive"):
        said["windows"] = [sorted({len(window) for window in axis.windows}) for axis in layer.grid]
    elif not operation.startswith("global"):
        said["kernel" if operation.endswith("convolution") else "window"] = [axis.kernel_size for axis in axes]
        said["stride"] = [axis.stride for axis in axes]
        said["padding"] = [axis.padding for axis in axes]
        if any(map(any, said["padding"])):
            if layer.padding_mode != "zeros":
                said["padded with"] = layer.padding_mode
            elif operation == "max_pooling":
                said["padded with"] = "−∞"
            elif operation == "average_pooling":
                said["padded with"] = "counted" if layer.count_include_pad else "not counted"
    if any(axis.dilation > 1 for axis in axes):
        said["dilation"] = [axis.dilation for axis in axes]
    if operation == "transposed_convolution" and any(axis.output_padding for axis in axes):
        said["output padding"] = [axis.output_padding for axis in axes]
    if operation.endswith("lp_pooling"):
        said["norm"] = layer.norm
    if layer.ceil_mode:
        said["ceil mode"] = True
    if layer.channels is not None and layer.channels.groups > 1:
        said["groups"] = layer.channels.groups
    return said


def equivalent_padding(layer: Layer) -> Pairs:
    """Of the direct convolution that equals a transposed one: d(k − 1) − p, and the output padding after."""
    reaches = [axis.dilation * (axis.kernel_size - 1) for axis in layer.axes]
    return [
        (reach - axis.padding[0], reach - axis.padding[1] + axis.output_padding)
        for axis, reach in zip(layer.axes, reaches, strict=True)
    ]


def name_of(layer: Layer) -> str:
    """What an operation is called."""
    return layer.operation.name.replace("_", " ").replace("lp ", "LP ")


def assert_parameters(layer: Layer, rows: list[list[str]] | None, as_convolution: bool = True) -> None:
    """That what is below a picture are the layer's own parameters.

    Beside them are those of the convolution that a transposed layer is drawn as, if it is.
    """
    assert rows is not None
    n, said = len(layer.axes), own(layer)
    if not (layer.transposed and as_convolution):
        ((text,),) = rows
        if layer.operation.name != "convolution":
            name, _, text = text.partition(", ")
            assert name == name_of(layer)
        assert parameters_in(text, n) == said
        return
    assert rows[0] == ["", "transposed layer", "drawn as convolution"]
    columns = {name: (mine, drawn) for name, mine, drawn in rows[1:]}
    assert len(columns) == len(rows) - 1
    assert parameters_in(", ".join(f"{name} {mine}" for name, (mine, _) in columns.items()), n) == said
    kernel, turned = columns["kernel"][1].split(", ")
    assert per_axis(kernel, n) == said["kernel"]
    assert turned == "rotated 180°"
    stride, *apart = columns["stride"][1].split(", ")
    assert per_axis(stride, n) == [1] * n
    if any(axis.stride > 1 for axis in layer.axes):
        match = re.fullmatch(rf"inputs ({SIZES}) apart", apart[0])
        assert match
        assert per_axis(match[1], n) == said["stride"]
    else:
        assert apart == []
    assert sides(columns["padding"][1], n) == equivalent_padding(layer)
    if "output padding" in columns:
        assert columns["output padding"][1] == "(part of the padding)"
    if "dilation" in columns:
        assert per_axis(columns["dilation"][1], n) == said["dilation"]


def assert_caption(figure: Figure) -> None:
    """That a caption says what the layer is, and explains its picture if there is any."""
    rest = described(figure)
    if drawable(figure.layer):
        if figure.layer.transposed:
            rest = drawn_as(figure.layer, rest)
        assert rest == small_numbers(figure)


def described(figure: Figure) -> str:
    """What a caption says beyond the layer's description, which has to be true."""
    layer, n = figure.layer, len(figure.layer.axes)
    match = CAPTION.fullmatch(caption(PROJECT, figure))
    assert match
    assert match["operation"] == name_of(layer)[0].upper() + name_of(layer)[1:]
    assert parameters_in(match["parameters"] or "", n) == own(layer)
    channels = (None, None) if layer.channels is None else (layer.channels.in_channels, layer.channels.out_channels)
    for key, count, size in zip(("input", "output"), channels, (layer.input_size, layer.output_size), strict=True):
        words = "" if count is None else f"{count} channel{'' if count == 1 else 's'} of "
        assert match[key] == words + " × ".join(map(str, size))
    rest = match["rest"]
    if layer.operation.name.endswith("_pooling") and any(
        2 * max(axis.padding) > axis.kernel_size for axis in layer.axes
    ):
        assert rest.startswith(OVER_HALF)
    return rest.removeprefix(OVER_HALF)


def drawn_as(layer: Layer, rest: str) -> str:
    """What a caption says beyond the convolution that a transposed layer is drawn as, which has to be the equal one."""
    n = len(layer.axes)
    drawn = DRAWN_AS.match(rest)
    assert drawn
    assert sides(drawn["padding"], n) == equivalent_padding(layer)
    assert per_axis(drawn["dilation"] or "1", n) == [axis.dilation for axis in layer.axes]
    assert per_axis(drawn["apart"] or "1", n) == [axis.stride for axis in layer.axes]
    return rest[drawn.end() :]


def small_numbers(figure: Figure) -> str:
    """What the small numbers in the cells are, if there are any."""
    if is_numerical(figure) and figure.kernel_values is not None:
        return f" The small numbers are the kernel's{', rotated' if figure.layer.transposed else ''}."
    if is_numerical(figure) and figure.layer.operation.name == "max_unpooling":
        return " The small numbers are the places of the maxima, counted row by row."
    return ""


# Small layers


@pytest.mark.parametrize("name", SMALL)
def test_every_picture_of_a_small_layer_is_what_the_arithmetic_says(name: str, tmp_path: Path) -> None:
    figure = in_file(tmp_path, "figure", **SMALL[name])
    assert_meant(figure, read_back(figure))
    assert_caption(figure)


# Worked out by hand


def in_file(folder: Path, name: str, **keys: Any) -> Figure:
    """The figure of a file with these keys."""
    return load(written(folder, **{name: {"title": "A layer", **keys}})[0])


def shown(picture: Picture, style: str) -> list[str]:
    """The texts of a style, in the order in which their cells were painted."""
    return [text.text for texts in picture.texts.values() for text in texts if text.style == style]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1, -2, 30], ["1", "−2", "30"]),
        ([1.0, 2.5], ["1.0", "2.5"]),
        # Halves are rounded away from zero.
        ([0.35, -0.35, 0.123], ["0.4", "−0.4", "0.1"]),
        ([0.25, 0.5], ["0.25", "0.50"]),
        # One decimal would make nothing of the smallest.
        ([0.0123, 4.567], ["0.01", "4.57"]),
        ([0.004, -0.004, 1.5], ["0.00", "0.00", "1.50"]),
        ([1234.5, 0], ["1234.5", "0.0"]),
    ],
)
def test_computed_numbers_are_rounded_alike(values: list[float], words: list[str], tmp_path: Path) -> None:
    figure = in_file(tmp_path, "figure", operation="convolution", input_values=values, kernel_values=[1])
    document = read_document(sources(figure)[1])
    lit = [shown(frame, "window over output value")[-1] for frame in document.frames]
    assert lit == words
    assert shown(document.bare, "output value") == words


@pytest.mark.parametrize(
    ("operation", "operand"),
    [
        ("max_pooling", {"kernel_size": [1]}),
        ("max_unpooling", {"kernel_size": [1], "indices": [0, 1, 2, 3, 4]}),
        ("convolution", {"kernel_values": [-0.125]}),
    ],
)
def test_given_numbers_are_as_given(operation: str, operand: File, tmp_path: Path) -> None:
    values = [1, 2.0, -0.0625, 123456.78, -0.0]
    words = ["1", "2", "−0.0625", "123456.78", "0"]
    figure = in_file(tmp_path, "figure", operation=operation, input_values=values, **operand)
    document = read_document(sources(figure)[1])
    assert shown(document.bare, "input value") == words
    if operation == "convolution":
        assert shown(document.frames[0], "window over input value, kernel value") == ["−0.125"]
    else:
        assert shown(document.bare, "output value") == words


def test_a_kernel_is_turned_around_where_it_is_drawn_as_a_convolution(tmp_path: Path) -> None:
    keys = {"input_values": [[7]], "kernel_values": [[1, 2], [3, 4]], "padding": 0}
    figure = in_file(tmp_path, "figure", operation="transposed_convolution", **keys)
    steps, _ = sources(figure)
    # The window's last element is over the input first.
    small = "window over input value, kernel value"
    assert [shown(read(step), small) for step in steps] == [["1"], ["2"], ["3"], ["4"]]
    assert shown(read(steps[0]), "window over padding value, kernel value") == ["4", "3", "2"]
    for step, number in zip(steps, ("7", "14", "21", "28"), strict=True):
        assert shown(read(step), "window over input value") == ["7"]
        assert shown(read(step), "window over output value") == [number]


def test_places_of_the_maxima_stand_in_the_cells(tmp_path: Path) -> None:
    keys = {"input_values": [[8, 9]], "kernel_size": 2, "stride": 2, "indices": [[1, 6]]}
    figure = in_file(tmp_path, "figure", operation="max_unpooling", **keys)
    first, *_, last = map(read, sources(figure)[0])
    assert first.texts[0, 0, 0] == (
        Text("8", "window over input value", (0.5, 0.5), None),
        Text("1", "window over input value, kernel value", (1, 1), None),
    )
    assert first.texts[1, 0, 0] == (
        Text("9", "input value", (0.5, 0.5), None),
        Text("6", "input value, kernel value", (1, 1), None),
    )
    assert last.texts[1, 0, 0][1].style == "window over input value, kernel value"
    assert shown(first, "output value") == ["8", "0", "0", "0", "0", "9", "0"]


def test_what_is_cropped_or_hung_over_stands_at_its_side(tmp_path: Path) -> None:
    """Of one row, cell by cell: its fill and the line above it."""

    def row(**keys: Any) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        figure = in_file(tmp_path, "figure", view="plane", input_size=[3], **keys)
        bare = read_document(sources(figure)[1]).bare
        columns = sorted(x for (x, y, _), run in bare.edges if y == 0 and run == "across")
        return [(bare.fills.get((x, 0, 0), ()), bare.edges[(x, 0, 0), "across"]) for x in sorted({*columns})]

    blue = (("input",), ("outline",))
    cropped = row(operation="transposed_convolution", kernel_size=[1], stride=2, padding=[[2, 1]])
    assert cropped == [
        (("cropped input",), ("cropped",)),
        ((), ("cropped",)),
        blue,
        ((), ("cropped", "padding")),
        (("cropped input",), ("cropped",)),
    ]
    over = row(operation="max_pooling", kernel_size=[2], stride=2, padding=[[1, 0]], ceil_mode=True)
    assert over == [((), ("padding",)), blue, blue, blue]
    over = row(operation="max_pooling", kernel_size=[2], stride=2, ceil_mode=True)
    assert over == [blue, blue, blue, ((), ("overhang",))]
    copied = row(operation="convolution", kernel_size=[2], padding=[[0, 2]], padding_mode="reflect")
    assert copied == [blue, blue, blue, (("copy",), ("padding",)), (("copy",), ("padding",))]


@pytest.mark.parametrize(
    "keys",
    [
        {"operation": "convolution", "in_channels": 1, "out_channels": 4, "kernel_size": [1, 2]},
        {"operation": "transposed_convolution", "in_channels": 4, "out_channels": 2, "groups": 2, "kernel_size": 3},
        {"operation": "transposed_convolution", "kernel_size": 2, "dilation": [2, 1], "stride": [1, 2]},
        {"operation": "lp_pooling", "kernel_size": 2, "norm": 0.5, "dilation": [1, 2]},
        {"operation": "convolution", "kernel_size": [2, 3], "padding": [0, 1], "values": "random", "view": "plane"},
        {"operation": "max_unpooling", "kernel_size": 3, "padding": 1, "values": "random", "view": "plane"},
        {"operation": "global_lp_pooling", "norm": 3},
        {"operation": "average_pooling", "kernel_size": 3, "padding": [[0, 2], 1]},
        {"operation": "max_pooling", "kernel_size": 2, "padding": 1},
        {"operation": "convolution", "kernel_size": 3, "padding": 2},
    ],
)
def test_captions_say_what_a_layer_is(keys: File, tmp_path: Path) -> None:
    assert_caption(in_file(tmp_path, "figure", input_size=[5, 6], **keys))


@pytest.mark.parametrize("operation", ["convolution", "transposed_convolution"])
def test_a_note_ends_the_caption_and_the_label(operation: str, tmp_path: Path) -> None:
    keys = {"operation": operation, "input_size": 3, "kernel_size": 2}
    plain, noted = (in_file(tmp_path, "figure", **keys, **more) for more in ({}, {"note": "One & of 2. Then 3."}))
    assert caption(PROJECT, noted) == f"{caption(PROJECT, plain)} One & of 2. Then 3."
    before, after = (read_back(figure).frames[0].parameters for figure in (plain, noted))
    assert before is not None
    assert after == [*before, ["One & of 2"], ["Then 3"]]


@pytest.mark.parametrize("name", ["padding_strides", "numerical_padding_strides"])
def test_a_drawing_without_labels_is_the_same_but_for_them(name: str) -> None:
    (file,) = (file for file in FIGURES if file.stem == name)
    steps, document = sources(load(file))
    for source, reader in ((steps[0], read), (document, lambda source: read_document(source).frames[0])):
        full, bare = (reader(text) for text in (source, source.replace("\\figurelabelstrue", "\\figurelabelsfalse")))
        assert full.labels and full.parameters
        assert not bare.labels and not bare.parameters
        assert (full.fills, full.edges, full.texts, full.lines) == (bare.fills, bare.edges, bare.texts, bare.lines)


def switched_on(figure: Figure, switch: str) -> list[Picture]:
    """All frames with a switch of the styles turned on, which steps and document have to agree on."""
    steps, document = sources(figure)
    on = [text.replace(f"\\newif\\if{switch}", f"\\newif\\if{switch}\\{switch}true") for text in (*steps, document)]
    pictures = list(map(read, on[:-1]))
    found = read_document(on[-1])
    assert found.frames == pictures
    assert not any(panel.sum or panel.legend for panel in found.strip.values())
    return pictures


def computed_by(text: str) -> Any:
    """The value of what is written left of an equals sign."""
    text = text.replace("·", "*").replace("−∞", "-inf").replace("−", "-")
    text = re.sub(r"\|(.*?)\|\^([\d.]+)", r"abs(\1)**\2", text)
    text = re.sub(r"\)\^1/([\d.]+)", r")**(1/\1)", text)
    return eval(text, {"inf": inf, "abs": abs, "max": lambda *values: max(values)})  # noqa: S307 # our own


SUMMED = [name for name in SMALL if name.startswith("numerical") and name != "numerical_unpooling"]
POOLED: File = {"input_values": [[-3, 5, 1], [0, 2, -8]], "kernel_size": 2, "padding": 1}


@pytest.mark.parametrize(
    "keys",
    [
        *(SMALL[name] for name in SUMMED),
        {"operation": "max_pooling", **POOLED},
        {"operation": "average_pooling", **POOLED},
    ],
)
def test_sums_say_how_each_step_is_computed(keys: File, tmp_path: Path) -> None:
    figure = in_file(tmp_path, "figure", **keys)
    assert figure.input_values is not None
    assert figure.output_values is not None
    for picture, frame in zip(switched_on(figure, "figuresums"), frames(figure.layer, None), strict=True):
        match = re.fullmatch(r"(.*) (=|≈) (.*)", picture.sum)
        assert match
        value = float(figure.output_values[frame.output_index])
        assert computed_by(match[1]) == pytest.approx(value)
        assert computed_by(match[3]) == pytest.approx(value, abs=0.05)
        assert (match[2] == "=") == (computed_by(match[3]) == pytest.approx(value, abs=1e-9))
        # The result as it is in its cell, and the numbers of the window as they are in theirs.
        assert [match[3]] == shown(picture, "window over output value")
        held = [
            counted_as(figure.layer) if term.input_index is None else figure.input_values[term.input_index]
            for term in frame.terms
        ]
        kernel = figure.kernel_values
        if kernel is not None:
            products = [
                "·".join(f"({text})" if text.startswith("−") else text for text in map(as_given, (kernel[k], value)))
                for value, k in zip(held, (term.kernel_index for term in frame.terms), strict=True)
            ]
            assert match[1] == " + ".join(products)
        else:
            words = [as_given(value) for value in held if value is not None]
            without_exponents = re.sub(r"\^[\d./]+|/ \d+", "", match[1])
            assert re.findall(r"−?(?:∞|[\d.]+)", without_exponents) == words


def test_long_sums_leave_their_middle_out(tmp_path: Path) -> None:
    figure = in_file(tmp_path, "figure", operation="convolution", input_values=[[*range(13)]], kernel_values=[[1] * 13])
    (picture,) = switched_on(figure, "figuresums")
    assert picture.sum == "1·0 + 1·1 + 1·2 + 1·3 + 1·4 + 1·5 + 1·6 + 1·7 + … + 1·11 + 1·12 = 78"


def test_nothing_is_summed_or_explained_unless_it_is_switched_on(tmp_path: Path) -> None:
    figure = in_file(tmp_path, "figure", **SMALL["numerical"])
    assert not any(picture.sum or picture.legend for picture in map(read, sources(figure)[0]))
    unpooling = in_file(tmp_path, "unpooling", **SMALL["numerical_unpooling"])
    assert not any(picture.sum for picture in switched_on(unpooling, "figuresums"))


WINDOW = ("window over input, lit", "window")
WITHOUT = ("window over padding, lit", "window without input")
LEGENDS = {
    "plane": [WINDOW],
    "plane_1d": [WINDOW, ("padding", "padding"), WITHOUT],
    "plane_cropped": [
        WINDOW, ("padding", "inserted zeros"), WITHOUT, ("cropped input, cropped", "cropped by the padding"),
    ],
    "plane_ceil_mode": [
        WINDOW, ("padding", "padding (−∞)"), WITHOUT, ("overhang", "beyond the padding, in ceil mode"),
    ],
    "numerical_1d_transposed": [WINDOW, ("padding", "padding, inserted zeros"), WITHOUT],
    "numerical_copied": [WINDOW, ("copy, padding", "padding that repeats the input")],
    "numerical_unpooling": [WINDOW],
}  # fmt: skip


@pytest.mark.parametrize("name", LEGENDS)
def test_a_legend_explains_the_cells_that_a_figure_has(name: str, tmp_path: Path) -> None:
    pictures = switched_on(in_file(tmp_path, "figure", **SMALL[name]), "figurelegend")
    assert {tuple(picture.legend) for picture in pictures} == {tuple(LEGENDS[name])}


def test_a_legend_knows_no_padding_where_there_is_none(tmp_path: Path) -> None:
    keys: File = {"operation": "convolution", "input_size": 3, "kernel_size": 2, "padding_mode": "reflect"}
    assert switched_on(in_file(tmp_path, "figure", **keys), "figurelegend")[0].legend == [WINDOW]


def test_pages_have_room_for_sums_and_legends(tmp_path: Path) -> None:
    """Whatever a step's sum, all pages are equally large; the steps' own ones as large as those of the document."""
    figure = in_file(tmp_path, "figure", **SMALL["numerical"])
    steps, document = sources(figure)
    sizes = set()
    for name, text in {
        "all": templates(PROJECT).fill("preamble.tex.j2") + document,
        "first": steps[0],
        "last": steps[-1],
    }.items():
        for switch in ("figuresums", "figurelegend"):
            text = text.replace(f"\\newif\\if{switch}", f"\\newif\\if{switch}\\{switch}true")
        (tmp_path / f"{name}.tex").write_text(text, encoding="utf-8")
        run = ["pdflatex", "-interaction=batchmode", "-halt-on-error", f"{name}.tex"]
        subprocess.run(run, cwd=tmp_path, check=True, capture_output=True)
        last = str(len(steps)) if name == "all" else "1"
        asked = ["pdfinfo", "-f", "1", "-l", last, f"{name}.pdf"]
        said = subprocess.run(asked, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
        found = re.findall(r"size: +([\d.]+) x ([\d.]+)", said)
        assert len(found) == int(last)
        sizes |= {(round(float(width), 1), round(float(height), 1)) for width, height in found}
    assert len(sizes) == 1


def test_kinds_of_cells_can_be_told_apart() -> None:
    """By the source's own styles: what is dashed, what is dotted, and that no two fills are one."""
    source = sources(load(FIGURES[0]))[0][0]
    styles = Definitions(source)
    assert "dash pattern" in styles.leaves("padding") and "dash pattern" in styles.leaves("overhang")
    on, off = (float(word) for word in re.findall(r"([\d.]+)pt", styles.leaves("overhang")["dash pattern"]))
    assert on < 1 < off
    assert "dash pattern" not in styles.leaves("outline") and "dash pattern" not in styles.leaves("cropped")
    over = [f"window over {kind}" for kind in ("input", "copy", "output", "padding")]
    fills = [styles.leaves(style)["fill"] for style in ("input", "output", "copy", "cropped input", "window", *over)]
    assert len(set(fills)) == len(fills)
    assert styles.leaves("overhang")["dash pattern"] != styles.leaves("padding")["dash pattern"]
    assert styles.leaves("outline")["draw"] != styles.leaves("cropped")["draw"]


# The reader itself


def step(commands: str) -> str:
    """A source that draws some commands, with the styles of a figure's."""
    preamble, _ = sources(load(FIGURES[0]))[0][0].rsplit(r"\begin{document}", 1)
    return (
        preamble
        + r"\begin{document}\begin{tikzpicture}[convfigure]\begin{scope}[flat]"
        + commands
        + r"\end{scope}\end{tikzpicture}"
    )


def test_later_paint_covers_earlier_paint() -> None:
    picture = read(
        step(
            r"\fill[input] (0,0) rectangle (2,1); \cellnode{value}{0.5}{0.5}{1}"
            r"\draw[cropped] (0,0) grid (2,1); \draw[padding] (0,0) grid +(1,1);"
            r"\fill[window] (0,0) rectangle +(2,1); \fill[output] (1,0) rectangle (2,1);"
        )
    )
    assert picture.fills == {(0, 0, 0): ("input", "window"), (1, 0, 0): ("output",)}
    assert picture.texts == {(0, 0, 0): (Text("1", "value", (0.5, 0.5), None),)}
    assert picture.edges[(0, 0, 0), "across"] == ("cropped", "padding")
    assert picture.edges[(1, 0, 0), "across"] == ("cropped",)
    covered = read(
        step(r"\cellnode{value}{0.5}{0.5}{1} \draw[outline] (0,0) grid (2,1); \fill[papercolor] (0,0) rectangle (2,1);")
    )
    assert not covered.texts and not covered.fills
    assert ((1, 0, 0), "down") not in covered.edges


def test_what_has_cells_of_its_own_is_a_picture_of_its_own() -> None:
    cells = r"\begin{scope}[shift={([small map]2,1)}, layer matrix]\fill[weight] (1,0) rectangle +(1,1);\end{scope}"
    preamble, _ = step("").rsplit(r"\begin{tikzpicture}", 1)
    maps = r"\begin{scope}[small map]\path[input, outline] (0,0) rectangle (1,1);\end{scope}"
    picture = read(rf"{preamble}\begin{{tikzpicture}}[convfigure]{maps}{cells}\end{{tikzpicture}}")
    assert picture.fills == {(0, 0, 0): ("input",)}
    assert picture.edges[(0, 0, 0), "down"] == ("outline",)
    # Of the paper, where the small map's column 2 and row 1 begin.
    assert picture.beside == {(0.8, -0.4): Picture((0.7, 0, 0, -0.5), fills={(1, 0, 0): ("weight",)})}


@pytest.mark.parametrize(
    ("commands", "message"),
    [
        (r"\shade (0,0) rectangle (1,1);", "does not know"),
        (r"3", "typesets '3"),
        (r"\fill[input] (0,0) rectangle (1,1) arc (1:2:3);", "cannot follow"),
        (r"\draw[outline] (0.5,0) grid (1.5,1);", "beside TikZ's own"),
        (r"\draw[outline] (0,0) grid (1.5,1);", "a grid of"),
        (r"\cellnode{value}{0.5}{0.5}{a_b}", "cannot read"),
        (
            r"\begin{scope}[plane]\fill[input] (0,0) rectangle (1,1);\end{scope}\fill[input] (0,0) rectangle (1,1);",
            "two spaces, one in the other",
        ),
        (r"\begin{scope}", "does not end"),
    ],
)
def test_what_no_view_draws_is_not_read(commands: str, message: str) -> None:
    with pytest.raises(ReadError, match=message):
        read(step(commands))


# Layers at random


def draw(file: File, folder: Path, most_frames: int) -> bool:
    """Draw a layer if there is such a one and it has few enough frames, and compare."""
    try:
        figure = load(written(folder, figure=file)[0])
    except UserError:
        return False
    described(figure)
    if not drawable(figure.layer) or prod(figure.layer.output_size) > most_frames:
        return False
    try:
        found = read_back(figure, every=False)
    except LayerError as error:
        assert "A drawing has at most" in str(error)
        return False
    assert_meant(figure, found)
    assert_caption(figure)
    return True


@st.composite
def drawn(draw: st.DrawFn, operation: str) -> File:
    """A figure's file of a view."""
    file = draw(files(operation))
    return file | {"view": draw(st.sampled_from(["plane", "numerical", "numerical"]))}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_random_layers_are_drawn_as_the_arithmetic_says(operation: str, full: bool, tmp_path: Path) -> None:
    """Eight times as many are made as wanted: some do not exist, and some cannot be drawn."""
    wanted = LAYERS[operation]
    count = ask_many(8 * wanted, full, drawn(operation), lambda file: draw(file, tmp_path, 999 if full else 25))
    assert count >= wanted * (FULL if full else 1)
