"""make explain: an explanation is the same as PDF, Markdown and JSON, and what cannot be explained is an error."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pikepdf
import pytest

from tests import networks
from tests.conftest import Checkout
from tests.test_explaining import LENET, TRANSPOSED


def pages(file: Path) -> str:
    """The text of a document, its lines joined."""
    return " ".join(subprocess.run(["pdftotext", file, "-"], capture_output=True, text=True, check=True).stdout.split())


def test_a_sheet_is_the_same_as_pdf_markdown_and_json(unbuilt: Checkout) -> None:
    printed = unbuilt.run("explain", "--layer", TRANSPOSED, "--input=7", "--name=up")
    assert "Uneven overlap" in printed
    top = unbuilt.top / "build" / "explain" / "up"
    assert {file.name for file in top.iterdir()} == {"up.pdf", "up.md", "up.json", "up.svg", "up.toml"}
    described = json.loads((top / "up.json").read_text())
    assert described["output_shape"] == [32, 14, 14]
    assert described["costs"][0]["cost"]["multiply_adds"] == 64 * 32 * 3 * 3 * 7 * 7
    text, markdown = pages(top / "up.pdf"), (top / "up.md").read_text()
    for said in (described["words"], described["remarks"][0]["text"], "903,168", "Relationship 3j", "Cropping2D"):
        assert said.replace(" × ", "×") in text.replace(" × ", "×"), said
        assert said in markdown
    with pikepdf.open(top / "up.pdf") as document:
        with document.open_outline() as outline:
            assert [str(item.title) for item in outline.root][:2] == ["The output's size", "What to know"]
        assert len(document.pages) == 2
        assert str(document.docinfo["/Title"]) == TRANSPOSED
    before = unbuilt.outputs("explain/up/*")
    unbuilt.run("explain", "--layer", TRANSPOSED, "--input=7", "--name=up")
    assert unbuilt.outputs("explain/up/*") == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "LAYER: is missing."),
        (["--layer=Conv2d(1, 1, 3)"], "INPUT: is missing."),
        (["--layer=Conv2d(1, 1, 3)", "--input=2"], "kernel_size: the window spans 3"),
        (["--layer=Linear(1, 2)", "--input=2"], "is not a layer"),
        (["--layer=Conv2d(1, 1, 3)", "--input=5", "--name=../x"], "NAME: cannot be '../x'."),
    ],
)
def test_wrong_options_have_one_message(fresh: Checkout, words: list[str], message: str) -> None:
    assert message in fresh.run("explain", *words, fails=True)
    assert not (fresh.top / "build" / "explain").exists()


# Networks


def test_a_book_has_a_section_for_each_distinct_layer(unbuilt: Checkout, tmp_path: Path) -> None:
    net = networks.Network(1, 3, 12, 12)
    x = net.conv("x", 4, 3)
    x = net.conv(x, 4, 3)
    x = net.conv(x, 4, 3)
    net.up(x, 2, 3)
    printed = unbuilt.run("explain", "--onnx", str(net.save(tmp_path / "small net.onnx")))
    assert "4 steps, 3 distinct layers" in printed
    top = unbuilt.top / "build" / "explain" / "small_net"
    text, described = pages(top / "small_net.pdf"), json.loads((top / "small_net.json").read_text())
    assert [len(section["places"]) for section in described["sections"]] == [1, 2, 1]
    for section in described["sections"]:
        assert section["sheet"]["words"].replace(" × ", "×") in text.replace(" × ", "×")
        assert section["sheet"]["words"] in (top / "small_net.md").read_text()
    with pikepdf.open(top / "small_net.pdf") as document, document.open_outline() as outline:
        titles = [str(item.title) for item in outline.root]
        assert titles[:3] == ["Warnings", "Where time and memory go", "All steps"]
        assert [title[:2] for title in titles[3:]] == ["1.", "2.", "3."]
        links = [link for page in document.pages for link in page.get("/Annots", [])]
        assert len(links) == 4


@pytest.mark.full("draws 25 layers")
def test_a_book_about_resnet_takes_less_than_500_mb(fresh: Checkout, tmp_path: Path) -> None:
    file = networks.resnet50(tmp_path / "resnet50.onnx")
    command = [sys.executable, "-m", "scripts.explain", "--onnx", str(file)]
    subprocess.run(command, cwd=fresh.top, check=True, capture_output=True)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 500_000  # kilobytes


def test_an_unknown_message_has_an_answer(fresh: Checkout) -> None:
    assert "is not a message about shapes that is known" in fresh.run("explain", "--error=out of memory", fails=True)


def test_a_stack_that_breaks_names_its_line_and_the_changes(unbuilt: Checkout, tmp_path: Path) -> None:
    message = "mat1 and mat2 shapes cannot be multiplied (32x400 and 256x120)"
    (tmp_path / "lenet.txt").write_text(LENET)
    given = [f"--layers={tmp_path / 'lenet.txt'}", "--input=1x3x32x32"]
    assert "lenet.txt, line 8: Linear(256, 120), where 400 arrives" in unbuilt.run("explain", *given, fails=True)
    printed = unbuilt.run("explain", *given, f"--error={message}", "--name=lenet")
    assert "In line 8, write Linear(400, 120)." in printed
    assert "In line 8, write Linear(400, 120)." in pages(unbuilt.top / "build/explain/lenet/lenet.pdf")
