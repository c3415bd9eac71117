"""`make draw`: a layer becomes pictures and a figure's file, and its text is never executed."""

import json
import re
import shutil
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from scripts.core.figures import layer_of, load
from scripts.core.keys import check
from scripts.notation.frameworks import layer as read_layer
from scripts.notation.sizes import parse_size
from tests.conftest import Checkout

LAYER = "Conv2d(1, 1, kernel_size=(3, 2), stride=2, padding=1)"


def test_a_layer_is_drawn_and_its_file_is_a_figure(checkout: Checkout) -> None:
    printed = checkout.make("draw", f"LAYER={LAYER}", "INPUT=5x7")
    assert "input 5 × 7, output 3 × 4" in printed
    assert "Convolution with kernel 3 × 2, stride 2 and padding 1, from an input of 5 × 7" in printed
    # Its name ends with a digest of its parameters.
    (name,) = {Path(path).parent.name for path in checkout.outputs("draw/*/*")}
    assert re.fullmatch("conv2d_5x7_[0-9a-f]{6}", name)
    files = {f"{name}_{number:02}.{ending}" for ending in ("pdf", "png", "tex") for number in range(12)}
    files |= {f"{name}.gif", f"{name}.pdf", f"{name}.toml", "convfigures.sty"}
    assert set(checkout.outputs("draw/*/*")) == {f"draw/{name}/{file}" for file in files}
    figure = load(checkout.top / "build" / "draw" / name / f"{name}.toml")
    assert figure.layer.output_size == (3, 4)
    assert figure.title == LAYER
    # It is not part of the catalogue, which stays up to date.
    assert "up to date: 3" in checkout.run("build")


def test_a_layer_is_drawn_in_the_view_and_the_formats_that_are_asked_for(checkout: Checkout) -> None:
    words = ["LAYER=Conv2d(1, 1, 2)", "INPUT=2x3", "VALUES=random", "NAME=mine"]
    checkout.make("draw", *words, "VIEW=plane", "FORMATS=svg pdf")
    names = {f"draw/mine/mine_{number:02}.{ending}" for number in range(2) for ending in ("tex", "svg", "pdf")}
    others = {"draw/mine/mine.toml", "draw/mine/mine.svg", "draw/mine/mine.pdf", "draw/mine/convfigures.sty"}
    assert checkout.outputs("draw/*/*").keys() == names | others
    for number in range(2):
        picture = (checkout.top / f"build/draw/mine/mine_{number:02}.svg").read_text()
        assert picture.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    sources = checkout.contents("draw/mine/*.tex")
    toml = checkout.top / "build" / "draw" / "mine" / "mine.toml"
    assert 'view = "plane"' in toml.read_text()
    # Drawn again with other options, after which nothing of the first drawing remains.
    options = ["--layer=Conv2d(1, 1, 2)", "--input=2x3", "--values=random", "--name=mine"]
    checkout.run("draw", *options, "--formats=png")
    others.remove("draw/mine/mine.svg")
    assert checkout.outputs("draw/*/*").keys() == {name.replace("svg", "png") for name in names} | others
    assert "view" not in toml.read_text()
    assert all(sources[path] != content for path, content in checkout.contents("draw/mine/*.tex").items())


def test_a_silent_drawing_prints_nothing(checkout: Checkout) -> None:
    assert checkout.make("-s", "draw", "LAYER=Conv2d(1, 1, 2)", "INPUT=2", "FORMATS=pdf") == ""
    assert checkout.outputs("draw/*/*.pdf")


def test_a_layer_is_drawn_in_a_theme(checkout: Checkout) -> None:
    checkout.make("draw", "LAYER=Conv2d(1, 1, 2)", "INPUT=2", "NAME=mine", "THEME=dark", "FORMATS=pdf")
    assert checkout.outputs("draw/*/*") == {}
    drawn = checkout.contents("themes/dark/draw/mine/*")
    assert {path.rpartition(".")[2] for path in drawn} == {"tex", "pdf", "toml", "sty"}
    assert b"The dark theme" in drawn["themes/dark/draw/mine/convfigures.sty"]


