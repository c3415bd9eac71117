"""Killed and concurrent builds: every output is whole, and the next build corrects all of them."""

import fcntl
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from scripts.builds.catalogue import planned, run
from scripts.files import UNFINISHED
from scripts.record.freshness import Unchanged
from scripts.stages.typeset import TexFormat, typeset_together
from tests.conftest import RECOLOUR, TOP, Checkout

GOALS = ("report", "gifs")
DRAW = ["draw", "LAYER=Conv2d(1, 1, 2)", "INPUT=3"]
OUTPUTS = ("tex/*", "pdf/*", "png/*", "gif/*", "report/figures/*", "report.pdf", "provenance.json")

# The difference between two states of the sources: one figure has fewer frames, all have another colour.
EDITS = (
    ("figures/tiny.toml", "input_size = 3", "input_size = [3, 2]"),
    RECOLOUR,
    ("report/report.tex", "See ", "Look at "),
)


# Kills a build from within, at one of the operations on files of its first process or of its workers: just after a
# file is opened to write to it, or just before one is renamed, removed or given a time.
SITE = """
import os, signal, sys

who, at, top = (os.environ.get(name, "") for name in ("KILL_WHO", "KILL_AT", "KILL_IN"))
left = int(at or 0)

def hook(event, arguments):
    global left
    writing = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if not (writing or event in ("os.rename", "os.remove", "os.rmdir", "os.utime")):
        return
    processes = sys.modules.get("multiprocessing.process")
    if who == ("worker" if processes and processes.parent_process() else "first") and is_below_top(arguments[0]):
        left -= 1
        if left == 0:
            if writing:
                os.close(os.open(arguments[0], arguments[2]))
            os.killpg(0, signal.SIGKILL)

def is_below_top(path):
    return isinstance(path, str | os.PathLike) and os.path.abspath(path).startswith(top)

sys.addaudithook(hook)
"""


def contents(checkout: Checkout) -> dict[str, bytes]:
    """All outputs without temporary files."""
    return {path: data for path, data in checkout.contents(*OUTPUTS).items() if not path.endswith(UNFINISHED)}


def build_all(checkout: Checkout) -> None:
    """Build all goals."""
    for command in ("report", "build"):
        checkout.run(command)


def change(checkout: Checkout, state: int) -> None:
    """Edit the sources from one state to the other."""
    for file, first, second in EDITS:
        checkout.edit(file, *((first, second) if state else (second, first)))


def start(checkout: Checkout, *words: str, **variables: str) -> "subprocess.Popen[str]":
    """A build in a process group of its own, with more variables in its environment."""
    return subprocess.Popen(
        ["make", *words],
        cwd=checkout.top,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def members(session: int) -> list[int]:
    """The running processes of a session."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, its_session = file.read_text(errors="replace").rpartition(")")[2].split()[:4]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(its_session) == session and state != "Z":
            found.append(int(file.parent.name))
    return sorted(found)


def hit(build: "subprocess.Popen[str]", choice: random.Random) -> str:
    """Kill a random process of a build and return its name."""
    if running := members(build.pid):
        victim = choice.choice(running)
        with suppress(FileNotFoundError, ProcessLookupError):
            name = Path(f"/proc/{victim}/comm").read_text().strip()
            os.kill(victim, signal.SIGKILL)
            return name
    return "nothing"


def hit_all(build: "subprocess.Popen[str]") -> None:
    """Kill all of a build's processes."""
    for victim in members(build.pid):
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)


@pytest.mark.parametrize("at", range(1, 4))
def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, at: int) -> None:
    (tmp_path / "sitecustomize.py").write_text(SITE)
    (tmp_path / "build").mkdir()
    file = tmp_path / "build" / "file"
    file.write_text("old")
    code = f"import pathlib, scripts.files; scripts.files.write_whole(pathlib.Path({str(file)!r}), 'new')"
    place = {"PYTHONPATH": str(tmp_path), "KILL_WHO": "first", "KILL_IN": str(tmp_path / "build"), "KILL_AT": str(at)}
    command = [sys.executable, "-c", code]
    status = subprocess.run(command, env=os.environ | place, start_new_session=True, check=False).returncode
    # Opening and renaming it are two operations.
    assert (status, file.read_text()) == ((-signal.SIGKILL, "old") if at < 3 else (0, "new"))


