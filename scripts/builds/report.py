"""The report: its chapters filled, gathered with the figures' strips, and compiled."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from scripts.builds import catalogue
from scripts.core.figures import Figure, load_all
from scripts.errors import CombinedError, ToolError
from scripts.files import digest, only_build, write_whole
from scripts.formats import FORMATS
from scripts.project import Project
from scripts.record.freshness import Record, Unchanged, code
from scripts.record.provenance import recorded
from scripts.stages.render import caption
from scripts.stages.templates import templates
from scripts.stages.typeset import TexFormat
from scripts.tex.latexmk import TexError, identity, latexmk, tool_files
from scripts.tex.log import Place, source_error
from scripts.text.chapters import chapter
from scripts.views import scene_of, view_name

# Lines of TeX's log that a published report must not have; overfull boxes count from 1 pt.
FAULTS = re.compile(
    r"LaTeX Warning: (Reference|Citation|Label) .*(undefined|multiply defined).*"
    r"|Package natbib Warning: Citation .* undefined.*"
    r"|Missing character: .*"
    r"|Overfull \\[hv]box \((?!0\.)\d.*"
)


def build(project: Project, *, jobs: int, quiet: bool, keep_going: bool, trace: bool) -> None:
    """Build the strips of all figures and the report; raises `CombinedError` with what failed."""
    with only_build(project.base, quiet):
        unchanged = Unchanged(project, "report")
        with recorded(project) as provenance:
            catalogue.forget_others(project)
            tex_format = TexFormat(project)
            builds, errors = catalogue.planned(project, project.figure_names(), ["strip"], tex_format)
            if not errors or keep_going:
                errors += catalogue.run(project, builds, tex_format, jobs, quiet, trace)
            if errors:
                raise CombinedError(errors)
            products = [_make(project), *(one.record for one in builds)]
        files = (file for product in products for file in product.files())
        unchanged.keep([provenance, project.catalogue.package, *tool_files(), *files])


def _make(project: Project) -> Record:
    """Gather and compile the report, unless it is up to date."""
    figures, _ = load_all([project.figures / f"{name}.toml" for name in project.figure_names()])
    sources = _sources(project, {figure.name: figure for figure in figures})
    strips = [project.catalogue.file(FORMATS["strip"].folder, f"{figure.name}.pdf") for figure in figures]
    record, source = Record(project, "_report"), project.report_build / "report.tex"
    parts = [part for name, content in sorted(sources.items()) for part in (name, content)]
    parts += [part for strip in strips for part in (strip.name, strip.read_bytes())]
    key = digest(code("scripts.tex.latexmk", project.root), identity(), *parts)
    if not record.fresh("pdf", key):
        with record.stage("pdf", key, [project.report_pdf]):
            for file in (*project.report_build.glob("*.tex"), *project.report_build.glob("*.bib")):
                if file.name not in sources:
                    file.unlink()
            for name, content in sources.items():
                write_whole(project.report_build / name, content)
            _typeset(project, source)
            _check(source.with_suffix(".log"))
            write_whole(project.report_pdf, source.with_suffix(".pdf").read_bytes())
    return record


def _sources(project: Project, figures: Mapping[str, Figure]) -> dict[str, bytes]:
    """The files that TeX reads besides the figures' strips, by name."""
    files = [*project.report.glob("*.bib"), project.templates / "reportstyle.tex"]
    texts = {name: text.encode() for name, text in _texts(project, figures).items()}
    return {file.name: file.read_bytes() for file in files} | texts


def _texts(project: Project, figures: Mapping[str, Figure]) -> dict[str, str]:
    """The report's chapters and captions, filled."""
    files = sorted({project.report / "report.tex", *project.report.glob("*.tex")})
    texts = {file.name: chapter(project, file, figures) for file in files}
    return texts | {"figures.tex": _captions(project, figures.values())}


def _captions(project: Project, figures: Iterable[Figure]) -> str:
    captions = [(scene_of(figure), view_name(figure), caption(project, figure)) for figure in figures]
    return templates(project).fill("figures.tex.j2", captions=captions)


def _typeset(project: Project, source: Path) -> None:
    """Run TeX; raises `SourceError` with the line of the report or of a template at which it stopped."""
    try:
        latexmk(source)
    except TexError as failed:
        name, line = failed.stop.where(source)
        style = project.templates / "reportstyle.tex"
        place = None
        if line is not None and name == style.name:
            place = Place(style, line)
        elif line is not None and (source.parent / name).is_file():
            figures, _ = load_all([project.figures / f"{name}.toml" for name in project.figure_names()])
            by_name = {figure.name: figure for figure in figures}
            text = (source.parent / name).read_text(encoding="utf-8")
            place = templates(project).origin(text, line, lambda: _texts(project, by_name).get(name, ""))
        written = [*sorted(project.report.glob("*.tex")), *templates(project).files()]
        raise source_error(failed.stop, failed.log, place, written) from None


def _check(log: Path) -> None:
    """Raise `ToolError` with the faults of the last run, if there are any."""
    faults = dict.fromkeys(match.group() for match in FAULTS.finditer(log.read_text(errors="replace")))
    if faults:
        raise ToolError("\n    ".join([f"{log}: the report has faults:", *faults]))
