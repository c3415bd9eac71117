"""The same sources give the same bytes, for every user, place and time."""

import json
import os
import re
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from scripts.tex.latexmk import latexmk
from tests.conftest import PLAIN, PROJECT, RECOLOUR, STYLED, Checkout, whole_checkout

OUTPUTS = ("tex/*", "pdf/*", "png/*", "gif/*", "report.pdf", "report/figures/*", "provenance.json")
GOALS = ("report", "gifs")


def first_difference(one: Path, other: Path) -> str:
    """The first file and byte at which the outputs of two builds differ; empty if they are equal."""
    files = [{str(path.relative_to(top)) for kind in OUTPUTS for path in top.glob(kind)} for top in (one, other)]
    for name in sorted(files[0] | files[1]):
        if name not in files[0] & files[1]:
            return f"{name}: only in {one if name in files[0] else other}"
        a, b = (one / name).read_bytes(), (other / name).read_bytes()
        if a != b:
            at = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
            around = slice(max(at - 20, 0), at + 20)
            return f"{name}: differs from byte {at} on, {a[around]!r} and {b[around]!r}"
    return ""


def build_elsewhere(checkout: Checkout, locale: Path) -> list[str]:
    """Build under unusual circumstances; returns those that could not be varied on this machine."""
    missing, command = [], ["make", "-j7", *GOALS]
    variables = {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "4711", "LC_ALL": "C", "COLUMNS": "40"}
    made = shutil.which("localedef") and subprocess.run(
        ["localedef", "-i", "de_DE", "-f", "ISO-8859-1", locale / "de_DE.ISO-8859-1"], capture_output=True, check=False
    )
    if made and made.returncode == 0:
        variables |= {"LOCPATH": str(locale), "LC_ALL": "de_DE.ISO-8859-1"}
    else:
        missing.append("another locale than C")
    # Not forwards, or latexmk would consider TeX's output outdated.
    if shutil.which("faketime"):
        command = ["faketime", "-f", "-400d", *command]
    else:
        missing.append("another day (faketime is not installed)")
    environment = os.environ | variables
    result = subprocess.run(
        command, cwd=checkout.top, env=environment, capture_output=True, umask=0o077, errors="replace", check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return missing


def test_builds_elsewhere_are_the_same_bytes(
    checkout: Checkout, fresh: Checkout, tmp_path: Path, notes: list[str]
) -> None:
    """In another folder, time zone, locale, umask, with another hash seed and number of jobs, on another day."""
    for one in (checkout, fresh):
        one.edit("report/report.tex", PLAIN, STYLED)
    checkout.run("report")
    missing = build_elsewhere(fresh, tmp_path)
    assert first_difference(checkout.top / "build", fresh.top / "build") == ""
    notes.extend(f"reproducible builds were not tried with {what}" for what in missing)


@pytest.mark.full("takes minutes")
def test_builds_of_the_whole_project_are_the_same_bytes(tmp_path: Path) -> None:
    one, other = whole_checkout(tmp_path / "one"), whole_checkout(tmp_path / "other é")
    one.make(*GOALS)
    build_elsewhere(other, tmp_path)
    assert first_difference(one.top / "build", other.top / "build") == ""


def test_the_first_difference_is_named(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for top in (one, other):
        (top / "gif").mkdir(parents=True)
        (top / "gif" / "a.gif").write_bytes(b"same")
        (top / "report.pdf").write_bytes(b"2024" if top == one else b"2025")
    assert first_difference(one, other) == "report.pdf: differs from byte 3 on, b'2024' and b'2025'"
    (other / "gif" / "a.gif").write_bytes(b"same and more")
    assert first_difference(one, other).startswith("gif/a.gif: differs from byte 4 on")
    (one / "gif" / "a.gif").unlink()
    assert first_difference(one, other) == f"gif/a.gif: only in {other}"


def test_the_clock_does_not_reach_tex(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    source = tmp_path / "clock.tex"
    source.write_text(r"\documentclass{article}\begin{document}\today{} \the\time\end{document}")
    latexmk(source)
    printed = subprocess.run(["pdftotext", source.with_suffix(".pdf"), "-"], capture_output=True, text=True, check=True)
    assert printed.stdout.split()[:4] == ["January", "1,", "1970", "0"]


def provenance(checkout: Checkout) -> dict[str, dict[str, str]]:
    return dict(json.loads((checkout.top / "build" / "provenance.json").read_text()))


def test_provenance_tells_inputs_and_tools(built: Checkout) -> None:
    told = provenance(built)
    assert list(told) == ["commit", "date", "inputs", "tools", "packages"]
    inputs = {str(file.relative_to(built.top)) for file in built.project.inputs()}
    assert told["inputs"].keys() == inputs
    for file, digest in told["inputs"].items():
        assert digest == sha256((built.top / file).read_bytes()).hexdigest()
    assert {"Python", "GNU Make", "pdflatex", "TikZ", "latexmk", "pdftoppm"} <= set(told["tools"])
    assert all(re.match(r"\d+[./-]\d+", version) for version in told["tools"].values())
    pins = re.findall(r"^(\S+)==(\S+)", PROJECT.requirements.read_text(), flags=re.MULTILINE)
    assert told["packages"]
    assert told["packages"].items() <= set(pins)
    # No path and no time but `date`, the day of the commit.
    text = (built.top / "build" / "provenance.json").read_text()
    assert str(built.top) not in text
    assert os.sep * 2 not in text


# Writes the names of all files that a command opens to read them.
OPENED = """
import os, runpy, sys

def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
        with os.fdopen(os.dup(log), "a") as file:
            file.write(os.path.abspath(arguments[0]) + "\\n")

log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
module, sys.argv = sys.argv[2], sys.argv[2:]
sys.addaudithook(hook)
runpy.run_module(module, run_name="__main__")
"""


def test_all_that_is_read_is_an_input(checkout: Checkout, tmp_path: Path) -> None:
    """By Python, which writes everything that TeX reads."""
    checkout.edit(*RECOLOUR)
    for module in ("scripts.build", "scripts.report"):
        command = [".venv/bin/python", "-c", OPENED, str(tmp_path / "opened"), module]
        subprocess.run(command, cwd=checkout.top, check=True, stdout=subprocess.DEVNULL)
    top = checkout.top.resolve()
    opened = {Path(line) for line in (tmp_path / "opened").read_text().splitlines()}
    inputs = {top / file.relative_to(checkout.top) for file in checkout.project.inputs()}
    read = {file for file in opened if file.is_relative_to(top) and file.is_file() and file.suffix != ".pyc"}
    read -= {file for file in read if {"build", ".venv"} & set(file.relative_to(top).parts)}
    assert {"tiny.toml", "report.tex", "classic.tex", "plane.py", "requirements.txt"} <= {file.name for file in read}
    assert read - inputs == set()


def test_provenance_follows_the_last_build(checkout: Checkout) -> None:
    file = checkout.top / "build" / "provenance.json"
    before, time = provenance(checkout), file.stat().st_mtime_ns
    (checkout.top / "templates" / "styles.tex").touch()
    checkout.run("build", "--format=pdf")
    assert file.stat().st_mtime_ns == time
    checkout.edit("figures/tiny.toml", "input_size = 3", "input_size = [3, 2]")
    checkout.run("build", "--format=pdf")
    changed = {name for name, digest in provenance(checkout)["inputs"].items() if before["inputs"][name] != digest}
    assert changed == {"figures/tiny.toml"}
    checkout.edit("templates/styles.tex", r"\newif", r"\newiff")
    checkout.run("build", fails=True)
    assert not file.exists()


def test_every_pin_has_a_hash() -> None:
    for file in sorted(PROJECT.root.glob("requirements*.txt")):
        entries = re.split(r"^(?=\S)", file.read_text().replace("\\\n", ""), flags=re.MULTILINE)
        pins = [entry for entry in entries if entry.strip() and not entry.startswith("#")]
        for pin in pins:
            assert re.match(r"[\w.-]+==\S+", pin), pin
            assert "--hash=sha256:" in pin, pin
        names = {re.split(r"[=<>;\s]", pin)[0] for pin in pins}
        wanted = set(re.findall(r"^[\w.-]+", file.with_suffix(".in").read_text(), flags=re.MULTILINE)) - {"-c"}
        assert wanted <= names, f"{file} is older than its .in file: make pins"
    assert "--require-hashes" in Path("scripts/setup.py").read_text()
