"""scripts.describe, as other scripts call it."""

import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from scripts.core.figures import load


def describe(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scripts.describe", *words], capture_output=True, text=True, check=False
    )


def test_one_line_of_json_per_file() -> None:
    result = describe("figures/numerical_padding_strides.toml", "figures/padding_strides_odd_transposed.toml")
    assert result.returncode == 0
    numerical, odd = map(json.loads, result.stdout.splitlines())
    assert list(numerical) == [
        "name", "title", "operation", "caption", "input_size", "kernel_size", "stride", "padding", "dilation",
        "output_padding", "padding_mode", "output_size", "input", "kernel", "output", "view", "durations", "files",
        "grid", "frames",
    ]  # fmt: skip
    assert numerical["padding"] == [[1, 1], [1, 1]]
    assert numerical["output"] == [[6, 17, 3], [8, 17, 13], [6, 4, 4]]
    first = numerical["frames"][0]
    assert (first["output_index"], first["value"], len(first["terms"])) == ([0, 0], 6, 9)
    assert first["terms"][0] == {"kernel_index": [0, 0], "input_index": None, "position": [0, 0]}
    assert first["terms"][8] == {"kernel_index": [2, 2], "input_index": [1, 1], "position": [2, 2]}
    assert numerical["frames"][5]["windows"] == [[2, 3, 4], [4, 5, 6]]
    assert [cell["kind"] for cell in numerical["grid"][1]] == ["padding", *["input"] * 5, "padding"]
    assert numerical["grid"][0][1] == {"kind": "input", "input_index": 0}
    assert (numerical["view"], odd["view"]) == ("numerical", "plane")
    assert numerical["files"] == [f"numerical_padding_strides_{number:02}" for number in range(9)]
    assert numerical["durations"] == [1] * 8 + [3]
    assert (odd["input_size"], odd["output_padding"], odd["output_size"]) == ([3, 3], [1, 1], [6, 6])
    assert odd["equivalent"]["padding"] == [[1, 2], [1, 2]]
    assert odd["equivalent"]["input_dilation"] == [2, 2]
    assert odd["input"] is None
    # The drawn window's first element is the layer's last kernel element.
    assert odd["frames"][0]["terms"][0]["kernel_index"] == [2, 2]


def test_an_adaptive_pooling_has_windows_of_its_own_but_no_stride() -> None:
    found = json.loads(describe("figures/adaptive_positions.toml").stdout)
    assert (found["input_size"], found["output_size"]) == ([7], [4])
    assert (found["kernel_size"], found["stride"]) == ([3], None)
    terms = [[term["input_index"][0] for term in frame["terms"]] for frame in found["frames"]]
    assert terms == [[0, 1], [1, 2, 3], [3, 4, 5], [5, 6]]
    assert found["caption"].startswith("Adaptive max pooling with windows 2–3, from an input of 7 to an output of 4.")


def test_a_stack_is_described_layer_by_layer(tmp_path: Path) -> None:
    keys = "[{ kernel_size = 3, stride = 2 }, { operation = 'lp_pooling', kernel_size = 2, norm = 3 }]"
    (tmp_path / "stack.toml").write_text(f'title = "Two"\ninput_size = [9]\nlayers = {keys}\n')
    stack = json.loads(describe(str(tmp_path / "stack.toml")).stdout)
    assert list(stack) == ["name", "title", "caption", "layers", "view", "durations", "files"]
    assert stack["caption"] == (
        "A stack of 2 layers, from an input of 9 to an output of 3: convolution with kernel 3, stride 2 and padding 0; "
        "LP pooling with window 2, stride 1, padding 0 and norm 3."
    )
    first, second = stack["layers"]
    assert (first["operation"], first["input_size"], first["stride"], first["output_size"]) == (
        "convolution", [9], [2], [4],
    )  # fmt: skip
    assert (second["operation"], second["input_size"], second["norm"], second["output_size"]) == (
        "lp_pooling", [4], 3, [3],
    )  # fmt: skip


def test_a_bad_file_prints_only_its_error_and_the_others_are_described(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('title = "T"\noperation = "convolution"\ninput_size = 3\nkernel_size = 5')
    result = describe(str(tmp_path / "bad.toml"), "figures/dilation.toml")
    assert result.returncode == 1
    assert [json.loads(line)["name"] for line in result.stdout.splitlines()] == ["dilation"]
    assert result.stderr.startswith(f"{tmp_path / 'bad.toml'}, line 4: kernel_size: the window spans 5")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("keys", "output_size"),
    [
        ("input_size = 224\nkernel_size = 7\nstride = 2\npadding = 3\nin_channels = 3\nout_channels = 64", [112, 112]),
        ("input_size = 300\nkernel_size = 3", [298, 298]),
        ("input_size = [480_000]\nkernel_size = 10\nstride = 5", [95_999]),
        ("input_size = 64\nkernel_size = 64\nin_channels = 20_000\nout_channels = 1", [1, 1]),
    ],
)
def test_the_sizes_of_any_layer_are_described(tmp_path: Path, keys: str, output_size: list[int]) -> None:
    (tmp_path / "large.toml").write_text(f'title = "T"\noperation = "convolution"\n{keys}\n')
    result = describe(str(tmp_path / "large.toml"))
    large = json.loads(result.stdout)
    assert (result.returncode, large["output_size"], large["frames"]) == (0, output_size, None)
    assert f"to an output of {' × '.join(map(str, output_size))}." in re.sub(r"\d+ channels? of ", "", large["caption"])


