"""Figure files: what they may leave out, and what is said of wrong ones."""

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.core.figures import Figure, load, load_all
from scripts.core.layers import Branches
from scripts.errors import LayerError, UserError
from scripts.views import scene_of, view_name
from tests.conftest import limits

VALID = {"title": '"A layer"', "operation": '"convolution"', "input_size": "5", "kernel_size": "3"}


def write(folder: Path, name: str, **keys: str | None) -> Path:
    """A file with the keys of VALID, changed; None leaves one out."""
    file = folder / f"{name}.toml"
    lines = [f"{key} = {value}" for key, value in (VALID | keys).items() if value is not None]
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def read(folder: Path, **keys: str | None) -> Figure:
    return load(write(folder, "figure", **keys))


def test_one_number_stands_for_two_axes(tmp_path: Path) -> None:
    figure = read(tmp_path)
    assert figure.layer.input_size == (5, 5)
    assert figure.layer.kernel_size == (3, 3)
    assert view_name(figure) == "plane"


def test_parameters_differ_per_axis_and_per_side(tmp_path: Path) -> None:
    figure = read(
        tmp_path, input_size="[5, 7, 4]", kernel_size="[3, 2, 2]", stride="[2, 1, 1]", padding="[[0, 1], 2, 0]"
    )
    assert [axis.padding for axis in figure.layer.axes] == [(0, 1), (2, 2), (0, 0)]
    assert figure.layer.output_size == (2, 10, 3)


def test_sizes_follow_from_values(tmp_path: Path) -> None:
    figure = read(
        tmp_path, input_size=None, kernel_size=None, input_values="[[1, 2, 3], [4, 5, 6]]", kernel_values="[[1, 0.5]]"
    )
    assert figure.layer.input_size == (2, 3)
    assert view_name(figure) == "numerical"
    assert figure.output_values is not None
    assert figure.output_values.tolist() == [[2, 3.5], [6.5, 8]]


def test_a_transpose_of_a_figure_with_values_uses_its_kernel(tmp_path: Path) -> None:
    write(
        tmp_path,
        "first",
        input_size="2",
        kernel_size="2",
        input_values="[[1, 2], [3, 4]]",
        kernel_values="[[1, 2], [3, 4]]",
    )
    (tmp_path / "second.toml").write_text('title = "T"\ntranspose_of = "first"\ninput_values = [[10]]')
    second = load(tmp_path / "second.toml")
    assert second.output_values is not None
    assert second.output_values.tolist() == [[10, 20], [30, 40]]
    assert second.references == ("first",)


