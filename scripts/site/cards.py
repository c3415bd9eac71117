"""What the index says of each figure."""

from dataclasses import dataclass

from scripts.core.figures import Figure
from scripts.project import Project
from scripts.stages.render import caption
from scripts.views import view_name


@dataclass(frozen=True)
class Card:
    """A figure among all others: `operations` are the names of its layers' operations, each once."""

    figure: Figure
    caption: str
    view: str
    operations: tuple[str, ...]
    axes: int


def card(project: Project, figure: Figure) -> Card:
    """The card of a figure."""
    return Card(
        figure=figure,
        caption=caption(project, figure),
        view=view_name(figure),
        operations=tuple(dict.fromkeys(layer.operation.name for layer in figure.layers)),
        axes=len(figure.layers[0].axes),
    )
