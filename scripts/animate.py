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

# A place of the 32 is left for "as before".  Flat drawings do not gain from more: all but the rarest
# shades of antialiased edges have a place of their own.
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
    """The most frequent colours, and for every packed colour that occurs its place among them.

    Shapes: (frames, height, width, 3) gives (COLOURS + 1, 3) and (2²⁴,).
    """
    sheet = Image.fromarray(stack.reshape(-1, *stack.shape[2:]))
    counted = cast(list[tuple[int, tuple[int, ...]]], sheet.getcolors(sheet.width * sheet.height))
    # Colours of one count are put in an order of their own, so that equal frames give equal bytes.
    colours = np.array([colour for _, colour in sorted(counted, key=lambda item: (-item[0], item[1]))])
    palette = np.zeros((COLOURS + 1, 3), dtype=np.uint8)
    palette[: min(len(colours), COLOURS)] = colours[:COLOURS]
    kept = colours[:COLOURS]
    distances = ((colours[:, None] - kept) ** 2).sum(axis=-1)
    places = np.zeros(1 << 24, dtype=np.uint8)
    places[colours @ PACK] = distances.argmin(axis=-1)
    return palette, places


def animate(figure: Figure, images: Sequence[Image.Image] | None = None) -> None:
    """Make a figure's GIF, from its frames' files unless their images are given."""
    if images is None:
        names = paths.frame_names(figure.name, figure.count)
        images = [Image.open(paths.PNG / f"{name}.png") for name in names]
    write_whole(paths.GIF / f"{figure.name}.gif", gif(images, figure.durations))


if __name__ == "__main__":
    cli.stage(__doc__, animate)
