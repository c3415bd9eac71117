"""Reading the recipe of a file that may come from anywhere, within bounds and with one message where it is wrong."""

import base64
import binascii
import json
import stat
import zlib
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scripts.core import toml
from scripts.core.figures import NAME, Figure, parsed
from scripts.core.keys import shown
from scripts.errors import LayerError, UserError
from scripts.recipes import CONTAINERS, container_of
from scripts.recipes.container import HEADER
from scripts.recipes.recipe import MOST_BYTES, Recipe, check_line

# No picture that is built is larger.
LARGEST_FILE = 50_000_000

Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,80}$")]


class RecipeKeys(BaseModel):
    """The keys of a recipe's text."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    version: Word
    inputs: Word
    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}\.[a-z0-9]{1,8}$")]
    format: Word
    options: dict[Word, Word]
    figures: dict[Annotated[str, Field(pattern=f"^{NAME.pattern}$")], str] = Field(min_length=1)


class Opened(NamedTuple):
    """A picture's file: its bytes, the same without its recipe, the recipe, and the recipe's figure.

    `is_intact` is whether nothing in it has been changed since it was made.
    """

    file: Path
    content: bytes
    bare: bytes
    recipe: Recipe
    figure: Figure
    is_intact: bool


def opened(file: Path) -> Opened:
    """Read a picture and its recipe; raises `UserError` where there is none, or one that cannot be right."""
    content = _content(file)
    container = container_of(content)
    if container is None:
        kinds = ", ".join(one.name for one in CONTAINERS)
        raise UserError(f"{file}: is no picture of this project, which are {kinds}.")
    taken = container.take(content)
    if taken is None or not taken.text.startswith(HEADER):
        cause = "It was not made by this project, or another program has removed it, or a part of the file is lost"
        raise UserError(f"{file}: carries no recipe. {cause}.")
    check, _, body = taken.text.removeprefix(HEADER).partition(b"\n")
    source = f"{file}, its recipe"
    recipe = _recipe(_unpacked(body, source), source)
    is_intact = check + b"\n" == check_line(taken.bare, body)
    return Opened(file, content, taken.bare, recipe, figure_of(recipe.figures, source), is_intact)


def _content(file: Path) -> bytes:
    try:
        # Opening a pipe would wait for someone to write to it.
        if not stat.S_ISREG(file.stat().st_mode):
            raise UserError(f"{file}: is not a file. Name a picture of this project.")
        with file.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
    except OSError as error:
        raise UserError(f"{file}: cannot be read: {error.strerror}. Name a picture of this project.") from None
    if len(content) > LARGEST_FILE:
        raise UserError(f"{file}: is larger than {LARGEST_FILE} bytes, as no picture of this project is.")
    return content


def _unpacked(body: bytes, source: str) -> bytes:
    """The text of a recipe that may be packed."""
    if not body.startswith(b'packed = "'):
        return body
    try:
        packed = base64.b64decode(body.split(b'"')[1], validate=True)
        return zlib.decompressobj().decompress(packed, MOST_BYTES + 1)
    except (binascii.Error, zlib.error):
        raise UserError(f"{source}: is damaged.") from None


def _recipe(text: bytes, source: str) -> Recipe:
    table = toml.parse(text, source, MOST_BYTES).table
    try:
        return Recipe(**dict(RecipeKeys.model_validate(table)))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        problem = f"{shown(key)[1:-1]} cannot be {shown(first['input'])}"
        raise UserError(f"{source}: {problem}. It is damaged, or of another version.") from None


def figure_of(texts: Mapping[str, str], source: str) -> Figure:
    """The first of some figures, which may refer to those that follow; raises `FigureError`, which names the source."""
    known = dict[str, Figure]()

    def original(name: str) -> Figure:
        if name not in known:
            raise LayerError("transpose_of", f"there is no figure {shown(name)}", "It is damaged")
        return known[name]

    for name, text in reversed(list(texts.items())):
        known[name] = parsed(name, toml.parse(text.encode(), source), source, original)
    return known[next(iter(texts))]


def with_keys(text: str, keys: Mapping[str, Any]) -> str:
    """The text of a figure's file with other values of some of the figure's own keys."""
    for key, value in keys.items():
        lines = text.split("\n")
        document = toml.parse(text.encode(), key)
        if (line := document.line(key)) is not None:
            del lines[line - 1 : _end(document.outline.split("\n"), line - 1)]
        # At the top, where no table has begun.
        text = "\n".join([f"{key} = {json.dumps(value)}", *lines])
    return text


def _end(lines: Sequence[str], start: int) -> int:
    """The end of a value that begins in line `start`: the line in which its last bracket is closed, counted from 1."""
    depths = accumulate(line.count("[") - line.count("]") for line in lines[start:])
    return next((number for number, depth in enumerate(depths, start + 1) if depth <= 0), len(lines))