def test_what_is_edited_while_it_is_built_counts_as_changed(checkout: Checkout) -> None:
    """For the stages of a figure, and for the check whether anything has changed at all."""
    project = checkout.project
    edit = ("figures/tiny.toml", "input_size = 3", "input_size = [3, 2]")
    checkout.edit(*edit)
    tex_format = TexFormat(project)
    unchanged = Unchanged(project, "gif")
    builds, errors = planned(project, ["tiny"], ["gif"], tex_format)
    checkout.edit(edit[0], edit[2], edit[1])
    assert errors + run(project, builds, tex_format, 1, True, False) == []
    assert len(checkout.outputs("tex/tiny_0*")) == 2
    unchanged.keep([])
    assert not Unchanged(project, "gif").holds()
    (again,), _ = planned(project, ["tiny"], ["gif"], tex_format)
    assert not again.is_fresh
    run(project, [again], tex_format, 1, True, False)
    assert len(checkout.outputs("tex/tiny_0*")) == 4
    assert planned(project, ["tiny"], ["gif"], tex_format)[0][0].is_fresh


def test_what_a_killed_build_compiled_does_not_pass_for_the_old_sources(checkout: Checkout) -> None:
    """TeX overwrites a document before its record is written; then the edit is taken back."""

    def killed(*arguments: Any) -> None:
        typeset_together(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    before = contents(checkout)
    checkout.edit(*RECOLOUR)
    with patch("scripts.builds.catalogue.typeset_together", killed):
        assert "A process of the build was killed" in checkout.run("build", "--jobs=1", fails=True)
    checkout.edit(RECOLOUR[0], *reversed(RECOLOUR[1:]))
    checkout.run("build")
    assert contents(checkout) == before


@pytest.mark.parametrize("command", ["build", "report"])
def test_a_build_writes_its_last_file_before_another_begins(
    checkout: Checkout, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which would delete its temporary files."""
    kept = []

    def keep(unchanged: Unchanged, _outputs: Iterable[Path]) -> None:
        with (checkout.top / "build" / ".lock").open() as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        kept.append(unchanged)

    monkeypatch.setattr(Unchanged, "keep", keep)
    checkout.edit("figures/tiny.toml", "input_size = 3", "input_size = [3, 2]")
    checkout.run(command)
    assert len(kept) == 1


def test_nothing_to_do_is_said_of_what_was_asked_for_alone(checkout: Checkout) -> None:
    unchanged = Unchanged(checkout.project, "gif", "tiny")
    assert not unchanged.holds()
    outputs = [checkout.top / "build" / "gif" / "tiny.gif"]
    unchanged.keep(outputs)
    assert Unchanged(checkout.project, "gif", "tiny").holds()
    assert not Unchanged(checkout.project, "pdf", "tiny").holds()
    outputs[0].write_bytes(b"")
    assert not Unchanged(checkout.project, "gif", "tiny").holds()
    unchanged.keep(outputs)
    (checkout.top / "templates" / "more").mkdir()
    assert Unchanged(checkout.project, "gif", "tiny").holds()
    (checkout.top / "templates" / "more" / "new.tex").touch()
    assert not Unchanged(checkout.project, "gif", "tiny").holds()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found in /proc")
def test_a_build_killed_at_any_moment_leaves_whole_files_and_is_taken_up(
    checkout: Checkout, tmp_path: Path, full: bool, seed: int, notes: list[str]
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SITE)
    states = [contents(checkout)]
    change(checkout, 1)
    started = time.monotonic()
    build_all(checkout)
    seconds = time.monotonic() - started
    states.append(contents(checkout))
    assert all(states[0][path] != states[1].get(path) for path in states[0] if path.startswith(("gif", "report")))
    killed = Counter[str]()
    old, new = 0, 1
    for number in range(200 if full else 2):
        choice = random.Random(f"{seed} {number}")  # noqa: S311
        old, new = new, old
        change(checkout, new)
        goals = choice.sample(GOALS, 2)
        victim = choice.choice(["all", "one", "inside"])
        if victim == "inside":
            who, most = choice.choice([("first", 20), ("worker", 60)])
            at = str(choice.randint(1, most))
            place = {"PYTHONPATH": str(tmp_path / "site"), "KILL_IN": str(checkout.top / "build")}
            build = start(checkout, *goals, **place, KILL_WHO=who, KILL_AT=at)
            victim = f"operation {at} of {who}"
        else:
            build = start(checkout, *goals)
            time.sleep(choice.uniform(0, 0.8 * seconds))
            if victim == "one":
                victim = hit(build, choice)
            else:
                hit_all(build)
        # The output is closed once no process is left that could write to it.
        printed = build.communicate(timeout=120)[0]
        where = f"seed {seed}, round {number}, killed {victim}, status {build.returncode}:\n{printed}"
        killed[victim.split()[0]] += 1
        assert "Traceback" not in printed, where
        for path, content in contents(checkout).items():
            assert content in (states[old].get(path), states[new].get(path)), f"{path} is cut off; {where}"
        if build.returncode == 0:
            assert contents(checkout) == states[new], where
        # The edit may also be undone.
        if choice.random() < 0.5:
            old, new = new, old
            change(checkout, new)
        build_all(checkout)
        after = contents(checkout)
        assert sorted(after) == sorted(states[new]), where
        assert [path for path in after if after[path] != states[new][path]] == [], where
        assert list((checkout.top / "build").rglob(f".*{UNFINISHED}")) == [], where
    notes.append(f"builds killed: {', '.join(f'{count} × {name}' for name, count in sorted(killed.items()))}")


def test_builds_side_by_side_all_succeed(fresh: Checkout, built: Checkout) -> None:
    """They wait for one another, even if one builds the report and the other draws."""
    builds = [start(fresh, *words) for words in (("gifs",), ("gifs",), ("report",), ("-j4", "pngs"), DRAW)]
    printed = [build.communicate(timeout=300)[0] for build in builds]
    assert [build.returncode for build in builds] == [0] * len(builds), printed
    assert contents(fresh) == contents(built)
    assert len(fresh.outputs("draw/*/*.gif")) == 1
    assert fresh.make("gifs") == "Figures up to date: 3\n"


@pytest.mark.parametrize("words", [["report"], DRAW, ["pdfs", "FIGURES=tiny"]])
def test_a_build_says_that_it_waits_for_another(checkout: Checkout, words: list[str]) -> None:
    checkout.edit(*RECOLOUR)
    before = contents(checkout)
    with (checkout.top / "build" / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        build = start(checkout, *words)
        assert build.stdout is not None
        assert build.stdout.readline() == "Another build is running in build; waiting for it.\n"
        assert contents(checkout) == before
    build.communicate(timeout=120)
    assert build.returncode == 0


def test_what_outlives_a_killed_build_keeps_others_waiting(tmp_path: Path) -> None:
    """Here a program that leaves the process group of its build and waits."""
    os.mkfifo(tmp_path / "gate")
    stays = "import os; os.setsid(); open('started', 'w').close(); open('gate').read()"
    code = (
        "import sys\nfrom pathlib import Path\nfrom scripts.files import only_build\n"
        "from scripts.processes import run\n"
        f"with only_build(Path('build'), quiet=True):\n    run([sys.executable, '-c', {stays!r}], Path())\n"
    )
    environment = os.environ | {"PYTHONPATH": str(TOP), "BUILD": "build"}
    build = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env=environment)
    while not (tmp_path / "started").exists():
        assert build.poll() is None
        time.sleep(0.01)
    build.kill()
    build.wait()
    with (tmp_path / "build" / ".lock").open() as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (tmp_path / "gate").write_text("go on\n")
        fcntl.flock(lock, fcntl.LOCK_EX)
