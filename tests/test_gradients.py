"""Gradients of convolutions, compared with differences of outputs and with PyTorch's autograd."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from scripts.core.gradients import input_gradient, kernel_gradient
from scripts.core.keys import FigureFile
from scripts.core.layers import Layer
from scripts.core.parameters import single_layer
from scripts.errors import LayerError
from tests.oracle import torch

Array = npt.NDArray[Any]


def made(**keys: Any) -> Layer:
    return single_layer(FigureFile.model_validate({"title": "Made", "operation": "convolution"} | keys))


def small_layers() -> Iterator[Layer]:
    """All small layers of one axis, and some of two."""
    for size, kernel, stride, dilation, sides in product((3, 6), (1, 2, 3), (1, 2, 3), (1, 2, 3), ([1, 1], [0, 3])):
        keys = {"kernel_size": kernel, "stride": stride, "dilation": dilation, "padding": [sides]}
        more: list[dict[str, Any]] = [{}]
        more += [{"operation": "transposed_convolution", "output_padding": n} for n in range(max(stride, dilation))]
        for operation in more:
            try:
                yield made(input_size=[size], **keys, **operation)
            except LayerError:
                continue
    two = {"kernel_size": [2, 3], "stride": [3, 2], "dilation": [1, 2], "padding": [0, [2, 1]]}
    yield made(input_size=[6, 8], **two)
    yield made(input_size=[3, 4], operation="transposed_convolution", output_padding=[2, 1], **two)


LAYERS = list(small_layers())


def operands(layer: Layer) -> tuple[Array, Array, Array]:
    """Random values of a layer's input, its kernel and its output's gradient."""
    random = np.random.default_rng(0)
    values, kernel, gradient = (
        random.integers(-9, 9, shape) for shape in (layer.input_shape, layer.kernel_shape, layer.output_shape)
    )
    return values, kernel, gradient


def computed(layer: Layer) -> tuple[Array, Array]:
    """The gradients of the input and of the kernel as the layers that compute them say."""
    values, kernel, gradient = operands(layer)
    first, second = (gradient, values) if layer.transposed else (values, gradient)
    return input_gradient(layer).output(gradient, kernel), kernel_gradient(layer).output(first, second)


def differences(function: Callable[[Array], Array], at: Array, gradient: Array) -> Array:
    """By how much a linear function, weighted by a gradient, grows with each of its arguments."""
    found = np.zeros_like(at)
    for index in np.ndindex(*at.shape):
        more = at.copy()
        more[index] += 1
        found[index] = ((function(more) - function(at)) * gradient).sum()
    return found


def test_gradients_are_the_differences_of_outputs() -> None:
    assert len(LAYERS) > 200
    for layer in LAYERS:
        values, kernel, gradient = operands(layer)
        expected = [
            differences(partial(layer.output, operand=kernel), values, gradient),
            differences(partial(layer.output, values), kernel, gradient),
        ]
        for mine, other in zip(computed(layer), expected, strict=True):
            assert np.array_equal(mine, other), layer


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_the_gradient_of_the_kernel_includes_copies_of_the_input(mode: str) -> None:
    layer = made(input_size=[5, 6], kernel_size=[2, 3], stride=[2, 1], padding=[[1, 0], 2], padding_mode=mode)
    values, kernel, gradient = operands(layer)
    mine = kernel_gradient(layer).output(values, gradient)
    assert np.array_equal(mine, differences(partial(layer.output, values), kernel, gradient))
    with pytest.raises(LayerError, match=f"padding_mode: {mode} passes gradients on"):
        input_gradient(layer)


@pytest.mark.skipif(torch is None, reason="PyTorch is not installed")
def test_gradients_are_those_of_autograd() -> None:
    compared = 0
    for layer in LAYERS:
        n, transposed = len(layer.axes), layer.transposed
        before, after = zip(*(axis.padding for axis in layer.axes), strict=True)
        values, kernel, gradient = (
            torch.tensor(array[None, None].astype(float), requires_grad=True) for array in operands(layer)
        )
        asked = {name: tuple(getattr(axis, name) for axis in layer.axes) for name in ("stride", "dilation")}
        if not transposed:
            sides = [side for axis in reversed(layer.axes) for side in axis.padding]
            output = getattr(torch.nn.functional, f"conv{n}d")(torch.nn.functional.pad(values, sides), kernel, **asked)
        elif before == after:
            padding = tuple(axis.output_padding for axis in layer.axes)
            function = getattr(torch.nn.functional, f"conv_transpose{n}d")
            output = function(values, kernel, padding=before, output_padding=padding, **asked)
        else:
            continue
        output.backward(gradient)
        for mine, other in zip(computed(layer), (values.grad, kernel.grad), strict=True):
            assert np.array_equal(mine, other[0, 0].numpy()), layer
        compared += 1
    assert compared > 100
