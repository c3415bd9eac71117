"""Pictures read back: the drawing commands of a figure's TikZ source, carried out on a grid of cells.

A small interpreter of the part of TikZ that the views use.  Styles and lengths are those that the source
itself defines; what it does not understand is a `ReadError`.  As on paper, later paint covers earlier paint.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise, product
from math import ceil, floor
from typing import NamedTuple

# A place in a picture: column, row and height, counted in cells.
Point = tuple[float, float, float]
Matrix = tuple[float, float, float, float]

PAPER = "papercolor"
PLAIN = {
    r"\textbackslash{}": "\\",
    r"\textasciitilde{}": "~",
    r"\textasciicircum{}": "^",
    r"\textminus{}": "−",
    r"\textdegree": "°",
    r"$\infty$": "∞",
    r"$\approx$": "≈",
    r"\\": "\n",
    r"\,×\,": " × ",
    **{f"\\{character}": character for character in "#%&_"},
}
SUPERSCRIPT = re.compile(r"\\textsuperscript\{([\d./]+)\}")
READABLE_PART = re.compile("|".join([*map(re.escape, PLAIN), SUPERSCRIPT.pattern, r"[^\\{}$#%&_~^]"]))
READABLE = re.compile(f"(?:{READABLE_PART.pattern})*")


class ReadError(Exception):
    """A source that draws something else than the views do, or nothing at all."""


class Text(NamedTuple):
    """A text in a cell: where in it, from its top left corner, and the width that it is made to fit, if any."""

    text: str
    style: str
    place: tuple[float, float]
    width: str | None


class Line(NamedTuple):
    """A line between two points, in the style it is drawn in, and with its arrowhead."""

    style: str
    start: Point
    end: Point


class Label(NamedTuple):
    """A text beside a map: the point that its anchor lies on."""

    text: str
    anchor: str
    at: Point
    rotate: str = ""


@dataclass
class Picture:
    """What can be seen in the end.

    `fills` holds, by the top left corner of each painted cell, the styles that show: an opaque one and the
    translucent ones over it.  `edges` does so for the lines between cells, each by where it starts and
    whether it runs "across" or "down": a solid style, and the dashed ones over it.  `shapes` are rectangles
    that are no whole cells, and circles.  `matrix` maps cells to the paper, as TikZ's `cm`, and `lift` holds
    the corners of the input and of the output between which the output is raised; `reach` is the space and the
    far corner of what cells are made small enough for.  `beside` has what is drawn in cells of another size: a picture
    of its own, by the point of the paper at which its cells begin.  `legend` has the styles and texts of its entries.
    `step` is the number below a strip's panel, and `arrow` leads from its input to its output.
    """

    matrix: Matrix | None = None
    lift: tuple[Point, Point] | None = None
    reach: tuple[str, Point] | None = None
    fills: dict[Point, tuple[str, ...]] = field(default_factory=dict)
    edges: dict[tuple[Point, str], tuple[str, ...]] = field(default_factory=dict)
    texts: dict[Point, tuple[Text, ...]] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    shapes: list[Line] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    parameters: list[list[str]] | None = None
    sum: str = ""
    legend: list[tuple[str, str]] = field(default_factory=list)
    beside: dict[tuple[float, float], "Picture"] = field(default_factory=dict)
    step: str | None = None
    arrow: tuple[Point, Point] | None = None
    height: float = field(default=0, compare=False)


@dataclass
class Document:
    """All frames of a figure, what they have in common, and its strip: frames by (row, column)."""

    frames: list[Picture]
    bare: Picture
    strip: dict[tuple[int, int], Picture]


def read(source: str) -> Picture:
    """The picture of one step's source."""
    preamble, body = source.rsplit(r"\begin{document}", 1)
    return _Reader(_definitions(preamble), {}).read(_without_comments(body))


