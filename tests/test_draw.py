"""`make draw`: a layer becomes pictures and a figure's file, and nothing in its text is run."""

import shutil
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from scripts.core.figures import load
from tests.conftest import Checkout

LAYER = "LAYER=Conv2d(1, 1, kernel_size=(3, 2), stride=2, padding=1)"


def test_a_layer_is_drawn_and_its_file_is_a_figure(checkout: Checkout) -> None:
    printed = checkout.make("draw", LAYER, "INPUT=5x7")
    assert "input 5 × 7, output 3 × 4" in printed
    assert "Convolution with kernel 3 × 2, stride 2 and padding 1, from an input of 5 × 7" in printed
    frames = [f"draw/conv2d_5x7_{number:02}.{ending}" for ending in ("pdf", "png", "tex") for number in range(12)]
    assert set(checkout.outputs("draw/*")) == {*frames, "draw/conv2d_5x7.gif", "draw/conv2d_5x7.toml"}
    figure = load(checkout.top / "build" / "draw" / "conv2d_5x7.toml")
    assert figure.layer.output_size == (3, 4)
    assert figure.title == LAYER.removeprefix("LAYER=")
    # It is no figure of the catalogue, which stays up to date.
    assert "up to date: 3" in checkout.make("gifs")


# As models print them, or as they are written; outputs worked out by hand.
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


def test_layers_of_well_known_models_are_drawn(checkout: Checkout, full: bool) -> None:
    for number, (layer, size, output) in enumerate(MODELS if full else MODELS[::3]):
        assert f", output {output}\n" in checkout.make(
            "draw", f"LAYER={layer}", f"INPUT={size}", f"NAME=model_{number}"
        )
        assert f"draw/model_{number}.gif" in checkout.outputs("draw/*.gif")


def test_a_layer_with_channels_is_drawn_in_one_of_them(checkout: Checkout) -> None:
    printed = checkout.make("draw", "LAYER=Conv2d(4, 8, 3, groups=2)", "INPUT=4", "VALUES=random", "NAME=mine")
    assert "input 4 × 4 × 4, output 8 × 2 × 2" in printed
    text = (checkout.top / "build" / "draw" / "mine.toml").read_text()
    assert 'values = "random"' in text
    assert "# in_channels = 4\n# out_channels = 8\n# groups = 2\n" in text
    assert len(checkout.outputs("draw/mine_*.png")) == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["LAYER=Conv2d(1, 1, 3)"], "INPUT: is missing"),
        (["INPUT=5"], "LAYER: is missing"),
        ([LAYER, "INPUT=5y7"], "INPUT: cannot be '5y7'"),
        ([LAYER, "INPUT=5", "NAME=../x"], "NAME: cannot be '../x'"),
        (["LAYER=Conv2d(3, 64, 7)", "INPUT=224"], "gives 47524 output elements. A figure has at most 999. Draw it"),
        (["LAYER=Conv3d(1, 1, 3)", "INPUT=5"], "view: the plane view draws layers of 1 or 2 axes"),
        (["LAYER=Covn2d(1, 1, 3)", "INPUT=5"], "Did you mean Conv2d?"),
        (["ONNX=none.onnx"], "none.onnx: cannot be read"),
    ],
)
def test_mistakes_are_told_and_draw_nothing(checkout: Checkout, words: list[str], message: str) -> None:
    printed = checkout.make("draw", *words, fails=True)
    assert message in printed
    assert "Traceback" not in printed
    assert not checkout.outputs("draw/*")


def test_what_the_terminal_lacks_is_no_mistake(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    assert r"padding 1 (\u2212\u221e)" in checkout.make("draw", "LAYER=MaxPool2d(3, padding=1)", "INPUT=5")


def test_a_mistake_in_the_theme_leaves_nothing_half_drawn(checkout: Checkout) -> None:
    checkout.make("draw", LAYER, "INPUT=5x7", "NAME=mine")
    checkout.make("draw", LAYER, "INPUT=5x7", "NAME=mine_too")
    checkout.edit("templates/theme.tex", "\\tikzset{", "\\tikzzet{")
    printed = checkout.make("draw", LAYER, "INPUT=4x4", "NAME=mine", fails=True)
    assert "TeX stopped. Undefined control sequence \\tikzzet." in printed
    assert "It shows in figure mine." in printed
    assert not [name for name in checkout.outputs("draw/*") if not name.startswith("draw/mine_too")]
    assert len(checkout.outputs("draw/mine_too*")) == 38


@pytest.mark.parametrize(
    "text",
    [
        "$(shell touch pwned)",
        "`touch pwned`",
        '"; touch pwned; "',
        "$$(touch pwned)",
        "Conv2d(1, 1, __import__('os').system('touch pwned'))",
    ],
)
@pytest.mark.parametrize("variable", ["LAYER", "INPUT", "NAME", "ONNX", "VALUES"])
def test_nothing_in_a_layer_is_run(checkout: Checkout, variable: str, text: str) -> None:
    """The command is reached, and says what is wrong with it."""
    words = {"LAYER": "Conv2d(1, 1, 3)", "INPUT": "5"} | {variable: text}
    printed = checkout.make("draw", *(f"{name}={value}" for name, value in words.items()), fails=True)
    assert {
        "LAYER": "is not a layer" if "Conv2d" not in text else "kernel_size: is not a plain value",
        "INPUT": "INPUT: cannot be",
        "NAME": "NAME: cannot be",
        "ONNX": "cannot be read: No such file",
        "VALUES": "VALUES: cannot be",
    }[variable] in printed
    assert not (checkout.top / "pwned").exists()


def test_a_layer_s_text_is_text_in_tex_too(checkout: Checkout) -> None:
    text = r"Conv2d(1, 1, 3) # \input{figures/tiny.toml} % ^^5c $ `touch pwned` \immediate\write18{touch pwned}"
    assert "output 3 × 3" in checkout.make("draw", f"LAYER={text}", "INPUT=5", "NAME=hostile")
    assert load(checkout.top / "build" / "draw" / "hostile.toml").title == text
    shutil.copy(checkout.top / "build" / "draw" / "hostile.toml", checkout.top / "figures")
    checkout.edit("report/report.tex", r"\showfigure{tiny}", r"\showfigure{hostile}\showfigure{tiny}")
    checkout.make("report")
    assert not list(checkout.top.rglob("pwned"))


def test_the_layers_of_a_model_are_listed_and_drawn(checkout: Checkout) -> None:
    save_model(checkout.top / "model.onnx")
    listed = [line.split("  ") for line in checkout.make("draw", "ONNX=model.onnx").splitlines()]
    rows = [[word.strip() for word in line if word] for line in listed]
    assert ["1", "stem", "Conv", "9 × 9", "5 × 5", "3 → 4"] in rows
    assert ["2", "pool", "MaxPool", "5 × 5", "3 × 3"] in rows
    printed = checkout.make("draw", "ONNX=model.onnx", "LAYER=pool 1")
    assert printed.index("pool\n  input 5 × 5, output 3 × 3") < printed.index("stem\n  input 3 × 9 × 9")
    assert {"draw/pool_5x5.gif", "draw/stem_9x9.gif"} <= set(checkout.outputs("draw/*.gif"))
    again = checkout.make("draw", "ONNX=model.onnx", "LAYER=pool pool", "NAME=twice")
    assert "draw/twice.gif" in again
    assert "draw/twice_2.gif" in again
    assert "the model has no layer '7'" in checkout.make("draw", "ONNX=model.onnx", "LAYER=7", fails=True)


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
