"""PNG becomes GIF: one palette for the whole animation, and of each frame only what changed.

Reads `build/png/NAME_00.png` …, writes `build/gif/NAME.gif`.
"""

from collections import Counter
from collections.abc import Sequence
from typing import cast

import imageio.v3 as iio
import numpy as np
import numpy.typing as npt
from PIL import Image

from scripts import cli
from scripts.core.figures import Figure
from scripts.errors import UserError
from scripts.files import write_whole
from scripts.paths import CATALOGUE, Outputs, frame_names
from scripts.views.catalogue import scene_of

# A place of the 32 is left for "as before".  Flat drawings hardly gain from more: what is left to share
# a place are shades of antialiased edges.
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
    """A palette for all images, of shape (COLOURS + 1, 3), and for every packed colour its place there."""
    counter = Counter[tuple[int, ...]]()
    for image in images:
        counted = image.getcolors(image.width * image.height)
        for count, colour in cast(list[tuple[int, tuple[int, ...]]], counted):
            counter[colour] += count
    # In an order of its own, so that equal images give equal bytes.
    ordered = sorted(counter)
    colours, counts = np.array(ordered), np.array([counter[colour] for colour in ordered])

    # Again and again the colour whose pixels are served worst gets a place, the most frequent one first.
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


def animate(figure: Figure, images: Sequence[Image.Image] | None = None, outputs: Outputs = CATALOGUE) -> None:
    """Make a figure's GIF, from its frames' files unless their images are given."""
    if images is None:
        files = [outputs.png / f"{name}.png" for name in frame_names(figure.name, scene_of(figure).count)]
        for file in files:
            if not file.is_file():
                raise UserError(f"{file} is missing. Run first: scripts.stages.rasterise {figure.name}")
        images = [Image.open(file) for file in files]
    write_whole(outputs.gif / f"{figure.name}.gif", gif(images, scene_of(figure).durations))


if __name__ == "__main__":
    cli.stage(__doc__, animate)
