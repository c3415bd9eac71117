"""Checks a picture against its own recipe: draws its figure again, elsewhere, and compares the files.

Prints "as built" if they are equal to the byte.  Otherwise says what differs, and the exit status is 1.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from scripts import cli
from scripts.builds.figure import FigureBuild, formats_of
from scripts.errors import FigureError, LayerError, UserError
from scripts.project import Outputs, Project
from scripts.recipes.comparison import difference
from scripts.recipes.reading import Opened, opened
from scripts.stages.typeset import TexFormat


def rebuilt(picture: Opened, project: Project, outputs: Outputs) -> Opened:
    """The picture that its recipe makes, drawn in a project of its own; raises `UserError`."""
    recipe, figure = picture.recipe, picture.figure
    formats = formats_of(recipe, picture.file)
    tex_format = TexFormat(project)
    tex_format.check_tools()
    sources = {name: text.encode() for name, text in recipe.figures.items()}
    product = "drawing" if outputs.together else "figure"
    build = FigureBuild(project, figure, product, formats, outputs, sources, tex_format.fingerprint)
    try:
        build.render()
    except LayerError as error:
        raise FigureError(picture.file, str(error)) from None
    tex_format.make()
    build.typeset()
    build.make_formats()
    made = {file.name: file for file in build.record.files(recipe.format)}
    if recipe.file not in made:
        raise UserError(f"{picture.file}: its figure has no picture {recipe.file!r} in this version.")
    return opened(made[recipe.file])


def main() -> None:
    """Verify the picture on the command line."""
    command = cli.parser(__doc__)
    command.add_argument("file", type=Path, metavar="FILE", help="a picture that this project has made")
    picture = opened(command.parse_args().file)
    with TemporaryDirectory() as folder:
        project = Project(base=Path(folder)).looking(picture.recipe.options)
        found = difference(picture, rebuilt(picture, project, project.catalogue))
        # Files that name others find them elsewhere in the folder of a drawing.
        if found and difference(picture, rebuilt(picture, project, project.drawing(picture.recipe.name))):
            raise UserError("\n  ".join([f"{picture.file}: is not as built.", *found]))
    print(cli.printable(f"{picture.file}: as built"))


if __name__ == "__main__":
    cli.run(main)
