"""A layer as PyTorch, Keras or ONNX write it becomes the keys of a figure's file.

Such a text is data: it is parsed, never evaluated, and only arguments that say something of the figure are read.
"""

import ast
import re
import reprlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

from scripts.core.arithmetic import PADDING_MODES, LayerAxis, Pair
from scripts.core.keys import COUNT, MOST_CELLS, NATURAL, POSITIVE, SWITCH, FigureFile
from scripts.core.layers import Channels
from scripts.errors import LayerError, UserError

Keys = dict[str, Any]
Framework = Literal["PyTorch", "Keras", "ONNX"]

MOST_CHARACTERS = 500

# Each layer's operation, and its arguments in the framework's order.
PYTORCH: dict[str, tuple[str, str]] = {
    "Conv{n}d": (
        "convolution",
        "in_channels out_channels kernel_size stride padding dilation groups bias padding_mode device dtype",
    ),
    "ConvTranspose{n}d": (
        "transposed_convolution",
        "in_channels out_channels kernel_size stride padding output_padding groups bias dilation padding_mode device "
        "dtype",
    ),
    "LazyConv{n}d": (
        "convolution",
        "out_channels kernel_size stride padding dilation groups bias padding_mode device dtype",
    ),
    "LazyConvTranspose{n}d": (
        "transposed_convolution",
        "out_channels kernel_size stride padding output_padding groups bias dilation padding_mode device dtype",
    ),
    "MaxPool{n}d": ("max_pooling", "kernel_size stride padding dilation return_indices ceil_mode"),
    "AvgPool{n}d": ("average_pooling", "kernel_size stride padding ceil_mode count_include_pad divisor_override"),
    "LPPool{n}d": ("lp_pooling", "norm_type kernel_size stride ceil_mode"),
    "MaxUnpool{n}d": ("max_unpooling", "kernel_size stride padding"),
    "AdaptiveAvgPool{n}d": ("average_pooling", "output_size"),
    "AdaptiveMaxPool{n}d": ("max_pooling", "output_size return_indices"),
}
KERAS: dict[str, tuple[str, str, tuple[int, ...]]] = {
    **dict.fromkeys(
        ("Conv{n}D", "Convolution{n}D"),
        ("convolution", "filters kernel_size strides padding data_format dilation_rate groups", (1, 2, 3)),
    ),
    **dict.fromkeys(
        ("Conv{n}DTranspose", "Convolution{n}DTranspose"),
        (
            "transposed_convolution",
            "filters kernel_size strides padding output_padding data_format dilation_rate",
            (1, 2),
        ),
    ),
    **dict.fromkeys(
        ("Conv3DTranspose", "Convolution3DTranspose"),
        (
            "transposed_convolution",
            "filters kernel_size strides padding data_format output_padding dilation_rate",
            (3,),
        ),
    ),
    **dict.fromkeys(
        ("SeparableConv{n}D", "SeparableConvolution{n}D"),
        ("convolution", "filters kernel_size strides padding data_format dilation_rate depth_multiplier", (1, 2)),
    ),
    "DepthwiseConv{n}D": (
        "convolution",
        "kernel_size strides padding depth_multiplier data_format dilation_rate",
        (1, 2),
    ),
    **dict.fromkeys(
        ("MaxPooling{n}D", "MaxPool{n}D"), ("max_pooling", "pool_size strides padding data_format", (1, 2, 3))
    ),
    **dict.fromkeys(
        ("AveragePooling{n}D", "AvgPool{n}D"), ("average_pooling", "pool_size strides padding data_format", (1, 2, 3))
    ),
    **dict.fromkeys(
        ("GlobalMaxPooling{n}D", "GlobalMaxPool{n}D"), ("global_max_pooling", "data_format keepdims", (1, 2, 3))
    ),
    **dict.fromkeys(
        ("GlobalAveragePooling{n}D", "GlobalAvgPool{n}D"),
        ("global_average_pooling", "data_format keepdims", (1, 2, 3)),
    ),
}
# Arguments of Keras' layers that no figure shows, whichever of them have them.
KERAS_OTHERS = (
    "activation use_bias kernel_initializer bias_initializer kernel_regularizer bias_regularizer activity_regularizer "
    "kernel_constraint bias_constraint depthwise_initializer depthwise_regularizer depthwise_constraint "
    "pointwise_initializer pointwise_regularizer pointwise_constraint name trainable dtype autocast batch_size "
    "batch_shape batch_input_shape input_shape input_dtype sparse weights dynamic"
)
_POOL = "kernel_shape strides pads auto_pad dilations ceil_mode"
ONNX: dict[str, tuple[str, str]] = {
    "Conv": ("convolution", "kernel_shape strides pads auto_pad dilations group"),
    "ConvTranspose": (
        "transposed_convolution",
        "kernel_shape strides pads auto_pad dilations group output_padding output_shape",
    ),
    "MaxPool": ("max_pooling", f"{_POOL} storage_order"),
    "AveragePool": ("average_pooling", f"{_POOL} count_include_pad"),
    "LpPool": ("lp_pooling", f"{_POOL} p"),
    "MaxUnpool": ("max_unpooling", "kernel_shape strides pads"),
    "GlobalMaxPool": ("global_max_pooling", ""),
    "GlobalAveragePool": ("global_average_pooling", ""),
    "GlobalLpPool": ("global_lp_pooling", "p"),
}
REQUIRED = {"in_channels", "out_channels", "filters", "kernel_size", "norm_type", "output_size", "kernel_shape"}
SAME = {"SAME_UPPER": "same_upper", "SAME_LOWER": "same_lower"}


