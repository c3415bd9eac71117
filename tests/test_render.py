"""The templates: the sources of small figures, escaping, and errors."""

import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from scripts.core.figures import load
from scripts.errors import LayerError
from scripts.stages.render import caption, render
from scripts.stages.templates import escape_tex, templates
from scripts.views import scene_of
from tests import test_pictures, test_view_pictures
from tests.conftest import PROJECT
from tests.test_pictures import in_file, sources

GOLDEN = Path(__file__).parent / "golden"
SMALL = test_pictures.SMALL | {
    name: {"view": test_view_pictures.view_of(name)} | file for name, file in test_view_pictures.SMALL.items()
}
WITH_DOCUMENT = ("plane", "numerical")


@pytest.mark.parametrize("name", SMALL)
def test_sources_are_the_golden_text(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """The first and the last step without preamble and styles, which both hold word for word; and two documents."""
    styles = (PROJECT.templates / "themes" / "classic.tex", PROJECT.templates / "styles.tex")
    theme, beginning = "".join(file.read_text() for file in styles), templates(PROJECT).fill("preamble.tex.j2")
    steps, document = sources(in_file(tmp_path, name, **SMALL[name]))
    assert theme in document
    assert all(beginning + theme in step for step in steps)
    texts = [step.rpartition("\\begin{document}")[2] for step in (*steps[:1], *steps[1:][-1:])]
    if name in WITH_DOCUMENT:
        texts.append(document.partition("\\nofiles")[2])
    golden = GOLDEN / f"{name}.tex"
    if request.config.getoption("--golden"):
        golden.write_text("".join(texts))
    assert "".join(texts) == golden.read_text()


def test_each_golden_text_belongs_to_a_figure() -> None:
    assert {file.stem for file in GOLDEN.iterdir()} == SMALL.keys()


def test_a_misspelt_variable_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="strid"):
        templates(PROJECT).environment.from_string("<< strid >>").render(stride=2)


def test_each_figure_notes_all_templates_that_it_reads() -> None:
    """Also those that a template imports which another figure has imported before."""
    read = []
    for name in ("dilation", "padding_strides"):
        templates(PROJECT).start_reading()
        render(PROJECT, scene_of(load(PROJECT.figures / f"{name}.toml")), PROJECT.catalogue)
        read.append(templates(PROJECT).read)
    assert read[0] == read[1]
    assert read[0].keys() >= {"figure.tex.j2", "views/plane.tex.j2", "maps.tex.j2", "words.j2", "styles.tex"}


def test_texts_are_escaped_for_tex() -> None:
    assert escape_tex(r"50% \input{x} ~^#$&_|") == (
        r"50\% \textbackslash{}input\{x\} \textasciitilde{}\textasciicircum{}\#\$\&\_\textbar{}"
    )
    assert escape_tex("3 × 4") == r"3\,×\,4"


def test_a_view_refuses_layers_that_it_cannot_draw(tmp_path: Path) -> None:
    file = tmp_path / "line.toml"
    file.write_text('title = "T"\noperation = "convolution"\ninput_size = [5, 5, 5]\nkernel_size = 3\nview = "plane"')
    with pytest.raises(LayerError, match="the plane view draws layers of 1 or 2 axes"):
        scene_of(load(file))
    file.write_text('title = "T"\noperation = "convolution"\ninput_size = 5\nkernel_size = 3\nview = "numerical"')
    with pytest.raises(LayerError, match="the numerical view draws values"):
        scene_of(load(file))


POOLING = {"operation": '"max_pooling"', "values": '"random"'}
GLOBAL = {"operation": '"global_max_pooling"', "kernel_size": None, "values": '"random"'}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"input_size": "[1, 300]", "kernel_size": "[1, 290]"}, "an axis of 300 cells, and a drawing has at most 200."),
        ({"input_size": "40"}, "1444 frames, and a drawing has at most 400. The largest input that fits is 22x22."),
        ({"input_size": "[30, 5]"}, ""),
        ({"input_size": "[300, 9]"}, "an axis of 300 cells"),
        # Where there are numbers, those in the windows count, and cells cannot be made smaller.
        (POOLING | {"input_size": "32", "kernel_size": "14"}, "440420 cells in all frames"),
        (POOLING | {"input_size": "32", "kernel_size": "14"}, "at most 60000. The largest input that fits is 22x22."),
        # A window that no smaller input has, and one that it has.
        (
            POOLING | {"input_size": "64", "kernel_size": "64"},
            "a window of 4096 numbers, and a drawing has at most 4000.",
        ),
        (POOLING | {"input_size": "64", "kernel_size": "64"}, "No input is small enough."),
        (GLOBAL | {"input_size": "64"}, "The largest input that fits is 63x63."),
        # Fewer frames do fit.
        ({"input_size": "40", "frames": "9"}, ""),
        ({"input_size": "[60]", "kernel_size": "1"}, ""),
    ],
)
def test_what_is_too_large_is_refused_with_the_largest_input_that_fits(
    tmp_path: Path, keys: dict[str, str | None], message: str
) -> None:
    """By one rule, whatever it is that is too large: of that input, everything is small enough."""
    given = {"title": '"T"', "operation": '"convolution"', "kernel_size": "3"} | keys
    refused = refusal(tmp_path, given)
    assert message in (refused or "")
    assert bool(message) == bool(refused)
    largest = re.search(r"fits is (\d+)x(\d+)", refused or "")
    if largest:
        first, second = map(int, largest.groups())
        assert refusal(tmp_path, given | {"input_size": f"[{first}, {second}]"}) is None
        assert refusal(tmp_path, given | {"input_size": f"[{first + 1}, {second + 1}]"}) is not None


def refusal(folder: Path, keys: dict[str, str | None]) -> str | None:
    """Why a figure cannot be drawn; None if it can."""
    file = folder / "figure.toml"
    file.write_text("\n".join(f"{key} = {value}" for key, value in keys.items() if value is not None))
    try:
        scene_of(load(file))
    except LayerError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("padding = [1, 0]", "padding 1 × 0"),
        ("padding = [[1, 0], [1, 0]]", "padding 1 before, 0 after"),
        ("padding = [[1, 0], [0, 0]]", "padding (1, 0) × (0, 0)"),
        ("stride = [2, 1]\ndilation = [1, 2]", "stride 2 × 1, padding 0 and dilation 1 × 2"),
    ],
)
def test_captions_say_what_differs_between_axes(tmp_path: Path, keys: str, words: str) -> None:
    file = tmp_path / "figure.toml"
    file.write_text(f'title = "T"\noperation = "convolution"\ninput_size = [5, 8]\nkernel_size = [3, 2]\n{keys}')
    assert words in caption(PROJECT, load(file))
    assert caption(PROJECT, load(file)).startswith("Convolution with kernel 3 × 2, ")
