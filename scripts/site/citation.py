"""How to cite the project, from `CITATION.cff`."""

import re

from scripts.errors import UserError
from scripts.project import Project


def citation(project: Project) -> str:
    """An entry for BibTeX; raises `UserError` for a file without one of the fields."""
    text = project.citation.read_text(encoding="utf-8")

    def field(name: str) -> str:
        found = re.search(rf"^(?:  - )?{name}: *(.+)$", text, re.MULTILINE)
        if found is None:
            raise UserError(
                f"{project.citation}: has no {name}. Give it one, as https://citation-file-format.github.io says."
            )
        return found[1].strip("\"'")

    return (
        "@software{convolution_arithmetic,\n"
        f"  author = {{{{{field('name')}}}}},\n"
        f"  title = {{{field('title')}}},\n"
        f"  version = {{{field('version')}}},\n"
        f"  date = {{{field('date-released')}}},\n"
        "}\n"
    )
