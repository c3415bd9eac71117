"""Figures become TikZ: the templates, filled for every frame.

Writes `build/tex/NAME_00.tex` …, one source per step that compiles by itself, and
`build/work/NAME/NAME.tex`, all of them in one document.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product
from math import prod
from traceback import extract_tb

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError

from scripts import cli, paths
from scripts.arithmetic import Axis, Index, Values
from scripts.errors import LayerError, ToolError
from scripts.files import write_frames, write_whole
from scripts.frames import frames
from scripts.spec import Figure

# What TeX can draw in a row, and what keeps a figure's images in memory.
LONGEST_AXIS = 200
MOST_CELLS = 40_000

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


def runs(positions: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbouring positions joined: [1, 2, 3, 7] becomes [(1, 3), (7, 1)], each (start, length)."""
    joined: list[tuple[int, int]] = []
    for position in positions:
        if joined and sum(joined[-1]) == position:
            joined[-1] = (joined[-1][0], joined[-1][1] + 1)
        else:
            joined.append((position, 1))
    return joined


def extent(positions: Sequence[int]) -> tuple[int, int]:
    """(start, length) from the first to the last of some positions."""
    return positions[0], positions[-1] - positions[0] + 1


def has_zeros(axes: Sequence[Axis]) -> bool:
    """Whether any cell of the drawn grid is no input element."""
    return any(len(axis.input_positions) < axis.grid_size for axis in axes)


def grid_values(figure: Figure) -> Iterator[tuple[Index, float]]:
    """All cells of the drawn grid with their values, the layer's padding value where no input element is."""
    if figure.input_values is None:
        raise ValueError(f"{figure.name} has no values")
    for position in product(*(range(axis.grid_size) for axis in figure.layer.direct)):
        index = [axis.input_index(p) for axis, p in zip(figure.layer.direct, position, strict=True)]
        yield position, figure.layer.padding_value if None in index else figure.input_values[tuple(index)].item()


def decimals(values: Values) -> int:
    """How many decimals to write computed values with: as many as they need, but 1 where that is over 2."""
    return next((digits for digits in range(3) if np.array_equal(values, values.round(digits))), 1)


@cache
def environment() -> Environment:
    """The templates, with delimiters that TeX never uses; a misspelt variable is an error."""
    env = Environment(  # noqa: S701 — TeX has escapes of its own, see escape_tex
        loader=FileSystemLoader(paths.TEMPLATES),
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
        "runs": runs,
        "extent": extent,
        "has_zeros": has_zeros,
        "grid_values": grid_values,
        "decimals": decimals,
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


def render(figure: Figure) -> str:
    """Write the sources of a figure's steps and of their common document, which is returned.

    Raises `LayerError` where its view cannot draw the layer.
    """
    _check_view(figure)
    steps = list(frames(figure.layer, figure.output_values))
    names = paths.frame_names(figure.name, figure.count)
    sources = {
        name: fill("step.tex.j2", figure=figure, frame=step, number=number, count=figure.count)
        for number, (name, step) in enumerate(zip(names, steps, strict=True), start=1)
    }
    document = fill("figure.tex.j2", figure=figure, frames=steps)
    write_frames(paths.TEX, figure.name, "tex", sources)
    write_whole(paths.document(figure.name), document)
    return document


def _check_view(figure: Figure) -> None:
    axes = figure.layer.direct
    if len(axes) != 2:
        raise LayerError(
            "view", f"the {figure.view} view draws layers of 2 axes", "Describe this layer, or draw 2 axes of it"
        )
    if figure.view == "numerical" and figure.input_values is None:
        raise LayerError("view", "the numerical view draws values", "Give input_values, or use the plane view")
    longest = max(max(axis.grid_size, axis.output_size) for axis in axes)
    if longest > LONGEST_AXIS:
        raise LayerError("input_size", f"gives an axis of {longest} cells", f"A drawing has at most {LONGEST_AXIS}")
    cells = figure.count * max(prod(axis.grid_size for axis in axes), figure.count)
    if cells > MOST_CELLS:
        raise LayerError(
            "input_size", f"gives {cells} cells in {figure.count} frames", f"A drawing has at most {MOST_CELLS}"
        )


if __name__ == "__main__":
    cli.stage(__doc__, render)
