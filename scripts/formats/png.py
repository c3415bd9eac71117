"""One PNG for each frame."""

from io import BytesIO

import numpy as np
import png as pypng
from PIL.Image import Image

from scripts.stages.drawn import DPI, PerFrame

PER_METRE = round(DPI / 0.0254)


def png(image: Image) -> bytes:
    """The image, its rows unfiltered: flat drawings pack no better through one of PNG's filters."""
    stream = BytesIO()
    resolution = {"x_pixels_per_unit": PER_METRE, "y_pixels_per_unit": PER_METRE, "unit_is_meter": True}
    writer = pypng.Writer(*image.size, greyscale=False, compression=3, **resolution)
    writer.write_packed(stream, np.frombuffer(image.tobytes(), np.uint8).reshape(image.height, -1))
    return stream.getvalue()


FORMAT = PerFrame("png", "png", "png", lambda drawn: drawn.images, png, beside=("pdf",))
