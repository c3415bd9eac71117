"""What the report's still figures show."""

from itertools import pairwise

import numpy as np
import pytest
from sympy import Rational

from scripts import paths
from scripts.core.figures import figure, load
from scripts.core.keys import FigureFile
from scripts.core.layers import Layer, Values
from scripts.text.relationships import receptive_fields
from scripts.views.diagrams import along, levels, matrix, overlap, products, scattered, stack, with_unit_stride
from tests.test_relationships import seen

NAMES = ["no_padding_no_strides", "padding_strides_odd", "dilation", "asymmetric_padding", "non_square", "causal_1d"]
RANDOM = np.random.default_rng(0)


def filled(layer: Layer, kernel: Values) -> Values:
    """The matrix with a kernel's values in it."""
    return np.array([[0 if index is None else kernel[index] for index in row] for row in matrix(layer)])


@pytest.mark.parametrize("name", [*NAMES, "padding_strides_odd_transposed", "cropped_transposed"])
def test_the_matrix_times_the_input_is_the_output(name: str) -> None:
    layer = load(paths.FIGURES / f"{name}.toml").layer
    values, kernel = RANDOM.integers(-9, 9, layer.input_shape), RANDOM.integers(-9, 9, layer.kernel_shape)
    assert np.array_equal(filled(layer, kernel) @ values.ravel(), layer.output(values, kernel).ravel())


@pytest.mark.parametrize(
    "name", ["no_padding_no_strides", "arbitrary_padding_no_strides", "padding_strides_odd", "dilation"]
)
def test_the_transposed_layers_matrix_is_the_transposed_matrix(name: str) -> None:
    direct, transposed = (load(paths.FIGURES / f"{n}.toml").layer for n in (name, f"{name}_transposed"))
    assert [list(column) for column in zip(*matrix(direct), strict=True)] == matrix(transposed)


@pytest.mark.parametrize(
    "keys", [{"stride": 2, "padding": 1}, {"stride": 2, "dilation": 3, "output_padding": 1, "padding": [[2, 0]]}]
)
def test_what_is_scattered_adds_up_to_the_output(keys: dict[str, object]) -> None:
    given = {"operation": "transposed_convolution", "input_values": [1, 2, 3, 4], "kernel_values": [1, 10, 100]}
    example = figure("scattered", FigureFile.model_validate({"title": "Scattered", **given, **keys}))
    assert example.input_values is not None and example.kernel_values is not None and example.output_values is not None
    sums = dict.fromkeys(range(example.layer.output_size[0]), 0.0)
    cropped = 0
    for _, terms in scattered(example.layer, example.input_values, example.kernel_values):
        for place, number in terms:
            if place in sums:
                sums[place] += number
            else:
                cropped += 1
    assert list(sums.values()) == example.output_values.tolist()
    assert cropped > 0


def test_the_products_of_a_frame_add_up_to_its_value() -> None:
    example = load(paths.FIGURES / "numerical_padding_strides.toml")
    assert example.output_values is not None
    for number, value in enumerate(example.output_values.flat):
        assert products(example, number)[1] == value
    # Padding meets no input.
    assert len(products(example, 0)[0]) == 4


@pytest.mark.parametrize("name", ["uneven", "even"])
def test_the_overlap_counts_products(name: str) -> None:
    layer = load(paths.LAYERS / f"{name}.toml").layer
    counts = overlap(layer)
    columns = filled(layer, np.ones(layer.kernel_shape, int)).sum(axis=1)
    assert np.array_equal(counts.ravel(), columns)
    inner = counts[2:-2, 2:-2]
    assert (inner.min() == inner.max()) == (name == "even")


def test_along_and_with_unit_stride() -> None:
    layer = load(paths.FIGURES / "non_square.toml").layer
    assert [along(layer, axis).output_size for axis in (0, 1)] == [(1, layer.output_size[n]) for n in (0, 1)]
    strided = load(paths.FIGURES / "no_padding_strides.toml").layer
    values, kernel = RANDOM.integers(-9, 9, strided.input_shape), RANDOM.integers(-9, 9, strided.kernel_shape)
    whole = with_unit_stride(strided).output(values, kernel)
    assert np.array_equal(whole[::2, ::2], strided.output(values, kernel))


@pytest.mark.parametrize("name", ["strided", "causal"])
def test_a_stack_sees_what_is_counted(name: str) -> None:
    layers = stack(name)
    assert [b.input_size for _, b in pairwise(layers)] == [a.output_size for a, _ in pairwise(layers)]
    fields = receptive_fields(layers)
    centres = [[0.0] * size for size in (layers[0].input_size[0], *(layer.output_size[0] for layer in layers))]
    shown = levels(layers, centres)
    (top,) = shown[-1].seen
    parameters = tuple((a.kernel_size, a.stride, a.padding[0], a.dilation) for (a,) in (layer.axes for layer in layers))
    for depth, level in enumerate(shown):
        inside = {place for place in seen(parameters[depth:], top) if 0 <= place < len(level.centres)}
        assert level.seen == inside
    first, second = seen(parameters, 0), seen(parameters, 1)
    assert fields[-1]["r"] == max(first) - min(first) + 1
    assert fields[-1]["j"] == min(second) - min(first)
    assert fields[-1]["c"] == Rational(max(first) + min(first), 2)
