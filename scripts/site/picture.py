"""A figure's drawing for a page, in the colours of a light theme and of a dark one."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import starmap
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pikepdf

from scripts.core.figures import Figure
from scripts.errors import ToolError
from scripts.files import digest, write_whole
from scripts.project import Project
from scripts.record.freshness import Record, code
from scripts.stages.markup import Layer, Names, layers, paint
from scripts.stages.vector import COMMON, Shape, vectors
from scripts.tex.latexmk import identity
from scripts.views import scene_of

# A colour, and a variable that has one of two: by their names, pages know what to define.
COLOUR = re.compile("#([0-9a-f]{6})")
PAIR = re.compile(r"--([0-9a-f]{6})-([0-9a-f]{6})")
# TeX's points in one of PDF's.
POINTS = 72.27 / 72
NAMESPACES = {"xmlns": "http://www.w3.org/2000/svg", "xmlns:xlink": "http://www.w3.org/1999/xlink"}


class Place(NamedTuple):
    """Where a map is, in points from the drawing's upper left corner: (x, y) of its first corner, a column, a row."""

    corner: tuple[float, float]
    column: tuple[float, float]
    row: tuple[float, float]

    def path(self, row: int, column: int) -> str:
        """The outline of a cell, as SVG writes it."""
        x, y = (self.corner[n] + column * self.column[n] + row * self.row[n] for n in (0, 1))
        sides = (self.column, self.row, (-self.column[0], -self.column[1]))
        return f"m{x:.2f} {y:.2f}" + "".join(f"l{dx:.2f} {dy:.2f}" for dx, dy in sides) + "z"


@dataclass(frozen=True)
class Picture:
    """A drawing of `width` × `height` points: its frames, in groups of class `frame`, and one of them as an SVG file.

    `places` are those of the maps whose elements can be lit, by their names.
    """

    width: float
    height: float
    frames: str
    still: str
    places: Mapping[str, Place]


def picture(light: Project, dark: Project, figure: Figure) -> Picture:
    """The drawing of a typeset figure, made anew if TeX has made another; raises `ToolError`."""
    one, other = (project.catalogue.document(figure.name).with_suffix(".pdf") for project in (light, dark))
    record, file = Record(light, figure.name), one.with_name("picture.json")
    key = digest(code(__name__, light.root), identity(), one.read_bytes(), other.read_bytes())
    if not record.fresh("picture", key):
        with record.stage("picture", key, [file]):
            write_whole(file, json.dumps(asdict(_made(one, other, scene_of(figure).count))))
    content = json.loads(file.read_text(encoding="utf-8"))
    return Picture(**content | {"places": {name: Place(*place) for name, place in content["places"].items()}})


def definitions(texts: Iterable[str]) -> str:
    """Rules of CSS that define the variables which texts use, for light pages and for dark ones."""
    pairs = sorted({pair for text in texts for pair in PAIR.findall(text)})
    light, dark = ("".join(f"--{pair[0]}-{pair[1]}:#{pair[n]};" for pair in pairs) for n in (0, 1))
    return f":root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"


def _made(light: Path, dark: Path, count: int) -> Picture:
    one, other = vectors(light, count), vectors(dark, count)
    pages = [tuple(starmap(_paired, zip(*both, strict=True))) for both in zip(one.pages, other.pages, strict=True)]
    drawing, still = Element("svg"), Element("svg", {**NAMESPACES, **COMMON})
    for root, shown in ((drawing, list(layers(pages))), (still, [Layer(None, pages[count // 2])])):
        defined = Element("defs")
        root.append(defined)
        paint(root, shown, Names("s", defined), lambda frame: {"class": "frame", "data-frame": str(frame)})
    still.attrib |= {"width": one.width, "height": one.height, "viewBox": f"0 0 {one.width} {one.height}"}
    style = Element("style")
    style.text = definitions([ElementTree.tostring(still, encoding="unicode")])
    still.insert(0, style)
    return Picture(
        width=float(one.width),
        height=float(one.height),
        frames="".join(ElementTree.tostring(part, encoding="unicode") for part in drawing),
        still=ElementTree.tostring(still, encoding="unicode"),
        places=_places(light, float(one.height)),
    )


def _paired(light: Shape, dark: Shape) -> Shape:
    """A shape in the colours of two themes, which draw it alike."""
    if (light.tag, len(light.attributes), len(light.parts)) != (dark.tag, len(dark.attributes), len(dark.parts)):
        raise ToolError("The themes of light and of dark pages draw different shapes.")
    attributes = tuple(
        (name, _both(value, other)) for (name, value), (_, other) in zip(light.attributes, dark.attributes, strict=True)
    )
    return Shape(light.tag, attributes, tuple(starmap(_paired, zip(light.parts, dark.parts, strict=True))))


def _both(light: str | Shape, dark: str | Shape) -> str | Shape:
    if isinstance(light, Shape) and isinstance(dark, Shape):
        return _paired(light, dark)
    if light != dark and (colours := [COLOUR.fullmatch(str(value)) for value in (light, dark)]) and all(colours):
        return f"var(--{'-'.join(colour[1] for colour in colours if colour)})"
    if light != dark:
        raise ToolError(f"The themes of light and of dark pages draw different shapes: {light:.80}, {dark:.80}.")
    return light


def _places(document: Path, height: float) -> dict[str, Place]:
    """The places that the figure's template names, see `scripts/views/scene.py`."""
    found = {}
    with pikepdf.open(document) as content:
        for key, value in content.docinfo.items():
            if key.startswith("/Place."):
                numbers = [float(number) / POINTS for number in re.findall(r"(-?[\d.]+)pt", str(value))]
                corner, *others = ((x, height - y) for x, y in zip(numbers[::2], numbers[1::2], strict=True))
                sides = ((x - corner[0], y - corner[1]) for x, y in others)
                found[key.removeprefix("/Place.")] = Place(corner, *sides)
    return found
