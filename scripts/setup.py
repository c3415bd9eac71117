"""Installs missing system packages, or lists them, and installs pinned Python packages into `.venv`.

Run by the system's Python before anything is installed, so it uses the standard library alone. System
packages are installed where the user is root and apt-get exists; elsewhere, and with NO_INSTALL=1, what is
missing is listed with its purpose and the command that installs it. The packages are those of the build, or with
the argument NAME those of requirements-NAME.txt, which only some commands need, with the system packages beside them.
"""

import fcntl
import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import List, Optional, Sequence

from scripts.machine.needs import BESIDE, Found, complaint, find

VENV = Path(".venv")
PYTHON = str(VENV / "bin" / "python")
# In a pinned file, written by `make pins`.
SIZE = r"^# (at most \d+ MB to download)$"
# As pip begins with a package: "  Downloading numpy-2.4.6-cp311-cp311-manylinux_2_28_x86_64.whl (16.6 MB)".
BEGUN = r"\s*(?:Downloading|Using cached|Processing) (?:\S*/)?([\w.]+)-([^-\s]+)\S*( \([\d.]+ .?B\))?"
# As apt-get and dpkg report to a file descriptor: "dlstatus:7:41.2:Retrieving file 7 of 60", "pmstatus:tex:12:…".
STATUS = r"(dl|pm)status:[^:]*:([\d.]+):"
# Compiles what the scripts import; the packages' other modules, their tests above all, would take 80 MB.
COMPILE = """
import compileall, contextlib, importlib, pathlib, sys
for file in pathlib.Path("scripts").rglob("*.py"):
    with contextlib.suppress(ImportError):
        importlib.import_module(".".join(file.with_suffix("").parts))

for module in list(sys.modules.values()):
    if "site-packages" in (getattr(module, "__file__", None) or ""):
        compileall.compile_file(module.__file__, quiet=2)
"""


def say(text: str) -> None:
    """Print at once, before a slow step, unless --quiet is given."""
    if "--quiet" not in sys.argv:
        print(text, flush=True)


def install_system_packages(found: Sequence[Found]) -> None:
    """Install missing packages with apt-get."""
    packages = sorted({package for one in found if one.wrong for package in one.need.packages[0].split()})
    say("Installing system packages with apt-get: " + " ".join(packages))
    install = ["install", "-y", "--no-install-recommends", *packages]
    apt_get("update")
    # With this option it lists what it would install, and does not.
    summary = apt_get(*install, "--print-uris")
    sizes = re.search(r"Need to get (.*) of archives\.\n.*operation, (.*) will be used", summary)
    if sizes:
        say(f"  {sizes.group(1)} to download, {sizes.group(2)}")
    apt_get(*install, "-o", "APT::Status-Fd=1")


def apt_get(*words: str) -> str:
    """Run apt-get, saying how far it is at each tenth of its way, and return what it printed."""
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive", LC_ALL="C")
    command = ["apt-get", "-q", *words]
    printed: List[str] = []
    reached = ""
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        for line in process.stdout or ():
            printed.append(line.decode(errors="replace"))
            status = re.search(STATUS, printed[-1])
            if status:
                step = "downloaded" if status.group(1) == "dl" else "installed"
                now = f"  {float(status.group(2)) // 10 * 10:.0f} % {step}"
                if now != reached:
                    say(now)
                reached = now
    if process.returncode != 0:
        text = "".join(printed)[-2000:]
        sys.exit(f"apt-get {words[0]} failed:\n{text}")
    return "".join(printed)


def install_packages(name: str) -> None:
    """Install the build's packages, or those that `name` adds, and mark them as ready; one process at a time."""
    ready = VENV / f".{name or 'ready'}"
    before = stamp(ready)
    with Path(__file__).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Unless another process has just done it.
        if stamp(ready) == before:
            pinned = Path(f"requirements-{name}.txt" if name else "requirements.txt")
            size = re.search(SIZE, pinned.read_text(encoding="utf-8"), re.MULTILINE)
            say(f"Installing the Python packages of {pinned} into {VENV}" + (f": {size.group(1)}" if size else ""))
            unfinished = ready.with_suffix(".unfinished")
            # A package that was installed half-way may look complete to pip.
            again = ["--force-reinstall"] if unfinished.exists() else []
            VENV.mkdir(exist_ok=True)
            unfinished.touch()
            if name:
                run_pip(pinned, *again)
            else:
                run(sys.executable, "-m", "venv", str(VENV))
                run_pip(pinned, *again, "--no-compile")
                run(PYTHON, "-B", "-c", COMPILE)
            ready.touch()
            unfinished.unlink()


def stamp(ready: Path) -> Optional[int]:
    """When packages were last installed, None if they never were."""
    return ready.stat().st_mtime_ns if ready.exists() else None


def run_pip(pinned: Path, *options: str) -> None:
    """Install pinned packages."""
    run(PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--require-hashes", "-r", str(pinned), *options)


def run(*command: str) -> None:
    """Run a command of Python's, and say which packages pip has begun with."""
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        for line in process.stdout or ():
            begun = re.match(BEGUN, line.decode(errors="replace"))
            if begun:
                say("  {} {}{}".format(begun.group(1), begun.group(2), begun.group(3) or ""))
            elif line.startswith(b"Installing collected packages"):
                say("  unpacking them")
    if process.returncode != 0:
        sys.exit("Failed: {}. See its message above, and run make again.".format(" ".join(command[:4])))


def main() -> None:
    """Set everything up, or print what to do."""
    names = [word for word in sys.argv[1:] if word != "--quiet"]
    if names:
        found = provided(find(BESIDE.get(names[0], ())))
        if complaint(found):
            # What can do without it should not fail.
            print(complaint(found), file=sys.stderr)
        install_packages(names[0])
    else:
        set_up()


def set_up() -> None:
    """Install what the build needs."""
    found = find()
    if found[0].old:
        sys.exit(complaint(found[:1]))
    found = provided(found)
    if complaint(found):
        sys.exit(complaint(found))
    install_packages("")


def provided(found: List[Found]) -> List[Found]:
    """The needs again, after those that are missing have been installed, where that is possible."""
    may_install = not os.environ.get("NO_INSTALL") and os.geteuid() == 0 and shutil.which("apt-get")
    if not complaint(found) or not may_install:
        return found
    install_system_packages(found)
    importlib.invalidate_caches()
    return find([one.need for one in found])


if __name__ == "__main__":
    main()