def read_document(source: str) -> Document:
    """The pictures of the document that holds all frames of a figure."""
    preamble, body = source.rsplit(r"\begin{document}", 1)
    if r"\usebox\labelsbox" not in preamble:
        raise ReadError("a page does not show the labels")
    boxes: dict[str, str] = {}
    reader = _Reader(_definitions(preamble), boxes)
    pages = []
    # Boxes are filled anew for the strip, so that their order matters.
    for environment, name, content in PAGES.findall(_without_comments(body)):
        if environment == "lrbox":
            boxes[name] = content
        else:
            pages.append(reader.read(content + r"\usebox\labelsbox"))
    bare = reader.read(boxes["barebox"] + boxes["labelsbox"])
    reader.read(boxes["picturebox"])
    return Document(pages, bare, reader.panels)


PAGES = re.compile(r"\\begin\{(lrbox|framepage)\}(?:\{\\(\w+)\})?(.*?)\\end\{\1\}", re.DOTALL)
COMMAND = re.compile(r"\\([A-Za-z]+)")
PATH = re.compile(
    r"(?P<relative>\+?)\((?P<at>[^()]*)\)|(?P<verb>rectangle|grid|--|to\[[^\]]*\])|circle\[(?P<circle>[^\]]*)\]|(?P<bad>\S)"
)
PANEL = re.compile(r"\\pgfqpoint\{(\d+)\\stripright\}\{-(\d+)\\stripdown\}")
PLACED = re.compile(r"\(\[(.*)\](.*)\)")
SPACE = re.compile(r"[\s;]*")
FITTED = re.compile(r"\\fitted\{\\(\w+)\}\{(.*)\}", re.DOTALL)
TABLE = re.compile(r"\s*\\begin\{tabular\}\{.*?l@\{\}\}(.*)\\end\{tabular\}\s*", re.DOTALL)


def plain(text: str) -> str:
    """A text as it is read on paper."""
    text = re.sub(r"\\textbf\{(.*?)\}", r"\1", " ".join(text.split()))
    text = re.sub(r"\\weightname\{([\d,]+)\}", r"w \1", text)
    text = re.sub(r"\\elementname\{([\d,]+)\}", r"x \1", text)
    text = re.sub(r"\\outputname\{([\d,]+)\}", r"y \1", text)
    if not READABLE.fullmatch(text):
        raise ReadError(f"cannot read the text {text!r}")
    text = READABLE_PART.sub(lambda match: f"^{match[1]}" if match[1] else PLAIN.get(match[0], match[0]), text)
    lines = text.split("\n")
    return "\n".join(" ".join(line.split()) for line in lines)


class Definitions:
    """The styles and lengths of a preamble."""

    def __init__(self, preamble: str) -> None:
        preamble = _without_comments(preamble)
        self.styles: dict[str, str] = {}
        for match in re.finditer(r"\\tikzset(?=\{)", preamble):
            for entry in parts(_group(preamble, match.end())[0]):
                name, found, body = entry.partition("/.style")
                if found:
                    self.styles[name] = _group(body, body.index("{"))[0]
        self.lengths = {name: float(value) for name, value in re.findall(LENGTH, preamble)}
        # In drawings whose cells are not made smaller.
        self.lengths["convrowlift"] = self.lengths.get("rowlift", 0)
        self.switches = {
            name: preamble.rfind(rf"\figure{name}true") > preamble.rfind(rf"\figure{name}false")
            for name in ("labels", "legend", "sums")
        }
        self.leaves = cache(self._leaves)
        self.number = cache(self._number)

    def _leaves(self, options: str) -> dict[str, str]:
        """Options with every style in them replaced by what it consists of, later ones over earlier ones."""
        return dict(self.resolved(options))

    def resolved(self, options: str) -> Iterator[tuple[str, str]]:
        for option in parts(options):
            name, _, value = option.partition("=")
            if name not in self.styles:
                yield name, value
                continue
            body = self.styles[name]
            for number, argument in enumerate(re.findall(r"\{([^{}]*)\}", value), start=1):
                body = body.replace(f"#{number}", argument)
            yield from self.resolved(body)

    def option(self, options: str, key: str) -> str | None:
        """The last of some options that says something of a key, as it is written."""
        return next((option for option in reversed(parts(options)) if key in self.leaves(option)), None)

    def _number(self, text: str) -> float:
        """A sum of numbers and lengths, in cells."""
        text = COMMAND.sub(lambda match: str(self.lengths.get(match[1], match[0])), text).replace(" ", "")
        terms = re.findall(r"[+-]?\d+(?:\.\d+)?", text)
        if not terms or "".join(terms) != text:
            raise ReadError(f"{text!r} is no sum of numbers")
        return sum(map(float, terms))

    def coordinates(self, text: str) -> Point:
        """Two or three numbers with commas between."""
        numbers = [self.number(part) for part in text.split(",")]
        x, y, z = (*numbers, 0) if len(numbers) == 2 else numbers
        return x, y, z