def test_the_last_frame_is_held_longer(tmp_path: Path) -> None:
    assert scene_of(read(tmp_path, input_size="4")).durations == (1.0, 1.0, 1.0, 3.0)
    assert scene_of(read(tmp_path, input_size="3", frame_duration="0.5", last_frame_duration="2")).durations == (2.0,)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"stide": "2"}, "stide: is not a key of a figure. Did you mean stride?"),
        ({"title": None}, "title: is missing"),
        ({"title": '"a\\u0007b"'}, "title: cannot be"),
        ({"operation": None}, "operation: is missing"),
        ({"operation": '"convolve"'}, "operation: cannot be 'convolve'. It is one of convolution"),
        ({"input_size": None}, "input_size: is missing"),
        ({"input_size": "5.0"}, "input_size: cannot be 5.0"),
        ({"input_size": "true"}, "input_size: cannot be true"),
        ({"input_size": "[5, 5, 5, 5]"}, "input_size: has 4 axes"),
        ({"input_size": "[]"}, "input_size: has 0 axes"),
        ({"input_size": "1000000001"}, "input_size: cannot be 1000000001"),
        ({"input_size": "259", "values": '"random"'}, "input_size: gives 66049 output elements"),
        (
            {"input_size": "300", "kernel_size": "200", "values": '"random"'},
            "kernel_size: gives 10201 windows of 40000 elements",
        ),
        (
            {"input_size": "1025", "kernel_size": "1", "stride": "1025", "values": '"random"'},
            "input_size: gives a grid of 1050625",
        ),
        ({"kernel_size": "[3, 3, 3]"}, "kernel_size: has 3 entries for 2 axes"),
        ({"kernel_size": "6"}, "kernel_size: the window spans 6, the padded input only 5"),
        ({"stride": "0"}, "stride: cannot be 0. It is a whole number from 1"),
        ({"frames": "[]"}, "frames: cannot be []. It is how many frames are shown"),
        ({"padding": "-1"}, "padding: cannot be -1"),
        ({"padding": '"smae"'}, "padding: cannot be 'smae'. It is a whole number"),
        ({"padding": "[[1, 2, 3], 0]"}, "padding: cannot be"),
        ({"output_padding": "1"}, "output_padding: does not belong to convolution"),
        ({"transpose_of": '"other"'}, "transpose_of: there is no figure 'other'"),
        ({"transpose_of": '"../figure"'}, "transpose_of: there is no figure '../figure'"),
        ({"transpose_of": '"figure"'}, "transpose_of: figure → figure is a circle"),
        ({"input_values": "[[1, 2], [3]]", "input_size": None}, "input_values: its rows differ in length at [1]"),
        ({"input_values": "[[1, 2], [3, 4]]"}, "input_values: has the shape [2, 2]. The layer's is [5, 5]"),
        ({"input_values": "[[1, 2], 3]", "input_size": None}, "input_values: mixes numbers and lists at [1]. Give one"),
        (
            {"input_values": "[[1, [2]], [3, [4]]]", "input_size": None},
            "input_values: mixes numbers and lists at [0][1]",
        ),
        ({"input_values": "[[1], []]", "input_size": None}, "input_values: has an empty list at [1]"),
        ({"input_values": '[[1, "a"]]', "input_size": None}, "input_values: holds 'a' at [0][1]. Give nested lists of"),
        ({"input_values": "[[nan]]", "input_size": None}, "input_values: holds nan at [0][0]"),
        ({"input_values": "[[1e7]]", "input_size": None}, "input_values: holds 10000000.0 at [0][0]"),
        ({"kernel_values": "[[1]]", "kernel_size": None}, "input_values: is missing"),
        (
            {"operation": '"max_pooling"', "kernel_values": "[[1]]", "kernel_size": None},
            "kernel_values: does not belong to max_pooling",
        ),
        (
            {"input_values": "[1, 2, 3]", "kernel_values": "[[1]]", "input_size": None, "kernel_size": None},
            "kernel_values: has 2 axes for a layer of 1. Give one level per axis; channels take",
        ),
        ({"input_values": "[]", "input_size": None}, "input_values: is empty"),
        ({"input_values": "[[true, 2]]", "input_size": None}, "input_values: holds true at [0][0]"),
        ({"input_values": "[" * 2000 + "]" * 2000}, "is nested too deeply"),
        ({"title": '"卷积"'}, "title: cannot be '卷积'. It is a text of 1 to 120 characters that TeX's fonts have"),
        ({"operation": '"max_pooling"', "padding": "3"}, "padding: is 3 for a pooling window of 3. It is less than"),
        ({"operation": '"max_pooling"', "padding": '"full"', "dilation": "2"}, "padding: is 4 for a pooling window of"),
        ({"operation": '"transposed_convolution"', "padding": '"causal"'}, "padding: 'causal' is no padding"),
        (
            {"operation": '"transposed_convolution"', "padding": '"same_upper"', "output_size": "5"},
            "output_size: is given beside padding same_upper. Remove one",
        ),
        (
            {"operation": '"transposed_convolution"', "output_padding": "1", "stride": "2", "output_size": "5"},
            "output_size: is given beside output_padding",
        ),
        ({"operation": '"transposed_convolution"', "output_size": "9"}, "output_size: is 9 for an input of 5. It is 7"),
        (
            {"operation": '"max_unpooling"', "input_values": "[1, 2]", "indices": "[0.0, 3.0]", "input_size": None},
            "indices: holds something else than whole numbers",
        ),
        (
            {"operation": '"max_unpooling"', "input_values": "[1, 2]", "input_size": None},
            "indices: is missing. Max unpooling needs both",
        ),
        ({"groups": "2"}, "in_channels: is missing"),
        ({"in_channels": "3", "out_channels": "4", "groups": "2"}, "groups: is 2 for in_channels = 3"),
        (
            {"operation": '"max_pooling"', "in_channels": "3", "out_channels": "3"},
            "in_channels: does not belong to max",
        ),
        ({"operation": '"global_max_pooling"'}, "kernel_size: does not belong to global_max_pooling"),
        ({"norm": "3"}, "norm: does not belong to convolution. Only lp_pooling"),
        ({"ceil_mode": "true"}, "ceil_mode: does not belong to convolution"),
        ({"padding": "5", "padding_mode": '"reflect"'}, "padding: is 5 for an input of 5. Padding mode reflect takes"),
        ({"values": '"ones"'}, "values: cannot be 'ones'. It is \"random\""),
        ({"input_size": "[2, 2, 2, 2]"}, "input_size: has 4 axes"),
        ({"frame_duration": "0"}, "frame_duration: cannot be 0. It is a number of seconds"),
        ({"seed": "9" * 5000}, "is not valid TOML: Exceeds the limit"),
        (
            {"input_values": f"[[{-(2**63)}, 1]]", "input_size": None},
            "input_values: holds -9223372036854775808 at [0][0]",
        ),
        ({"title": "2020-01-01"}, "title: cannot be 2020-01-01. It is a text"),
        ({"seed": "-1"}, "seed: cannot be -1"),
        ({"norm": "inf", "operation": '"lp_pooling"'}, "norm: cannot be inf. It is a number from 0.1 to 16"),
        ({"frame_duration": "nan"}, "frame_duration: cannot be nan"),
        ({"input_size": "9" * 30}, f"input_size: cannot be {'9' * 30}. It is a whole number"),
        (
            {"figure": "{ stride = 2 }"},
            "figure: is a table. A figure's keys stand for themselves: remove the line [figure]",
        ),
        ({"input_values": "[" * 60 + "1" + "]" * 60, "input_size": None}, "input_values: is nested more than 5 deep"),
        ({"title": f'"{"a" * 400_001}"'}, "is larger than 400000 bytes"),
        ({"output_size": "6"}, "output_size: does not belong to convolution"),
        ({"operation": '"adaptive_max_pooling"', "kernel_size": None}, "output_size: is missing. Give one number"),
        (
            {"operation": '"adaptive_max_pooling"', "output_size": "2"},
            "kernel_size: does not belong to adaptive_max_pooling",
        ),
    ],
)
def test_wrong_files_are_told_with_file_key_and_remedy(tmp_path: Path, keys: dict[str, str], message: str) -> None:
    file = write(tmp_path, "figure", **keys)
    with pytest.raises(UserError) as caught:
        load(file)
    lines = [line.partition(" = ")[0] for line in file.read_text(encoding="utf-8").split("\n")]
    key = message.partition(":")[0]
    place = f", line {lines.index(key) + 1}" if key in lines else ""
    assert f"{file}{place}: {message}" in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "output_size"),
    [
        ({"input_size": "480_000", "kernel_size": "10", "stride": "5"}, (95_999, 95_999)),
        ({"input_size": "[1_000_000_000]"}, (999_999_998,)),
        ({"operation": '"transposed_convolution"', "stride": "1000", "input_size": "[1_000_000]"}, (999_999_003,)),
        ({"operation": '"max_unpooling"', "stride": "2", "input_size": "[500_000_000]"}, (1_000_000_001,)),
        ({"in_channels": "100_000", "out_channels": "200_000", "groups": "50_000"}, (3, 3)),
    ],
)
def test_a_figure_without_values_is_as_large_as_a_layer(
    tmp_path: Path, keys: dict[str, str], output_size: tuple[int, ...]
) -> None:
    with limits():
        figure = read(tmp_path, **keys)
        assert figure.layer.output_size == output_size
        with pytest.raises(LayerError):
            scene_of(figure)


