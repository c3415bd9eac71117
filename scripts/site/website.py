"""The whole site: its pages filled, its files copied, and what is gone deleted."""

from collections.abc import Sequence
from pathlib import Path

from scripts.builds import catalogue
from scripts.core.figures import Figure, load_all
from scripts.errors import CombinedError
from scripts.files import only_build, write_whole
from scripts.project import DEFAULT_THEME, Project
from scripts.record.freshness import Record
from scripts.site import explorer
from scripts.site.cards import card
from scripts.site.colours import colours
from scripts.stages.templates import templates
from scripts.stages.typeset import TexFormat

# The themes of light pages and of dark ones.
LIGHT, DARK = DEFAULT_THEME, "dark"
# The formats that the site offers.
FORMATS = ("svg", "gif", "webp", "mp4", "sheet", "slide")


def build(project: Project, *, formats: Sequence[str] = FORMATS, jobs: int = 1, quiet: bool = True) -> None:
    """Build all figures in `formats`, and the site; raises `CombinedError` with what failed."""
    light, dark = (project._replace(theme=theme, background="paper", scale=1) for theme in (LIGHT, DARK))
    catalogue.build(light, light.figure_names(), formats, jobs=jobs, quiet=quiet)
    figures, errors = load_all([light.figures / f"{name}.toml" for name in light.figure_names()])
    if errors:
        raise CombinedError(errors)
    with only_build(project.base, quiet):
        pages = {**_looks(light, dark), **_pages(light, figures)}
        top = light.build / "site"
        files = {top / name: content for name, content in pages.items()}
        with Record(light, "_site").stage("pages", "", files):
            for file, content in files.items():
                write_whole(file, content)
    if not quiet:
        print(f"{top / 'index.html'}: {len(figures)} figures")


def _looks(light: Project, dark: Project) -> dict[str, str]:
    """The style sheets and scripts, by their names."""
    found = {}
    for project in (light, dark):
        tex_format = TexFormat(project)
        tex_format.make()
        found[project.theme] = colours(project, tex_format)
    static = {file.name: file.read_text(encoding="utf-8") for file in sorted(_plain(light))}
    fill = templates(light).fill
    filled = {
        name: fill(f"site/{name}.j2", light=found[LIGHT], dark=found[DARK]) for name in ("colours.css", "icon.svg")
    }
    return static | filled


def _plain(project: Project) -> list[Path]:
    """The files of the site that are no templates."""
    return [file for file in (project.templates / "site").iterdir() if file.suffix in (".css", ".js")]


def _pages(project: Project, figures: Sequence[Figure]) -> dict[str, str]:
    """The pages, by their names."""
    cards = [card(project, figure) for figure in figures]
    return {
        "index.html": _page(project, "index", "", cards=cards),
        "explore/index.html": _page(project, "explore", "../", **explorer.values(project)),
    }


def _page(project: Project, name: str, top: str, **values: object) -> str:
    """A page, from which `top` leads to the site's folder."""
    return templates(project).fill(f"site/{name}.html.j2", top=top, **values)
