"""The site's pages in a real browser, opened from files: what they show, by mouse and by keyboard alone."""

import re
import shutil
import threading
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from scripts.core.figures import load
from scripts.core.frames import frames
from scripts.errors import ToolError, UserError
from scripts.formats import FORMATS
from scripts.site.citation import citation
from scripts.site.picture import definitions
from scripts.stages.vector import Shape
from tests.conftest import HOSTILE, PROJECT, SITE_FIGURES, Checkout, guarded, publish

WIDTHS, SCHEMES = (360, 768, 1280), ("light", "dark")
ALL_FIGURES = {*SITE_FIGURES, "hostile"}
PLAYED = ("padding_strides", "numerical_padding_strides", "numerical_average_pooling_padding_excluded")

# Counts the shifts that no click or key explains, and the space that a page takes beyond its width.
WATCH_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts.push(entry.value);
}).observe({type: "layout-shift", buffered: true});
"""


def open_page(page: Page, site: Path, name: str = "", query: str = "") -> None:
    """Open a figure's page, or the index."""
    file = site / "figures" / name / "index.html" if name else site / "index.html"
    page.goto(file.as_uri() + query)


def shown(page: Page) -> int:
    """The number of the frame that is shown, from 0; every other frame is hidden."""
    (number,) = set(
        page.locator('.frame[visibility="visible"]').evaluate_all("all => all.map((one) => one.dataset.frame)")
    )
    return int(number)


def lit(page: Page, kind: str, how: str = "lit") -> list[int]:
    """The numbers of the elements of a map that are lit."""
    elements = page.locator(f".element.{how}[data-map={kind}]")
    return list(map(int, elements.evaluate_all("all => all.map((one) => one.dataset.number)")))


def element(kind: str, number: int) -> str:
    return f'.element[data-map="{kind}"][data-number="{number}"]'


# --- Every page


@pytest.mark.parametrize(("width", "scheme"), [*product(WIDTHS, SCHEMES)])
def test_pages_fit_are_accessible_and_stay_where_they_are(
    browser: Browser, site: Path, width: int, scheme: str
) -> None:
    with guarded(browser, site.as_uri(), viewport={"width": width, "height": 800}, color_scheme=scheme) as context:
        page = context.new_page()
        page.add_init_script(WATCH_SHIFTS)
        # Pages of all kinds at the width where most can go wrong.
        others = ["hostile", "padding_strides", "strided_stack"] if (width, scheme) == (360, "dark") else []
        names = ["", "numerical_padding_strides", *others]
        for name in names:
            open_page(page, site, name)
            # It would read the style sheets again, which a page that was opened from a file must not.
            found = Axe().run(page, options={"preload": False})
            assert found.violations_count == 0, found.generate_report()
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            if page.locator(".play").count():
                page.locator(".speed").select_option("4")
                page.locator(".play").click()
                # Within half a second, the browser takes all shifts for those of the click.
                page.wait_for_timeout(800)
            assert page.evaluate("window.shifts") == [], name
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(0, 43, 54)"}[scheme]