@dataclass(frozen=True)
class NamedLayer:
    """A layer's short name, and the keys of its figure that are not their defaults; no title."""

    name: str
    keys: Keys


@dataclass(frozen=True)
class LayerClass:
    """A framework's layer: the axes that its name gives it (ONNX's none), and its arguments in their order."""

    name: str
    framework: Framework
    operation: str
    arguments: tuple[str, ...]
    axes: int | None = None


CLASSES = {
    found.name: found
    for found in (
        *(
            LayerClass(name.format(n=n), "PyTorch", operation, tuple(arguments.split()), n)
            for name, (operation, arguments) in PYTORCH.items()
            for n in (1, 2, 3)
        ),
        *(
            LayerClass(name.format(n=n), "Keras", operation, tuple(f"{arguments} {KERAS_OTHERS}".split()), n)
            for name, (operation, arguments, axes) in KERAS.items()
            for n in axes
        ),
        *(LayerClass(name, "ONNX", operation, tuple(names.split())) for name, (operation, names) in ONNX.items()),
    )
}

# What may stand before a layer: "(conv1): " in a printed model, "self.conv1 = " in code.
LABEL = re.compile(r"\([^()]*\)\s*:|[\w.]+\s*=(?!=)")
# An operator as ONNX prints it: y = Conv <kernel_shape: ints = [3, 3]> (x, w), or %y = Conv[kernel_shape = [3, 3]](%x).
NODE = re.compile(
    r"(?:\[[^\]]*\]\s*)?[^=<>()\[\]]+=\s*([\w.]+)\s*(?:<([^<>]*)>|\[(.*)\])?\s*\([^()=]*\)", flags=re.DOTALL
)
DOTTED = re.compile(r"[\w.]+")
TYPE = re.compile(r"(\w)\s*:\s*\w+\s*=")


def layer(text: str, input_size: tuple[int, ...]) -> NamedLayer:
    """Read a layer; one number of `input_size` stands for all axes."""
    name, call = _call(text)
    found = CLASSES.get(name)
    if found is None:
        near = get_close_matches(name, CLASSES, n=1)
        remedy = f"Did you mean {near[0]}?" if near else "Convolutions, poolings and unpoolings are read, like Conv2d."
        raise UserError(f"{reprlib.repr(name)} is no layer of PyTorch, Keras or ONNX that can be drawn. {remedy}")
    return _named(found, _bound(found, call), input_size)


