"""Says of each tool and package which version is needed, which there is, what it is for and how to get it.

Run by the system's Python, before or after anything is installed; the exit status is 1 if something is missing.
"""

import re
import signal
import sys
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Tuple

from scripts.machine.needs import complaint, find

VENV = Path(".venv")
WANTED = Path("requirements.in")
PINNED = Path("requirements.txt")
# A name, its version, and on which machines it is needed if not on all.
PIN = r"^([\w.-]+)==([\w.]+)(?: ; ([^\\\n]*))?"


class Package(NamedTuple):
    """A Python package of the project: the version there is, those that will do, and what it is for."""

    name: str
    version: Optional[str]
    pinned: Tuple[str, ...]
    purpose: str

    @property
    def wrong(self) -> bool:
        """Whether there is none, or one of another version."""
        return self.version not in self.pinned


def packages() -> List[Package]:
    """The packages that the project uses itself, and those that these need on every machine."""
    # Newer than the oldest Python that can be told that it is too old.
    from importlib.metadata import distributions

    purposes = dict(re.findall(r"^([\w.-]+) +# (.*)$", WANTED.read_text(encoding="utf-8"), re.MULTILINE))
    pins: Dict[str, List[str]] = {}
    for name, version, condition in re.findall(PIN, PINNED.read_text(encoding="utf-8"), re.MULTILINE):
        if name in purposes or not condition:
            pins.setdefault(name, []).append(version)
    folders = map(str, VENV.glob("lib/python*/site-packages"))
    there = {_normal(found.metadata["Name"]): found.version for found in distributions(path=list(folders))}
    return [
        Package(name, there.get(_normal(name)), tuple(versions), purposes.get(name, "is needed by others"))
        for name, versions in pins.items()
    ]


def _normal(name: str) -> str:
    return re.sub("[-_.]+", "-", name).lower()


def main() -> None:
    """Print a line for each, and what is missing."""
    # Where nobody reads on, as after `| head`, that is the end.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    found = find()
    print("Tools, and the Debian packages that hold them:")
    for need, version, _ in found:
        say(need.name, version, need.oldest, f"{need.purpose} ({need.packages[0]})")
    if complaint(found):
        sys.exit(complaint(found))
    print("Python packages, which make setup installs:")
    own = packages()
    for package in own:
        say(package.name, package.version, " or ".join(package.pinned), package.purpose)
    wrong = [package.name for package in own if package.wrong]
    if wrong:
        sys.exit(f"{VENV} lacks {', '.join(wrong)} in the right version. Run: make setup")
    print("Ready.")


def say(name: str, version: Optional[str], needed: str, purpose: str) -> None:
    """Print what there is, what is needed, and what for."""
    needed = f"needs {needed}" if needed else ""
    print(f"  {name:24} {version or 'missing':24} {needed:22} {purpose}")


if __name__ == "__main__":
    main()
