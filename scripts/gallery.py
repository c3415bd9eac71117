"""The gallery: copies of the built GIFs in `figures/gallery/`, and the page that shows them, `docs/gallery.md`.

`templates/gallery.md.j2` lists the figures that are shown.
"""

from PIL import Image

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
    shown, gifs = {}, {}
    for figure in figures:
        file = project.catalogue.file("gif", f"{figure.name}.gif")
        if not file.is_file():
            raise UserError(f"{file} is missing. Run: make gifs")
        with Image.open(file) as gif:
            shown[figure.name] = (figure, caption(project, figure), gif.width)
        gifs[figure.name] = file
    page = templates(project).fill("gallery.md.j2", shown=shown)
    contents = {name: file.read_bytes() for name, file in gifs.items() if f"gallery/{name}.gif" in page}
    size = sum(map(len, contents.values()))
    if size > MOST_BYTES:
        raise ToolError(f"The gallery would hold {size} bytes, more than {MOST_BYTES}. Show fewer or smaller figures.")
    folder = project.figures / "gallery"
    for name, content in contents.items():
        write_whole(folder / f"{name}.gif", content)
    for file in folder.glob("*.gif"):
        if file.stem not in contents:
            file.unlink()
    write_whole(project.root / "docs" / "gallery.md", page)


def main() -> None:
    """Refresh the gallery."""
    cli.parser(__doc__).parse_args()
    gallery(Project.current())


if __name__ == "__main__":
    cli.run(main)