def onnx_operator(
    op_type: str,
    attributes: Mapping[str, Any],
    input_size: tuple[int, ...],
    channels: tuple[int, int] | None = None,
) -> NamedLayer:
    """Read an ONNX operator from its attributes; `channels` are a convolution's (in, out), which they do not tell."""
    if op_type not in ONNX:
        raise UserError(f"{reprlib.repr(op_type)} is no operator that can be drawn. Those are {', '.join(ONNX)}.")
    found = CLASSES[op_type]
    for name in attributes:
        _check_argument(found, name)
    keys = {} if channels is None else _channels(*channels, attributes.get("group", 1))
    return _named(found, attributes, input_size, keys)


def expanded(input_size: tuple[int, ...], n: int) -> tuple[int, ...]:
    """A size for each of `n` axes."""
    if len(input_size) not in (1, n):
        raise LayerError(
            "input_size",
            f"has {len(input_size)} numbers for {n} {'axis' if n == 1 else 'axes'}",
            f"Give one per axis, as in INPUT={'x'.join('576'[:n])}, or one for all",
        )
    return input_size if len(input_size) == n else input_size * n


def _call(text: str) -> tuple[str, ast.Call]:
    """The name of a layer, without what stands before it, and its call."""
    if len(text) > MOST_CHARACTERS:
        raise UserError(f"A layer of {len(text)} characters is too long. It has at most {MOST_CHARACTERS}.")
    source = text.strip().rstrip(",; \t\r\n")
    node = NODE.fullmatch(source)
    if node and node[1].rpartition(".")[2] in ONNX:
        attributes = TYPE.sub(r"\1=", node[2] or node[3] or "")
        source = f"{node[1]}({attributes})"
    elif label := LABEL.match(source):
        source = source[label.end() :].lstrip()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expression = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        expression = None
    match expression:
        case ast.Call(func=(ast.Name() | ast.Attribute()) as function):
            name = ast.get_source_segment(source, function) or ""
            if DOTTED.fullmatch(name):
                return name.rpartition(".")[2], expression
    raise UserError(
        f"{reprlib.repr(text)} is not a layer. Write it as PyTorch, Keras or ONNX do, "
        "such as Conv2d(1, 1, kernel_size=3, padding=1)."
    )


def _bound(found: LayerClass, call: ast.Call) -> dict[str, ast.expr]:
    """The arguments of a call by their names, unread."""
    values = call.args
    if found.name.startswith("Lazy") and values and isinstance(values[0], ast.Constant) and values[0].value == 0:
        values = values[1:]  # PyTorch prints the channels that it does not know yet
    most = 0 if found.framework == "ONNX" else len(found.arguments)
    if len(values) > most:
        raise UserError(f"{found.name} takes at most {most} arguments without a name, not {len(values)}. Name them.")
    given = dict(zip(found.arguments, values, strict=False))
    for keyword in call.keywords:
        name = keyword.arg or "**"
        _check_argument(found, name)
        if name in given:
            raise LayerError(name, "is given twice", "Remove one of the two")
        given[name] = keyword.value
    return given


def _check_argument(found: LayerClass, name: str) -> None:
    if name not in found.arguments:
        near = get_close_matches(name, found.arguments, n=1)
        known = f"It has {', '.join(found.arguments)}" if found.arguments else "It has none"
        raise LayerError(
            reprlib.repr(name)[1:-1], f"is no argument of {found.name}", f"Did you mean {near[0]}?" if near else known
        )


