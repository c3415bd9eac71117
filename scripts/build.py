"""Builds figures in a format: from each figure's file to its frames, its animation or other files.

Only what is out of date is made.  Figures are spread over all cores, the largest first.
"""

import os
import re

from scripts import cli
from scripts.errors import UserError
from scripts.project import Project
from scripts.record.freshness import Unchanged

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def asked_for(project: Project, words: list[str]) -> list[str]:
    """The figures that some words name, all of them by default; raises `UserError` for an unknown one."""
    known = project.figure_names()
    for name in known:
        if not NAME.fullmatch(name):
            raise UserError(
                f"A name in figures/ is no name of a figure: {project.figures / name}.toml; "
                "rename it with letters, digits, _ and -."
            )
    names = list(dict.fromkeys(name for word in words for name in word.split()))
    for name in names:
        if name not in known:
            raise UserError(f"There is no {project.figures / name}.toml; `make list` shows the figures.")
    return names or known


def main() -> None:
    """Build the named figures, unless nothing has changed since they were built."""
    command = cli.parser(__doc__)
    command.add_argument("names", nargs="*", metavar="NAME", help="a figure in figures/; all of them by default")
    command.add_argument("--format", default="gif", help="gif, pdf, png or another one in scripts/formats/")
    command.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="figures at a time")
    command.add_argument("--keep-going", action="store_true", help="build the valid figures beside wrong files")
    command.add_argument("--quiet", action="store_true", help="print nothing about success")
    command.add_argument("--trace", action="store_true", help="write what took how long to trace.json in the build")
    options = command.parse_args()
    project = Project.current()
    names = asked_for(project, options.names)
    unchanged = Unchanged(project, options.format, *names)
    if not unchanged.holds():
        # Slow to import, and only needed where there is something to do.
        from scripts.builds.catalogue import build

        outputs = build(
            project,
            names,
            options.format,
            jobs=max(options.jobs, 1),
            quiet=options.quiet,
            keep_going=options.keep_going,
            trace=options.trace,
        )
        unchanged.keep(outputs)
    elif not options.quiet:
        print(f"Figures up to date: {len(names)}")


if __name__ == "__main__":
    cli.run(main)
