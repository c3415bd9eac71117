"""The README's animations: copies of the built GIFs, and the table that shows them.

`templates/gallery.md.j2` says which figures are shown, and how; the table stands between two marks.
"""

from PIL import Image

from scripts import cli, paths
from scripts.errors import ToolError, UserError
from scripts.files import write_whole
from scripts.stages.render import caption, fill

BEGIN, END = "<!-- gallery: made by make gallery -->\n", "<!-- end of gallery -->\n"
MOST_BYTES = 2_000_000


def gallery() -> None:
    """Bring `figures/gallery/` and the README's table up to date with the build."""
    shown = {}
    for figure in cli.figures([]):
        if not (paths.CATALOGUE.gif / f"{figure.name}.gif").is_file():
            raise UserError(f"{paths.CATALOGUE.gif / figure.name}.gif is missing. Run: make gifs")
        with Image.open(paths.CATALOGUE.gif / f"{figure.name}.gif") as gif:
            shown[figure.name] = (figure, caption(figure), gif.width)
    table = fill("gallery.md.j2", shown=shown)
    files = {
        name: (paths.CATALOGUE.gif / f"{name}.gif").read_bytes() for name in shown if f"gallery/{name}.gif" in table
    }
    size = sum(map(len, files.values()))
    if size > MOST_BYTES:
        raise ToolError(f"The gallery would hold {size} bytes, more than {MOST_BYTES}. Show fewer or smaller figures.")
    for name, content in files.items():
        write_whole(paths.GALLERY / f"{name}.gif", content)
    for file in paths.GALLERY.glob("*.gif"):
        if file.stem not in files:
            file.unlink()
    before, rest = paths.README.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    write_whole(paths.README, before + BEGIN + table + END + after)


def main() -> None:
    """Refresh the gallery."""
    cli.parser(__doc__).parse_args()
    gallery()


if __name__ == "__main__":
    cli.run(main)
