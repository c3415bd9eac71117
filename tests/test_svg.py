"""SVGs: drawn by another program than poppler, and read back as a browser would play them."""

import json
import re
from collections.abc import Iterator
from io import BytesIO
from itertools import accumulate
from pathlib import Path
from xml.etree import ElementTree

import pytest
import resvg_py
from pdf2image import convert_from_path
from PIL import Image

from scripts.core.figures import figure
from scripts.core.keys import FigureFile
from scripts.formats import FORMATS
from scripts.stages.drawn import DPI, Drawn
from scripts.views import scene_of
from tests.conftest import Checkout
from tests.pixels import assert_same_picture

SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"

# What a stranger may write into a title.
HOSTILE = "</title><script>alert(1)</script> & \"quoted\" 'too' ]]> <!-- &lt;"


@pytest.fixture(scope="module")
def svgs(built: Checkout) -> Path:
    built.run("build", "--format=svg")
    return built.top / "build" / "svg"


def parsed(file: Path) -> ElementTree.Element:
    return ElementTree.fromstring(file.read_bytes())  # noqa: S314 — of our own build


def pixels(content: bytes) -> Image.Image:
    """A drawing by resvg, which knows no animation."""
    png = resvg_py.svg_to_bytes(svg_string=content.decode(), dpi=4 * DPI)
    image = Image.open(BytesIO(bytes(png))).convert("RGBA")
    # But for the edge of a page that is no whole number of pixels, paper is everywhere.
    assert image.crop((0, 0, image.width - 1, image.height - 1)).getchannel("A").getextrema() == (255, 255)
    return image.convert("RGB").reduce(4)


@pytest.mark.parametrize("name", ["tiny", "values"])
def test_another_program_draws_the_frames_that_poppler_draws(built: Checkout, svgs: Path, name: str) -> None:
    frames = convert_from_path(built.project.catalogue.document(name).with_suffix(".pdf"), dpi=4 * DPI)[:-1]
    expected = [frame.reduce(4) for frame in frames]
    drawn = [pixels(step.read_bytes()) for step in sorted(svgs.glob(f"{name}_0*.svg"))]
    for one, other in zip(drawn, expected, strict=True):
        assert_same_picture(one, other)
    # The comparison tells frames apart.
    with pytest.raises(AssertionError):
        assert_same_picture(drawn[0], expected[1])
    # Programs that do not animate show the first frame.
    assert_same_picture(pixels((svgs / f"{name}.svg").read_bytes()), expected[0])


def painted(root: ElementTree.Element, visible: frozenset[str]) -> list[tuple[tuple[str, str], ...]]:
    """What a drawing paints in order, where groups of the classes in `visible` show: all attributes, without names."""
    named = {element.attrib["id"]: element for element in root.iter() if "id" in element.attrib}

    def described(element: ElementTree.Element, looks: dict[str, str]) -> Iterator[tuple[tuple[str, str], ...]]:
        classes = element.get("class", "").split()
        if classes and not visible & set(classes):
            return
        looks = looks | {k: v for k, v in element.attrib.items() if k not in ("id", "class", "visibility")}
        for name, value in looks.items():
            if reference := re.fullmatch(r"url\(#(.*)\)|#(f\w{7}_\d+)", value):
                looks[name] = str(painted(named[reference[1] or reference[2]], visible) or dict(looks))
        if not len(element):
            yield (("tag", element.tag), *sorted(looks.items()))
        for child in element:
            yield from described(child, looks)

    skipped = {f"{SVG}{tag}" for tag in ("defs", "style", "title", "desc", "metadata")}
    children = [child for child in root if child.tag not in skipped] or [root]
    return [one for child in children if child is not root for one in described(child, {})] or [
        (("tag", root.tag), *sorted((k, v) for k, v in root.attrib.items() if k != "id"))
    ]