LENGTH = re.compile(r"\\newcommand\\(\w+)\{(\d+(?:\.\d+)?)\}")


@cache
def _definitions(preamble: str) -> Definitions:
    return Definitions(preamble)


class _State(NamedTuple):
    """What a scope changes: the picture that is drawn in, where the scope's origin lies in it, and the matrix.

    `corner` is the point of the paper at which the cells begin.
    """

    picture: Picture
    origin: Point = (0, 0, 0)
    matrix: Matrix | None = None
    corner: tuple[float, float] = (0, 0)


class _Reader:
    """Carries out drawing commands."""

    def __init__(self, definitions: Definitions, boxes: dict[str, str]) -> None:
        self.definitions = definitions
        self.boxes = boxes
        self.panels: dict[tuple[int, int], Picture] = {}
        self.scopes: list[_State] = []
        self.state = _State(Picture())

    def read(self, text: str) -> Picture:
        """The picture that some text draws."""
        self.state, self.scopes = _State(Picture()), []
        picture = self.state.picture
        self._run(text)
        if self.scopes:
            raise ReadError("a scope does not end")
        return picture

    def _run(self, text: str) -> None:
        end = _skip(text, 0)
        while end < len(text):
            match = COMMAND.match(text, end)
            if match is None:
                raise ReadError(f"typesets {text[end : end + 40]!r}")
            end = _skip(text, getattr(self, f"_{match[1]}", self._unknown)(text, match.end()))

    def _unknown(self, text: str, at: int) -> int:
        raise ReadError(f"does not know the command before {text[at : at + 40]!r}")

    # Each command takes the text and where its arguments begin, and gives where they end.

    def _begin(self, text: str, at: int) -> int:
        name, at = _group(text, at)
        options, at = _optional(text, at)
        if name in ("scope", "tikzpicture"):
            self.scopes.append(self.state)
            self.state = self._in_scope(options)
        return at

    def _end(self, text: str, at: int) -> int:
        name, at = _group(text, at)
        if name in ("scope", "tikzpicture"):
            self.state = self.scopes.pop()
        return at

    def _in_scope(self, options: str) -> _State:
        picture, origin, matrix, corner = self.state
        units = {}
        for name, value in self.definitions.resolved(options):
            value = value.strip("{}")
            if name in ("x", "y"):
                units[name] = float(value.removesuffix("cm"))
            if name == "cm" or (name == "y" and len(units) == 2):
                if matrix is not None:
                    raise ReadError("two spaces, one in the other")
                a, b, c, d = map(float, value.split(",")[:4]) if name == "cm" else (units["x"], 0, 0, units["y"])
                matrix = (a, b, c, d)
            elif name == "shift" and (placed := PLACED.fullmatch(value)):
                x, y, _ = self.definitions.coordinates(placed[2])
                a, b, c, d = self._in_scope(placed[1]).matrix or (1, 0, 0, 1)
                corner = round(a * x + c * y, 6), round(b * x + d * y, 6)
            elif name == "shift":
                origin = _moved(origin, self.definitions.coordinates(value.strip("()")))
        return _State(picture, origin, matrix, corner)

    def _if(self, name: str, text: str, at: int) -> int:
        end = re.compile(r"\\fi(?![a-zA-Z])").search(text, at)
        if end is None:
            raise ReadError(r"a condition has no \fi")
        return at if self.definitions.switches[name] else end.end()

    def _iffigurelabels(self, text: str, at: int) -> int:
        return self._if("labels", text, at)

    def _iffigurelegend(self, text: str, at: int) -> int:
        return self._if("legend", text, at)

    def _iffiguresums(self, text: str, at: int) -> int:
        return self._if("sums", text, at)

    def _kind(self, text: str, at: int) -> int:
        style, at = _group(text, at)
        words, at = _group(text, at)
        self.state.picture.legend.append((style, plain(words)))
        return at

    def _sumnode(self, text: str, at: int) -> int:
        _, at = _group(text, at)
        content, at = _group(text, at)
        self.state.picture.sum = plain(content)
        return at

    def _fi(self, _text: str, at: int) -> int:
        return at

    _measure = _sumroom = _fi

    def _stepnumber(self, text: str, at: int) -> int:
        self.state.picture.step, at = _group(text, at)
        return at

    def _maparrow(self, text: str, at: int) -> int:
        start, at = _group(text, at)
        end, at = _group(text, at)
        self.state.picture.arrow = self.definitions.coordinates(start), self.definitions.coordinates(end)
        return at

    def _usebox(self, text: str, at: int) -> int:
        match = COMMAND.match(text, at)
        if match is None or match[1] not in self.boxes:
            raise ReadError("a box is used before it is filled")
        self._run(self.boxes[match[1]])
        return match.end()

    def _pgftransformshift(self, text: str, at: int) -> int:
        shift, at = _group(text, at)
        panel = PANEL.fullmatch(shift)
        if panel is None:
            raise ReadError(f"shifts by {shift!r}")
        self.panels[int(panel[2]), int(panel[1])] = picture = Picture()
        self.state = self.state._replace(picture=picture)
        return at

    def _repeated(self, text: str, at: int) -> int:
        across, at = _group(text, at)
        down, at = _group(text, at)
        content, at = _group(text, at)
        outer = self.state
        by = self.definitions.number(across), self.definitions.number(down), 0
        self.state = outer._replace(origin=_moved(outer.origin, by))
        self._run(content)
        self.state = outer
        return at

    def _pgftext(self, text: str, at: int) -> int:
        _, at = _optional(text, at)
        content, at = _group(text, at)
        self._run(content)
        return at

    def _fitcells(self, text: str, at: int) -> int:
        style, at = _group(text, at)
        corner, at = _group(text, at)
        self.state.picture.reach = style, self.definitions.coordinates(corner)
        return at

    def _liftoutput(self, text: str, at: int) -> int:
        first, at = _group(text, at)
        second, at = _group(text, at)
        self.state.picture.lift = self.definitions.coordinates(first), self.definitions.coordinates(second)
        return at

    def _cellnode(self, text: str, at: int) -> int:
        arguments = []
        for _ in range(4):
            argument, at = _group(text, at)
            arguments.append(argument)
        style, across, down, content = arguments
        x, y = self.definitions.number(across), self.definitions.number(down)
        # The corner of its cell that a text is anchored at belongs to several.
        side = ceil(x) - 1, ceil(y) - 1
        column, row = side if self.definitions.leaves(style).get("anchor") == "south east" else (floor(x), floor(y))
        fitted = FITTED.fullmatch(content)
        width, content = (fitted[1], fitted[2]) if fitted else (None, content)
        cell = _moved(self.state.origin, (column, row, 0))
        texts = self._painted(cell).texts
        texts[cell] = (*texts.get(cell, ()), Text(plain(content), style, (x - column, y - row), width))
        return at

    def _node(self, text: str, at: int) -> int:
        options, at = _optional(text, at)
        match = re.compile(r"\s*at \((?:\[(.*?)\])?([^()]*)\)\s*").match(text, at)
        if match is None:
            raise ReadError("a node is nowhere")
        content, at = _group(text, match.end())
        if "legend" in parts(options):
            self._run(content)
            return at
        if match[2] == "current bounding box.south":
            table = TABLE.fullmatch(content)
            lines = (table[1] if table else content).split(r"\\")
            rows = [line.split("&") if table else [line] for line in lines]
            cells = [[plain(cell) for cell in row] for row in rows]
            picture = self.state.picture
            picture.parameters = [*(picture.parameters or []), *(row for row in cells if row != [""])]
            return at
        outer, self.state = self.state, self._in_scope(match[1] or "")
        point = _moved(self.state.origin, self.definitions.coordinates(match[2]))
        leaves = self.definitions.leaves(options)
        label = Label(plain(content), leaves.get("anchor", "center"), point, leaves.get("rotate", ""))
        self._picture().labels.append(label)
        self.state = outer
        return at

    def _path(self, text: str, at: int) -> int:
        return self._shapes(text, at)

    def _fill(self, text: str, at: int) -> int:
        return self._shapes(text, at, fill=True)

    def _draw(self, text: str, at: int) -> int:
        return self._shapes(text, at, stroke=True)

    def _filldraw(self, text: str, at: int) -> int:
        return self._shapes(text, at, fill=True, stroke=True)

    def _shapes(self, text: str, at: int, fill: bool = False, stroke: bool = False) -> int:
        """A path: filled and drawn if its command or one of its options says so."""
        options, at = _optional(text, at)
        fill_style = self.definitions.option(options, "fill") or (options if fill else None)
        stroke_style = self.definitions.option(options, "draw") or (options if stroke else None)
        if fill_style is None and stroke_style is None:
            return text.index(";", at)
        arrow = next((f", {option}" for option in parts(options) if option.startswith("-")), "")
        end = text.index(";", at)
        here: Point = (0, 0, 0)
        verb = None
        for token in PATH.finditer(text, at, end):
            if token["bad"]:
                raise ReadError(f"cannot follow the path {text[at:end]!r}")
            if token["circle"]:
                point = _moved(self.state.origin, here)
                self._painted(point).shapes.append(Line(options, point, point))
            elif token["verb"]:
                verb = token["verb"]
            else:
                there = self._place(token["at"])
                if token["relative"]:
                    there = _moved(here, there)
                if verb:
                    self._shape(verb, fill_style, stroke_style, here, there, arrow)
                here, verb = there, None
        return end

    def _place(self, at: str) -> Point:
        """A point in the scope's cells, perhaps in an inner scope whose options stand before it."""
        options, numbers = _optional(at, 0)
        point = self.definitions.coordinates(at[numbers:])
        x, y, z = self._in_scope(options).origin
        left, top, height = self.state.origin
        return _moved(point, (x - left, y - top, z - height))

    def _shape(self, verb: str, fill: str | None, stroke: str | None, start: Point, end: Point, arrow: str) -> None:
        first, last = _moved(self.state.origin, start), _moved(self.state.origin, end)
        picture = self._painted(min(first, last, key=lambda point: point[2]))
        if verb == "--" or verb.startswith("to"):
            bent = verb.removeprefix("--").replace("to", " to")
            picture.lines.append(Line((stroke or fill or "") + arrow + bent, first, last))
            return
        sizes = [b - a for a, b in zip(start[:2], end[:2], strict=True)]
        width, height = map(round, sizes)
        if min(sizes) <= 0 or [width, height] != [round(size, 6) for size in sizes]:
            if verb == "grid":
                raise ReadError(f"a grid of {sizes} cells")
            picture.shapes.append(Line(fill or stroke or "", first, last))
            return
        if verb == "grid" and any(number % 1 for number in start):
            raise ReadError("a grid that is beside TikZ's own")
        x, y, z = first
        columns, rows = ([round(a + n, 6) for n in range(size + 1)] for a, size in ((x, width), (y, height)))
        if fill is not None and verb == "rectangle":
            self._filled(fill, columns, rows, z)
        if stroke is not None:
            inner = 1 if verb == "grid" else None
            for row, (column, _) in product(rows if inner else (rows[0], rows[-1]), pairwise(columns)):
                self._stroked(stroke, ((column, row, z), "across"))
            for column, (row, _) in product(columns if inner else (columns[0], columns[-1]), pairwise(rows)):
                self._stroked(stroke, ((column, row, z), "down"))

    def _filled(self, style: str, columns: list[float], rows: list[float], z: float) -> None:
        picture = self._picture()
        translucent = "fill opacity" in self.definitions.leaves(style)
        for row, column in product(rows[:-1], columns[:-1]):
            cell = (column, row, z)
            if translucent:
                picture.fills[cell] = (*picture.fills.get(cell, ()), style)
                continue
            picture.fills[cell] = (style,)
            picture.texts.pop(cell, None)
            if style == PAPER:
                del picture.fills[cell]
            # The lines inside of what is filled are covered, those around it stay.
            if row != rows[0]:
                picture.edges.pop((cell, "across"), None)
            if column != columns[0]:
                picture.edges.pop((cell, "down"), None)

    def _stroked(self, style: str, edge: tuple[Point, str]) -> None:
        edges = self._picture().edges
        dashed = "dash pattern" in self.definitions.leaves(style)
        under = tuple(other for other in edges.get(edge, ()) if other != style) if dashed else ()
        edges[edge] = (*under, style)

    def _picture(self) -> Picture:
        """The picture, about to be drawn in."""
        picture, _, matrix, corner = self.state
        if picture.matrix is None:
            picture.matrix = matrix
        if corner != (0, 0):
            picture = picture.beside.setdefault(corner, Picture(matrix))
        if picture.matrix != matrix:
            raise ReadError("two spaces in one picture")
        return picture

    def _painted(self, point: Point) -> Picture:
        """The picture, about to be painted in at a point, over what is there."""
        picture = self._picture()
        if point[2] < picture.height:
            raise ReadError("paints what is below over what is above it")
        if point[2] > 0 and picture.lift is None:
            raise ReadError("paints above before it is known how high that is")
        picture.height = point[2]
        return picture


