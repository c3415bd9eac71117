"""ONNX's notation: operators with their attributes, as a call or as the library prints a node."""

import re
import reprlib
from collections.abc import Mapping
from typing import Any

from scripts.core.layers import Layer
from scripts.errors import LayerError, UserError
from scripts.notation import call
from scripts.notation.arguments import Arguments, channel_keys
from scripts.notation.cropping import cropped_to, uncropped
from scripts.notation.signature import Keys, NamedLayer, Signature

SAME = {"SAME_UPPER": "same_upper", "SAME_LOWER": "same_lower"}

NAMES = {
    "convolution": "Conv",
    "transposed_convolution": "ConvTranspose",
    "max_pooling": "MaxPool",
    "average_pooling": "AveragePool",
    "lp_pooling": "LpPool",
    "max_unpooling": "MaxUnpool",
}
GLOBAL = {
    "global_max_pooling": "GlobalMaxPool",
    "global_average_pooling": "GlobalAveragePool",
    "global_lp_pooling": "GlobalLpPool",
}
PADDING_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}

# A printed node: y = Conv <kernel_shape: ints = [3, 3]> (x, w), or %y = Conv[kernel_shape = [3, 3]](%x).
NODE = re.compile(
    r"(?:\[[^\]]*\]\s*)?[^=<>()\[\]]+=\s*([\w.]+)\s*(?:<([^<>]*)>|\[(.*)\])?\s*\([^()=]*\)", flags=re.DOTALL
)
TYPE = re.compile(r"(\w)\s*:\s*\w+\s*=")


def as_call(source: str) -> str:
    """A printed node as a call of its operator with its attributes."""
    node = NODE.fullmatch(source)
    if node is None or node[1].rpartition(".")[2] not in OPERATORS:
        return source
    attributes = TYPE.sub(r"\1=", node[2] or node[3] or "")
    return f"{node[1]}({attributes})"


def written(layer: Layer) -> list[str]:
    """The operators of a layer.

    `pads` are those before all axes, then those after.  Raises `LayerError` for what ONNX does not have.
    """
    if layer.operation.name in GLOBAL:
        norm = {"p": _whole_norm(layer)} if layer.reduction == "norm" else {}
        return [call.written(GLOBAL[layer.operation.name], **norm)]
    if layer.operation.name not in NAMES:
        raise LayerError("operation", f"is {layer.operation.name}", "ONNX has none")
    befores, afters = zip(*(axis.padding for axis in layer.axes), strict=True)
    pads, lines = [*befores, *afters], list[str]()
    if layer.padding_mode != "zeros" and any(pads):
        whole = [0, 0, *befores, 0, 0, *afters]
        lines.append(call.written("Pad", mode=PADDING_MODES[layer.padding_mode], pads=whole))
        pads = [0] * len(pads)
    attributes: dict[str, object] = {
        "kernel_shape": list(layer.kernel_size),
        "strides": [axis.stride for axis in layer.axes],
        "pads": pads,
    }
    if layer.transposed:
        attributes["output_padding"] = [axis.output_padding for axis in layer.axes]
    if any(axis.dilation > 1 for axis in layer.axes):
        attributes["dilations"] = [axis.dilation for axis in layer.axes]
    if layer.channels is not None and layer.channels.groups > 1:
        attributes["group"] = layer.channels.groups
    if layer.ceil_mode:
        attributes["ceil_mode"] = 1
    if layer.reduction == "average" and layer.count_include_pad and any(pads):
        attributes["count_include_pad"] = 1
    if layer.reduction == "norm":
        attributes["p"] = _whole_norm(layer)
    if layer.operation.name == "max_unpooling" and any(axis.output_padding for axis in layer.axes):
        raise LayerError("output_size", "is another than the smallest", "ONNX takes it as an input: output_shape")
    return [*lines, call.written(NAMES[layer.operation.name], **attributes)]


def _whole_norm(layer: Layer) -> int:
    if layer.norm != int(layer.norm):
        raise LayerError("norm", f"is {layer.norm:g}", "ONNX takes whole numbers")
    return int(layer.norm)


def differences(layer: Layer) -> list[str]:
    """Where ONNX Runtime does something else."""
    found = []
    if layer.transposed and any(axis.output_padding >= axis.stride for axis in layer.axes):
        found.append("ONNX Runtime refuses an output padding that is not smaller than the stride.")
    if layer.reduction is not None and any(max(axis.padding) >= axis.kernel_size for axis in layer.axes):
        found.append("ONNX Runtime refuses padding of a pooling that is not smaller than the window.")
    return found


def onnx_operator(
    op_type: str,
    attributes: Mapping[str, Any],
    input_size: tuple[int, ...],
    channels: tuple[int, int] | None = None,
) -> NamedLayer:
    """Read an operator from its attributes, which do not include the channels of a convolution.

    Raises `UserError` for operators and attributes that cannot be drawn.
    """
    signature = OPERATORS.get(op_type)
    if signature is None:
        known = ", ".join(OPERATORS)
        raise UserError(f"{reprlib.repr(op_type)} is not an operator that can be drawn. Those are {known}.")
    for name in attributes:
        signature.check_argument(name)
    keys = {} if channels is None else channel_keys(*channels, attributes.get("group", 1))
    return signature.read(attributes, input_size, keys)


