"""From TikZ to PDF: latexmk compiles a figure in one run, to a page for each frame and one for the strip."""

from collections.abc import Sequence

from scripts.files import digest, write_whole
from scripts.project import Outputs, Project
from scripts.record.freshness import Record, code
from scripts.stages.render import format_error, format_source, tex_error
from scripts.tex.latexmk import TexError, check_tools, dump_format, identity, latexmk, latexmk_together
from scripts.views.scene import Scene


class TexFormat:
    """What all figures' documents begin with, as a format of TeX's: dumped once, and loaded for each of them."""

    def __init__(self, project: Project) -> None:
        self.project, self.text = project, format_source(project)
        self.fingerprint = digest(code("scripts.tex.latexmk", project.root), identity(), self.text)
        self._record = Record(project, "_format")

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
        source = self.project.tex_format.with_suffix(".tex")
        try:
            with self._record.stage("fmt", self.fingerprint, [self.project.tex_format]):
                write_whole(source, self.text)
                dump_format(source, self.project.tex_format)
        except TexError as failed:
            raise format_error(self.project, source, failed) from None


def typeset(project: Project, scene: Scene, outputs: Outputs) -> None:
    """Compile a figure; raises `SourceError` at an error in a template."""
    try:
        latexmk(outputs.document(scene.figure.name), project.tex_format)
    except TexError as failed:
        raise tex_error(project, scene, failed, outputs) from None


def typeset_together(project: Project, names: Sequence[str], outputs: Outputs) -> bool:
    """Compile figures with one start of latexmk; if it returns False, compile each of them alone."""
    return latexmk_together([outputs.document(name) for name in names], outputs.work, project.tex_format)
