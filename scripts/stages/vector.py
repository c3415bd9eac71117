"""Pages as shapes: poppler's SVG, reduced to what is painted, wherever it is defined."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from math import hypot, isclose
from pathlib import Path
from typing import NamedTuple, Union
from xml.etree import ElementTree

from scripts.errors import ToolError
from scripts.processes import run

# Decimals of a coordinate in points: a hundredth is not seen in the largest print.
DECIMALS = 2
UNIT = 10**DECIMALS

HREF = "{http://www.w3.org/1999/xlink}href"

# Initial values, and those that every drawing sets for all of its shapes.
COMMON = {"stroke-miterlimit": "10"}
DEFAULTS = COMMON | {
    "clip-rule": "nonzero",
    "fill-opacity": "1",
    "fill-rule": "nonzero",
    "stroke": "none",
    "stroke-dashoffset": "0",
    "stroke-linecap": "butt",
    "stroke-linejoin": "miter",
    "stroke-opacity": "1",
}
# Attributes of a group that mean the same on each of its shapes.
PASSED_ON = {"fill", "fill-opacity", "fill-rule", "stroke", "clip-path", *DEFAULTS}

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"

# The numbers that follow each letter of a path, as cairo writes them: all coordinates are absolute.
POINTS = {"M": 1, "L": 1, "C": 3, "Z": 0}


class Shape(NamedTuple):
    """An element of SVG: an attribute that refers to another element holds that element itself.

    So shapes are equal if they paint the same, and one that is painted in several places is known as such.
    """

    tag: str
    attributes: tuple[tuple[str, Union[str, "Shape"]], ...]
    parts: tuple["Shape", ...] = ()


class Vectors(NamedTuple):
    """The pages of a document, each as its shapes in the order of painting; sizes are in points."""

    width: str
    height: str
    pages: list[tuple[Shape, ...]]


class Matrix(NamedTuple):
    """An affine map of the plane, as SVG writes it."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    @property
    def scale(self) -> float | None:
        """How much longer it makes lines; None if that depends on their direction."""
        first, second = hypot(self.a, self.b), hypot(self.c, self.d)
        square = isclose(self.a * self.c + self.b * self.d, 0, abs_tol=1e-6 * first * second)
        return first if square and isclose(first, second, rel_tol=1e-6) else None

    def apply(self, x: float, y: float) -> tuple[float, float]:
        """The image of a point."""
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f


def vectors(document: Path, count: int) -> Vectors:
    """The first pages of a document, by poppler; raises `ToolError`."""
    # Poppler takes paper of whole points, and would shrink or move pages to fit them on it.
    exact = ["-noshrink", "-nocenter"]
    command = ["pdftocairo", "-svg", *exact, "-f", "1", "-l", str(count), document.name, "-"]
    root = ElementTree.fromstring(run(command, document.parent))  # noqa: S314 — poppler wrote it, of our own PDF
    for element in root.iter():
        element.tag = element.tag.partition("}")[2]
    shapes = _Reader({element.attrib["id"]: element for element in root.iter() if "id" in element.attrib})
    pages = [tuple(shapes.painted(page)) for page in root.iter("page")] or [tuple(shapes.painted(root))]
    if len(pages) != count:
        raise ToolError(f"{document}: poppler drew {len(pages)} pages, not {count}.")
    width, height = (root.attrib[side].removesuffix("pt") for side in ("width", "height"))
    return Vectors(width, height, pages)


class _Reader:
    """Elements become shapes; those that others refer to are looked up by their ids."""

    def __init__(self, elements: Mapping[str, ElementTree.Element]) -> None:
        self.elements = elements
        self.defined = cache(self._defined)

    def painted(self, element: ElementTree.Element) -> Iterator[Shape]:
        """The shapes that an element's children paint, without the groups that can be spared."""
        for child in element:
            if child.tag != "defs":
                yield from self._flat(child)

    def _flat(self, element: ElementTree.Element) -> list[Shape]:
        attributes = self._attributes(element)
        parts = tuple(self.painted(element))
        if element.tag == "path":
            return _path(attributes)
        if element.tag == "use" and attributes[HREF] == Shape("path", ()):
            # A space.
            return []
        if element.tag != "g":
            return [_shape(element.tag, attributes, parts)]
        if attributes.keys() <= PASSED_ON and not ("clip-path" in attributes and any(map(_has_own_space, parts))):
            return [part._replace(attributes=_sorted(attributes | dict(part.attributes))) for part in parts]
        return [_shape("g", attributes, parts)] if parts else []

    def _defined(self, name: str) -> Shape:
        element = self.elements[name]
        parts = tuple(self.painted(element))
        # A glyph.
        if element.tag in ("symbol", "g") and len(parts) <= 1:
            return parts[0] if parts else Shape("path", ())
        return _shape(element.tag, self._attributes(element), parts)

    def _attributes(self, element: ElementTree.Element) -> dict[str, str | Shape]:
        """An element's attributes and style, as attributes."""
        given = dict(element.attrib)
        given.pop("id", None)
        given |= dict(one.strip().split(":", 1) for one in given.pop("style", "").split(";") if one.strip())
        return {name: self._value(name, value) for name, value in given.items() if DEFAULTS.get(name) != value}

    def _value(self, name: str, value: str) -> str | Shape:
        if reference := re.fullmatch(r"url\(#(.*)\)", value) or (name == HREF and re.fullmatch("#(.*)", value)):
            return self.defined(reference[1])
        if colour := re.fullmatch(rf"rgb\(({NUMBER})%,\s*({NUMBER})%,\s*({NUMBER})%\)", value):
            return "#" + "".join(f"{round(float(share) * 2.55):02x}" for share in colour.groups())
        if name in ("d", "transform"):
            return value
        if re.fullmatch(rf"{NUMBER}(?:[ ,]+{NUMBER})*", value):
            write = _coordinate if name in ("x", "y") else _length
            return " ".join(write(float(number)) for number in re.findall(NUMBER, value))
        return value


