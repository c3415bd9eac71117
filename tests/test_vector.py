"""SVGs from a drawing as poppler writes it, made here: what is shared, what moves, and that nothing is lost."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from scripts.errors import ToolError
from scripts.formats.svg import svg
from scripts.project import Outputs, Project
from scripts.stages import vector
from scripts.stages.drawn import Drawn
from scripts.stages.vector import Shape, vectors

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
# Two versions of cairo write glyphs as symbols and as groups; each page has clip paths of its own.
DEFINITIONS = """<defs><g><symbol overflow="visible" id="glyph0-0"><path style="stroke:none;" d=""/></symbol>
<symbol overflow="visible" id="glyph0-1"><path style="stroke:none;" d="M 1 -4.21875 L 0 0 Z M 1 -4.21875 "/></symbol>
<g id="glyph-1-1"><path d="M 1 -4.21875 L 0 0 Z M 1 -4.21875 "/></g></g>
<clipPath id="clip1"><path d="M 0 0 L 30 0 L 30 20 L 0 20 Z M 0 0 "/></clipPath>
<clipPath id="clip2"><path d="M 0 0 L 30 0 L 30 20 L 0 20 Z M 0 0 "/></clipPath></defs>"""
INK = "fill:none;stroke-width:0.3985;stroke:rgb(0%,16.862488%,21.174622%);stroke-opacity:1;stroke-miterlimit:10;"


def page(number: int) -> str:
    """The page of a step: a still line, a square that moves, another still line, and text."""
    left = 10 * number
    square = f"M {left} 0 L {left + 9} 0 L {left + 9} 5 Z M {left + 1} 1 L {left + 2} 2 Z"
    return f"""<page><g id="surface1">
<g clip-path="url(#clip{number % 2 + 1})" clip-rule="nonzero">
<path style="{INK}" d="M 0 0 L 5 0 L 5 2.5 L 7 3 " transform="matrix(0,2,-2,0,1,19)"/></g>
<path style=" stroke:none;fill-rule:nonzero;fill:rgb(100%,0%,0%);fill-opacity:0.4;" d="{square} M 0 0 "/>
<path style="{INK}stroke-dasharray:1.59404,1.59404;" d="M 1 1 C 2 2 3 3.004 4 5 " transform="matrix(2,0,0,1,0,0)"/>
<g style="fill:rgb(0%,0%,0%);fill-opacity:1;">
<use xlink:href="#glyph{"0" if number else "-1"}-1" x="3.00001" y="4"/><use xlink:href="#glyph0-0" x="4" y="4"/>
<use xlink:href="#glyph0-1" x="5" y="4"/>
</g></g></page>"""


@pytest.fixture
def poppler(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The pages that poppler draws."""
    pages = [page(number) for number in range(3)]
    monkeypatch.setattr(
        vector,
        "run",
        lambda _command, _folder: (
            f'{HEAD} width="30pt" height="20.5pt">{DEFINITIONS}<pageSet>{"".join(pages)}</pageSet></svg>'
        ).encode(),
    )
    return pages


def animated(count: int, durations: list[float]) -> str:
    outputs = Outputs(Path(), Path())
    steps = [f"a_{number:02}" for number in range(count)]
    files = svg(Drawn(Project(), outputs, "a", steps, durations, "T", "C", "A"))
    assert set(files) == {"a.svg", *(f"{step}.svg" for step in steps)}
    return files["a.svg"].decode()


@pytest.mark.usefixtures("poppler")
def test_shapes_are_where_they_were() -> None:
    drawn = vectors(Path("a.pdf"), 3)
    assert (drawn.width, drawn.height) == ("30", "20.5")
    first, square, last, glyph, _ = map(dict, (shape.attributes for shape in drawn.pages[1]))
    # Mapped and rounded, relative to the point before; its pen grows with it.
    assert first["d"] == "m1 19v10h-5l-1 4"
    assert first["stroke-width"] == "0.797"
    assert first["stroke"] == "#002b36"
    assert "transform" not in first
    assert isinstance(first["clip-path"], Shape)
    assert square["d"] == "m10 0h9v5zm1 1l1 1z"
    assert square["fill-opacity"] == "0.4"
    # A pen that the map would squeeze stays in it; dashes add up.
    assert last["transform"] == "matrix(2,0,0,1,0,0)"
    assert last["d"] == "m1 1c1 1 2 2 3 4"
    assert last["stroke-dasharray"] == "1.594 1.594"
    # Spaces are gone, and so is what each shape would have anyway.
    assert glyph == {"x": "3", "y": "4", "fill": "#000000", vector.HREF: Shape("path", (("d", "m1-4.22l-1 4.22z"),))}


@pytest.mark.usefixtures("poppler")
def test_what_all_frames_share_is_painted_once() -> None:
    root = ElementTree.fromstring(animated(3, [0.5, 0.5, 3.0]))  # noqa: S314 — made here
    tags = [element.tag.partition("}")[2] for element in root]
    assert tags == ["title", "desc", "style", "defs", "rect", "path", "g", "g", "g", "path", "g"]
    assert [group.get("visibility") for group in root.iter() if group.get("class")] == [None, "hidden", "hidden"]
    assert len(root[3]) == 2  # one clip path and one glyph


@pytest.mark.usefixtures("poppler")
def test_each_frame_lasts_as_long_as_the_figure_says() -> None:
    text = animated(3, [0.5, 0.5, 3.0])
    assert re.search(r"{animation:4s step-end infinite}", text)
    shown = re.findall(r"@keyframes f\w+-(\d){(.*?)}}", text)
    assert shown == [
        ("0", "12.5%{visibility:hidden"),
        ("1", "12.5%{visibility:visible}25%{visibility:hidden"),
        ("2", "25%{visibility:visible"),
    ]
    assert re.search(r"@media \(prefers-reduced-motion:reduce\){\.(f\w+){animation:none}}", text[text.rindex("@key") :])
    assert re.search(r"#f\w+:hover \.f\w+{animation-play-state:paused}", text)


def test_pages_that_are_missing_are_an_error(poppler: list[str]) -> None:
    del poppler[2]
    with pytest.raises(ToolError, match="poppler drew 2 pages, not 3"):
        vectors(Path("a.pdf"), 3)


def test_an_unknown_command_is_an_error(poppler: list[str]) -> None:
    poppler[0] = poppler[0].replace("C 2 2", "Q 2 2")
    with pytest.raises(ToolError, match="command Q"):
        vectors(Path("a.pdf"), 3)
