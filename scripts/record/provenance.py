"""What outputs are made from: `build/provenance.json` tells the commit, all inputs' hashes and the tools' versions.

It says so of the last build that succeeded, without times and places, so that equal builds have equal files.
"""

import json
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from scripts import paths
from scripts.files import digest, write_whole
from scripts.record.revision import build_date, commit
from scripts.tex.tools import found, identity


@contextmanager
def recorded() -> Iterator[None]:
    """Keep the record beside the outputs of a build that succeeds; what goes on in between is the build."""
    sources = _sources()
    known = json.loads(paths.PROVENANCE.read_text()) if paths.PROVENANCE.is_file() else {}
    if known and known != known | sources:
        paths.PROVENANCE.unlink()
    yield
    write_whole(paths.PROVENANCE, json.dumps(sources | _versions(), indent=1) + "\n")


def _sources() -> dict[str, object]:
    """What a build reads, before it does."""
    day = build_date()
    inputs = sorted(file for pattern in paths.INPUTS for file in Path().glob(pattern) if file.is_file())
    return {
        "commit": commit(),
        "date": None if day is None else day.isoformat(),
        "inputs": {str(file): sha256(file.read_bytes()).hexdigest() for file in inputs},
    }


def _versions() -> dict[str, dict[str, str]]:
    """The versions of all tools; they are asked for again only where a program or a package has changed."""
    installed = paths.READY.stat().st_mtime_ns if paths.READY.is_file() else None
    fingerprint = digest(identity(), str(installed), platform.python_version())
    cache = paths.RECORDS / "versions.json"
    known = json.loads(cache.read_text()) if cache.is_file() else {}
    if known.get("of") != fingerprint:
        known = {"of": fingerprint, "versions": {"tools": _tools(), "packages": _packages()}}
        write_whole(cache, json.dumps(known))
    return dict(known["versions"])


def _tools() -> dict[str, str]:
    """The tools and parts of TeX that say what version they are."""
    return {one.need.name: one.version for one in found() if one.version and re.search(r"\d", one.version)}


def _packages() -> dict[str, str]:
    """The pinned packages, at the versions that are installed."""
    versions = {}
    for name in re.findall(r"^([\w.-]+)==", paths.REQUIREMENTS.read_text(), re.MULTILINE):
        with suppress(PackageNotFoundError):  # it may be for another system
            versions[name] = version(name)
    return versions
