"""From TeX to PDF: latexmk compiles a figure in one run, to a page for each frame and one for the strip."""

from collections.abc import Sequence
from functools import partial

from scripts.files import digest, write_whole
from scripts.project import Outputs, Project
from scripts.record.freshness import Record, code
from scripts.stages.render import FORMAT, document_error, tex_error
from scripts.stages.templates import templates
from scripts.tex.latexmk import TexError, check_tools, dump_format, identity, latexmk, latexmk_together
from scripts.views.scene import Scene


class TexFormat:
    """What documents of one kind begin with, as a format of TeX's: dumped once, and loaded for each of them.

    `template` is that of its source, which takes `values`, and `name` its own.
    """

    def __init__(self, project: Project, template: str = FORMAT, name: str = "figure", **values: object) -> None:
        self.project = project
        self._fill = partial(templates(project).fill, template, **values)
        self.text = self._fill()
        self.fingerprint = digest(code("scripts.tex.latexmk", project.root), identity(), self.text)
        self.file = project.tex_format.with_stem(name)
        self._record = Record(project, "_format" if name == "figure" else f"_format_{name}")

    @property
    def is_fresh(self) -> bool:
        """Whether it was made from this source by this code and the installed tools."""
        return self._record.fresh("fmt", self.fingerprint)

    def check_tools(self) -> None:
        """Raise `ToolError` for missing or old tools, unless they were checked when the format was made."""
        if not self.is_fresh:
            check_tools()

    def make(self) -> None:
        """Dump it unless it is fresh; raises `SourceError` at an error in its source."""
        if self.is_fresh:
            return
        source = self.file.with_suffix(".tex")
        try:
            with self._record.stage("fmt", self.fingerprint, [self.file]):
                write_whole(source, self.text)
                dump_format(source, self.file)
        except TexError as failed:
            raise document_error(self.project, source, failed, self._fill) from None


def typeset(project: Project, scene: Scene, outputs: Outputs) -> None:
    """Compile a figure; raises `SourceError` at an error in a template."""
    try:
        latexmk(outputs.document(scene.figure.name), project.tex_format)
    except TexError as failed:
        raise tex_error(project, scene, failed, outputs) from None


def typeset_together(project: Project, names: Sequence[str], outputs: Outputs) -> bool:
    """Compile figures with one start of latexmk; if it returns False, compile each of them alone."""
    return latexmk_together([outputs.document(name) for name in names], outputs.work, project.tex_format)
