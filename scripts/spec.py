"""A figure's file, read and validated: `figures/NAME.toml` becomes a `Figure`.

The file says what is drawn, under PyTorch's names; every size that can be worked out is.
"""

import re
import reprlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from math import prod
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError
from pydantic_core import ErrorDetails

from scripts.arithmetic import (
    OPERATIONS,
    Layer,
    LayerAxis,
    Operation,
    PaddingName,
    Pair,
    Values,
    named_padding,
    transposed_axis,
)
from scripts.errors import CombinedError, FigureError, LayerError, UserError

View = Literal["plane", "numerical"]
VIEWS: tuple[View, ...] = get_args(View)
PADDING_NAMES: tuple[PaddingName, ...] = get_args(PaddingName)
T = TypeVar("T")

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")

# Bounds that keep one figure's cost in seconds and its files' numbers in three digits.
MOST_FRAMES = 999
MOST_CELLS = 10_000
MOST_TERMS = 200_000

Positive = Annotated[int, Field(ge=1, le=MOST_CELLS)]
Natural = Annotated[int, Field(ge=0, le=MOST_CELLS)]
Sides = Annotated[tuple[Natural, Natural], Strict(False)]  # TOML's arrays are lists

POSITIVE = f"a whole number from 1 to {MOST_CELLS}, or a list of one per axis"
NATURAL = f"a whole number from 0 to {MOST_CELLS}, or a list of one per axis"
NUMBERS = "nested lists of numbers, one level per axis"
SECONDS = "a number of seconds from 0.02 to 60"


