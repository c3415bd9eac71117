"""Slides and contact sheets: every frame is on them, as another program draws them."""

import re
import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from pdf2image import convert_from_path
from PIL import Image

from scripts.formats import FORMATS
from scripts.machine import needs
from scripts.project import Outputs, frame_names
from scripts.stages.drawn import Drawn
from tests.conftest import Checkout
from tests.pixels import assert_same_picture

DPI = 300
A4 = (595.3, 841.9)


@pytest.fixture(scope="module")
def build(built: Checkout) -> Path:
    for name in ("slide", "sheet"):
        built.run("build", "values", f"--format={name}")
    return built.top / "build"


def placed(page: pikepdf.Page) -> list[pikepdf.Matrix]:
    """Where the forms on a page are, in the order of painting."""
    matrix, saved, found = pikepdf.Matrix(), list[pikepdf.Matrix](), []
    for instruction in pikepdf.parse_content_stream(page):
        operator, operands = str(instruction.operator), list(instruction.operands)
        if operator == "q":
            saved.append(matrix)
        elif operator == "Q":
            matrix = saved.pop()
        elif operator == "cm":
            matrix = pikepdf.Matrix(*map(float, operands)) @ matrix
        elif operator == "Do" and page.resources["/XObject"][str(operands[0])]["/Subtype"] == "/Form":
            found.append(matrix)
    return found


def crops(file: Path, frame: Path) -> list[tuple[Image.Image, Image.Image]]:
    """What a document shows where it has frames, each with an image of the frame `frame` in that size."""
    found = []
    with pikepdf.open(file) as document, pikepdf.open(frame) as single:
        width, height = map(float, single.pages[0].mediabox[2:])
        for page, image in zip(document.pages, convert_from_path(file, dpi=DPI), strict=True):
            top = float(page.mediabox[3])
            for matrix in placed(page):
                scale = DPI / 72
                box = [matrix.e, top - matrix.f - matrix.a * height, matrix.e + matrix.a * width, top - matrix.f]
                left, upper, right, lower = (round(scale * side) for side in box)
                crop = image.crop((left, upper, right, lower))
                found.append((crop, convert_from_path(frame, size=crop.size)[0]))
    return found


def test_the_overlays_of_a_slide_are_the_frames(build: Path) -> None:
    for number in range(2):
        shown = crops(build / "slides" / "values.pdf", build / "pdf" / f"values_{number:02}.pdf")
        assert len(shown) == 2
        assert_same_picture(*shown[number])
        with pytest.raises(AssertionError):
            assert_same_picture(*shown[1 - number])


def test_slides_compile_by_themselves_where_they_are(build: Path, tmp_path: Path) -> None:
    for folder in ("slides", "pdf"):
        shutil.copytree(build / folder, tmp_path / folder)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape"]
    (tmp_path / "slides" / "values.pdf").unlink()
    subprocess.run([*command, "values.tex"], cwd=tmp_path / "slides", check=True, capture_output=True)
    ours, theirs = (convert_from_path(top / "slides" / "values.pdf", dpi=50) for top in (build, tmp_path))
    assert [image.tobytes() for image in ours] == [image.tobytes() for image in theirs]

    # The other file lasts as long as the figure's frames, the last of which stays for three seconds.
    animated = (tmp_path / "slides" / "values_animate.tex").read_text()
    rates = re.findall(r"\\begin{animateinline}\[.*\]{(.*)}|\\newframe\[(.*)\]", animated)
    assert [1 / float(first or other) for first, other in rates] == pytest.approx([0.5, 3])
    assert re.findall(r"{(values_\d+)}", animated) == frame_names("values", 2)
    if subprocess.run(["kpsewhich", "animate.sty"], check=False, capture_output=True).returncode:
        pytest.skip("TeX's package animate is not installed")
    for _ in range(2):
        subprocess.run([*command, "values_animate.tex"], cwd=tmp_path / "slides", check=True, capture_output=True)
    with pikepdf.open(tmp_path / "slides" / "values_animate.pdf") as document:
        assert len(document.pages) == 1
        # The animation and its controls are widgets.
        assert len(document.pages[0].obj["/Annots"]) >= 2