def _has_own_space(shape: Shape) -> bool:
    """Whether a clip path would mean another place on the shape than around it, or replace its own."""
    return bool({"transform", "clip-path"} & dict(shape.attributes).keys())


def _shape(tag: str, attributes: Mapping[str, str | Shape], parts: tuple[Shape, ...] = ()) -> Shape:
    return Shape(tag, _sorted(attributes), parts)


def _sorted(attributes: Mapping[str, str | Shape]) -> tuple[tuple[str, str | Shape], ...]:
    return tuple(sorted(attributes.items(), key=lambda item: item[0]))


def _path(attributes: dict[str, str | Shape]) -> list[Shape]:
    """A path without its transformation, if its pen stays round; none if it is empty."""
    data = str(attributes.pop("d", ""))
    matrix = Matrix(1, 0, 0, 1, 0, 0)
    if given := re.fullmatch(r"matrix\((.*)\)", str(attributes.get("transform", ""))):
        found = Matrix(*map(float, given[1].split(",")))
        scale = found.scale
        if scale is not None:
            matrix = found
            del attributes["transform"]
            for name in ("stroke-width", "stroke-dasharray", "stroke-dashoffset"):
                if name in attributes and not isclose(scale, 1, rel_tol=1e-4):
                    numbers = re.findall(NUMBER, str(attributes[name]))
                    attributes[name] = " ".join(_length(scale * float(number)) for number in numbers)
    drawn = _minimal(data, matrix)
    return [_shape("path", attributes | {"d": drawn})] if drawn else []


def _minimal(data: str, matrix: Matrix) -> str:
    """A path's data, mapped and rounded, relative and short."""
    written = list[str]()
    here = start = (0, 0)
    moved = False
    for letter, numbers in re.findall(r"([A-Za-z])([^A-Za-z]*)", data):
        if letter not in POINTS:
            raise ToolError(f"pdftocairo: a path has the command {letter}, which is not read yet.")
        values = list(map(float, re.findall(NUMBER, numbers)))
        points = [matrix.apply(*values[place : place + 2]) for place in range(0, len(values), 2)]
        ends = [(round(UNIT * x), round(UNIT * y)) for x, y in points]
        if letter == "M":
            # Written where something is drawn from there.
            (start,), moved = ends, True
            continue
        if moved:
            written.append(_command("m", start, here))
            here, moved = start, False
        if letter == "Z":
            written.append("z")
            here = start
        elif letter == "L":
            written.append(_line(ends[0], here))
            here = ends[0]
        else:
            written.append(_command("c", *ends, here))
            here = ends[-1]
    return "".join(written)


def _line(end: tuple[int, int], here: tuple[int, int]) -> str:
    x, y = end[0] - here[0], end[1] - here[1]
    if y == 0:
        return "h" + _units(x)
    return "v" + _units(y) if x == 0 else _command("l", end, here)


def _command(letter: str, *points: tuple[int, int]) -> str:
    """A command with its points; the last point given is where the pen is."""
    *ends, here = points
    numbers = [_units(end[axis] - here[axis]) for end in ends for axis in (0, 1)]
    return letter + " ".join(numbers).replace(" -", "-")


def _coordinate(value: float) -> str:
    return _units(round(UNIT * value))


def _length(value: float) -> str:
    """A width, or a dash: errors of many dashes add up."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _units(value: int) -> str:
    """A number of hundredths, without needless digits."""
    digits = f"{abs(value):0{DECIMALS + 1}}"
    whole, rest = digits[:-DECIMALS].lstrip("0"), digits[-DECIMALS:].rstrip("0")
    return ("-" if value < 0 else "") + (whole + (f".{rest}" if rest else "") or "0")
