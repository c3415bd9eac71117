"""Running programs and workers so that none of them outlives the build that started it."""

import errno
import gc
import multiprocessing
import multiprocessing.connection
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from scripts.errors import ToolError, UserError

# A program that fails with fewer free bytes on its disk is taken to have failed for lack of space.
FULL = 1 << 16

# Runs a command in a process group that ends when the other end of its standard input is closed, which is also
# when the process that holds that end is killed.  Lower descriptors than 9 may be inherited, as the build's lock is.
GUARDED = """exec 9<&0 </dev/null
{ read -r _ <&9; kill -KILL 0; } >/dev/null 2>&1 &
"$@" 9<&-
status=$?
{ kill $!; wait $!; } 2>/dev/null
exit $status"""


class TimeLimitError(ToolError):
    """A program that took too long."""

    def __init__(self, program: str, folder: Path, seconds: int) -> None:
        super().__init__(
            f"{program} took over {seconds} s in {folder} and was stopped. Look for an infinite loop; "
            f"if it only needs longer, allow more: make TIME_LIMIT={5 * seconds}"
        )
        self.cause = f"{program} took over {seconds} s"


def outside_make() -> dict[str, str]:
    """The environment without the variables by which Make instructs another Make."""
    makes_own = ("MAKEFLAGS", "MAKELEVEL", "MAKE_VERSION", "BUILD")
    return {name: value for name, value in os.environ.items() if name not in makes_own}


def time_limit() -> int:
    """The seconds that a program may take for one figure or the report; raises `UserError`."""
    given = os.environ.get("TIME_LIMIT", "120")
    if not given.isdecimal() or int(given) < 1:
        raise UserError(f"TIME_LIMIT: cannot be {given!r}. It is a whole number of seconds from 1, for each figure.")
    return int(given)


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """Run a program in a folder and return its standard output.

    Raises `ToolError` if it is missing, fails or is too slow.
    """
    seconds = time_limit()
    if shutil.which(command[0]) is None:
        raise ToolError(f"{command[0]} is not installed. Run: make doctor")
    alive, guard = os.pipe()
    with subprocess.Popen(
        ["sh", "-c", GUARDED, "sh", *command],
        cwd=folder,
        env={**os.environ, **environment},
        stdin=alive,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,
        close_fds=False,  # of which only the build's lock is inherited, see files.only_build
    ) as process:
        os.close(alive)
        try:
            printed, complaints = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise TimeLimitError(command[0], folder, seconds) from None
        finally:
            os.close(guard)
    if process.returncode != 0:
        if shutil.disk_usage(folder).free < FULL:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
        raise ToolError(f"{command[0]} failed in {folder}:\n{_last_lines(printed + complaints)}")
    return printed


def _last_lines(output: bytes) -> str:
    return "\n".join(f"    {line}" for line in output.decode(errors="replace").splitlines()[-12:])


@contextmanager
def workers(count: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of processes that end with this one, at once if it is interrupted; raises `ToolError` if one is killed."""
    # Otherwise each worker's garbage collector would copy the memory that it shares with this process.
    gc.freeze()
    pool = ProcessPoolExecutor(count, multiprocessing.get_context("fork"), initializer=_begin)
    try:
        # The first task starts the workers; an interrupt in the middle of that would be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        pool.submit(int)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        yield pool
    except BrokenProcessPool as error:
        raise ToolError("A process of the build was killed, perhaps for lack of memory. Run make again.") from error
    except BaseException:
        # Otherwise workers would finish their queue.
        for worker in multiprocessing.active_children():
            worker.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """Let this worker be interrupted, and end it as soon as its parent ends, even if that is killed."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    parent = multiprocessing.parent_process()
    if parent is None:
        raise RuntimeError("only a worker ends with its parent")

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
