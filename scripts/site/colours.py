"""The colours of a theme, as TeX mixes them."""

import re
from typing import NamedTuple

from scripts.files import digest, write_whole
from scripts.project import Project
from scripts.record.freshness import Record
from scripts.stages.templates import templates
from scripts.stages.typeset import TexFormat
from scripts.tex.latexmk import latexmk


class Colour(NamedTuple):
    """A colour, and the ink that is read best on it, as CSS writes them."""

    value: str
    ink: str


def colours(project: Project, tex_format: TexFormat) -> dict[str, Colour]:
    """All colours that the theme and the styles define, by their names; raises `ToolError`."""
    source = project.build / "work" / "_colours" / "colours.tex"
    record, log = Record(project, "_colours"), source.with_suffix(".log")
    text = templates(project).fill("site/colours.tex.j2", names=_names(project))
    key = digest(tex_format.fingerprint, text)
    if not record.fresh("log", key):
        with record.stage("log", key, [log]):
            write_whole(source, text)
            latexmk(source, project.tex_format)
    printed = re.findall(r"^COLOUR (\w+) (\w{6}) (\w+)$", log.read_text(errors="replace"), re.MULTILINE)
    return {name: Colour(f"#{value.lower()}", ink) for name, value, ink in printed}


def _names(project: Project) -> list[str]:
    """The names of all colours, in the order in which they are defined."""
    files = (project.theme_file, project.templates / "styles.tex")
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    return list(dict.fromkeys(re.findall(r"\\(?:definecolor|colorlet)\{(\w+)\}", text)))
