"""The backward pass of a convolution with respect to its kernel, drawn as a convolution with values."""

from scripts.core.figures import Figure
from scripts.core.gradients import kernel_gradient
from scripts.views.input_gradient import checked, gradient_scene
from scripts.views.scene import Scene


def scene(figure: Figure) -> Scene:
    """The scene of a convolution of one or two axes with values; raises `LayerError`."""
    input_values, _, output_gradient = checked(figure, "kernel_gradient", kernel_gradient)
    layer, (first, second) = figure.layer, ("input", "output gradient")
    operands, words = (input_values, output_gradient), "the input with the output's gradient"
    if layer.transposed:
        operands, (first, second) = operands[::-1], (second, first)
        words = "the output's gradient with the input"
    sentence = f"The gradient of its kernel is a convolution of {words}"
    if any(axis.stride > 1 or axis.dilation > 1 for axis in layer.axes):
        sentence += ", in which stride and dilation have changed places"
    gradient = kernel_gradient(layer)
    sentence += f". The small numbers are the {'input' if layer.transposed else 'output gradient'}'s."
    if any(min(axis.padding) < 0 for axis in gradient.direct):
        sentence += " Pale cells are in no window of the layer."
    return gradient_scene(figure, gradient, operands, (first, second, "kernel gradient"), sentence)
