"""Set-up and doctor on machines that lack something."""

import ast
import os
import re
import shutil
import subprocess
import sys
import zipfile
from hashlib import sha256
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from scripts import setup
from scripts.errors import ToolError
from scripts.machine import needs
from scripts.notation.model_file import layers
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


APT_GET = """#!/bin/sh
case "$*" in
*--print-uris*) echo "Need to get 98.2 MB of archives."
    echo "After this operation, 311 MB of additional disk space will be used." ;;
*Status-Fd*) for percent in 0.0 4.5 50.1 58.9 100.0; do echo "dlstatus:1:$percent:Retrieving file 1 of 9"; done
    echo "Unpacking tex ..."
    echo "pmstatus:tex:66.7:Unpacking tex (amd64)" ;;
esac
echo "$*" >>"$0.log"
"""


def test_system_packages_come_after_their_size_and_with_progress(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "apt-get"
    program.write_text(APT_GET)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    lacking = [needs.Found(need, None) for need in needs.NEEDS if need.name in ("latexmk", "pdfinfo", "pdftoppm")]
    setup.install_system_packages(lacking)
    assert capsys.readouterr().out.splitlines() == [
        "Installing system packages with apt-get: latexmk poppler-utils",
        "  98.2 MB to download, 311 MB of additional disk space",
        "  0 % downloaded",
        "  50 % downloaded",
        "  100 % downloaded",
        "  60 % installed",
    ]
    update, listed, installed = (tmp_path / "apt-get.log").read_text().splitlines()
    assert update == "-q update"
    assert listed == f"-q {installed.partition(' -o')[0].removeprefix('-q ')} --print-uris"
    program.write_text("#!/bin/sh\necho E: no space\nexit 100\n")
    with pytest.raises(SystemExit, match="apt-get update failed:\nE: no space"):
        setup.install_system_packages(lacking)


def test_packages_are_named_with_their_size_as_pip_begins_with_them(capsys: pytest.CaptureFixture[str]) -> None:
    lines = (
        "Collecting numpy==2.4.6 (from -r requirements.txt (line 364))",
        "  Downloading numpy-2.4.6-cp311-cp311-manylinux_2_28_x86_64.whl (16.6 MB)",
        "     ---- 16.6/16.6 MB 153.7 MB/s eta 0:00:00",
        "Processing /packages/jinja2-3.1.6-py3-none-any.whl (from -r requirements.txt (line 17))",
        "  Using cached rich-15.0.0-py3-none-any.whl (310 kB)",
        "Installing collected packages: rich, numpy, jinja2",
    )
    setup.run("printf", r"%s\n", *lines)
    printed = capsys.readouterr().out.splitlines()
    assert printed == ["  numpy 2.4.6 (16.6 MB)", "  jinja2 3.1.6", "  rich 15.0.0 (310 kB)", "  unpacking them"]


# Modules that only some commands import, and the pinned file that they come from.
OPTIONAL = {"onnx": "onnx", "google": "onnx", "matplotlib": "bench", "playwright": "bench"}


def test_the_build_installs_what_the_scripts_import_and_nothing_else() -> None:
    trees = [ast.parse(file.read_text()) for file in (TOP / "scripts").rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    modules = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names - {"scripts", "tests", ""}
    packages = packages_distributions()

    def names(file: str) -> set[str]:
        lines = (TOP / file).read_text().splitlines()
        return {re.split(r"[ =]", line)[0] for line in lines if re.match(r"\w", line)}

    ours = {packages[module][0].lower().replace("_", "-") for module in modules - OPTIONAL.keys()}
    assert names("requirements.in") == ours - {"pydantic-core"}
    assert ours <= names("requirements.txt")
    for module, name in OPTIONAL.items():
        assert module in {"google", *(each.replace("-", "_") for each in names(f"requirements-{name}.in"))}
    # The tests' and the linters' own are not among them.
    others = names("requirements-test.in") | names("requirements-onnx.in") | names("requirements-mp4.in")
    assert {"pytest", "mypy", "ruff", "onnxruntime", "onnx", "imageio-ffmpeg"} <= others
    assert not others & names("requirements.txt")


@pytest.mark.parametrize("file", sorted(TOP.glob("requirements*.txt")), ids=lambda file: file.stem)
def test_every_pinned_file_states_its_size(file: Path) -> None:
    assert re.search(setup.SIZE, file.read_text(), re.MULTILINE)


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
    (tmp_path / "requirements.txt").write_text(save_wheel(tmp_path) + "# at most 1 MB to download\n")
    command = [sys.executable, "-B", "-m", "scripts.setup"]
    environment = os.environ | {"NO_INSTALL": "1", "PYTHONPATH": str(TOP)}
    both = [
        subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    printed = "".join(process.communicate(timeout=120)[0] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert printed == (
        "Installing the Python packages of requirements.txt into .venv: at most 1 MB to download\n"
        "  tiny 1.0\n  unpacking them\n"
    )
    (module,) = (tmp_path / ".venv").glob("lib/python*/site-packages/tiny.py")
    assert (tmp_path / ".venv" / ".ready").exists()
    assert not (tmp_path / ".venv" / ".ready.unfinished").exists()
    # Others are added only by their name.
    shutil.copy(tmp_path / "requirements.txt", tmp_path / "requirements-more.txt")
    assert not (tmp_path / ".venv" / ".more").exists()
    subprocess.run([*command, "more"], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / ".venv" / ".more").exists()
    # As pip leaves it when it is killed.
    module.unlink()
    (tmp_path / ".venv" / ".ready.unfinished").touch()
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    assert module.exists()
    assert not (tmp_path / ".venv" / ".ready.unfinished").exists()


def test_a_model_read_without_its_library_is_told_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ToolError, match=r"package onnx, .* Run: python3 -m scripts\.setup onnx$"):
        layers(tmp_path / "model.onnx")
