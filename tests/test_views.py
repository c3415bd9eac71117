"""Scenes of views: plain data that agrees with the arithmetic; and layers that views refuse."""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, is_dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from sympy import Rational

from scripts.core.arithmetic import DirectAxis, GridAxis
from scripts.core.figures import Figure, figure, load
from scripts.core.frames import frames
from scripts.core.keys import FigureFile
from scripts.core.layers import Layer, Values
from scripts.errors import LayerError
from scripts.stages.render import caption
from scripts.text.relationships import receptive_fields
from scripts.views import VIEWS, scene_of, view_name
from scripts.views.limits import LONGEST_AXIS, MOST_CELLS, MOST_STEPS, MOST_TERMS
from scripts.views.maps import blocks, extent, input_map, offset, runs
from scripts.views.matrix import entries, shown
from scripts.views.matrix import places as drawn_at
from scripts.views.overlap import overlap
from scripts.views.subsampling import with_unit_stride
from scripts.views.sums import products
from tests.conftest import PROJECT, TOP
from tests.test_relationships import seen

RANDOM = np.random.default_rng(0)
CONVOLUTIONS = ["no_padding_no_strides", "padding_strides_odd", "dilation", "asymmetric_padding", "causal_1d"]
STACKS = ["strided_stack", "causal_stack"]


def catalogue(name: str) -> Figure:
    return load(PROJECT.figures / f"{name}.toml")


def made(**keys: Any) -> Figure:
    return figure("made", FigureFile.model_validate({"title": "Made", "operation": "convolution"} | keys))


def leaves(data: object) -> Iterator[object]:
    """All leaves of nested plain data."""
    if isinstance(data, dict):
        data = [*data, *data.values()]
    if isinstance(data, list | tuple):
        for part in data:
            yield from leaves(part)
    else:
        yield data


@pytest.mark.parametrize("name", PROJECT.figure_names())
def test_a_scene_is_plain_data(name: str) -> None:
    scene = scene_of(catalogue(name))
    for part in (scene.still, *scene.steps):
        data = asdict(part) if is_dataclass(part) and not isinstance(part, type) else part
        # Neither objects nor NumPy's numbers, which JSON would refuse or write differently.
        assert {type(leaf) for leaf in leaves(data)} <= {int, float, str, bool, type(None)}
        json.dumps(data)
    assert len(scene.durations) == scene.count >= 1


def test_every_view_is_shown_by_a_figure_and_has_a_template() -> None:
    assert {view_name(catalogue(name)) for name in PROJECT.figure_names()} == VIEWS.keys()
    assert {file.name for file in (PROJECT.templates / "views").iterdir()} == {f"{name}.tex.j2" for name in VIEWS}


# Geometry


def test_runs_join_neighbours() -> None:
    assert runs([1, 2, 3, 7]) == [(1, 3), (7, 1)]
    assert runs([]) == []
    assert extent([2, 4, 6]) == (2, 5)


def test_blocks_are_columns_and_rows() -> None:
    assert blocks([0], [1, 2, 4]) == ((1, 0, 2, 1), (4, 0, 1, 1))
    assert blocks([], [1]) == ()


def row(**parameters: Any) -> GridAxis:
    return DirectAxis(**parameters).grid


@pytest.mark.parametrize(
    ("axis", "place"),
    [
        # As large as the input: above it, wherever the padding is.
        (row(input_size=5, kernel_size=3, padding=(2, 0)), 2),
        # Otherwise over the middle of what the window moves over.
        (row(input_size=5, kernel_size=3), 1),
        (row(input_size=4, kernel_size=3, padding=(0, 1), stride=2), 1.5),
        (row(input_size=2, kernel_size=1, input_dilation=3, padding=(0, 2)), 0),
        # Cropped cells are not moved over.
        (row(input_size=5, kernel_size=1, padding=(-2, 0), stride=2), 3 - 0.5),
    ],
)
def test_where_the_output_stands(axis: GridAxis, place: float) -> None:
    assert offset(axis) == place


