"""SVG: each frame, and all of them as an animation that needs no script; text is paths.

The animation is CSS alone, which also runs where a page shows the file as an image.  What all frames share is painted
throughout, and the rest of each frame while it is shown.  It pauses under the pointer, where the file is part of a page
or opened itself; for readers who want no motion, and in programs without animation, it is the first frame.
"""

from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from functools import reduce
from itertools import accumulate, groupby
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from scripts.files import digest
from scripts.stages.drawn import Drawn, Several
from scripts.stages.vector import COMMON, HREF, Shape, Vectors, vectors

# Some programs do not know the shorter href yet.
NAMESPACES = {"xmlns": "http://www.w3.org/2000/svg", "xmlns:xlink": "http://www.w3.org/1999/xlink"}

# Under all that TeX paints: a theme whose paper has another colour paints all of the page itself.
PAPER = "#fff"

Shapes = tuple[Shape, ...]


class Layer(NamedTuple):
    """Shapes that one frame shows, by its number from 0, or all frames if that is None."""

    frame: int | None
    shapes: Shapes


def svg(drawn: Drawn) -> dict[str, bytes]:
    """A file for each frame, NAME_00.svg, and the animation, NAME.svg; raises `ToolError`."""
    pictures = vectors(drawn.document, len(drawn.steps))
    count = len(drawn.steps)
    files = {}
    for number, (step, page) in enumerate(zip(drawn.steps, pictures.pages, strict=True), start=1):
        title = f"{drawn.title}, step {number} of {count}" if count > 1 else drawn.title
        files[f"{step}.svg"] = _written(drawn, pictures, [Layer(None, page)], [], title)
    layers = list(_layers(pictures.pages))
    files[f"{drawn.name}.svg"] = _written(drawn, pictures, layers, drawn.durations, drawn.title)
    return files


def _layers(pages: Sequence[Shapes]) -> Iterator[Layer]:
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


def _written(drawn: Drawn, pictures: Vectors, layers: Sequence[Layer], durations: Sequence[float], title: str) -> bytes:
    """The file; without durations a still one."""
    description = drawn.alternative
    # Several files in one page must not share names, and equal files should be equal on every build.
    prefix = f"f{digest(repr((pictures[:2], layers, durations, title, description)))[:7]}"
    width, height = pictures.width, pictures.height
    root = Element("svg", NAMESPACES)
    root.attrib |= {"width": f"{width}pt", "height": f"{height}pt", "viewBox": f"0 0 {width} {height}", **COMMON}
    root.attrib |= {"id": prefix, "role": "img", "aria-labelledby": f"{prefix}t {prefix}d"}
    for tag, text in (("title", title), ("desc", description)):
        SubElement(root, tag, id=f"{prefix}{tag[0]}").text = text
    style, definitions = Element("style"), Element("defs")
    names = _Names(prefix, definitions)
    root.extend([style, definitions])
    if not drawn.project.is_transparent:
        root.append(Element("rect", width="100%", height="100%", fill=PAPER))
    moving = set[int]()
    for frame, run in groupby(layers, lambda layer: layer.frame):
        shapes = [shape for layer in run for shape in layer.shapes]
        if frame is None:
            root.extend(_elements(shapes, names))
        else:
            moving.add(frame)
            group = SubElement(root, "g", {"class": f"{prefix} {prefix}-{frame}"})
            if frame > 0:
                group.set("visibility", "hidden")
            group.extend(_elements(shapes, names))
    style.text = _timing(prefix, sorted(moving), durations)
    for element in (style, definitions):
        if not element.text and not len(element):
            root.remove(element)
    return ElementTree.tostring(root, encoding="unicode").encode() + b"\n"


def _timing(prefix: str, moving: Sequence[int], durations: Sequence[float]) -> str:
    """The rules by which each of the moving frames is visible for its duration."""
    if not moving:
        return ""
    *starts, total = accumulate(durations, initial=0)
    shares = [f"{100 * time / total:.4f}".rstrip("0").rstrip(".") for time in (*starts, total)]
    rules = [f".{prefix}{{animation:{round(total, 3):g}s step-end infinite}}"]
    for frame in moving:
        # Before its first rule, a frame has the visibility of its group; after its last one, that of the rule.
        begin = f"{shares[frame]}%{{visibility:visible}}" if frame > 0 else ""
        end = f"{shares[frame + 1]}%{{visibility:hidden}}" if frame + 1 < len(durations) else ""
        rules.append(f".{prefix}-{frame}{{animation-name:{prefix}-{frame}}}")
        rules.append(f"@keyframes {prefix}-{frame}{{{begin}{end}}}")
    rules.append(f"#{prefix}:hover .{prefix}{{animation-play-state:paused}}")
    rules.append(f"@media (prefers-reduced-motion:reduce){{.{prefix}{{animation:none}}}}")
    return "".join(rules)


class _Names:
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


def _elements(shapes: Iterable[Shape], names: _Names) -> Iterator[Element]:
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


def _element(shape: Shape, names: _Names) -> Element:
    element = Element(shape.tag)
    for name, value in sorted(shape.attributes, key=lambda one: one[0]):
        if isinstance(value, str):
            element.set(name, value)
        elif name == HREF:
            element.set("xlink:href", f"#{names.of(value)}")
        else:
            element.set(name, f"url(#{names.of(value)})")
    element.extend(_elements(shape.parts, names))
    return element


FORMAT = Several("svg", "svg", svg, beside=("pdf",), has_durations=True, has_words=True)
