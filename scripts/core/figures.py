"""A figure's file becomes a valid `Figure`: sizes worked out, values checked or drawn, output computed.

The file says what is drawn, under PyTorch's names; every size that can be worked out is.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from math import prod
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from scripts.core.arithmetic import (
    LayerAxis,
    PaddingName,
    Pair,
    named_padding,
    reaching,
    transposed_axis,
    transposed_same,
)
from scripts.core.keys import MOST_CELLS, MOST_FRAMES, MOST_TERMS, FigureFile, check, read, shown
from scripts.core.layers import OPERATIONS, REDUCTIONS, Channels, Index, Layer, Operation, Values
from scripts.errors import FigureError, LayerError, UserError

T = TypeVar("T")

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
NAME_RULE = "has 1 to 80 letters, digits, _ and -, the first a letter or digit"
# Three axes, and the two of channels that a kernel has.
MOST_LEVELS = 5
MOST_VALUE = 1_000_000
LONGEST_CHAIN = 20

CONVOLUTIONS: tuple[Operation, ...] = ("convolution", "transposed_convolution")
POOLINGS = tuple(REDUCTIONS)
GLOBAL = tuple(operation for operation in POOLINGS if operation.startswith("global_"))
AVERAGES = tuple(operation for operation, reduction in REDUCTIONS.items() if reduction == "average")
NORMS = tuple(operation for operation, reduction in REDUCTIONS.items() if reduction == "norm")

# The keys that only some operations have.
KEYS_OF: dict[str, tuple[Operation, ...]] = {
    **dict.fromkeys(("kernel_values", "in_channels", "out_channels", "groups"), CONVOLUTIONS),
    **dict.fromkeys(("kernel_size", "stride", "padding"), tuple(o for o in OPERATIONS if o not in GLOBAL)),
    "dilation": tuple(o for o in OPERATIONS if o not in GLOBAL and o != "max_unpooling"),
    "padding_mode": ("convolution",),
    "output_padding": ("transposed_convolution",),
    "output_size": ("transposed_convolution", "max_unpooling"),
    "ceil_mode": tuple(o for o in POOLINGS if o not in GLOBAL),
    "count_include_pad": tuple(o for o in AVERAGES if o not in GLOBAL),
    "norm": NORMS,
    "indices": ("max_unpooling",),
}
# What a figure with `transpose_of` may say for itself.
OWN_KEYS = {
    "title", "transpose_of", "view", "input_values", "kernel_values", "indices", "values", "seed",
    "frame_duration", "last_frame_duration",
}  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """A valid figure.

    `layers` are one layer, or a stack in which each layer takes the output of the one before.  `view` is None where
    the file names none.  Values are None where the figure has none; durations are in seconds; `references` are the
    names of the figures that this one is derived from.
    """

    name: str
    title: str
    view: str | None
    layers: tuple[Layer, ...]
    input_values: Values | None
    kernel_values: Values | None
    indices: Values | None
    output_values: Values | None
    frame_duration: float
    last_frame_duration: float
    references: tuple[str, ...]

    @property
    def layer(self) -> Layer:
        """The only layer; raises `LayerError` for a stack."""
        if len(self.layers) > 1:
            raise LayerError("layers", f"is a stack of {len(self.layers)}", "Use a view of stacks, or a single layer")
        return self.layers[0]


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
    values = kernel = indices = output = None
    if content.layers is not None:
        layers = _stacked_layers(content)
    else:
        layers = (layer_of(content, original),)
        values, kernel, indices = _given_values(content, layers[0], original)
        output = None if values is None else layers[0].output(values, kernel, indices)
    for layer in layers:
        _check_extent(layer)
    return Figure(
        name=name,
        title=content.title,
        view=content.view,
        layers=layers,
        input_values=values,
        kernel_values=kernel,
        indices=indices,
        output_values=output,
        frame_duration=content.frame_duration,
        last_frame_duration=content.last_frame_duration,
        references=() if original is None else (original.name, *original.references),
    )


def _stacked_layers(content: FigureFile) -> tuple[Layer, ...]:
    """The layers of a stack, each with the output size of the one before as its input size."""
    size, layers = content.input_size, list[Layer]()
    for keys in content.layers or ():
        given = {"title": content.title, "operation": "convolution", **keys, "input_size": size}
        layers.append(layer_of(check(given, "layers")))
        size = list(layers[-1].output_size)
    return tuple(layers)


def layer_of(content: FigureFile, original: Figure | None = None) -> Layer:
    """The layer that keys describe; raises `LayerError` where there is no such layer."""
    if original is None:
        _check_keys(content, content.operation)
        return _layer(content)
    layer = _transposed_layer(content, original)
    _check_keys(content, layer.operation)
    return layer


def _check_keys(content: FigureFile, operation: Operation | None) -> None:
    for key, operations in KEYS_OF.items():
        if operation is not None and operation not in operations and content.changed(key):
            raise LayerError(
                key, f"does not belong to {operation}", f"Only {', '.join(operations)} has it; remove the key"
            )


def _layer(content: FigureFile) -> Layer:
    operation = content.operation
    if operation is None:
        raise LayerError("operation", "is missing", f"It is one of {', '.join(OPERATIONS)}")
    channels = _channels(content)
    input_size = _size("input_size", content.input_size, content.input_values, skip=1 if channels else 0)
    n = len(input_size)
    if not 1 <= n <= 3:
        raise LayerError("input_size", f"has {n} axes", "A layer has 1, 2 or 3")
    if operation in GLOBAL:
        kernel_size = input_size
    else:
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
        axes = [reaching(axis, size, may_be_smaller=operation == "max_unpooling") for axis, size in sizes]
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
    """An axis with the padding that a name stands for."""
    if operation == "transposed_convolution" and name in ("same_upper", "same_lower"):
        if axis.output_padding:
            raise LayerError("output_padding", f"is given beside padding {name}", "Remove one of the two keys")
        return transposed_same(name, axis)
    if operation in ("transposed_convolution", "max_unpooling") and name not in ("valid", "half", "full"):
        raise LayerError("padding", f"{name!r} is no padding of {operation}", "Use numbers, or transpose_of")
    sides = named_padding(name, axis.input_size, axis.kernel_size, axis.stride, axis.dilation)
    return replace(axis, padding=sides)


def _transposed_layer(content: FigureFile, original: Figure) -> Layer:
    for key in FigureFile.model_fields:
        if key in content.model_fields_set and key not in OWN_KEYS:
            raise LayerError(key, "is taken from the figure that transpose_of names", "Remove one of the two keys")
    layer, channels = original.layer, original.layer.channels
    if layer.operation == "max_pooling":
        sizes = zip(layer.axes, layer.output_size, strict=True)
        axes = [reaching(replace(axis, input_size=size), axis.input_size, may_be_smaller=True) for axis, size in sizes]
        return Layer("max_unpooling", tuple(axes))
    if layer.operation != "convolution" or layer.padding_mode != "zeros":
        kind = layer.operation if layer.padding_mode == "zeros" else f"convolution padded by {layer.padding_mode}"
        raise LayerError(
            "transpose_of",
            f"{original.name!r} is a {kind}",
            "Only a convolution with zeros as padding has a transpose, and max_pooling an unpooling",
        )
    if channels is not None:
        channels = Channels(channels.out_channels, channels.in_channels, channels.groups)
    return Layer("transposed_convolution", tuple(map(transposed_axis, layer.axes)), channels)


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


def _given_values(
    content: FigureFile, layer: Layer, original: Figure | None
) -> tuple[Values | None, Values | None, Values | None]:
    """Values of input and kernel, and indices: as given, taken from the original, or random."""
    values = _values("input_values", content.input_values, layer.input_shape)
    kernel = _values("kernel_values", content.kernel_values, layer.kernel_shape)
    indices = _values("indices", content.indices, layer.input_shape)
    if original is not None and layer.unpooling and original.input_values is not None:
        values = original.output_values if values is None else values
        indices = original.layer.maxima(original.input_values) if indices is None else indices
    if original is not None and layer.weighted and kernel is None and (values is not None or content.values):
        kernel = original.kernel_values
    if content.values == "random":
        # NumPy keeps this generator's numbers the same in all of its versions.
        random = np.random.RandomState(content.seed)
        if layer.unpooling and values is None and indices is None:
            values, indices = _random_unpooling(layer, random)
        if values is None:
            values = random.randint(0, 6, layer.input_shape)
        if kernel is None and layer.weighted:
            kernel = random.randint(-2, 3, layer.kernel_shape)
    if layer.weighted and (kernel is None) != (values is None):
        missing = "kernel_values" if kernel is None else "input_values"
        raise LayerError(missing, "is missing", "A convolution needs the values of both input and kernel, or of none")
    if layer.unpooling and (indices is None) != (values is None):
        missing = "indices" if indices is None else "input_values"
        raise LayerError(missing, "is missing", "Unpooling needs input_values and indices, or none of them")
    if values is not None and indices is not None:
        _check_indices(layer, values, indices)
    return values, kernel, indices


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


def _random_unpooling(layer: Layer, random: np.random.RandomState) -> tuple[Values, Values]:
    """What a max pooling of random values would have taken, and from where."""
    pooled = random.randint(0, 6, layer.output_shape).ravel()
    order = random.permutation(pooled.size)
    indices = np.zeros(layer.input_shape, dtype=int)
    for index, places in layer.placements().items():
        indices[index] = max(places, key=order.__getitem__)
    return pooled[indices], indices


def _check_indices(layer: Layer, values: Values, indices: Values) -> None:
    if indices.dtype.kind != "i":
        raise LayerError("indices", "holds something else than whole numbers", "Give places in the flattened output")
    placements, taken = layer.placements(), dict[int, Any]()
    for index, place in np.ndenumerate(indices):
        value = values[index].item()
        if place not in placements[index]:
            raise LayerError(
                "indices",
                f"puts element {list(index)} at {place}",
                f"Its window holds {', '.join(map(str, placements[index]))} of the flattened output",
            )
        if taken.setdefault(place, value) != value:
            raise LayerError("indices", f"puts {taken[place]} and {value} at {place}", "One place takes one value")


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
    cells = prod(layer.input_size if layer.unpooling else [axis.grid_size for axis in layer.direct])
    if max(cells, prod(layer.input_shape), prod(layer.kernel_shape)) > MOST_CELLS:
        raise LayerError("input_size", "gives too large a grid", f"A figure has at most {MOST_CELLS} cells")
