"""Figures become TikZ: the templates, filled for every frame.

Writes `build/tex/NAME_00.tex` …, one source per step that compiles by itself, and
`build/work/NAME/NAME.tex`, all of them in one document.
"""

import re
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from math import prod
from pathlib import Path
from traceback import extract_tb

import numpy as np
from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
)
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

from scripts import cli, paths
from scripts.core.figures import Figure
from scripts.errors import LayerError, SourceError
from scripts.files import write_frames, write_whole
from scripts.paths import CATALOGUE, Outputs, frame_names
from scripts.tex.log import Place, excerpt, source_error
from scripts.tex.tools import TexError
from scripts.views.catalogue import scene_of, view_name
from scripts.views.scene import Scene

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
}


# The document of all frames, and the environment that each of them is in.
DOCUMENT = "figure.tex.j2"
BEGIN_FRAME, END_FRAME = r"\begin{framepage}", r"\end{framepage}"


def escape_tex(text: str) -> str:
    """Text as TeX sets it, no character of it active; sizes such as 3 × 3 do not break across lines."""
    escaped = "".join(TEX_ESCAPES.get(character, character) for character in text)
    return re.sub(r"(?<=\w) × (?=\w)", r"\\,×\\,", escaped)


def pdf_text(text: str) -> str:
    """Text as a PDF holds it, in hexadecimal: UTF-16 with its mark."""
    return ("\ufeff" + text).encode("utf-16-be").hex()


def rounded(value: float, digits: int) -> str:
    """A number with so many decimals, halves rounded away from zero, as at school."""
    return str(Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


def escape_markdown(text: str) -> str:
    """Text as Markdown shows it: no character of it makes a link, a tag or an entity."""
    return re.sub(r"([\\`*_\[\]<>&~$|])", r"\\\1", text)


class Origins(Extension):
    """Marks every line of text with the template's line that it comes from.

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


# Whether templates are filled with marks of where their lines come from.
MARKED = ContextVar("MARKED", default=False)
# What Jinja and its expressions raise at a mistake in a template.
MISTAKES = (TemplateError, TypeError, AttributeError, ValueError, ArithmeticError, LookupError, RecursionError)


@cache
def environment(*more: type[Extension]) -> Environment:
    """The templates, with delimiters that TeX never uses; a misspelt variable is an error."""
    env = Environment(  # noqa: S701 — TeX has escapes of its own, see escape_tex
        loader=FileSystemLoader([paths.TEMPLATES, paths.REPORT]),
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
        extensions=["jinja2.ext.do", *more],
    )
    env.filters |= {
        "tex": escape_tex,
        "pdf_text": pdf_text,
        "markdown": escape_markdown,
        "rounded": rounded,
        "product": prod,
    }
    env.globals["infinity"] = np.inf
    env.globals["theme"] = "classic"
    return env


def fill(template: str, **values: object) -> str:
    """A template, filled; raises `SourceError` with the place of a mistake in it."""
    env = environment(Origins) if MARKED.get() else environment()
    try:
        return env.get_template(template).render(**values)
    except TemplateSyntaxError as error:
        raise _source_error(error.filename or template, error.lineno, error.message or "") from error
    except UnicodeDecodeError as error:
        raise _encoding_error() from error
    except MISTAKES as error:
        # Jinja puts the templates' own lines into the traceback.
        folders = (f"{paths.TEMPLATES}/", f"{paths.REPORT}/")
        own = [line for line in extract_tb(error.__traceback__) if line.filename.startswith(folders)]
        problem = f"there is no template {error.name}" if isinstance(error, TemplateNotFound) else str(error)
        if own:
            raise _source_error(own[-1].filename, own[-1].lineno or 0, problem) from error
        if isinstance(error, TemplateNotFound):
            raise SourceError(template, f"{problem}.") from error
        raise


def _encoding_error() -> SourceError:
    """The first of all templates that is no text, with its line: what reads it may be another."""
    for file in (*template_files(), *sorted(paths.REPORT.glob("*.tex"))):
        content = file.read_bytes()
        try:
            content.decode("utf-8")
        except UnicodeDecodeError as error:
            place = Place(file, content.count(b"\n", 0, error.start) + 1)
            return SourceError(str(place), "is not UTF-8 text. Save the file in that encoding.", excerpt(*place))
    raise RuntimeError("all templates are text")


def _source_error(file: str, line: int, problem: str) -> SourceError:
    place = Place(Path(file), line)
    return SourceError(str(place), f"{problem.rstrip('.')}.", excerpt(*place))


def origin(text: str, line: int, refill: Callable[[], str]) -> Place | None:
    """The line of a template from which a line of a text comes, which was filled in as `refill` does again.

    None where the templates have changed since.
    """
    token = MARKED.set(True)
    try:
        lines = refill().split("\n")
    finally:
        MARKED.reset(token)
    if [Origins.MARK.sub("", marked) for marked in lines[line - 1 : line]] != text.split("\n")[line - 1 : line]:
        return None
    marks = Origins.MARK.findall(lines[line - 1])[:1] or Origins.MARK.findall("\n".join(lines[:line]))[-1:]
    return Place(Path(marks[0][0]), int(marks[0][1])) if marks else None


def caption(figure: Figure) -> str:
    """The figure's caption, plain text."""
    try:
        scene = scene_of(figure)
    except LayerError:
        # What no view draws can still be described.
        scene = Scene(figure, None, ())
    return fill("caption.txt.j2", scene=scene).strip()


def figure_error(figure: Figure, failed: TexError, outputs: Outputs = CATALOGUE) -> SourceError:
    """TeX's error in a figure's document, with its line of a template and the frame that TeX was drawing."""
    source = outputs.document(figure.name)
    text = source.read_text(encoding="utf-8")
    name, line = failed.stop.where(source)
    place, number = None, None
    if line is not None and name == source.name:
        place = origin(text, line, lambda: _document(scene_of(figure)))
        before = "\n".join(text.split("\n")[:line])
        begun = before.count(BEGIN_FRAME)
        number = begun - 1 if begun > before.count(END_FRAME) else None
    return source_error(failed.stop, failed.log, place, template_files()).shown_in(_shown(figure, number))


def _document(scene: Scene) -> str:
    return fill(DOCUMENT, scene=scene, view_name=view_name(scene.figure))


def _shown(figure: Figure, number: int | None) -> str:
    """A figure, or one of its frames, for messages; numbers count from 0, as in the files' names."""
    frame = "" if number is None else f", frame {frame_names(figure.name, scene_of(figure).count)[number]}"
    return f"figure {figure.name}{frame}"


def template_files() -> list[Path]:
    """All templates."""
    return sorted(path for path in paths.TEMPLATES.rglob("*.*") if path.is_file())


def render(figure: Figure, outputs: Outputs = CATALOGUE) -> str:
    """Write the sources of a figure's steps and of their common document, which is returned.

    Raises `LayerError` where its view cannot draw the layer, and `SourceError` at a mistake in a template.
    """
    scene = scene_of(figure)
    names = frame_names(figure.name, scene.count)
    sources = {}
    current = None
    try:
        for current, (name, frame) in enumerate(zip(names, scene.steps, strict=True)):
            sources[name] = fill(
                "step.tex.j2", scene=scene, view_name=view_name(figure), frame=frame, number=current + 1
            )
        current = None
        document = _document(scene)
    except SourceError as error:
        raise error.shown_in(_shown(figure, current)) from None
    write_frames(outputs.tex, figure.name, "tex", sources)
    write_whole(outputs.document(figure.name), document)
    return document


if __name__ == "__main__":
    cli.stage(__doc__, render)
