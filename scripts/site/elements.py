"""The elements of a figure's maps, which a page lights, and what it says of them and of each step."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scripts.core.figures import Figure
from scripts.core.frames import Frame, frames
from scripts.core.layers import Index, Layer, Values
from scripts.project import Project
from scripts.site.picture import Place
from scripts.stages.templates import templates
from scripts.views.maps import as_rows, decimals, in_two_axes

UNIT = Place((0, 0), (1, 0), (0, 1))


@dataclass(frozen=True)
class Element:
    """An element of a map: its index along the layer's own axes, its outline, and what is said of it."""

    index: Index
    path: str
    name: str
    sentence: str


@dataclass(frozen=True)
class Elements:
    """The elements of each map by its name, and what is said of each step.

    `terms` lists, for each output element, the (input, kernel) elements that it is computed from, by their numbers
    among `maps`; the second is missing if there is no kernel.  `steps` are the numbers of the output elements that the
    steps show.
    """

    maps: Mapping[str, Sequence[Element]]
    terms: Sequence[Sequence[Sequence[int]]]
    steps: Sequence[int]
    sentences: Sequence[str]

    @property
    def longest(self) -> str:
        """The longest sentence, for which a page keeps room."""
        others = (element.sentence for elements in self.maps.values() for element in elements)
        return max((*self.sentences, *others), key=len)


def elements(project: Project, figure: Figure, places: Mapping[str, Place]) -> Elements:
    """The elements of a figure whose view says where its maps are.

    A kernel that is not drawn has its elements in a drawing of its own, where their sides are 1.
    """
    layer = in_two_axes(figure.layer)
    axes = len(figure.layer.axes)
    inputs, kernel, output, indices = map(
        _rows, (figure.input_values, figure.kernel_values, figure.output_values, figure.indices)
    )
    steps = list(frames(layer, output, indices))
    cells = _input_cells(layer)
    numbers = {position: number for number, position in enumerate(cells)}
    kernel_numbers = {index: number for number, index in enumerate(np.ndindex(layer.kernel_size))}
    seeing, met = defaultdict[Index, dict[Index, None]](dict), defaultdict[Index, int](int)
    for step in steps:
        for term in step.terms:
            if term.input_index is not None:
                seeing[term.input_index][step.output_index] = None
                met[term.kernel_index] += 1
    sentences = templates(project).environment.get_template("site/sentences.j2").make_module({"layer": figure.layer})

    def said(macro: str, *values: object) -> str:
        return str(getattr(sentences, macro)(*values)).strip()

    # Maxima, and what an unpooling moves, are given numbers.
    is_given = output is None or layer.reduction == "maximum" or indices is not None
    digits = None if is_given or output is None else decimals(output)

    def element(kind: str, index: Index, place: Place, cell: Index, values: Values | None, *more: object) -> Element:
        own, value = index[-axes:], None if values is None else values[index].item()
        name = said("named", kind, own, value, digits if kind == "output" else None)
        return Element(own, place.path(*cell), name, said(kind, name, *more))

    maps = {
        "input": [
            element("input", index, places["input"], cell, inputs, [output[-axes:] for output in seeing[index]])
            for cell, index in cells.items()
        ],
        "output": [element("output", index, places["output"], index, output) for index in layer.output_indices()],
    }
    if layer.weighted:
        place = places.get("kernel", UNIT)
        maps["kernel"] = [element("kernel", index, place, index, kernel, met[index]) for index in kernel_numbers]

    def terms(step: Frame) -> list[list[int]]:
        found = [term for term in step.terms if term.input_index is not None]
        return [[numbers[term.position], *([kernel_numbers[term.kernel_index]] * layer.weighted)] for term in found]

    def sentence(number: int) -> str:
        step = steps[number]
        held = [
            (
                term.input_index[-axes:],
                None if inputs is None else inputs[term.input_index].item(),
                None if kernel is None else kernel[term.kernel_index].item(),
            )
            for term in step.terms
            if term.input_index is not None
        ]
        return said("step", step.output_index[-axes:], step.value, digits, held, len(step.terms), indices is not None)

    shown = figure.shown(len(steps))
    return Elements(maps, [terms(step) for step in steps], shown, [sentence(number) for number in shown])


def _rows(values: Values | None) -> Values | None:
    return None if values is None else as_rows(values)


def _input_cells(layer: Layer) -> dict[Index, Index]:
    """The cells (row, column) of the grid that hold an input element or its copy, with its index."""
    rows, columns = (
        [(position, cell.input_index) for position, cell in enumerate(axis.cells) if cell.kind != "cropped"]
        for axis in layer.grid
    )
    return {(row, column): (i, j) for row, i in rows if i is not None for column, j in columns if j is not None}
