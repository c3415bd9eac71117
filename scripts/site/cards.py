"""What the site says of each figure beside the others."""

from collections.abc import Iterable
from dataclasses import dataclass

from scripts.core.figures import Figure
from scripts.core.layers import all_layers
from scripts.core.operations import OPERATIONS
from scripts.project import Project
from scripts.stages.render import caption
from scripts.views import VIEWS, scene_of, view_name


@dataclass(frozen=True)
class Card:
    """A figure, by which readers find it: `operations` are the names of its layers' operations, each once.

    Its drawing is described by `alternative`.
    """

    figure: Figure
    caption: str
    alternative: str
    view: str
    operations: tuple[str, ...]
    axes: int


def cards(project: Project, figures: Iterable[Figure]) -> list[Card]:
    """The cards of figures in order: by the first operation, the view and the name."""
    operations, views = list(OPERATIONS), list(VIEWS)

    def order(card: Card) -> tuple[int, int, str]:
        return operations.index(card.operations[0]), views.index(card.view), card.figure.name

    return sorted((_card(project, figure) for figure in figures), key=order)


def _card(project: Project, figure: Figure) -> Card:
    words = caption(project, figure)
    return Card(
        figure=figure,
        caption=words,
        alternative=scene_of(figure).alternative or words,
        view=view_name(figure),
        operations=tuple(dict.fromkeys(layer.operation.name for layer in all_layers(figure.layers))),
        axes=len(figure.layers[0].input_size),
    )
