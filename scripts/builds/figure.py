"""The stages of one figure: its sources, its document, and its files in some formats; each runs only if it is stale."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from scripts.core.figures import Figure
from scripts.errors import LayerError, UserError
from scripts.files import digest, write_whole
from scripts.formats import FORMATS
from scripts.project import Outputs, Project, frame_names
from scripts.recipes.recipe import Recipe, sealed, text_of
from scripts.record.freshness import Record, code
from scripts.record.revision import release
from scripts.stages.drawn import Drawn
from scripts.stages.render import caption, format_source, render
from scripts.stages.templates import templates
from scripts.stages.typeset import typeset
from scripts.tex.latexmk import identity
from scripts.views import scene_of
from scripts.views.scene import Scene


@dataclass(frozen=True)
class Span:
    """A timed stage of one process; times are in seconds of the system's monotonic clock."""

    stage: str
    subject: str
    process: int
    start: float
    end: float


@contextmanager
def timed(stage: str, subject: str, spans: list[Span]) -> Iterator[None]:
    """Note how long the enclosed stage takes."""
    start = time.monotonic()
    yield
    spans.append(Span(stage, subject, os.getpid(), start, time.monotonic()))


@dataclass
class FigureBuild:
    """A figure on its way to its files in some formats.

    `sources` are the contents of the figure's file and of those that it refers to, by name; `tex_format` is a
    fingerprint of TeX's format, which covers TeX and the code that runs it; `product` is the name of its record.
    """

    project: Project
    figure: Figure
    product: str
    formats: Sequence[str]
    outputs: Outputs
    sources: Mapping[str, bytes]
    tex_format: str
    spans: list[Span] = field(default_factory=list)

    @property
    def record(self) -> Record:
        """What its files were last made from, read anew: its stages may run in different processes."""
        return Record(self.project, self.product)

    @cached_property
    def count(self) -> int:
        """Number of frames; 0 if the view cannot draw the figure, an error that `render` raises."""
        try:
            return scene_of(self.figure).count
        except LayerError:
            return 0

    @property
    def is_fresh(self) -> bool:
        """Whether there is nothing to do."""
        return self._is_rendered and not self.needs_tex and all(map(self._is_made, self.formats))

    def render(self) -> None:
        """Write the sources; raises `LayerError` and `SourceError`."""
        if self._is_rendered:
            return
        with timed("tex", self.figure.name, self.spans):
            templates(self.project).start_reading()
            sources = render(self.project, self._scene, self.outputs)
            with self.record.stage("tex", self._render_key, sources, templates(self.project).read):
                for file, content in sources.items():
                    write_whole(file, content)

    @property
    def needs_tex(self) -> bool:
        """Whether the sources are to be compiled."""
        return not self.record.fresh("document", self._document_key)

    def typeset(self, compiled: bool = False) -> None:
        """Compile the sources, unless that is done; raises `SourceError` and `ToolError`."""
        if not self.needs_tex:
            return
        with self.record.stage("document", self._document_key, [self._document.with_suffix(".pdf")]):
            if not compiled:
                with timed("latexmk", self.figure.name, self.spans):
                    typeset(self.project, self._scene, self.outputs)

    def make_formats(self) -> None:
        """Write the files; raises `SourceError` and `ToolError`."""
        templates(self.project).start_reading()
        # A local variable, so that its images are freed before the next figure.
        drawn, recipe = self._drawn(), self._recipe
        for name in self.formats:
            if self._is_made(name):
                continue
            with timed(name, self.figure.name, self.spans):
                kind, key = FORMATS[name], self._format_key(name)
                files = {self.outputs.file(kind.folder, file): made for file, made in kind.files(drawn).items()}
                read = templates(self.project).read if kind.has_words else {}
                with self.record.stage(name, key, files, read):
                    for file, content in files.items():
                        write_whole(file, sealed(content, replace(recipe, file=file.name, format=name)))

    @cached_property
    def _scene(self) -> Scene:
        return scene_of(self.figure)

    def _drawn(self) -> Drawn:
        name, scene = self.figure.name, self._scene
        words = caption(self.project, self.figure)
        return Drawn(
            project=self.project,
            outputs=self.outputs,
            name=name,
            steps=frame_names(name, scene.count),
            durations=scene.durations,
            title=self.figure.title,
            caption=words,
            alternative=scene.alternative or words,
        )

    @property
    def _recipe(self) -> Recipe:
        """What the files of all formats have in their recipes."""
        document = self._document.read_bytes() if self._document.is_file() else b""
        return Recipe(
            version=release(self.project)[0],
            inputs=digest(format_source(self.project), document)[:16],
            options=self.project.options,
            figures={name: text_of(content) for name, content in self.sources.items()},
        )

    @property
    def _document(self) -> Path:
        return self.outputs.document(self.figure.name)

    @property
    def _is_rendered(self) -> bool:
        return self.record.fresh("tex", self._render_key, templates(self.project).fingerprint)

    @property
    def _render_key(self) -> str:
        looks = self.project.options.values()
        return digest(code("scripts.stages.render", self.project.root), *looks, *self.sources.values())

    @property
    def _document_key(self) -> str:
        """Of the source as it is on disk, empty if it is lost."""
        source = self._document.read_bytes() if self._document.is_file() else b""
        return digest(self.tex_format, source)

    def _is_made(self, name: str) -> bool:
        """Whether a format's files are up to date."""
        now = templates(self.project).fingerprint
        return self.record.fresh(name, self._format_key(name), now)

    def _format_key(self, name: str) -> str:
        pdf = self._document.with_suffix(".pdf")
        made_from = pdf.read_bytes() if pdf.is_file() else b""
        durations = repr((self.figure.frame_duration, self.figure.last_frame_duration))
        kind = FORMATS[name]
        codes = [code(module, self.project.root) for module in (kind.code, sealed.__module__)]
        return digest(*codes, identity(), made_from, durations * kind.has_durations, self._recipe.text)


def formats_of(recipe: Recipe, source: Path) -> list[str]:
    """The format of a recipe, after those that are made along with it; raises `UserError` if it is unknown here."""
    if recipe.format not in FORMATS:
        raise UserError(f"{source}: there is no format {recipe.format!r} in this version.")
    return [*FORMATS[recipe.format].beside, recipe.format]
