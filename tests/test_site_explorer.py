"""The explorer in a real browser: every control, what is drawn, what is said and what can be copied."""

import gzip
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
import resvg_py
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from scripts.core.figures import figure, load
from scripts.core.frames import frames
from scripts.core.inverse import solutions, usual_bounds
from scripts.core.keys import check
from scripts.core.layers import Layer
from scripts.notation.frameworks import layer as read_layer
from scripts.notation.frameworks import written
from scripts.notation.pytorch import shortest
from scripts.site.explorer import address
from tests.conftest import PROJECT, guarded

LONG = pytest.mark.full("takes the browser minutes, with all widths and colour schemes")
# Phone, tablet and desktop in both colour schemes: by mouse and by keyboard.
SIZES = [(width, scheme) for width in (360, 768, 1280) for scheme in ("light", "dark")]
BY_MOUSE = [pytest.param(*size, marks=[] if size == (360, "dark") else [LONG]) for size in SIZES]
BY_KEYBOARD = [pytest.param(*size, marks=[] if size == (1280, "light") else [LONG]) for size in SIZES]
# With every kind of control: two axes that differ, padding on each side, channels and values.
ALL = "#operation=convolution&input_size=7x6&kernel_size=3x2&stride=2x1&padding=1,0x0,1&view=numerical&values=random"
ALL += "&in_channels=2&out_channels=2"
LAYERS = [
    ALL,
    "#operation=transposed_convolution&input_size=4x4&kernel_size=3&stride=2&padding=1&view=numerical",
    "#operation=average_pooling&input_size=6&kernel_size=3&padding=1&view=numerical&values=random&seed=3",
    "#operation=adaptive_max_pooling&input_size=7x5&output_size=3&view=numerical",
    "#operation=max_unpooling&input_size=2x3&kernel_size=2&stride=2&view=numerical",
    "#operation=convolution&input_size=3&kernel_size=9",
]


@contextmanager
def explorer(
    browser: Browser, site: Path, place: str = "", width: int = 1280, scheme: str = "light", **more: Any
) -> Iterator[Page]:
    options = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme, **more}
    with guarded(browser, site.as_uri(), **options) as context:
        page = context.new_page()
        page.goto(f"{(site / 'explore/index.html').as_uri()}{place}")
        yield page


