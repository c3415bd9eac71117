"""The first frames of a figure side by side, for the report."""

from collections.abc import Sequence

from scripts.stages.drawn import PerFigure


def strip(pages: Sequence[bytes], _durations: Sequence[float]) -> bytes:
    """The strip's page, which is a PDF already."""
    (page,) = pages
    return page


FORMAT = PerFigure("strip", "report/figures", "pdf", lambda drawn: drawn.strip, strip)
