"""An endless GIF: one palette for the whole animation, and of each frame only what changed."""

from collections.abc import Sequence

import imageio.v3 as iio
import numpy as np
from PIL.Image import Image

from scripts.stages.drawn import PerFigure
from scripts.stages.palette import COLOURS


def gif(images: Sequence[Image], durations: Sequence[float]) -> bytes:
    """An endless GIF of images of one size and palette, each shown for so many seconds."""
    colours = images[0].getpalette() or []
    milliseconds = [round(1000 * seconds) for seconds in durations]
    return iio.imwrite(
        "<bytes>",
        np.stack([np.asarray(image) for image in images]),
        plugin="pillow",
        extension=".gif",
        mode="P",
        palette=bytes(colours[: 3 * COLOURS]).ljust(3 * (COLOURS + 1), b"\0"),
        # The entry of pixels that stay as they were.
        transparency=COLOURS,
        optimize=True,
        # Pillow takes no list for a single image.
        duration=milliseconds if len(milliseconds) > 1 else milliseconds[0],
        loop=0,
    )


FORMAT = PerFigure("gif", "gif", "gif", lambda drawn: drawn.images, gif, beside=("pdf", "png"))
