"""A figure's file becomes a valid `Figure`: sizes worked out, values checked or drawn, output computed.

The file says what is drawn, under PyTorch's names; every size that can be worked out is.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from math import prod
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from scripts.core.arithmetic import LayerAxis, PaddingName, Pair
from scripts.core.keys import MOST_CELLS, MOST_FRAMES, MOST_TERMS, FigureFile, read, shown
from scripts.core.layers import Channels, Index, Layer, Operation, Values
from scripts.core.operations import OPERATIONS, random_input
from scripts.errors import FigureError, LayerError, UserError

T = TypeVar("T")

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
NAME_RULE = "has 1 to 80 letters, digits, _ and -, the first a letter or digit"
# Three axes, and the two of channels that a kernel has.
MOST_LEVELS = 5
MOST_VALUE = 1_000_000
LONGEST_CHAIN = 20

# What a figure with `transpose_of` may say for itself.
OWN_KEYS = {
    "title", "transpose_of", "view", "input_values", "kernel_values", "indices", "values", "seed",
    "frame_duration", "last_frame_duration",
}  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """A valid figure.

    `view` is None where the file names none.  Values are None where the figure has none; durations are in
    seconds; `references` are the names of
    the figures that this one is derived from.
    """

    name: str
    title: str
    view: str | None
    layer: Layer
    input_values: Values | None
    kernel_values: Values | None
    indices: Values | None
    output_values: Values | None
    frame_duration: float
    last_frame_duration: float
    references: tuple[str, ...]


def load(file: Path, referrers: tuple[str, ...] = ()) -> Figure:
    """Read one figure; `transpose_of` is looked up beside it.

    `referrers` are the figures whose `transpose_of` led here.  Raises `FigureError` naming file, key and
    remedy.
    """
    name = file.stem
    if not NAME.fullmatch(name):
        raise FigureError(file, f"a figure's name {NAME_RULE}. Rename the file.")
    content = read(file)
    try:
        original = None if content.transpose_of is None else _original(file, content, (*referrers, name))
        return figure(name, content, original)
    except LayerError as error:
        raise FigureError(file, str(error)) from None


def load_all(files: Sequence[Path]) -> tuple[list[Figure], list[UserError]]:
    """Read many figures: the valid ones, and the mistakes of the others."""
    figures, errors = [], list[UserError]()
    for file in files:
        try:
            figures.append(load(file))
        except UserError as error:
            errors.append(error)
    return figures, errors


def _original(file: Path, content: FigureFile, referrers: tuple[str, ...]) -> Figure:
    """The figure that `transpose_of` names."""
    name = content.transpose_of or ""
    if name in referrers:
        raise LayerError("transpose_of", f"{' → '.join((*referrers, name))} is a circle", "Give one its own sizes")
    if len(referrers) > LONGEST_CHAIN:
        raise LayerError("transpose_of", f"leads on over {LONGEST_CHAIN} figures", "Name one with its own sizes")
    other = file.with_name(f"{name}.toml") if NAME.fullmatch(name) else None
    if other is None or not other.is_file():
        near = get_close_matches(
            name, [path.stem for path in file.parent.glob("*.toml") if NAME.fullmatch(path.stem)], n=1
        )
        remedy = f"Did you mean {near[0]}?" if near else "Name a figure in the same folder"
        raise LayerError("transpose_of", f"there is no figure {shown(name)}", remedy)
    return load(other, referrers)


def figure(name: str, content: FigureFile, original: Figure | None = None) -> Figure:
    """A figure from its keys, and the figure that its `transpose_of` names; raises `LayerError`."""
    layer = layer_of(content, original)
    _check_extent(layer)
    values, operand = _given_values(content, layer, original)
    key = None if layer.operation.operand is None else layer.operation.operand.key
    return Figure(
        name=name,
        title=content.title,
        view=content.view,
        layer=layer,
        input_values=values,
        kernel_values=operand if key == "kernel_values" else None,
        indices=operand if key == "indices" else None,
        output_values=None if values is None else layer.output(values, operand),
        frame_duration=content.frame_duration,
        last_frame_duration=content.last_frame_duration,
        references=() if original is None else (original.name, *original.references),
    )


def layer_of(content: FigureFile, original: Figure | None = None) -> Layer:
    """The layer that keys describe; raises `LayerError` where there is no such layer."""
    return _layer(content) if original is None else _transposed_layer(content, original)


def _check_keys(content: FigureFile, operation: Operation) -> None:
    """Raise `LayerError` where a key is given that only other operations have."""
    for key in FigureFile.model_fields:
        owners = [name for name, other in OPERATIONS.items() if key in other.keys]
        if owners and operation.name not in owners and content.changed(key):
            raise LayerError(
                key, f"does not belong to {operation.name}", f"Only {', '.join(owners)} has it; remove the key"
            )


def _layer(content: FigureFile) -> Layer:
    if content.operation is None:
        raise LayerError("operation", "is missing", f"It is one of {', '.join(OPERATIONS)}")
    operation = OPERATIONS[content.operation]
    _check_keys(content, operation)
    channels = _channels(content)
    input_size = _size("input_size", content.input_size, content.input_values, skip=1 if channels else 0)
    n = len(input_size)
    if not 1 <= n <= 3:
        raise LayerError("input_size", f"has {n} axes", "A layer has 1, 2 or 3")
    kernel_size = input_size
    if "kernel_size" in operation.keys:
        kernel_size = _size("kernel_size", content.kernel_size, content.kernel_values, n, skip=2 if channels else 0)
    stride = _per_axis("stride", content.stride, n)
    dilation = _per_axis("dilation", content.dilation, n)
    output_padding = _per_axis("output_padding", content.output_padding, n)
    rows = zip(input_size, kernel_size, stride, _padding(content, n), dilation, output_padding, strict=True)
    axes = [LayerAxis(*row) for row in rows]
    if isinstance(content.padding, str):
        axes = [_named(operation, content.padding, axis) for axis in axes]
    if content.output_size is not None:
        same = content.padding if content.padding in ("same_upper", "same_lower") else ""
        if content.changed("output_padding") or same:
            other = f"padding {same}" if same else "output_padding"
            raise LayerError("output_size", f"is given beside {other}", "Remove one of the two keys")
        sizes = zip(axes, _per_axis("output_size", content.output_size, n), strict=True)
        axes = [operation.reaching(axis, size) for axis, size in sizes]
    return Layer(
        operation,
        tuple(axes),
        channels=channels,
        padding_mode=content.padding_mode,
        ceil_mode=content.ceil_mode,
        count_include_pad=content.count_include_pad,
        norm=content.norm,
    )


def _channels(content: FigureFile) -> Channels | None:
    ins, outs = content.in_channels, content.out_channels
    if ins is None and outs is None and content.groups == 1:
        return None
    if ins is None or outs is None:
        key = "in_channels" if ins is None else "out_channels"
        raise LayerError(key, "is missing", "Give in_channels and out_channels, or neither of them nor groups")
    return Channels(ins, outs, content.groups)


def _padding(content: FigureFile, n: int) -> list[Pair]:
    """The padding of each axis, zero where it has a name."""
    given = 0 if isinstance(content.padding, str) else content.padding
    sides = given if isinstance(given, list) else [given] * n
    return _per_axis("padding", [(side, side) if isinstance(side, int) else side for side in sides], n)


def _named(operation: Operation, name: PaddingName, axis: LayerAxis) -> LayerAxis:
    if name not in operation.padding_names:
        raise LayerError("padding", f"{name!r} is no padding of {operation.name}", "Use numbers, or transpose_of")
    return operation.padded(axis, name)


def _transposed_layer(content: FigureFile, original: Figure) -> Layer:
    for key in FigureFile.model_fields:
        if key in content.model_fields_set and key not in OWN_KEYS:
            raise LayerError(key, "is taken from the figure that transpose_of names", "Remove one of the two keys")
    layer, mode = original.layer, original.layer.padding_mode
    transpose = layer.operation.transpose
    if transpose is None or mode != "zeros":
        kind = layer.operation.name if mode == "zeros" else f"convolution padded by {mode}"
        raise LayerError(
            "transpose_of",
            f"{original.name!r} is a {kind}",
            "Only a convolution with zeros as padding has a transpose, and max_pooling an unpooling",
        )
    transposed = transpose.layer(layer)
    _check_keys(content, transposed.operation)
    return transposed


def _size(
    key: str, size: int | list[int] | None, values: list[Any] | None, n: int | None = None, skip: int = 0
) -> list[int]:
    """A size for each of `n` axes (2 where unknown): as given, or that of the values but for `skip` channel axes."""
    if size is None and values is not None:
        given = key.replace("size", "values")
        size = list(_array(given, values).shape[skip:])
        if n is not None and len(size) != n:
            axes = f"has {len(size) + skip} axes for a layer of {n}"
            raise LayerError(given, axes, "Give one level per axis; channels take in_channels and out_channels")
    if size is None:
        raise LayerError(key, "is missing", "Give one number, or one per axis")
    if isinstance(size, int):
        return [size] * (n or 2)
    return _per_axis(key, size, len(size) if n is None else n)


def _per_axis(key: str, value: T | list[T], n: int) -> list[T]:
    if not isinstance(value, list):
        return [value] * n
    if len(value) != n:
        raise LayerError(key, f"has {len(value)} entries for {n} axes", "Give one number, or one per axis of the input")
    return value


def _given_values(content: FigureFile, layer: Layer, original: Figure | None) -> tuple[Values | None, Values | None]:
    """Values of input and operand: as given, taken from the original, or random."""
    operand = layer.operation.operand
    values, second = _values("input_values", content.input_values, layer.input_shape), None
    if operand is not None:
        second = _values(operand.key, getattr(content, operand.key), operand.shape(layer))
    if original is not None:
        inherited = _inherited(original)
        values = inherited[0] if values is None else values
        # A kernel alone gives the figure no values.
        if second is None and (values is not None or content.values):
            second = inherited[1]
    if content.values == "random":
        # NumPy keeps this generator's numbers the same in all of its versions.
        random = np.random.RandomState(content.seed)
        if operand is not None:
            values, second = operand.random(layer, random, values, second)
        elif values is None:
            values = random_input(layer, random)
    if operand is not None:
        if (second is None) != (values is None):
            missing = operand.key if second is None else "input_values"
            needs = f"{layer.operation.words.capitalize()} needs both input_values and {operand.key}, or neither"
            raise LayerError(missing, "is missing", needs)
        if operand.check is not None and values is not None and second is not None:
            operand.check(layer, values, second)
    return values, second


def _inherited(original: Figure) -> tuple[Values | None, Values | None]:
    """The values that a figure takes from the one it transposes."""
    transpose, values, output = original.layer.operation.transpose, original.input_values, original.output_values
    if transpose is None or values is None or output is None:
        return None, None
    return transpose.values(original.layer, values, original.kernel_values, output)


def _values(key: str, values: list[Any] | None, shape: Index) -> Values | None:
    if values is None:
        return None
    array = _array(key, values)
    if array.shape != shape:
        raise LayerError(key, f"has the shape {list(array.shape)}", f"The layer's is {list(shape)}")
    return array


def _array(key: str, values: list[Any]) -> Values:
    if not values:
        raise LayerError(key, "is empty", "Give nested lists of numbers, or leave it out")
    _check_nesting(key, values, ())
    return np.array(values)


def _check_nesting(key: str, value: object, place: Index) -> Index:
    """The shape of nested lists of numbers; raises `LayerError` where they have none, with the place."""
    if not isinstance(value, list):
        if isinstance(value, bool) or not isinstance(value, int | float) or not -MOST_VALUE <= value <= MOST_VALUE:
            rule = f"holds {shown(value)} at {_at(place)}"
            raise LayerError(key, rule, f"Give nested lists of numbers from {-MOST_VALUE} to {MOST_VALUE}")
        return ()
    if len(place) == MOST_LEVELS:
        raise LayerError(key, f"is nested more than {MOST_LEVELS} deep", "Give one level per axis")
    if not value:
        raise LayerError(key, f"has an empty list at {_at(place)}", "Give nested lists of numbers")
    shapes = [_check_nesting(key, inner, (*place, index)) for index, inner in enumerate(value)]
    for index, shape in enumerate(shapes):
        if bool(shape) != bool(shapes[0]):
            raise LayerError(key, f"mixes numbers and lists at {_at((*place, index))}", "Give one level per axis")
        if shape != shapes[0]:
            rule = f"its rows differ in length at {_at((*place, index))}"
            raise LayerError(key, rule, "Give nested lists of one shape")
    return (len(value), *shapes[0])


def _at(place: Index) -> str:
    return "".join(f"[{index}]" for index in place)


def _check_extent(layer: Layer) -> None:
    frames = prod(layer.output_shape)
    if frames > MOST_FRAMES:
        raise LayerError("input_size", f"gives {frames} output elements", f"A figure has at most {MOST_FRAMES}")
    window = prod(layer.kernel_size)
    if layer.channels is not None:
        window *= layer.channels.in_channels // layer.channels.groups
    if frames * window > MOST_TERMS:
        raise LayerError(
            "kernel_size",
            f"gives {frames} windows of {window} elements",
            f"A figure has at most {MOST_TERMS} elements in all its windows",
        )
    cells = prod(axis.grid_size for axis in layer.window_axes)
    if max(cells, prod(layer.input_shape), prod(layer.kernel_shape)) > MOST_CELLS:
        raise LayerError("input_size", "gives too large a grid", f"A figure has at most {MOST_CELLS} cells")