def test_padding_that_is_worked_out_from_a_size_is_not_limited(tmp_path: Path) -> None:
    pooling = {"operation": '"max_pooling"', "kernel_size": "2", "dilation": "4"}
    figure = read(tmp_path, **pooling, padding='"same_upper"')
    assert [axis.padding for axis in figure.layer.axes] == [(2, 2), (2, 2)]
    with pytest.raises(UserError, match="padding: is 2 for a pooling window of 2"):
        read(tmp_path, **pooling, padding="2")


def test_random_values_are_small_integers_and_the_seed_s(tmp_path: Path) -> None:
    def values(**keys: str | None) -> tuple[object, object]:
        figure = read(tmp_path, values='"random"', **keys)
        assert figure.input_values is not None
        assert figure.kernel_values is not None
        assert view_name(figure) == "numerical"
        assert set(figure.input_values.flat) <= set(range(6))
        assert set(figure.kernel_values.flat) <= set(range(-2, 3))
        return figure.input_values.tolist(), figure.kernel_values.tolist()

    assert values() == values(seed="0")
    assert values() != values(seed="7")
    given = [[1, 2, 3], [4, 5, 0], [1, 2, 3]]
    assert values(input_size=None, input_values=str(given))[0] == given
    # What seed 7 has meant since figures could have one.
    assert values(seed="7", input_size="[4]")[0] == [4, 1, 3, 3]


