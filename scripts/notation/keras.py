"""Keras's notation: the layers of `keras.layers`."""

from scripts.core.arithmetic import padded
from scripts.core.layers import Channels, Layer
from scripts.errors import LayerError
from scripts.notation import call
from scripts.notation.arguments import Arguments, channel_keys
from scripts.notation.cropping import cropped_to, uncropped
from scripts.notation.signature import Keys, Signature


def written(layer: Layer) -> list[str]:
    """The calls that make a layer; its input has the channels last.

    Keras has padding by name only: any other is a layer before a convolution, and cropping after a transposed one,
    which is padded first so that there is always something to crop.  Raises `LayerError` for what Keras does not have.
    """
    if not layer.weighted:
        return _pooling_calls(layer)
    n, channels = len(layer.axes), layer.channels or Channels(1, 1)
    stride, dilation = (tuple(getattr(axis, key) for axis in layer.axes) for key in ("stride", "dilation"))
    if max(stride) > 1 and max(dilation) > 1:
        raise LayerError("dilation", f"is {list(dilation)} with stride {list(stride)}", "Keras takes only one of them")
    keywords: dict[str, object] = {"dilation_rate": dilation} if max(dilation) > 1 else {}
    if channels.groups > 1:
        if layer.transposed:
            raise LayerError("groups", f"is {channels.groups}", "Keras has no groups in transposed convolutions")
        keywords["groups"] = channels.groups
    name = f"Conv{n}D{'Transpose' if layer.transposed else ''}"
    outs = channels.out_channels
    convolution = call.written(name, outs, layer.kernel_size, strides=stride, padding="valid", **keywords)
    if not layer.transposed:
        sides = [axis.padding for axis in layer.axes]
        if layer.padding_mode == "zeros" or not any(map(any, sides)):
            return [*_around("ZeroPadding", sides), convolution]
        if layer.padding_mode != "reflect":
            raise LayerError("padding_mode", f"is {layer.padding_mode}", "Keras pads with zeros or by reflection")
        return [_padded(sides, mode="reflect"), convolution]
    # Keras fills the last stride where the kernel is smaller.
    filled = [max(axis.stride - axis.reach - 1, 0) for axis in layer.axes]
    after = [axis.padding[1] + more - axis.output_padding for axis, more in zip(layer.axes, filled, strict=True)]
    cropping = [(axis.padding[0], max(side, 0)) for axis, side in zip(layer.axes, after, strict=True)]
    padding = [(0, max(-side, 0)) for side in after]
    return [convolution, *_around("ZeroPadding", padding), *_around("Cropping", cropping)]


def _pooling_calls(layer: Layer) -> list[str]:
    n, reduction = len(layer.axes), layer.reduction
    name = {"maximum": "Max", "average": "Average"}.get(reduction or "")
    if name is None or layer.operation.adaptive:
        raise LayerError("operation", f"is {layer.operation.name}", "Keras has none")
    if layer.operation.name.startswith("global"):
        return [call.written(f"Global{name}Pooling{n}D", keepdims=True)]
    if any(axis.dilation > 1 for axis in layer.axes):
        raise LayerError("dilation", "is more than 1", "Keras has no dilated pooling")
    # Cells that the last window hangs over.
    over = [max((axis.output_size - 1) * axis.stride + axis.window_size - axis.grid_size, 0) for axis in layer.direct]
    sides = [(axis.padding[0], axis.padding[1] + more) for axis, more in zip(layer.axes, over, strict=True)]
    stride = tuple(axis.stride for axis in layer.axes)
    named = [padded(axis, "same_upper").padding for axis in layer.axes]
    is_same = sides == named and any(map(any, sides))
    pooling = call.written(
        f"{name}Pooling{n}D", layer.kernel_size, strides=stride, padding="same" if is_same else "valid"
    )
    counts = reduction == "average" and layer.count_include_pad and any(map(any, (axis.padding for axis in layer.axes)))
    if not any(map(any, sides)) or (is_same and not counts):
        return [pooling]
    pooling = pooling.replace('"same"', '"valid"')
    if reduction == "maximum":
        return [_padded(sides, constant_values='float("-inf")'), pooling]
    if not counts or any(over):
        raise LayerError("count_include_pad", "leaves cells out of averages", 'Keras does so for padding="same" only')
    return [*_around("ZeroPadding", sides), pooling]


