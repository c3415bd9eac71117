"""An endless animated PNG; programs that know no animations show its first frame."""

from collections.abc import Sequence
from io import BytesIO

from PIL.Image import Image

from scripts.stages.drawn import PerFigure, milliseconds


def apng(images: Sequence[Image], durations: Sequence[float]) -> bytes:
    """An endless animation of images of one size and palette, each shown for so many seconds."""
    stream = BytesIO()
    images[0].save(
        stream,
        "PNG",
        save_all=True,
        append_images=images[1:],
        duration=milliseconds(durations),
        loop=0,
        dpi=images[0].info["dpi"],
    )
    return stream.getvalue()


FORMAT = PerFigure("apng", "apng", "png", lambda drawn: drawn.images, apng)
