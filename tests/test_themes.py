"""Themes: colours as TeX mixes them, and whether texts, lines and kinds of cells can be told apart by everybody.

Contrast is WCAG 2's (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio): 4.5 for text, 3 for graphics.
"""

import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from scripts.stages.templates import templates
from tests.conftest import PROJECT
from tests.pictures import Definitions

THEMES = PROJECT.themes()
# Themes for eyes and printers that do not see colours: nothing may rest on these.
WITHOUT_COLOUR = ("colourblind", "print")
TEXT, GRAPHICS = 4.5, 3


@dataclass(frozen=True)
class Cell:
    """A kind of cell: the styles of its fill (none: paper), of the lines around it, and of numbers in it."""

    fill: str
    lines: str
    value: str = ""


CELLS = {
    "input": Cell("input", "outline", "input value"),
    "output": Cell("output", "outline", "output value"),
    "padding": Cell("", "padding", "padding value"),
    "copy": Cell("copy", "padding", "copy value"),
    "overhang": Cell("", "overhang"),
    "cropped": Cell("cropped input", "cropped", "cropped value"),
    "cropped zero": Cell("", "cropped", "cropped value"),
    "window over input": Cell("window over input", "window grid", "window over input value"),
    "window over copy": Cell("window over copy", "window grid", "window over copy value"),
    "window over padding": Cell("window over padding", "window grid", "window over padding value"),
    # A single element, with no lines in it.
    "window over output": Cell("window over output", "lit", "window over output value"),
    "weight": Cell("weight", "outline", "weight value"),
    "entry": Cell("weight", "cropped", "weight value"),
    "lit entry": Cell("window over weight", "outline", "window over weight value"),
    "dropped": Cell("dropped output", "outline", "dropped output value"),
    **{f"count {n}": Cell(f"count={n}", "outline", f"count value={n}") for n in (0, 10, 25, 33, 50, 66, 75, 100)},
}
# Kinds that may stand side by side, and have to be told apart.
NEIGHBOURS = [
    ("input", "padding"),
    ("input", "copy"),
    ("padding", "overhang"),
    ("input", "overhang"),
    ("copy", "overhang"),
    ("padding", "cropped"),
    ("padding", "cropped zero"),
    ("input", "cropped"),
    ("input", "cropped zero"),
]
# What has a strong line around it, and what lies on the line's other side.
LIT = [
    ("window over input", "input"),
    ("window over input", "padding"),
    ("window over input", "copy"),
    ("window over copy", "copy"),
    ("window over copy", "input"),
    ("window over padding", "padding"),
    ("window over padding", "input"),
    ("window over output", "output"),
    ("output", "dropped"),
    ("lit entry", "entry"),
]


# Prints fill, stroke and text colour (RGB) of a style, and the width of its lines.
SHOW = r"""
\makeatletter
\newcommand\look[2]{%
  \begingroup
    \let\tikz@fillcolor\undefined \let\tikz@strokecolor\undefined \let\tikz@textcolor\undefined
    \tikzset{convfigure, #2}%
    \def\shown{}%
    \@for\part:=fill,stroke,text\do{%
      \ifcsname tikz@\part color\endcsname
        \edef\colour{\csname tikz@\part color\endcsname}%
        \colorlet{asked}{\colour}\convertcolorspec{named}{asked}{RGB}\colour
      \else \def\colour{none}\fi
      \edef\shown{\shown|\colour}}%
    \typeout{LOOK #1\shown|\strip@pt\pgflinewidth}%
  \endgroup}
"""
Colour = tuple[float, ...]


@dataclass(frozen=True)
class Look:
    """How TeX sets a style: colours as RGB from 0 to 255, and the width of lines in points."""

    fill: Colour | None
    stroke: Colour | None
    text: Colour | None
    width: float


def looks_in(theme: str, named: dict[str, str], setup: str = "") -> dict[str, Look]:
    """How TeX sets some options in a theme, by their names."""
    files = (PROJECT.templates / "themes" / f"{theme}.tex", PROJECT.templates / "styles.tex")
    names = templates(PROJECT).fill("preamble.tex.j2") + "".join(file.read_text(encoding="utf-8") for file in files)
    commands = "".join(f"\\look{{{name}}}{{{options}}}\n" for name, options in named.items())
    source = f"{names}\\begin{{document}}{SHOW}{setup}{commands}\\end{{document}}"
    with TemporaryDirectory() as folder:
        (Path(folder) / "looks.tex").write_text(source, encoding="utf-8")
        run = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "looks.tex"]
        output = subprocess.run(run, cwd=folder, capture_output=True, text=True, check=True).stdout
    found = {}
    for line in re.findall(r"^LOOK (.*)$", output, re.MULTILINE):
        name, *colours, width = line.split("|")
        fill, stroke, text = (None if colour == "none" else tuple(map(float, colour.split(","))) for colour in colours)
        found[name] = Look(fill, stroke, text, float(width))
    assert found.keys() == named.keys()
    return found