def painted(parts: tuple[tuple[int, int, int, int], ...]) -> Counter[tuple[int, int]]:
    """How often each cell (column, row) is painted."""
    return Counter((x, y) for c, r, w, h in parts for x, y in product(range(c, c + w), range(r, r + h)))


@pytest.mark.parametrize(
    "keys",
    [
        {"padding": [[1, 0], [0, 2]]},
        {"padding": 2, "padding_mode": "reflect"},
        {"operation": "transposed_convolution", "kernel_size": 1, "stride": [2, 1], "padding": [1, 0]},
        {"operation": "max_pooling", "stride": 3, "ceil_mode": True},
    ],
)
def test_an_input_map_paints_each_kind_of_cell(keys: dict[str, Any]) -> None:
    layer = made(**{"input_size": 4, "kernel_size": 3} | keys).layer
    shown = input_map(layer, layer.grid)
    kinds = dict[tuple[int, int], set[str]]()
    for (r, below), (c, right) in product(*(enumerate(axis.cells) for axis in layer.grid)):
        kinds[c, r] = {below.kind, right.kind}
    assert len(kinds) == shown.columns * shown.rows
    kept = {cell for cell, found in kinds.items() if found <= {"input", "padding", "inserted"}}
    assert painted(shown.kept) == Counter(kept)
    assert painted(shown.input) == Counter(cell for cell, found in kinds.items() if found == {"input"})
    assert painted(shown.overhang) == Counter(cell for cell, found in kinds.items() if "overhang" in found)
    assert bool(shown.cropped) == any("cropped" in found for found in kinds.values())
    assert (shown.copied != shown.input) == (layer.padding_mode != "zeros")


# What each view shows


@pytest.mark.parametrize("name", ["numerical_padding_strides", "numerical_padding_strides_transposed"])
def test_the_numbers_under_a_window_explain_its_value(name: str) -> None:
    for step in scene_of(catalogue(name)).steps:
        assert sum(cell.number * cell.small for cells in step.covered for cell in cells) == step.value


def filled(layer: Layer, kernel: Values) -> Values:
    """The matrix with a kernel's values in it."""
    matrix = np.zeros((int(np.prod(layer.output_size)), int(np.prod(layer.input_size))), int)
    for entry in entries(layer, kernel):
        assert entry.number == kernel[entry.kernel_index]
        matrix[entry.row, entry.column] += entry.number
    return matrix


@pytest.mark.parametrize("name", [*CONVOLUTIONS, "non_square", "padding_strides_odd_transposed", "cropped_transposed"])
def test_the_matrix_times_the_input_is_the_output(name: str) -> None:
    layer = catalogue(name).layer
    values, kernel = RANDOM.integers(-9, 9, layer.input_shape), RANDOM.integers(-9, 9, layer.kernel_shape)
    assert np.array_equal(filled(layer, kernel) @ values.ravel(), layer.output(values, kernel).ravel())


@pytest.mark.parametrize("name", ["matrix", "arbitrary_padding_no_strides", "padding_strides_odd"])
def test_the_transposed_layers_matrix_is_the_transposed_matrix(name: str) -> None:
    direct, transposed = (catalogue(n).layer for n in (name, f"{name}_transposed"))
    kernel = RANDOM.integers(-9, 9, direct.kernel_shape)
    assert np.array_equal(filled(direct, kernel).T, filled(transposed, kernel))


@pytest.mark.parametrize("name", ["matrix", "matrix_transposed", "matrix_1d", "matrix_strides_transposed"])
def test_a_row_of_the_matrix_is_lit_with_its_elements(name: str) -> None:
    scene = scene_of(catalogue(name))
    still, width = scene.still, scene.still.input.grid.columns
    assert (still.grid.rows, still.grid.columns) == (scene.count, width * still.input.grid.rows)
    for number, step in enumerate(scene.steps):
        assert {entry.row for entry in step.entries} == {step.row} == {number}
        columns = [entry.column for entry in step.entries]
        assert [cell.row * width + cell.column for cell in step.inputs] == columns
        assert [cell.column for cell in step.factors] == columns
        assert step.output.row * still.output.grid.columns + step.output.column == step.result.row == number
        if step.result.number is not None:
            products = (e.number * i.number for e, i in zip(step.entries, step.inputs, strict=True))
            assert sum(products) == step.output.number == step.result.number


