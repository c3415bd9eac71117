"""What outputs are made from: `build/provenance.json` has the commit, all inputs' hashes and the tools' versions.

It describes the last build that succeeded, without times and places, so that equal builds have equal files.
"""

import json
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from scripts.files import digest, read_record, write_whole
from scripts.project import Project
from scripts.record.revision import build_date, commit
from scripts.tex.latexmk import identity, installed


@contextmanager
def recorded(project: Project) -> Iterator[Path]:
    """Write provenance.json if the enclosed build succeeds; yields its path."""
    file = project.build / "provenance.json"
    sources = _sources(project)
    known = read_record(file)
    if known != known | sources:
        file.unlink(missing_ok=True)
    yield file
    write_whole(file, json.dumps(sources | _versions(project), indent=1) + "\n")


def _sources(project: Project) -> dict[str, object]:
    """What a build is about to read."""
    day = build_date(project)
    inputs = {str(file.relative_to(project.root)): file for file in project.inputs()}
    return {
        "commit": commit(project),
        "date": None if day is None else day.isoformat(),
        "inputs": {name: sha256(file.read_bytes()).hexdigest() for name, file in inputs.items()},
    }


def _versions(project: Project) -> dict[str, dict[str, str]]:
    """The versions of all tools, looked up again only after a program or a package has changed."""
    ready = project.root / ".venv/.ready"
    installed = ready.stat().st_mtime_ns if ready.is_file() else None
    fingerprint = digest(identity(), str(installed), platform.python_version())
    cache = project.records / "_versions.json"
    known = read_record(cache)
    if known.get("of") != fingerprint:
        known = {"of": fingerprint, "versions": {"tools": _tools(), "packages": _packages(project)}}
        write_whole(cache, json.dumps(known))
    return dict(known["versions"])


def _tools() -> dict[str, str]:
    """The tools and parts of TeX that have a version."""
    return {one.need.name: one.version for one in installed() if one.version and re.search(r"\d", one.version)}


def _packages(project: Project) -> dict[str, str]:
    """The pinned packages, at the versions that are installed."""
    versions = {}
    for name in re.findall(r"^([\w.-]+)==", project.requirements.read_text(), re.MULTILINE):
        with suppress(PackageNotFoundError):  # it may be for another system
            versions[name] = version(name)
    return versions