class Links(HTMLParser):
    """The files that a page refers to, and its anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.files, self.anchors, self.ids = set[str](), set[str](), list[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.ids.append(value)
            if name in ("href", "src") and value and tag != "use":
                parts = urlsplit(value)
                if not parts.scheme:
                    (self.files if parts.path else self.anchors).add(unquote(parts.path) or parts.fragment)


def test_every_link_leads_somewhere(site: Path) -> None:
    pages = [site / "index.html", *(site / "figures").glob("*/index.html")]
    assert {page.parent.name for page in pages[1:]} == ALL_FIGURES
    for page in pages:
        links = Links(page.read_text(encoding="utf-8"))
        assert len(links.files) > 5
        assert [file for file in links.files if not (page.parent / file).is_file()] == []
        assert links.anchors <= set(links.ids)
        assert len(links.ids) == len(set(links.ids))
    for name in SITE_FIGURES[:-1]:
        links = Links((site / "figures" / name / "index.html").read_text(encoding="utf-8"))
        assert {"operation", "input_size", "kernel_size", "stride", "padding", "output_size"} <= links.anchors


def test_pages_are_small(site: Path, browser: Browser) -> None:
    """With all that they load by themselves."""
    loaded = dict[str, int]()
    with guarded(browser, site.as_uri()) as context:
        context.on(
            "request",
            lambda request: loaded.update({request.url: Path(unquote(urlsplit(request.url).path)).stat().st_size}),
        )
        for name, most in (("", 1_000_000), *((name, 300_000) for name in SITE_FIGURES)):
            loaded.clear()
            page = context.new_page()
            open_page(page, site, name)
            page.wait_for_load_state("networkidle")
            assert any(url.endswith("site.css") for url in loaded)
            assert sum(loaded.values()) <= most, name


def test_nothing_moves_by_itself(page: Page, site: Path) -> None:
    for name in ("", "padding_strides"):
        open_page(page, site, name)
        assert page.evaluate("document.getAnimations().length") == 0
    page.wait_for_timeout(1200)
    assert shown(page) == 0


def test_texts_of_strangers_are_texts(page: Page, site: Path) -> None:
    open_page(page, site)
    expect(page.locator(".card[data-name=hostile] h3")).to_have_text(HOSTILE)
    open_page(page, site, "hostile")
    expect(page).to_have_title(f"{HOSTILE} – Convolution arithmetic")
    expect(page.locator("h1")).to_have_text(HOSTILE)
    assert page.locator(".lead").inner_text().endswith(HOSTILE)
    assert HOSTILE.replace('"', '\\"') in page.locator("#toml").inner_text()
    open_page(page, site, SITE_FIGURES[0])
    page.get_by_role("link", name=re.compile("Previous|Next")).filter(has_text="hostile").wait_for()
    assert page.locator("[src=x]").count() == 0


def test_the_content_security_policy_holds(browser: Browser, site: Path) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        for name in ("", "padding_strides"):
            open_page(page, site, name)
            page.evaluate(
                """() => {
                  const script = document.createElement("script");
                  script.textContent = "document.title = 'hostile'";
                  document.body.append(script);
                  document.body.insertAdjacentHTML("beforeend", "<p style='color: red' id=p>text</p>");
                }"""
            )
            assert page.title() != "hostile"
            assert page.evaluate("getComputedStyle(document.getElementById('p')).color") != "rgb(255, 0, 0)"


def test_a_host_serves_the_same_pages(browser: Browser, site: Path) -> None:
    class Silent(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        home = f"http://127.0.0.1:{server.server_port}/"
        with guarded(browser, home) as context:
            page = context.new_page()
            page.goto(f"{home}?q=odd")
            expect(page.locator(".card:visible")).to_have_count(0)
            page.goto(f"{home}figures/padding_strides/#step-4")
            assert shown(page) == 3
        server.shutdown()


# --- The index


def visible(page: Page) -> set[str]:
    return set(page.locator(".card:visible").evaluate_all("all => all.map((one) => one.dataset.name)"))


def test_figures_are_found_by_mouse(page: Page, site: Path) -> None:
    open_page(page, site)
    assert visible(page) == ALL_FIGURES
    page.get_by_label("Operation").select_option("transposed convolution")
    assert visible(page) == {"padding_strides_transposed"}
    expect(page.get_by_role("status").first).to_have_text("1 figure")
    expect(page.locator("h2:visible")).to_have_text("Transposed convolution")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".card:visible")).to_have_count(len(ALL_FIGURES))
    page.get_by_label("View").select_option("numerical")
    page.get_by_label("Axes").select_option("2")
    assert visible(page) == {"numerical_padding_strides", "numerical_average_pooling_padding_excluded"}
    # The filter is in the address, comes back with it, and goes along to the figures.
    page.reload()
    assert visible(page) == {"numerical_padding_strides", "numerical_average_pooling_padding_excluded"}
    page.locator(".card:visible a").first.click()
    names = [Path(unquote(urlsplit(page.url).path)).parent.name]
    page.get_by_role("link", name="Next").click()
    names.append(Path(unquote(urlsplit(page.url).path)).parent.name)
    assert names == ["numerical_padding_strides", "numerical_average_pooling_padding_excluded"]
    page.get_by_role("link", name="Next").click()
    assert "/numerical_padding_strides/" in page.url
    page.get_by_role("link", name="Previous").click()
    assert "/numerical_average_pooling_padding_excluded/" in page.url
    page.get_by_role("link", name="All figures").click()
    assert parse_qs(urlsplit(page.url).query) == {"view": ["numerical"], "axes": ["2"]}
    assert len(visible(page)) == 2


def test_figures_are_found_by_keyboard(page: Page, site: Path) -> None:
    open_page(page, site)
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to content")
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.type("Stride convolution values")
    assert visible(page) == {"numerical_padding_strides"}
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("1")  # of 1 and 2 axes
    assert visible(page) == set()
    expect(page.get_by_role("status").first).to_have_text("No figures")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".card:visible")).to_have_count(len(ALL_FIGURES))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/figures/*/index.html")


# --- The player


def test_the_player_by_mouse(page: Page, site: Path) -> None:
    open_page(page, site, "padding_strides")
    play, slider = page.locator(".play"), page.get_by_label("Step", exact=True)
    page.get_by_label("Step forward").click()
    page.get_by_label("Step forward").click()
    assert shown(page) == 2
    page.get_by_label("Step back").click()
    assert shown(page) == 1
    expect(page.locator(".counter")).to_have_text("2 / 9")
    slider.fill("7")
    assert shown(page) == 7
    assert (slider.get_attribute("aria-valuetext") or "").startswith("Step 8 of 9. Output element (2, 1) sees")
    page.get_by_label("Speed").select_option("4")
    play.click()
    expect(play).to_have_accessible_name("Pause")
    # The last frame, and then the first again.
    expect(page.locator(".counter")).to_have_text("2 / 9")
    play.click()
    expect(play).to_have_accessible_name("Play")
    stopped = shown(page)
    page.wait_for_timeout(400)
    assert shown(page) == stopped
    for ending in ("svg", "pdf", "tex"):
        link = page.locator(f'[data-step-file="{ending}"]')
        assert link.get_attribute("href") == f"padding_strides_{stopped:02}.{ending}"


def test_the_player_by_keyboard(page: Page, site: Path) -> None:
    open_page(page, site, "numerical_padding_strides")
    page.locator(".all").focus()
    reached = list[str]()
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.dataset.map ?? document.activeElement.className"))
    controls = ["input", "output", "kernel", "control play", "control back", "control forward", "slider", "speed"]
    assert [name for name in reached if name in controls] == controls
    page.locator(".play").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert shown(page) == 2
    page.keyboard.press("ArrowLeft")
    assert shown(page) == 1
    page.keyboard.press("End")
    assert shown(page) == 8
    page.keyboard.press("Home")
    assert shown(page) == 0
    page.keyboard.press("Space")
    expect(page.locator(".play")).to_have_accessible_name("Pause")
    page.keyboard.press("Space")
    expect(page.locator(".play")).to_have_accessible_name("Play")
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("End")
    assert shown(page) == 8
    page.keyboard.press("Space")
    expect(page.locator(".play")).to_have_accessible_name("Pause")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".play")).to_have_accessible_name("Play")


def test_elements_by_keyboard(page: Page, site: Path) -> None:
    open_page(page, site, "numerical_padding_strides")
    page.locator(element("output", 0)).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert shown(page) == 4
    page.keyboard.press("ArrowRight")
    # There is nothing further.
    page.keyboard.press("ArrowRight")
    expect(page.locator(":focus")).to_have_accessible_name("Output element (1, 2) = 13")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    # The first weight, before which the step was chosen.
    expect(page.locator(":focus")).to_have_accessible_name("Kernel element (0, 0) = 0")
    page.keyboard.press("Space")
    expect(page.locator(":focus")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Tab")
    assert shown(page) == 5
    assert lit(page, "kernel", "kept") == [0]
    expect(page.locator(".pin")).to_contain_text("Kernel element (0, 0) = 0")
    page.keyboard.press("Escape")
    assert lit(page, "kernel", "kept") == []
    expect(page.locator(element("kernel", 0))).to_have_attribute("aria-pressed", "false")


def test_an_output_element_shows_its_step_while_it_is_pointed_at(page: Page, site: Path) -> None:
    open_page(page, site, "padding_strides")
    page.locator(element("output", 5)).hover()
    assert shown(page) == 5
    page.mouse.move(0, 0)
    assert shown(page) == 0
    page.locator(element("output", 5)).click()
    page.mouse.move(0, 0)
    page.locator("h1").click()
    assert shown(page) == 5


@pytest.mark.parametrize("name", PLAYED)
def test_elements_light_what_the_arithmetic_says(page: Page, site: Path, name: str) -> None:
    figure = load(PROJECT.figures / f"{name}.toml")
    layer, columns = figure.layer, figure.layer.input_size[1]
    terms = [(step.output_index, term) for step in frames(layer, None) for term in step.terms if term.input_index]
    open_page(page, site, name)
    for index in ((0, 0), (1, 2), (columns - 1, columns - 1)):
        page.locator(element("input", index[0] * columns + index[1])).hover()
        seeing = {
            np.ravel_multi_index(output, layer.output_size) for output, term in terms if term.input_index == index
        }
        assert set(lit(page, "output")) == seeing
        assert lit(page, "input") == [index[0] * columns + index[1]]
        assert page.locator('.frame[visibility="visible"]').count() == 0
    assert page.locator("[data-map=kernel]").count() == (9 if layer.weighted else 0)
    if layer.weighted:
        page.locator(element("kernel", 2)).hover()
        met = {term.input_index for _, term in terms if term.input_index and term.kernel_index == (0, 2)}
        assert set(lit(page, "input")) == {i * columns + j for i, j in met}
        assert lit(page, "kernel") == [2]


def test_a_pinned_element_stays_lit(page: Page, site: Path) -> None:
    open_page(page, site, "padding_strides")
    page.locator(element("input", 7)).click()
    page.mouse.move(0, 0)
    page.get_by_label("Step forward").click()
    assert (shown(page), lit(page, "input", "kept"), lit(page, "output", "kept")) == (1, [7], [1, 4])
    page.get_by_role("button", name="Unpin").click()
    assert lit(page, "input", "kept") == []
    expect(page.locator(".pin")).not_to_be_visible()


@pytest.mark.parametrize("name", [*PLAYED, "padding_strides_transposed", "hostile"])
def test_elements_are_where_they_are_drawn(page: Page, site: Path, name: str) -> None:
    """In each frame, TeX drew the output element that is lit where the page has it."""
    open_page(page, site, name)
    missed = page.evaluate(
        """() => {
          const box = (path) => { const {x, y, width, height} = path.getBBox(); return [x, y, width, height]; };
          const near = (one, other) => one.every((value, n) => Math.abs(value - other[n]) < 0.1);
          return Array.from(document.querySelectorAll("[data-map=output]")).filter((element, number) => {
            const drawn = document.querySelectorAll(`.frame[data-frame="${number}"] path`);
            return !Array.from(drawn).some((path) => near(box(path), box(element)));
          }).length;
        }"""
    )
    assert missed == 0


def test_input_elements_are_where_they_are_drawn(page: Page, site: Path) -> None:
    """Together they cover what TeX filled in one piece."""
    open_page(page, site, "padding_strides")
    found = page.evaluate(
        """() => {
          const box = (paths) => {
            const boxes = paths.map((path) => path.getBBox());
            return [
              Math.min(...boxes.map((one) => one.x)), Math.min(...boxes.map((one) => one.y)),
              Math.max(...boxes.map((one) => one.x + one.width)), Math.max(...boxes.map((one) => one.y + one.height)),
            ];
          };
          const whole = box(Array.from(document.querySelectorAll("[data-map=input]")));
          const drawn = Array.from(document.querySelectorAll(".drawing path")).map((path) => box([path]));
          return Math.min(...drawn.map((one) => Math.max(...one.map((value, n) => Math.abs(value - whole[n])))));
        }"""
    )
    assert found < 0.1


@pytest.mark.parametrize("name", PLAYED[1:])
def test_each_sum_in_words_is_the_value(page: Page, site: Path, name: str) -> None:
    figure = load(PROJECT.figures / f"{name}.toml")
    assert figure.output_values is not None
    open_page(page, site, name)
    sentences = page.locator("#steps li").all_text_contents()
    assert len(sentences) == figure.output_values.size
    for sentence, (index, value) in zip(sentences, np.ndenumerate(figure.output_values), strict=True):
        found = re.match(r"Output element \((\d+), (\d+)\): (.*?) [=≈] (−?[\d.]+)\. ", f"{sentence} ")
        assert found is not None, sentence
        assert (int(found[1]), int(found[2])) == index
        computed = eval(found[3].replace("·", "*").replace("−", "-"))  # noqa: S307 — digits and signs of our own figures
        assert computed == pytest.approx(value)
        assert float(found[4].replace("−", "-")) == pytest.approx(value, abs=0.0501)
    # The live text is that of the step.
    page.get_by_label("Step forward").click()
    expect(page.locator(".sentence output")).to_have_text(sentences[1].strip())


# --- What readers take along


def test_texts_are_copied(browser: Browser, site: Path) -> None:
    with guarded(browser, site.as_uri(), permissions=["clipboard-read", "clipboard-write"]) as context:
        page = context.new_page()
        open_page(page, site, "padding_strides")
        found = {}
        for button in page.locator("[data-copy]").all():
            button.focus()
            page.keyboard.press("Enter")
            expect(button).to_contain_text("Copied")
            found[button.get_attribute("data-copy")] = page.evaluate("navigator.clipboard.readText()")
    assert found["make"] == "make gifs FIGURES=padding_strides"
    assert found["toml"] == (PROJECT.figures / "padding_strides.toml").read_text()
    assert found["pytorch"] == "Conv2d(1, 1, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))"
    assert {"keras", "jax", "onnx"} < found.keys()
    assert found["citation"] == citation(PROJECT)
    assert found["tikz"] == (site / "figures/padding_strides/padding_strides_00.tex").read_text()


def test_an_online_editor_is_asked_only_when_it_is_wanted(browser: Browser, site: Path) -> None:
    sent = list[str]()

    def receive(route: Route) -> None:
        sent.append(route.request.post_data or "")
        route.fulfill(body="")

    with browser.new_context() as context:
        context.route(re.compile("^https:"), receive)
        page = context.new_page()
        open_page(page, site, "padding_strides")
        page.wait_for_load_state("networkidle")
        assert sent == []
        with page.expect_popup() as popup:
            page.get_by_role("button", name="Open in Overleaf").click()
        popup.value.wait_for_url("https://www.overleaf.com/docs")
    (source,) = parse_qs(sent[0])["snip"]
    expected = (site / "figures/padding_strides/padding_strides_00.tex").read_text()
    assert source.splitlines() == expected.splitlines()


def test_a_citation_has_what_the_project_s_file_says(tmp_path: Path) -> None:
    text = (PROJECT.root / "CITATION.cff").read_text()
    for value in re.findall(r"^(?:title|version|date-released): (.*)$", text, re.MULTILINE):
        assert f"{{{value}}}" in citation(PROJECT)
    (tmp_path / "CITATION.cff").write_text("title: Only this\n")
    with pytest.raises(UserError, match=r"CITATION\.cff: has no name"):
        citation(PROJECT._replace(root=tmp_path))


# --- How it is built


def test_only_what_changed_is_written_and_what_is_gone_is_deleted(published: Checkout, tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "project")
    shutil.copytree(published.top, checkout.top, symlinks=True)
    before = checkout.outputs("site/**/*")
    (checkout.top / "figures" / "hostile.toml").unlink()
    publish(checkout)
    after = checkout.outputs("site/**/*")
    assert {file for file in before if "/hostile/" in file} == before.keys() - after.keys() != set()
    # The index, the list of all figures, and the pages of the figures before and after.
    changed = {file for file in after if after[file] != before.get(file)}
    assert {"site/index.html", "site/catalogue.js"} < changed
    assert len(changed) <= 4


def test_the_workflow_calls_goals_that_exist() -> None:
    text = (PROJECT.root / ".github/workflows/publish.yml").read_text(encoding="utf-8")
    makefile = (PROJECT.root / "Makefile").read_text(encoding="utf-8")
    goals = re.findall(r"run: make (\w+)", text)
    assert goals == ["report", "everything", "site"]
    assert all(re.search(rf"^{goal}:", makefile, re.MULTILINE) for goal in goals)
    (archived,) = re.findall(r"-C build (.*)", text)
    assert set(archived.split()) == {one.folder for name, one in FORMATS.items() if name != "strip"} | {"tex"}


def test_variables_have_the_colours_of_both_themes() -> None:
    css = definitions(['<path fill="var(--112233-aabbcc)"/>', "stroke: var(--112233-aabbcc)"])
    assert css == ":root{--112233-aabbcc:#112233;}@media(prefers-color-scheme:dark){:root{--112233-aabbcc:#aabbcc;}}"


def test_themes_must_draw_the_same_shapes() -> None:
    from scripts.site.picture import _paired

    one, other = (Shape("path", (("d", "m0 0h1"), ("fill", colour))) for colour in ("#112233", "#aabbcc"))
    assert dict(_paired(one, other).attributes) == {"d": "m0 0h1", "fill": "var(--112233-aabbcc)"}
    for different in (Shape("use", one.attributes), Shape("path", (("d", "m0 0v1"), ("fill", "#112233")))):
        with pytest.raises(ToolError, match="different shapes"):
            _paired(one, different)
