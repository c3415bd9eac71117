"""What formats are made from: the pages and the images of a typeset figure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Generic, NamedTuple, Protocol, TypeVar

import pikepdf
from pdf2image import convert_from_path
from pdf2image.exceptions import PDFInfoNotInstalledError, PDFPageCountError, PDFPopplerTimeoutError
from PIL.Image import Image

from scripts.errors import ToolError
from scripts.processes import time_limit

T = TypeVar("T")


class Page(NamedTuple):
    """A page of a document, counted from 1."""

    document: Path
    number: int


DPI = 150
# Frames that poppler returns together; while it does, they take twice their memory.
AT_A_TIME = 50


@dataclass(frozen=True)
class Drawn:
    """A typeset figure: its document has a page for each of `steps`, the names of its frames, and then the strip.

    `durations` are in seconds.
    """

    name: str
    document: Path
    steps: Sequence[str]
    durations: Sequence[float]

    @property
    def pages(self) -> list[Page]:
        """The page of each frame."""
        return [Page(self.document, number) for number in range(1, len(self.steps) + 1)]

    @cached_property
    def frames(self) -> list[bytes]:
        """Each frame as a PDF of its own."""
        return self._split[:-1]

    @cached_property
    def strip(self) -> list[bytes]:
        """The report's strip of frames as a PDF."""
        return self._split[-1:]

    @cached_property
    def images(self) -> list[Image]:
        """Each frame as pixels, all of one size; raises `ToolError`."""
        return rasterised(self.document, len(self.steps))

    @cached_property
    def _split(self) -> list[bytes]:
        with pikepdf.open(self.document) as document:
            pages = [_single(page) for page in document.pages]
        if len(pages) != len(self.steps) + 1:
            raise ToolError(f"{self.document}: TeX made {len(pages)} pages, not {len(self.steps) + 1}.")
        return pages


class Format(Protocol):
    """A kind of file that figures are built as: see `PerFrame` and `PerFigure`."""

    @property
    def name(self) -> str:
        """The name by which it is asked for."""

    @property
    def folder(self) -> str:
        """The folder of its files in the build."""

    @property
    def ending(self) -> str:
        """The ending of its files' names."""

    @property
    def beside(self) -> tuple[str, ...]:
        """Formats that are built along with it."""

    @property
    def code(self) -> str:
        """The module that makes it."""

    @property
    def has_durations(self) -> bool:
        """Whether its files hold the frames' durations."""

    def names(self, drawn: Drawn) -> Sequence[str]:
        """The names of its files, without ending."""

    def contents(self, drawn: Drawn) -> list[bytes]:
        """The contents of its files."""


@dataclass(frozen=True)
class PerFrame(Generic[T]):
    """A format with a file for each frame: `make` turns one page or image of `source` into its content."""

    name: str
    folder: str
    ending: str
    source: Callable[[Drawn], Sequence[T]]
    make: Callable[[T], bytes]
    beside: tuple[str, ...] = ()
    has_durations: bool = field(default=False, init=False)

    @property
    def code(self) -> str:
        """The module that makes it."""
        return self.make.__module__

    def names(self, drawn: Drawn) -> Sequence[str]:
        """The names of the frames: NAME_00, NAME_01."""
        return drawn.steps

    def contents(self, drawn: Drawn) -> list[bytes]:
        """A content for each frame."""
        return [self.make(frame) for frame in self.source(drawn)]


@dataclass(frozen=True)
class PerFigure(Generic[T]):
    """A format with a single file: `make` turns all of `source`, and the frames' durations, into its content."""

    name: str
    folder: str
    ending: str
    source: Callable[[Drawn], Sequence[T]]
    make: Callable[[Sequence[T], Sequence[float]], bytes]
    beside: tuple[str, ...] = ()
    has_durations: bool = field(default=True, init=False)

    @property
    def code(self) -> str:
        """The module that makes it."""
        return self.make.__module__

    def names(self, drawn: Drawn) -> Sequence[str]:
        """The figure's name."""
        return [drawn.name]

    def contents(self, drawn: Drawn) -> list[bytes]:
        """The content of the only file."""
        return [self.make(self.source(drawn), drawn.durations)]


def rasterised(document: Path, count: int) -> list[Image]:
    """The first pages of a document as images, by poppler; raises `ToolError`."""
    images = list[Image]()
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
    # Poppler was killed in the middle of an image.
    except (ValueError, OSError) as error:
        raise ToolError(f"{document}: poppler was killed while drawing ({error}). Run make.") from error
    if len(images) != count:
        raise ToolError(f"{document}: poppler was killed after {len(images)} of {count} frames. Run make.")
    return images


def _single(page: pikepdf.Page) -> bytes:
    """One page as a PDF of its own, the same bytes for the same page."""
    stream = BytesIO()
    with pikepdf.new() as single:
        single.pages.append(page)
        single.save(stream, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return stream.getvalue()
