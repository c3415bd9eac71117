"""Steps of figures in papers and slides, whose fonts and names they leave alone."""

import re
import shutil
import subprocess
from pathlib import Path

import pikepdf
import pytest

from tests.conftest import TOP, Checkout

# IEEEtran and acmart are not among what the project installs; both are two-column articles.
CLASSES = {
    "article": (r"\documentclass{article}", "{}"),
    "koma": (r"\documentclass{scrartcl}", "{}"),
    "columns": (r"\documentclass[twocolumn]{article}", "{}"),
    "slides": (r"\documentclass{beamer}", r"\begin{{frame}}{}\end{{frame}}"),
}
TEMPLATES = TOP / "templates"
# What a step calls its own.
TEXTS = [(TEMPLATES / name).read_text() for name in ("drawing.tex", "styles.tex", "themes/classic.tex")]
COMMANDS = re.findall(r"^\\newcommand\*?\\(\w+)", "".join(TEXTS), re.MULTILINE)
STYLES = re.findall(r"^  ([\w ]+)/\.style", TEXTS[1], re.MULTILINE)
COLOURS = re.findall(r"^\\(?:definecolor|colorlet)\{(\w+)\}", "".join(TEXTS), re.MULTILINE)


def typeset(folder: Path, text: str) -> str:
    """Compile a document with nothing but pdflatex, and return its log."""
    (folder / "paper.tex").write_text(text)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    assert result.returncode == 0, result.stdout[-3000:]
    return (folder / "paper.log").read_text(errors="replace")


def fonts(file: Path) -> set[tuple[str, str]]:
    """The names and types of a PDF's fonts."""
    found = set()
    with pikepdf.open(file) as pdf:
        for item in pdf.objects:
            if isinstance(item, pikepdf.Dictionary) and item.get("/Type") == "/Font":
                found.add((str(item.get("/BaseFont", "/none"))[8:], str(item["/Subtype"])))
    return found


@pytest.fixture
def paper(built: Checkout, tmp_path: Path) -> Path:
    """A folder with the steps of a paper and what they need."""
    for name in ("convfigures.sty", "tiny_00.tex", "tiny_transposed_03.tex", "values_01.tex"):
        shutil.copy(built.top / "build" / "tex" / name, tmp_path)
    return tmp_path


STEPS = r"\convfigure{tiny_00} \convfigure{tiny_transposed_03} \convfigure{values_01}"


@pytest.mark.parametrize("kind", CLASSES)
def test_a_document_keeps_its_fonts(paper: Path, kind: str) -> None:
    top, body = CLASSES[kind]
    words = r"Words, \emph{stressed}, \textsf{sans} and \texttt{code} in $x^2$: "
    shown = body.format(rf"{words}\resizebox{{5cm}}{{!}}{{{STEPS}}}")
    log = typeset(paper, rf"{top}\usepackage{{convfigures}}\begin{{document}}{shown}\end{{document}}")
    assert "Font Warning" not in log
    found = fonts(paper / "paper.pdf")
    typeset(paper, rf"{top}\begin{{document}}{body.format(words)}\end{{document}}")
    own = fonts(paper / "paper.pdf")
    assert {kind for _, kind in found} == {"/Type1"}
    assert found - own == {("NimbusSanL-Regu", "/Type1"), ("NimbusSanL-Bold", "/Type1")}
    assert own <= found


