"""JAX's notation: the functions of `jax.lax`; written only."""

from scripts.core.layers import Layer
from scripts.notation import call


def written(layer: Layer) -> list[str]:
    """The call that computes a convolution, or a transposed one, of one channel with zero padding.

    A transposed one takes the padding of the equivalent direct convolution.  The layout is channels first.
    """
    stride, dilation = (tuple(getattr(axis, key) for axis in layer.axes) for key in ("stride", "dilation"))
    padding = [axis.padding for axis in layer.direct]
    dilated = {"rhs_dilation": dilation} if max(dilation) > 1 else {}
    if not layer.transposed:
        function = "lax.conv_general_dilated"
        return [call.written(function, "x", "w", window_strides=stride, padding=padding, **dilated)]
    spatial = "DHW"[-len(layer.axes) :]
    layouts = (f"NC{spatial}", f"OI{spatial}", f"NC{spatial}")
    asked = {**dilated, "transpose_kernel": True, "dimension_numbers": layouts}
    return [call.written("lax.conv_transpose", "x", "w", strides=stride, padding=padding, **asked)]
