"""An endless GIF: one palette for the whole animation, and of each frame only what changed."""

from collections import Counter
from collections.abc import Sequence
from typing import cast

import imageio.v3 as iio
import numpy as np
import numpy.typing as npt
from PIL import Image

from scripts.stages.drawn import PerFigure

# One of 32 entries is left for pixels that stay as they were.  Flat drawings hardly gain from more colours: only shades
# of antialiased edges have to share an entry.
COLOURS = 31


def gif(images: Sequence[Image.Image], durations: Sequence[float]) -> bytes:
    """An endless GIF of images of one size, each shown for so many seconds."""
    palette, places = _palette(images)
    milliseconds = [round(1000 * seconds) for seconds in durations]
    return iio.imwrite(
        "<bytes>",
        np.stack([places.take(_packed(image)) for image in images]),
        plugin="pillow",
        extension=".gif",
        mode="P",
        palette=palette.tobytes(),
        transparency=COLOURS,
        optimize=True,
        # Pillow takes no list for a single image.
        duration=milliseconds if len(milliseconds) > 1 else milliseconds[0],
        loop=0,
    )


def _packed(image: Image.Image) -> npt.NDArray[np.uint32]:
    """Each pixel's red, green and blue in the lowest 24 bits, red the lowest; shape (height, width)."""
    pixels = np.frombuffer(image.tobytes("raw", "RGBX"), dtype="<u4").reshape(image.height, image.width)
    return np.asarray(pixels & 0xFFFFFF, dtype=np.uint32)


def _palette(images: Sequence[Image.Image]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """A palette for all images, of shape (COLOURS + 1, 3), and the index in it of every packed colour."""
    counter = Counter[tuple[int, ...]]()
    for image in images:
        counted = image.getcolors(image.width * image.height)
        for count, colour in cast(list[tuple[int, tuple[int, ...]]], counted):
            counter[colour] += count
    # Sorted, so that equal images become equal bytes.
    ordered = sorted(counter)
    colours, counts = np.array(ordered), np.array([counter[colour] for colour in ordered])

    # Start with the most frequent colour; then add the one whose pixels are approximated worst, again and again.
    palette = np.zeros((COLOURS + 1, 3), dtype=np.uint8)
    nearest = np.zeros(len(colours), dtype=np.uint8)
    distance = np.full(len(colours), np.inf)
    chosen = int(counts.argmax())
    for place in range(min(COLOURS, len(colours))):
        palette[place] = colours[chosen]
        to_chosen = ((colours - colours[chosen]) ** 2).sum(axis=-1)
        closer = to_chosen < distance
        nearest[closer], distance[closer] = place, to_chosen[closer]
        chosen = int((counts * distance).argmax())

    places = np.zeros(1 << 24, dtype=np.uint8)
    places[colours @ (1, 1 << 8, 1 << 16)] = nearest
    return palette, places


FORMAT = PerFigure("gif", "gif", "gif", lambda drawn: drawn.images, gif, beside=("pdf", "png"))
