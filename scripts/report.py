"""The report: its text, the figures' strips and captions, compiled by latexmk.

Everything it needs is gathered in `build/report/`, where TeX runs; writes `build/report.pdf`. An undefined
or doubled reference, a missing glyph and an overfull box are errors.
"""

import re
import time
from pathlib import Path

from scripts import cli, paths
from scripts.errors import ToolError
from scripts.files import Record, digest, write_whole
from scripts.render import caption, environment
from scripts.tools import latexmk

FOLDER = paths.STRIPS.parent
SOURCE = FOLDER / "report.tex"

# Lines of TeX's log that a published report must not have; overfull boxes count from 1 pt.
FAULTS = re.compile(
    r"LaTeX Warning: (Reference|Citation|Label) .*(undefined|multiply defined).*"
    r"|Package natbib Warning: Citation .* undefined.*"
    r"|Missing character: .*"
    r"|Overfull \\[hv]box \((?!0\.)\d.*"
)


def report() -> None:
    """Compile the report from figures that are up to date."""
    figures = cli.figures([])
    template = environment().get_template("figures.tex.j2")
    captions = [(figure, caption(figure)) for figure in figures]
    write_whole(FOLDER / "figures.tex", template.render(captions=captions))
    for file in (*paths.REPORT.iterdir(), paths.TEMPLATES / "theme.tex"):
        write_whole(FOLDER / file.name, file.read_bytes())
    latexmk(SOURCE)
    check(SOURCE.with_suffix(".log"))
    write_whole(paths.REPORT_PDF, SOURCE.with_suffix(".pdf").read_bytes())


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
    report()
    Record("report").keep(digest(paths.REPORT_PDF.read_bytes()), started)
    if not options.quiet:
        print(paths.REPORT_PDF)


if __name__ == "__main__":
    cli.run(main)