# As models print them, or as they are written; output sizes computed by hand.
MODELS = [
    ("(conv1): Conv2d(3, 64, kernel_size=(7, 7), stride=(2, 2), padding=(3, 3), bias=False)", "14x14", "64 × 7 × 7"),
    ("(maxpool): MaxPool2d(kernel_size=3, stride=2, padding=1, dilation=1, ceil_mode=False)", "7x7", "4 × 4"),
    ("(avgpool): AdaptiveAvgPool2d(output_size=(1, 1))", "7x7", "1 × 1"),  # ResNet
    ("Conv2d(64, 128, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))", "6x6", "128 × 6 × 6"),  # VGG
    ("Conv2d(3, 64, kernel_size=(11, 11), stride=(4, 4), padding=(2, 2))", "19x19", "64 × 4 × 4"),  # AlexNet
    ("MaxPool2d(kernel_size=3, stride=2, padding=0, dilation=1, ceil_mode=True)", "8x8", "4 × 4"),  # GoogLeNet
    (
        "Conv2d(128, 192, kernel_size=(1, 7), stride=(1, 1), padding=(0, 3), bias=False)",
        "5x7",
        "192 × 5 × 7",
    ),  # Inception
    ("ConvTranspose2d(1024, 512, kernel_size=(2, 2), stride=(2, 2))", "4x4", "512 × 8 × 8"),  # U-Net
    ("ConvTranspose2d(100, 512, kernel_size=(4, 4), stride=(1, 1), bias=False)", "1x1", "512 × 4 × 4"),  # DCGAN
    (
        "ConvTranspose2d(512, 256, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1), bias=False)",
        "4x4",
        "256 × 8 × 8",
    ),
    (
        "Conv2d(32, 32, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), groups=32, bias=False)",  # MobileNet
        "7x7",
        "32 × 7 × 7",
    ),
    (
        "Conv2d(2048, 256, kernel_size=(3, 3), stride=(1, 1), padding=(12, 12), dilation=(12, 12), bias=False)",
        "5x5",
        "256 × 5 × 5",
    ),  # DeepLab
    ('Conv1D(32, 2, dilation_rate=4, padding="causal")', "16", "16"),  # WaveNet
    ('DepthwiseConv2D(3, strides=2, padding="same")', "8x8", "4 × 4"),  # EfficientNet
]


@pytest.mark.parametrize(("text", "size", "output"), MODELS)
def test_layers_of_well_known_models_have_their_sizes(text: str, size: str, output: str) -> None:
    read = read_layer(text, parse_size(size))
    shape = layer_of(check({"title": "Any", **read.keys}, text)).output_shape
    assert " × ".join(map(str, shape)) == output


def test_layers_of_well_known_models_are_drawn(checkout: Checkout, full: bool) -> None:
    for number, (layer, size, output) in enumerate(MODELS if full else [MODELS[2], MODELS[-2]]):
        printed = checkout.run("draw", f"--layer={layer}", f"--input={size}", f"--name=model_{number}")
        assert f", output {output}\n" in printed
        assert f"draw/model_{number}/model_{number}.gif" in checkout.outputs("draw/*/*.gif")


