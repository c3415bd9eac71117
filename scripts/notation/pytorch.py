"""PyTorch's notation: the layers of `torch.nn`, as code or as a printed model shows them."""

import re
from collections.abc import Sequence
from dataclasses import replace

from scripts.core.arithmetic import PADDING_MODES
from scripts.core.layers import Channels, Layer
from scripts.errors import LayerError
from scripts.notation import call
from scripts.notation.arguments import Arguments, channel_keys
from scripts.notation.signature import Keys, ReadKeys, Signature

# A lazy layer prints 0 as the number of input channels that it does not know yet; its constructor has no such argument.
UNKNOWN_CHANNELS = re.compile(r"\b(LazyConv\w*\()\s*0\s*(?:,|(?=\)))")

PADDINGS = {"zeros": "Zero", "reflect": "Reflection", "replicate": "Replication", "circular": "Circular"}
POOLINGS = {"maximum": "MaxPool", "average": "AvgPool", "norm": "LPPool"}

# Layers that `shortest` writes.
NAMES = {
    "convolution": "Conv",
    "transposed_convolution": "ConvTranspose",
    "max_pooling": "MaxPool",
    "average_pooling": "AvgPool",
}


def as_call(source: str) -> str:
    """A printed layer as a call of its constructor."""
    return UNKNOWN_CHANNELS.sub(r"\1", source)


def written(layer: Layer) -> list[str]:
    """The calls that make a layer.

    What one side has more than the other is padded by a layer of its own before, and cropped by one after a transposed
    convolution.  Raises `LayerError` for what PyTorch does not have.
    """
    if layer.operation.name == "max_unpooling":
        return [_unpooling(layer)]
    if layer.operation.adaptive or layer.operation.name.startswith("global"):
        return [_summary(layer)]
    # The last axis comes first.
    sides = [side for axis in reversed(layer.axes) for side in axis.padding]
    inner = [min(axis.padding) for axis in layer.axes]
    if layer.reduction is not None:
        is_half = all(2 * max(axis.padding) <= axis.kernel_size for axis in layer.axes)
        inner = inner if is_half and layer.reduction != "norm" else [0] * len(inner)
    elif layer.padding_mode != "zeros" and any(before != after for before, after in (a.padding for a in layer.axes)):
        inner = [0] * len(inner)
    rest = [side - least for side, least in zip(sides, [n for n in reversed(inner) for _ in range(2)], strict=True)]
    main = _pool(layer, inner) if layer.reduction else _convolve(layer, inner)
    if not any(rest):
        return [main]
    n = len(layer.axes)
    if layer.transposed:
        return [main, call.written(f"ZeroPad{n}d", tuple(-side for side in rest))]
    if layer.reduction == "average" and not layer.count_include_pad:
        raise LayerError("count_include_pad", "is false with padding that AvgPool does not have", "Pad all sides alike")
    if layer.reduction is not None and layer.ceil_mode:
        raise LayerError("ceil_mode", "is true with padding that a pooling does not have", "Pad all sides alike")
    if layer.reduction == "maximum":
        return [call.written(f"ConstantPad{n}d", tuple(rest), 'float("-inf")'), main]
    return [call.written(f"{PADDINGS[layer.padding_mode]}Pad{n}d", tuple(rest)), main]


def _convolve(layer: Layer, padding: Sequence[int]) -> str:
    channels = layer.channels or Channels(1, 1)
    keywords: dict[str, object] = {
        "kernel_size": layer.kernel_size,
        "stride": tuple(axis.stride for axis in layer.axes),
        "padding": tuple(padding),
    }
    if layer.transposed:
        keywords["output_padding"] = tuple(axis.output_padding for axis in layer.axes)
    if any(axis.dilation > 1 for axis in layer.axes):
        keywords["dilation"] = tuple(axis.dilation for axis in layer.axes)
    if channels.groups > 1:
        keywords["groups"] = channels.groups
    if layer.padding_mode != "zeros" and any(padding):
        keywords["padding_mode"] = layer.padding_mode
    name = f"Conv{'Transpose' if layer.transposed else ''}{len(layer.axes)}d"
    return call.written(name, channels.in_channels, channels.out_channels, **keywords)


