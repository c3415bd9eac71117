"""The receptive field view: layer by layer, what an output element of a stack of layers depends on, down to the input.

Maps of one axis are rows one above the other, with lines from elements to those that they see; an element is over the
centre of its own field, or over the end where all are causal.  Maps of two axes are side by side.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from math import prod
from typing import NamedTuple

import numpy as np

from scripts.core.figures import Figure
from scripts.core.layers import Branches, Index, Layer, Stack, Values, all_layers
from scripts.core.receptive import Field, along, field, seen
from scripts.views.limits import Extent, check_drawing, check_layer, longest
from scripts.views.maps import Line, Point, counted, in_words, once, sizes
from scripts.views.scene import Scene

# Beside maps of one axis, in elements: where the numbers of their fields are, and the room for the next branch's label.
FIELD_COLUMNS = (1.4, 2.6, 3.8)
LANE_GAP = 9
# Around maps of two axes, in cells: room for labels between branches, and for arrows; and the least room for a label.
LABEL_ROWS = 7
MAP_GAP = 3.5
LEAST_WIDTH = 6
ARROW_SLOPE = 0.1
# The largest numbers of paths that are written.
MOST_WRITTEN = 999


@dataclass(frozen=True)
class Level:
    """A map: the input, or what a layer makes of it.

    `name` and `parameters` are those of the layer; a convolution is not named.  `fields` says of its elements'
    fields, in words, how large they are, how far apart, and where the first one starts.  Of one axis, its elements are
    `at` points of the drawing, and labels are on the `left` and on the `right`; of two axes, `at` has the corner of a
    map of `columns` × `rows` elements.
    """

    name: str
    parameters: tuple[str, ...]
    fields: tuple[str, str, str]
    input: bool
    at: tuple[Point, ...]
    columns: int
    rows: int
    left: float = 0
    right: tuple[float, ...] = ()


@dataclass(frozen=True)
class Levels:
    """All maps, from the input on.

    Those of one axis are `flat`, and `heads` has the numbers of those levels that are the top ones of their branch.
    Between maps of two axes, `arrows` lead from each to the next.
    """

    flat: bool
    levels: tuple[Level, ...]
    heads: tuple[int, ...] = ()
    arrows: tuple[Line, ...] = ()


class Element(NamedTuple):
    """An element that the output element depends on, at a point of the drawing; `new` if no earlier step has it."""

    column: float
    row: float
    input: bool
    new: bool


class Path(NamedTuple):
    """An input element, and how many paths lead to it: their number, if it is written, and their part of the most."""

    column: float
    row: float
    paths: int | None
    percent: int


@dataclass(frozen=True)
class Step:
    """The elements that have been seen so far, lines between those of one axis, and in the last step all paths.

    The lines of skip connections, `skips`, pass by the maps between.
    """

    elements: tuple[Element, ...]
    links: tuple[Line, ...]
    skips: tuple[Line, ...]
    paths: tuple[Path, ...] = ()


class Edge(NamedTuple):
    """What leads from one map up to another: a layer, or nothing in a skip connection and where branches join."""

    lower: int
    upper: int
    layer: Layer | None
    is_skip: bool


@dataclass(frozen=True)
class Node:
    """A map of some size: what a stack of layers makes of the input.

    The `last` of them is None for the input, for a skip connection and where branches join.  The map is `depth` layers
    up, in a `lane` to the right of the input's.
    """

    stack: Stack
    size: Index
    name: str
    last: Layer | None
    depth: int
    lane: float


class Network:
    """The maps of a stack of layers, and the edges between them, both from the input up.

    Of two axes, a skip connection has a map of its own.
    """

    def __init__(self, stack: Stack) -> None:
        self.nodes = [Node((), stack[0].input_size, "input", None, 0, 0)]
        self.edges = list[Edge]()
        self._grow(stack, 0, 0)

    @property
    def flat(self) -> bool:
        """Whether the maps have one axis."""
        return len(self.nodes[0].size) == 1

    @property
    def steps(self) -> list[list[Edge]]:
        """The edges that are followed at once, from the output down."""
        return [list(edges) for _, edges in groupby(reversed(self.edges), lambda edge: edge.upper)]

    def _grow(self, stack: Stack, bottom: int, lane: float) -> int:
        """Put layers over a map; gives the last one's."""
        for step in stack:
            if isinstance(step, Layer):
                bottom = self._add(_name(step), bottom, step, lane, [bottom])
            else:
                bottom = self._fork(step, bottom, lane)
        return bottom

    def _fork(self, step: Branches, bottom: int, lane: float) -> int:
        """Put branches over a map, and what joins them; gives the latter.  Skip connections are left of the others."""
        width, tops = sum(self._width(branch) for branch in step.branches if branch), list[int]()
        right, left = lane + width / 2, lane - width / 2
        # The last edges are followed first.
        for branch in reversed(step.branches):
            if branch:
                right -= self._width(branch)
                tops.append(self._grow(branch, bottom, right + self._width(branch) / 2))
            elif self.flat:
                tops.append(bottom)
            else:
                left -= 1
                tops.append(self._add("identity", bottom, None, left + 0.5, [bottom]))
        return self._add("joined", bottom, step, lane, tops)

    def _add(self, name: str, bottom: int, step: Layer | Branches | None, lane: float, lower: Sequence[int]) -> int:
        """Add what a step, if any, makes of a map, over its lower ones."""
        below, layer = self.nodes[bottom], step if isinstance(step, Layer) else None
        stack, size = (below.stack, below.size) if step is None else ((*below.stack, step), step.output_size)
        depth = 1 + max(self.nodes[number].depth for number in lower)
        self.edges.extend(Edge(number, len(self.nodes), layer, layer is None and number == bottom) for number in lower)
        self.nodes.append(Node(stack, size, name, layer, depth, lane))
        return len(self.nodes) - 1

    def _width(self, stack: Stack) -> int:
        """The number of lanes that a stack takes, as many on the right as there are skip connections on the left."""
        skips = 0 if self.flat else 2
        forks = (step.branches for step in stack if isinstance(step, Branches))
        widths = (sum(self._width(branch) if branch else skips for branch in branches) for branches in forks)
        return max(widths, default=1)


