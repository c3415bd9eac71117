"""The report: no number is typed, every source is cited, every relationship is stated; and the PDF."""

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pytest

from scripts.core.figures import Figure, load
from scripts.errors import UserError
from scripts.stages.templates import Templates
from scripts.text.chapters import chapter
from scripts.text.networks import stages
from scripts.text.relationships import relationships
from tests.conftest import PLAIN, PROJECT, STYLED, TOP, Checkout, whole_checkout

CHAPTERS = sorted(path for path in PROJECT.report.glob("*.tex") if path.name != "report.tex")
BIBLIOGRAPHY = (PROJECT.report / "references.bib").read_text(encoding="utf-8")

# Parts that are not prose: computed text, comments, names of figures, code, lengths, columns of tables.
COMPUTED = r"<<.*?>>|<%.*?%>|(?<!\\)%[^\n]*"
NAMES = (
    r"\\(?:label|autoref|ref|show[a-z]+|citep|texttt|fontsize|setlength\\tabcolsep|multicolumn|section)(?:\{[^{}]*\})+"
)
MATHS = r"\$.*?\$|\\\[.*?\\\]|\\begin\{(?:align|gather)\*\}.*?\\end\{(?:align|gather)\*\}"


def without(pattern: str, text: str) -> str:
    return re.sub(pattern, " ", text, flags=re.DOTALL)


def typed_numbers(text: str) -> list[str]:
    """Digits in a text that are no part of a formula: all outside of maths, but half turns.

    Within maths, what a symbol is said to be; 0 and 1 are cases, such as no padding.
    """
    text = without(NAMES, without(COMPUTED, text).replace(r"180\textdegree", ""))
    maths = "\n".join(re.findall(MATHS, text, flags=re.DOTALL))
    return re.findall(r"\S*\d\S*", without(MATHS, text)) + re.findall(r"(?:=|\\times|\\cdot) *(?:[2-9]|\d\d+)", maths)


def figures() -> list[Figure]:
    """The catalogue."""
    return [load(PROJECT.figures / f"{name}.toml") for name in PROJECT.figure_names()]


@pytest.mark.parametrize("file", CHAPTERS, ids=lambda file: file.stem)
def test_no_number_is_typed_in_a_chapter(file: Path) -> None:
    assert typed_numbers(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "wrong", ["from a 5 × 5 input", "$k = 3$", r"\[ o = 2 \cdot 3 \]", r"$4 \times 16$", r"\caption{9 steps}"]
)
def test_a_typed_number_is_found(wrong: str) -> None:
    assert typed_numbers(wrong)


def test_no_number_is_typed_in_a_figures_title_or_caption() -> None:
    for figure in figures():
        assert not re.search(r"\d", figure.title), figure.name
    template = without(COMPUTED + "|<%#.*?#%>", (PROJECT.templates / "caption.txt.j2").read_text(encoding="utf-8"))
    # Of every transposed layer's equivalent convolution.
    assert re.findall(r"\S*\d\S*", template) == ["180°,", "1,"]


def test_every_relationship_is_told_once() -> None:
    told = re.findall(r'<< relationship\("(\w+)"\) >>', "".join(file.read_text(encoding="utf-8") for file in CHAPTERS))
    assert Counter(told) == Counter(relationships(PROJECT).keys())


def test_the_summary_has_them_in_the_order_of_the_text() -> None:
    inputs = re.findall(r"\\input\{(\w+)\}", (PROJECT.report / "report.tex").read_text(encoding="utf-8"))
    texts = [PROJECT.report / f"{name}.tex" for name in inputs if (PROJECT.report / f"{name}.tex").is_file()]
    assert sorted(texts) == CHAPTERS
    told = re.findall(r'<< relationship\("(\w+)"\) >>', "".join(file.read_text(encoding="utf-8") for file in texts))
    known = relationships(PROJECT)
    for group in dict.fromkeys(one.group for one in known.values()):
        members = [name for name, one in known.items() if one.group == group]
        assert [name for name in told if name in members] == members


