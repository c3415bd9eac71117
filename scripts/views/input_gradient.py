"""The backward pass of a convolution with respect to its input, drawn as a convolution with values."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scripts.core.figures import Figure
from scripts.core.gradients import input_gradient
from scripts.core.layers import Layer, Values
from scripts.errors import LayerError
from scripts.views import numerical
from scripts.views.limits import check_layer, check_steps, check_weighted
from scripts.views.maps import sizes
from scripts.views.scene import Scene


def scene(figure: Figure) -> Scene:
    """The scene of a convolution of one or two axes with values, padded by zeros; raises `LayerError`."""
    _, kernel_values, output_gradient = checked(figure, "input_gradient", input_gradient)
    name = "convolution" if figure.layer.transposed else "transposed convolution"
    drawn = ", drawn as a convolution with the rotated kernel" * (not figure.layer.transposed)
    return gradient_scene(
        figure,
        input_gradient(figure.layer),
        (output_gradient, kernel_values),
        labels=("output gradient", "kernel" if figure.layer.transposed else "rotated kernel", "input gradient"),
        sentence=f"The gradient of its input is the {name} of the output's gradient with the same kernel{drawn}. "
        "The small numbers are the kernel's.",
    )


def checked(figure: Figure, view: str, gradient: Callable[[Layer], Layer]) -> tuple[Values, Values, Values]:
    """The values of a figure's input, of its kernel and of its output's gradient, ones where none are given.

    Raises `LayerError` if the layer that computes a `gradient` cannot be drawn.
    """
    check_layer(figure.layer, view)
    check_weighted(figure.layer, view)
    if figure.input_values is None or figure.kernel_values is None:
        raise LayerError("view", f"the {view} view draws values", "Give input_values and kernel_values")
    check_steps(figure, numerical.grid_cells, terms=True, drawn=gradient)
    output_gradient = figure.output_gradient
    if output_gradient is None:
        output_gradient = np.ones(figure.layer.output_shape, int)
    return figure.input_values, figure.kernel_values, output_gradient


def gradient_scene(
    figure: Figure, gradient: Layer, operands: tuple[Values, Values], labels: tuple[str, str, str], sentence: str
) -> Scene:
    """The layer that computes a gradient in the numerical view, with labels of its input, kernel and output."""
    input_values, kernel_values = operands
    backward = replace(
        figure,
        layers=(gradient,),
        input_values=input_values,
        kernel_values=kernel_values,
        output_values=gradient.output(input_values, kernel_values),
    )
    drawn = numerical.scene(backward)
    still, (input_label, kernel_label, output_label) = drawn.still, labels
    still = replace(
        still,
        input=replace(still.input, label=f"{input_label} {sizes(gradient.input_size)}"),
        kernel=replace(still.kernel, label=kernel_label),
        output=replace(still.output, label=f"{output_label} {sizes(gradient.output_size)}"),
    )
    if figure.output_gradient is None:
        sentence += " The output's gradient is that of its sum: 1 everywhere."
    return Scene(figure, still, drawn.steps, sentence, gradient=gradient)
