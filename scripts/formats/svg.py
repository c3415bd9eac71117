"""One SVG for each frame, its text as paths."""

from scripts.processes import run
from scripts.stages.drawn import Page, PerFrame


def svg(page: Page) -> bytes:
    """A page as SVG, converted by poppler."""
    number = str(page.number)
    return run(["pdftocairo", "-svg", "-f", number, "-l", number, page.document.name, "-"], page.document.parent)


FORMAT = PerFrame("svg", "svg", "svg", lambda drawn: drawn.pages, svg)