def _pool(layer: Layer, padding: Sequence[int]) -> str:
    n, reduction = len(layer.axes), layer.reduction or ""
    dilation = tuple(axis.dilation for axis in layer.axes)
    if max(dilation) > 1 and reduction != "maximum":
        raise LayerError("dilation", f"is {list(dilation)}", "Only MaxPool is dilated in PyTorch")
    positional = [f"{layer.norm:g}"] if reduction == "norm" else []
    keywords: dict[str, object] = {
        "kernel_size": layer.kernel_size,
        "stride": tuple(axis.stride for axis in layer.axes),
    }
    if any(padding):
        keywords["padding"] = tuple(padding)
    if max(dilation) > 1:
        keywords["dilation"] = dilation
    if layer.ceil_mode:
        keywords["ceil_mode"] = True
    if reduction == "average" and any(padding) and not layer.count_include_pad:
        keywords["count_include_pad"] = False
    return call.written(f"{POOLINGS[reduction]}{n}d", *positional, **keywords)


def _summary(layer: Layer) -> str:
    """A pooling whose windows follow from its input: global or adaptive."""
    n, reduction = len(layer.axes), layer.reduction or ""
    if reduction == "norm":
        return call.written(f"LPPool{n}d", f"{layer.norm:g}", layer.input_size)
    return call.written(f"Adaptive{POOLINGS[reduction]}{n}d", layer.output_size)


def _unpooling(layer: Layer) -> str:
    keywords = {
        "stride": tuple(axis.stride for axis in layer.axes),
        "padding": tuple(axis.padding[0] for axis in layer.axes),
    }
    if any(before != after for before, after in (axis.padding for axis in layer.axes)):
        raise LayerError("padding", "differs between the sides", "MaxUnpool takes one number per axis")
    asked = (
        f"  # called with output_size={list(layer.output_size)}" if any(a.output_padding for a in layer.axes) else ""
    )
    return call.written(f"MaxUnpool{len(layer.axes)}d", layer.kernel_size, **keywords) + asked


def differences(layer: Layer) -> list[str]:
    """Where PyTorch computes something else than the layer as it is defined here."""
    if layer.reduction != "norm":
        return []
    found = ["PyTorch raises the elements to the power, not their absolute values: they differ where the norm is odd."]
    if layer.ceil_mode:
        found.append("PyTorch scales a window that hangs over the end up to a full one.")
    return found


def has_short_form(layer: Layer) -> bool:
    """Whether `shortest` can write a layer."""
    equal = all(before == after for before, after in (axis.padding for axis in layer.axes))
    return equal and layer.operation.name in NAMES and layer.padding_mode == "zeros"


def shortest(layer: Layer) -> str:
    """The call that makes a layer padded by zeros, the same number on both sides of an axis.

    Arguments that equal their defaults are left out, and one number stands for equal axes.
    """
    name, stride = NAMES[layer.operation.name], 1 if layer.weighted else _shortest(layer.kernel_size)
    parameters = {
        "kernel_size": (None, layer.kernel_size),
        "stride": (stride, [axis.stride for axis in layer.axes]),
        "padding": (0, [axis.padding[0] for axis in layer.axes]),
        "output_padding": (0, [axis.output_padding for axis in layer.axes]),
        "dilation": (1, [axis.dilation for axis in layer.axes]),
    }
    short = {key: (default, _shortest(values)) for key, (default, values) in parameters.items()}
    keywords: dict[str, object] = {key: value for key, (default, value) in short.items() if value != default}
    channels = layer.channels or Channels(1, 1)
    if channels.groups > 1:
        keywords["groups"] = channels.groups
    if layer.ceil_mode:
        keywords["ceil_mode"] = True
    if layer.reduction == "average" and layer.axes[0].padding[0] and not layer.count_include_pad:
        keywords["count_include_pad"] = False
    counts = (channels.in_channels, channels.out_channels) if layer.weighted else ()
    return call.written(f"{name}{len(layer.axes)}d", *counts, **keywords)


def _shortest(values: Sequence[int]) -> int | tuple[int, ...]:
    return values[0] if len(set(values)) == 1 else tuple(values)


