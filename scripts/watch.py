"""Builds again whenever a file is saved, until interrupted or terminated; errors do not end the watch."""

import signal
import subprocess
import sys
import time

from watchfiles import watch

from scripts import cli
from scripts.processes import outside_make
from scripts.project import INPUTS, Project

# Files that an editor saves together count as one change.
MILLISECONDS = 50


def main() -> None:
    """Watch, building the goals on the command line."""
    command = cli.parser(__doc__)
    command.add_argument("goals", nargs="+", metavar="GOAL", help="goals and variables of make")
    goals = command.parse_args().goals
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    project = Project.current()
    folders = {project.root / pattern.split("/")[0] for pattern in INPUTS if "/" in pattern}
    changes = watch(*folders, debounce=MILLISECONDS, step=MILLISECONDS // 5, rust_timeout=200, yield_on_timeout=True)
    # The first wait ends as soon as the watch is set up, so that no change is missed during the first build.
    next(changes)
    make(goals)
    for change in changes:
        if change:
            make(goals)


def make(goals: list[str]) -> None:
    """Run Make, which reports its own errors, and print how long it took."""
    started = time.monotonic()
    with subprocess.Popen(["make", "--no-print-directory", *goals], env=outside_make()) as process:
        try:
            failed = process.wait()
        except BaseException:
            # Make ends its own commands.
            process.terminate()
            raise
    print(f"{'Failed' if failed else 'Done'} in {time.monotonic() - started:.1f} s; watching.", flush=True)


if __name__ == "__main__":
    cli.run(main)
