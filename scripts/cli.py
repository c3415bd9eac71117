"""What all commands share: figures named on the command line, mistakes reported without a traceback."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper

from scripts import paths
from scripts.core.figures import Figure, load_all
from scripts.errors import REMEDIES, CombinedError, FileError, LayerError, UserError
from scripts.files import only_build


def parser(description: str | None) -> argparse.ArgumentParser:
    """A command's parser, its help being the module's docstring."""
    return argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)


def names_argument(command: argparse.ArgumentParser) -> None:
    """Let a command take figures' names."""
    command.add_argument("names", nargs="*", metavar="NAME", help="a figure in figures/; all of them by default")


def figures(names: list[str]) -> list[Figure]:
    """The named figures, or all; raises `CombinedError` with the mistakes of all."""
    found, errors = valid_figures(names)
    if errors:
        raise CombinedError(errors)
    return found


def valid_figures(names: list[str]) -> tuple[list[Figure], list[UserError]]:
    """Those of the named figures, or of all, that are valid, and the mistakes of the others."""
    return load_all([paths.FIGURES / f"{name}.toml" for name in dict.fromkeys(names) or paths.figure_names()])


def stage(description: str | None, action: Callable[[Figure], object]) -> None:
    """The command of one stage: do its work for the named figures, from the files of the stage before."""
    command = parser(description)
    names_argument(command)
    names = command.parse_args().names

    def work() -> None:
        problems = list[UserError]()
        with only_build(quiet=False):
            for figure in figures(names):
                # What Make knows of the figure's outputs ends here.
                for record in paths.RECORDS.glob(f"{figure.name}.*"):
                    record.unlink()
                try:
                    action(figure)
                except UserError as error:
                    problems.append(in_figure(figure, error))
        if problems:
            raise CombinedError(problems)

    run(work)


def in_figure(figure: Figure, error: UserError) -> UserError:
    """A mistake with the file it was made in, where it does not say so itself."""
    return UserError(f"{paths.FIGURES / figure.name}.toml: {error}") if isinstance(error, LayerError) else error


@contextmanager
def file_errors() -> Iterator[None]:
    """What the system says of a file, or of a full disk, is no internal error: raise it as `FileError`."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno not in REMEDIES:
            raise
        raise FileError(error, paths.BUILD) from error


def run(work: Callable[[], None]) -> None:
    """Run a command to its exit status: 0, 1 with a mistake's message on standard error, 130 if interrupted.

    141 where what it prints is read no more.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # What the terminal's encoding lacks is shown by its number.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        with file_errors():
            work()
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Nobody reads on, as after `| head`; what is still to be printed goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except UserError as error:
        # A file from a stranger has no say in what a terminal does.
        print("".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in str(error)), file=sys.stderr)
        sys.exit(1)