def _padded(sides: list[tuple[int, int]], mode: str = "constant", constant_values: str | None = None) -> str:
    """The function that pads each axis before and after, in a way that no layer does."""
    pairs = [(0, 0), *sides, (0, 0)]
    more = f", constant_values={constant_values}" if constant_values else ""
    return f'x = ops.pad(x, {pairs}, mode="{mode}"{more})'


def differences(layer: Layer) -> list[str]:
    """Where Keras, written in the obvious way, computes something else."""
    if layer.operation.adaptive or not layer.direct or layer.operation.name.startswith("global"):
        return []
    found = []
    if layer.transposed:
        sizes = tuple(axis.input_size * axis.stride + max(axis.reach + 1 - axis.stride, 0) for axis in layer.axes)
        if sizes != layer.output_size:
            made = " × ".join(map(str, sizes))
            found.append(f"Conv{len(sizes)}DTranspose without padding makes {made}: what is too much is cropped.")
        return found
    sides = [axis.padding for axis in layer.axes]
    same = [padded(axis, "same_upper") for axis in layer.axes]
    same_sizes = tuple(-(-axis.input_size // axis.stride) for axis in layer.axes)
    if [axis.padding for axis in same] != sides and same_sizes == layer.output_size:
        for own, axis in zip(layer.axes, same, strict=True):
            if own.padding != axis.padding:
                (before, after), (mine, other) = axis.padding, own.padding
                found.append(
                    f'padding="same" would give the same size but pad {before} before and {after} after, '
                    f"instead of {mine} and {other}: every window would lie elsewhere."
                )
                break
    return found


def _around(name: str, sides: list[tuple[int, int]]) -> list[str]:
    """The layer that pads or crops each axis before and after, if it changes anything."""
    n = len(sides)
    return [call.written(f"{name}{n}D", sides[0] if n == 1 else tuple(sides))] if any(map(any, sides)) else []


def _convolution(layer: Signature, given: Arguments) -> Keys:
    keys = _window(given) | _channels(layer, given)
    names = {"valid": 0, "same": "same_upper"}
    if layer.name in ("Conv1D", "Convolution1D"):
        names["causal"] = "causal"
    return keys | {"padding": names[_padding(given, tuple(names))]}


def _transposed(layer: Signature, given: Arguments) -> Keys:
    """Keras fixes the size of the output, and TensorFlow crops what exceeds it."""
    keys = _window(given) | _channels(layer, given)
    same = _padding(given, ("valid", "same")) == "same"
    axes = uncropped(given.input_size, keys)
    if given.value("output_padding") is None:
        if same:
            return keys | {"padding": "same_upper"}
        sizes = [axis.input_size * axis.stride + max(axis.reach + 1 - axis.stride, 0) for axis in axes]
    else:
        output_padding = given.sizes("output_padding", 0, least=0)
        for axis, added in zip(axes, output_padding, strict=True):
            if added >= axis.stride:
                raise LayerError(
                    "output_padding", f"is {added} with strides {axis.stride}", "Keras requires less than the stride"
                )
        cropped = [2 * ((axis.reach + 1) // 2) if same else 0 for axis in axes]
        rows = zip(axes, cropped, output_padding, strict=True)
        sizes = [axis.scattered_size - crop + added for axis, crop, added in rows]
    return keys | cropped_to("output_padding", axes, sizes)


def _channels(layer: Signature, given: Arguments) -> Keys:
    """The channels where the input's are given, since Keras has no argument for them; else a note of what is known."""
    if "depth_multiplier" in layer.arguments:
        return _depthwise(layer, given)
    filters, groups = given.value("filters"), given.value("groups", 1)
    keys = channel_keys(groups if given.channels is None else given.channels, filters, groups)
    if given.channels is not None:
        return keys
    return {"note": f"One of {filters} output channels is shown."} if filters > 1 else {}


def _depthwise(layer: Signature, given: Arguments) -> Keys:
    """The channels of a depthwise layer, or of the depthwise half of a separable one."""
    multiplier, keys, notes = given.value("depth_multiplier", 1), Keys(), list[str]()
    channel_keys(1, multiplier, 1)
    if given.channels is None:
        notes.append("One channel is shown; each has a kernel of its own.")
    else:
        keys = channel_keys(given.channels, given.channels * multiplier, given.channels)
    if "filters" in layer.required:
        filters = given.value("filters")
        channel_keys(1, filters, 1)
        notes.append(f"This is the depthwise half. A pointwise convolution to {filters} channels follows.")
    return keys | {"note": " ".join(notes)}


def _window(given: Arguments) -> Keys:
    """The window of a convolution and how it moves."""
    kernel_size, stride = given.sizes("kernel_size"), given.sizes("strides", 1)
    dilation = given.sizes("dilation_rate", 1)
    if max(stride) > 1 and max(dilation) > 1:
        raise LayerError(
            "dilation_rate", f"is {dilation} with strides {stride}", "Keras allows only one of them to exceed 1"
        )
    return {"kernel_size": kernel_size, "stride": stride, "dilation": dilation}


def _pooling(layer: Signature, given: Arguments) -> Keys:
    kernel_size = given.sizes("pool_size", 2)
    stride = given.sizes("strides", kernel_size)
    padding = {"valid": 0, "same": "same_upper"}[_padding(given, ("valid", "same"))]
    # Without padding nothing is left to count: the key stays at its default.
    counted = layer.operation != "average_pooling" or padding == 0
    return {"kernel_size": kernel_size, "stride": stride, "padding": padding, "count_include_pad": counted}


def _global_pooling(_layer: Signature, _given: Arguments) -> Keys:
    return {}


def _padding(given: Arguments, names: tuple[str, ...]) -> str:
    """The padding's name, in any case."""
    value = given.value("padding")
    lower = value.lower() if isinstance(value, str) else value
    return Arguments({"padding": lower}, given.input_size).word("padding", names)


# Names, operation, required and optional arguments in order, numbers of axes, and how they are read.
LAYERS = (
    (
        "Conv{n}D Convolution{n}D",
        "convolution",
        "filters kernel_size",
        "strides padding data_format dilation_rate groups",
        (1, 2, 3),
        _convolution,
    ),
    (
        "Conv{n}DTranspose Convolution{n}DTranspose",
        "transposed_convolution",
        "filters kernel_size",
        "strides padding output_padding data_format dilation_rate",
        (1, 2),
        _transposed,
    ),
    (
        "Conv{n}DTranspose Convolution{n}DTranspose",
        "transposed_convolution",
        "filters kernel_size",
        "strides padding data_format output_padding dilation_rate",
        (3,),
        _transposed,
    ),
    (
        "SeparableConv{n}D SeparableConvolution{n}D",
        "convolution",
        "filters kernel_size",
        "strides padding data_format dilation_rate depth_multiplier",
        (1, 2),
        _convolution,
    ),
    (
        "DepthwiseConv{n}D",
        "convolution",
        "kernel_size",
        "strides padding depth_multiplier data_format dilation_rate",
        (1, 2),
        _convolution,
    ),
    (
        "MaxPooling{n}D MaxPool{n}D",
        "max_pooling",
        "",
        "pool_size strides padding data_format",
        (1, 2, 3),
        _pooling,
    ),
    (
        "AveragePooling{n}D AvgPool{n}D",
        "average_pooling",
        "",
        "pool_size strides padding data_format",
        (1, 2, 3),
        _pooling,
    ),
    (
        "GlobalMaxPooling{n}D GlobalMaxPool{n}D",
        "global_max_pooling",
        "",
        "data_format keepdims",
        (1, 2, 3),
        _global_pooling,
    ),
    (
        "GlobalAveragePooling{n}D GlobalAvgPool{n}D",
        "global_average_pooling",
        "",
        "data_format keepdims",
        (1, 2, 3),
        _global_pooling,
    ),
)
# Arguments that no figure shows; every layer accepts them, though not all are its own.
IGNORED = (
    "activation use_bias kernel_initializer bias_initializer kernel_regularizer bias_regularizer activity_regularizer "
    "kernel_constraint bias_constraint depthwise_initializer depthwise_regularizer depthwise_constraint "
    "pointwise_initializer pointwise_regularizer pointwise_constraint name trainable dtype autocast batch_size "
    "batch_shape batch_input_shape input_shape input_dtype sparse weights dynamic"
)
SIGNATURES = tuple(
    Signature(
        name.format(n=n), operation, tuple(required.split()), tuple(f"{optional} {IGNORED}".split()), keys, axes=n
    )
    for names, operation, required, optional, axes, keys in LAYERS
    for name in names.split()
    for n in axes
)
