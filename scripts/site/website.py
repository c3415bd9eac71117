"""The whole site: its pages written, and what is gone deleted."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from scripts.builds import catalogue
from scripts.core.figures import load_all
from scripts.core.operations import OPERATIONS
from scripts.errors import CombinedError, UserError
from scripts.files import only_build, write_whole
from scripts.processes import workers
from scripts.project import DEFAULT_THEME, Project
from scripts.record.freshness import Record
from scripts.site import explorer
from scripts.site.cards import Card, cards
from scripts.site.colours import Colour, colours
from scripts.site.downloads import downloads
from scripts.site.pages import FigurePage
from scripts.site.picture import definitions
from scripts.stages.render import package
from scripts.stages.templates import templates
from scripts.stages.typeset import TexFormat
from scripts.views import VIEWS

# The themes of light pages and of dark ones.
LIGHT, DARK = DEFAULT_THEME, "dark"
# The formats that the site offers.
FORMATS = ("svg", "gif", "webp", "mp4", "sheet", "slide")


def build(project: Project, *, formats: Sequence[str] = FORMATS, jobs: int = 1, quiet: bool = True) -> None:
    """Build all figures in `formats`, and the site; raises `CombinedError` with what failed."""
    project = project._replace(theme=LIGHT, background="paper", scale=1)
    names = project.figure_names()
    catalogue.build(project, names, formats, jobs=jobs, quiet=quiet)
    # Pages have their own paper behind what they draw.
    light, dark = (project._replace(theme=theme, background="transparent") for theme in (LIGHT, DARK))
    for drawn in (light, dark):
        catalogue.build(drawn, names, [], jobs=jobs, quiet=True)
    with only_build(project.base, quiet):
        top = project.build / "site"
        shown = _cards(project, names)
        texts = {top / name: text for name, text in _texts(project, light, dark, shown).items()}
        pages = list(_pages(project, light, dark, shown, top / "figures", formats))
        style = top / "drawings.css"
        files = [*texts, style, *(file for page in pages for file in page.files)]
        with Record(project, "_site").stage("site", "", files):
            for file, content in texts.items():
                write_whole(file, content)
            with workers(max(jobs, 1)) as pool:
                write_whole(style, definitions(pool.map(_write, pages)))
    if not quiet:
        print(f"{top / 'index.html'}: {len(shown)} figures")


def _write(page: FigurePage) -> str:
    try:
        return page.write()
    except UserError as error:
        # The other kinds of errors do not pass from one process to another.
        raise UserError(str(error)) from None


def _cards(project: Project, names: Sequence[str]) -> list[Card]:
    figures, errors = load_all([project.figures / f"{name}.toml" for name in names])
    if errors:
        raise CombinedError(errors)
    return cards(project, figures)


def _pages(
    project: Project, light: Project, dark: Project, shown: Sequence[Card], top: Path, formats: Sequence[str]
) -> Iterator[FigurePage]:
    """The figures' pages, each in a folder of its own; the first one follows the last."""
    for number, card in enumerate(shown):
        name = card.figure.name
        yield FigurePage(
            project,
            light,
            dark,
            card,
            before=shown[number - 1],
            after=shown[(number + 1) % len(shown)],
            folder=top / name,
            downloads=downloads(project, name, formats, top / name),
        )


def _texts(project: Project, light: Project, dark: Project, shown: Sequence[Card]) -> dict[str, str]:
    """The files that are not about a single figure, by their names."""
    fill, folder = templates(project).fill, project.templates / "site"
    looks = {"light": _colours(light), "dark": _colours(dark)}
    plain = (file for file in sorted(folder.iterdir()) if file.suffix in (".css", ".js"))
    return {
        **{file.name: file.read_text(encoding="utf-8") for file in plain},
        **{name: fill(f"site/{name}.j2", **looks) for name in ("colours.css", "icon.svg")},
        "catalogue.js": fill("site/catalogue.js.j2", cards=shown),
        "explore/index.html": explorer.page(project),
        "index.html": fill("site/index.html.j2", top="", cards=shown, operations=OPERATIONS, views=list(VIEWS)),
        "convfigures.sty": package(project),
    }


def _colours(project: Project) -> Mapping[str, Colour]:
    tex_format = TexFormat(project)
    tex_format.make()
    return colours(project, tex_format)
