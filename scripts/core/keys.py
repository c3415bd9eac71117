"""The keys of a figure's file: their types, bounds and meaning; reading a file checks them one by one."""

import os
import re
import reprlib
import tomllib
from datetime import date, time
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError
from pydantic_core import ErrorDetails

from scripts.core.arithmetic import PaddingMode, PaddingName
from scripts.core.layers import OPERATIONS, Operation
from scripts.errors import CombinedError, FigureError

PADDING_NAMES: tuple[PaddingName, ...] = get_args(PaddingName)
PADDING_MODES: tuple[PaddingMode, ...] = get_args(PaddingMode)

# Bounds that keep one figure's cost in seconds and its files' numbers in three digits.
MOST_FRAMES = 999
MOST_CELLS = 10_000
MOST_TERMS = 200_000
MOST_BYTES = 400_000
MOST_MISTAKES = 10

# A figure's keys have no dots, and reading takes time and memory by the square of their number.
TEXTS = re.compile(
    r'''"""(?:\\.|[^\\])*?(?:"{3,5}|\Z)|'{3}.*?(?:'{3,5}|\Z)|"(?:\\.|[^"\\\n])*+"?|'[^'\n]*+'?|\#[^\n]*+''', re.DOTALL
)
DOTTED = re.compile(r"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){3}")

Positive = Annotated[int, Field(ge=1, le=MOST_CELLS)]
Natural = Annotated[int, Field(ge=0, le=MOST_CELLS)]
T = TypeVar("T")
Axes = Annotated[list[T], Field(fail_fast=True)]  # whose first mistake is told, so the others are not looked for
Sides = Annotated[tuple[Natural, Natural], Strict(False)]  # TOML's arrays are lists

COUNT = f"a whole number from 1 to {MOST_CELLS}"
POSITIVE = f"{COUNT}, or a list of one per axis"
NATURAL = f"a whole number from 0 to {MOST_CELLS}, or a list of one per axis"
NUMBERS = "nested lists of numbers, one level per axis"
SWITCH = "true or false"
SECONDS = "a number of seconds from 0.02 to 60"


# The remedies of mistakes in TOML's own grammar, by how its reader begins to tell them.
SYNTAX = {
    "Cannot overwrite": "The key is given twice; remove one.",
    "Illegal character": "Remove it; it may be invisible, or the end of a line inside quotes.",
    "Invalid value": "Texts stand in quotes, lists in brackets; true and false are written small.",
    "Unterminated string": "Close the quotes.",
    "Unclosed array": "Close the brackets, and set commas between the entries.",
    "Expected newline": "Each key has a line of its own.",
}


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
    layers: list[dict[str, Any]] | None = Field(
        None, min_length=1, max_length=20, description="a list of 1 to 20 tables, one for each layer of a stack"
    )
    view: str | None = Field(None, description="the name of a view")
    input_size: Positive | Axes[Positive] | None = Field(None, description=POSITIVE)
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
    input_values: list[Any] | None = Field(None, description=NUMBERS)
    kernel_values: list[Any] | None = Field(None, description=NUMBERS)
    indices: list[Any] | None = Field(None, description="nested lists of places in the flattened output")
    values: Literal["random"] | None = Field(None, description='"random", for small integers where no values are given')
    seed: int = Field(0, ge=0, lt=2**32, description="a whole number from 0 to 2³² − 1")
    frame_duration: float = Field(1.0, ge=0.02, le=60, description=SECONDS)
    last_frame_duration: float = Field(3.0, ge=0.02, le=60, description=SECONDS)

    def changed(self, key: str) -> bool:
        """Whether a key says something else than it would by being left out."""
        return bool(getattr(self, key) != type(self).model_fields[key].default)