@dataclass(frozen=True)
class Arguments:
    """The arguments of a layer with `n` axes, each read and checked when it is asked for."""

    given: Mapping[str, Any]
    n: int

    def value(self, name: str, default: Any = None) -> Any:
        """A plain value; Python's None is the default."""
        value = self.given.get(name)
        if isinstance(value, ast.Name):
            value = value.id  # PyTorch prints words without quotes
        elif isinstance(value, ast.expr):
            try:
                value = ast.literal_eval(value)
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                raise LayerError(name, "is not a plain value", "Write numbers, lists of them, or a word") from None
        return default if value is None else value

    def per_axis(self, name: str, default: Any = None) -> list[Any]:
        """A value for each axis."""
        value = self.value(name, default)
        values = list(value) if isinstance(value, (list, tuple)) else [value] * self.n
        if len(values) != self.n:
            raise LayerError(name, f"has {len(values)} entries for {self.n} axes", "Give one number, or one per axis")
        return values

    def sizes(self, name: str, default: int | list[int] | None = None, least: int = 1) -> list[int]:
        """A whole number for each axis."""
        sizes = self.per_axis(name, default)
        for size in sizes:
            if not _is_whole(size, least):
                raise _wrong(name, size, POSITIVE if least else NATURAL)
        return sizes

    def norm(self, name: str) -> float:
        """The exponent of an L^p pooling."""
        value = self.value(name, 2)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.1 <= value <= 16:
            raise _wrong(name, value, FigureFile.model_fields["norm"].description)
        return value

    def switch(self, name: str, default: bool) -> bool:
        """True or false; ONNX writes 1 and 0."""
        value = self.value(name, default)
        if not isinstance(value, int) or value not in (0, 1):
            raise _wrong(name, value, SWITCH)
        return bool(value)

    def word(self, name: str, words: tuple[str, ...]) -> str:
        """One of some words, by default the first."""
        value = self.value(name, words[0])
        if not isinstance(value, str) or value not in words:
            raise _wrong(name, value, f"one of {', '.join(words)}" if len(words) > 1 else f"only {words[0]}")
        return value


def _is_whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= MOST_CELLS


def _wrong(name: str, value: object, description: str | None) -> LayerError:
    return LayerError(name, f"cannot be {reprlib.repr(value)}", f"It is {description}")


def _named(
    found: LayerClass, given: Mapping[str, Any], input_size: tuple[int, ...], channels: Mapping[str, int] | None = None
) -> NamedLayer:
    for name in found.arguments:
        if name in REQUIRED and name not in given:
            raise LayerError(name, "is missing", f"{found.name} needs it")
    n = found.axes or _axes(given, input_size)
    size = list(expanded(input_size, n))
    Arguments({"input_size": size}, n).sizes("input_size")
    arguments = Arguments(given, n)
    keys = {"operation": found.operation, "input_size": size, **(channels or {})}
    match found.framework:
        case "PyTorch" if "output_size" in found.arguments:
            keys |= _adaptive(found, arguments, size)
        case "PyTorch":
            keys |= _pytorch(found, arguments)
        case "Keras":
            keys |= _keras(found, arguments, size)
        case "ONNX":
            keys |= _onnx(found, arguments, size)
    return NamedLayer(found.name.lower(), _changed(keys))


def _axes(given: Mapping[str, Any], input_size: tuple[int, ...]) -> int:
    """Number of axes of an ONNX operator, by its kernel, or its input where that is global."""
    kernel = Arguments(given, 0).value("kernel_shape", input_size)
    if not isinstance(kernel, (list, tuple)):
        raise _wrong("kernel_shape", kernel, "a list of one whole number per axis")
    if not 1 <= len(kernel) <= 3:
        name = "kernel_shape" if "kernel_shape" in given else "input_size"
        raise LayerError(name, f"has {len(kernel)} axes", "A layer has 1, 2 or 3")
    return len(kernel)


def _changed(keys: Keys) -> Keys:
    """The keys that are not their defaults, in the order of a figure's file, one number for equal axes."""
    fields = FigureFile.model_fields
    short = {key: value if key == "input_size" else _short(value) for key, value in keys.items()}
    return {key: short[key] for key in fields if key in short and short[key] != fields[key].default}


def _short(value: Any) -> Any:
    """A value per axis, or one for all where they are equal numbers; equal sides are one number."""
    if not isinstance(value, list):
        return value
    each = [(side[0] if side[0] == side[1] else list(side)) if isinstance(side, tuple) else side for side in value]
    return each[0] if isinstance(each[0], int) and each.count(each[0]) == len(each) else each