def toml(page: Page) -> str:
    """The figure's file, once it has followed the last change."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => setTimeout(done))))")
    return page.locator(".take", has=page.locator("h3", has_text="TOML")).locator("pre").inner_text()


def drawn(page: Page) -> Layer:
    """The layer whose file is shown."""
    return figure("drawn", check(tomllib.loads(toml(page)), "")).layer


# What the change of any control changes: the picture and what is said of it, or which fields there are.
STATE = """() => {
  const errors = [...document.querySelectorAll(".error")].map((error) => error.textContent);
  const fields = [...document.querySelectorAll("#layer [data-key]")].map((field) => field.offsetHeight);
  const shown = ["svg", "caption"].map((id) => document.getElementById(id).innerHTML);
  return JSON.stringify([errors, fields, shown]);
}"""
RESET = "address => { history.replaceState(null, '', address); dispatchEvent(new HashChangeEvent('hashchange')); }"
KIND = """(one) => {
  one.scrollIntoView({ block: "center" });
  return one.offsetHeight && !(one.type === "radio" && one.checked) ? one.type : "";
}"""


def controls(page: Page) -> Iterator[tuple[Locator, str]]:
    """The visible controls of the layer with their kinds, each in the state that the page had at first."""
    for control in page.locator("#layer :is(input, select, textarea)").all():
        page.evaluate(RESET, ALL)
        if kind := str(control.evaluate(KIND)):
            yield control, kind


@pytest.mark.parametrize(("width", "scheme"), BY_MOUSE)
def test_every_control_works_by_mouse(browser: Browser, site: Path, width: int, scheme: str) -> None:
    with explorer(browser, site, ALL, width, scheme) as page:
        used = Counter[str]()
        for control, kind in controls(page):
            before = page.evaluate(STATE)
            box = control.bounding_box()
            assert box is not None
            assert 0 <= box["x"] <= box["x"] + box["width"] <= width
            if kind == "number":
                control.fill(str(int(control.input_value() or 0) + 1))
            elif kind == "select-one":
                options = control.locator("option:not([disabled])").evaluate_all("all => all.map(one => one.value)")
                control.select_option(next(one for one in options if one != control.input_value()))
            else:
                page.mouse.click(box["x"] + box["width"] * 0.7, box["y"] + box["height"] / 2)
            assert page.evaluate(STATE) != before, control
            used[kind] += 1
        assert used == {"range": 12, "number": 16, "select-one": 4, "radio": 1, "checkbox": 2}


@pytest.mark.parametrize(("width", "scheme"), BY_KEYBOARD)
def test_every_control_works_by_keyboard(browser: Browser, site: Path, width: int, scheme: str) -> None:
    """Tab reaches all of them, and keys change each."""
    with explorer(browser, site, ALL, width, scheme) as page:
        toml(page)
        page.evaluate("() => addEventListener('focusin', (event) => (window.reached ??= []).push(event.target))")
        places = page.locator("main :is(input, select, textarea, button, summary), #picture")
        reachable = "all.filter((one) => one.offsetHeight && !(one.type === 'radio' && !one.checked))"
        page.locator("#notation").focus()
        for _ in range(places.evaluate_all(f"all => {reachable}.length") + 10):
            page.keyboard.press("Tab")
        left = places.evaluate_all(f"all => {reachable}.filter((one) => !reached.includes(one)).map((one) => one.id)")
        assert left == []
        for control, kind in controls(page):
            before = page.evaluate(STATE)
            last = control.evaluate("one => { one.focus(); return one.selectedIndex === one.options?.length - 1; }")
            key = {"checkbox": "Space", "radio": "Space", "select-one": "ArrowUp" if last else "ArrowDown"}
            page.keyboard.press(key.get(kind, "ArrowUp"))
            assert page.evaluate(STATE) != before, control


@pytest.mark.parametrize(
    ("address", "width", "scheme"),
    [
        (LAYERS[0], 360, "dark"),
        (LAYERS[1], 1280, "light"),
        *(
            pytest.param(address, width, scheme, marks=LONG)
            for address, (width, scheme) in zip(LAYERS, SIZES, strict=True)
        ),
    ],
)
def test_it_is_accessible(browser: Browser, site: Path, address: str, width: int, scheme: str) -> None:
    with explorer(browser, site, address, width, scheme) as page:
        toml(page)
        found = Axe().run(page, options={"preload": False})
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("address", LAYERS[1:5])
def test_what_is_drawn_is_what_python_computes(browser: Browser, site: Path, address: str) -> None:
    """Numbers, windows and steps of a numerical picture."""
    with explorer(browser, site, address) as page:
        found = figure("drawn", check(tomllib.loads(toml(page)), ""))
        output = found.output_values
        assert output is not None
        assert (
            page.locator("#sizes").inner_text() == f"{sizes(found.layer.input_size)} → {sizes(found.layer.output_size)}"
        )
        rows = page.locator("#svg .output-value text").all_text_contents()
        assert [number(text) for row in rows for text in row.split()] == pytest.approx(
            output.ravel().tolist(), abs=0.05
        )
        steps = list(frames(found.layer, output, found.indices))
        for n in (0, len(steps) // 2, len(steps) - 1):
            page.locator("#scrub").fill(str(n))
            covered = steps[n].terms
            cells = page.locator("#svg path[class^='window-over']").evaluate_all(
                "all => all.map(one => one.getAttribute('d')).join('')"
            )
            assert cells.count("M") == len(covered)
            value = str(page.locator("#svg .element-value text").text_content())
            assert number(value) == pytest.approx(steps[n].value, abs=0.05)
            assert value in page.locator("#sum").inner_text()


def sizes(numbers: tuple[int, ...]) -> str:
    return " × ".join(map(str, numbers))


def number(text: str) -> float:
    return float(text.replace("−", "-").replace("∞", "inf"))


def test_steps(browser: Browser, site: Path) -> None:
    """By buttons, slider, keys, a click on the output, and by themselves; Home, End and the arrows of the picture."""
    with explorer(browser, site, "#operation=convolution&input_size=5x5&kernel_size=3&padding=1") as page:
        scrub, picture = page.locator("#scrub"), page.locator("#picture")
        page.get_by_label("Next step").click()
        expect(scrub).to_have_value("1")
        page.get_by_label("Previous step").click()
        expect(scrub).to_have_value("0")
        picture.focus()
        for key, value in (
            ("ArrowRight", 1),
            ("ArrowDown", 6),
            ("End", 24),
            ("ArrowUp", 19),
            ("ArrowLeft", 18),
            ("Home", 0),
        ):
            page.keyboard.press(key)
            expect(scrub).to_have_value(str(value))
        page.keyboard.press("Space")
        expect(page.locator("#play")).to_have_text("Pause")
        page.locator("#speed").select_option("5")
        expect(scrub).not_to_have_value("0")
        page.locator("#play").click()
        expect(page.locator("#play")).to_have_text("Play")
        # The middle of the output.
        box = page.locator("#svg .output").bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(scrub).to_have_value("12")
        assert "row 2, column 2" in page.locator("#sum").inner_text()
        expect(scrub).to_have_attribute("aria-valuetext", "output row 2, column 2")
        page.wait_for_function("() => location.hash.includes('step=12')")
        page.reload()
        expect(scrub).to_have_value("12")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("nn.Conv2d(3, 64, kernel_size=(7, 7), stride=2, padding=3)", "14x14"),
        ('Conv1D(32, 2, dilation_rate=4, padding="causal")', "16"),
        ("ConvTranspose(kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 0, 1])", "4x5"),
        ("AdaptiveAvgPool2d((2, 3))", "5x7"),
    ],
)
def test_a_layer_is_pasted(browser: Browser, site: Path, text: str, size: str) -> None:
    """Into the field, or in the address."""
    with explorer(browser, site, f"#layer={quote(text)}&input={size}") as page:
        expected = read_layer(text, tuple(map(int, size.split("x")))).keys
        expected.pop("note", None)
        shown = tomllib.loads(toml(page))
        del shown["title"]
        assert (
            figure("a", check({"title": "T", **shown}, "")).layer
            == figure("b", check({"title": "T", **expected}, "")).layer
        )
        first = drawn(page)
        page.goto(f"{page.url.partition('#')[0]}#operation=convolution&input_size={size}&kernel_size=1")
        page.locator("#notation").fill(text)
        page.locator("#notation").press("Enter")
        expect(page.locator("#notation-error")).to_be_empty()
        assert drawn(page) == first


@pytest.mark.parametrize(
    "name", ["numerical_average_pooling_padding_excluded", "numerical_padding_strides", "padding_strides_transposed"]
)
def test_a_figure_can_be_changed(browser: Browser, site: Path, name: str) -> None:
    """Its page leads to the explorer with the figure's own layer, numbers and view."""
    found = load(PROJECT.figures / f"{name}.toml")
    with explorer(browser, site, address(found)) as page:
        shown = figure("shown", check(tomllib.loads(toml(page)), ""))
        assert shown.layer == found.layer
        if found.input_values is not None:
            assert shown.view == "numerical"
            np.testing.assert_array_equal(shown.output_values, found.output_values)
    assert f"explore/index.html{address(found)}" in unescape((site / f"figures/{name}/index.html").read_text())


