"""Builds the report: its text, the figures' strips and captions, compiled by latexmk.

Everything it needs is gathered in `build/report/`, where TeX runs; writes `build/report.pdf`.  An undefined
or doubled reference, a missing glyph and an overfull box are errors.
"""

import os

from scripts import cli
from scripts.project import Project
from scripts.record.freshness import Unchanged


def main() -> None:
    """Build the figures' strips and the report, unless nothing has changed since."""
    command = cli.parser(__doc__)
    command.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="figures at a time")
    command.add_argument("--keep-going", action="store_true", help="build the valid figures beside wrong files")
    command.add_argument("--quiet", action="store_true", help="print nothing about success")
    command.add_argument("--trace", action="store_true", help="write what took how long to trace.json in the build")
    options = command.parse_args()
    project = Project.current()
    unchanged = Unchanged(project, "report")
    if not unchanged.holds():
        # Slow to import, and only needed where there is something to do.
        from scripts.builds.report import build

        unchanged.keep(build(project, **vars(options)))
        if not options.quiet:
            print(project.report_pdf)
    elif not options.quiet:
        print(f"{project.report_pdf} is up to date.")


if __name__ == "__main__":
    cli.run(main)