@cache
def looks(theme: str) -> dict[str, Look]:
    """The styles of cells, lines and texts in a theme; "" is bare paper."""
    styles = {style for cell in CELLS.values() for style in (cell.fill, cell.lines, cell.value) if style}
    styles |= {"lit", "link", "unseen", "seen input", "seen output", "map label", "parameters"}
    return looks_in(theme, {style: style for style in sorted(styles)} | {"paper": "fill=papercolor"})


@cache
def dashes() -> dict[str, str | None]:
    """The dash patterns of styles."""
    definitions = Definitions((PROJECT.templates / "styles.tex").read_text(encoding="utf-8"))
    return {name: definitions.leaves(name).get("dash pattern") for name in definitions.styles if "#" not in name}


def fill(theme: str, kind: str) -> Colour:
    """What a kind of cell is filled with."""
    found = looks(theme)[CELLS[kind].fill or "paper"].fill
    assert found is not None
    return found


def stroke(theme: str, style: str) -> Colour:
    """What lines of a style are drawn with."""
    found = looks(theme)[style].stroke
    assert found is not None
    return found


def linear(colour: Any) -> Any:
    """Linear light, from 0 to 1, of sRGB from 0 to 255 (IEC 61966-2-1)."""
    scaled = np.asarray(colour) / 255
    return np.where(scaled <= 0.04045, scaled / 12.92, ((scaled + 0.055) / 1.055) ** 2.4)


def contrast(one: Colour, other: Colour) -> float:
    """WCAG's contrast ratio, (L₁ + 0.05) / (L₂ + 0.05)."""
    dark, light = sorted(float(linear(colour) @ (0.2126, 0.7152, 0.0722)) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


# G. M. Machado, M. M. Oliveira, L. A. F. Fernandes: A Physiologically-based Model for Simulation of Color Vision
# Deficiency. IEEE Transactions on Visualization and Computer Graphics 15 (6), 2009: linear RGB as seen, at full
# severity.
SEEN = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
    "achromatopsia": [[0.2126, 0.7152, 0.0722]] * 3,
}
# From linear RGB to CIE XYZ relative to D65 white.
XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]


def difference(one: Colour, other: Colour, seen: str) -> float:
    """ΔE*ab (CIE 1976) between two colours as some people see them; about 2 can just be told."""

    def lab(colour: Colour) -> Any:
        light = np.clip(np.array(SEEN[seen]) @ linear(colour), 0, 1)
        x, y, z = (np.array(XYZ) @ light) / np.sum(XYZ, axis=1)
        x, y, z = (t ** (1 / 3) if t > (6 / 29) ** 3 else t / (3 * (6 / 29) ** 2) + 4 / 29 for t in (x, y, z))
        return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])

    return float(np.linalg.norm(lab(one) - lab(other)))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("kind", [kind for kind, cell in CELLS.items() if cell.value])
def test_numbers_are_legible_on_each_kind_of_cell(theme: str, kind: str) -> None:
    text = looks(theme)[CELLS[kind].value].text
    assert text is not None
    assert contrast(text, fill(theme, kind)) >= TEXT


@pytest.mark.parametrize("theme", THEMES)
def test_labels_are_legible_on_paper(theme: str) -> None:
    paper = fill(theme, "padding")
    for style in ("map label", "parameters"):
        text = looks(theme)[style].text
        assert text is not None
        assert contrast(text, paper) >= TEXT


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("kind", CELLS)
def test_lines_around_cells_are_seen_on_them(theme: str, kind: str) -> None:
    lines = stroke(theme, CELLS[kind].lines)
    if kind == "window over output":
        assert contrast(lines, fill(theme, "output")) >= GRAPHICS
    else:
        assert contrast(lines, fill(theme, kind)) >= GRAPHICS


