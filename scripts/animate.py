"""PNG becomes GIF: one palette for the whole animation, and of each frame only what changed.

Reads `build/png/NAME_00.png` …, writes `build/gif/NAME.gif`.
"""

from collections.abc import Sequence
from typing import cast

import imageio.v3 as iio
import numpy as np
import numpy.typing as npt
from PIL import Image

from scripts import cli, paths
from scripts.files import write_whole
from scripts.spec import Figure

# A place of the 32 is left for "as before".  Flat drawings hardly gain from more: what is left to share
# a place are shades of antialiased edges.
COLOURS = 31

# Red, green and blue in one number.
PACK = np.array([1 << 16, 1 << 8, 1], dtype=np.int32)


def gif(images: Sequence[Image.Image], durations: Sequence[float]) -> bytes:
    """An endless GIF of images of one size, each shown for so many seconds."""
    stack = np.stack([np.asarray(image) for image in images])
    palette, places = _palette(stack)
    return iio.imwrite(
        "<bytes>",
        [places[frame @ PACK] for frame in stack],
        plugin="pillow",
        extension=".gif",
        mode="P",
        palette=palette.tobytes(),
        transparency=COLOURS,
        optimize=True,
        duration=[round(1000 * seconds) for seconds in durations],
        loop=0,
    )


def _palette(stack: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """A palette for all frames, and for every packed colour that occurs the place of its nearest.

    Shapes: (frames, height, width, 3) gives (COLOURS + 1, 3) and (2²⁴,).
    """
    sheet = Image.fromarray(stack.reshape(-1, *stack.shape[2:]))
    counted = cast(list[tuple[int, tuple[int, ...]]], sheet.getcolors(sheet.width * sheet.height))
    # In an order of its own, so that equal frames give equal bytes.
    counted.sort()
    counts, colours = np.array([count for count, _ in counted]), np.array([colour for _, colour in counted])

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
    places[colours @ PACK] = nearest
    return palette, places


def animate(figure: Figure, images: Sequence[Image.Image] | None = None) -> None:
    """Make a figure's GIF, from its frames' files unless their images are given."""
    if images is None:
        names = paths.frame_names(figure.name, figure.count)
        images = [Image.open(paths.PNG / f"{name}.png") for name in names]
    write_whole(paths.GIF / f"{figure.name}.gif", gif(images, figure.durations))


if __name__ == "__main__":
    cli.stage(__doc__, animate)
