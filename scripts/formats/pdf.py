"""One PDF for each frame."""

from scripts.stages.drawn import PerFrame


def pdf(page: bytes) -> bytes:
    """The page is its own file."""
    return page


FORMAT = PerFrame("pdf", "pdf", "pdf", lambda drawn: drawn.frames, pdf)