def test_cases_are_numbered_after_their_master() -> None:
    numbers = {name: one.number for name, one in relationships(PROJECT).items()}
    assert [number for number in numbers.values() if number.isdecimal()] == ["1", "2", "3", "4", "5"]
    assert (numbers["axis"], numbers["no_padding_unit_strides"], numbers["unit_strides"]) == ("1", "1a", "1b")
    assert len(set(numbers.values())) == len(numbers)


def test_networks_cost_what_is_published() -> None:
    def of(name: str) -> tuple[int, int]:
        found = stages(PROJECT, name)
        return sum(stage.weights for stage in found), sum(stage.multiplications for stage in found)

    # Without biases, normalisation and classifier, torchvision's models have these.
    assert of("resnet50") == (23_454_912, 4_087_136_256)
    assert of("vit") == (768 * 3 * 16 * 16, 768 * 3 * 16 * 16 * 196)
    assert [stage.shape for stage in stages(PROJECT, "resnet50")][-1] == (2048, 7, 7)
    assert stages(PROJECT, "unet")[4].shape == (1024, 28, 28)
    convnext = sum(stage.weights for stage in stages(PROJECT, "convnext"))
    assert convnext == 27_756_000


def test_no_figure_is_shown_twice() -> None:
    texts = "".join(file.read_text(encoding="utf-8") for file in CHAPTERS)
    shown = [
        name for names in re.findall(r"\\show(?:figure|pictures?)\{([\w,]+)\}", texts) for name in names.split(",")
    ]
    assert max(Counter(shown).values()) == 1
    assert set(shown) <= set(PROJECT.figure_names())
    assert len(shown) > 60


def test_every_source_is_cited_and_complete() -> None:
    texts = "".join(file.read_text(encoding="utf-8") for file in PROJECT.report.glob("*.tex"))
    cited = {key.strip() for keys in re.findall(r"\\citep?t?\{([^}]*)\}", texts) for key in keys.split(",")}
    entries = re.findall(r"^@(\w+)\{(\w+),\n(.*?)^\}", BIBLIOGRAPHY, flags=re.MULTILINE | re.DOTALL)
    assert cited == {key for _, key, _ in entries}
    needed = {
        "article": {"author", "title", "journal", "year"},
        "inproceedings": {"author", "title", "booktitle", "year"},
        "misc": {"author", "title", "howpublished", "year"},
    }
    for kind, key, body in entries:
        assert needed[kind] <= set(re.findall(r"^  (\w+) = \{.+\},$", body, flags=re.MULTILINE)), key


