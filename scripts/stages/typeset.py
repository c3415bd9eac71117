"""TikZ becomes PDF: latexmk compiles a figure's frames in one run, which is then split.

Reads `build/work/NAME/NAME.tex`, writes `build/pdf/NAME_00.pdf` … and the report's strip.
"""

import time
from collections.abc import Sequence
from functools import cache
from io import BytesIO
from pathlib import Path

import pikepdf

from scripts import cli, paths
from scripts.core.figures import Figure
from scripts.errors import ToolError, UserError
from scripts.files import Record, digest, one_at_a_time, write_frames, write_whole
from scripts.paths import CATALOGUE, Outputs, frame_names
from scripts.stages.render import figure_error, template_files
from scripts.tex.log import Place, source_error
from scripts.tex.tools import TexError, check, dump_format, identity, latexmk, latexmk_together
from scripts.views.catalogue import scene_of


def typeset(figure: Figure, outputs: Outputs = CATALOGUE, compiled: bool = False) -> None:
    """Compile a figure, unless it is, into one PDF per frame, all pages of one size, and its strip."""
    source = outputs.document(figure.name)
    if not source.is_file():
        raise UserError(f"{source} is missing. Run first: scripts.stages.render {figure.name}")
    try:
        pages = (split if compiled else compile_pages)(source, scene_of(figure).count + 1)
    except TexError as failed:
        raise figure_error(figure, failed, outputs) from None
    names = frame_names(figure.name, scene_of(figure).count)
    write_whole(outputs.strips / f"{figure.name}.pdf", pages.pop())
    write_frames(outputs.pdf, figure.name, "pdf", dict(zip(names, pages, strict=True)))


def compile_together(figures: Sequence[Figure]) -> bool:
    """Compile figures of the catalogue at once; where one of them fails, whichever, each is to be compiled alone.

    The format is there.
    """
    return latexmk_together([CATALOGUE.document(figure.name) for figure in figures], CATALOGUE.work, paths.FORMAT)


def compile_pages(source: Path, count: int) -> list[bytes]:
    """Compile a document of `count` pictures from the format, and give each of its pages as a PDF of its own."""
    prepare()
    latexmk(source, paths.FORMAT)
    return split(source, count)


def split(source: Path, count: int) -> list[bytes]:
    """The pages of a compiled document of `count` pictures, each as a PDF of its own."""
    with pikepdf.open(source.with_suffix(".pdf")) as document:
        pages = [_single(page) for page in document.pages]
    if len(pages) != count:
        raise ToolError(f"{source}: TeX made {len(pages)} pages, not {count}.")
    return pages


@cache
def prepare() -> str:
    """Bring the format up to date from which all figures' runs start, and return its fingerprint.

    It is the preamble, run once and dumped; it depends on the preamble and on the tools that are installed.
    While one process makes it, others wait.  Raises what `check_tools` does, and `SourceError`.
    """
    with one_at_a_time(paths.FORMAT.parent):
        preamble, fingerprint, record = _format()
        if not record.holds(fingerprint, [paths.FORMAT]):
            check()
            record.drop()
            _dump(preamble)
            record.keep(fingerprint, time.time())
    return fingerprint


def check_tools() -> None:
    """Raise `ToolError` with all tools that do not do, unless they were looked at when the format was made."""
    _, fingerprint, record = _format()
    if not record.holds(fingerprint, [paths.FORMAT]):
        check()


@cache
def _format() -> tuple[bytes, str, Record]:
    """The preamble, the fingerprint of what the format is made from, and the record of what it was made from.

    Read once for the whole build, whose workers inherit it: they all use the same format.
    """
    preamble = paths.PREAMBLE.read_bytes()
    return preamble, digest(preamble, identity()), Record(paths.FORMAT.name)


def _dump(preamble: bytes) -> None:
    try:
        dump_format(paths.PREAMBLE, preamble, paths.FORMAT)
    except TexError as failed:
        name, line = failed.stop.where(paths.PREAMBLE)
        place = None if line is None or name != paths.PREAMBLE.name else Place(paths.PREAMBLE, line)
        raise source_error(failed.stop, failed.log, place, template_files()) from None


def _single(page: pikepdf.Page) -> bytes:
    """One page as a PDF of its own, the same bytes for the same page."""
    stream = BytesIO()
    with pikepdf.new() as single:
        single.pages.append(page)
        single.save(stream, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return stream.getvalue()


if __name__ == "__main__":
    cli.stage(__doc__, typeset)