def _convolution(layer: Signature, given: Arguments) -> Keys:
    kernel_size, stride = given.sizes("kernel_size"), given.sizes("stride", 1)
    return {
        "kernel_size": kernel_size,
        "stride": stride,
        "padding": _padding(given, stride),
        **_channels(layer, given),
        "padding_mode": given.word("padding_mode", PADDING_MODES),
        "dilation": given.sizes("dilation", 1),
    }


def _padding(given: Arguments, stride: list[int]) -> str | int | list[int]:
    """Padding in numbers or by name."""
    if not isinstance(given.value("padding"), str):
        return given.sizes("padding", 0, least=0)
    if given.word("padding", ("valid", "same")) == "valid":
        return 0
    if max(stride) > 1:
        raise LayerError("padding", f"is 'same' with stride {stride}", "PyTorch allows it for stride 1 only")
    return "same_upper"


def _standardized(layer: Signature, given: Arguments) -> Keys:
    """A convolution of timm, which works out its padding where none is given; it prints what it has."""
    if given.value("padding") is None and max(given.sizes("kernel_size")) > 1:
        raise LayerError("padding", "is missing", f"{layer.name} works it out; write the padding that it prints, or 0")
    return _convolution(layer, given)


def _padded_by_itself(layer: Signature, given: Arguments) -> Keys:
    """A convolution of timm with TensorFlow's padding, at any stride, unless it prints another."""
    padding = given.value("padding", "same")
    if layer.name != "Conv2dSame" and not (isinstance(padding, str) and padding.lower() == "same"):
        return _convolution(layer, given)
    return _same(_convolution, layer, given)


def _pooling_padded_by_itself(layer: Signature, given: Arguments) -> Keys:
    # What is padded before an average counts in it.
    return _same(_pooling, layer, given) | {"count_include_pad": True}


def _same(read: ReadKeys, layer: Signature, given: Arguments) -> Keys:
    """The keys that are read without the padding, which is TensorFlow's."""
    return read(layer, replace(given, given={**given.given, "padding": None})) | {"padding": "same_upper"}


def _transposed(layer: Signature, given: Arguments) -> Keys:
    return {
        "kernel_size": given.sizes("kernel_size"),
        "stride": given.sizes("stride", 1),
        "padding": given.sizes("padding", 0, least=0),
        **_channels(layer, given),
        "padding_mode": given.word("padding_mode", ("zeros",)),
        "dilation": given.sizes("dilation", 1),
        "output_padding": given.sizes("output_padding", 0, least=0),
    }


def _channels(layer: Signature, given: Arguments) -> Keys:
    """The channels; a lazy layer takes those of its input."""
    in_channels = given.value("in_channels") if "in_channels" in layer.required else given.channels
    if in_channels is None and "in_channels" not in layer.required:
        return {}
    return channel_keys(in_channels, given.value("out_channels"), given.value("groups", 1))


def _pooling(layer: Signature, given: Arguments) -> Keys:
    """Any pooling with windows of one size, or max unpooling."""
    kernel_size, padding = given.sizes("kernel_size"), given.sizes("padding", 0, least=0)
    for size, window in zip(padding, kernel_size, strict=True):
        if layer.operation != "max_unpooling" and 2 * size > window:
            rule = f"is {size} for a pooling window of {window}"
            remedy = "PyTorch allows at most half of that; ONNX and figure files allow less than all of it"
            raise LayerError("padding", rule, remedy)
    if given.value("divisor_override") is not None:
        raise LayerError("divisor_override", "cannot be drawn", "Remove it")
    return {
        "kernel_size": kernel_size,
        "stride": given.sizes("stride", kernel_size),
        "padding": padding,
        "dilation": given.sizes("dilation", 1),
        "ceil_mode": given.switch("ceil_mode", False),
        "count_include_pad": given.switch("count_include_pad", True),
        "norm": given.norm("norm_type"),
    }