def _name(layer: Layer) -> str:
    """What a layer is called, but for a convolution."""
    if layer.transposed:
        return "transposed"
    return "" if layer.weighted else layer.operation.words


def _parameters(layer: Layer | None) -> tuple[str, ...]:
    """The parameters of a layer that shape its field, in words."""
    if layer is None or "kernel_size" not in layer.operation.keys:
        return ()
    rows = {key: [getattr(axis, key) for axis in layer.axes] for key in ("stride", "dilation")}
    window = f"{'kernel' if layer.weighted else 'window'} {once(layer.kernel_size)}"
    return (window, *(f"{key} {once(numbers)}" for key, numbers in rows.items() if max(numbers) > 1))


def paths(layer: Layer) -> list[Values]:
    """How often each output element's window holds each input element along each axis; shape (output, input)."""
    found = []
    for axis, size in zip(layer.grid, layer.input_size, strict=True):
        # Python's own numbers, since those of paths may have any length.
        matrix = np.zeros((len(axis.windows), size), object)
        for output, window in enumerate(axis.windows):
            for element in window:
                index = axis.cells[element.position].input_index
                if index is not None:
                    matrix[output, index] += 1
        found.append(matrix)
    return found


def followed(network: Network) -> Iterator[list[Values]]:
    """How many paths lead to each element of each map from the output element that is shown, and after each step."""
    found = [np.zeros(node.size, object) for node in network.nodes]
    found[-1][_shown(network.nodes[0], network.nodes[-1])] = 1
    yield found
    for edges in network.steps:
        found = [*found]
        for edge in edges:
            found[edge.lower] = found[edge.lower] + _below(edge.layer, found[edge.upper])
        yield found


def _below(layer: Layer | None, found: Values) -> Values:
    """The numbers of paths to a layer's input elements, from those to its output elements."""
    for number, matrix in enumerate([] if layer is None else paths(layer)):
        found = np.moveaxis(np.tensordot(found, matrix, (number, 0)), -1, number)
    return found