def test_a_layer_with_channels_is_drawn_in_one_of_them(checkout: Checkout) -> None:
    words = ["--layer=Conv2d(4, 8, 3, groups=2)", "--input=4", "--values=random", "--name=mine"]
    printed = checkout.run("draw", *words, "--formats=pdf")
    assert "input 4 × 4 × 4, output 8 × 2 × 2" in printed
    assert printed.count("One channel is shown, of 4 in and 8 out, in 2 groups.") == 1
    text = (checkout.top / "build" / "draw" / "mine" / "mine.toml").read_text()
    assert 'values = "random"' in text
    assert 'note = "One channel is shown, of 4 in and 8 out, in 2 groups."' in text
    assert (
        "One channel is shown, of 4 in and 8 out, in 2 groups"
        in checkout.contents("draw/mine/mine_00.tex").popitem()[1].decode()
    )
    assert "# in_channels = 4\n# out_channels = 8\n# groups = 2\n" in text
    assert len(checkout.outputs("draw/mine/mine_*.pdf")) == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--layer=Conv2d(1, 1, 3)"], "INPUT: is missing"),
        (["--input=5"], "LAYER: is missing"),
        ([f"--layer={LAYER}", "--input=5y7"], "INPUT: cannot be '5y7'"),
        ([f"--layer={LAYER}", "--input=5", "--name=../x"], "NAME: cannot be '../x'"),
        ([f"--layer={LAYER}", "--input=5", "--formats=gif bmp"], "FORMATS: cannot be 'bmp'. They are among pdf, png,"),
        ([f"--layer={LAYER}", "--input=5", "--view=plan"], "view: cannot be 'plan'. It is one of "),
        ([f"--layer={LAYER}", "--input=5", "--view=numerical"], "view: the numerical view draws values."),
        (
            ["--layer=Conv2d(3, 64, 7)", "--input=224", "--view=plane"],
            "gives an axis of 224 cells, and a drawing has at most 200. The largest input that fits is",
        ),
        (["--layer=Conv2d(3, 64, 7)", "--input=1x4x7x7"], "has 4 channels for a layer of in_channels = 3"),
        (
            ["--layer=Conv3d(1, 1, 3)", "--input=12"],
            "gives 1000 frames, and a drawing has at most 400. The largest input",
        ),
        (["--layer=Covn2d(1, 1, 3)", "--input=5"], "Did you mean Conv2d?"),
        (["--onnx=none.onnx"], "none.onnx: cannot be read"),
    ],
)
def test_mistakes_are_told_and_draw_nothing(checkout: Checkout, words: list[str], message: str) -> None:
    printed = checkout.run("draw", *words, fails=True)
    assert message in printed
    assert "Traceback" not in printed
    assert not checkout.outputs("draw/*/*")