def _adaptive_pooling(layer: Signature, given: Arguments) -> Keys:
    """An adaptive pooling; with one window it is global, with equal windows side by side an ordinary one."""
    each = zip(given.per_axis("output_size"), given.input_size, strict=True)
    asked = {"output_size": [size if wanted is None else wanted for wanted, size in each]}
    output_size = Arguments(asked, given.input_size).sizes("output_size")
    if max(output_size) == 1:
        return {"operation": f"global_{layer.operation}"}
    if any(size % wanted for size, wanted in zip(given.input_size, output_size, strict=True)):
        return {"operation": f"adaptive_{layer.operation}", "output_size": output_size}
    window = [size // wanted for size, wanted in zip(given.input_size, output_size, strict=True)]
    return {"kernel_size": window, "stride": window}


CONVOLUTION = "stride padding dilation groups bias padding_mode device dtype"
MAXIMUM = "stride padding dilation return_indices ceil_mode"
AVERAGE = "stride padding ceil_mode count_include_pad divisor_override"
CHANNELS = "in_channels out_channels kernel_size"

# Name, operation, required and optional arguments in order, and how they are read.
LAYERS = (
    (
        "Conv{n}d",
        "convolution",
        CHANNELS,
        CONVOLUTION,
        _convolution,
    ),
    (
        "LazyConv{n}d",
        "convolution",
        "out_channels kernel_size",
        CONVOLUTION,
        _convolution,
    ),
    (
        "ConvTranspose{n}d",
        "transposed_convolution",
        CHANNELS,
        "stride padding output_padding groups bias dilation padding_mode device dtype",
        _transposed,
    ),
    (
        "LazyConvTranspose{n}d",
        "transposed_convolution",
        "out_channels kernel_size",
        "stride padding output_padding groups bias dilation padding_mode device dtype",
        _transposed,
    ),
    ("MaxPool{n}d", "max_pooling", "kernel_size", MAXIMUM, _pooling),
    (
        "AvgPool{n}d",
        "average_pooling",
        "kernel_size",
        AVERAGE,
        _pooling,
    ),
    ("LPPool{n}d", "lp_pooling", "norm_type kernel_size", "stride ceil_mode", _pooling),
    ("MaxUnpool{n}d", "max_unpooling", "kernel_size", "stride padding", _pooling),
    ("AdaptiveAvgPool{n}d", "average_pooling", "output_size", "", _adaptive_pooling),
    ("AdaptiveMaxPool{n}d", "max_pooling", "output_size", "return_indices", _adaptive_pooling),
    # torch.ao.nn.quantized
    ("QuantizedConv{n}d", "convolution", CHANNELS, f"{CONVOLUTION} scale zero_point", _convolution),
    ("QuantizedConvReLU{n}d", "convolution", CHANNELS, f"{CONVOLUTION} scale zero_point", _convolution),
    (
        "QuantizedConvTranspose{n}d",
        "transposed_convolution",
        CHANNELS,
        "stride padding output_padding groups bias dilation padding_mode device dtype scale zero_point",
        _transposed,
    ),
)
# timm
SUBCLASSES = (
    ("Conv2dSame", "convolution", CHANNELS, CONVOLUTION, _padded_by_itself),
    ("StdConv2d", "convolution", CHANNELS, f"{CONVOLUTION} eps", _standardized),
    ("StdConv2dSame", "convolution", CHANNELS, f"{CONVOLUTION} eps", _padded_by_itself),
    ("ScaledStdConv2d", "convolution", CHANNELS, f"{CONVOLUTION} gamma eps gain_init", _standardized),
    ("ScaledStdConv2dSame", "convolution", CHANNELS, f"{CONVOLUTION} gamma eps gain_init", _padded_by_itself),
    ("MaxPool2dSame", "max_pooling", "kernel_size", MAXIMUM, _pooling_padded_by_itself),
    ("AvgPool2dSame", "average_pooling", "kernel_size", AVERAGE, _pooling_padded_by_itself),
)
SIGNATURES = tuple(
    Signature(name.format(n=n), operation, tuple(required.split()), tuple(optional.split()), keys, axes=n)
    for rows, axes in ((LAYERS, (1, 2, 3)), (SUBCLASSES, (2,)))
    for name, operation, required, optional, keys in rows
    for n in axes
)
