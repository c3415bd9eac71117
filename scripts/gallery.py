"""The gallery: copies of the built SVGs in `figures/gallery/`, and the page that shows them, `docs/gallery.md`.

`templates/gallery.md.j2` lists the figures that are shown.
"""

import re

from scripts import cli
from scripts.core.figures import load_all
from scripts.errors import CombinedError, ToolError, UserError
from scripts.files import write_whole
from scripts.project import Project
from scripts.stages.render import caption
from scripts.stages.templates import templates

MOST_BYTES = 2_000_000


def gallery(project: Project) -> None:
    """Bring `figures/gallery/` and the gallery's page up to date with the build; raises `UserError`."""
    figures, errors = load_all([project.figures / f"{name}.toml" for name in project.figure_names()])
    if errors:
        raise CombinedError(errors)
    shown, animations = {}, {}
    for figure in figures:
        file = project.catalogue.file("svg", f"{figure.name}.svg")
        if not file.is_file():
            raise UserError(f"{file} is missing. Run: make svgs")
        animations[figure.name] = file.read_bytes()
        shown[figure.name] = (figure, caption(project, figure), _width(animations[figure.name]))
    page = templates(project).fill("gallery.md.j2", shown=shown)
    contents = {name: content for name, content in animations.items() if f"gallery/{name}.svg" in page}
    size = sum(map(len, contents.values()))
    if size > MOST_BYTES:
        raise ToolError(f"The gallery would hold {size} bytes, more than {MOST_BYTES}. Show fewer or smaller figures.")
    folder = project.figures / "gallery"
    for name, content in contents.items():
        write_whole(folder / f"{name}.svg", content)
    for file in folder.iterdir():
        if file.suffix != ".svg" or file.stem not in contents:
            file.unlink()
    write_whole(project.root / "docs" / "gallery.md", page)


def _width(content: bytes) -> float:
    """The width of an SVG, in points."""
    found = re.search(rb'<svg[^>]* width="([\d.]+)pt"', content)
    if found is None:
        raise UserError("An SVG has no width in points. Run: make svgs")
    return float(found[1])


def main() -> None:
    """Refresh the gallery."""
    cli.parser(__doc__).parse_args()
    gallery(Project.current())


if __name__ == "__main__":
    cli.run(main)