def _pytorch(found: LayerClass, given: Arguments) -> Keys:
    operation = found.operation
    kernel_size = given.sizes("kernel_size")
    stride = given.sizes("stride", 1 if "Conv" in found.name else kernel_size)
    padding: object
    if operation == "convolution" and isinstance(given.value("padding"), str):
        padding = {"valid": 0, "same": "same_upper"}[given.word("padding", ("valid", "same"))]
        if padding and max(stride) > 1:
            raise LayerError("padding", f"is 'same' with stride {stride}", "PyTorch has it for stride 1 only")
    else:
        padding = given.sizes("padding", 0, least=0)
    if given.value("divisor_override") is not None:
        raise LayerError("divisor_override", "cannot be drawn", "Leave it out")
    modes = ("zeros",) if operation == "transposed_convolution" else PADDING_MODES
    channels = {}
    if "in_channels" in found.arguments:
        channels = _channels(given.value("in_channels"), given.value("out_channels"), given.value("groups", 1))
    return channels | {
        "kernel_size": kernel_size,
        "stride": stride,
        "padding": padding,
        "padding_mode": given.word("padding_mode", modes),
        "dilation": given.sizes("dilation", 1),
        "output_padding": given.sizes("output_padding", 0, least=0),
        "ceil_mode": given.switch("ceil_mode", False),
        "count_include_pad": given.switch("count_include_pad", True),
        "norm": given.norm("norm_type"),
    }


def _channels(in_channels: Any, out_channels: Any, groups: Any) -> Keys:
    """The keys of a convolution's channels, none where there is one of each."""
    keys = {"in_channels": in_channels, "out_channels": out_channels, "groups": groups}
    for key, value in keys.items():
        if not _is_whole(value, 1):
            raise _wrong(key, value, COUNT)
    Channels(**keys)
    return {} if in_channels == out_channels == 1 else keys