def test_dots_take_the_place_of_all_but_the_first_and_the_last_elements() -> None:
    assert drawn_at(range(4), 4) == {0: 0, 1: 1, 2: 2, 3: 3}
    # One element takes no more room than dots.
    assert drawn_at([3, 4], 8) == {0: 0, 3: 2, 4: 3, 7: 5}
    assert drawn_at([2], 5) == {n: n for n in range(5)}


@pytest.mark.parametrize("operation", ["convolution", "transposed_convolution"])
@pytest.mark.parametrize("size", [[100], [28, 28], [3, 40], [40, 3]])
def test_a_matrix_of_dots_shows_what_the_first_windows_meet(operation: str, size: list[int]) -> None:
    layer = made(operation=operation, input_size=size, kernel_size=3, padding=1).layer
    drawn = shown(layer)
    assert max(max(place.values()) for place in drawn) < 30
    rows, columns = map(set, reversed(drawn) if layer.transposed else drawn)
    met = defaultdict(set)
    for entry in entries(layer):
        line, other = (entry.column, entry.row) if layer.transposed else (entry.row, entry.column)
        met[line].add(other)
    count = math.prod(layer.output_size)
    first = min(set(range(count)) - rows)
    assert first >= 2 and count - 1 in rows
    assert all(met[line] <= columns for line in (*range(first), count - 1))


@pytest.mark.parametrize(
    "keys", [{"stride": 2, "padding": 1}, {"stride": 2, "dilation": 3, "output_padding": 1, "padding": [[2, 0]]}]
)
def test_what_is_scattered_adds_up_to_the_output(keys: dict[str, Any]) -> None:
    given = {"operation": "transposed_convolution", "input_values": [1, 2, 3, 4], "kernel_values": [1, 10, 100]}
    example = made(**given, **keys)
    assert example.input_values is not None and example.kernel_values is not None and example.output_values is not None
    sums, cropped = dict.fromkeys(range(example.layer.output_size[0]), 0.0), list[int]()
    for line in products(example.layer, example.input_values, example.kernel_values):
        for place, number, outside in line:
            if outside:
                cropped.append(place)
            else:
                sums[place] += number
    assert list(sums.values()) == example.output_values.tolist()
    assert cropped and not set(cropped) & sums.keys()


@pytest.mark.parametrize("name", ["uneven_overlap", "even_overlap"])
def test_the_overlap_counts_products(name: str) -> None:
    layer = catalogue(name).layer
    counts = overlap(layer)
    rows = Counter(entry.row for entry in entries(layer))
    assert counts.ravel().tolist() == [rows[row] for row in range(counts.size)]
    inner = counts[2:-2, 2:-2]
    assert (inner.min() == inner.max()) == (name == "even_overlap")
    assert counts.ravel().tolist() == [cell.number for cell in scene_of(catalogue(name)).still.numbers]


def test_a_stride_keeps_what_is_marked() -> None:
    still = scene_of(catalogue("subsampling")).still
    kept = {(block.column, block.row) for block in still.kept}
    marked = [cell.number for cell in still.unit.numbers if (cell.column, cell.row) in kept]
    assert marked == [cell.number for cell in still.output.numbers]
    layer = catalogue("no_padding_strides").layer
    values, kernel = RANDOM.integers(-9, 9, layer.input_shape), RANDOM.integers(-9, 9, layer.kernel_shape)
    assert np.array_equal(with_unit_stride(layer).output(values, kernel)[::2, ::2], layer.output(values, kernel))


