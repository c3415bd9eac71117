"""The recipe of a picture: what it was made from and by, as text that its file carries."""

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from scripts.errors import UserError
from scripts.files import digest
from scripts.recipes import container_of
from scripts.recipes.container import HEADER

# Longer recipes are packed, and longer ones still are refused.
LONGEST_PLAIN = 4000
MOST_BYTES = 1_000_000


@dataclass(frozen=True)
class Recipe:
    """What a picture's file was made from.

    `version` is the project's, `inputs` a fingerprint of the TeX source that templates, theme and code made of the
    figure.  `options` are the project's, such as the theme.  `figures` are the texts of the figure's file and of those
    that it refers to, in this order, by name.  `file` is the name of the picture's file as it was built, `format` that
    of its format; they are empty in what all files of a figure have in common.
    """

    version: str
    inputs: str
    options: Mapping[str, str]
    figures: dict[str, str]
    file: str = ""
    format: str = ""

    @property
    def name(self) -> str:
        """The figure's name."""
        return next(iter(self.figures))

    @property
    def text(self) -> str:
        """The recipe in TOML."""
        lines = [f"{key} = {json.dumps(getattr(self, key))}" for key in ("version", "inputs", "file", "format")]
        lines += ["[options]", *(f"{key} = {json.dumps(value)}" for key, value in self.options.items())]
        lines += ["[figures]", *(f"{name} = {_quoted(text)}" for name, text in self.figures.items())]
        return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Text as a string in TOML, its lines as they are where that is possible."""
    if "'''" in text or not text.endswith("\n"):
        return json.dumps(text, ensure_ascii=False)
    return f"'''\n{text}'''"


def text_of(content: bytes) -> str:
    """The text of a figure's file, without what only some editors write."""
    return content.decode("utf-8-sig", "replace").replace("\r\n", "\n")


def sealed(content: bytes, recipe: Recipe) -> bytes:
    """A file with its recipe and a check of both; raises `UserError` for a recipe that is too long."""
    container = container_of(content)
    if container is None:
        return content
    text = recipe.text
    if len(text.encode()) > MOST_BYTES:
        raise UserError(
            f"{recipe.name}: with the figures that it refers to, it is over {MOST_BYTES} bytes. Shorten it."
        )
    if len(text) > LONGEST_PLAIN or not text.translate(dict.fromkeys(b"\n\t")).isprintable():
        text = f'packed = "{base64.b64encode(zlib.compress(text.encode(), 9)).decode()}"\n'
    body = text.encode()
    return container.put(content, HEADER + check_line(content, body) + body)


def check_line(content: bytes, body: bytes) -> bytes:
    """The line of a recipe that shows whether the file or the rest of its recipe has been changed since."""
    return f'check = "{digest(content, body)[:16]}"\n'.encode()
