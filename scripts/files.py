"""Writing files atomically, and one build at a time."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.errors import REMEDIES, FileError, UserError

Content = str | bytes

# Temporary files are hidden, so that none is taken for an output.
UNFINISHED = ".part"
# In a folder that was empty or did not exist before the first build; no other one is deleted by `make clean`.


def write_whole(path: Path, content: Content) -> None:
    """Write a file unless it has this content already; readers see the old content or the new, never a part."""
    data = content.encode() if isinstance(content, str) else content
    if path.is_file() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}{UNFINISHED}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def read_record(path: Path) -> dict[str, Any]:
    """The JSON object in a file that a build wrote; empty if the file is missing or spoilt."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def digest(*contents: Content) -> str:
    """A fingerprint of contents in their order."""
    state = hashlib.sha256()
    for content in contents:
        data = content.encode() if isinstance(content, str) else content
        state.update(len(data).to_bytes(8, "big") + data)
    return state.hexdigest()


@contextmanager
def file_errors(folder: Path) -> Iterator[None]:
    """Turn the system's errors about files and full disks into `FileError`; `folder` is where files are written."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno not in REMEDIES:
            raise
        raise FileError(error, folder) from error


@contextmanager
def only_build(folder: Path, quiet: bool) -> Iterator[None]:
    """Wait until no other process builds in a folder, and delete temporary files that a killed build left in it.

    The lock also marks the folder as one that `make clean` may remove.  Raises `UserError` for a folder that holds
    other files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / ".lock").exists() and any(folder.iterdir()):
        raise UserError(f"BUILD: {folder} holds files of another origin. Name a new or an empty folder.")
    with (folder / ".lock").open("w") as lock:
        # Workers and TeX inherit the lock: if the build is killed, it is held until the last of them ends.
        os.set_inheritable(lock.fileno(), True)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not quiet:
                print(f"Another build is running in {folder}; waiting for it.", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        _delete_temporary(folder)
        try:
            with file_errors(folder):
                yield
        except BaseException:
            # Terminated workers may have left temporary files.
            _delete_temporary(folder)
            raise


def _delete_temporary(folder: Path) -> None:
    import shutil  # slow, and not needed where there is nothing to do

    for path in list(folder.rglob(f".*{UNFINISHED}")):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
