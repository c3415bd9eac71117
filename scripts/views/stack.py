"""The stack view: layers along one axis, and what the middle element of the last one depends on."""

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from scripts.core.figures import Figure
from scripts.core.layers import Layer
from scripts.views.limits import Extent, check_direct, check_layer, check_size, longest
from scripts.views.maps import Line, Point, counted
from scripts.views.scene import Scene


class Element(NamedTuple):
    """An element: where it is drawn, in input elements, and whether the one at the top depends on it."""

    place: float
    seen: bool


@dataclass(frozen=True)
class Level:
    """The elements between two layers, in a row of their own; `input` are those of the first one's input."""

    label: str
    row: int
    input: bool
    elements: tuple[Element, ...]


@dataclass(frozen=True)
class Tree:
    """The levels of a stack from its input up, and lines from each element that is seen to those that it sees."""

    levels: tuple[Level, ...]
    links: tuple[Line, ...]
    left: float


def causal(layers: tuple[Layer, ...]) -> bool:
    """Whether all layers of a stack have stride 1, and as much padding before their input as keeps its size."""
    axes = [axis for layer in layers for axis in layer.direct]
    return all(axis.stride == axis.input_dilation == 1 and axis.padding == (axis.window_size - 1, 0) for axis in axes)


def centres(layers: tuple[Layer, ...]) -> list[list[float]]:
    """The centres of the receptive fields of all elements, level by level from the input up.

    From element to element they are `jump` input elements apart: j = j · s / (input dilation); the first one is
    c + j · ((window − 1) / 2 − p) / (input dilation), with c and j those of the level before.
    """
    (size,), first, jump = layers[0].input_size, Fraction(0), Fraction(1)
    found = [[float(first + jump * n) for n in range(size)]]
    for layer in layers:
        (axis,) = layer.direct
        first += jump * (Fraction(axis.window_size - 1, 2) - axis.padding[0]) / axis.input_dilation
        jump *= Fraction(axis.stride, axis.input_dilation)
        found.append([float(first + jump * n) for n in range(axis.output_size)])
    return found


def links(layer: Layer, elements: set[int]) -> list[tuple[int, int]]:
    """The pairs of one of the output elements and an input element that it sees, in a layer of one axis."""
    (axis,) = layer.grid
    met = [(n, axis.cells[element.position].input_index) for n in sorted(elements) for element in axis.windows[n]]
    return [(n, index) for n, index in met if index is not None]


def scene(figure: Figure) -> Scene:
    """The scene of layers of one axis; raises `LayerError`."""
    for layer in figure.layers:
        check_layer(layer, "stack", most_axes=1)
        check_direct(layer, "stack")
        check_size(layer, lambda layer: Extent(longest(layer)))
    in_time = causal(figure.layers)
    # The end of an element's field is the input element of its own time.
    places = [[float(n) for n in range(len(row))] if in_time else row for row in centres(figure.layers)]
    length = round(max(map(max, places)) - min(map(min, places))) + 1
    top = len(places[-1]) // 2
    seen, lines = [{top}], list[Line]()
    for depth in range(len(figure.layers), 0, -1):
        pairs = links(figure.layers[depth - 1], seen[0])
        row = len(figure.layers) - depth
        lines += [(Point(places[depth][n], row), Point(places[depth - 1][m], row + 1)) for n, m in pairs]
        seen.insert(0, {m for _, m in pairs})
    check_size(figure.layers[0], lambda _: Extent(length, parts=len(lines) + sum(map(len, places))))
    levels = tuple(
        Level(
            label=f"layer {depth}" if depth else "input",
            row=len(figure.layers) - depth,
            input=depth == 0,
            elements=tuple(Element(place, n in seen[depth]) for n, place in enumerate(row)),
        )
        for depth, row in enumerate(places)
    )
    return Scene(
        figure,
        Tree(levels, tuple(lines), min(map(min, places))),
        sentence=f"The coloured element at the top depends on {counted(len(seen[0]), 'input element')}. Each element "
        f"is drawn over the {'end' if in_time else 'centre'} of its receptive field.",
        parameters=len(figure.layers) == 1,
    )