HOSTILE = [
    "#layer=<img src=x onerror=alert(1)>&input=5",
    "#operation=<script>alert(1)</script>",
    "#operation=__proto__&input_size=constructor&toString=1",
    "#operation=convolution&input_size=5x5&kernel_size=<b>3</b>",
    "#operation=convolution&input_size=99999999999x5&kernel_size=3&padding=1,2,3",
    "#operation=convolution&input_size=5x5&kernel_size=3&view=numerical&input_values=<i>;1,2&values=given&step=-7",
    "#%E0%A4%A",
    f"#layer={'(' * 600}",
]


def test_texts_from_the_address_are_text(browser: Browser, site: Path) -> None:
    with explorer(browser, site) as page:
        for address in HOSTILE:
            page.evaluate(RESET, address)
            expect(page.locator("#sizes")).not_to_be_empty()
            assert page.locator("img, main script:not(#data), main b, main i").count() == 0


def test_errors_are_beside_their_fields(browser: Browser, site: Path) -> None:
    with explorer(browser, site) as page:
        page.locator("#kernel_size-0").fill("99")
        expect(page.locator("#kernel_size-error")).to_have_text(re.compile("^Kernel size: the window spans 99"))
        expect(page.locator("#kernel_size-0")).to_have_attribute("aria-invalid", "true")
        expect(page.locator("#instead")).to_have_text(re.compile("the window spans 99"))
        expect(page.locator("#svg")).to_be_hidden()
        page.locator("#kernel_size-0").fill("3")
        expect(page.locator("#kernel_size-error")).to_be_empty()
        expect(page.locator("#kernel_size-0")).to_have_attribute("aria-invalid", "false")
        expect(page.locator("#svg")).to_be_visible()
        page.locator("#notation").fill("Linear(3, 4)")
        page.get_by_role("button", name="Read").click()
        expect(page.locator("#notation-error")).to_have_text(re.compile("'Linear' is not a layer"))