def test_what_the_terminal_lacks_is_no_mistake(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    printed = checkout.make("draw", "LAYER=MaxPool2d(2, padding=1)", "INPUT=1", "FORMATS=pdf")
    assert r"padding 1 (\u2212\u221e)" in printed


def test_a_mistake_in_the_theme_leaves_nothing_half_drawn(checkout: Checkout) -> None:
    for name in ("mine", "mine_too"):
        checkout.run("draw", "--layer=Conv2d(1, 1, 2)", "--input=3", f"--name={name}", "--formats=pdf")
    others = checkout.contents("draw/mine_too/*")
    checkout.edit("templates/styles.tex", "\\tikzset{", "\\tikzzet{")
    printed = checkout.run("draw", f"--layer={LAYER}", "--input=4x4", "--name=mine", fails=True)
    assert "TeX stopped. Undefined control sequence \\tikzzet." in printed
    assert "It shows in figure mine." in printed
    assert checkout.contents("draw/*/*") == others
    # Four frames as TikZ and PDF, all frames in one PDF, the figure's file and the package.
    assert len(others) == 11


TEXTS = [
    "$(shell touch pwned)",
    "`touch pwned`",
    '"; touch pwned; "',
    "$$(touch pwned)",
    "Conv2d(1, 1, __import__('os').system('touch pwned'))",
]
OPTIONS = ["LAYER", "INPUT", "ONNX", "FILE", "NAME", "VALUES", "VIEW", "FORMATS"]


@pytest.mark.parametrize("text", TEXTS)
def test_make_and_the_shell_pass_on_every_text_as_it_is(fresh: Checkout, text: str) -> None:
    """A program that prints its arguments takes the place of Python."""
    show = fresh.top / "show"
    show.write_text("#!/usr/bin/env python3\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    show.chmod(0o755)
    printed = fresh.make("draw", "PY=./show", *(f"{name}={text}" for name in OPTIONS))
    assert json.loads(printed) == ["-m", "scripts.draw", *(f"--{name.lower()}={text}" for name in OPTIONS)]
    for goal, name in (("gifs", "FIGURES"), ("bench", "BASELINE"), ("verify", "FILE")):
        # The benchmark's own packages need not be installed.
        *_, last = fresh.make("-o", ".venv/.bench", goal, "PY=./show", f"{name}={text}").splitlines()
        assert json.loads(last)[-1].removeprefix("--baseline=") == text
    assert not (fresh.top / "pwned").exists()


@pytest.mark.parametrize("variable", ["LAYER", "INPUT", "NAME", "ONNX", "FILE", "VALUES", "FORMATS", "VIEW"])
def test_nothing_in_a_layer_is_run(fresh: Checkout, variable: str) -> None:
    """The command says what is wrong with it."""
    for text in TEXTS:
        options = {"LAYER": "Conv2d(1, 1, 3)", "INPUT": "5"} | {variable: text}
        printed = fresh.run("draw", *(f"--{name.lower()}={value}" for name, value in options.items()), fails=True)
        assert {
            "LAYER": "is not a layer" if "Conv2d" not in text else "kernel_size: is not a plain value",
            "INPUT": "INPUT: cannot be",
            "NAME": "NAME: cannot be",
            "ONNX": "cannot be read: No such file",
            "FILE": "FILE: has a layer of its own",
            "VALUES": "VALUES: cannot be",
            "FORMATS": "FORMATS: cannot be",
            "VIEW": "view: cannot be",
        }[variable] in printed
    assert not (fresh.top / "pwned").exists()


def test_a_layer_s_text_is_text_in_tex_too(checkout: Checkout) -> None:
    text = r"Conv2d(1, 1, 2) # \input{figures/tiny.toml} % ^^5c $ `touch pwned` \immediate\write18{touch pwned}"
    assert "output 1 × 1" in checkout.run("draw", f"--layer={text}", "--input=2", "--name=hostile", "--formats=pdf")
    file = checkout.top / "build" / "draw" / "hostile" / "hostile.toml"
    assert load(file).title == text
    shutil.copy(file, checkout.top / "figures")
    checkout.edit("report/report.tex", r"\showfigure{tiny}", r"\showfigure{hostile}\showfigure{tiny}")
    checkout.run("report")
    assert not list(checkout.top.rglob("pwned"))


def test_the_layers_of_a_model_are_listed_and_drawn(checkout: Checkout) -> None:
    save_model(checkout.top / "model.onnx")
    listed = [line.split("  ") for line in checkout.make("draw", "ONNX=model.onnx").splitlines()]
    rows = [[word.strip() for word in line if word] for line in listed]
    assert ["1", "stem", "Conv", "9 × 9", "5 × 5", "3 → 4"] in rows
    assert ["2", "pool", "MaxPool", "5 × 5", "3 × 3"] in rows
    printed = checkout.run("draw", "--onnx=model.onnx", "--layer=pool 1", "--formats=pdf")
    assert printed.index("pool\n  input 5 × 5, output 3 × 3") < printed.index("stem\n  input 3 × 9 × 9")
    drawn = {re.sub("_[0-9a-f]{6}(?=[_/])", "", path) for path in checkout.outputs("draw/*/*.pdf")}
    assert {"draw/pool_5x5/pool_5x5_08.pdf", "draw/stem_9x9/stem_9x9_24.pdf"} <= drawn
    again = checkout.run("draw", "--onnx=model.onnx", "--layer=pool pool", "--name=twice", "--input=3", "--formats=pdf")
    assert "draw/twice: " in again
    assert "draw/twice_2: " in again
    assert "the model has no layer '7'" in checkout.run("draw", "--onnx=model.onnx", "--layer=7", fails=True)


def save_model(file: Path) -> None:
    weights = helper.make_tensor("w", TensorProto.FLOAT, (4, 3, 3, 3), [0.0] * 108)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["y"], name="stem", strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["y"], ["z"], name="relu"),
        helper.make_node("MaxPool", ["z"], ["o"], name="pool", kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", (1, 3, 9, 9)), ("o", None))
    ]
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:], [weights])), file)
