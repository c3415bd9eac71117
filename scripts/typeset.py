"""TikZ becomes PDF: latexmk compiles a figure's frames in one run, which is then split.

Reads `build/work/NAME/NAME.tex`, writes `build/pdf/NAME_00.pdf` … and the report's strip.
"""

from io import BytesIO

import pikepdf

from scripts import cli, paths
from scripts.errors import ToolError
from scripts.files import write_frames, write_whole
from scripts.spec import Figure
from scripts.tools import latexmk


def typeset(figure: Figure) -> None:
    """Compile a figure into one PDF per frame, all pages of one size, and its strip."""
    source = paths.document(figure.name)
    latexmk(source)
    names = paths.frame_names(figure.name, figure.count)
    with pikepdf.open(source.with_suffix(".pdf")) as document:
        pages = [_single(page) for page in document.pages]
    if len(pages) != figure.count + 1:
        raise ToolError(f"{source}: TeX made {len(pages)} pages, not {figure.count} frames and a strip.")
    write_whole(paths.STRIPS / f"{figure.name}.pdf", pages.pop())
    write_frames(paths.PDF, figure.name, "pdf", dict(zip(names, pages, strict=True)))


def _single(page: pikepdf.Page) -> bytes:
    """One page as a PDF of its own, the same bytes for the same page."""
    stream = BytesIO()
    with pikepdf.new() as single:
        single.pages.append(page)
        single.save(stream, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return stream.getvalue()


if __name__ == "__main__":
    cli.stage(__doc__, typeset)
