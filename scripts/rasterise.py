"""PDF becomes PNG, by poppler.

Reads `build/work/NAME/NAME.pdf`, writes `build/png/NAME_00.png` …
"""

from io import BytesIO

from pdf2image import convert_from_path
from PIL.Image import Image

from scripts import cli, paths
from scripts.files import write_frames
from scripts.spec import Figure

DPI = 150


def rasterise(figure: Figure) -> list[Image]:
    """Draw all frames of a figure, one image each, all of one size."""
    document = paths.document(figure.name).with_suffix(".pdf")
    images = convert_from_path(document, dpi=DPI, last_page=figure.count)
    names = paths.frame_names(figure.name, figure.count)
    write_frames(paths.PNG, figure.name, "png", dict(zip(names, map(_png, images), strict=True)))
    return images


def _png(image: Image) -> bytes:
    stream = BytesIO()
    image.save(stream, "PNG", dpi=(DPI, DPI))
    return stream.getvalue()


if __name__ == "__main__":
    cli.stage(__doc__, rasterise)
