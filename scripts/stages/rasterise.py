"""PDF becomes PNG, by poppler.

Reads `build/work/NAME/NAME.pdf`, writes `build/png/NAME_00.png` …
"""

from io import BytesIO

import numpy as np
import png
from pdf2image import convert_from_path
from pdf2image.exceptions import PDFInfoNotInstalledError, PDFPageCountError, PDFPopplerTimeoutError
from PIL.Image import Image

from scripts import cli
from scripts.core.figures import Figure
from scripts.errors import ToolError, UserError
from scripts.files import write_frames
from scripts.paths import CATALOGUE, Outputs, frame_names
from scripts.tex.tools import time_limit
from scripts.views.catalogue import scene_of

DPI = 150
PER_METRE = round(DPI / 0.0254)
# Frames that poppler hands over together, which takes their memory twice.
AT_A_TIME = 50


def rasterise(figure: Figure, outputs: Outputs = CATALOGUE) -> list[Image]:
    """Draw all frames of a figure, one image each, all of one size."""
    document = outputs.document(figure.name).with_suffix(".pdf")
    if not document.is_file():
        raise UserError(f"{document} is missing. Run first: scripts.stages.typeset {figure.name}")
    count, images = scene_of(figure).count, list[Image]()
    try:
        for first in range(1, count + 1, AT_A_TIME):
            last = min(first + AT_A_TIME - 1, count)
            images += convert_from_path(document, dpi=DPI, first_page=first, last_page=last, timeout=time_limit())
        for image in images:
            image.load()
    except PDFInfoNotInstalledError as error:
        raise ToolError("pdfinfo is not installed. Run: make doctor") from error
    except PDFPopplerTimeoutError as error:
        raise ToolError(f"{document}: poppler took over {time_limit()} s and was stopped.") from error
    except PDFPageCountError as error:
        raise ToolError(f"{document}: poppler cannot read it. {error}") from error
    # What poppler had drawn before it was killed.
    except (ValueError, OSError) as error:
        raise ToolError(f"{document}: what poppler drew is cut off ({error}). Run make.") from error
    if len(images) != count:
        raise ToolError(f"{document}: poppler was killed after {len(images)} of {count} frames. Run make.")
    names = frame_names(figure.name, scene_of(figure).count)
    write_frames(outputs.png, figure.name, "png", dict(zip(names, map(_png, images), strict=True)))
    return images


def _png(image: Image) -> bytes:
    """The image, its rows as they are: flat drawings pack no better through one of PNG's filters."""
    stream = BytesIO()
    resolution = {"x_pixels_per_unit": PER_METRE, "y_pixels_per_unit": PER_METRE, "unit_is_meter": True}
    writer = png.Writer(*image.size, greyscale=False, compression=3, **resolution)
    writer.write_packed(stream, np.frombuffer(image.tobytes(), np.uint8).reshape(image.height, -1))
    return stream.getvalue()


if __name__ == "__main__":
    cli.stage(__doc__, rasterise)
