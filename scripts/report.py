"""The report: its text, the figures' strips and captions, compiled by latexmk.

Everything it needs is gathered in `build/report/`, where TeX runs; writes `build/report.pdf`. An undefined
or doubled reference, a missing glyph and an overfull box are errors.
"""

import re
import time
from collections.abc import Iterable
from pathlib import Path

from scripts import cli, paths
from scripts.core.figures import Figure
from scripts.errors import ToolError, UserError
from scripts.files import Record, code_fingerprint, digest, only_build, write_whole
from scripts.record.provenance import recorded
from scripts.stages.render import caption, fill, origin, template_files
from scripts.tex.log import Place, source_error
from scripts.tex.tools import TexError, latexmk
from scripts.text.chapters import chapter
from scripts.views.catalogue import scene_of, view_name

FOLDER = paths.REPORT_BUILD
SOURCE = FOLDER / "report.tex"

# Lines of TeX's log that a published report must not have; overfull boxes count from 1 pt.
FAULTS = re.compile(
    r"LaTeX Warning: (Reference|Citation|Label) .*(undefined|multiply defined).*"
    r"|Package natbib Warning: Citation .* undefined.*"
    r"|Missing character: .*"
    r"|Overfull \\[hv]box \((?!0\.)\d.*"
)


def report(started: float) -> None:
    """Compile the report from figures that are up to date, unless nothing has changed since it was last."""
    files = gather()
    inputs = digest(code_fingerprint(), *(part for file in files for part in (file.name, file.read_bytes())))
    record = Record("report")
    if not record.holds(inputs, [paths.REPORT_PDF]):
        record.drop()
        typeset()
        check(SOURCE.with_suffix(".log"))
        write_whole(paths.REPORT_PDF, SOURCE.with_suffix(".pdf").read_bytes())
    record.keep(inputs, started)


def typeset() -> None:
    """Run TeX; raises `SourceError` with the line, of the report or of a template, at which it stopped."""
    try:
        latexmk(SOURCE)
    except TexError as failed:
        name, line = failed.stop.where(SOURCE)
        as_it_is = {file.name: file for file in (paths.REPORT_STYLE,)}
        place = None
        if line is not None and name in as_it_is:
            place = Place(as_it_is[name], line)
        elif line is not None and (FOLDER / name).is_file():
            text = (FOLDER / name).read_text(encoding="utf-8")
            place = origin(text, line, lambda: fill_texts(cli.figures([])).get(name, ""))
        raise source_error(failed.stop, failed.log, place, _written()) from None


def _written() -> list[Path]:
    """All files that people write for the report's looks and text."""
    return [*sorted(paths.REPORT.glob("*.tex")), *template_files()]


def fill_texts(figures: Iterable[Figure]) -> dict[str, str]:
    """The texts of the report by their files' names."""
    by_name = {figure.name: figure for figure in figures}
    files = sorted({paths.REPORT / SOURCE.name, *paths.REPORT.glob("*.tex")})
    texts = {file.name: chapter(file, by_name) for file in files}
    captions = [(scene_of(figure), view_name(figure), caption(figure)) for figure in by_name.values()]
    return texts | {"figures.tex": fill("figures.tex.j2", captions=captions)}


def gather() -> list[Path]:
    """Put the report's text, theme and captions beside the figures' strips; all of these files."""
    figures = cli.figures([])
    strips = [paths.CATALOGUE.strips / f"{figure.name}.pdf" for figure in figures]
    for strip in strips:
        if not strip.is_file():
            raise UserError(f"{strip} is missing. Run: make report")
    texts = fill_texts(figures)
    sources = {file.name: file.read_bytes() for file in (*paths.REPORT.glob("*.bib"), paths.REPORT_STYLE)}
    sources |= {name: text.encode() for name, text in texts.items()}
    for file in (*FOLDER.glob("*.tex"), *FOLDER.glob("*.bib")):
        if file.name not in sources:
            file.unlink()
    for name, content in sources.items():
        write_whole(FOLDER / name, content)
    return [*(FOLDER / name for name in sorted(sources)), *strips]


def check(log: Path) -> None:
    """Raise `ToolError` with the faults of the last run, if there are any."""
    faults = dict.fromkeys(match.group() for match in FAULTS.finditer(log.read_text(errors="replace")))
    if faults:
        raise ToolError("\n    ".join([f"{log}: the report has faults:", *faults]))


def main() -> None:
    """Make the report."""
    started = time.time()
    command = cli.parser(__doc__)
    command.add_argument("--quiet", action="store_true", help="say nothing about success")
    options = command.parse_args()
    with only_build(options.quiet), recorded():
        report(started)
    if not options.quiet:
        print(paths.REPORT_PDF)


if __name__ == "__main__":
    cli.run(main)
