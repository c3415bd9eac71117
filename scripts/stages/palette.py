"""One palette for all frames of a figure, and each frame as indices into it."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from scripts.stages.raster import Pixels

# With so many, the shades of antialiased edges share entries: files are smaller by 7 % than with 31, and differ from
# what poppler draws by 40 dB or more.  Formats may add an entry, for pixels that stay as they were.
COLOURS = 19


def indexed(pixels: Pixels) -> list[Image.Image]:
    """Frames of shape (frame, row, column) as palette images, which share a palette of at most `COLOURS` colours."""
    changed = np.ones(pixels.shape, dtype=bool)
    np.not_equal(pixels[1:], pixels[:-1], out=changed[1:])
    shown = pixels[changed]
    colours, counts = np.unique(shown, return_counts=True)
    # By the root of their number, else rare shades of edges would be lost to those of large areas.
    entries, nearest = _palette(colours, np.sqrt(counts))
    found = nearest[np.searchsorted(colours, shown)]
    opaque = bool((entries[:, 3] == 255).all())
    palette = (entries[:, :3].tobytes(), "RGB") if opaque else (entries.tobytes(), "RGBA")
    images = list[Image.Image]()
    indices = np.zeros(pixels.shape[1:], dtype=np.uint8)
    ends = np.cumsum(changed.sum(axis=(1, 2)))
    for mask, values in zip(changed, np.split(found, ends[:-1]), strict=True):
        indices[mask] = values
        image = Image.fromarray(indices.copy())
        image.putpalette(*palette)
        images.append(image)
    return images


def _palette(colours: Pixels, weights: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """A palette of shape (entry, 4), and the entry nearest to each colour; colours of large weight are met better."""
    channels = colours.astype("<u4").view(np.uint8).reshape(-1, 4)
    exact = channels.astype(int)  # whose squares do not overflow
    # Start with the weightiest colour; then add the one that is approximated worst, again and again.
    places = list[int]()
    nearest = np.zeros(len(colours), dtype=np.uint8)
    distance = np.full(len(colours), np.inf)
    chosen = int(weights.argmax())
    for entry in range(min(COLOURS, len(colours))):
        places.append(chosen)
        to_chosen = ((exact - exact[chosen]) ** 2).sum(axis=-1)
        closer = to_chosen < distance
        nearest[closer], distance[closer] = entry, to_chosen[closer]
        chosen = int((weights * distance).argmax())
    return channels[places], nearest
