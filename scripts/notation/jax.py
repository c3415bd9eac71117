"""JAX's notation: the functions of `jax.lax`; written only."""

from scripts.core.layers import Channels, Layer
from scripts.errors import LayerError
from scripts.notation import call

PADDING_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def written(layer: Layer) -> list[str]:
    """The calls that compute a layer of x, its channels first, with the kernel w.

    A transposed convolution takes the padding of the equivalent direct one.  Raises `LayerError` for what JAX does not
    have.
    """
    if layer.weighted:
        return _convolution(layer)
    n = len(layer.axes)
    axes = tuple(range(2, n + 2))
    match layer.operation.name:
        case "global_max_pooling":
            return [f"x.max(axis={axes}, keepdims=True)"]
        case "global_average_pooling":
            return [f"x.mean(axis={axes}, keepdims=True)"]
        case "global_lp_pooling":
            return [f"(abs(x) ** {layer.norm:g}).sum(axis={axes}, keepdims=True) ** (1 / {layer.norm:g})"]
    if layer.operation.adaptive or layer.reduction is None:
        raise LayerError("operation", f"is {layer.operation.name}", "JAX has none")
    return _pooling(layer)


def _convolution(layer: Layer) -> list[str]:
    channels = layer.channels or Channels(1, 1)
    stride, dilation = (tuple(getattr(axis, key) for axis in layer.axes) for key in ("stride", "dilation"))
    padding, lines = [axis.padding for axis in layer.direct], list[str]()
    dilated = {"rhs_dilation": dilation} if max(dilation) > 1 else {}
    grouped = {"feature_group_count": channels.groups} if channels.groups > 1 else {}
    if layer.padding_mode != "zeros" and any(map(any, padding)):
        lines.append(f'x = jnp.pad(x, {[(0, 0), (0, 0), *padding]}, mode="{PADDING_MODES[layer.padding_mode]}")')
        padding = [(0, 0)] * len(padding)
    if not layer.transposed:
        function = "lax.conv_general_dilated"
        asked = {**dilated, **grouped}
        return [*lines, call.written(function, "x", "w", window_strides=stride, padding=padding, **asked)]
    if grouped:
        raise LayerError("groups", f"is {channels.groups}", "lax.conv_transpose has no groups")
    spatial = "DHW"[-len(layer.axes) :]
    layouts = (f"NC{spatial}", f"OI{spatial}", f"NC{spatial}")
    asked = {**dilated, "transpose_kernel": True, "dimension_numbers": layouts}
    return [call.written("lax.conv_transpose", "x", "w", strides=stride, padding=padding, **asked)]


def _pooling(layer: Layer) -> list[str]:
    over = [max((axis.output_size - 1) * axis.stride + axis.window_size - axis.grid_size, 0) for axis in layer.direct]
    pads = [(axis.padding[0], axis.padding[1] + more) for axis, more in zip(layer.axes, over, strict=True)]
    window = {
        "window_dimensions": (1, 1, *layer.kernel_size),
        "window_strides": (1, 1, *(axis.stride for axis in layer.axes)),
        "padding": [(0, 0), (0, 0), *pads],
    }
    if any(axis.dilation > 1 for axis in layer.axes):
        window["window_dilation"] = (1, 1, *(axis.dilation for axis in layer.axes))

    def reduced(of: str, start: str, function: str) -> str:
        return call.written("lax.reduce_window", of, start, function, **window)

    if layer.reduction == "maximum":
        return [reduced("x", "-jnp.inf", "lax.max")]
    if layer.reduction == "norm":
        return [f"{reduced(f'abs(x) ** {layer.norm:g}', '0.0', 'lax.add')} ** (1 / {layer.norm:g})"]
    total = f"total = {reduced('x', '0.0', 'lax.add')}"
    size = " * ".join(map(str, layer.kernel_size))
    if not any(map(any, pads)) or (layer.count_include_pad and not any(over)):
        return [total, f"total / ({size})"]
    if layer.count_include_pad and any(any(axis.padding) for axis in layer.axes):
        raise LayerError("ceil_mode", "is true in an average with padding", "JAX has no such average")
    return [total, f"total / {reduced('jnp.ones_like(x)', '0.0', 'lax.add')}"]


def differences(layer: Layer) -> list[str]:
    """What is easily written in another way, which computes something else."""
    if not layer.transposed:
        return []
    own = ", ".join(str(list(axis.padding)) for axis in layer.axes)
    return [f"Its padding is that of the equivalent convolution, not the layer's own {own}."]
