"""The page of a figure, with all that it holds and offers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.core.figures import Figure
from scripts.errors import LayerError
from scripts.files import write_whole
from scripts.notation.frameworks import written
from scripts.project import Project, frame_names
from scripts.recipes.recipe import text_of
from scripts.site.cards import Card
from scripts.site.citation import citation
from scripts.site.downloads import Download
from scripts.site.elements import elements
from scripts.site.explorer import address
from scripts.site.picture import picture
from scripts.stages.templates import templates
from scripts.views import scene_of


@dataclass(frozen=True)
class FigurePage:
    """A page to be written into `folder`: a figure's, between two others.

    The drawing is typeset in two projects, for `light` pages and for `dark` ones.
    """

    project: Project
    light: Project
    dark: Project
    card: Card
    before: Card
    after: Card
    folder: Path
    downloads: Mapping[str, Sequence[Download]]

    @property
    def files(self) -> list[Path]:
        """All files of the page."""
        copies = [download.target for files in self.downloads.values() for download in files]
        return [self.folder / "index.html", self.folder / "still.svg", *copies]

    def write(self) -> str:
        """Write the files; returns the drawing, whose variables the site's style sheet defines."""
        figure, scene = self.card.figure, scene_of(self.card.figure)
        drawn = picture(self.light, self.dark, figure)
        page = templates(self.project).fill(
            "site/figure.html.j2",
            top="../../",
            card=self.card,
            explored=address(figure),
            before=self.before,
            after=self.after,
            scene=scene,
            steps=frame_names(figure.name, scene.count),
            picture=drawn,
            elements=elements(self.project, figure, drawn.places) if drawn.places else None,
            downloads=self.downloads,
            folder=self.folder,
            toml=text_of((self.project.figures / f"{figure.name}.toml").read_bytes()),
            tikz=self.downloads["tex"][0].source.read_text(encoding="utf-8"),
            code=_code(figure),
            citation=citation(self.project),
        )
        write_whole(self.folder / "index.html", page)
        write_whole(self.folder / "still.svg", drawn.still)
        for files in self.downloads.values():
            for download in files:
                write_whole(download.target, download.source.read_bytes())
        return drawn.frames


def _code(figure: Figure) -> Mapping[str, Sequence[str]]:
    """The layer in the notations of the frameworks that have it, if there is only one."""
    try:
        return written(figure.layer)
    except LayerError:
        return {}
