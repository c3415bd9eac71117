"""Pictures compared pixel by pixel, whichever program drew them."""

import numpy as np
from PIL import Image, ImageFilter


def assert_same_picture(drawn: Image.Image, expected: Image.Image) -> None:
    """The same picture, but that edges may be off by a pixel: programs smooth them and thin lines in their own ways."""
    width, height = (min(sides) for sides in zip(drawn.size, expected.size, strict=True))
    assert max(*drawn.size, *expected.size) - max(width, height) <= 1
    for one, other in ((drawn, expected), (expected, drawn)):
        least, most = (other.filter(kind(3)) for kind in (ImageFilter.MinFilter, ImageFilter.MaxFilter))
        shown, low, high = (np.asarray(image.crop((0, 0, width, height)), int) for image in (one, least, most))
        # Of 255 levels: where thin lines cross, smoothing differs most.
        assert (np.maximum(low - shown, shown - high).max(axis=-1) > 30).mean() < 0.02
