"""Builds the site, which needs no server: open `build/site/index.html`, or put `build/site/` on any host."""

import os

from scripts import cli
from scripts.project import Project


def main() -> None:
    """Build the figures in all formats that the site offers, and its pages."""
    command = cli.parser(__doc__)
    command.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="figures at a time")
    command.add_argument("--quiet", action="store_true", help="print only errors")
    options = command.parse_args()
    # Slow to import, and not needed for --help.
    from scripts.site.website import build

    build(Project.current(), jobs=options.jobs, quiet=options.quiet)


if __name__ == "__main__":
    cli.run(main)
