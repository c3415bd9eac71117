"""Reading untrusted TOML files, within bounds and with messages that name the line."""

import os
import re
import reprlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.errors import FigureError

MOST_BYTES = 400_000

# Strings and comments.
TEXTS = re.compile(
    r'''"""(?:\\.|[^\\])*?(?:"{3,5}|\Z)|'{3}.*?(?:'{3,5}|\Z)|"(?:\\.|[^"\\\n])*+"?|'[^'\n]*+'?|\#[^\n]*+''', re.DOTALL
)
# A figure's keys have no dots; reading a key takes time and memory proportional to the square of its dots.
DOTTED = re.compile(r"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){3}")
# `layers[1].stride`: a key in the second of the tables in `layers`.
ENTRY = re.compile(r"(\w+)\[(\d{1,4})\](?:\.(.+))?")

# The remedies of syntax errors, by the beginning of tomllib's message.
SYNTAX = {
    "Cannot overwrite": "The key is given twice; remove one.",
    "Illegal character": "Remove it; it may be invisible, or the end of a line inside quotes.",
    "Invalid value": "Strings take quotes, lists take brackets; true and false are lower case.",
    "Unterminated string": "Close the quotes.",
    "Unclosed array": "Close the brackets, and put commas between the entries.",
    "Expected newline": "Put each key on a line of its own.",
}


@dataclass(frozen=True)
class Document:
    """The table in a file, and the file's text with blanked strings and comments."""

    outline: str
    table: dict[str, Any]

    def line(self, key: str) -> int | None:
        """The line of a key, such as `stride` or `layers[1].stride`, counted from 1; None if the key is not found."""
        entry = ENTRY.fullmatch(key)
        if entry is None:
            place = _key_place(self.outline, key)
        else:
            place = _entry_place(self.outline, entry[1], int(entry[2]), entry[3])
        return None if place is None else self.outline.count("\n", 0, place) + 1


def read(file: Path) -> Document:
    """Read a file; raises `FigureError`."""
    return parse(_content(file), file)


def parse(content: bytes, file: Path | str, most: int = MOST_BYTES) -> Document:
    """Read the content of a file of at most so many bytes; raises `FigureError`, which names the file."""
    if len(content) > most:
        raise FigureError(file, f"is larger than {most} bytes. A figure takes a few lines.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FigureError(file, "is not UTF-8 text. Save the file in that encoding.", line) from None
    outline = TEXTS.sub(lambda found: re.sub(r"[^\n]", "_", found[0]), text)
    if DOTTED.search(outline):
        raise FigureError(file, "has a key of many parts. A figure's keys have no dots.")
    try:
        return Document(outline, tomllib.loads(text))
    except RecursionError:
        raise FigureError(file, "is nested too deeply. Give one level per axis.") from None
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(file, str(error), text) from None
    # Numbers with thousands of digits.
    except ValueError as error:
        raise FigureError(file, f"is not valid TOML: {error}.") from None


def _content(file: Path) -> bytes:
    try:
        # A link could bring another file of this machine into messages.
        if not Path(os.path.realpath(file)).is_relative_to(os.path.realpath(file.parent)):
            raise FigureError(file, "is a link that leads out of its folder. Put the file itself there.")
        # Opening a pipe would wait for someone to write to it.
        if file.exists() and not file.is_file():
            raise FigureError(
                file, "cannot be read: it is a folder or a device. A figure is a text file; move it away."
            )
        with file.open("rb") as opened:
            return opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise FigureError(file, f"cannot be read: {error.strerror}. Restore it, or allow reading it.") from None


def _syntax_error(file: Path | str, message: str, text: str) -> FigureError:
    """The error of tomllib's message, with its line and a remedy."""
    if "\0" in text:
        return FigureError(file, "holds NUL characters, as in UTF-16. Save the file as UTF-8 text.")
    problem, _, place = message.rstrip(")").rpartition(" (at ")
    remedy = next((remedy for start, remedy in SYNTAX.items() if problem.startswith(start)), "A line is: key = value.")
    number = re.match(r"line (\d+)", place)
    if number is None:
        return FigureError(file, f"is not valid TOML: {problem}. {remedy}")
    line = text.split("\n")[int(number[1]) - 1].strip()
    return FigureError(file, f"is not valid TOML: {problem} in {reprlib.repr(line)}. {remedy}", int(number[1]))


def _key_place(text: str, key: str) -> int | None:
    """Where a line begins with a key or with the header of its table."""
    found = re.search(rf"^[ \t]*\[*[ \t]*{re.escape(key)}[ \t]*[=\]]", text, re.MULTILINE)
    return None if found is None else found.start()


def _entry_place(text: str, key: str, number: int, inner: str | None) -> int | None:
    """Where a key of a table in an array is, or the table itself; the array is written as {…} or under [[key]]."""
    first = _key_place(text, key)
    if first is None:
        return None
    header = rf"^[ \t]*\[\[[ \t]*{key}[ \t]*\]\]"
    if re.compile(header, re.MULTILINE).match(text, first):
        starts = [found.start() for found in re.compile(header, re.MULTILINE).finditer(text, first)]
    else:
        starts = [*_outer_tables(text, first)]
    start, end = [*starts, len(text)][number : number + 2] if number < len(starts) else (first, first)
    # Tables in branches have the line of these.
    name = inner and inner.partition("[")[0]
    found = name and re.compile(rf"(?<![\w-]){re.escape(name)}[ \t]*=").search(text, start, end)
    return found.start() if found else start


def _outer_tables(text: str, first: int) -> Iterator[int]:
    """Where tables in braces begin that are in no other one."""
    depth = 0
    for brace in re.compile("[{}]").finditer(text, first):
        depth += 1 if brace[0] == "{" else -1
        if brace[0] == "{" and depth == 1:
            yield brace.start()
