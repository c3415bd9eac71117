"""Builds figures in some formats: single frames, animations or other files.

Only what is out of date is built.  Figures are spread over all cores, the largest first.
"""

import os
import re

from scripts import cli
from scripts.errors import UserError
from scripts.project import Project
from scripts.record.freshness import Unchanged

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def asked_for(project: Project, words: list[str]) -> list[str]:
    """The figures named in `words`, by default all; raises `UserError` for an unknown one."""
    known = project.figure_names()
    for name in known:
        if not NAME.fullmatch(name):
            raise UserError(
                f"A name in figures/ is not a valid name of a figure: {project.figures / name}.toml; "
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
    command.add_argument(
        "--format",
        type=str.split,
        default=["gif"],
        metavar="FORMATS",
        help="gif, pdf, png or others in scripts/formats/; several in one word",
    )
    command.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="figures at a time")
    command.add_argument("--keep-going", action="store_true", help="build the valid figures even if others are invalid")
    command.add_argument("--quiet", action="store_true", help="print only errors")
    command.add_argument("--trace", action="store_true", help="write the times of all stages to trace.json")
    options = command.parse_args()
    project = Project.current()
    names = asked_for(project, options.names)
    if not Unchanged(project, *options.format, *names).holds():
        # Slow to import, and only needed where there is something to do.
        from scripts.builds.catalogue import build

        build(
            project,
            names,
            options.format,
            jobs=options.jobs,
            quiet=options.quiet,
            keep_going=options.keep_going,
            trace=options.trace,
        )
    elif not options.quiet:
        print(f"Figures up to date: {len(names)}")


if __name__ == "__main__":
    cli.run(main)