def _shown(input_: Node, output: Node) -> Index:
    """The output element that is shown: of those that see the most input elements, one in the middle."""
    found = []
    for axis, (inputs, outputs) in enumerate(zip(input_.size, output.size, strict=True)):
        network, reached = along(output.stack, axis), dict[int, int]()
        for n in range(outputs):
            first, last = seen(network, n, n)
            reached[n] = len(range(max(first, 0), min(last + 1, inputs)))
        found.append(max(reached, key=lambda n: (reached[n], -abs(2 * n - len(reached)))))
    return tuple(found)


def scene(figure: Figure) -> Scene:
    """The scene of layers of one or two axes; raises `LayerError`."""
    for layer in all_layers(figure.layers):
        check_layer(layer, "receptive_field")
        check_drawing(Extent(longest(layer)))
    network = Network(figure.layers)
    parts, drawn = sum(prod(node.size) for node in network.nodes), len(network.steps) + 2
    check_drawing(Extent(0, drawn, drawn * parts, parts))
    fields = [[field(along(node.stack, axis)) for axis in range(len(node.size))] for node in network.nodes]
    still = _rows(network, fields) if network.flat else _maps(network, fields)
    found = [*followed(network)]
    steps = [*_steps(network, still, found)]
    check_drawing(Extent(0, parts=len(steps[-1].links) + len(steps[-1].skips)))
    return Scene(
        figure,
        still,
        tuple(steps[number] for number in figure.shown(len(steps))),
        sentence=_sentence(found[-1][0], fields),
        alternative=_alternative(network, found[-1]),
        parameters=not figure.is_stack,
    )


def _in_words(fields: Sequence[Field]) -> tuple[str, str, str]:
    """The size, the jump and the start of fields along each axis, in words."""
    found = [
        ("–".join(map(str, sorted({one.sizes[0], one.size}))), str(one.jump), f"{one.start}".replace("-", "−"))
        for one in fields
    ]
    size, jump, start = (words[0] if len(set(words)) == 1 else sizes(words) for words in zip(*found, strict=True))
    return size, jump, start


def _is_causal(fields: Sequence[Sequence[Field]]) -> bool:
    """Whether no element sees input after its own place, but some before it, and none is between inputs."""
    ends = [(one.first, one.last) for (one,) in fields]
    return all(last == 0 and first.denominator == 1 for first, last in ends) and min(ends)[0] < 0


def _rows(network: Network, fields: Sequence[Sequence[Field]]) -> Levels:
    """Maps of one axis: rows of elements with a distance of at least 1."""
    unit, is_causal = min(one.jump for (one,) in fields), _is_causal(fields)
    places = [
        [((one.last if is_causal else one.centre) + one.jump * n) / unit for n in range(*node.size)]
        for node, (one,) in zip(network.nodes, fields, strict=True)
    ]
    left, right = min(map(min, places)), max(map(max, places))
    check_drawing(Extent(round(right - left) + 1))
    depth, heads = network.nodes[-1].depth, dict[float, int]()
    levels = []
    for number, (node, row, one) in enumerate(zip(network.nodes, places, fields, strict=True)):
        lane = Fraction(node.lane) * (right - left + LANE_GAP)
        levels.append(
            Level(
                node.name,
                _parameters(node.last),
                _in_words(one),
                input=number == 0,
                at=tuple(Point(float(lane + place), depth - node.depth) for place in row),
                columns=len(row),
                rows=1,
                left=float(lane + left) - 0.5,
                right=tuple(float(lane + right) + column for column in FIELD_COLUMNS),
            )
        )
        heads[node.lane] = number
    return Levels(True, tuple(levels), heads=tuple(heads.values()))


def _maps(network: Network, fields: Sequence[Sequence[Field]]) -> Levels:
    """Maps of two axes: from left to right, with those of branches one below the other."""
    pitch = max(node.size[0] for node in network.nodes) + LABEL_ROWS
    middles, column = list[float](), 0.0
    for depth in range(network.nodes[-1].depth + 1):
        width = max(LEAST_WIDTH, *(node.size[1] for node in network.nodes if node.depth == depth))
        middles.append(column + width / 2)
        column += width + MAP_GAP
    levels = []
    for number, (node, found) in enumerate(zip(network.nodes, fields, strict=True)):
        rows, columns = node.size
        corner = Point(middles[node.depth] - columns / 2, node.lane * pitch - rows / 2)
        levels.append(Level(node.name, _parameters(node.last), _in_words(found), number == 0, (corner,), columns, rows))
    arrows = tuple(_arrow(levels[edge.lower], levels[edge.upper]) for edge in network.edges)
    return Levels(False, tuple(levels), arrows=arrows)


