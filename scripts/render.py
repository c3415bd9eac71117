"""Figures become TikZ: the templates, filled for every frame.

Writes `build/tex/NAME_00.tex` …, one source per step that compiles by itself, and
`build/work/NAME/NAME.tex`, all of them in one document.
"""

import re
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from math import prod
from traceback import extract_tb

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError

from scripts import cli, paths
from scripts.drawing import extent, holding, positions, runs, two_axes
from scripts.errors import ToolError
from scripts.files import write_frames, write_whole
from scripts.layers import Values
from scripts.paths import CATALOGUE, Outputs, frame_names
from scripts.spec import Figure

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


def decimals(values: Values) -> int:
    """How many decimals to write computed values with: as many as they need, but 1 or 2 where that is more.

    Two where one would make nothing of a value.
    """
    values = values[np.isfinite(values)]
    for digits in range(3):
        if np.allclose(values, values.round(digits), rtol=0, atol=1e-9):
            return digits
    return 1 if np.abs(values[values != 0]).min() >= 0.1 else 2


@cache
def environment() -> Environment:
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
        extensions=["jinja2.ext.do"],
    )
    env.filters |= {
        "tex": escape_tex,
        "pdf_text": pdf_text,
        "runs": runs,
        "extent": extent,
        "positions": positions,
        "holding": holding,
        "decimals": decimals,
        "rounded": rounded,
        "product": prod,
    }
    env.globals["infinity"] = np.inf
    return env


def fill(template: str, **values: object) -> str:
    """A template, filled; raises `ToolError` with the place of a mistake in it."""
    try:
        return environment().get_template(template).render(**values)
    except TemplateSyntaxError as error:
        raise ToolError(
            f"{paths.TEMPLATES / (error.name or template)}, line {error.lineno}: {str(error.message).rstrip('.')}."
        ) from error
    except (TemplateError, TypeError, AttributeError, ValueError) as error:
        # Jinja puts the templates' own lines into the traceback.
        lines = [line for line in extract_tb(error.__traceback__) if line.filename.startswith(str(paths.TEMPLATES))]
        if not lines:
            raise
        raise ToolError(f"{lines[-1].filename}, line {lines[-1].lineno}: {str(error).rstrip('.')}.") from error


def caption(figure: Figure) -> str:
    """The figure's caption, plain text."""
    return fill("caption.txt.j2", figure=figure).strip()


def render(figure: Figure, outputs: Outputs = CATALOGUE) -> str:
    """Write the sources of a figure's steps and of their common document, which is returned.

    Raises `LayerError` where its view cannot draw the layer.
    """
    drawing = two_axes(figure)
    names = frame_names(figure.name, figure.count)
    sources = {
        name: fill("step.tex.j2", figure=figure, drawing=drawing, frame=frame, number=number)
        for number, (name, frame) in enumerate(zip(names, drawing.frames, strict=True), start=1)
    }
    document = fill("figure.tex.j2", figure=figure, drawing=drawing)
    write_frames(outputs.tex, figure.name, "tex", sources)
    write_whole(outputs.document(figure.name), document)
    return document


if __name__ == "__main__":
    cli.stage(__doc__, render)
