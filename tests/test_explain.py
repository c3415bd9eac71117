"""make explain: what it says about layers is true, and it is the same as PDF, Markdown and JSON."""

import json
import re
import subprocess
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import pikepdf
import pytest

from scripts.core.figures import layer_of
from scripts.core.keys import check
from scripts.core.layers import Layer
from scripts.explaining.description import LayerSheet
from scripts.explaining.remarks import remarks
from scripts.explaining.single import layer_sheet
from scripts.notation.frameworks import layer as read_layer
from scripts.notation.sizes import parse_size
from scripts.text.relationships import relationships
from tests.conftest import PROJECT, Checkout

TRANSPOSED = "ConvTranspose2d(64, 32, 3, stride=2, padding=1, output_padding=1)"


def layer(text: str, size: str) -> Layer:
    return layer_of(check({"title": "T", **read_layer(text, parse_size(size)).keys}, text))


def sheet(text: str, size: str) -> LayerSheet:
    return layer_sheet(PROJECT, "sheet", text, layer(text, size))


def test_the_report_states_each_relationship_that_sheets_cite() -> None:
    inputs = re.findall(r"\\input\{(\w+)\}", (PROJECT.report / "report.tex").read_text())
    chapters = [file for name in inputs if (file := PROJECT.report / f"{name}.tex").is_file()]
    stated = chain.from_iterable(re.findall(r'<< relationship\("(\w+)"\) >>', file.read_text()) for file in chapters)
    assert sorted(stated) == sorted(relationships(PROJECT))


# The numbers of the relationships that are worked for each axis, and of those that are cited.
WORKED = {
    ("Conv2d(3, 64, 7, stride=2, padding=3)", "224"): [("half_padding_strides", "axis")],
    ("Conv2d(3, 8, 3)", "9"): [("no_padding_unit_strides", "unit_strides", "axis")],
    ("Conv1d(1, 1, 3, padding=4, dilation=4)", "9"): [("dilated_half_padding", "axis")],
    (TRANSPOSED, "7"): [("upsampling", "transposed_axis")],
    ("ConvTranspose2d(1, 1, 4, stride=2, padding=1)", "7"): [("upsampling", "transposed_strides", "transposed_axis")],
    ("MaxPool2d(3, 2, 1, ceil_mode=True)", "8x9"): [("ceil_mode", "ceil_windows"), ("ceil_mode", "ceil_windows")],
    ("MaxPool1d(2, 2, 1, ceil_mode=True)", "7"): [("ceil_mode_dropped", "ceil_windows")],
    ("AdaptiveAvgPool2d(3)", "7"): [("adaptive_first", "adaptive_last")],
    ("MaxPool2d(2)", "7"): [("pooling", "axis")],
    ("Conv(kernel_shape=[3], pads=[0, 2], strides=[2])", "8"): [("axis",)],
    ("MaxUnpool2d(2)", "7"): [("upsampling", "transposed_no_padding_strides", "transposed_axis")],
}


@pytest.mark.parametrize("asked", WORKED, ids=str)
def test_sizes_are_worked_by_the_relationships_that_hold(asked: tuple[str, str]) -> None:
    found = sheet(*asked)
    assert [tuple(_names(one.number for one in axis.steps)) for axis in found.axes] == WORKED[asked]
    for axis in found.axes:
        if not found.operation.startswith("adaptive"):
            assert {one.equation.rpartition("= ")[2] for one in axis.steps} == {str(axis.output_size)}
        assert not set(axis.others) & {one.number for one in axis.steps}


def _names(numbers: Iterable[str]) -> list[str]:
    names = {one.number: name for name, one in relationships(PROJECT).items()}
    return [names[number] for number in numbers]


# Layers, and words of the remarks on them; none for those that need no remark.
REMARKED = {
    ("Conv2d(3, 8, 3, padding=1)", "9"): [],
    ("Conv2d(3, 8, 3, stride=2, padding=1)", "9"): [],
    ("Conv2d(1, 1, 3, stride=2)", "8"): ["The last input element is in no window, since 1 cell is left over"],
    ("Conv1d(1, 1, 3, stride=3)", "8"): [
        "The last 2 input elements are in no window",
        "an input of 6 or 9 leaves none",
    ],
    ("Conv2d(64, 128, 1, stride=2)", "56"): ["28 of 56 input elements (50%)", "75% of the input is in no window"],
    ("Conv1d(1, 1, 3, stride=2, dilation=2)", "9"): ["4 of 9 input elements", "stride 2 and dilation 2 leave gaps"],
    ("Conv1d(1, 1, 4, padding=2)", "9"): ["larger by one: 10, not 9"],
    ("Conv1d(1, 1, 3, padding=5)", "9"): ["Padding of 5 is more than the window reaches"],
    ("Conv2D(8, 3, strides=2, padding='same')", "1x3x8x9"): ["Along the height", "one cell more lies after"],
    ("Conv2d(8, 8, 3, groups=8)", "9"): ["kernels of its own"],
    ("Conv2d(8, 8, 3, groups=2)", "9"): ["see 4 of the 8 input channels"],
    ("ConvTranspose2d(1, 1, 3, stride=2)", "7"): ["sums of 1 to 2 products", "a kernel of 2 or 4"],
    ("ConvTranspose2d(1, 1, 4, stride=2)", "7"): [],
    ("ConvTranspose1d(1, 1, 1, stride=2)", "7"): ["6 output elements between others are reached by no input"],
    ("ConvTranspose1d(1, 1, 2, padding=2)", "5"): ["2 input elements reach no output"],
    ("ConvTranspose1d(1, 1, 3, stride=3, padding=0, output_padding=2)", "5"): ["2 output elements at the ends"],
    ("MaxPool1d(2, 2, ceil_mode=True)", "7"): ["hangs over the end by 1 cell"],
    ("MaxPool1d(2, 2, 1, ceil_mode=True)", "8"): ["it changes nothing"],
    ("MaxPool1d(2, 2, 1, ceil_mode=True)", "7"): ["Rounding up gives 5, but", "4 remain"],
    ("AvgPool2d(3, 1, 1)", "7"): ["The padding counts in averages"],
    ("MaxPool(kernel_shape=[3], pads=[2, 2])", "7"): ["exceeds half of the window"],
    ("AdaptiveMaxPool1d(3)", "7"): ["3 elements, and some of them overlap"],
    ("AdaptiveMaxPool1d(3)", "9"): [],
}


@pytest.mark.parametrize("asked", REMARKED, ids=str)
def test_a_sheet_remarks_what_sizes_do_not_show(asked: tuple[str, str]) -> None:
    said = " ".join(remark.text for remark in remarks(layer(*asked)))
    for words in REMARKED[asked]:
        assert words.lower() in said.lower(), said
    assert bool(said) == bool(REMARKED[asked]), said


def test_wishes_are_granted_by_layers_that_have_these_sizes() -> None:
    for text, size in list(WORKED)[3:8]:
        asked = layer(text, size)
        for choice in sheet(text, size).choices:
            for line in choice.layers:
                given = "x".join(map(str, asked.input_size))
                assert layer(line, given).output_size == choice.output_size, line
    keep, halve, double = sheet("Conv2d(3, 64, 7, stride=2, padding=3)", "224").choices
    assert keep.layers[0] == "Conv2d(3, 64, kernel_size=7, padding=3)"
    assert halve.layers[0] == "Conv2d(3, 64, kernel_size=7, stride=2, padding=3)"
    assert double.output_size == (448, 448)


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
