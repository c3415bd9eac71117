"""What formats are made from: the pages and the images of a typeset figure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import numpy as np
import pikepdf
from PIL.Image import Image

from scripts.errors import ToolError
from scripts.project import Outputs, Project
from scripts.stages.palette import indexed
from scripts.stages.raster import rasterised

T = TypeVar("T")


DPI = 150


@dataclass(frozen=True)
class Drawn:
    """A typeset figure: its document has a page for each of `steps`, the names of its frames, and then the strip.

    `durations` are in seconds.  `title` and `caption` are plain text, and so is `alternative`, which describes the
    figure to those who cannot see it.
    """

    project: Project
    outputs: Outputs
    name: str
    steps: Sequence[str]
    durations: Sequence[float]
    title: str
    caption: str
    alternative: str

    @property
    def document(self) -> Path:
        """The PDF that TeX made."""
        return self.outputs.document(self.name).with_suffix(".pdf")

    @property
    def size(self) -> tuple[float, float]:
        """The width and height of every frame, in points of PDF."""
        with pikepdf.open(self.document) as document:
            left, bottom, right, top = map(float, document.pages[0].mediabox)
        return right - left, top - bottom

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
        dpi = DPI * self.project.scale
        images = indexed(np.stack(rasterised(self.document, len(self.steps), dpi, self.project.is_transparent)))
        for image in images:
            image.info["dpi"] = (dpi, dpi)
        return images

    @cached_property
    def _split(self) -> list[bytes]:
        with pikepdf.open(self.document) as document:
            pages = [_single(page) for page in document.pages]
        if len(pages) != len(self.steps) + 1:
            raise ToolError(f"{self.document}: TeX made {len(pages)} pages, not {len(self.steps) + 1}.")
        return pages


class Format(Protocol):
    """A kind of file that figures are built as: see `PerFrame`, `PerFigure` and `Several`."""

    @property
    def name(self) -> str:
        """The name by which it is asked for."""

    @property
    def folder(self) -> str:
        """The folder of its files in the build."""

    @property
    def beside(self) -> tuple[str, ...]:
        """Formats that are built along with it."""

    @property
    def code(self) -> str:
        """The module that makes it."""

    @property
    def has_durations(self) -> bool:
        """Whether its files hold the frames' durations."""

    @property
    def has_words(self) -> bool:
        """Whether its files hold the figure's title or caption, or what else comes from templates and its own file."""

    def files(self, drawn: Drawn) -> Mapping[str, bytes]:
        """The contents of its files, by their names."""


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
    has_words: bool = field(default=False, init=False)

    @property
    def code(self) -> str:
        """The module that makes it."""
        return self.make.__module__

    def files(self, drawn: Drawn) -> dict[str, bytes]:
        """A file for each frame: NAME_00, NAME_01."""
        return {
            f"{step}.{self.ending}": self.make(frame)
            for step, frame in zip(drawn.steps, self.source(drawn), strict=True)
        }


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
    has_words: bool = field(default=False, init=False)

    @property
    def code(self) -> str:
        """The module that makes it."""
        return self.make.__module__

    def files(self, drawn: Drawn) -> dict[str, bytes]:
        """The only file, with the figure's name."""
        return {f"{drawn.name}.{self.ending}": self.make(self.source(drawn), drawn.durations)}


@dataclass(frozen=True)
class Several:
    """A format with several kinds of files: `make` returns the contents of all of them, by their names."""

    name: str
    folder: str
    make: Callable[[Drawn], Mapping[str, bytes]]
    beside: tuple[str, ...] = ()
    has_durations: bool = field(default=False, kw_only=True)
    has_words: bool = field(default=False, kw_only=True)

    @property
    def code(self) -> str:
        """The module that makes it."""
        return self.make.__module__

    def files(self, drawn: Drawn) -> Mapping[str, bytes]:
        """The files that `make` returns."""
        return self.make(drawn)


def milliseconds(durations: Sequence[float]) -> list[int]:
    """Durations in seconds as the whole milliseconds that files hold."""
    return [round(1000 * seconds) for seconds in durations]


def _single(page: pikepdf.Page) -> bytes:
    """One page as a PDF of its own, the same bytes for the same page."""
    stream = BytesIO()
    with pikepdf.new() as single:
        single.pages.append(page)
        single.save(stream, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return stream.getvalue()