def _moved(point: Point, by: Point) -> Point:
    x, y, z = (round(a + b, 6) for a, b in zip(point, by, strict=True))
    return x, y, z


def _without_comments(text: str) -> str:
    return re.sub(r"(?<!\\)%.*", "", text)


def _skip(text: str, at: int) -> int:
    match = SPACE.match(text, at)
    return at if match is None else match.end()


def _group(text: str, at: int, opening: str = "{", closing: str = "}") -> tuple[str, int]:
    """What the brackets at some place hold, and where they end."""
    if text[at : at + 1] != opening:
        raise ReadError(f"has no {opening} at {text[at : at + 40]!r}")
    end = at
    while (end := text.find(closing, end + 1)) >= 0:
        if text.count(opening, at, end) == text.count(closing, at, end + 1):
            return text[at + 1 : end], end + 1
    raise ReadError(f"does not end with {closing}: {text[at : at + 40]!r}")


def _optional(text: str, at: int) -> tuple[str, int]:
    return _group(text, at, "[", "]") if text[at : at + 1] == "[" else ("", at)


@cache
def parts(options: str) -> list[str]:
    """Options, split at the commas that are in no brackets."""
    found, depth = [""], 0
    for character in options:
        depth += (character in "{[(") - (character in "}])")
        if character == "," and depth == 0:
            found.append("")
        else:
            found[-1] += character
    return [part for part in map(str.strip, found) if part]
