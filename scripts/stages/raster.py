"""Pixels of typeset pages, drawn by poppler."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from pdf2image import convert_from_path
from pdf2image.exceptions import PDFInfoNotInstalledError, PDFPageCountError, PDFPopplerTimeoutError
from PIL import Image, UnidentifiedImageError

from scripts.errors import ToolError
from scripts.files import UNFINISHED
from scripts.processes import time_limit

Pixels = npt.NDArray[np.uint32]

OPAQUE = np.uint32(0xFF << 24)
# Pages that poppler draws before they are read, so that few of its files are on the disk.
AT_A_TIME = 50


def rasterised(document: Path, count: int, dpi: int, transparent: bool = False) -> list[Pixels]:
    """The first pages of a document as RGBA, each of shape (row, column), red in the lowest byte.

    Raises `ToolError`.
    """
    pages = list[Pixels]()
    try:
        for first in range(1, count + 1, AT_A_TIME):
            last = min(first + AT_A_TIME - 1, count)
            # Through a pipe, poppler's images take longer.
            with TemporaryDirectory(dir=document.parent, prefix=".", suffix=UNFINISHED) as folder:
                convert_from_path(
                    document,
                    dpi=dpi,
                    first_page=first,
                    last_page=last,
                    output_folder=folder,
                    paths_only=True,
                    transparent=transparent,
                    fmt="tiff" if transparent else "ppm",
                    timeout=time_limit(),
                )
                read = _from_tiff if transparent else _from_ppm
                pages += [read(file) for file in sorted(Path(folder).iterdir())]
    except PDFInfoNotInstalledError as error:
        raise ToolError("pdfinfo is not installed. Run: make doctor") from error
    except PDFPopplerTimeoutError as error:
        raise ToolError(f"{document}: poppler took over {time_limit()} s and was stopped.") from error
    except PDFPageCountError as error:
        raise ToolError(f"{document}: poppler cannot read it. {error}") from error
    # Poppler was killed in the middle of an image.
    except (ValueError, TypeError, UnidentifiedImageError) as error:
        raise ToolError(f"{document}: poppler was killed while drawing ({error}). Run make.") from error
    if len(pages) != count:
        raise ToolError(f"{document}: poppler was killed after {len(pages)} of {count} frames. Run make.")
    return pages


def _from_tiff(file: Path) -> Pixels:
    """A TIFF file's pixels; raises `ValueError` or `UnidentifiedImageError` if it is incomplete."""
    with Image.open(file) as image:
        return np.asarray(image.convert("RGBA")).view("<u4")[..., 0].astype(np.uint32)


def _from_ppm(file: Path) -> Pixels:
    """A PPM file's pixels; raises `ValueError` or `TypeError` if it is incomplete."""
    content = np.memmap(file, mode="r")
    magic, size, maximum = bytes(content[:40]).split(b"\n")[:3]
    width, height = map(int, size.split())
    # Each pixel is read together with the byte before it, which is then shifted out.
    before = len(magic) + len(size) + len(maximum) + 2
    pixels = np.ndarray((height, width), "<u4", content, before, (3 * width, 3)).astype(np.uint32)
    pixels >>= 8
    pixels |= OPAQUE
    return pixels
