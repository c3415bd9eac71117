"""Deciding what is up to date, in this module alone.

A product (a figure, the report) is made in stages.  Its record, `build/made/PRODUCT.json`, lists for each stage the
files that it made and what it made them from: a key, which is a fingerprint of its inputs, its code and its tools, and
the templates that it read.  A stage runs again unless all of that is unchanged and its files have their sizes.
Before any of this, sizes and times of all files show whether anything has changed since the last build (`Unchanged`).
"""

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from scripts.files import digest, read_record, write_whole
from scripts.project import Project

IMPORT = re.compile(r"^\s*from (scripts[\w.]*) import (?:\(([^)]*)\)|(.*))$", re.MULTILINE)


def imports(text: str) -> list[str]:
    """The modules of the project that a module's text imports anywhere, and names in them, which may be modules."""
    found = list[str]()
    for package, several, one in IMPORT.findall(text):
        found += [package, *(f"{package}.{word}" for word in re.findall(r"\w+", several or one))]
    return found


@cache
def code(module: str, root: Path) -> str:
    """A fingerprint of a module, of all modules of the project that it imports in turn, and of the packages."""
    found, waiting = dict[str, str](), [module]
    while waiting:
        name = waiting.pop()
        path = root.joinpath(*name.split("."))
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if name in found or not file.is_file():
            continue
        found[name] = file.read_text(encoding="utf-8")
        waiting += imports(found[name])
    return digest((root / "requirements.txt").read_bytes(), *(text for _, text in sorted(found.items())))


class Record:
    """What a product's files were last made from, stage by stage."""

    def __init__(self, project: Project, product: str) -> None:
        self.path = project.records / f"{product}.json"
        self.top = project.build
        self.stages: dict[str, dict[str, Any]] = read_record(self.path)

    def fresh(self, stage: str, key: str, now: Callable[[str], str | None] = lambda _: None) -> bool:
        """Whether a stage's files are whole and were made from this key.

        `now` returns the present fingerprint of a template that the stage read.
        """
        entry = self.stages.get(stage, {})
        return (
            entry.get("key") == key
            and all(now(name) == known for name, known in entry["read"].items())
            and entry["files"] == self._sizes(entry["files"])
        )

    @contextmanager
    def stage(
        self, stage: str, key: str, files: Iterable[Path], read: Mapping[str, str] = MappingProxyType({})
    ) -> Iterator[None]:
        """Record that the enclosed stage makes `files` from this key and the templates that it `read`.

        Files that it made before and no longer makes are deleted.  If it fails, none of its files count as fresh.
        """
        made = {file.relative_to(self.top).as_posix() for file in files}
        before = set(self.stages.get(stage, {}).get("files", {}))
        self.invalidate(stage, made)
        yield
        for name in before - made:
            (self.top / name).unlink(missing_ok=True)
        self._write(stage, key, read, made)

    def invalidate(self, stage: str, made: Iterable[str] = ()) -> None:
        """Count a stage's files, and those that are now `made`, as stale until it has run again."""
        self._write(stage, None, {}, {*self.stages.get(stage, {}).get("files", {}), *made})

    def files(self, *stages: str) -> list[Path]:
        """The product's files that some stages made, by default all of them."""
        return [self.top / name for stage in stages or self.stages for name in self.stages[stage]["files"]]

    def forget(self) -> None:
        """Delete all files of the product, the record last."""
        for file in self.files():
            file.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def _write(self, stage: str, key: str | None, read: Mapping[str, str], files: Iterable[str]) -> None:
        self.stages[stage] = {"key": key, "read": dict(read), "files": self._sizes(files)}
        write_whole(self.path, json.dumps(self.stages))

    def _sizes(self, files: Iterable[str]) -> dict[str, int | None]:
        paths = {file: self.top / file for file in sorted(files)}
        return {file: path.stat().st_size if path.is_file() else None for file, path in paths.items()}


class Unchanged:
    """Whether a build would find everything as it left it: sizes and times of its inputs, outputs and tools.

    Made before the build reads anything, so that what is edited meanwhile counts as changed.
    """

    # The variables that choose the tools and the day that outputs bear.
    VARIABLES = ("PATH", "SOURCE_DATE_EPOCH")

    def __init__(self, project: Project, *asked: str) -> None:
        self.project = project
        self.path = project.records / f"_unchanged_{digest(*asked)[:16]}.json"
        # A commit changes the day that the report bears.
        files = [*project.inputs(), project.root / ".git/logs/HEAD", project.root / ".venv/.ready"]
        self.inputs = {"variables": [os.environ.get(name) for name in self.VARIABLES], "files": _signatures(files)}

    def holds(self) -> bool:
        """Whether nothing has changed since `keep`."""
        known = read_record(self.path)
        return bool(known.get("inputs") == self.inputs and known["outputs"] == _signatures(map(Path, known["outputs"])))

    def keep(self, outputs: Iterable[Path]) -> None:
        """Record that everything asked for is built: `outputs`, which may include the tools that made them."""
        write_whole(self.path, json.dumps({"inputs": self.inputs, "outputs": _signatures(outputs)}))


def _signatures(files: Iterable[Path]) -> dict[str, list[int] | None]:
    found: dict[str, list[int] | None] = {}
    for file in files:
        try:
            status = file.stat()
        except OSError:
            found[str(file)] = None
        else:
            found[str(file)] = [status.st_size, status.st_mtime_ns]
    return found