def test_slides_ask_for_beamer_where_it_is_missing(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    found = needs.tex_places
    monkeypatch.setattr(needs, "tex_places", lambda *files: {} if files == (["beamer.cls"],) else found(*files))
    printed = checkout.run("build", "tiny", "--format=slide", fails=True)
    assert "beamer: lays out slides" in printed
    assert "texlive-beamer" in printed
    assert checkout.outputs("slides/tiny*") == {}
    # Nothing else needs it.
    assert needs.BEAMER not in needs.NEEDS


def test_a_sheet_has_all_frames_with_their_numbers(build: Path) -> None:
    sheet = build / "sheet" / "values.pdf"
    for number in range(2):
        shown = crops(sheet, build / "pdf" / f"values_{number:02}.pdf")
        assert len(shown) == 2
        assert_same_picture(*shown[number])
    text = subprocess.run(["pdftotext", "-layout", sheet, "-"], capture_output=True, text=True, check=True).stdout
    assert "100 % & more_values" in text
    assert "Convolution with kernel 2 × 2" in text
    assert re.search(r"^ *1 +2$", text, re.MULTILINE)
    (page,) = convert_from_path(sheet, dpi=150)
    assert_same_picture(Image.open(build / "sheet" / "values.png").convert("RGB"), page)


def test_large_figures_take_several_sheets(checkout: Checkout) -> None:
    """On which frames keep half of their size: 150 pages of as many shades, and the strip."""
    count, size = 150, (200, 120)
    outputs = Outputs(checkout.top / "build", checkout.top / "build" / "work")
    document = outputs.document("many").with_suffix(".pdf")
    document.parent.mkdir()
    with pikepdf.new() as made:
        for number in range(count + 1):
            page = made.add_blank_page(page_size=size)
            page.contents_add(f"{number / count} g 0 0 200 120 re f".encode())
        made.save(document)
    steps = frame_names("many", count)
    files = FORMATS["sheet"].files(Drawn(checkout.project, outputs, "many", steps, [1.0] * count, "T", "C", "A"))
    # The image has one page below the other.
    whole = Image.open(BytesIO(files["many.png"]))
    file = checkout.top / "many.pdf"
    file.write_bytes(files["many.pdf"])
    with pikepdf.open(file) as sheets:
        assert len(sheets.pages) > 1
        assert whole.height == pytest.approx(sum(float(page.mediabox[3]) for page in sheets.pages) / 72 * 150, abs=5)
        for page in sheets.pages:
            assert page.mediabox[2] <= A4[0]
            assert page.mediabox[3] <= A4[1]
            assert all(0.5 <= matrix.a <= 1 for matrix in placed(page))
    shades = list[int]()
    with pikepdf.open(file) as sheets:
        for page, image in zip(sheets.pages, convert_from_path(file, dpi=72), strict=True):
            for matrix in placed(page):
                shades.append(
                    np.asarray(image)[round(float(page.mediabox[3]) - matrix.f) - 20, round(matrix.e) + 20, 0]
                )
    assert shades == pytest.approx([255 * number / count for number in range(count)], abs=1)


def test_drawings_keep_documents_apart(checkout: Checkout) -> None:
    """Whose names would be those of other files."""
    checkout.run("draw", "--layer=Conv2d(1, 1, 2)", "--input=2", "--name=mine", "--formats=sheet slide svg")
    names = {f"mine{rest}" for rest in ("_00.pdf", "_00.svg", "_00.tex", ".pdf", ".svg", ".toml")}
    names |= {
        "convfigures.sty",
        "sheet/mine.pdf",
        "sheet/mine.png",
        "slides/mine.pdf",
        "slides/mine.tex",
        "slides/mine_animate.tex",
    }
    folder = checkout.top / "build" / "draw" / "mine"
    assert {str(file.relative_to(folder)) for file in folder.rglob("*.*")} == names
    assert r"\graphicspath{{../}}" in (folder / "slides" / "mine.tex").read_text()
