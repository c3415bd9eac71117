"""Set-up and doctor on machines that lack something."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from scripts.machine import needs
from tests.conftest import TOP, Checkout

OLD = {
    "latexmk": ("echo 'Latexmk, John Collins, 7 Jan. 2015. Version 4.52'", "latexmk 4.61 or newer (this is 4.52)"),
    "pdflatex": ("echo 'pdfTeX 3.14159265-2.6-1.40.9 (TeX Live 2009)'", "pdflatex 1.40.17 or newer (this is 1.40.9)"),
    "make": ("echo 'GNU Make 3.81'", "GNU Make 4.0 or newer (this is 3.81)"),
    "kpsewhich": ("exit 1", "TikZ: draws the figures"),
    "pdftoppm": ("exit 127", "pdftoppm: turns PDF into pixels"),
}


def run(module: str, folder: Path, path: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run one of the scripts that need nothing but Python, as `make` runs it."""
    environment = os.environ | {"PATH": path, "NO_INSTALL": "1", "PYTHONPATH": str(TOP)}
    command = [sys.executable, "-B", "-m", f"scripts.{module}", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder with the files that the doctor reads, in which nothing is installed."""
    for name in ("requirements.in", "requirements.txt"):
        shutil.copy(TOP / name, tmp_path)
    (tmp_path / "bin").mkdir()
    return tmp_path


def fake(machine: Path, program: str) -> str:
    """A search path in which another version of a program comes first."""
    file = machine / "bin" / program
    file.write_text(f"#!/bin/sh\n{OLD[program][0]}\n")
    file.chmod(0o755)
    return f"{machine / 'bin'}:{os.environ['PATH']}"


@pytest.mark.parametrize("module", ["setup", "doctor"])
def test_each_missing_thing_is_named_and_nothing_is_changed(machine: Path, module: str) -> None:
    result = run(module, machine, str(machine / "bin"))
    assert result.returncode == 1
    for line in (
        "pdflatex: typesets figures and report",
        "TikZ: draws the figures",
        "Helvetica: is the font of labels",
        "latexmk: runs TeX as often as needed",
        "pdftoppm: turns PDF into pixels",
        "sudo apt-get install --no-install-recommends ",
        "sudo dnf install ",
        "sudo pacman -S ",
        "brew install make poppler && brew install --cask mactex-no-gui",
    ):
        assert line in result.stderr
    assert "Traceback" not in result.stderr
    assert sorted(path.name for path in machine.iterdir()) == ["bin", "requirements.in", "requirements.txt"]


@pytest.mark.parametrize("program", OLD)
def test_what_is_too_old_or_broken_is_told_alike_by_doctor_set_up_and_build(
    machine: Path, fresh: Checkout, program: str
) -> None:
    path = fake(machine, program)
    told = {module: run(module, machine, path) for module in ("setup", "doctor")}
    assert [result.returncode for result in told.values()] == [1, 1]
    assert OLD[program][1] in told["setup"].stderr
    assert told["setup"].stderr == told["doctor"].stderr
    build = run("build", fresh.top, path, "tiny")
    assert build.returncode == 1
    assert build.stderr == told["setup"].stderr
    # Reported before anything was tried.
    assert build.stdout == ""
    assert fresh.outputs("*/*") == {}


def test_the_doctor_lists_every_need_with_versions_purpose_and_package(machine: Path) -> None:
    (machine / ".venv").symlink_to(TOP / ".venv")
    result = run("doctor", machine, os.environ["PATH"])
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.endswith("\nReady.\n")
    for need in needs.NEEDS:
        line = next(line for line in result.stdout.splitlines() if line.startswith(f"  {need.name} "))
        assert f"{need.purpose} ({need.packages[0]})" in line
        assert f"needs {need.oldest}" in line or not need.oldest
    for name in (line.split()[0] for line in (TOP / "requirements.in").read_text().splitlines()[1:]):
        assert re.search(rf"\n  {name} +(\S+) +needs (\S+ or )*\1 ", result.stdout)


def test_the_doctor_misses_packages_of_python(machine: Path) -> None:
    result = run("doctor", machine, os.environ["PATH"])
    assert result.returncode == 1
    assert re.search(r"\.venv lacks .*numpy.* in the right version\. Run: make setup\n$", result.stderr)
    site = machine / ".venv" / "lib" / "python3" / "site-packages"
    for metadata in (TOP / ".venv").glob("lib/python*/site-packages/*.dist-info/METADATA"):
        (site / metadata.parent.name).mkdir(parents=True)
        shutil.copy(metadata, site / metadata.parent.name)
    assert run("doctor", machine, os.environ["PATH"]).returncode == 0
    (info,) = site.glob("jinja2-*.dist-info")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: Jinja2\nVersion: 2.0\n")
    assert ".venv lacks jinja2 in the right version" in run("doctor", machine, os.environ["PATH"]).stderr


def test_an_old_python_is_told_which_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version", "3.10.13 (main)")
    assert "Python 3.11 or newer (this is 3.10.13): runs every stage" in needs.complaint(needs.find())


def save_wheel(folder: Path) -> str:
    """A package with one module, and the line of requirements.txt that pins it."""
    wheel = folder / "tiny-1.0-py3-none-any.whl"
    files = {
        "tiny.py": "",
        "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: none\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files["tiny-1.0.dist-info/RECORD"] = "".join(f"{name},,\n" for name in (*files, "tiny-1.0.dist-info/RECORD"))
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return f"./{wheel.name} --hash=sha256:{sha256(wheel.read_bytes()).hexdigest()}\n"


@pytest.mark.full("makes a virtual environment")
def test_two_set_ups_at_once_install_once_and_a_killed_one_is_made_good(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(save_wheel(tmp_path))
    command = [sys.executable, "-B", "-m", "scripts.setup"]
    environment = os.environ | {"NO_INSTALL": "1", "PYTHONPATH": str(TOP)}
    both = [
        subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    printed = "".join(process.communicate(timeout=120)[0] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert printed.count("Installing the Python packages") == 1
    (module,) = (tmp_path / ".venv").glob("lib/python*/site-packages/tiny.py")
    assert (tmp_path / ".venv" / ".ready").exists()
    assert not (tmp_path / ".venv" / ".unfinished").exists()
    # As pip leaves it when it is killed.
    module.unlink()
    (tmp_path / ".venv" / ".unfinished").touch()
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    assert module.exists()
    assert not (tmp_path / ".venv" / ".unfinished").exists()
