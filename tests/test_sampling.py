"""Samples between elements, compared with NumPy's interpolation and with PyTorch."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from scripts.core.sampling import Mode, interpolated, upsampled_from
from tests.oracle import torch

Array = npt.NDArray[Any]
SIZES = [*product(range(1, 6), (1, 2, 3, 4))]


def upsampled(mode: Mode, values: Array, factors: tuple[int, ...]) -> Array:
    """An input, up-sampled element by element."""
    output = np.zeros([size * factor for size, factor in zip(values.shape, factors, strict=True)])
    for index in np.ndindex(*output.shape):
        sources = upsampled_from(mode, index, factors, values.shape)
        assert sum(share for _, share in sources) == pytest.approx(1)
        output[index] = sum(values[source] * share for source, share in sources)
    return output


def test_a_place_is_between_the_elements_next_to_it() -> None:
    assert interpolated(1.25) == ((1, 0.75), (2, 0.25))
    assert interpolated(-0.25) == ((-1, 0.25), (0, 0.75))
    assert interpolated(2) == ((2, 1),)


def linear(values: Array, factor: int) -> Array:
    """NumPy's interpolation between the middles of elements."""
    return np.interp((np.arange(values.size * factor) + 0.5) / factor, np.arange(values.size) + 0.5, values)


@pytest.mark.parametrize(
    ("mode", "along"), [("nearest", lambda values, factor: np.repeat(values, factor)), ("linear", linear)]
)
def test_up_sampling_is_that_of_numpy(mode: Mode, along: Callable[[Array, int], Array]) -> None:
    random = np.random.default_rng(0)
    for size, factor in SIZES:
        values = random.integers(-9, 9, size)
        assert upsampled(mode, values, (factor,)) == pytest.approx(along(values, factor))
    values = random.integers(-9, 9, (3, 4))
    rows = np.array([along(row, 2) for row in values])
    assert upsampled(mode, values, (3, 2)) == pytest.approx(np.array([along(column, 3) for column in rows.T]).T)


@pytest.mark.skipif(torch is None, reason="PyTorch is not installed")
@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_up_sampling_is_that_of_pytorch(mode: Mode) -> None:
    random = np.random.default_rng(0)
    for size, factor in SIZES:
        values = random.integers(-9, 9, (size, 3))
        layer = torch.nn.Upsample(scale_factor=(factor, 2), mode="bilinear" if mode == "linear" else mode)
        expected = layer(torch.tensor(values[None, None].astype(float)))[0, 0].numpy()
        assert upsampled(mode, values, (factor, 2)) == pytest.approx(expected)
