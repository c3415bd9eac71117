"""The keys of a figure's file become layers: parameters for each axis, from numbers, from names or from values."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from scripts.core.arithmetic import LayerAxis, Pair
from scripts.core.keys import MOST_LAYERS, FigureFile, LayerKeys, StackedKeys
from scripts.core.layers import Branches, Channels, Index, Layer, Operation, Stack
from scripts.core.operations import OPERATIONS
from scripts.core.values import array
from scripts.errors import LayerError

T = TypeVar("T")

MOST_AXES = 3

# Paddings that are worked out from the size of the output.
SAME_NAMES = ("same_upper", "same_lower")

# For each key that only some operations have, the names of these.
OWNERS = {
    key: owners
    for key in FigureFile.model_fields
    if (owners := [name for name, operation in OPERATIONS.items() if key in operation.keys])
}

SHOWN_KEYS = {"title", "note", "view", "frames", "frame_duration", "last_frame_duration"}
VALUE_KEYS = {"input_values", "kernel_values", "output_gradient", "mask", "offset", "indices", "values", "seed"}
# What a transpose of another figure, and a stack of layers, may have.
TRANSPOSE_KEYS = {"transpose_of", *SHOWN_KEYS, *VALUE_KEYS}
STACK_KEYS = {"layers", "input_size", *SHOWN_KEYS}


def single_layer(content: FigureFile) -> Layer:
    """The layer whose parameters a file gives; raises `LayerError`."""
    if content.operation is None:
        raise LayerError("operation", "is missing", f"It is one of {', '.join(OPERATIONS)}")
    operation = OPERATIONS[content.operation]
    _check_owners(content, operation)
    channel_axes = 0 if _channels(content) is None else 1
    size = content.input_size
    if size is None and content.input_values is not None:
        size = list(array("input_values", content.input_values).shape[channel_axes:])
    input_size = _input_size(size)
    kernel_size = content.kernel_size
    if kernel_size is None and content.kernel_values is not None:
        shape = array("kernel_values", content.kernel_values).shape
        kernel_size = list(shape[2 * channel_axes :])
        if len(kernel_size) != len(input_size):
            rule = f"has {len(kernel_size) + 2 * channel_axes} axes for a layer of {len(input_size)}"
            remedy = "Give one level per axis; channels take in_channels and out_channels"
            raise LayerError("kernel_values", rule, remedy)
    return _layer(content, operation, input_size, kernel_size)


def transposed_layer(content: FigureFile, original: Layer) -> Layer:
    """The layer that transposes the one of the figure that a file names; raises `LayerError`."""
    key = _first_given(content, TRANSPOSE_KEYS)
    if key is not None:
        raise LayerError(key, "is taken from the figure that transpose_of names", "Remove one of the two keys")
    transpose, mode = original.operation.transpose, original.padding_mode
    if transpose is None or mode != "zeros":
        kind = original.operation.name if mode == "zeros" else f"convolution padded by {mode}"
        raise LayerError(
            "transpose_of",
            f"{content.transpose_of!r} is a {kind}",
            "Only a convolution with zeros as padding has a transpose, and max_pooling an unpooling",
        )
    layer = transpose.layer(original)
    _check_owners(content, layer.operation)
    return layer


def stacked_layers(content: FigureFile) -> Stack:
    """The layers of a stack, each with the output size of the one before as its input size.

    Raises `LayerError`, whose key names the layer.
    """
    key = _first_given(content, STACK_KEYS)
    if key is not None:
        remedy = "Give it to the layers instead" if key in LayerKeys.model_fields else "Remove one of the two keys"
        remedy = "The layers of a stack have no values; remove the key" if key in VALUE_KEYS else remedy
        raise LayerError(key, "is given beside layers", remedy)
    tables = content.layers or []
    count = _count(tables)
    if count > MOST_LAYERS:
        raise LayerError("layers", f"has {count} layers with those in branches", f"Give at most {MOST_LAYERS}")
    return _stack(tables, "layers", tuple(_input_size(content.input_size)), None)


def _count(tables: Iterable[StackedKeys]) -> int:
    """The number of tables, with those in branches."""
    return sum(1 + sum(map(_count, table.branches or ())) for table in tables)


def _stack(tables: Iterable[StackedKeys], key: str, size: Index, channels: int | None) -> Stack:
    """The layers of tables under a key, over an input of some size and, if known, with so many channels."""
    stack = list[Layer | Branches]()
    for number, table in enumerate(tables):
        with _errors_in(f"{key}[{number}]"):
            if table.branches is None:
                layer = _stacked(table, size, channels)
                channels = channels if layer.channels is None else layer.channels.out_channels
                stack.append(layer)
            else:
                stack.append(_branches(table, table.branches, size, channels))
                channels = None
        size = stack[-1].output_size
    return tuple(stack)


def _branches(
    table: StackedKeys, branches: Sequence[Sequence[StackedKeys]], size: Index, channels: int | None
) -> Branches:
    beside = next((key for key in type(table).model_fields if key in table.model_fields_set - {"branches"}), None)
    if beside is not None:
        raise LayerError(beside, "is given beside branches", "Give it to a layer in one of the branches")
    return Branches(
        size, tuple(_stack(tables, f"branches[{number}]", size, channels) for number, tables in enumerate(branches))
    )


def _stacked(keys: StackedKeys, size: Index, channels: int | None) -> Layer:
    """A layer over an input of some size and, if known, with so many channels."""
    operation = OPERATIONS[keys.operation or "convolution"]
    _check_owners(keys, operation)
    layer = _layer(keys, operation, size, keys.kernel_size)
    if layer.channels is not None and channels not in (None, layer.channels.in_channels):
        rule = f"is {layer.channels.in_channels} after a layer of {channels} output channels"
        raise LayerError("in_channels", rule, "Give both the same number")
    return layer


def _layer(
    keys: LayerKeys, operation: Operation, input_size: Sequence[int], kernel_size: int | list[int] | None
) -> Layer:
    """The layer of an operation over an input of one size per axis."""
    n = len(input_size)
    if "kernel_size" not in operation.keys:
        kernel_size = list(input_size)
    if kernel_size is None:
        raise LayerError("kernel_size", "is missing", "Give one number, or one per axis")
    parameters = (
        input_size,
        _per_axis("kernel_size", kernel_size, n),
        _per_axis("stride", keys.stride, n),
        _padding(keys, n),
        _per_axis("dilation", keys.dilation, n),
        _per_axis("output_padding", keys.output_padding, n),
    )
    axes = [LayerAxis(*row) for row in zip(*parameters, strict=True)]
    return Layer(
        operation,
        tuple(_with_output_size(keys, operation, _padded(keys, operation, axes))),
        channels=_channels(keys),
        padding_mode=keys.padding_mode,
        ceil_mode=keys.ceil_mode,
        count_include_pad=keys.count_include_pad,
        norm=keys.norm,
    )


def _padding(keys: LayerKeys, n: int) -> list[Pair]:
    """The padding of each axis, zero where it has a name."""
    given = 0 if isinstance(keys.padding, str) else keys.padding
    sides = given if isinstance(given, list) else [given] * n
    return _per_axis("padding", [(side, side) if isinstance(side, int) else side for side in sides], n)


def _padded(keys: LayerKeys, operation: Operation, axes: list[LayerAxis]) -> list[LayerAxis]:
    name = keys.padding
    if isinstance(name, str) and name not in operation.padding_names:
        raise LayerError("padding", f"{name!r} is no padding of {operation.name}", "Use numbers, or transpose_of")
    if isinstance(name, str):
        axes = [operation.padded(axis, name) for axis in axes]
    if operation.reduction is not None and name not in SAME_NAMES:
        _check_pooling_padding(axes)
    return axes


def _check_pooling_padding(axes: Sequence[LayerAxis]) -> None:
    """Raise `LayerError` where padding is as large as a pooling window, as ONNX's runtime does."""
    for axis in axes:
        if max(axis.padding) >= axis.kernel_size:
            raise LayerError(
                "padding", f"is {max(axis.padding)} for a pooling window of {axis.kernel_size}", "It is less than that"
            )