def test_everything_can_be_copied(browser: Browser, site: Path) -> None:
    """As code, a figure's file, a link, a frame and a picture."""
    address = "#operation=convolution&input_size=5x7&kernel_size=3&stride=2&padding=1x0&view=numerical"
    with explorer(browser, site, address, permissions=["clipboard-read", "clipboard-write"]) as page:
        found = drawn(page)
        copied = {}
        for button in page.locator("#code button").all():
            button.click()
            name = str(button.get_attribute("aria-label")).removeprefix("Copy ")
            expect(page.locator("#copied")).to_have_text(f"{name} copied.")
            copied[name] = page.evaluate("navigator.clipboard.readText()")
        assert {name: copied[name].split("\n") for name in ("PyTorch", "Keras", "JAX", "ONNX")} == written(found)
        layer = re.fullmatch(r"make draw LAYER='(.*)' INPUT=5x7 VALUES=random", copied["make"])
        assert layer is not None
        assert figure("d", check({"title": "T", **read_layer(layer[1], (5, 7)).keys}, "")).layer == found
        page.goto(copied["Link"])
        assert drawn(page) == found
        frame = re.search('src="(.*?)"', copied["Embed"])
        assert frame is not None
        page.goto(unescape(frame[1]))
        expect(page.locator("#svg")).to_be_visible()
        expect(page.locator("#layer")).to_be_hidden()
        expect(page.locator("#results")).to_be_hidden()
        # It is a picture by itself: with colours where the page has variables, and no white square.
        image = Image.open(BytesIO(resvg_py.svg_to_bytes(svg_string=copied["SVG"], dpi=96)))
        assert len(image.convert("RGB").getcolors(100_000) or ()) > 10
        assert "var(" not in copied["SVG"]


def test_layers_are_found_from_sizes(browser: Browser, site: Path) -> None:
    with explorer(browser, site) as page:
        page.locator("#solve-input").fill("7")
        page.locator("#solve-output").fill("3")
        page.get_by_role("button", name="List layers").click()
        expected = [shortest(one) for one in solutions((7,), (3,), usual_bounds((7,), (3,)))]
        assert page.locator("#solutions li").all_inner_texts() == expected[:100]
        page.locator("#solutions button").nth(3).click()
        layer = drawn(page)
        assert (layer.output_size, shortest(layer)) == ((3,), expected[3])
        page.locator("#solve-input").fill("5x5")
        page.locator("#solve-output").fill("17x17")
        page.locator("#solve-output").press("Enter")
        expect(page.locator("#solve-count")).to_have_text(re.compile("layers up to kernel 7"))
        page.locator("#solve-output").fill("999")
        page.locator("#solve-output").press("Enter")
        expect(page.locator("#solve-count")).to_have_text(re.compile("too far apart"))
        page.locator("#solve-input").fill("five")
        page.locator("#solve-input").press("Enter")
        expect(page.locator("#solve-error")).to_have_text(re.compile("^Cannot be 'five'"))


SPECIFIC = [
    ("#operation=convolution&input_size=7x7&kernel_size=3&padding=1", "Half padding", "7"),
    ("#operation=convolution&input_size=9&kernel_size=3&stride=2&dilation=2", "Any axis of a convolution", "3"),
    ("#operation=convolution&input_size=6&kernel_size=4&padding=same_upper&stride=3", "SAME", "2"),
    ("#operation=max_pooling&input_size=6&kernel_size=3&stride=2&ceil_mode=true", "Ceil mode, all windows kept", "3"),
    (
        "#operation=transposed_convolution&input_size=3&kernel_size=3&stride=2&output_padding=1",
        "Any axis of a transposed convolution",
        "8",
    ),
]


def test_the_relationship_of_a_layer_is_shown(browser: Browser, site: Path) -> None:
    """The most specific one first; all end in the size of the output."""
    with explorer(browser, site) as page:
        for address, title, result in SPECIFIC:
            page.evaluate(RESET, address)
            expect(page.locator(".formula .title").first).to_have_text(title)
            results = page.locator(".formula .math math").evaluate_all("all => all.map((m) => m.lastChild.textContent)")
            assert set(results) == {result}


def test_the_page_is_small(site: Path) -> None:
    """All that it loads, as hosts compress it."""
    page = site / "explore/index.html"
    text = page.read_text(encoding="utf-8")
    loaded = [page, *(page.parent / name for name in re.findall(r'(?:src|href)="([^"]+\.(?:js|css))"', text))]
    assert len(loaded) == 9
    assert sum(len(gzip.compress(file.read_bytes())) for file in loaded) < 70_000
    assert json.loads(text.partition('id="data">')[2].partition("</script>")[0])["operations"]
