"""Lists every tool and package with its needed version, its installed version, its purpose and its source.

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
# A name, its version, and the machines that need it if not all do.
PIN = r"^([\w.-]+)==([\w.]+)(?: ; ([^\\\n]*))?"


class Package(NamedTuple):
    """A Python package: its installed version, the pinned ones (they may differ by machine), and its purpose."""

    name: str
    version: Optional[str]
    pinned: Tuple[str, ...]
    purpose: str

    @property
    def wrong(self) -> bool:
        """Whether it is missing or has another version."""
        return self.version not in self.pinned


def packages() -> List[Package]:
    """The packages that the project uses itself, and those that these need on every machine."""
    # Imported here, since a Python that is only reported as too old lacks it.
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
    """Print a line for each tool and package, then those that are missing."""
    # End quietly if the output is closed early, as by `| head`.
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
    """Print the installed version, the needed one and the purpose."""
    needed = f"needs {needed}" if needed else ""
    print(f"  {name:24} {version or 'missing':24} {needed:22} {purpose}")


if __name__ == "__main__":
    main()
