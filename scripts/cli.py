"""What all commands share: their parser, and errors reported without a traceback."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path

from scripts.errors import REMEDIES, FileError, UserError


def parser(description: str | None) -> argparse.ArgumentParser:
    """A command's parser, its help being the module's docstring."""
    return argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)


@contextmanager
def file_errors(folder: Path) -> Iterator[None]:
    """Raise what the system says of a file, or of a full disk, as `FileError`; `folder` is where files are written."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno not in REMEDIES:
            raise
        raise FileError(error, folder) from error


def run(work: Callable[[], None]) -> None:
    """Run a command to its exit status: 0, 1 with an error message on standard error, 130 if interrupted.

    141 if standard output is closed early.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Characters that the terminal's encoding lacks are shown by their numbers.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        with file_errors(Path(os.environ.get("BUILD", "build"))):
            work()
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # As after `| head`; what is still buffered goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except UserError as error:
        # A file from a stranger must not control the terminal.
        print("".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in str(error)), file=sys.stderr)
        sys.exit(1)
