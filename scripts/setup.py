"""Installs missing system packages, or lists them, and makes `.venv` from the pinned requirements.

Run by the system's Python before anything is installed, so it uses the standard library alone. System
packages are installed where the user is root and apt-get exists; elsewhere, and with NO_INSTALL=1, what is
missing is listed with its purpose and the command that installs it.
"""

import fcntl
import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Optional, Sequence

from scripts.machine.needs import Found, complaint, find

VENV = Path(".venv")
READY = VENV / ".ready"
UNFINISHED = VENV / ".unfinished"


def say(text: str) -> None:
    """Print at once, before a slow step, unless --quiet is given."""
    if "--quiet" not in sys.argv:
        print(text, flush=True)


def install_system_packages(found: Sequence[Found]) -> None:
    """Install missing packages with apt-get."""
    packages = sorted({one.need.packages[0] for one in found if one.wrong})
    say("Installing system packages with apt-get: " + " ".join(packages))
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    for words in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        result = subprocess.run(
            ["apt-get", "-q", *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        if result.returncode != 0:
            sys.exit("apt-get {} failed:\n{}".format(words[0], result.stdout.decode(errors="replace")[-2000:]))


def stamp() -> Optional[int]:
    """When the virtual environment was last completed, None if it never was."""
    return READY.stat().st_mtime_ns if READY.exists() else None


def make_venv() -> None:
    """Make the virtual environment with the pinned packages, and mark it as ready; one process at a time."""
    before = stamp()
    with Path(__file__).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Unless another process has just done it.
        if stamp() == before:
            install_packages()


def install_packages() -> None:
    """Install into `.venv`, even over the remains of an interrupted installation."""
    say(f"Installing the Python packages of requirements.txt into {VENV}")
    python = str(VENV / "bin" / "python")
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    # A package that was installed half-way may look complete to pip.
    again = ["--force-reinstall"] if UNFINISHED.exists() else []
    VENV.mkdir(exist_ok=True)
    UNFINISHED.touch()
    for words in ([sys.executable, "-m", "venv", str(VENV)], [python, *install, *again, "-r", "requirements.txt"]):
        if subprocess.run(words).returncode != 0:
            sys.exit("Failed: {}. See its message above, and run make again.".format(" ".join(words)))
    READY.touch()
    UNFINISHED.unlink()


def main() -> None:
    """Set everything up, or print what to do."""
    found = find()
    if found[0].old:
        sys.exit(complaint(found[:1]))
    may_install = not os.environ.get("NO_INSTALL") and os.geteuid() == 0 and shutil.which("apt-get")
    if complaint(found) and may_install:
        install_system_packages(found)
        importlib.invalidate_caches()
        found = find()
    if complaint(found):
        sys.exit(complaint(found))
    make_venv()


if __name__ == "__main__":
    main()