def test_positions_are_the_windows() -> None:
    example = made(input_size=[7], kernel_size=3, stride=2, dilation=2, padding=1)
    positions = VIEWS["positions"](example).still
    assert [position.cells for position in positions.positions] == [(0, 2, 4), (2, 4, 6), (4, 6, 8)]
    assert [position.extent for position in positions.positions] == [(0, 5), (2, 5), (4, 5)]


def test_each_output_channel_meets_the_input_channels_of_its_group() -> None:
    example = made(input_size=5, kernel_size=3, in_channels=4, out_channels=6, groups=2)
    wiring = VIEWS["wiring"](example).still
    columns = [
        np.array([map_.at.column + map_.columns / 2 for map_ in maps]) for maps in (wiring.inputs, wiring.slices)
    ]
    rows = [map_.at.row + map_.rows / 2 for map_ in wiring.outputs]
    met = {
        (rows.index(map_.at.row + map_.rows / 2), columns[0].tolist().index(x))
        for map_, x in zip(wiring.slices, columns[1], strict=True)
    }
    assert met == {(o, c) for o in range(6) for c in range(4) if o // 3 == c // 2}
    assert len(wiring.slices) == np.prod(example.layer.kernel_shape[:2])
    assert len(wiring.pluses) == len(wiring.slices) - len(wiring.outputs)


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_sees_what_is_counted(name: str) -> None:
    example = catalogue(name)
    layers = [layer for layer in example.layers if isinstance(layer, Layer)]
    assert [b.input_size for _, b in pairwise(layers)] == [a.output_size for a, _ in pairwise(layers)]
    (step,) = scene_of(example).steps
    rows = {row: [element.column for element in step.elements if element.row == row] for row in range(len(layers) + 1)}
    (top,) = ([point.column for point in scene_of(example).still.levels[-1].at].index(rows[0][0]),)
    parameters = tuple((a.kernel_size, a.stride, a.padding[0], a.dilation) for (a,) in (layer.axes for layer in layers))
    for depth, level in enumerate(scene_of(example).still.levels):
        inside = {place for place in seen(parameters[depth:], top) if 0 <= place < len(level.at)}
        assert [level.at[n].column for n in sorted(inside)] == rows[len(layers) - depth]
    first, second = seen(parameters, 0), seen(parameters, 1)
    fields = receptive_fields(PROJECT, example.layers)
    assert fields[-1]["r"] == max(first) - min(first) + 1
    assert fields[-1]["j"] == min(second) - min(first)
    assert fields[-1]["c"] == Rational(max(first) + min(first), 2)


def test_a_transposed_layers_elements_stand_between_its_inputs() -> None:
    example = made(view="receptive_field", operation="transposed_convolution", input_size=[3], kernel_size=2, stride=2)
    inputs, outputs = ([point.column for point in level.at] for level in scene_of(example).still.levels)
    # Two outputs for each input, and at least 1 apart.
    assert outputs == [inputs[n] + offset for n in range(3) for offset in (-0.5, 0.5)]
    assert {b - a for a, b in pairwise(outputs)} == {1}


def test_the_numbers_of_paths_may_have_any_length() -> None:
    layers = [{"kernel_size": 9, "padding": 4}] * 12
    scene = scene_of(made_stack([9, 9], layers))
    assert {path.paths for path in scene.steps[-1].paths} == {None}
    assert max(path.percent for path in scene.steps[-1].paths) == 100
    assert "the colours show the paths to each" in scene.sentence


def made_stack(input_size: list[int], layers: list[dict[str, Any]], view: str = "receptive_field") -> Figure:
    keys = {"title": "Made", "view": view, "input_size": input_size, "layers": layers}
    return figure("made", FigureFile.model_validate(keys))


@pytest.mark.parametrize(
    ("input_size", "layers", "message"),
    [
        ([3, 3, 3], [{"kernel_size": 2}], "the receptive_field view draws layers of 1 or 2 axes"),
        ([3], [{"kernel_size": 2, "in_channels": 1, "out_channels": 1}], "draws a single channel"),
        ([500], [{"kernel_size": 2}], "gives an axis of 500 cells, and a drawing has at most 200"),
        ([80, 80], [{"kernel_size": 1}], "cells and lines to draw, and a drawing has at most 4000"),
        (
            [3],
            [{"branches": [[], [{"kernel_size": 2, "stride": 2, "padding": 2}]]}],
            "joins branches with jumps of 1 and 2",
        ),
    ],
)
def test_stacks_that_are_not_drawn_are_refused(
    input_size: list[int], layers: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(LayerError, match=message):
        scene_of(made_stack(input_size, layers))


# Captions


def test_only_what_is_drawn_as_a_convolution_is_said_to_be() -> None:
    said = "Drawn as the equivalent direct convolution"
    assert said in caption(PROJECT, catalogue("no_padding_no_strides_transposed"))
    for name in ("matrix_transposed", "scatter", "uneven_overlap"):
        assert said not in caption(PROJECT, catalogue(name))


CHANNELS = {"kernel_size": 2, "input_size": [3, 2], "padding": [[1, 0], 0], "values": "random"}


@pytest.mark.parametrize(
    ("ins", "outs", "groups", "inputs", "outputs"),
    [
        (2, 3, 1, [0, 1], [0, 1, 2]),
        (3, 6, 3, [0, 1, 2], [0, 1, 2, 5]),
        (6, 5, 1, [0, 1, 2, 5], [0, 1, 2, 4]),
        # The outputs of groups whose inputs are not shown are not shown either.
        (8, 8, 4, [0, 1, 2, 7], [0, 1, 2, 7]),
    ],
)
def test_each_channel_adds_its_products(
    ins: int, outs: int, groups: int, inputs: list[int], outputs: list[int]
) -> None:
    example = made(view="channels", in_channels=ins, out_channels=outs, groups=groups, **CHANNELS)
    scene, layer = scene_of(example), example.layer
    assert example.input_values is not None
    assert example.kernel_values is not None
    elements = [index for index in np.ndindex(*layer.output_size) for _ in outputs]
    assert [(step.row, step.column) for step in scene.steps] == elements
    rows = [window.at.row for window in scene.still.parts[0].inputs]
    by_index = {frame.output_index: frame for frame in frames(layer, example.output_values)}
    for number, step in enumerate(scene.steps):
        output = outputs[number % len(outputs)]
        frame = by_index[output, step.row, step.column]
        added = Counter(dict.fromkeys(range(output // (outs // groups) * (ins // groups), ins)[: ins // groups], 0))
        for term in frame.terms:
            if term.input_index is not None:
                product_ = example.kernel_values[term.kernel_index] * example.input_values[term.input_index]
                added[term.input_index[0]] += product_.item()
        shown = {channel: added.pop(channel) for channel in inputs if channel in added}
        assert [window.at.row for window in step.windows] == [rows[inputs.index(channel)] for channel in shown]
        assert [window.sum.number for window in step.windows] == list(shown.values())
        assert (None if step.rest is None else step.rest.number) == (sum(added.values()) if added else None)
        assert step.number == frame.value
        assert (None if step.total is None else step.total.number) == (frame.value if len(shown) > 1 or added else None)


def test_the_caption_of_a_stack_tells_its_layers() -> None:
    text = caption(PROJECT, catalogue("strided_stack"))
    assert text.startswith("A stack of 3 layers, from an input of 12 to an output of 6: convolution with kernel 3, ")
    assert text.endswith(" Each element is over the centre of its own field.")


# Refusals


@pytest.mark.parametrize(
    ("between", "later", "message"),
    [
        (2, {"kernel_size": 2}, "larger windows, strides or padding"),
        (2, {"kernel_size": 1, "padding": 1}, "larger windows, strides or padding"),
        (2, {"kernel_size": 1, "stride": 2}, "larger windows, strides or padding"),
        (5, {"kernel_size": 1}, "have 5 channels between them. The channels view draws at most 4 of them in a stack"),
    ],
)
def test_channels_are_drawn_of_a_layer_and_pointwise_ones(between: int, later: dict[str, Any], message: str) -> None:
    first = {"kernel_size": 2, "in_channels": 1, "out_channels": between}
    layers = [first, later | {"in_channels": between, "out_channels": 1}]
    keys = {"title": "Two layers", "view": "channels", "input_size": 4, "layers": layers}
    with pytest.raises(LayerError, match=message):
        scene_of(figure("two", FigureFile.model_validate(keys)))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"view": "maps"}, "view: cannot be 'maps'. It is one of plane, excerpt, volume, numerical"),
        ({"view": "plane", "input_size": [5, 5, 5]}, "the plane view draws layers of 1 or 2 axes"),
        ({"input_size": [5], "in_channels": 1, "out_channels": 2}, "the plane view draws a single channel"),
        ({"view": "numerical"}, "the numerical view draws values"),
        ({"view": "kernel"}, "the kernel view draws values"),
        ({"view": "wiring"}, "the wiring view draws channels"),
        ({"view": "wiring", "in_channels": 40, "out_channels": 1}, "gives an axis of 263 cells"),
        ({"view": "positions"}, "the positions view draws layers of 1 axis. Describe this layer, or draw 1 axis of it"),
        ({"view": "sums", "input_size": [5]}, "the sums view draws transposed convolutions"),
        (
            {"view": "sums", "input_size": [5], "operation": "transposed_convolution"},
            "the sums view draws values",
        ),
        ({"view": "overlap", "operation": "max_pooling"}, "the overlap view draws convolutions"),
        ({"view": "input_gradient", "operation": "max_pooling"}, "the input_gradient view draws convolutions"),
        ({"view": "kernel_gradient"}, "the kernel_gradient view draws values"),
        (
            {"view": "input_gradient", "padding": 1, "padding_mode": "reflect", "values": "random"},
            "padding_mode: reflect passes gradients on to the copied elements",
        ),
        (
            {"view": "kernel_gradient", "input_size": 80, "values": "random"},
            "112356 cells in all frames, and a drawing has at most 60000. The largest input that fits is 58x58",
        ),
        ({"view": "upsampling"}, "the upsampling view draws transposed convolutions"),
        *(
            ({"view": view, "operation": "transposed_convolution", "stride": 2} | keys, text)
            for view, keys, text in (
                ("upsampling", {}, "padding: gives an output of 11x11; the upsampling view draws stride times the "),
                ("pixel_shuffle", {"padding": "same_upper"}, "the pixel_shuffle view draws values"),
                (
                    "pixel_shuffle",
                    {"padding": "same_upper", "input_size": 60, "values": "random"},
                    "gives an axis of 302 cells, and a drawing has at most 200",
                ),
            )
        ),
        (
            {"view": "subsampling", "operation": "transposed_convolution"},
            "the subsampling view draws convolutions and poolings",
        ),
        (
            {"view": "subsampling", "operation": "max_pooling", "stride": 3, "ceil_mode": True},
            "adds windows that stride 1 does not have",
        ),
        ({"view": "positions", "input_size": [5], "operation": "max_unpooling"}, "draws layers with a stride"),
        (
            {
                "view": "subsampling",
                "input_size": [5],
                "operation": "adaptive_max_pooling",
                "kernel_size": None,
                "output_size": 3,
            },
            "poolings by a stride",
        ),
        ({"view": "streaming", "padding": 1}, "the streaming view draws layers of 1 axis"),
        (
            {"view": "streaming", "input_size": [5]},
            'padding: lets the layer see later samples, or not all. Use padding = "c',
        ),
        (
            {"view": "streaming", "input_size": [5], "stride": 2, "padding": "causal"},
            "stride: is 2. The streaming view",
        ),
        ({"view": "streaming", "input_size": [5], "kernel_size": 1}, "is 1, for which no sample is kept"),
        ({"view": "streaming", "input_size": [5], "operation": "max_pooling"}, "the streaming view draws convolutions"),
        (
            {"view": "streaming", "input_size": [5], "operation": "transposed_convolution"},
            "the streaming view draws convolutions",
        ),
        ({"view": "positions", "input_size": [150], "kernel_size": 60}, "gives 5460 cells and lines to draw"),
        ({"view": "overlap", "input_size": [1, 210], "kernel_size": 1}, "gives an axis of 210 cells"),
        ({"view": "gather"}, "the gather view draws transposed convolutions"),
        ({"view": "gather", "operation": "transposed_convolution"}, "the gather view draws values"),
        ({"view": "volume"}, "the volume view draws layers of 3 axes"),
        ({"view": "volume", "input_size": [3, 3, 3], "in_channels": 1, "out_channels": 1}, "draws a single channel"),
        (
            {"view": "volume", "input_size": [9, 4, 60]},
            "gives an axis of 554 cells, and a drawing has at most 200. The largest input that fits is",
        ),
        ({"view": "matrix", "operation": "max_pooling"}, "the matrix view draws convolutions"),
        ({"view": "matrix", "padding": 1, "padding_mode": "reflect"}, "reflect makes entries of the matrix sums"),
        (
            {"view": "matrix", "input_size": 201},
            "gives an axis of 201 cells, and a drawing has at most 200. The largest input that fits is 200x200",
        ),
        # Only the entries of two rows are drawn, but all of these.
        ({"view": "matrix", "input_size": 60, "kernel_size": 15}, "gives an axis of 494 cells"),
    ],
)
def test_views_refuse_what_they_cannot_draw(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(LayerError) as refused:
        scene_of(made(**{"input_size": 5, "kernel_size": 3} | keys))
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("keys", "count"),
    [
        ({"view": "plane", "input_size": 5, "kernel_size": 3}, 9),
        ({"view": "channels", "in_channels": 2, "out_channels": 9, **CHANNELS}, 12),
        (
            {
                "view": "scatter",
                "operation": "transposed_convolution",
                "input_values": [[1, 2]],
                "kernel_values": [[3, 4]],
            },
            3,
        ),
    ],
    ids=["plane", "channels", "scatter"],
)
def test_frames_are_chosen_among_those_of_the_view(keys: dict[str, Any], count: int) -> None:
    every = scene_of(made(**keys)).steps
    assert len(every) == count
    assert list(scene_of(made(**keys, frames=[count - 1, 0])).steps) == [every[-1], every[0]]
    assert list(scene_of(made(**keys, frames=2)).steps) == [every[0], every[-1]]
    with pytest.raises(LayerError, match=f"frames: has number {count}, but there are {count} frames"):
        scene_of(made(**keys, frames=[0, count]))


def test_a_stack_with_too_many_links_is_refused() -> None:
    wide = {"kernel_size": 65, "padding": 32}
    keys = {"title": "S", "view": "receptive_field", "input_size": [120], "layers": [wide, wide]}
    with pytest.raises(LayerError, match="gives 4265 cells and lines to draw"):
        scene_of(figure("made", FigureFile.model_validate(keys)))


def test_a_stack_is_refused_by_views_of_a_single_layer() -> None:
    keys = {"title": "S", "input_size": [5], "layers": [{"kernel_size": 3}, {"kernel_size": 3}]}
    for name in VIEWS.keys() - {"receptive_field", "channels"}:
        with pytest.raises(LayerError, match="layers: is a stack of 2"):
            scene_of(figure("made", FigureFile.model_validate(keys | {"view": name})))


def test_the_readme_has_every_view_and_the_limits() -> None:
    readme = " ".join((TOP / "README.md").read_text(encoding="utf-8").split())
    assert [name for name in VIEWS if f"| `{name}` | " not in readme] == []
    assert f"at most {LONGEST_AXIS} cells along an axis, and {MOST_STEPS} frames with room for {MOST_CELLS:,}" in readme
    assert f"a window has at most {MOST_TERMS:,})" in readme
