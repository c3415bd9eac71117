"""`make watch`: an edit is built when it is saved, and an error does not end the watch."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
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


def terminate(process: "subprocess.Popen[str]") -> None:
    """As `kill` does, which names Make alone."""
    process.terminate()


def interrupt(process: "subprocess.Popen[str]") -> None:
    """As a terminal does, which names all that it runs."""
    os.killpg(process.pid, signal.SIGINT)


@needs_proc
@pytest.mark.parametrize("end", [terminate, interrupt])
def test_nothing_outlives_a_watch(checkout: Checkout, end: Callable[["subprocess.Popen[str]"], None]) -> None:
    """Neither while it waits nor while TeX runs."""
    with watching(checkout, "FIGURES=tiny") as process:
        until_done(process)
        assert processes(checkout.top)
        end(process)
        process.wait(SECONDS)
        until(lambda: not processes(checkout.top))
    checkout.edit("templates/views/plane.tex.j2", *ENDLESS)
    with watching(checkout, "FIGURES=tiny") as process:
        until((checkout.top / "build" / "work" / "tiny" / "begun.tex").is_file)
        assert "pdflatex" in processes(checkout.top).values()
        end(process)
        process.wait(SECONDS)
        until(lambda: not processes(checkout.top))
