"""Sizes, windows and values against an oracle that only counts: no formula of the project is used here."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from scripts.core.arithmetic import (
    AdaptiveAxis,
    GridAxis,
    LayerAxis,
    adapted,
    direct_axis,
    equivalent_axis,
    named_padding,
    transposed_axis,
)
from scripts.core.layers import Layer
from scripts.core.operations import OPERATIONS
from scripts.errors import LayerError

PARAMETERS = list(product(range(1, 10), range(1, 6), range(1, 5), range(5), range(1, 4)))


def count_windows(i: int, k: int, s: int, p: int, d: int) -> list[list[int | None]]:
    """All window positions by trial: lay the window down, move on, stop when it sticks out."""
    padded: list[int | None] = [None] * p + list(range(i)) + [None] * p
    windows = []
    start = 0
    while start + d * (k - 1) < len(padded):
        windows.append([padded[start + d * j] for j in range(k)])
        start += s
    return windows


def matrix(i: int, k: int, s: int, p: int, d: int, weights: list[int]) -> np.ndarray:
    """The matrix of a convolution along one axis, from its counted windows."""
    windows = count_windows(i, k, s, p, d)
    result = np.zeros((len(windows), i), dtype=int)
    for row, window in enumerate(windows):
        for weight, column in zip(weights, window, strict=True):
            if column is not None:
                result[row, column] += weight
    return result


def seen(axis: GridAxis) -> list[list[int | None]]:
    return [[axis.cells[element.position].input_index for element in window] for window in axis.windows]


def test_every_convolution_has_the_counted_windows() -> None:
    possible = 0
    for i, k, s, p, d in PARAMETERS:
        expected = count_windows(i, k, s, p, d)
        if expected:
            assert seen(direct_axis(LayerAxis(i, k, s, (p, p), d)).grid) == expected, (i, k, s, p, d)
            possible += 1
        else:
            with pytest.raises(LayerError, match="window spans"):
                direct_axis(LayerAxis(i, k, s, (p, p), d))
    assert possible > 2000


def test_every_adaptive_pooling_has_the_windows_of_its_parts() -> None:
    """Input elements and output elements on one line, each cut so finely that all borders are between cells."""
    for i, o in product(range(1, 20), repeat=2):
        owner = [element for element in range(i) for _ in range(o)]
        expected = [sorted(set(owner[t * i : t * i + i])) for t in range(o)]
        assert seen(AdaptiveAxis(i, o).grid) == expected, (i, o)
        axis = adapted(LayerAxis(i, i), o)
        assert (axis.output_size, axis.kernel_size) == (o, max(map(len, expected)))
        assert AdaptiveAxis(i, o).window_sizes == tuple(sorted({len(window) for window in expected}))


def test_an_adaptive_pooling_of_three_axes_and_of_no_elements_left_out() -> None:
    values = np.arange(5 * 4 * 3).reshape(5, 4, 3)
    axes = tuple(adapted(LayerAxis(i, i), o) for i, o in ((5, 3), (4, 6), (3, 1)))
    maxima, averages = (Layer(OPERATIONS[f"adaptive_{name}_pooling"], axes) for name in ("max", "average"))
    # The largest element is the last one of each window: those of the sizes worked out by hand.
    rows, columns = [1, 3, 4], [0, 1, 1, 2, 3, 3]
    assert maxima.output(values)[..., 0].tolist() == [[12 * r + 3 * c + 2 for c in columns] for r in rows]
    first = {"rows": [0, 1, 3], "columns": [0, 0, 1, 2, 2, 3]}
    expected = [
        [values[a : r + 1, b : c + 1].mean() for b, c in zip(first["columns"], columns, strict=True)]
        for a, r in zip(first["rows"], rows, strict=True)
    ]
    np.testing.assert_allclose(averages.output(values)[..., 0], expected)


def test_every_transpose_is_the_transposed_matrix() -> None:
    """The equivalent direct convolution, kernel rotated, against Cᵀ of the counted convolution."""
    weights = [2, 3, 5, 7, 11]
    for i, k, s, p, d in PARAMETERS:
        if not count_windows(i, k, s, p, d):
            continue
        forward = matrix(i, k, s, p, d, weights[:k])
        axis = transposed_axis(LayerAxis(i, k, s, (p, p), d))
        layer = Layer(OPERATIONS["transposed_convolution"], (axis,))
        assert layer.output_size == (i,), (i, k, s, p, d)
        units = np.eye(len(forward), dtype=int)
        columns = [layer.output(unit, np.array(weights[:k])) for unit in units]
        assert np.array_equal(np.array(columns), forward), (i, k, s, p, d)


def test_windows_of_a_transpose_name_the_elements_that_made_them() -> None:
    """Position by position: element j of the kernel joins input o to output n just when the convolution did."""
    for i, k, s, p, d in PARAMETERS:
        windows = count_windows(i, k, s, p, d)
        if not windows:
            continue
        joined = {(n, j, o) for o, window in enumerate(windows) for j, n in enumerate(window) if n is not None}
        equivalent = equivalent_axis(transposed_axis(LayerAxis(i, k, s, (p, p), d))).grid
        found = {
            (n, k - 1 - j, o)
            for n, window in enumerate(seen(equivalent))
            for j, o in enumerate(window)
            if o is not None
        }
        assert found == joined, (i, k, s, p, d)


def random_values(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-5, 6, shape)


@pytest.mark.parametrize("operation", ["convolution", "max_pooling", "average_pooling"])
@pytest.mark.parametrize(
    "axes",
    [
        [(7, 3, 2, 1, 2)],
        [(5, 3, 1, 0, 1), (6, 2, 2, 1, 1)],
        [(3, 3, 1, 1, 1), (4, 2, 2, 0, 1), (5, 2, 1, 1, 3)],
    ],
)
def test_values_of_layers_with_one_to_three_different_axes(
    operation: str, axes: list[tuple[int, int, int, int, int]]
) -> None:
    layer = Layer(OPERATIONS[operation], tuple(LayerAxis(i, k, s, (p, p), d) for i, k, s, p, d in axes))
    values, kernel = random_values(layer.input_size, 1), random_values(layer.kernel_size, 2)
    windows = [count_windows(*axis) for axis in axes]
    expected = np.zeros([len(rows) for rows in windows])
    for output_index in product(*map(range, expected.shape)):
        elements = list(product(*(rows[o] for rows, o in zip(windows, output_index, strict=True))))
        weights = [kernel[index] for index in product(*map(range, kernel.shape))]
        under = [None if None in element else values[element] for element in elements]
        if operation == "convolution":
            expected[output_index] = sum(w * v for w, v in zip(weights, under, strict=True) if v is not None)
        elif operation == "max_pooling":
            expected[output_index] = max(v for v in under if v is not None)
        else:
            expected[output_index] = sum(v for v in under if v is not None) / len(under)
    output = layer.output(values, kernel if layer.weighted else None)
    assert output == pytest.approx(expected)
    if operation != "average_pooling":
        assert output.dtype == values.dtype


def scatter(values: np.ndarray, kernel: np.ndarray, axes: list[dict[str, Any]]) -> np.ndarray:
    """A transposed convolution as its definition has it: each input element adds the kernel around its place."""
    sizes = [
        (axis["input_size"] - 1) * axis["stride"] - sum(axis["padding"]) + axis["dilation"] * (axis["kernel_size"] - 1)
        + 1 + axis["output_padding"]
        for axis in axes
    ]  # fmt: skip
    output = np.zeros(sizes, dtype=int)
    for index in np.ndindex(values.shape):
        for element in np.ndindex(kernel.shape):
            place = [
                n * axis["stride"] + j * axis["dilation"] - axis["padding"][0]
                for n, j, axis in zip(index, element, axes, strict=True)
            ]
            if all(0 <= p < size for p, size in zip(place, sizes, strict=True)):
                output[tuple(place)] += values[index] * kernel[element]
    return output


@pytest.mark.parametrize("seed", range(60))
def test_transposed_convolutions_scatter_their_kernel(seed: int) -> None:
    """Of one to three axes, each with its own parameters: uneven padding, cropping, any output padding."""
    rng = np.random.default_rng(seed)
    axes: list[dict[str, Any]] = []
    while len(axes) < 1 + seed % 3:
        stride, dilation = (int(n) for n in rng.integers(1, 4, 2))
        axis: dict[str, Any] = {
            "input_size": int(rng.integers(1, 5)),
            "kernel_size": int(rng.integers(1, 4)),
            "stride": stride,
            "padding": tuple(int(n) for n in rng.integers(0, 4, 2)),
            "dilation": dilation,
            "output_padding": int(rng.integers(0, max(stride, dilation))),
        }
        try:
            Layer(OPERATIONS["transposed_convolution"], (LayerAxis(**axis),))
        except LayerError:
            continue
        axes.append(axis)
    layer = Layer(OPERATIONS["transposed_convolution"], tuple(LayerAxis(**axis) for axis in axes))
    values, kernel = random_values(layer.input_size, seed), random_values(layer.kernel_size, seed + 1)
    assert layer.output(values, kernel).tolist() == scatter(values, kernel, axes).tolist()


def test_the_maximum_is_never_padding() -> None:
    layer = Layer(OPERATIONS["max_pooling"], (LayerAxis(3, 2, 1, (1, 1)),))
    assert layer.output(np.array([-4, -2, -3]), None).tolist() == [-4, -2, -2, -3]
    assert layer.output(np.array([-4.0, -2.0, -3.0]), None).tolist() == [-4, -2, -2, -3]


def test_asymmetric_padding_is_before_and_after() -> None:
    axis = direct_axis(LayerAxis(3, 2, padding=(2, 0)))
    assert seen(axis.grid) == [[None, None], [None, 0], [0, 1], [1, 2]]


def test_padding_larger_than_the_kernel_reaches_crops_a_transpose() -> None:
    """With k = 2 and p = 2, each side of the full result loses two elements."""
    axis = LayerAxis(5, 2, padding=(2, 2))
    layer = Layer(OPERATIONS["transposed_convolution"], (axis,))
    full = np.convolve([1, 2, 3, 4, 5], [10, 1])
    assert layer.output(np.arange(1, 6), np.array([10, 1])).tolist() == full[2:-2].tolist()
    assert [(cell.kind, cell.input_index) for cell in layer.grid[0].cells] == [
        ("cropped", 0), ("input", 1), ("input", 2), ("input", 3), ("cropped", 4),
    ]  # fmt: skip


def test_named_paddings() -> None:
    """same_upper and same_lower at i=6, k=3, s=2 as TensorFlow and ONNX pad; odd kernels need equal sides."""
    assert named_padding("same_upper", 6, 3, 2, 1) == (0, 1)
    assert named_padding("same_lower", 6, 3, 2, 1) == (1, 0)
    assert named_padding("same_upper", 5, 3, 1, 1) == (1, 1)
    assert named_padding("half", 6, 3, 2, 1) == (1, 1)
    assert named_padding("full", 6, 3, 1, 2) == (4, 4)
    assert named_padding("causal", 6, 2, 1, 4) == (4, 0)
    assert named_padding("valid", 6, 3, 1, 1) == (0, 0)


@pytest.mark.parametrize(
    ("axis", "key"),
    [
        ({"stride": 0}, "stride"),
        ({"dilation": 0}, "dilation"),
        ({"kernel_size": 0}, "kernel_size"),
        ({"input_size": 0}, "input_size"),
        ({"padding": (-1, 0)}, "padding"),
        ({"output_padding": 2, "stride": 2}, "output_padding"),
        ({"output_padding": -1}, "output_padding"),
        ({"padding": (4, 4)}, "padding"),
    ],
)
def test_impossible_transposed_layers_are_refused(axis: dict[str, Any], key: str) -> None:
    with pytest.raises(LayerError) as caught:
        Layer(OPERATIONS["transposed_convolution"], (LayerAxis(**({"input_size": 4, "kernel_size": 3} | axis)),))
    assert caught.value.key == key