def _arrow(lower: Level, upper: Level) -> Line:
    """From the right side of a map to the left side of another, off their middles where several meet."""
    (start,), (end,) = lower.at, upper.at
    first, second = start.row + lower.rows / 2, end.row + upper.rows / 2
    aside = (second - first) * ARROW_SLOPE
    return Point(start.column + lower.columns + 0.4, first + aside), Point(end.column - 0.4, second - aside)


def _steps(network: Network, still: Levels, found: Sequence[Sequence[Values]]) -> Iterator[Step]:
    """The output element, then what is seen of each map that a step leads to, and the paths."""
    old, links, skips = set[Point](), list[Line](), list[Line]()
    elements: tuple[Element, ...] = ()
    for edges, numbers in zip(([], *network.steps), found, strict=True):
        for edge in edges:
            (skips if edge.is_skip else links).extend(_links(edge, still, numbers[edge.upper]))
        elements = tuple(
            Element(*point, level.input, point not in old)
            for level, map_numbers in zip(still.levels, numbers, strict=True)
            for point in _places(level, map_numbers)
        )
        yield Step(elements, tuple(links), tuple(skips))
        old = {Point(element.column, element.row) for element in elements}
    inputs = found[-1][0]
    counts, most = inputs[inputs > 0], inputs.max()
    paths_ = tuple(
        Path(*point, count if most <= MOST_WRITTEN else None, round(100 * Fraction(count, most)))
        for point, count in zip(_places(still.levels[0], inputs), counts, strict=True)
    )
    yield Step(tuple(element._replace(new=False) for element in elements), tuple(links), tuple(skips), paths_)


def _places(level: Level, numbers: Values) -> list[Point]:
    """Where the elements of a map are that have paths, row by row."""
    indices = np.argwhere(numbers > 0).tolist()
    if len(level.at) == 1 and numbers.ndim == 2:
        return [Point(level.at[0].column + column, level.at[0].row + row) for row, column in indices]
    return [level.at[n] for (n,) in indices]


def _links(edge: Edge, still: Levels, upper: Values) -> Iterable[Line]:
    """Lines from the elements that are seen of a map of one axis to those that they see."""
    if not still.flat:
        return
    ends, starts = still.levels[edge.upper].at, still.levels[edge.lower].at
    matrix = np.eye(len(ends), dtype=object) if edge.layer is None else paths(edge.layer)[0]
    for output, input_ in np.argwhere(matrix > 0).tolist():
        if upper[output]:
            yield ends[output], starts[input_]


def _sentence(found: Values, fields: Sequence[Sequence[Field]]) -> str:
    indices = np.argwhere(found > 0)
    span = prod((indices.max(axis=0) - indices.min(axis=0) + 1).tolist()) if len(indices) else 0
    of = f" of the {span} that its field spans" if span > len(indices) else ""
    paths_ = "numbers count" if found.max() <= MOST_WRITTEN else "colours show"
    sentence = (
        f"The output element that is shown depends on {counted(len(indices), 'input element')}{of}; the {paths_} the "
        "paths to each. Of each map's fields, size is how many input elements they span, jump how far apart they are, "
        "and start where the first one begins."
    )
    if found.ndim == 1:
        place = "the last input element that it sees" if _is_causal(fields) else "the centre of its own field"
        sentence += f" Each element is over {place}."
    return sentence


def _alternative(network: Network, found: Sequence[Values]) -> str:
    labels = (", ".join(filter(None, (node.name, *_parameters(node.last)))) for node in network.nodes)
    seen_ = [f"{label}: {np.count_nonzero(numbers)}" for label, numbers in zip(labels, found, strict=True)]
    text = f"The elements that an output element depends on, from the output down: {'; '.join(reversed(seen_))}."
    if found[0].max() <= MOST_WRITTEN:
        text += f" The paths to the input elements: {in_words(np.atleast_2d(found[0]))}."
    return text
