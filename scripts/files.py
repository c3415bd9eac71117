"""Writing outputs whole or not at all, and knowing which of them are up to date."""

import fcntl
import hashlib
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from scripts import paths

Content = str | bytes


# What is not finished yet is hidden, so that no one takes it for an output.
UNFINISHED = ".part"


def write_whole(path: Path, content: Content) -> None:
    """Write a file unless it holds this already; readers see the old content or the new, never a part."""
    data = content.encode() if isinstance(content, str) else content
    if not (path.is_file() and path.read_bytes() == data):
        _replace(path, data)


def _replace(path: Path, data: bytes, modified: float | None = None) -> None:
    """Put a file in the place of another in a single step, with a time of its own where one is given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}{UNFINISHED}")
    try:
        temporary.write_bytes(data)
        if modified is not None:
            os.utime(temporary, (modified, modified))
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_frames(folder: Path, figure: str, ending: str, contents: Mapping[str, Content]) -> None:
    """Write a figure's frames, and remove those of an earlier, longer version of it."""
    for name, content in contents.items():
        write_whole(folder / f"{name}.{ending}", content)
    for path in frame_files(folder, figure, ending):
        if path.stem not in contents:
            path.unlink()


def frame_files(folder: Path, figure: str, ending: str) -> list[Path]:
    """All frames of a figure that a folder holds."""
    name = re.compile(rf"{re.escape(figure)}_\d{{2,3}}\.{ending}")
    return sorted(path for path in folder.glob(f"{figure}_*.{ending}") if name.fullmatch(path.name))


def digest(*contents: Content) -> str:
    """A fingerprint of some inputs."""
    state = hashlib.sha256()
    for content in contents:
        data = content.encode() if isinstance(content, str) else content
        state.update(len(data).to_bytes(8, "big") + data)
    return state.hexdigest()


@cache
def code_fingerprint() -> str:
    """A fingerprint of the modules that this process has loaded and of the libraries, which shape its outputs."""
    folder = paths.SCRIPTS.resolve()
    modules = {Path(file) for module in sys.modules.values() if (file := getattr(module, "__file__", None))}
    files = sorted(file for file in modules if file.is_relative_to(folder))
    return digest(*(file.read_bytes() for file in (*files, paths.REQUIREMENTS)))


@contextmanager
def only_build(quiet: bool) -> Iterator[None]:
    """Wait until no other process builds in the same place, and clear away what a killed one has not finished."""
    paths.BUILD.mkdir(parents=True, exist_ok=True)
    with (paths.BUILD / ".lock").open("w") as lock:
        # Workers and TeX inherit the lock: where the build is killed, it ends with the last of them that writes.
        os.set_inheritable(lock.fileno(), True)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not quiet:
                print(f"Another build is running in {paths.BUILD}; waiting for it.", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        _clear()
        try:
            yield
        except BaseException:
            # Of workers that were ended.
            _clear()
            raise


def _clear() -> None:
    """Remove what is not finished, and never will be."""
    for path in list(paths.BUILD.rglob(f".*{UNFINISHED}")):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Let no other process of the build do in a folder what this one does there."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


class Record:
    """What a product was last made from; Make compares its time, and a stage its fingerprint."""

    def __init__(self, product: str) -> None:
        self.path = paths.RECORDS / product

    def holds(self, fingerprint: str, outputs: Iterable[Path]) -> bool:
        """Whether the outputs are there and were made from just these inputs."""
        try:
            return self.path.read_text() == fingerprint and all(path.is_file() for path in outputs)
        except FileNotFoundError:
            return False

    def drop(self) -> None:
        """Note that the outputs are about to change."""
        self.path.unlink(missing_ok=True)

    def keep(self, fingerprint: str, started: float) -> None:
        """Note that the outputs are complete, as of the time at which their inputs were read."""
        _replace(self.path, fingerprint.encode(), started)
