"""The backward pass of a convolution: its gradients, which are convolutions of the output's gradient.

With y[o] = Σ w[k] x[i] over s·o − p + d·k = i, a loss L has the gradients

    ∂L/∂x[i] = Σ w[k] ∂L/∂y[o]   and   ∂L/∂w[k] = Σ x[i] ∂L/∂y[o],

each over the same pairs.  For fixed i, the first is a transposed convolution; for fixed k, the second is a convolution
whose window has the elements of ∂L/∂y, s apart, and moves by d.  In a transposed convolution x and y change places.
"""

from dataclasses import replace

from scripts.core.arithmetic import DirectAxis, LayerAxis, direct_axis
from scripts.core.layers import Layer
from scripts.core.operations import OPERATIONS
from scripts.errors import LayerError


def _cut_axis(axis: LayerAxis, layer: Layer) -> DirectAxis:
    """The axis of a convolution without what only windows after the first `output_size` would cover."""
    direct = direct_axis(axis, padding_mode=layer.padding_mode)
    if axis.output_size is None:
        raise ValueError("a gradient has the size of what it belongs to")
    covered = direct.stride * (axis.output_size - 1) + direct.window_size
    before, after = axis.padding
    return replace(direct, padding=(before, after - (direct.grid_size - covered)))


CUT_CONVOLUTION = replace(OPERATIONS["convolution"], window_axis=_cut_axis)


def input_gradient(layer: Layer) -> Layer:
    """The layer whose output is the gradient of a layer's input.

    Its input is the gradient of the layer's output, its kernel the layer's own.  Raises `LayerError` for padding that
    copies the input, whose gradient goes to the elements that are copied.
    """
    if layer.padding_mode != "zeros":
        rule, remedy = f"{layer.padding_mode} passes gradients on to the copied elements", "Use padding with zeros"
        raise LayerError("padding_mode", rule, remedy)
    if not layer.transposed and layer.operation.transpose is not None:
        return layer.operation.transpose.layer(layer)
    axes = (
        LayerAxis(output, axis.kernel_size, axis.stride, axis.padding, axis.dilation, output_size=axis.input_size)
        for axis, output in zip(layer.axes, layer.output_size, strict=True)
    )
    return Layer(CUT_CONVOLUTION, tuple(axes))


def kernel_gradient(layer: Layer) -> Layer:
    """The layer whose output is the gradient of the kernel of a layer without channels.

    Its input is the layer's and its kernel the gradient of the layer's output; of a transposed layer the reverse.
    """
    axes = []
    for axis, output in zip(layer.axes, layer.output_size, strict=True):
        sizes = (output, axis.input_size) if layer.transposed else (axis.input_size, output)
        axes.append(LayerAxis(*sizes, axis.dilation, axis.padding, axis.stride, output_size=axis.kernel_size))
    return Layer(CUT_CONVOLUTION, tuple(axes), padding_mode=layer.padding_mode)
