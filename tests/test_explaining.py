"""What explanations say is true: sizes, costs, fields, remarks, and the changes that they propose."""

import re
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from scripts.core.figures import layer_of
from scripts.core.keys import check
from scripts.core.layers import Layer
from scripts.explaining.chain import lines_of, trace
from scripts.explaining.description import Book, LayerSheet
from scripts.explaining.messages import mismatch
from scripts.explaining.model import axes_of_model, model_steps
from scripts.explaining.network import book
from scripts.explaining.remarks import remarks
from scripts.explaining.single import layer_sheet
from scripts.notation.frameworks import layer as read_layer
from scripts.notation.sizes import parse_size
from scripts.text.relationships import relationships
from tests import networks, oracle
from tests.conftest import PROJECT

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


def read_model(file: Path, size: tuple[int, ...] | None = None) -> Book:
    steps, warnings, inputs = model_steps(file, size)
    return book(PROJECT, "book", file.name, steps, warnings, axes_of_model(steps), inputs)


# Builder; parameters and multiply-adds in millions as published; layers with weights; the last field with its jump.
PUBLISHED = {
    # torchvision lists 25,557,032 parameters and 4.09 GFLOPS for its ResNet-50.
    "ResNet-50": (networks.resnet50, 25_557_032, 4_089, 54, ("427", "32")),
    # Table 8 of the paper on MobileNets has 569 million and 4.2; the field is that of Araujo et al. (2019).
    "MobileNet": (networks.mobilenet, 4_231_976, 569, 28, ("315", "32")),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_books_have_the_published_numbers(name: str, tmp_path: Path) -> None:
    build, parameters, millions, layers, last = PUBLISHED[name]
    found = read_model(build(tmp_path / "network.onnx"))
    assert found.total.weights + found.total.biases == parameters
    assert round(found.total.multiply_adds / 1e6) == millions
    assert sum(row.cost.weights > 0 for row in found.rows) == layers
    row = next(row for row in reversed(found.rows) if row.field not in ("all", "?"))
    assert (row.field, row.jump) == last
    assert not any(row.problem for row in found.rows)
    # The library that infers the sizes and the arithmetic agree.
    for section in found.sections:
        rows = [row for row in found.rows if row.name in section.places]
        assert {row.output_shape[1:] for row in rows if row.output_shape} == {section.sheet.output_shape[-2:]}, (
            section.sheet.source
        )


def test_a_stack_has_the_published_field_of_vgg16() -> None:
    widths = [(3, 64), (64, 64), None, (64, 128), (128, 128), None, (128, 256), (256, 256), (256, 256), None]
    widths += [(256, 512), (512, 512), (512, 512), None, *[(512, 512)] * 3, None]
    texts = [f"Conv2d({w[0]}, {w[1]}, 3, padding=1)" if w else "MaxPool2d(2)" for w in widths]
    texts += ["Flatten()", "Linear(25088, 4096)", "Linear(4096, 4096)", "Linear(4096, 1000)"]
    steps, failure = trace(lines_of("# VGG-16\n\n" + "\nReLU(),\n".join(texts)), (3, 224, 224))
    assert failure is None
    found = book(PROJECT, "book", "vgg", steps, (), 2, ["input"])
    *_, last, flat, _, _, out = found.rows
    assert (last.field, last.jump, last.output_shape) == ("212", "32", (512, 7, 7))
    assert (flat.field, out.output_shape) == ("all", (1000,))
    # As torchvision lists it.
    assert found.total.weights + found.total.biases == 138_357_544
    assert round(found.total.multiply_adds / 1e6) == 15_470


def test_a_book_warns_of_skip_connections_that_break(tmp_path: Path) -> None:
    whole = read_model(networks.unet(tmp_path / "whole.onnx", 64, 2))
    assert [warned for warned in whole.warnings if warned.remark.topic.startswith("Broken")] == []
    assert {row.operator for row in whole.rows} == {"Conv", "MaxPool", "ConvTranspose", "Concat"}
    broken = read_model(networks.unet(tmp_path / "odd.onnx", 62, 2))
    (warned,) = (warned for warned in broken.warnings if warned.remark.topic.startswith("Broken"))
    assert "32 × 31 × 31 and 32 × 30 × 30" in warned.remark.text
    (place,) = warned.places
    assert place.startswith("concat")
    # What comes after has no size, and is named.
    after = broken.rows[[row.name for row in broken.rows].index(place) + 1 :]
    assert all(row.problem for row in after if row.operator != "Concat")
    # Unless the size of the input is another.
    assert len(read_model(tmp_path / "odd.onnx", (1, 1, 64, 64)).warnings) == len(whole.warnings)


def test_a_field_reaches_as_far_as_changes_of_the_input_are_felt(tmp_path: Path) -> None:
    """Element by element, through branches, in a network that onnxruntime runs."""
    net = networks.Network(1, 1, 32, 32)
    x = net.conv("x", 1, 3, relu=False)
    wide = net.conv(net.conv(x, 1, 5, 2, relu=False), 1, 3, relu=False)
    x = net.add("Add", [wide, net.pool(x, 2, 2)], 1)
    x = net.conv(x, 1, 3, relu=False)
    file = net.save(tmp_path / "branches.onnx")
    row = read_model(file).rows[-1]
    model = onnx.load(file, load_external_data=False)
    for tensor in model.graph.initializer:
        ones = np.ones(tuple(tensor.dims), np.float32)
        tensor.CopyFrom(onnx.numpy_helper.from_array(ones, tensor.name))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    zero = np.zeros((1, 1, 32, 32), np.float32)
    felt = []
    for place in range(32):
        changed = zero.copy()
        changed[0, 0, place] = 1
        made = session.run(None, {"x": changed})[0] != session.run(None, {"x": zero})[0]
        felt.append([bool(made[0, 0, n].any()) for n in range(16)])
    seen = [[place for place in range(32) if felt[place][n]] for n in range(16)]
    assert int(row.field) == len(seen[8])
    assert int(row.jump) == seen[9][0] - seen[8][0]
    assert int(row.start.replace("−", "-")) == seen[8][0] - 8 * int(row.jump)


def test_what_cannot_be_read_is_in_the_book(tmp_path: Path) -> None:
    net = networks.Network(1, 3, 16, 16)
    x = net.conv("x", 8, 3)
    x = net.add("DeformConv", [x, net.weight(8, 8, 3, 3), net.weight(1, 18, 14, 14)], 8)
    net.conv(x, 4, 3)
    _, deformed, last = read_model(net.save(tmp_path / "model.onnx")).rows
    assert deformed.problem.endswith("an input displaces the elements of its window.")
    assert (deformed.field, last.field) == ("?", "?")


# The message, what arrived, what was expected, words of a fix, and the call of PyTorch that raises it.
MESSAGES: dict[str, tuple[str, str, str, str]] = {
    "mat1 and mat2 shapes cannot be multiplied (32x400 and 256x120)": (
        "400", "256", "in_features = 400", "nn.Linear(256, 120)(zeros(32, 400))",
    ),
    "Given groups=1, weight of size [64, 3, 7, 7], expected input[1, 1, 28, 28] to have 3 channels, but got 1 channels "
    "instead": ("1", "3", "in_channels = 1", "nn.Conv2d(3, 64, 7)(zeros(1, 1, 28, 28))"),
    "Calculated padded input size per channel: (1 x 2). Kernel size: (3 x 3). Kernel size can't be greater than actual "
    "input size": ("1 × 2", "at least 3 × 3", "kernel of at most 1 × 2", "nn.Conv2d(1, 1, 3)(zeros(1, 1, 1, 2))"),
    "Given input size: (64x1x1). Calculated output size: (64x0x0). Output size is too small": (
        "64 × 1 × 1", "a map that holds", "larger input", "nn.MaxPool2d(2)(zeros(1, 64, 1, 1))",
    ),
    "The size of tensor a (28) must match the size of tensor b (27) at non-singleton dimension 3": (
        "27", "28", "output_padding=1", "zeros(1, 64, 28, 28) + zeros(1, 64, 27, 27)",
    ),
    "Sizes of tensors must match except in dimension 1. Expected size 56 but got size 57 for tensor number 1 in the "
    "list.": (
        "57", "56", "multiple of all strides", "torch.cat([zeros(1, 64, 56, 56), zeros(1, 64, 57, 57)], 1)",
    ),
    "shape '[-1, 400]' is invalid for input of size 18432": (
        "18432", "a multiple of 400", "torch.flatten(x, 1)", "zeros(8, 16, 12, 12).view(-1, 400)",
    ),
    "Expected 3D (unbatched) or 4D (batched) input to conv2d, but got input of size: [3, 28]": (
        "3 × 28", "3D (unbatched) or 4D (batched) axes", "unsqueeze", "nn.Conv2d(3, 8, 3)(zeros(3, 28))",
    ),
    "pad should be at most half of effective kernel size, but got pad=2, kernel_size=3 and dilation=1": (
        "2", "half of the window", "layer of its own", "nn.MaxPool2d(3, padding=2)(zeros(1, 1, 9, 9))",
    ),
    "output padding must be smaller than either stride or dilation, but got output_padding_height: 2 "
    "output_padding_width: 2 stride_height: 2 stride_width: 2 dilation_height: 1 dilation_width: 1": (
        "2", "smaller than the stride", "smaller one",
        "nn.ConvTranspose2d(1, 1, 3, stride=2, output_padding=2)(zeros(1, 1, 5, 5))",
    ),
    "running_mean should contain 64 elements not 32": (
        "64", "32", "num_features = 64", "nn.BatchNorm2d(32)(zeros(1, 64, 5, 5))",
    ),
    "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding (3, 3) at "
    "dimension 3 of input [1, 1, 2, 2]": (
        "3", "smaller than the map", "pad less", 'nn.functional.pad(zeros(1, 1, 2, 2), (3,) * 4, mode="reflect")',
    ),
    'Input 0 of layer "dense" is incompatible with the layer: expected axis -1 of input shape to have value 256, but '
    "received input with shape (None, 400)": ("400", "256", "16 channels, 5 × 5 arrive", ""),
    "Computed output size would be negative. Received: `inputs.shape=(None, 1, 1, 8)`, `kernel.shape=(3, 3, 8, 16)`": (
        "1 × 1", "at least 3 × 3", "larger input", "",
    ),
    "A `Concatenate` layer requires inputs with matching shapes except for the concatenation axis. Received: "
    "input_shape=[(None, 28, 28, 64), (None, 27, 27, 64)]": ("27 × 27", "28 × 28", "crop the larger", ""),
    "Inputs have incompatible shapes. Received shapes (28, 28, 64) and (27, 27, 64)": (
        "27 × 27 × 64", "28 × 28 × 64", "crop the larger", "",
    ),
    'Input 0 of layer "conv2d" is incompatible with the layer: expected min_ndim=4, found ndim=3. Full shape received: '
    "(32, 28, 28)": ("32 × 28 × 28", "4 axes", "channels' axis", ""),
}  # fmt: skip


@pytest.mark.parametrize("message", MESSAGES)
def test_messages_are_understood(message: str) -> None:
    arrived, expected, fix, _ = MESSAGES[message]
    found = mismatch(f"RuntimeError: {message}")
    assert found.arrived == arrived
    assert expected in found.expected
    assert any(fix in one for one in found.fixes), found.fixes


@pytest.mark.skipif(oracle.torch is None, reason="PyTorch is not installed")
@pytest.mark.parametrize("message", [message for message, told in MESSAGES.items() if told[3]])
def test_messages_are_those_of_pytorch(message: str) -> None:
    names = {
        "torch": oracle.torch,
        "nn": getattr(oracle.torch, "nn", None),
        "zeros": getattr(oracle.torch, "zeros", None),
    }
    with pytest.raises((RuntimeError, ValueError)) as caught:
        eval(MESSAGES[message][3], names)  # noqa: S307 — this file's own calls
    assert message in " ".join(str(caught.value).split())


LENET = """Conv2d(3, 6, 5)
ReLU()
MaxPool2d(2)
Conv2d(6, 16, 5)  # to 16 channels
ReLU()
MaxPool2d(2)
Flatten()
Linear(256, 120)
Linear(120, 10)
"""


def test_changes_mend_the_stack() -> None:
    message = "mat1 and mat2 shapes cannot be multiplied (32x400 and 256x120)"
    found = mismatch(message, lines_of(LENET), (3, 32, 32))
    assert "It breaks at line 8, Linear(256, 120), where 400 arrives." in found.cause
    rewritten, pooled, smaller = found.fixes
    assert rewritten == "In line 8, write Linear(400, 120)."
    assert trace(lines_of(LENET.replace("256", "400")), (3, 32, 32))[1] is None
    assert "AdaptiveAvgPool2d(4)" in pooled
    assert trace(lines_of(LENET.replace("Flatten", "AdaptiveAvgPool2d(4)\nFlatten")), (3, 32, 32))[1] is None
    assert smaller == "Give it an input of 3 × 31 × 31."
    assert trace(lines_of(LENET), (3, 31, 31))[1] is None