def _with_output_size(keys: LayerKeys, operation: Operation, axes: list[LayerAxis]) -> list[LayerAxis]:
    if keys.output_size is None:
        return axes
    same = keys.padding if keys.padding in SAME_NAMES else ""
    if same or keys.changed("output_padding"):
        other = f"padding {same}" if same else "output_padding"
        raise LayerError("output_size", f"is given beside {other}", "Remove one of the two keys")
    sizes = _per_axis("output_size", keys.output_size, len(axes))
    return [operation.reaching(axis, size) for axis, size in zip(axes, sizes, strict=True)]


def _channels(keys: LayerKeys) -> Channels | None:
    ins, outs = keys.in_channels, keys.out_channels
    if ins is None and outs is None and keys.groups == 1:
        return None
    if ins is None or outs is None:
        key = "in_channels" if ins is None else "out_channels"
        raise LayerError(key, "is missing", "Give in_channels and out_channels, or neither of them nor groups")
    return Channels(ins, outs, keys.groups)


def _input_size(size: int | list[int] | None) -> list[int]:
    if size is None:
        raise LayerError("input_size", "is missing", "Give one number, or one per axis")
    sizes = size if isinstance(size, list) else [size] * 2
    if not 1 <= len(sizes) <= MOST_AXES:
        raise LayerError("input_size", f"has {len(sizes)} axes", "A layer has 1, 2 or 3")
    return sizes


def _per_axis(key: str, value: T | list[T], n: int) -> list[T]:
    if not isinstance(value, list):
        return [value] * n
    if len(value) != n:
        raise LayerError(key, f"has {len(value)} entries for {n} axes", "Give one number, or one per axis of the input")
    return value


def _check_owners(keys: LayerKeys, operation: Operation) -> None:
    """Raise `LayerError` where a key is given that only other operations have."""
    for key, owners in OWNERS.items():
        if key in keys.model_fields_set and operation.name not in owners and keys.changed(key):
            raise LayerError(
                key, f"does not belong to {operation.name}", f"Only {', '.join(owners)} has it; remove the key"
            )


def _first_given(content: FigureFile, allowed: Collection[str]) -> str | None:
    """The first key of a file that is not allowed in it."""
    return next((key for key in FigureFile.model_fields if key in content.model_fields_set - set(allowed)), None)


@contextmanager
def _errors_in(table: str) -> Iterator[None]:
    """Name the table that the key of an error is in."""
    try:
        yield
    except LayerError as error:
        raise LayerError(f"{table}.{error.key}", error.rule, error.remedy) from None