def test_values_and_frames_are_described_up_to_65536_elements(tmp_path: Path) -> None:
    text = 'title = "T"\noperation = "max_pooling"\ninput_size = [65_{}]\nkernel_size = 2\nvalues = "random"'
    (tmp_path / "largest.toml").write_text(text.format(537))
    (tmp_path / "larger.toml").write_text(text.format(538))
    result = describe(*(str(tmp_path / f"{name}.toml") for name in ("largest", "larger")))
    largest = json.loads(result.stdout)
    values, last = largest["input"], largest["frames"][-1]
    assert (len(values), len(largest["output"]), len(largest["frames"])) == (65_537, 65_536, 65_536)
    assert last == {
        "output_index": [65_535],
        "value": max(values[-2:]),
        "windows": [[65_535, 65_536]],
        "terms": [{"kernel_index": [n], "input_index": [65_535 + n], "position": [65_535 + n]} for n in range(2)],
    }
    assert largest["output"] == [max(pair) for pair in pairwise(values)]
    assert (
        "larger.toml, line 3: input_size: gives 65537 output elements. Values and frames are computed" in result.stderr
    )


# Lines of a file, their sizes of input and output, and keys of their figures.
LAYERS: list[tuple[str, list[int], list[int], dict[str, Any]]] = [
    ("(conv1): Conv2d(3, 64, kernel_size=(7, 7), stride=(2, 2), padding=(3, 3), bias=False)\t1x3x224x224",
     [224, 224], [112, 112], {"kernel_size": 7, "in_channels": 3, "out_channels": 64}),
    ("Conv1d(1, 512, kernel_size=(10,), stride=(5,), bias=False)\t480000", [480_000], [95_999], {"kernel_size": 10}),
    ("MaxPool2d(2)\t5x7", [5, 7], [2, 3], {"operation": "max_pooling", "stride": 2}),
    ('x = Conv2D(32, 3, padding="same")(x)\t1000000000', [10**9] * 2, [10**9] * 2, {"padding": "same_upper"}),
    ("Conv(kernel_shape=[3, 3, 3], group=20480)\t9", [9, 9, 9], [7, 7, 7], {"kernel_size": 3}),
    ("SeparableConv2D(8, 3)\t1x4x7x7", [7, 7], [5, 5],
     {"groups": 4, "note": "This is the depthwise half. A pointwise convolution to 8 channels follows."}),
]  # fmt: skip


def test_layers_are_described_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "layers.txt"
    file.write_text("\n".join(line for line, *_ in LAYERS))
    result = describe("--layers", str(file))
    assert (result.returncode, result.stderr) == (0, "")
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(one["layer"], one["input_size"], one["output_size"]) for one in found] == [
        (line.partition("\t")[0], input_size, output_size) for line, input_size, output_size, _ in LAYERS
    ]
    for one, (*_, keys) in zip(found, LAYERS, strict=True):
        assert list(one) == ["layer", "input_size", "output_size", "figure"]
        assert one["figure"].items() >= keys.items()
        # They are a file's.
        content = [f"{key} = {json.dumps(value)}" for key, value in one["figure"].items()]
        (tmp_path / "figure.toml").write_text("\n".join(content))
        assert list(load(tmp_path / "figure.toml").layer.output_size) == one["output_size"]


def test_each_refused_line_has_an_error_in_its_place(tmp_path: Path) -> None:
    file = tmp_path / "layers.txt"
    lines = [
        "Conv2d(1, 1, 3)\t5",
        "Linear(3, 4)\t5",
        "Conv2d(1, 1, 3)",
        "",
        "Conv2d(1, 1, 3)\t",
        "Conv2d(3, 8, 3)\t1x4x7x7",
        "Conv2d(1, 1, 9)\t5",
        "\udcff\t5",
        "Conv2d(1, 1, 3)\t7",
    ]
    file.write_bytes("\r\n".join(lines).encode(errors="surrogateescape") + b"\n")
    result = describe(f"--layers={file}")
    assert (result.returncode, result.stderr) == (1, "")
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["layer"] for one in found] == [line.partition("\t")[0].replace("\udcff", "\\xff") for line in lines]
    assert [one.get("output_size") for one in found] == [[3, 3], *[None] * 7, [5, 5]]
    for one, error in zip(
        found[1:-1],
        [
            "'Linear' is not a layer",
            "INPUT: is missing. Write the layer, a tab,",
            "INPUT: is missing",
            "INPUT: cannot be ''",
            "input_size: has 4 channels for a layer of in_channels = 3",
            "kernel_size: the window spans 9, the padded input only 5",
            "is not a layer",
        ],
        strict=True,
    ):
        assert list(one) == ["layer", "error"]
        assert error in one["error"]


def test_a_missing_file_of_layers_is_refused(tmp_path: Path) -> None:
    result = describe("--layers", str(tmp_path / "none.txt"))
    assert (result.returncode, result.stdout) == (1, "")
    assert "none.txt: No such file or directory" in result.stderr
    assert "Traceback" not in result.stderr


def test_wrong_usage_is_status_2() -> None:
    assert describe().returncode == 2
    assert describe("--layers").returncode == 2
    assert describe("--layers", "layers.txt", "figures/dilation.toml").returncode == 2
