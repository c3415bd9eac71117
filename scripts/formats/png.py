"""One PNG for each frame, its colours from the figure's palette."""

import zlib
from io import BytesIO

from PIL.Image import Image

from scripts.stages.drawn import PerFrame


def png(image: Image) -> bytes:
    """A palette image, packed by runs: flat drawings hardly gain from slower ways."""
    stream = BytesIO()
    image.save(stream, "PNG", compress_type=zlib.Z_RLE, dpi=image.info["dpi"])
    return stream.getvalue()


FORMAT = PerFrame("png", "png", "png", lambda drawn: drawn.images, png, beside=("pdf",))