def _adaptive(found: LayerClass, given: Arguments, input_size: list[int]) -> Keys:
    """A pooling of equal windows side by side; with one window, it is global."""
    each = zip(given.per_axis("output_size"), input_size, strict=True)
    asked = {"output_size": [size if wanted is None else wanted for wanted, size in each]}
    output_size = Arguments(asked, given.n).sizes("output_size")
    if max(output_size) == 1:
        return {"operation": f"global_{found.operation}"}
    for size, wanted in zip(input_size, output_size, strict=True):
        if size % wanted:
            raise LayerError(
                "output_size",
                f"is {wanted} for an input of {size}, so that windows differ in size or step",
                "Only windows of one size, side by side, can be drawn: it divides the input's size",
            )
    window = [size // wanted for size, wanted in zip(input_size, output_size, strict=True)]
    return {"kernel_size": window, "stride": window}


def _keras(found: LayerClass, given: Arguments, input_size: list[int]) -> Keys:
    if found.operation.startswith("global_"):
        return {}
    pooling = "pool_size" in found.arguments
    if "filters" in found.arguments:
        filters, groups = given.value("filters"), given.value("groups", 1)
        _channels(groups, filters, groups)
    kernel_size = given.sizes("pool_size", 2) if pooling else given.sizes("kernel_size")
    stride = given.sizes("strides", kernel_size if pooling else 1)
    dilation = given.sizes("dilation_rate", 1)
    if max(stride) > 1 and max(dilation) > 1:
        raise LayerError(
            "dilation_rate", f"is {dilation} with strides {stride}", "Keras takes only one of them larger than 1"
        )
    name = _keras_padding(found, given)
    keys: Keys = {"kernel_size": kernel_size, "stride": stride, "dilation": dilation}
    if found.operation == "transposed_convolution":
        return keys | _keras_transposed(given, _uncropped(input_size, keys), same=name == "same")
    keys["padding"] = {"valid": 0, "same": "same_upper", "causal": "causal"}[name]
    return keys | {"count_include_pad": found.operation != "average_pooling" or name == "valid"}


def _keras_padding(found: LayerClass, given: Arguments) -> str:
    value = given.value("padding")
    lower = Arguments({"padding": value.lower() if isinstance(value, str) else value}, given.n)
    causal = ("causal",) if found.name in ("Conv1D", "Convolution1D") else ()
    return lower.word("padding", ("valid", "same", *causal))


def _keras_transposed(given: Arguments, axes: list[LayerAxis], same: bool) -> Keys:
    """Keras says how large the output is, TensorFlow crops what covers more than that."""
    if given.value("output_padding") is None:
        if same:
            return {"padding": "same_upper"}
        sizes = [axis.input_size * axis.stride + max(axis.reach + 1 - axis.stride, 0) for axis in axes]
    else:
        more = given.sizes("output_padding", 0, least=0)
        for axis, added in zip(axes, more, strict=True):
            if added >= axis.stride:
                raise LayerError(
                    "output_padding", f"is {added} with strides {axis.stride}", "Keras takes less than the stride"
                )
        cropped = [2 * ((axis.reach + 1) // 2) if same else 0 for axis in axes]
        sizes = [axis.scattered_size - crop + added for axis, crop, added in zip(axes, cropped, more, strict=True)]
    return _cropped_to("output_padding", axes, sizes)


def _uncropped(input_size: list[int], keys: Keys) -> list[LayerAxis]:
    """The axes of a transposed convolution, without its padding."""
    output_padding = keys.get("output_padding", [0] * len(input_size))
    rows = zip(input_size, keys["kernel_size"], keys["stride"], keys["dilation"], output_padding, strict=True)
    return [LayerAxis(i, k, s, (0, 0), d, more) for i, k, s, d, more in rows]


def _cropped_to(key: str, axes: list[LayerAxis], sizes: list[int], upper: bool = True) -> Keys:
    """Padding and output padding that give transposed convolutions without padding an output of some size.

    An odd cell is cropped at the end (`upper`) or at the beginning.  Raises `LayerError` for `key`.
    """
    padding, output_padding = list[Pair](), list[int]()
    for axis, size in zip(axes, sizes, strict=True):
        total = axis.scattered_size + axis.output_padding - size
        less, more = max(total, 0) // 2, (max(total, 0) + 1) // 2
        missing = axis.output_padding + max(-total, 0)
        most = max(axis.stride, axis.dilation) - 1
        if size < 1 or missing > most:
            raise LayerError(
                key, f"asks for an output of {size}", f"It is 1 to {axis.scattered_size + most} for this input"
            )
        padding.append((less, more) if upper else (more, less))
        output_padding.append(missing)
    return {"padding": padding, "output_padding": output_padding}


def _onnx(found: LayerClass, given: Arguments, input_size: list[int]) -> Keys:
    if found.operation.startswith("global_"):
        return {"norm": given.norm("p")}
    automatic = given.word("auto_pad", ("NOTSET", "VALID", *SAME))
    pads = Arguments(given.given, 2 * given.n).sizes("pads", 0, least=0)
    if automatic != "NOTSET" and any(pads):
        raise LayerError("pads", f"are given with auto_pad {automatic}", "Remove one of the two")
    keys: Keys = {
        "kernel_size": given.sizes("kernel_shape"),
        "stride": given.sizes("strides", 1),
        "padding": SAME.get(automatic) or list(zip(pads[: given.n], pads[given.n :], strict=True)),
        "dilation": given.sizes("dilations", 1),
        "output_padding": given.sizes("output_padding", 0, least=0),
        "ceil_mode": given.switch("ceil_mode", False),
        "count_include_pad": given.switch("count_include_pad", found.operation != "average_pooling"),
        "norm": given.norm("p"),
    }
    output_size = None if given.value("output_shape") is None else given.sizes("output_shape")
    if output_size is None and automatic in SAME and any(keys["output_padding"]):
        output_size = [size * stride for size, stride in zip(input_size, keys["stride"], strict=True)]
    if output_size is not None:
        axes = _uncropped(input_size, keys)
        keys |= _cropped_to("output_shape", axes, output_size, upper=automatic == "SAME_UPPER")
    return keys
