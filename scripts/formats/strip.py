"""The first frames of a figure side by side, for the report."""

from collections.abc import Sequence

from scripts.stages.drawn import PerFigure


def strip(pages: Sequence[bytes], _durations: Sequence[float]) -> bytes:
    """The only page is its own file."""
    (page,) = pages
    return page


FORMAT = PerFigure("strip", "report/figures", "pdf", lambda drawn: drawn.strip, strip)
