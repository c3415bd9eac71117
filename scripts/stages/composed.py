"""Further documents with a typeset figure: a template, filled and compiled."""

from functools import partial
from pathlib import Path

from scripts.files import write_whole
from scripts.stages.drawn import Drawn
from scripts.stages.render import document_error
from scripts.stages.templates import templates
from scripts.tex.latexmk import TexError, latexmk


def filled(drawn: Drawn, template: str, **values: object) -> str:
    """A template with the figure's name, title and caption, and further values; raises `SourceError`."""
    words = {"name": drawn.name, "title": drawn.title, "caption": drawn.caption}
    return templates(drawn.project).fill(template, **words, **values)


def composed(drawn: Drawn, template: str, source: Path, tex_format: Path | None, **values: object) -> bytes:
    """A template as PDF, compiled as `source` from a format, if there is one.

    TeX finds the figure's frames.  Raises `SourceError` and `ToolError`.
    """
    fill = partial(filled, drawn, template, **values)
    write_whole(source, fill())
    try:
        latexmk(source, tex_format, finds=drawn.outputs.file("pdf", f"{drawn.name}.pdf").parent)
    except TexError as failed:
        raise document_error(drawn.project, source, failed, fill).shown_in(f"figure {drawn.name}") from None
    return source.with_suffix(".pdf").read_bytes()
