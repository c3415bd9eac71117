"""The keys of a figure's file: their types, bounds and descriptions, and the messages about wrong ones."""

import re
import reprlib
from collections.abc import Callable
from datetime import date, time
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError
from pydantic_core import ErrorDetails

from scripts.core.arithmetic import PADDING_MODES, PADDING_NAMES, PaddingMode, PaddingName
from scripts.core.operations import OPERATIONS
from scripts.errors import CombinedError, FigureError, UserError

LARGEST = 1_000_000_000
MOST_LAYERS = 100
MOST_ERRORS = 10

# What TeX's fonts have.
PRINTABLE = r"^[ -~¡-¬®-ÿ–—‘’“”…]*$"

T = TypeVar("T")
Positive = Annotated[int, Field(ge=1, le=LARGEST)]
Natural = Annotated[int, Field(ge=0, le=LARGEST)]
Axes = Annotated[list[T], Field(fail_fast=True)]  # only the first error of a list is shown
Sides = Annotated[tuple[Natural, Natural], Strict(False)]  # TOML's arrays are lists

COUNT = f"a whole number from 1 to {LARGEST}"
POSITIVE = f"{COUNT}, or a list of one per axis"
NATURAL = f"a whole number from 0 to {LARGEST}, or a list of one per axis"
NUMBERS = "nested lists of numbers, one level per axis"
BRANCHES = "a list of at least 2 branches, each a list of tables, one for each of its layers; it may be empty"
SWITCH = "true or false"
FRAMES = "how many frames are shown, or a list of their numbers, counted from 0"
SECONDS = "a number of seconds from 0.02 to 60"


