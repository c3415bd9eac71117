"""scripts.describe, as other scripts call it."""

import json
import subprocess
import sys
from pathlib import Path


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
        "output_padding", "padding_mode", "output_size", "input", "kernel", "output", "frames",
    ]  # fmt: skip
    assert numerical["padding"] == [[1, 1], [1, 1]]
    assert numerical["output"] == [[6, 17, 3], [8, 17, 13], [6, 4, 4]]
    first = numerical["frames"][0]
    assert (first["output_index"], first["value"], len(first["terms"])) == ([0, 0], 6, 9)
    assert first["terms"][0] == {"kernel_index": [0, 0], "input_index": None}
    assert first["terms"][8] == {"kernel_index": [2, 2], "input_index": [1, 1]}
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
    assert list(stack) == ["name", "title", "caption", "layers"]
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


def test_wrong_usage_is_status_2() -> None:
    assert describe().returncode == 2
