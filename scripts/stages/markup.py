"""Shapes as SVG: what all pages share is written once, and so is what is painted in several places."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from functools import reduce
from itertools import groupby
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement

from scripts.stages.vector import HREF, Shape

Shapes = tuple[Shape, ...]


class Layer(NamedTuple):
    """Shapes that one frame shows, by its number from 0, or all frames if that is None."""

    frame: int | None
    shapes: Shapes


def layers(pages: Sequence[Shapes]) -> Iterator[Layer]:
    """What all pages share and what each has more, in the order in which every page paints it."""
    shared = reduce(_common, pages)
    cut = [list(_cut(page, shared)) for page in pages]
    for place, between in enumerate(zip(*cut, strict=True)):
        yield from (Layer(frame, own) for frame, own in enumerate(between) if own)
        yield Layer(None, shared[place : place + 1])


def _common(first: Shapes, second: Shapes) -> Shapes:
    """Shapes that both sequences have in the same order."""
    blocks = SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
    return tuple(shape for block in blocks for shape in first[block.a : block.a + block.size])


def _cut(page: Shapes, shared: Shapes) -> Iterator[Shapes]:
    """What a page has before each of the shared shapes, and after the last."""
    start = 0
    for shape in shared:
        place = page.index(shape, start)
        yield page[start:place]
        start = place + 1
    yield page[start:]


def paint(
    root: Element, layers: Iterable[Layer], names: "Names", attributes: Callable[[int], dict[str, str]]
) -> set[int]:
    """Append layers to an element, those of a frame in a group with its `attributes`, hidden but for the first.

    Returns the numbers of the frames that have such groups.
    """
    moving = set[int]()
    for frame, run in groupby(layers, lambda layer: layer.frame):
        shapes = [shape for layer in run for shape in layer.shapes]
        if frame is None:
            root.extend(elements(shapes, names))
        else:
            moving.add(frame)
            group = SubElement(root, "g", attributes(frame))
            if frame > 0:
                group.set("visibility", "hidden")
            group.extend(elements(shapes, names))
    return moving


class Names:
    """The names of shapes that others refer to, which are defined when they are first named."""

    def __init__(self, prefix: str, definitions: Element) -> None:
        self.prefix, self.definitions = prefix, definitions
        self.known = dict[Shape, str]()

    def of(self, shape: Shape) -> str:
        """The name of a shape."""
        if shape not in self.known:
            element = _element(shape, self)
            self.known[shape] = f"{self.prefix}_{len(self.known)}"
            element.set("id", self.known[shape])
            self.definitions.append(element)
        return self.known[shape]


def elements(shapes: Iterable[Shape], names: Names) -> Iterator[Element]:
    """Shapes as elements, those with the same looks in a group that has them."""
    for looks, run in groupby(shapes, _looks):
        alike = list(run)
        if len(alike) == 1 or not looks:
            yield from (_element(shape, names) for shape in alike)
        else:
            group = _element(Shape("g", looks), names)
            bare = (shape._replace(attributes=tuple(set(shape.attributes) - set(looks))) for shape in alike)
            group.extend(_element(shape, names) for shape in bare)
            yield group


def _looks(shape: Shape) -> tuple[tuple[str, str | Shape], ...]:
    return tuple(one for one in shape.attributes if one[0] not in ("d", "x", "y", HREF, "transform", "clip-path"))


def _element(shape: Shape, names: Names) -> Element:
    element = Element(shape.tag)
    for name, value in sorted(shape.attributes, key=lambda one: one[0]):
        if isinstance(value, str):
            element.set(name, value)
        elif name == HREF:
            element.set("xlink:href", f"#{names.of(value)}")
        else:
            element.set(name, f"url(#{names.of(value)})")
    element.extend(elements(shape.parts, names))
    return element