class LayerKeys(BaseModel):
    """The keys of a layer; messages quote their descriptions."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    operation: str | None = Field(
        None, pattern=f"^({'|'.join(OPERATIONS)})$", description=f"one of {', '.join(OPERATIONS)}"
    )
    kernel_size: Positive | Axes[Positive] | None = Field(None, description=POSITIVE)
    stride: Positive | Axes[Positive] = Field(1, description=POSITIVE)
    padding: Natural | PaddingName | Axes[Natural | Sides] = Field(
        0, description=f"{NATURAL} (a number or [before, after]), or one of {', '.join(PADDING_NAMES)}"
    )
    padding_mode: PaddingMode = Field("zeros", description=f"one of {', '.join(PADDING_MODES)}")
    dilation: Positive | Axes[Positive] = Field(1, description=POSITIVE)
    output_padding: Natural | Axes[Natural] = Field(0, description=NATURAL)
    output_size: Positive | Axes[Positive] | None = Field(None, description=POSITIVE)
    ceil_mode: bool = Field(False, description=SWITCH)
    count_include_pad: bool = Field(True, description=SWITCH)
    norm: float = Field(2, ge=0.1, le=16, description="a number from 0.1 to 16")
    in_channels: Positive | None = Field(None, description=COUNT)
    out_channels: Positive | None = Field(None, description=COUNT)
    groups: Positive = Field(1, description=COUNT)

    def changed(self, key: str) -> bool:
        """Whether a key has another value than its default."""
        return bool(getattr(self, key) != type(self).model_fields[key].default)


class StackedKeys(LayerKeys):
    """The keys of one of a stack's tables: a layer's own, or `branches` of such tables."""

    branches: Annotated[list[list["StackedKeys"]], Field(min_length=2)] | None = Field(None, description=BRANCHES)


class FigureFile(LayerKeys):
    """The keys of a figure's file: a layer's own, with values, or the `layers` of a stack; and how they are shown."""

    title: str = Field(
        min_length=1,
        max_length=120,
        pattern=PRINTABLE,
        description="a text of 1 to 120 characters that TeX's fonts have (Latin letters, digits, punctuation)",
    )
    note: str = Field("", max_length=240, pattern=PRINTABLE, description="sentences of at most 240 characters in all")
    transpose_of: str | None = Field(None, description="the name of another figure in the same folder")
    layers: list[StackedKeys] | None = Field(
        None,
        min_length=1,
        max_length=MOST_LAYERS,
        description=f"a list of 1 to {MOST_LAYERS} tables, one for each layer of a stack",
    )
    view: str | None = Field(None, description="the name of a view")
    input_size: Positive | Axes[Positive] | None = Field(None, description=POSITIVE)
    input_values: list[Any] | None = Field(None, description=NUMBERS)
    kernel_values: list[Any] | None = Field(None, description=NUMBERS)
    output_gradient: list[Any] | None = Field(None, description=NUMBERS)
    mask: list[Any] | None = Field(None, description="nested lists of 1, for valid input elements, and 0, for holes")
    offset: list[Any] | None = Field(None, description=f"{NUMBERS}, in the layout of torchvision's deform_conv2d")
    indices: list[Any] | None = Field(None, description="nested lists of places in the flattened output")
    values: Literal["random"] | None = Field(None, description='"random", for small integers where no values are given')
    seed: int = Field(0, ge=0, lt=2**32, description="a whole number from 0 to 2³² − 1")
    frames: Annotated[int, Field(ge=1)] | Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] | None = (
        Field(None, description=FRAMES)
    )
    frame_duration: float = Field(1.0, ge=0.02, le=60, description=SECONDS)
    last_frame_duration: float = Field(3.0, ge=0.02, le=60, description=SECONDS)


def check(data: dict[str, Any], source: Path | str, line: Callable[[str], int | None] = lambda _: None) -> FigureFile:
    """The keys in `data`; `line` finds the line of a key in the source.

    Raises `CombinedError` with the error of each wrong key.
    """
    try:
        return FigureFile.model_validate(data)
    except ValidationError as error:
        # The first error of each key.
        found = {_path(details): details for details in reversed(error.errors(include_url=False))}
        first = islice(reversed(found.items()), MOST_ERRORS)
        problems = [FigureError(source, f"{_named(key)}: {_problem(key, one)}", line(key)) for key, one in first]
        if len(found) > MOST_ERRORS:
            problems.append(FigureError(source, f"has {len(found) - MOST_ERRORS} more keys that are wrong."))
        raise CombinedError(problems) from None


def title_of(text: str, otherwise: str) -> str:
    """A text if it is valid as a title, else another one."""
    try:
        return check({"title": text}, text).title
    except UserError:
        return otherwise


def _path(details: ErrorDetails) -> str:
    """The key with an error, such as `stride`, `layers[1].stride` or `layers[1].branches[0][2].stride`."""
    key, *inner = map(str, details["loc"])
    if key == "layers":
        for part in inner:
            key += f"[{part}]" if part.isdigit() else f".{part}"
            if not part.isdigit() and part != "branches":
                break
    return key


def _named(key: str) -> str:
    """A key for messages; the last part of its name may be anything."""
    table, dot, name = key.rpartition("].")
    return table + dot + shown(name)[1:-1]


def _problem(key: str, details: ErrorDetails) -> str:
    """What is wrong with a key, and the remedy."""
    _, in_layer, name = key.rpartition("].")
    model = StackedKeys if in_layer else FigureFile
    if re.fullmatch(r"branches\[\d+\]", name):
        return f"cannot be {shown(details['input'])}. It is a list of tables, one for each layer, or empty."
    if key.endswith("]"):
        return f"cannot be {shown(details['input'])}. It is a table with the keys of a layer."
    field = model.model_fields.get(name)
    if field is not None:
        rule = "is missing" if details["type"] == "missing" else f"cannot be {shown(details['input'])}"
        return f"{rule}. It is {field.description}."
    if in_layer and name in FigureFile.model_fields:
        return "belongs to the figure, not to one of its layers. Remove it here."
    if isinstance(details["input"], dict):
        return f"is a table. A figure's keys stand for themselves: remove the line [{shown(name)[1:-1]}]."
    near = get_close_matches(name, model.model_fields, n=1)
    remedy = f"Did you mean {near[0]}?" if near else f"The keys are {', '.join(model.model_fields)}."
    return f"is not a key of a {'layer' if in_layer else 'figure'}. {remedy}"


def shown(value: object) -> str:
    """A value as TOML writes it, shortened if long, with escapes for unprintable characters."""
    if isinstance(value, bool):
        return str(value).lower()
    try:
        return str(value) if isinstance(value, date | time) else reprlib.repr(value)
    except ValueError:
        return "a number of thousands of digits"