@pytest.mark.parametrize("theme", THEMES)
def test_lines_are_seen_on_paper(theme: str) -> None:
    paper = fill(theme, "padding")
    for style in ("link", "unseen", "seen input", "seen output", "padding", "overhang", "cropped", "lit"):
        assert contrast(stroke(theme, style), paper) >= GRAPHICS


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("one", "other"), NEIGHBOURS)
def test_neighbours_are_told_apart_by_more_than_hue(theme: str, one: str, other: str) -> None:
    first, second = CELLS[one].lines, CELLS[other].lines
    # Faint lines are grey, not only thinner.
    told = contrast(stroke(theme, first), stroke(theme, second)), contrast(fill(theme, one), fill(theme, other))
    assert dashes()[first] != dashes()[second] or max(told) >= GRAPHICS


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("inside", "outside"), LIT)
def test_what_is_lit_has_a_strong_line_around_it(theme: str, inside: str, outside: str) -> None:
    found, line = looks(theme), stroke(theme, "lit")
    assert found["lit"].width >= 2 * max(found[CELLS[kind].lines].width for kind in ("input", "padding", "output"))
    sides = contrast(line, fill(theme, outside)), contrast(fill(theme, inside), fill(theme, outside))
    assert max(sides) >= GRAPHICS


@pytest.mark.parametrize("theme", THEMES)
def test_elements_that_are_seen_are_told_from_others(theme: str) -> None:
    for kind in ("input", "output"):
        assert contrast(stroke(theme, f"seen {kind}"), stroke(theme, "unseen")) >= 2
        assert contrast(fill(theme, kind), fill(theme, "padding")) >= 1.4


@pytest.mark.parametrize("theme", THEMES)
def test_input_and_output_differ_in_grey(theme: str) -> None:
    one, other = (fill(theme, kind) for kind in ("input", "output"))
    assert contrast(one, other) >= 1.4
    # As printers and video mix grey (ITU-R BT.601), out of 255.
    luma = [float(np.array(colour) @ (0.299, 0.587, 0.114)) for colour in (one, other)]
    assert abs(luma[0] - luma[1]) >= 30


@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("theme", THEMES)
def test_colours_differ_in_every_colour_vision(theme: str, seen: str) -> None:
    pairs = [("input", "output"), ("input", "window over input"), ("output", "window over output")]
    pairs += [("output", "dropped"), ("input", "padding"), ("window over input", "window over padding")]
    for one, other in pairs:
        assert difference(fill(theme, one), fill(theme, other), seen) >= 10, (one, other)


@pytest.mark.parametrize("theme", WITHOUT_COLOUR)
def test_nothing_rests_on_colour_alone(theme: str) -> None:
    assert looks(theme)["lit"].width >= 4 * looks(theme)["outline"].width
    if theme == "print":
        colours = {colour for look in looks(theme).values() for colour in (look.fill, look.stroke, look.text) if colour}
        assert all(len(set(colour)) == 1 for colour in colours)


def test_ink_is_legible_on_any_colour() -> None:
    grid = np.stack(np.meshgrid(*[np.linspace(0, 1, 6)] * 3), axis=-1).reshape(-1, 3)
    setup = "".join(f"\\definecolor{{c{n}}}{{rgb}}{{{r:.3f},{g:.3f},{b:.3f}}}" for n, (r, g, b) in enumerate(grid))
    for look in looks_in("classic", {f"c{n}": f"fill=c{n}, ink on=c{n}" for n in range(len(grid))}, setup).values():
        assert look.text is not None and look.fill is not None
        assert look.text in ((0, 0, 0), (255, 255, 255))
        assert contrast(look.text, look.fill) >= TEXT


@pytest.mark.parametrize("theme", THEMES)
def test_a_window_is_as_dark_where_numbers_are_on_it(theme: str) -> None:
    """In the plane it is translucent: on each kind of cell, 0.4 of its colour and 0.6 of the cell's."""
    definitions = Definitions((PROJECT.templates / "styles.tex").read_text(encoding="utf-8"))
    opacity = float(definitions.leaves("window")["fill opacity"])
    window = looks_in(theme, {"window": "fill=windowcolor"})["window"].fill
    for kind in ("input", "output", "copy", "padding"):
        mixed = opacity * np.array(window) + (1 - opacity) * np.array(fill(theme, kind))
        assert np.allclose(mixed, fill(theme, f"window over {kind}"), atol=1.5)


def test_the_readme_shows_a_light_and_a_dark_page_their_own_picture() -> None:
    readme = (PROJECT.root / "README.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"<picture>.*?</picture>", readme, re.DOTALL)
    dark, light = re.findall(r"build/(?:themes/(\w+)/)?svg/(\w+)\.svg", snippet)
    assert "prefers-color-scheme: dark" in snippet
    assert (dark[0], light[0]) == ("dark", "")
    assert dark[1] == light[1]
    assert dark[1] in PROJECT.figure_names()
    # The page of one is dark, of the other light.
    assert [contrast(fill(theme, "padding"), (0, 0, 0)) > 10 for theme in ("dark", "classic")] == [False, True]