def _window(layer: Signature, given: Arguments) -> Keys:
    """The keys of all layers with windows but transposed convolutions."""
    return _padded(given) | {
        "ceil_mode": given.switch("ceil_mode", False),
        "count_include_pad": given.switch("count_include_pad", layer.operation != "average_pooling"),
        "norm": given.norm("p"),
    }


def _padded(given: Arguments) -> Keys:
    automatic = _automatic(given)
    pads = given.sizes("pads", 0, least=0, sides=2)
    if automatic != "NOTSET" and any(pads):
        raise LayerError("pads", f"are given with auto_pad {automatic}", "Remove one of the two")
    return {
        "kernel_size": given.sizes("kernel_shape"),
        "stride": given.sizes("strides", 1),
        "padding": SAME.get(automatic) or list(zip(pads[: given.n], pads[given.n :], strict=True)),
        "dilation": given.sizes("dilations", 1),
    }


def _automatic(given: Arguments) -> str:
    return given.word("auto_pad", ("NOTSET", "VALID", *SAME))


def _transposed(_: Signature, given: Arguments) -> Keys:
    """ONNX takes the size of the output before its padding."""
    keys = _padded(given) | {"output_padding": given.sizes("output_padding", 0, least=0)}
    automatic = _automatic(given)
    if given.value("output_shape") is not None:
        output_size = given.sizes("output_shape")
    elif automatic in SAME and any(keys["output_padding"]):
        output_size = [size * stride for size, stride in zip(given.input_size, keys["stride"], strict=True)]
    else:
        return keys
    axes = uncropped(given.input_size, keys)
    return keys | cropped_to("output_shape", axes, output_size, odd_after=automatic == "SAME_UPPER")


def _unpooling(layer: Signature, given: Arguments) -> Keys:
    """ONNX takes the size of the output from an input of the operator."""
    asked = given.value("output_shape") is not None
    return _window(layer, given) | ({"output_size": given.sizes("output_shape")} if asked else {})


def _global_pooling(_: Signature, given: Arguments) -> Keys:
    return {"norm": given.norm("p")}


# Operator, of ONNX or of onnxruntime; operation, required and optional attributes, and how they are read.
LAYERS = (
    ("Conv", "convolution", "kernel_shape", "strides pads auto_pad dilations group", _window),
    ("ConvInteger", "convolution", "kernel_shape", "strides pads auto_pad dilations group", _window),
    ("QLinearConv", "convolution", "kernel_shape", "strides pads auto_pad dilations group channels_last", _window),
    (
        "FusedConv",
        "convolution",
        "kernel_shape",
        "strides pads auto_pad dilations group activation activation_params",
        _window,
    ),
    (
        "ConvTranspose",
        "transposed_convolution",
        "kernel_shape",
        "strides pads auto_pad dilations group output_padding output_shape",
        _transposed,
    ),
    ("MaxPool", "max_pooling", "kernel_shape", "strides pads auto_pad dilations ceil_mode storage_order", _window),
    (
        "AveragePool",
        "average_pooling",
        "kernel_shape",
        "strides pads auto_pad dilations ceil_mode count_include_pad",
        _window,
    ),
    ("NhwcMaxPool", "max_pooling", "kernel_shape", "strides pads auto_pad dilations ceil_mode", _window),
    (
        "QLinearAveragePool",
        "average_pooling",
        "kernel_shape",
        "strides pads auto_pad ceil_mode count_include_pad channels_last",
        _window,
    ),
    ("LpPool", "lp_pooling", "kernel_shape", "strides pads auto_pad dilations ceil_mode p", _window),
    ("MaxUnpool", "max_unpooling", "kernel_shape", "strides pads output_shape", _unpooling),
    ("GlobalMaxPool", "global_max_pooling", "", "", _global_pooling),
    ("GlobalAveragePool", "global_average_pooling", "", "", _global_pooling),
    ("QLinearGlobalAveragePool", "global_average_pooling", "", "channels_last", _global_pooling),
    ("GlobalLpPool", "global_lp_pooling", "", "p", _global_pooling),
)
OPERATORS = {
    name: Signature(name, operation, tuple(required.split()), tuple(optional.split()), read, keyword_only=True)
    for name, operation, required, optional, read in LAYERS
}

# Where onnxruntime's own operators are named in a model; the names of ONNX's own domain mean the same.
DOMAINS = ("", "ai.onnx", "com.microsoft")
CHANNELS_LAST = ("NhwcMaxPool",)
# Whether a name is that of a convolution or a pooling.
KIND = re.compile("conv(?!ert)|pool|roialign", re.IGNORECASE)
NOT_DRAWN = {
    "DeformConv": "an input displaces the elements of its window",
    "MaxRoiPool": "its windows are an input",
    "RoiAlign": "its windows are an input",
    "ConvTransposeWithDynamicPads": "its padding is an input",
}


def reason_against(op_type: str, domain: str) -> str | None:
    """Why an operator of a model cannot be drawn; empty if it can, None if it is no convolution and no pooling."""
    if domain in DOMAINS and op_type in OPERATORS:
        return ""
    if not KIND.search(op_type):
        return None
    if domain in DOMAINS and op_type in NOT_DRAWN:
        return NOT_DRAWN[op_type]
    return "its operator is not one of ONNX's" if domain not in DOMAINS[:2] else "its operator is unknown"
