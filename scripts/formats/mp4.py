"""A video for slides and chats: H.264 as every player reads it."""

from collections.abc import Sequence
from math import gcd

import imageio.v3 as iio
import numpy as np
import numpy.typing as npt
from PIL.Image import Image

from scripts.errors import ToolError, UserError
from scripts.stages.drawn import PerFigure


def mp4(images: Sequence[Image], durations: Sequence[float]) -> bytes:
    """A video of images of one size, each shown for so many seconds.

    Raises `ToolError` if there is no ffmpeg, and `UserError` for transparent images.
    """
    if images[0].has_transparency_data:
        raise UserError("BACKGROUND: a video cannot be transparent. Make mp4s without it.")
    # In hundredths of seconds, as in a GIF.  A video has a constant rate: here the lowest of which each duration is a
    # multiple.  A frame that is repeated takes hardly any bytes.
    times = [round(100 * seconds) for seconds in durations]
    tick = gcd(*times)
    shown = list[npt.ArrayLike]()
    for image, time in zip(images, times, strict=True):
        shown += time // tick * [_even(image)]
    try:
        return iio.imwrite(
            "<bytes>",
            shown,
            plugin="FFMPEG",
            extension=".mp4",
            fps=100 / tick,
            codec="libx264",
            pixelformat="yuv420p",
            quality=None,
            macro_block_size=2,
            output_params=_options(tick),
        )
    except ImportError as error:
        raise ToolError(
            "MP4s need the package imageio-ffmpeg, which is not installed. Run: python3 -m scripts.setup mp4"
        ) from error
    except OSError as error:
        raise ToolError(f"ffmpeg failed or was killed. {error}") from error


def _options(tick: int) -> list[str]:
    """The options of ffmpeg, for frames of `tick` hundredths of a second."""
    # The exact rate; imageio rounds it.
    rate = ["-vf", f"setpts=N*{tick}/100/TB", "-r", f"100/{tick}", "-crf", "28"]
    # The colours of screens, marked as such: players would guess.
    colours = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"]
    # Nothing in the file depends on the time or on the number of cores.
    reproducible = ["-threads", "1", "-fflags", "+bitexact", "-flags:v", "+bitexact"]
    # Its index comes first, so that a browser can begin before it has all of the file.
    return [*rate, *colours, *reproducible, "-movflags", "+faststart"]


def _even(image: Image) -> npt.NDArray[np.uint8]:
    """The image's colours, shape (height, width, 3), an edge repeated where a side is odd: H.264 halves colours."""
    pixels = np.asarray(image.convert("RGB"))
    height, width = image.height % 2, image.width % 2
    return np.pad(pixels, ((0, height), (0, width), (0, 0)), mode="edge")


FORMAT = PerFigure("mp4", "mp4", "mp4", lambda drawn: drawn.images, mp4)