def test_with_channels_values_have_their_axis_first(tmp_path: Path) -> None:
    figure = read(
        tmp_path, operation='"transposed_convolution"', in_channels="4", out_channels="6", groups="2", values='"random"'
    )
    assert figure.input_values is not None
    assert figure.kernel_values is not None
    assert figure.input_values.shape == (4, 5, 5)
    assert figure.kernel_values.shape == (4, 3, 3, 3)
    assert figure.layer.output_shape == (6, 7, 7)


def test_unpooling_takes_values_and_indices_of_the_pooling_it_undoes(tmp_path: Path) -> None:
    write(
        tmp_path, "first", operation='"max_pooling"', kernel_size="2", stride="2", ceil_mode="true",
        input_size=None, input_values="[3, 1, 4, 1, 5]",
    )  # fmt: skip
    (tmp_path / "second.toml").write_text('title = "T"\ntranspose_of = "first"')
    second = load(tmp_path / "second.toml")
    assert second.indices is not None
    assert second.output_values is not None
    assert second.indices.tolist() == [0, 2, 4]
    assert second.output_values.tolist() == [3, 0, 4, 0, 5]


def test_circles_of_figures_are_refused(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / f"{name}.toml").write_text(f'title = "T"\ntranspose_of = "{other}"')
    with pytest.raises(UserError, match="a → b → a is a circle"):
        load(tmp_path / "a.toml")


def test_long_chains_of_figures_are_refused(tmp_path: Path) -> None:
    for number in range(500):
        (tmp_path / f"a{number}.toml").write_text(f'title = "T"\ntranspose_of = "a{number + 1}"')
    with pytest.raises(UserError, match=r"toml, line 2: transpose_of: leads on over 20 figures"):
        load(tmp_path / "a0.toml")


def test_sizes_beside_transpose_of_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "first")
    (tmp_path / "second.toml").write_text('title = "T"\ntranspose_of = "first"\nstride = 2')
    with pytest.raises(UserError, match="stride: is taken from the figure"):
        load(tmp_path / "second.toml")


