"""The tools and the parts of TeX and Python that the project needs, and which of them are installed.

Run by the system's Python before anything is installed: it uses the standard library alone, and nothing newer than
Python 3.6, so that an outdated Python prints a message instead of a syntax error.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

SYSTEMS = ("Debian, Ubuntu", "Fedora", "Arch", "macOS")
INSTALL = {
    "Debian, Ubuntu": "sudo apt-get install --no-install-recommends {}",
    "Fedora": "sudo dnf install {}",
    "Arch": "sudo pacman -S {}",
    "macOS": "brew install {}",
}
MACTEX = "--cask mactex-no-gui"


class Need(NamedTuple):
    """A need: its purpose, its package on each of SYSTEMS, and the oldest version that works.

    It is a program, which prints its version when called with `version`; a file of TeX's; or a module of Python's.
    """

    name: str
    purpose: str
    packages: Tuple[str, str, str, str]
    oldest: str = ""
    program: str = ""
    version: str = "--version"
    file: str = ""
    module: str = ""


PYTHON = Need("Python", "runs every stage", ("python3", "python3", "python", "python"), "3.11")
MAKE = Need("GNU Make", "finds what is out of date", ("make", "make", "make", "make"), "4.0", program="make")
NEEDS = (
    PYTHON,
    Need("python3-venv", "keeps the Python packages in .venv",
         ("python3-venv", "python3", "python", "python"), module="ensurepip"),
    MAKE,
    Need("pdflatex", "typesets figures and report",
         ("texlive-latex-base", "texlive-latex", "texlive-latex", MACTEX), "1.40.17", program="pdflatex"),
    Need("LaTeX", "is what TeX runs",
         ("texlive-latex-base", "texlive-latex", "texlive-latex", MACTEX), file="pdflatex.fmt"),
    Need("bibtex", "makes the report's bibliography",
         ("texlive-latex-base", "texlive-bibtex", "texlive-basic", MACTEX), program="bibtex"),
    Need("natbib", "sets the report's citations",
         ("texlive-latex-base", "texlive-natbib", "texlive-latex", MACTEX), file="natbib.sty"),
    Need("hyperref", "links the report's references",
         ("texlive-latex-base", "texlive-hyperref", "texlive-latex", MACTEX), file="hyperref.sty"),
    Need("TikZ", "draws the figures",
         ("texlive-pictures", "texlive-pgf", "texlive-pictures", MACTEX), file="pgf.revision.tex"),
    Need("KOMA-Script", "lays out the report",
         ("texlive-latex-recommended", "texlive-koma-script", "texlive-latexrecommended", MACTEX), file="scrartcl.cls"),
    Need("microtype", "sets the report's lines",
         ("texlive-latex-recommended", "texlive-microtype", "texlive-latexrecommended", MACTEX), file="microtype.sty"),
    Need("booktabs", "sets the report's tables",
         ("texlive-latex-recommended", "texlive-booktabs", "texlive-latexrecommended", MACTEX), file="booktabs.sty"),
    Need("Helvetica", "is the font of labels",
         ("texlive-fonts-recommended", "texlive-collection-fontsrecommended", "texlive-fontsrecommended", MACTEX),
         file="uhvr8a.pfb"),
    Need("Palatino", "is the font of the report",
         ("texlive-fonts-recommended", "texlive-collection-fontsrecommended", "texlive-fontsrecommended", MACTEX),
         file="uplr8a.pfb"),
    Need("Palatino's mathematics", "is the font of its formulas",
         ("texlive-fonts-recommended", "texlive-collection-fontsrecommended", "texlive-fontsrecommended", MACTEX),
         file="fplmr.pfb"),
    Need("TX typewriter", "is the font of its code",
         ("texlive-fonts-recommended", "texlive-collection-fontsrecommended", "texlive-fontsrecommended", MACTEX),
         file="t1xtt.pfb"),
    Need("latexmk", "runs TeX as often as needed",
         ("latexmk", "latexmk", "texlive-binextra", MACTEX), "4.61", program="latexmk"),
    Need("pdftoppm", "turns PDF into pixels",
         ("poppler-utils", "poppler-utils", "poppler", "poppler"), program="pdftoppm", version="-v"),
    Need("pdftocairo", "turns PDF into SVG",
         ("poppler-utils", "poppler-utils", "poppler", "poppler"), program="pdftocairo", version="-v"),
    Need("pdfinfo", "counts a PDF's pages",
         ("poppler-utils", "poppler-utils", "poppler", "poppler"), program="pdfinfo", version="-v"),
)  # fmt: skip
# What only some formats need, which ask for it when they are made.
BEAMER = Need(
    "beamer",
    "lays out slides",
    ("texlive-latex-recommended", "texlive-beamer", "texlive-latexrecommended", MACTEX),
    file="beamer.cls",
)
# What only the tests need, with a library of the program that drives it.
CHROMIUM = Need(
    "Chromium",
    "opens the pages of the site in tests",
    ("chromium libatomic1", "chromium libatomic", "chromium", "--cask chromium"),
    program="chromium",
)
# The system's part of what requirements-NAME.txt pins.
BESIDE = {"test": (CHROMIUM,), "bench": (CHROMIUM,)}
PROGRAMS = tuple(need.program for need in NEEDS if need.program)
TEX_FILES = tuple(need.file for need in NEEDS if need.file)


class Found(NamedTuple):
    """A need and its installed version or path, None if it is missing; `old` if it is too old."""

    need: Need
    version: Optional[str]
    old: bool = False

    @property
    def wrong(self) -> bool:
        """Whether it is missing or too old."""
        return self.version is None or self.old


def find(needs: Sequence[Need] = NEEDS) -> List[Found]:
    """All needs, or some, with what is installed."""
    places = tex_places([need.file for need in needs if need.file])
    return [_found(need, _version(need, places)) for need in needs]


def tex_places(files: Sequence[str] = TEX_FILES) -> Dict[str, Path]:
    """The paths of the TeX files that are installed, by their names."""
    if not files or shutil.which("kpsewhich") is None:
        return {}
    result = subprocess.run(["kpsewhich", "-engine=pdftex", *files], stdout=subprocess.PIPE)
    return {Path(line).name: Path(line) for line in result.stdout.decode().splitlines()}


def _found(need: Need, version: Optional[str]) -> Found:
    return Found(need, version, bool(version and need.oldest and _numbers(version) < _numbers(need.oldest)))


def _version(need: Need, places: Dict[str, Path]) -> Optional[str]:
    if need is PYTHON:
        return sys.version.split()[0]
    if need is MAKE and "MAKE_VERSION" in os.environ:
        # Of the Make that runs this, which may have another name.
        return os.environ["MAKE_VERSION"]
    if need.module:
        return "found" if importlib.util.find_spec(need.module) else None
    if need.file:
        return _tex_version(places[need.file]) if need.file in places else None
    if shutil.which(need.program) is None:
        return None
    result = subprocess.run([need.program, need.version], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    # "pdfTeX 3.141592653-2.6-1.40.24 (TeX Live 2022/Debian)", "Latexmk, John Collins, 7 Jan. 2023. Version 4.79".
    # Debian's chromium may complain before.
    lines = result.stdout.decode(errors="replace").splitlines()
    versions = next(filter(None, (re.findall(r"\d+(?:\.\d+)+\w*", line) for line in lines)), None)
    return versions[-1] if versions and result.returncode == 0 else None


def _tex_version(file: Path) -> str:
    """The date and version in a package's own text, if there are any."""
    text = "" if file.suffix in (".pfb", ".fmt") else file.read_text(encoding="utf-8", errors="replace")
    given = re.search(r"[\[{]\s*([\d/-]{10} v?\d[\w.]*)|pgfversion\{(.*?)\}", text)
    return given.group(1) or given.group(2) if given else "found"


def _numbers(version: str) -> List[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def complaint(found: Sequence[Found]) -> str:
    """A list of what is missing or too old, with purposes and the commands that install it; empty if nothing is."""
    wrong = [one for one in found if one.wrong]
    if not wrong:
        return ""
    lines = ["This machine lacks:"]
    for need, version, _ in wrong:
        what = need.name if version is None else "{} {} or newer (this is {})".format(need.name, need.oldest, version)
        lines.append("  {}: {}".format(what, need.purpose))
    lines.append("Install it with:")
    lines += ["  {:16} {}".format(system + ":", command(system, [one.need for one in wrong])) for system in SYSTEMS]
    if any(one.need is PYTHON for one in wrong):
        lines.append("If a newer Python has another name: make PYTHON=python3.11")
    return "\n".join(lines)


def command(system: str, needs: Sequence[Need]) -> str:
    """The command that installs what is missing on a system."""
    packages = dict.fromkeys(need.packages[SYSTEMS.index(system)] for need in needs)
    words = sorted(packages, key=lambda package: package.startswith("--cask"))
    return INSTALL[system].format(" ".join(words).replace(" --cask", " && brew install --cask"))
