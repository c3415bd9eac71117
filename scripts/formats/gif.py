"""An endless GIF: one palette for the whole animation, and of each frame only what changed."""

from collections.abc import Sequence

import imageio.v3 as iio
import numpy as np
from PIL.Image import Image

from scripts.stages.drawn import PerFigure, milliseconds
from scripts.stages.palette import COLOURS

# The entry after the palette's.
TRANSPARENT = COLOURS


def gif(images: Sequence[Image], durations: Sequence[float]) -> bytes:
    """An endless GIF of images of one size and palette, each shown for so many seconds.

    A pixel that is more than half transparent becomes wholly so, and others opaque.
    """
    entries = np.reshape(images[0].getpalette("RGBA") or [], (-1, 4)).astype(np.uint8)
    palette = np.zeros((TRANSPARENT + 1, 3), dtype=np.uint8)
    palette[: len(entries)] = entries[:, :3]
    frames = np.stack([np.asarray(image) for image in images])
    is_transparent = entries[:, 3] < 128
    is_opaque = not is_transparent.any()
    if not is_opaque:
        frames[is_transparent[frames]] = TRANSPARENT
    times = milliseconds(durations)
    return iio.imwrite(
        "<bytes>",
        frames,
        plugin="pillow",
        extension=".gif",
        mode="P",
        palette=palette.tobytes(),
        transparency=TRANSPARENT,
        # Of an opaque frame, pixels that stay as they were are left out; what is transparent needs a cleared one.
        optimize=is_opaque,
        disposal=0 if is_opaque else 2,
        # Pillow takes no list for a single image.
        duration=times if len(times) > 1 else times[0],
        loop=0,
    )


FORMAT = PerFigure("gif", "gif", "gif", lambda drawn: drawn.images, gif, beside=("pdf", "png"))
