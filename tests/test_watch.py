"""`make watch`: an edit is built when it is saved, and an error does not end the watch."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.conftest import Checkout
from tests.test_errors import ENDLESS, needs_proc, processes, until

SECONDS = 60


@contextmanager
def watching(checkout: Checkout, *words: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        ["make", "watch", *words],
        cwd=checkout.top,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        process.wait(SECONDS)


def until_done(process: "subprocess.Popen[str]") -> str:
    """The output up to the end of the next build."""
    printed = ""
    assert process.stdout is not None
    for line in process.stdout:
        printed += line
        if line.endswith("watching.\n"):
            return printed
    pytest.fail(f"the watch ended: {printed}")


def test_what_an_edit_touches_is_built_again_and_mistakes_are_survived(checkout: Checkout) -> None:
    gif = checkout.top / "build" / "gif" / "tiny.gif"
    other = (checkout.top / "build" / "gif" / "values.gif").stat().st_mtime_ns
    with watching(checkout, "FIGURES=tiny") as process:
        assert "up to date" in until_done(process)
        before = gif.read_bytes()
        checkout.edit("figures/tiny.toml", "input_size = 3", "input_size = 4")
        assert "[1/1] tiny, 9 frames" in until_done(process)
        assert gif.read_bytes() != before
        checkout.edit("figures/tiny.toml", "input_size = 4", "input_size = 0")
        printed = until_done(process)
        assert "input_size: cannot be 0" in printed
        assert "Failed" in printed
        checkout.edit("figures/tiny.toml", "input_size = 0", "input_size = 3")
        assert "[1/1] tiny, 4 frames" in until_done(process)
        assert gif.read_bytes() == before
    assert (checkout.top / "build" / "gif" / "values.gif").stat().st_mtime_ns == other


@needs_proc
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("building", [False, True])
def test_a_signal_to_make_ends_the_whole_tree(checkout: Checkout, number: signal.Signals, building: bool) -> None:
    with watching(checkout, "FIGURES=tiny") as process:
        until_done(process)
        if building:
            checkout.edit("templates/views/plane.tex.j2", *ENDLESS)
            until((checkout.top / "build" / "work" / "tiny" / "begun.tex").is_file)
        # To the terminal's group, as Ctrl-C does; others send TERM to make alone.
        (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
        process.wait(SECONDS)
        until(lambda: not processes(checkout.top))