def showing(style: str, time: float) -> frozenset[str]:
    """The classes that are visible after so many seconds, by the animations of a style sheet."""
    (total,) = map(float, re.findall(r"animation:([\d.]+)s step-end infinite", style))
    share = 100 * (time % total) / total
    shown = set()
    for name, rules in re.findall(r"@keyframes ([\w-]+){((?:[\d.]+%{visibility:\w+})*)}", style):
        assert f".{name}{{animation-name:{name}}}" in style
        values = [value for start, value in re.findall(r"([\d.]+)%{visibility:(\w+)}", rules) if float(start) <= share]
        # Until its first rule, the attribute counts.
        if (values[-1] if values else "visible" if name.endswith("-0") else "hidden") == "visible":
            shown.add(name)
    return frozenset(shown)


@pytest.mark.parametrize("name", ["tiny", "values"])
def test_the_animation_is_each_frame_in_its_time(svgs: Path, name: str) -> None:
    root = parsed(svgs / f"{name}.svg")
    style = root.findtext(f"{SVG}style", "")
    scene = scene_of(figure(name, FigureFile.model_validate_json(SCENES[name])))
    ends = list(accumulate(scene.durations))
    for number, (duration, end) in enumerate(zip(scene.durations, ends, strict=True)):
        frame = painted(parsed(svgs / f"{name}_{number:02}.svg"), frozenset())
        for time in (end - duration + 0.002, end - duration / 2, end - 0.002, ends[-1] + end - 0.002):
            assert painted(root, showing(style, time)) == frame, (number, time)
    # For readers who want no motion, the first frame: the groups' own attributes.
    assert "@media (prefers-reduced-motion:reduce){" in style
    still = frozenset(
        one for group in root.iter(f"{SVG}g") if group.get("visibility") != "hidden" for one in classes(group)
    )
    assert painted(root, still) == painted(parsed(svgs / f"{name}_00.svg"), frozenset())


def classes(element: ElementTree.Element) -> list[str]:
    return element.get("class", "").split()[1:]


SCENES = {
    "tiny": '{"title": "T", "operation": "convolution", "input_size": 3, "kernel_size": 2}',
    "values": '{"title": "T", "operation": "convolution", "input_values": [[1, 2], [3, 4]], "padding": [[1, 0], 0],'
    '"kernel_values": [[1, 0], [0, 1.5]], "frame_duration": 0.5}',
}


def test_a_drawing_says_what_it_shows(built: Checkout, svgs: Path) -> None:
    caption = json.loads(built.run("describe", "figures/values.toml"))["caption"]
    for file in (svgs / "values.svg", svgs / "values_01.svg"):
        root = parsed(file)
        assert root.get("role") == "img"
        named = {element.get("id"): element.text or "" for element in root}
        step = "" if file.stem == "values" else ", step 2 of 2"
        assert [named[name] for name in root.attrib["aria-labelledby"].split()] == [
            f"100 % & more_values{step}",
            caption,
        ]


def test_files_share_no_names_and_define_nothing_in_vain(svgs: Path) -> None:
    """So that several can be put into one page."""
    used = list[str]()
    for file in svgs.glob("*.svg"):
        text = file.read_text()
        names = re.findall(r' id="(.*?)"', text)
        assert len(names) == len(set(names))
        for name in names[3:]:
            assert f"#{name})" in text or f'"#{name}"' in text, (file.name, name)
        definitions = [re.sub(r' id="\w+"', "", one) for one in re.findall(r"<(?:path|clipPath) [^>]* id=[^>]*>", text)]
        assert len([one for one in definitions if "d=" in one]) == len({one for one in definitions if "d=" in one})
        used += names
        assert set(re.findall(r"[.#](f\w{7})\b", text)) <= {names[0]}
    assert len(used) == len(set(used))


def test_text_of_strangers_is_text(built: Checkout) -> None:
    outputs = built.project.catalogue
    drawn = Drawn(built.project, outputs, "tiny", ["tiny_00"], [1.0], HOSTILE, HOSTILE, HOSTILE)
    content = FORMATS["svg"].files(drawn)["tiny.svg"]
    root = ElementTree.fromstring(content)  # noqa: S314 — made here
    assert [root.findtext(f"{SVG}{tag}") for tag in ("title", "desc")] == [HOSTILE, HOSTILE]
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        *("svg", "title", "desc", "defs", "clipPath", "path", "rect", "g", "use")
    }
    # A single frame has nothing that moves.
    assert b"style" not in content
