"""Filling templates: delimiters that TeX never uses, escaping, and the template line that each line comes from."""

import re
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from difflib import get_close_matches
from functools import cache
from math import prod
from operator import or_
from pathlib import Path
from traceback import extract_tb
from typing import Any

import numpy as np
from jinja2 import (
    BytecodeCache,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
)
from jinja2.bccache import Bucket
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

from scripts.core import keys
from scripts.errors import SourceError
from scripts.files import digest
from scripts.project import Project
from scripts.tex.log import Place, excerpt

PRINTABLE = re.compile(keys.PRINTABLE)
TEX_ESCAPES = {
    **{character: f"\\{character}" for character in "#$%&_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "−": r"\textminus{}",
    "∞": r"$\infty$",
    "≈": r"$\approx$",
}


def escape_tex(text: str) -> str:
    """Text escaped for TeX; sizes such as 3 × 3 do not break across lines, and what TeX's fonts lack becomes ?."""
    escaped = "".join(TEX_ESCAPES.get(one) or (one if PRINTABLE.match(one) else "?") for one in text)
    return re.sub(r"(?<=\w) × (?=\w)", r"\\,×\\,", escaped)


def pdf_text(text: str) -> str:
    """Text as a PDF string in hexadecimal: UTF-16 with a byte order mark."""
    return ("\ufeff" + text).encode("utf-16-be").hex()


def rounded(value: float, digits: int) -> str:
    """A number with so many decimals; halves, but for floating point's errors, are rounded away from zero."""
    return str(Decimal(f"{value:.12g}").quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


def escape_markdown(text: str) -> str:
    """Text escaped for Markdown, without links, tags and entities."""
    return re.sub(r"([\\`*_\[\]<>&~$|])", r"\\\1", text)


def code_span(text: str) -> str:
    """Text inside a code span of Markdown, which knows no escapes: without what would end the span or the line."""
    return re.sub(r"[`\r\n]", " ", text)


def shortened(text: str, most: int) -> str:
    """A text of at most so many characters, with dots in place of its middle."""
    if len(text) <= most:
        return text
    half = (most - 1) // 2
    return f"{text[:half]}…{text[-(most - 1 - half) :]}"


def plain_tex(text: str) -> str:
    """A title in TeX without its commands."""
    return re.sub(r"\\\w+\{([^{}]*)\}", r"\1", text)


class Origins(Extension):
    """Marks every line of text with the line of the template that it comes from.

    The marks are control characters, which no template has and no filter changes.
    """

    MARK = re.compile("\x01(.*?):(\\d+)\x02")

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """Put a mark before the text of each line."""
        for token in stream:
            if token.type == "data":
                lines = [
                    re.sub(r"(?=\S)", f"\x01{stream.filename}:{number}\x02", line, count=1)
                    for number, line in enumerate(token.value.split("\n"), start=token.lineno)
                ]
                token = Token(token.lineno, "data", "\n".join(lines))
            yield token


# The errors that Jinja and expressions in templates raise.
ERRORS = (TemplateError, TypeError, AttributeError, ValueError, ArithmeticError, LookupError, RecursionError)
# How Jinja names what an imported template does not have.
LACKING = r"TemplateModule object' has no attribute '(\w+)'"


class Compiled(BytecodeCache):
    """The compiled templates of a process."""

    def __init__(self) -> None:
        self.codes: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill in the code if it was compiled from the same text."""
        if bucket.key in self.codes:
            bucket.bytecode_from_string(self.codes[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code."""
        self.codes[bucket.key] = bucket.bytecode_to_string()


class Reading(Environment):
    """Jinja's environment, with fingerprints of all templates that it has read, by their names."""

    read: dict[str, str]

    def get_template(self, name: Any, *rest: Any, **more: Any) -> Template:
        """The template, noted as read."""
        if isinstance(name, str) and name not in self.read and (file := self.file(name)) is not None:
            self.read[name] = digest(file.read_bytes())
        return super().get_template(name, *rest, **more)

    def file(self, name: str) -> Path | None:
        """The file of a template; None if there is no such template."""
        if not isinstance(self.loader, FileSystemLoader):
            raise TypeError("templates are files")
        return next((file for top in self.loader.searchpath if (file := Path(top) / name).is_file()), None)


class Templates:
    """The templates of a project, in its theme."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._compiled = Compiled()
        self._plain, self._marked = self._environment(), self._environment(Origins)
        self._is_marking = False

    @property
    def environment(self) -> Reading:
        """Jinja's environment."""
        return self._marked if self._is_marking else self._plain

    def fill(self, template: str, **values: object) -> str:
        """A template, filled; raises `SourceError` with the place of an error in it."""
        try:
            return self.environment.get_template(template).render(**values)
        except TemplateSyntaxError as error:
            raise _source_error(Path(error.filename or template), error.lineno, error.message or "") from error
        except UnicodeDecodeError as error:
            raise self._encoding_error() from error
        except ERRORS as error:
            # Jinja puts the templates' own lines into the traceback.
            tops = (self.project.templates, self.project.report)
            lines = [(Path(line.filename), line.lineno or 0) for line in extract_tb(error.__traceback__)]
            own = [(file, line) for file, line in lines if any(file.is_relative_to(top) for top in tops)]
            problem = f"there is no template {error.name}" if isinstance(error, TemplateNotFound) else str(error)
            if own and (missing := re.search(LACKING, problem)) and "view_name" in values:
                file, line = own[-1]
                view = self.project.templates / "views" / f"{values['view_name']}.tex.j2"
                if f"view.{missing[1]}" in file.read_text(encoding="utf-8").splitlines()[line - 1]:
                    raise _lacking(view, missing[1], Place(file, line)) from error
            if own:
                raise _source_error(*own[-1], problem) from error
            if isinstance(error, TemplateNotFound):
                raise SourceError(template, f"{problem}.") from error
            raise

    def start_reading(self) -> None:
        """Forget which templates have been read, and all that they imported: Jinja runs an import only once."""
        self._plain = self._environment()

    @property
    def read(self) -> dict[str, str]:
        """Fingerprints of the templates that were read since `start_reading`, by their names."""
        return self._plain.read

    def fingerprint(self, name: str) -> str | None:
        """The current fingerprint of a template; None if there is no such template."""
        file = self._plain.file(name)
        return None if file is None else digest(file.read_bytes())

    def files(self) -> list[Path]:
        """All files in the templates' folder."""
        return sorted(path for path in self.project.templates.rglob("*.*") if path.is_file())

    def origin(self, text: str, line: int, refill: Callable[[], str]) -> Place | None:
        """The line of a template that a line of a filled text comes from; `refill` fills it again.

        None if the templates have changed since.
        """
        self._is_marking = True
        try:
            lines = refill().split("\n")
        finally:
            self._is_marking = False
        if [Origins.MARK.sub("", marked) for marked in lines[line - 1 : line]] != text.split("\n")[line - 1 : line]:
            return None
        marks = Origins.MARK.findall(lines[line - 1])[:1] or Origins.MARK.findall("\n".join(lines[:line]))[-1:]
        return Place(Path(marks[0][0]), int(marks[0][1])) if marks else None

    def _environment(self, *more: type[Extension]) -> Reading:
        env = Reading(
            loader=FileSystemLoader([self.project.templates, self.project.report]),
            block_start_string="<%",
            block_end_string="%>",
            variable_start_string="<<",
            variable_end_string=">>",
            comment_start_string="<%#",
            comment_end_string="#%>",
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            # Whatever a page shows of a figure is text.
            autoescape=lambda name: name is not None and name.endswith(".html.j2"),
            extensions=["jinja2.ext.do", *more],
            # Marked templates have the same names but other code.
            bytecode_cache=None if more else self._compiled,
        )
        env.read = {}
        env.filters |= {
            "tex": escape_tex,
            "pdf_text": pdf_text,
            "markdown": escape_markdown,
            "code": code_span,
            "plain_tex": plain_tex,
            "combined": or_,
            "shortened": shortened,
            "rounded": rounded,
            "product": prod,
        }
        looks = {"theme": self.project.theme, "transparent": self.project.is_transparent}
        env.globals |= {"infinity": np.inf, **looks}
        return env

    def _encoding_error(self) -> SourceError:
        """The error of the first template that is not UTF-8 text; another one may have included it."""
        for file in (*self.files(), *sorted(self.project.report.glob("*.tex"))):
            content = file.read_bytes()
            try:
                content.decode("utf-8")
            except UnicodeDecodeError as error:
                place = Place(file, content.count(b"\n", 0, error.start) + 1)
                return SourceError(str(place), "is not UTF-8 text. Save the file in that encoding.", excerpt(*place))
        raise RuntimeError("all templates are text")


# A project's templates, compiled once in each process; Jinja reads them again when they change.
templates = cache(Templates)


def _lacking(view: Path, name: str, place: Place) -> SourceError:
    """The error of a view's template that lacks a macro or value which `place` needs."""
    defined = re.findall(r"<%-? *(?:macro|set) +(\w+)", view.read_text(encoding="utf-8"))
    near = get_close_matches(name, defined, n=1)
    hint = f" Rename {near[0]}." if near else ""
    return SourceError(str(view), f"defines no {name}.{hint}", [f"{place} needs it:", *excerpt(*place)])


def _source_error(file: Path, line: int, problem: str) -> SourceError:
    place = Place(file, line)
    return SourceError(str(place), f"{problem.rstrip('.')}.", excerpt(*place))
