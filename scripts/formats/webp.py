"""An endless WebP, lossless from the frames' palette."""

from collections.abc import Sequence
from io import BytesIO

from PIL.Image import Image

from scripts.stages.drawn import PerFigure, milliseconds


def webp(images: Sequence[Image], durations: Sequence[float]) -> bytes:
    """An endless animation of images of one size, each shown for so many seconds."""
    stream = BytesIO()
    # Of a lossless image, the quality is the effort: more of it takes longer than it saves.
    images[0].save(
        stream,
        "WEBP",
        save_all=True,
        append_images=images[1:],
        duration=milliseconds(durations),
        loop=0,
        lossless=True,
        quality=25,
        method=2,
    )
    return stream.getvalue()


FORMAT = PerFigure("webp", "webp", "webp", lambda drawn: drawn.images, webp)
