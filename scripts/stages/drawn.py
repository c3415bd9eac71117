"""What formats are made from: the pages and the images of a typeset figure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Generic, NamedTuple, Protocol, TypeVar

import pikepdf
from PIL.Image import Image

from scripts.errors import ToolError
from scripts.stages.palette import indexed
from scripts.stages.raster import rasterised

T = TypeVar("T")


class Page(NamedTuple):
    """A page of a document, counted from 1."""

    document: Path
    number: int


DPI = 150


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
        """Each frame as a palette image, all of one size and with one palette; raises `ToolError`."""
        return indexed(rasterised(self.document, len(self.steps), DPI))

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


def _single(page: pikepdf.Page) -> bytes:
    """One page as a PDF of its own, the same bytes for the same page."""
    stream = BytesIO()
    with pikepdf.new() as single:
        single.pages.append(page)
        single.save(stream, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return stream.getvalue()