def read(file: Path) -> FigureFile:
    """The keys of a file; raises `FigureError`, or `CombinedError` where several are wrong."""
    try:
        # A link could bring a file of the machine's into messages.
        if not Path(os.path.realpath(file)).is_relative_to(os.path.realpath(file.parent)):
            raise FigureError(file, "is a link that leads out of its folder. Put the file itself there.")
        # Opening a pipe would wait for someone to write to it.
        if file.exists() and not file.is_file():
            raise FigureError(
                file, "cannot be read: it is a folder or a device. A figure is a text file; move it away."
            )
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise FigureError(file, f"is larger than {MOST_BYTES} bytes. A figure takes a few lines.")
        text = content.decode("utf-8-sig")
        if DOTTED.search(TEXTS.sub("_", text)):
            raise FigureError(file, "has a key of many parts. A figure's keys have no dots.")
        data = tomllib.loads(text)
    except OSError as error:
        raise FigureError(file, f"cannot be read: {error.strerror}. Restore it, or allow reading it.") from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FigureError(f"{file}, line {line}", "is not UTF-8 text. Save the file in that encoding.") from None
    except RecursionError:
        raise FigureError(file, "is nested too deeply. Give one level per axis.") from None
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(file, str(error), content.decode("utf-8-sig")) from None
    # Of numbers with thousands of digits.
    except ValueError as error:
        raise FigureError(file, f"is not valid TOML: {error}.") from None
    return check(data, file)


def _syntax_error(file: Path, message: str, text: str) -> FigureError:
    """What TOML's reader found, with the line it found it in and the remedy."""
    if "\0" in text:
        return FigureError(file, "holds NUL characters, as in UTF-16. Save the file as UTF-8 text.")
    problem, _, place = message.rstrip(")").rpartition(" (at ")
    remedy = next((remedy for start, remedy in SYNTAX.items() if problem.startswith(start)), "A line is: key = value.")
    number = re.match(r"line (\d+)", place)
    if number is None:
        return FigureError(file, f"is not valid TOML: {problem}. {remedy}")
    line = text.split("\n")[int(number[1]) - 1].strip()
    return FigureError(f"{file}, {number[0]}", f"is not valid TOML: {problem} in {reprlib.repr(line)}. {remedy}")


def check(data: dict[str, Any], source: Path | str) -> FigureFile:
    """The keys, checked; raises `CombinedError` with each mistake and the source it is in."""
    try:
        return FigureFile.model_validate(data)
    except ValidationError as error:
        mistakes = {str(mistake["loc"][0]): mistake for mistake in reversed(error.errors(include_url=False))}
        told = islice(reversed(mistakes.items()), MOST_MISTAKES)
        problems = [FigureError(source, _problem(key, mistake)) for key, mistake in told]
        if len(mistakes) > MOST_MISTAKES:
            problems.append(FigureError(source, f"has {len(mistakes) - MOST_MISTAKES} more keys that are wrong."))
        raise CombinedError(problems) from None


def _problem(key: str, mistake: ErrorDetails) -> str:
    """A mistake in one key, with its remedy."""
    field = FigureFile.model_fields.get(key)
    key = shown(key)[1:-1]
    if field is None and isinstance(mistake["input"], dict):
        return f"{key}: is a table. A figure's keys stand for themselves: remove the line [{key}]."
    if field is None:
        near = get_close_matches(key, FigureFile.model_fields, n=1)
        remedy = f"Did you mean {near[0]}?" if near else f"The keys are {', '.join(FigureFile.model_fields)}."
        return f"{key}: is not a key of a figure. {remedy}"
    rule = "is missing" if mistake["type"] == "missing" else f"cannot be {shown(mistake['input'])}"
    return f"{key}: {rule}. It is {field.description}."


def shown(value: object) -> str:
    """A value as TOML writes it, shortened where it is long, with escapes for what cannot be printed."""
    if isinstance(value, bool):
        return str(value).lower()
    try:
        return str(value) if isinstance(value, date | time) else reprlib.repr(value)
    except ValueError:
        return "a number of thousands of digits"