@pytest.mark.parametrize(
    ("name", "example", "problem"),
    [
        ("unit_strides", "padding_strides", r"unit_strides does not apply: Eq\(s, 1\) is false"),
        ("effective_kernel", "dilation", r"gives 7, not k_effective = 5"),
    ],
)
def test_an_example_that_a_relationship_does_not_hold_for_is_refused(
    name: str, example: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = replace(
        relationships(PROJECT)["effective_kernel"], formula=relationships(PROJECT)["effective_kernel"].formula + 2
    )
    monkeypatch.setitem(relationships(PROJECT), "effective_kernel", wrong)
    monkeypatch.setattr(Templates, "fill", lambda *_, worked, **__: worked(name, example))
    catalogue = {example: load(PROJECT.figures / f"{example}.toml")}
    with pytest.raises(UserError, match=problem):
        chapter(PROJECT, tmp_path / "wrong.tex", catalogue)


def test_the_version_is_the_citation_s() -> None:
    heading = re.search(r"^## \[(\d\S*)\]", PROJECT.changelog.read_text(encoding="utf-8"), re.MULTILINE)
    citation = re.search(r"^version: (\S+)$", (TOP / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    assert heading is not None and citation is not None
    assert heading[1] == citation[1]


# A program that notes its working folder, and then runs the program of its name that it hides.
COUNTING = """#!/bin/sh
pwd >> "{runs}"
exec "{program}" "$@"
"""


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The project's own report, built from scratch with a fixed date; its folder, with notes of where TeX ran."""
    top = tmp_path_factory.mktemp("report")
    checkout = whole_checkout(top / "project")
    program = top / "bin" / "pdflatex"
    program.parent.mkdir()
    program.write_text(COUNTING.format(runs=top / "runs", program=shutil.which("pdflatex")))
    program.chmod(0o755)
    path = f"PATH={program.parent}:{os.environ['PATH']}"
    checkout.make("-s", "report", "SOURCE_DATE_EPOCH=86400", path)
    (top / "runs").rename(checkout.top / "build" / "runs")
    yield checkout.top / "build"
    shutil.rmtree(top)


def test_the_pdf_is_sound(report: Path) -> None:
    file = report / "report.pdf"
    assert file.stat().st_size < 1_500_000
    with pikepdf.open(file) as pdf:
        assert pdf.check_pdf_syntax() == []
        assert len(pdf.pages) >= 30
        assert str(pdf.docinfo["/Title"]) == "Convolution arithmetic, step by step"
        with pdf.open_outline() as outline:
            assert [item.title for item in outline.root[:2]] == ["1 Introduction", "2 Convolution arithmetic"]
    fonts = subprocess.run(["pdffonts", file], check=True, capture_output=True, text=True).stdout.splitlines()[2:]
    assert len(fonts) > 10
    # Whether it is embedded, and a subset of the characters used.
    assert [font for font in fonts if font.split()[-5:-3] != ["yes", "yes"]] == []


def test_the_pdf_describes_its_figures(report: Path) -> None:
    described = set()
    with pikepdf.open(report / "report.pdf") as pdf:
        for page in pdf.pages:
            for instruction in pikepdf.parse_content_stream(page, "BDC"):
                described.add(str(instruction.operands[1].get("/Alt")))
    assert (
        "Convolution with kernel 3 × 3, stride 1 and padding 0, from an input of 4 × 4 to an output of 2 × 2."
        in described
    )
    assert len(described) > 60


def test_the_title_page_has_the_version_and_the_day(report: Path) -> None:
    command = ["pdftotext", "-l", "1", str(report / "report.pdf"), "-"]
    title = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    version = re.search(r"^version: (\S+)$", (TOP / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    assert version is not None
    assert f"Version {version[1]}" in title
    assert datetime.fromtimestamp(86400, UTC).date().isoformat() in title


def test_tex_runs_three_times_at_most(report: Path) -> None:
    runs = Counter((report / "runs").read_text().splitlines())
    assert runs[str(report / "report")] in (2, 3)
    # And once for each figure; in the project's own folder it is only asked for its version.
    figures = [str(report / "work" / name) for name in PROJECT.figure_names()]
    assert [runs[folder] for folder in figures] == [1] * len(figures)


def test_faults_in_a_chapter_fail_and_are_told_together(checkout: Checkout) -> None:
    before = checkout.outputs("report.pdf")
    checkout.edit("report/report.tex", PLAIN, STYLED)
    checkout.edit("report/report.tex", "See ", r"\input{chapter} See ")
    (checkout.top / "report" / "chapter.tex").write_text(
        r"\citep{lecun1998}\label{sec:reading}\label{sec:reading}\autoref{sec:axis} "
        r"{\fontencoding{OT1}\selectfont\char200} a \mbox{\hspace{20cm}} small grid of weights"
    )
    message = checkout.run("report", fails=True)
    for problem in (
        "Citation `lecun1998' on page",
        "Label `sec:reading' multiply defined",
        "Reference `sec:axis' on page",
        "Missing character: There is no",
        "Overfull ",
    ):
        assert problem in message
    assert "Traceback" not in message
    assert checkout.outputs("report.pdf") == before
