"""The files of a figure that its page offers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.formats import FORMATS
from scripts.project import Outputs, Project
from scripts.record.freshness import Record


@dataclass(frozen=True)
class Download:
    """A built file, and the copy of it that a page links."""

    source: Path
    target: Path

    @property
    def size(self) -> str:
        """Its size in words."""
        size = self.source.stat().st_size
        return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(size // 1000, 1)} kB"


def downloads(project: Project, name: str, formats: Sequence[str], folder: Path) -> Mapping[str, Sequence[Download]]:
    """The files of a figure by their formats, and the sources of its steps as `tex`, with their copies in a folder."""
    record, copies = Record(project, name), Outputs(folder, folder, together=True)

    def found(stage: str, kind: str) -> list[Download]:
        files = [file for file in record.files(stage) if file == project.catalogue.file(kind, file.name)]
        return [Download(file, copies.file(kind, file.name)) for file in files]

    asked = dict.fromkeys(one for wanted in formats for one in (*FORMATS[wanted].beside, wanted))
    return {"tex": found("tex", "tex")} | {one: found(one, FORMATS[one].folder) for one in asked}
