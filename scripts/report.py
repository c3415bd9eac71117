"""The report: its text, the figures' strips and captions, compiled by latexmk.

Everything it needs is gathered in `build/report/`, where TeX runs; writes `build/report.pdf`. An undefined
or doubled reference, a missing glyph and an overfull box are errors.
"""

import re
import time
from collections.abc import Mapping
from pathlib import Path

from scripts import cli, paths
from scripts.chapters import chapter
from scripts.errors import ToolError, UserError
from scripts.files import Record, code_fingerprint, digest, only_build, write_whole
from scripts.paths import CATALOGUE
from scripts.render import caption, fill
from scripts.tools import latexmk
from scripts.typeset import compile_pages, prepare

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
        latexmk(SOURCE)
        check(SOURCE.with_suffix(".log"))
        write_whole(paths.REPORT_PDF, SOURCE.with_suffix(".pdf").read_bytes())
    record.keep(inputs, started)


def gather() -> list[Path]:
    """Put the report's text, theme and captions beside the figures' strips; all of these files."""
    figures = cli.figures([])
    strips = [paths.CATALOGUE.strips / f"{figure.name}.pdf" for figure in figures]
    for strip in strips:
        if not strip.is_file():
            raise UserError(f"{strip} is missing. Run: make report")
    captions = [(figure, caption(figure)) for figure in figures]
    sources = {file.name: file.read_bytes() for file in (*paths.REPORT.glob("*.bib"), paths.THEME, paths.REPORT_STYLE)}
    by_name = {figure.name: figure for figure in figures}
    diagrams = dict[str, str]()
    sources |= {file.name: chapter(file, by_name, diagrams).encode() for file in sorted(paths.REPORT.glob("*.tex"))}
    sources["figures.tex"] = fill("figures.tex.j2", captions=captions).encode()
    for file in (*FOLDER.glob("*.tex"), *FOLDER.glob("*.bib")):
        if file.name not in sources:
            file.unlink()
    for name, content in sources.items():
        write_whole(FOLDER / name, content)
    return [*(FOLDER / name for name in sorted(sources)), *strips, *draw(diagrams)]


def draw(diagrams: Mapping[str, str]) -> list[Path]:
    """Compile the diagrams, unless they are as they were, into a PDF each."""
    document = fill("diagrams.tex.j2", diagrams=diagrams)
    source = CATALOGUE.document("diagrams")
    files = [paths.DIAGRAMS / f"{name}.pdf" for name in diagrams]
    record = Record("diagrams")
    inputs = digest(code_fingerprint(), prepare(), document)
    if not record.holds(inputs, files):
        record.drop()
        write_whole(source, document)
        for file, page in zip(files, compile_pages(source, len(files)) if files else [], strict=True):
            write_whole(file, page)
        record.keep(inputs, time.time())
    return files


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
    with only_build(options.quiet):
        report(started)
    if not options.quiet:
        print(paths.REPORT_PDF)


if __name__ == "__main__":
    cli.run(main)