class FigureFile(BaseModel):
    """The keys of a figure's file, as TOML gives them; each key's description is what messages say of it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    title: str = Field(
        min_length=1,
        max_length=120,
        pattern=r"^[ -~¡-¬®-ÿ–—‘’“”…]*$",
        description="a text of 1 to 120 characters that TeX's fonts have (Latin letters, digits, punctuation)",
    )
    operation: Operation | None = Field(None, description=f"one of {', '.join(OPERATIONS)}")
    transpose_of: str | None = Field(None, description="the name of another figure in the same folder")
    view: View | None = Field(None, description=f"one of {', '.join(VIEWS)}")
    input_size: Positive | list[Positive] | None = Field(None, description=POSITIVE)
    kernel_size: Positive | list[Positive] | None = Field(None, description=POSITIVE)
    stride: Positive | list[Positive] = Field(1, description=POSITIVE)
    padding: Natural | PaddingName | list[Natural | Sides] = Field(
        0, description=f"{NATURAL} (a number or [before, after]), or one of {', '.join(PADDING_NAMES)}"
    )
    dilation: Positive | list[Positive] = Field(1, description=POSITIVE)
    output_padding: Natural | list[Natural] = Field(0, description=NATURAL)
    input_values: list[Any] | None = Field(None, description=NUMBERS)
    kernel_values: list[Any] | None = Field(None, description=NUMBERS)
    frame_duration: float = Field(1.0, ge=0.02, le=60, description=SECONDS)
    last_frame_duration: float = Field(3.0, ge=0.02, le=60, description=SECONDS)


LAYER_KEYS = ("operation", "input_size", "kernel_size", "stride", "padding", "dilation", "output_padding")


@dataclass(frozen=True)
class Figure:
    """A valid figure.

    Values are None where the figure has none; durations are in seconds; `references` are the names of
    the figures that this one is derived from.
    """

    name: str
    title: str
    view: View
    layer: Layer
    input_values: Values | None
    kernel_values: Values | None
    output_values: Values | None
    durations: tuple[float, ...]
    references: tuple[str, ...]

    @property
    def count(self) -> int:
        """Number of frames: one per output element."""
        return len(self.durations)


def load(file: Path, referrers: tuple[str, ...] = ()) -> Figure:
    """Read one figure; `transpose_of` is looked up beside it.

    `referrers` are the figures whose `transpose_of` led here. Raises `FigureError` naming file, key and
    remedy.
    """
    name = file.stem
    if not NAME.fullmatch(name):
        raise FigureError(file, "a figure's name has letters, digits, _ and - only. Rename the file.")
    content = _read(file)
    try:
        if content.transpose_of is None:
            return _figure(name, content, None)
        return _figure(name, content, _original(file, content, (*referrers, name)))
    except LayerError as error:
        raise FigureError(file, str(error)) from None


def load_all(files: Sequence[Path]) -> list[Figure]:
    """Read many figures; the mistakes of all of them are reported together."""
    figures, errors = [], list[UserError]()
    for file in files:
        try:
            figures.append(load(file))
        except UserError as error:
            errors.append(error)
    if errors:
        raise CombinedError(errors)
    return figures


def _read(file: Path) -> FigureFile:
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise FigureError(file, f"cannot be read: {reason}.") from None
    except RecursionError:
        raise FigureError(file, "is nested too deeply.") from None
    except tomllib.TOMLDecodeError as error:
        raise FigureError(file, f"is not valid TOML: {error}.") from None
    try:
        return FigureFile.model_validate(data)
    except ValidationError as error:
        mistakes = {str(mistake["loc"][0]): mistake for mistake in reversed(error.errors())}
        problems = [FigureError(file, _problem(key, mistake)) for key, mistake in reversed(mistakes.items())]
        raise CombinedError(problems) from None


def _problem(key: str, mistake: ErrorDetails) -> str:
    """A mistake in one key, with its remedy."""
    field = FigureFile.model_fields.get(key)
    if field is None:
        near = get_close_matches(key, FigureFile.model_fields, n=1)
        remedy = f"Did you mean {near[0]}?" if near else f"The keys are {', '.join(FigureFile.model_fields)}."
        return f"{key}: is not a key of a figure. {remedy}"
    rule = "is missing" if mistake["type"] == "missing" else f"cannot be {reprlib.repr(mistake['input'])}"
    return f"{key}: {rule}. It is {field.description}."


def _original(file: Path, content: FigureFile, referrers: tuple[str, ...]) -> Figure:
    """The figure that `transpose_of` names."""
    name = content.transpose_of or ""
    if name in referrers:
        raise LayerError("transpose_of", f"{' → '.join((*referrers, name))} is a circle", "Give one its own sizes")
    other = file.with_name(f"{name}.toml") if NAME.fullmatch(name) else None
    if other is None or not other.is_file():
        near = get_close_matches(name, [path.stem for path in file.parent.glob("*.toml")], n=1)
        remedy = f"Did you mean {near[0]}" if near else "Name a figure in the same folder"
        raise LayerError("transpose_of", f"there is no figure {name!r}", remedy)
    return load(other, referrers)


def _figure(name: str, content: FigureFile, original: Figure | None) -> Figure:
    layer = _layer(content) if original is None else _transposed_layer(content, original)
    _check_extent(layer)
    given = content.kernel_values
    kernel = _values("kernel_values", given, layer.kernel_size)
    if given is None and original is not None and content.input_values is not None:
        kernel = original.kernel_values
    values = _values("input_values", content.input_values, layer.input_size)
    if layer.pooling and given is not None:
        raise LayerError("kernel_values", f"{layer.operation} has no weights", "Remove the key")
    if not layer.pooling and (kernel is None) != (values is None):
        missing = "kernel_values" if kernel is None else "input_values"
        raise LayerError(missing, "is missing", "A convolution needs the values of both input and kernel, or of none")
    output = None if values is None else layer.output(values, kernel)
    count = prod(layer.output_size)
    return Figure(
        name=name,
        title=content.title,
        view=content.view or ("plane" if values is None else "numerical"),
        layer=layer,
        input_values=values,
        kernel_values=kernel,
        output_values=output,
        durations=(content.frame_duration,) * (count - 1) + (content.last_frame_duration,),
        references=() if original is None else (original.name, *original.references),
    )


def _layer(content: FigureFile) -> Layer:
    if content.operation is None:
        raise LayerError("operation", "is missing", f"It is one of {', '.join(OPERATIONS)}")
    input_size = _size("input_size", content.input_size, content.input_values)
    n = len(input_size)
    if not 1 <= n <= 3:
        raise LayerError("input_size", f"has {n} axes", "A layer has 1, 2 or 3")
    kernel_size = _size("kernel_size", content.kernel_size, content.kernel_values, n)
    stride = _per_axis("stride", content.stride, n)
    dilation = _per_axis("dilation", content.dilation, n)
    output_padding = _per_axis("output_padding", content.output_padding, n)
    if isinstance(content.padding, str):
        if content.operation == "transposed_convolution" and content.padding not in ("valid", "half", "full"):
            raise LayerError(
                "padding",
                f"{content.padding!r} is no padding of a transposed convolution",
                "Use numbers, valid, half or full, or transpose_of",
            )
        padding: list[Pair] = [
            named_padding(content.padding, *axis)
            for axis in zip(input_size, kernel_size, stride, dilation, strict=True)
        ]
    else:
        given = content.padding
        pairs = [_pair(side) for side in given] if isinstance(given, list) else _pair(given)
        padding = _per_axis("padding", pairs, n)
    rows = zip(input_size, kernel_size, stride, padding, dilation, output_padding, strict=True)
    return Layer(content.operation, tuple(LayerAxis(*row) for row in rows))


def _pair(side: int | Pair) -> Pair:
    return (side, side) if isinstance(side, int) else side


def _transposed_layer(content: FigureFile, original: Figure) -> Layer:
    for key in LAYER_KEYS:
        if key in content.model_fields_set:
            raise LayerError(key, "is taken from the figure that transpose_of names", "Remove one of the two keys")
    if original.layer.operation != "convolution":
        raise LayerError(
            "transpose_of", f"{original.name!r} is a {original.layer.operation}", "Only a convolution has a transpose"
        )
    return Layer("transposed_convolution", tuple(transposed_axis(axis) for axis in original.layer.axes))


def _size(key: str, size: int | list[int] | None, values: list[Any] | None, n: int | None = None) -> list[int]:
    """A size for each axis: as given, or that of the values; a single number stands for `n` axes (2)."""
    if size is None and values is not None:
        size = list(_array(key.replace("size", "values"), values).shape)
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


def _values(key: str, values: list[Any] | None, shape: tuple[int, ...]) -> Values | None:
    if values is None:
        return None
    array = _array(key, values)
    if array.shape != shape:
        raise LayerError(key, f"has the shape {list(array.shape)}", f"The layer's is {list(shape)}")
    return array


def _array(key: str, values: list[Any]) -> Values:
    try:
        array = np.array(values)
    except ValueError:
        raise LayerError(key, "its rows differ in length", "Give nested lists of one shape") from None
    logical = any(isinstance(value, bool) for value in np.array(values, dtype=object).flat)
    if (
        logical
        or array.size == 0
        or array.dtype.kind not in "if"
        or not np.isfinite(array).all()
        or np.abs(array).max(initial=0) > 1e6
    ):
        raise LayerError(key, "holds something else than numbers of at most a million", "Give nested lists of numbers")
    return array


def _check_extent(layer: Layer) -> None:
    if prod(layer.output_size) > MOST_FRAMES:
        raise LayerError(
            "input_size", f"gives {prod(layer.output_size)} output elements", f"A figure has at most {MOST_FRAMES}"
        )
    if prod(layer.output_size) * prod(layer.kernel_size) > MOST_TERMS:
        raise LayerError(
            "kernel_size",
            f"gives {prod(layer.output_size)} windows of {prod(layer.kernel_size)} elements",
            f"A figure has at most {MOST_TERMS} elements in all its windows",
        )
    if prod(axis.grid_size for axis in layer.direct) > MOST_CELLS:
        raise LayerError("input_size", "gives too large a grid", f"A figure has at most {MOST_CELLS} cells")
