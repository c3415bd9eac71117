"""The report's chapters: LaTeX in which every number comes from a figure's file or from a relationship.

The texts in `report/` are templates; the names that they may use are defined here.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from sympy import Rational

from scripts.core import figures as spec
from scripts.core.figures import Figure
from scripts.core.inverse import solutions, usual_bounds
from scripts.core.layers import Layer
from scripts.errors import UserError
from scripts.notation.frameworks import written
from scripts.notation.pytorch import shortest
from scripts.project import Project
from scripts.record.revision import build_date, release
from scripts.stages.templates import templates
from scripts.text.networks import stages
from scripts.text.relationships import content, quantities, receptive_fields, relationships, window
from scripts.views import scene_of


def chapter(project: Project, file: Path, figures: Mapping[str, Figure]) -> str:
    """A text of the report, filled; `figures` are those of the catalogue by name."""

    def layer(name: str) -> Layer:
        """The layer of a figure, or one of `report/layers/`, which are never drawn."""
        return figures[name].layer if name in figures else spec.load(project.report / "layers" / f"{name}.toml").layer

    def given(name: str, axis: int = -1) -> dict[str, Rational]:
        """A layer's numbers along an axis, by the report's symbols."""
        return quantities(layer(name), axis)

    def relationship(name: str) -> str:
        """A relationship in its frame."""
        return templates(project).fill("relationship.tex.j2", relationship=relationships(project)[name]).strip()

    def worked(
        name: str, example: str, axis: int = -1, repeated: bool = True, element: int | None = None, **more: int
    ) -> str:
        """A relationship with a layer's numbers and some more; raises `UserError` if it does not hold for them.

        `element` is an output element of an adaptive pooling.
        """
        try:
            numbers = given(example, axis) | {key: Rational(n) for key, n in more.items()}
            numbers |= {} if element is None else window(layer(example), element, axis)
            return relationships(project)[name].worked(numbers, repeated)
        except ValueError as error:
            raise UserError(f"{file}: {example} is no example: {error}.") from None

    def stacked(name: str, example: str) -> str:
        """A relationship with the numbers of a whole stack, whose layers may differ only in their dilation."""
        _, first, *_ = found = receptive_fields(project, figures[example].layers)
        field = found[-1]["r"]
        numbers = {"n": Rational(len(found) - 1), "r_equal": field, "r_doubling": field}
        return relationships(project)[name].worked(first | numbers)

    def step(name: str, example: str) -> str:
        """A relationship from layer to layer, with the numbers of the last layer of a stack."""
        return relationships(project)[name].worked(receptive_fields(project, figures[example].layers)[-1])

    def solved(before: int, after: int, count: int) -> list[str]:
        """The most usual layers, averages apart, that turn one size into another along both of two axes."""
        sizes = (before, before), (after, after)
        found = [layer for layer in solutions(*sizes, usual_bounds(*sizes)) if layer.reduction != "average"]
        return [shortest(layer) for layer in found[:count]]

    version, released = release(project)
    return templates(project).fill(
        file.name,
        version=version,
        date=build_date(project) or released,
        figures=figures,
        layer=layer,
        given=given,
        relationship=relationship,
        relationships=relationships(project),
        symbols=content(project)["symbols"],
        checked={
            name: content(project)[name]
            for name in ("checked", "checked_stacks", "checked_towers", "checked_adaptive", "checked_costs")
        },
        worked=worked,
        stacked=stacked,
        step=step,
        receptive_fields=partial(receptive_fields, project),
        written=written,
        scene=lambda name: scene_of(figures[name]),
        solved=solved,
        stages=partial(stages, project),
    )
