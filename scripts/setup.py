"""Finds what the machine lacks, installs or names it, and makes `.venv` from the pinned requirements.

Run by the system's Python before anything is installed, so it uses the standard library alone. System
packages are installed where the user is root and apt-get exists; elsewhere, and with NO_INSTALL=1, each
missing thing is listed with what it is for and the command that installs it.
"""

import importlib.util
import os
import shutil
import subprocess
import sys

OLDEST_PYTHON = (3, 11)
VENV = ".venv"
READY = os.path.join(VENV, ".ready")

SYSTEMS = ("Debian, Ubuntu", "Fedora", "Arch", "macOS")
INSTALL = {
    "Debian, Ubuntu": "sudo apt-get install --no-install-recommends {}",
    "Fedora": "sudo dnf install {}",
    "Arch": "sudo pacman -S {}",
    "macOS": "brew install {}",
}
MACTEX = "--cask mactex-no-gui"

# What is needed, what for, how to see it (a program, a file of TeX's, a module of Python's), and the
# package that holds it on each of SYSTEMS.
NEEDS = [
    ("python3-venv", "keeps the Python packages in .venv", ("module", "ensurepip"),
     ("python3-venv", "python3", "python", "python")),
    ("pdflatex", "typesets figures and report", ("program", "pdflatex"),
     ("texlive-latex-base", "texlive-latex", "texlive-latex", MACTEX)),
    ("bibtex", "makes the report's bibliography", ("program", "bibtex"),
     ("texlive-latex-base", "texlive-bibtex", "texlive-basic", MACTEX)),
    ("TikZ", "draws the figures", ("tex", "tikz.sty"),
     ("texlive-pictures", "texlive-pgf", "texlive-pictures", MACTEX)),
    ("microtype, booktabs and KOMA-Script", "lay out the report", ("tex", "microtype.sty booktabs.sty scrartcl.cls"),
     ("texlive-latex-recommended", "texlive-collection-latexrecommended", "texlive-latexrecommended", MACTEX)),
    ("Helvetica and Palatino", "are the fonts of labels and report", ("tex", "uhvr8a.pfb uplr8a.pfb fplmr.pfb"),
     ("texlive-fonts-recommended", "texlive-collection-fontsrecommended", "texlive-fontsrecommended", MACTEX)),
    ("latexmk", "runs TeX as often as needed", ("program", "latexmk"),
     ("latexmk", "latexmk", "texlive-binextra", MACTEX)),
    ("pdftoppm and pdfinfo", "turn PDF into pixels", ("program", "pdftoppm pdfinfo"),
     ("poppler-utils", "poppler-utils", "poppler", "poppler")),
]  # fmt: skip


def present(kind, names):
    """Whether all of the named programs, TeX files or Python modules are there."""
    for name in names.split():
        if kind == "module":
            found = importlib.util.find_spec(name)
        elif kind == "program":
            found = shutil.which(name)
        else:
            found = (
                shutil.which("kpsewhich")
                and subprocess.run(["kpsewhich", name], stdout=subprocess.DEVNULL).returncode == 0
            )
        if not found:
            return False
    return True


def missing_needs():
    """The needs that this machine does not meet."""
    return [need for need in NEEDS if not present(*need[2])]


def command(system, needs):
    """The command that installs what is missing on a system."""
    packages = dict.fromkeys(packages[SYSTEMS.index(system)] for _, _, _, packages in needs)
    words = sorted(packages, key=lambda package: package == MACTEX)
    return INSTALL[system].format(" ".join(words).replace(f" {MACTEX}", f" && brew install {MACTEX}"))


def say(text):
    """Tell the user at once, before a slow step, unless success is to be silent."""
    if "--quiet" not in sys.argv:
        print(text, flush=True)


def check(needs):
    """Stop with a list of what is missing, if anything is."""
    if not needs:
        return
    lines = ["This machine lacks:"]
    lines += [f"  {name}: {purpose}" for name, purpose, _, _ in needs]
    lines += ["Install it with:"]
    lines += [f"  {system + ':':16} {command(system, needs)}" for system in SYSTEMS]
    sys.exit("\n".join(lines))


def install_system_packages(needs):
    """Install what is missing with apt-get."""
    packages = sorted({packages[0] for _, _, _, packages in needs})
    say("Installing system packages with apt-get: " + " ".join(packages))
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    for words in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        result = subprocess.run(
            ["apt-get", "-q", *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        if result.returncode != 0:
            sys.exit("apt-get {} failed:\n{}".format(words[0], result.stdout.decode(errors="replace")[-2000:]))


def make_venv():
    """Make the virtual environment with the pinned packages, and mark it as ready."""
    say(f"Installing the Python packages of requirements.txt into {VENV}")
    python = os.path.join(VENV, "bin", "python")
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    for words in ([sys.executable, "-m", "venv", VENV], [python, *install, "-r", "requirements.txt"]):
        if subprocess.run(words).returncode != 0:
            sys.exit("Failed: {}. Its message is above; mend it and run make again.".format(" ".join(words)))
    with open(READY, "w"):
        pass


def main():
    """Set everything up, or say what to do."""
    if sys.version_info < OLDEST_PYTHON:
        sys.exit("Python {}.{} or newer is needed, this is {}. Say which to use: make PYTHON=python3.11".format(
            *OLDEST_PYTHON, sys.version.split()[0]))  # fmt: skip
    needs = missing_needs()
    may_install = not os.environ.get("NO_INSTALL") and os.geteuid() == 0 and shutil.which("apt-get")
    if needs and may_install:
        install_system_packages(needs)
        importlib.invalidate_caches()
        needs = missing_needs()
    check(needs)
    make_venv()


if __name__ == "__main__":
    main()