def test_a_document_keeps_its_commands_styles_and_colours(paper: Path) -> None:
    """Though it has all names that a step uses, before the package is loaded or after."""
    assert {"fitted", "cellnode", "valuewidth", "figuretype"} <= set(COMMANDS)
    assert {"input", "output", "value", "window"} <= set(STYLES)
    assert {"inputcolor", "copycolor"} <= set(COLOURS)
    names = [name for name in STYLES if name != "convfigure"]
    own = "".join(rf"\def\{name}{{own}}" for name in COMMANDS)
    own += "".join(rf"\definecolor{{{name}}}{{rgb}}{{1,0,0}}" for name in COLOURS)
    own += "".join(rf"\tikzset{{{name}/.style={{own}}}}" for name in names)
    shown = "".join(rf"\typeout{{{name}:\{name}}}" for name in COMMANDS)
    shown += "".join(rf"\extractcolorspec{{{name}}}\x\typeout{{{name}:\x}}" for name in COLOURS)
    shown += "".join(rf"\pgfkeysgetvalue{{/tikz/{name}/.@cmd}}\x\typeout{{{name}:\meaning\x}}" for name in names)
    drawn = rf"{shown}\typeout{{--}}{STEPS}\typeout{{--}}{shown}\typeout{{--}}"
    for load, define in ((0, 1), (1, 0)):
        parts = sorted([(load, r"\usepackage{convfigures}"), (define, own)])
        top = r"\documentclass{article}\usepackage{tikz}" + "".join(text for _, text in parts)
        log = typeset(paper, rf"{top}\begin{{document}}{drawn}\end{{document}}")
        before, _, after, _ = re.split(r"^--$", log.replace("\n\n", "\n"), flags=re.MULTILINE)
        kept = [line for line in after.splitlines() if ":" in line]
        assert len(kept) == len(COMMANDS) + len(COLOURS) + len(names)
        assert kept == before.splitlines()[-len(kept) :]


def test_a_step_is_as_large_as_on_a_page_of_its_own_and_can_be_pasted(paper: Path) -> None:
    sizes = []
    source = (paper / "values_01.tex").read_text()
    picture = source[source.index(r"\begin{tikzpicture}") : source.index(r"\end{picturepage}")]
    for step in (r"\convfigure{values_01}", picture):
        shown = rf"\sbox0{{{step}\unskip}}\typeout{{size \the\wd0, \the\ht0}}"
        top = r"\documentclass{article}\usepackage{convfigures}"
        log = typeset(paper, rf"{top}\begin{{document}}{shown}\end{{document}}")
        sizes.append([float(size) for size in re.findall(r"[\d.]+(?=pt)", log[log.index("\nsize") :])[:2]])
    typeset(paper, source)
    with pikepdf.open(paper / "paper.pdf") as pdf:
        page = [float(number) * 72.27 / 72 - 6 for number in pdf.pages[0].mediabox[2:]]
    assert sizes[0] == sizes[1] == pytest.approx(page, abs=0.01)


def test_every_theme_can_be_used_in_a_paper(fresh: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    for theme in fresh.project.themes():
        monkeypatch.setenv("THEME", theme)
        fresh.run("build", "tiny", "--format=pdf")
        folder = fresh.project._replace(theme=theme).catalogue.package.parent
        # Which has names of its own that themes define, too.
        names = ("input", "output", "value", "window", "padding")
        own = "".join(
            rf"\definecolor{{{name}color}}{{rgb}}{{1,0,0}}\tikzset{{{name}/.style={{own}}}}" for name in names
        )
        shown = "".join(
            rf"\extractcolorspec{{{name}color}}\x\typeout{{{name}:\x}}"
            rf"\pgfkeysgetvalue{{/tikz/{name}/.@cmd}}\x\typeout{{{name}:\meaning\x}}"
            for name in names
        )
        drawn = rf"Words. {shown}\typeout{{--}}\convfigure{{tiny_00}}\typeout{{--}}{shown}\typeout{{--}}"
        top = rf"\documentclass{{article}}\usepackage{{convfigures}}{own}"
        log = typeset(folder, rf"{top}\begin{{document}}{drawn}\end{{document}}")
        assert "Font Warning" not in log
        before, _, after, _ = re.split(r"^--$", log.replace("\n\n", "\n"), flags=re.MULTILINE)
        kept = [line for line in after.splitlines() if ":" in line]
        assert len(kept) == 2 * len(names)
        assert kept == before.splitlines()[-len(kept) :]
        found = fonts(folder / "paper.pdf")
        assert {kind for _, kind in found} == {"/Type1"}
        assert ("CMR10", "/Type1") in found
