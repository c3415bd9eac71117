"""Builds the report: its text, the figures' strips and captions, compiled by latexmk.

TeX runs in `build/report/`, where everything that it needs is gathered; the result is `build/report.pdf`.  Undefined
and duplicate references, missing glyphs and overfull boxes are errors.
"""

import os

from scripts import cli
from scripts.project import Project
from scripts.record.freshness import Unchanged


def main() -> None:
    """Build the figures' strips and the report, unless nothing has changed since the last build."""
    command = cli.parser(__doc__)
    command.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="figures at a time")
    command.add_argument("--keep-going", action="store_true", help="build the valid figures even if others are invalid")
    command.add_argument("--quiet", action="store_true", help="print only errors")
    command.add_argument("--trace", action="store_true", help="write the times of all stages to trace.json")
    options = command.parse_args()
    project = Project.current()
    if not Unchanged(project, "report").holds():
        # Slow to import, and only needed where there is something to do.
        from scripts.builds.report import build

        build(project, **vars(options))
        if not options.quiet:
            print(project.report_pdf)
    elif not options.quiet:
        print(f"{project.report_pdf} is up to date.")


if __name__ == "__main__":
    cli.run(main)
