"""Explanations: their figures drawn, and the same description as PDF, Markdown and JSON."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from scripts.builds.catalogue import run
from scripts.builds.drawing import whole_or_excerpt
from scripts.builds.figure import FigureBuild
from scripts.core.figures import Figure
from scripts.errors import CombinedError, LayerError
from scripts.explaining.description import Drawing
from scripts.files import digest, write_whole
from scripts.project import Outputs, Project
from scripts.record.freshness import Record
from scripts.stages.render import caption, document_error
from scripts.stages.templates import templates
from scripts.stages.typeset import TexFormat
from scripts.tex.latexmk import TexError, latexmk

PREAMBLE = "explain/preamble.tex.j2"


def document_format(project: Project) -> TexFormat:
    """The format of TeX's that explanations are compiled from."""
    style = (project.templates / "reportstyle.tex").read_text(encoding="utf-8")
    return TexFormat(project, PREAMBLE, "explain", style=style)


class Explanation:
    """An explanation on its way to its files in `build/explain/NAME/`."""

    def __init__(self, project: Project, name: str) -> None:
        self.project, self.name = project, name
        self.outputs = project.explanation(name)
        self._formats = TexFormat(project), document_format(project)
        for one in self._formats:
            one.check_tools()
            one.make()

    def draw(
        self, name: str, keys: Mapping[str, Any], source: str, formats: Sequence[str] = ("strip", "svg")
    ) -> Drawing:
        """Draw a layer, or an excerpt of it, with the explanation's files; its problem says why it cannot be drawn."""
        try:
            figure, text, _ = whole_or_excerpt(name, keys, source)
        except LayerError as error:
            return Drawing(name, "", str(error))
        self._build(figure, text, formats)
        return Drawing(name, caption(self.project, figure))

    def draw_all(self, wanted: Mapping[str, tuple[Mapping[str, Any], str]]) -> dict[str, Drawing]:
        """Draw the strips of many layers at once, by the names of their figures: their keys, and their source."""
        drawings, builds = {}, []
        for name, (keys, source) in wanted.items():
            try:
                figure, text, _ = whole_or_excerpt(name, keys, source)
            except LayerError as error:
                drawings[name] = Drawing(name, "", str(error))
                continue
            builds.append(self._planned(figure, text, ["strip"]))
            drawings[name] = Drawing(name, caption(self.project, figure))
        errors = run(self.project, builds, self._formats[0], os.cpu_count() or 1, quiet=True, trace=False)
        if errors:
            raise CombinedError(errors)
        return drawings

    def _planned(self, figure: Figure, text: str, formats: Sequence[str]) -> FigureBuild:
        product = f"_explain_{self.name}_{figure.name}"
        sources = {figure.name: text.encode()}
        work = self._figures
        return FigureBuild(self.project, figure, product, formats, work, sources, self._formats[0].fingerprint)

    @property
    def _figures(self) -> Outputs:
        """The folders of its figures, which are not shown."""
        return self.outputs._replace(top=self.outputs.work / "figures")

    def _build(self, figure: Figure, text: str, formats: Sequence[str]) -> None:
        work = self._figures
        build = self._planned(figure, text, formats)
        build.render()
        build.typeset()
        build.make_formats()
        write_whole(self.outputs.top / f"{figure.name}.toml", text)
        if "svg" in formats:
            write_whole(self.outputs.top / f"{figure.name}.svg", work.file("svg", f"{figure.name}.svg").read_bytes())

    def write(self, template: str, explanation: Any) -> None:
        """Write NAME.json, NAME.md and NAME.pdf, from `templates/explain/TEMPLATE.md.j2` and `.tex.j2`.

        Raises `SourceError` and `ToolError`.
        """
        top, fill = self.outputs.top, templates(self.project).fill
        described = json.dumps(asdict(explanation), ensure_ascii=False, indent=1)
        markdown = fill(f"explain/{template}.md.j2", explanation=explanation)
        pdf = self._typeset(partial(fill, f"explain/{template}.tex.j2", explanation=explanation))
        write_whole(top / f"{self.name}.json", f"{described}\n")
        write_whole(top / f"{self.name}.md", markdown)
        write_whole(top / f"{self.name}.pdf", pdf)

    def _typeset(self, fill: "partial[str]") -> bytes:
        source = self.outputs.work / "document" / "document.tex"
        strips = self.outputs.work / "figures" / "report" / "figures"
        record, text = Record(self.project, f"_explain_{self.name}"), fill()
        drawn = [part for strip in sorted(strips.glob("*.pdf")) for part in (strip.name, strip.read_bytes())]
        key = digest(self._formats[1].fingerprint, text, *drawn)
        pdf = source.with_suffix(".pdf")
        if not record.fresh("pdf", key):
            with record.stage("pdf", key, [pdf]):
                write_whole(source, text)
                try:
                    latexmk(source, self._formats[1].file, finds=strips)
                except TexError as failed:
                    raise document_error(self.project, source, failed, fill) from None
        return pdf.read_bytes()
