"""What all commands share: their argument parser, and errors reported without a traceback."""

import argparse
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from io import TextIOWrapper
from pathlib import Path

from scripts.errors import UserError
from scripts.files import file_errors


def parser(description: str | None) -> argparse.ArgumentParser:
    """A command's parser, its help being the module's docstring."""
    # Asking for the terminal's width would import modules that take longer than to find that there is nothing to do.
    formatter = partial(argparse.RawDescriptionHelpFormatter, width=100)
    return argparse.ArgumentParser(description=description, formatter_class=formatter)


def run(work: Callable[[], None]) -> None:
    """Run a command and exit with its status.

    0 for success, 1 with a message on standard error, 130 if interrupted, 141 if standard output is closed early.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Characters that the terminal's encoding lacks are printed as escapes.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        with file_errors(Path()):
            work()
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # As after `| head`; discard what is still buffered.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except UserError as error:
        print(printable(str(error)), file=sys.stderr)
        sys.exit(1)


def printable(text: str) -> str:
    """Text that may be of an untrusted file, which must not control the terminal: with escapes."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
