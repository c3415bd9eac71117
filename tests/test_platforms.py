"""Other machines: ordinary users, read-only trees, no network."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import RECOLOUR, TOP, UNPRIVILEGED, Checkout, set_writable, share_environment, works

OFFLINE = ["unshare", *([] if os.geteuid() == 0 else ["--map-current-user"]), "--net"]
ORDINARY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]


def state(top: Path) -> dict[Path, int]:
    return {path: path.lstat().st_mtime_ns for path in (top, *top.rglob("*"))}


def test_a_tree_that_cannot_be_written_to_builds_elsewhere_offline(
    fresh: Checkout, built: Checkout, tmp_path: Path
) -> None:
    wrappers = [*(OFFLINE if works(*OFFLINE) else []), *(UNPRIVILEGED if os.geteuid() == 0 else [])]
    if not works(*wrappers):
        pytest.skip("root may write everywhere, and setpriv cannot take that right away here")
    set_writable(fresh.top, False)
    before = state(fresh.top)
    try:
        touch = subprocess.run([*wrappers, "touch", "file"], cwd=fresh.top, capture_output=True, check=False)
        assert touch.returncode != 0
        command = [*wrappers, "make", "report", "gifs", f"BUILD={tmp_path / 'elsewhere'}"]
        subprocess.run(command, cwd=fresh.top, check=True)
        assert state(fresh.top) == before
    finally:
        set_writable(fresh.top, True)
    for kind in ("pdf", "png", "gif", "tex"):
        for path in (built.top / "build" / kind).iterdir():
            assert (tmp_path / "elsewhere" / kind / path.name).read_bytes() == path.read_bytes()


@pytest.mark.full("runs all tests once more")
def test_all_tests_pass_for_an_ordinary_user_offline_in_a_tree_that_cannot_be_written_to() -> None:
    if os.geteuid() != 0 or not works(*ORDINARY) or not works(*OFFLINE):
        pytest.skip("needs a root who may become somebody else and leave the network: setpriv, unshare")
    # In that user's shell, since setpriv itself may still enter any folder.
    try_it = 'exec "$0" -c "import numpy"'
    if subprocess.run([*ORDINARY, "sh", "-c", try_it, TOP / ".venv/bin/python"], check=False).returncode:
        pytest.skip("the Python of .venv, or this folder, is closed to other users")
    # pytest's own folders are closed to others.
    home = Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    try:
        top = home / "mon café"
        shutil.copytree(TOP, top, ignore=shutil.ignore_patterns(".git", ".venv", "build", "__pycache__"))
        share_environment(top)
        (home / "tmp").mkdir()
        set_writable(top, False)
        for folder in (home, home / "tmp"):
            os.chown(folder, 65534, 65534)
        before = state(top)
        command = [*OFFLINE, *ORDINARY, ".venv/bin/python", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        environment = os.environ | {"HOME": str(home), "TMPDIR": str(home / "tmp")}
        result = subprocess.run(command, cwd=top, env=environment, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout[-5000:]
        assert state(top) == before
    finally:
        shutil.rmtree(home)


def test_lint_refuses_what_the_oldest_python_cannot_read() -> None:
    """Whichever Python runs it."""
    command = [sys.executable, "-m", "ruff", "check", "--stdin-filename", "scripts/new.py", "-"]
    for code, status in (("A = int\n", 0), ("type A = int\n", 1), ('A = f"{"a"}"\n', 1)):
        source = f'"""Code."""\n\n{code}'
        result = subprocess.run(command, cwd=TOP, input=source, capture_output=True, text=True, check=False)
        assert result.returncode == status
        assert ("on Python 3.11" in result.stdout) == bool(status)


@pytest.mark.parametrize("module", ["describe", "doctor", "build"])
def test_commands_whose_output_is_read_no_more_end_without_a_word(checkout: Checkout, module: str) -> None:
    """As after `| head`."""
    shutil.copy(TOP / "requirements.in", checkout.top)
    if module == "build":
        checkout.edit(*RECOLOUR)
    words = ["figures/tiny.toml"] if module == "describe" else []
    reader, writer = os.pipe()
    os.close(reader)
    command = [".venv/bin/python", "-m", f"scripts.{module}", *words]
    result = subprocess.run(command, cwd=checkout.top, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert result.stderr == ""
    assert result.returncode in (141, -signal.SIGPIPE)
    # Its outputs are whole, and the next build makes the others.
    assert checkout.run("build")