def test_average_pooling_has_no_transpose(tmp_path: Path) -> None:
    write(tmp_path, "first", operation='"average_pooling"')
    (tmp_path / "second.toml").write_text('title = "T"\ntranspose_of = "first"')
    with pytest.raises(UserError, match="Only a convolution with zeros"):
        load(tmp_path / "second.toml")


def test_names_that_could_leave_their_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a figure's name has"):
        load(write(tmp_path, "a b"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("title = Padding", ", line 2: is not valid TOML: Invalid value in 'title = Padding'. Strings take quotes"),
        ('title = "a', ", line 2: is not valid TOML: Illegal character '\\n' in 'title = \"a'. Remove it"),
        (
            'title = "a\x07"',
            ", line 2: is not valid TOML: Illegal character '\\x07' in 'title = \"a\\x07\"'. Remove it",
        ),
        (
            'title = "a"\ntitle = "b"',
            ", line 3: is not valid TOML: Cannot overwrite a value in 'title = \"b\"'. The key is",
        ),
        (
            "title",
            ", line 2: is not valid TOML: Expected '=' after a key in a key/value pair in 'title'. A line is: key",
        ),
        ('title = "a" stride = 2', ", line 2: is not valid TOML: Expected newline"),
        ("padding = [1, 2", ": is not valid TOML: Unclosed array. Close the brackets"),
        (
            "title = 2020-02-31",
            ", line 2: is not valid TOML: Invalid date or datetime in 'title = 2020-02-31'.",
        ),
    ],
)
def test_mistakes_of_grammar_are_told_with_their_line(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "figure.toml"
    file.write_text(f"# A comment.\n{content}\n")
    with pytest.raises(UserError) as caught:
        load(file)
    assert f"{file}{message}" in str(caught.value)


def test_the_line_of_a_key_is_not_that_of_a_string_or_a_comment(tmp_path: Path) -> None:
    file = tmp_path / "figure.toml"
    file.write_text('# A comment.\n# stride = 1\ntitle = """\n\nstride = 1"""\n\n  stride= 0 # stride = 1\n')
    with pytest.raises(UserError) as caught:
        load(file)
    assert str(caught.value).splitlines()[0].startswith(f"{file}, line 7: stride: cannot be 0.")
    assert f"{file}, line 3: title: cannot be" in str(caught.value)


def read_stack(folder: Path, layers: str, keys: str = "input_size = [12]") -> Figure:
    file = folder / "stack.toml"
    file.write_text(f'title = "A stack"\n{keys}\n{layers}\n')
    return load(file)


INLINE = "layers = [\n  {{ {0} }},\n  {{ {1} }},  # {{ }}\n  {{ {2} }},\n]"
HEADERS = "[[layers]]\n{0}\n\n[[layers]]\n{1}\n\n[[layers]]  # [[layers]]\n{2}"


@pytest.mark.parametrize("form", [INLINE, HEADERS])
@pytest.mark.parametrize(
    ("input_size", "layers", "sizes"),
    [
        (
            "[12]",
            ["kernel_size = 3, padding = 1", "kernel_size = 3, stride = 2, padding = 1", "kernel_size = 3"],
            [(12,), (12,), (6,), (4,)],
        ),
        (
            "[16]",
            [f'kernel_size = 2, padding = "causal", dilation = {n}' for n in (1, 2, 4)],
            [(16,), (16,), (16,), (16,)],
        ),
        (
            "8",
            [
                "kernel_size = [3, 1], in_channels = 2, out_channels = 4",
                'operation = "max_pooling", kernel_size = 2, stride = 2',
                'operation = "transposed_convolution", kernel_size = 2, stride = 3, in_channels = 4, out_channels = 1',
            ],
            [(8, 8), (6, 8), (3, 4), (8, 11)],
        ),
    ],
)
def test_each_layer_of_a_stack_takes_the_output_of_the_one_before(
    tmp_path: Path, form: str, input_size: str, layers: list[str], sizes: list[tuple[int, ...]]
) -> None:
    if form == HEADERS:
        layers = [re.sub(r", (?=\w+ = )", "\n", keys) for keys in layers]
    figure = read_stack(tmp_path, form.format(*layers), f"input_size = {input_size}")
    assert [layer.input_size for layer in figure.layers] == sizes[:-1]
    assert [layer.output_size for layer in figure.layers] == sizes[1:]
    assert figure.input_values is None
    with pytest.raises(LayerError, match="layers: is a stack of 3"):
        scene_of(figure)


def test_a_stack_may_hold_an_adaptive_pooling(tmp_path: Path) -> None:
    layers = "[{ kernel_size = 3 }, { operation = 'adaptive_average_pooling', output_size = 4 }, { kernel_size = 2 }]"
    figure = read_stack(tmp_path, f"layers = {layers}")
    assert [layer.output_size for layer in figure.layers] == [(10,), (4,), (3,)]
    assert scene_of(replace(figure, view="receptive_field")).count == 5


def test_branches_of_a_stack_take_one_input_and_give_one_output(tmp_path: Path) -> None:
    branches = "[{ kernel_size = 3, padding = 1 }, { kernel_size = 1 }], []"
    figure = read_stack(
        tmp_path, f"layers = [{{ kernel_size = 3 }}, {{ branches = [{branches}] }}, {{ kernel_size = 2 }}]"
    )
    assert figure.is_stack
    first, fork, last = figure.layers
    assert isinstance(fork, Branches)
    assert first.output_size == fork.input_size == fork.output_size == last.input_size == (10,)
    assert [len(branch) for branch in fork.branches] == [2, 0]
    with pytest.raises(LayerError, match="layers: is a stack of 1"):
        _ = replace(figure, layers=(fork,)).layer


def test_a_stack_of_one_layer_is_that_layer(tmp_path: Path) -> None:
    figure = read_stack(tmp_path, "layers = [{ kernel_size = 3 }]")
    assert figure.layer.output_size == (10,)
    assert scene_of(figure).count == 10


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ("layers = []", ", line 3: layers: cannot be []. It is a list of 1 to 100 tables"),
        ("layers = [3]", ", line 3: layers[0]: cannot be 3. It is a table"),
        (INLINE.format("kernel_size = 3", "stride = 0", ""), ", line 5: layers[1].stride: cannot be 0."),
        (INLINE.format("stride = 0", "", "stride = 0"), ", line 6: layers[2].stride: cannot be 0."),
        (
            HEADERS.format("kernel_size = 3", "kernel_size = 2\nstide = 2", "kernel_size = 3"),
            ", line 8: layers[1].stide: is not a key of a layer. Did you mean stride?",
        ),
        (
            HEADERS.format("kernel_size = 3", "kernel_size = 2", "\nkernel_size = 13"),
            ", line 11: layers[2].kernel_size: the window spans 13, the padded input only 9",
        ),
        (HEADERS.format("kernel_size = 3", "", "stride = 2"), ", line 6: layers[1].kernel_size: is missing"),
        (
            HEADERS.format("input_size = 3", "", ""),
            ", line 4: layers[0].input_size: belongs to the figure, not to one of its layers",
        ),
        (
            INLINE.format(
                "kernel_size = 1", 'kernel_size = 3, operation = "max_pooling", padding_mode = "reflect"', ""
            ),
            ", line 5: layers[1].padding_mode: does not belong to max_pooling. Only convolution",
        ),
        (
            INLINE.format(*["kernel_size = 3, in_channels = 2, out_channels = 4"] * 3),
            ", line 5: layers[1].in_channels: is 2 after a layer of 4 output channels.",
        ),
        (
            HEADERS.format("kernel_size = 3", "branches = [[{ kernel_size = 3 }], []]", "kernel_size = 3"),
            ", line 7: layers[1].branches: end in outputs of 8 and 10. Give all branches one output size",
        ),
        (
            INLINE.format("kernel_size = 3", "branches = [[{ kernel_size = 99 }], []]", "kernel_size = 3"),
            ", line 5: layers[1].branches[0][0].kernel_size: the window spans 99, the padded input only 10",
        ),
        (
            INLINE.format("branches = [[{ kernel_size = 1 }], []]", "stride = 0", ""),
            ", line 5: layers[1].stride: cannot be 0.",
        ),
        (
            HEADERS.format("kernel_size = 3", "branches = [[{ kernel_size = 3, stide = 2 }], []]", ""),
            ", line 7: layers[1].branches[0][0].stide: is not a key of a layer. Did you mean stride?",
        ),
        (
            HEADERS.format("branches = [[]]", "", ""),
            ", line 4: layers[0].branches: cannot be [[]]. It is a list of at least 2 branches",
        ),
        (
            HEADERS.format("branches = [[], 3]", "", ""),
            ", line 4: layers[0].branches[1]: cannot be 3. It is a list of tables, one for each layer, or empty.",
        ),
        (
            HEADERS.format("branches = [[], []]\nstride = 2", "kernel_size = 1", "kernel_size = 1"),
            ", line 5: layers[0].stride: is given beside branches. Give it to a layer in one of the branches.",
        ),
        (
            HEADERS.format(f"branches = [[{'{ kernel_size = 1 }, ' * 100}], []]", "kernel_size = 1", "kernel_size = 1"),
            ", line 3: layers: has 103 layers with those in branches. Give at most 100.",
        ),
        (
            'values = "random"\nlayers = [{ kernel_size = 3 }]',
            ", line 3: values: is given beside layers. The layers of a stack have no values",
        ),
        (
            "kernel_size = 3\nlayers = [{ kernel_size = 3 }]",
            ", line 3: kernel_size: is given beside layers. Give it to the layers instead",
        ),
    ],
)
def test_wrong_stacks_are_reported_with_the_line_in_their_layer(tmp_path: Path, layers: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        read_stack(tmp_path, layers)
    assert f"{tmp_path / 'stack.toml'}{message}" in str(caught.value)


def test_a_stack_has_an_input_size_and_no_transpose(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="input_size: is missing"):
        read_stack(tmp_path, "layers = [{ kernel_size = 3 }]", "")
    read_stack(tmp_path, "layers = [{ kernel_size = 3 }, { kernel_size = 3 }]")
    (tmp_path / "second.toml").write_text('title = "T"\ntranspose_of = "stack"')
    with pytest.raises(UserError, match=r"line 2: transpose_of: 'stack' is a stack of layers"):
        load(tmp_path / "second.toml")


def test_unreadable_files_are_told(tmp_path: Path) -> None:
    text = 'title = "é"\noperation = "convolution"\ninput_size = 5\nkernel_size = 3\n'
    (tmp_path / "latin.toml").write_bytes(b"# A comment.\n" + text.encode("latin-1"))
    (tmp_path / "utf16.toml").write_bytes(text.encode("utf-16"))
    (tmp_path / "utf16le.toml").write_bytes("title = 1".encode("utf-16-le"))
    (tmp_path / "mark.toml").write_bytes(text.encode("utf-8-sig"))
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "lost.toml").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.toml")
    found, errors = load_all(sorted(tmp_path.iterdir()))
    assert [figure.name for figure in found] == ["mark"]
    assert [str(error).removeprefix(f"{tmp_path}/") for error in errors] == [
        "folder.toml: cannot be read: it is a folder or a device. A figure is a text file; move it away.",
        "latin.toml, line 2: is not UTF-8 text. Save the file in that encoding.",
        "lost.toml: cannot be read: No such file or directory. Restore it, or allow reading it.",
        "pipe.toml: cannot be read: it is a folder or a device. A figure is a text file; move it away.",
        "utf16.toml, line 1: is not UTF-8 text. Save the file in that encoding.",
        "utf16le.toml: holds NUL characters, as in UTF-16. Save the file as UTF-8 text.",
    ]
