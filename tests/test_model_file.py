"""ONNX models as people have them: quantised, with functions and subgraphs, with sizes that other nodes compute."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx.helper import make_node as node

from scripts.core.figures import layer_of
from scripts.core.keys import FigureFile
from scripts.errors import UserError
from scripts.notation import inference
from scripts.notation.listing import table
from scripts.notation.model_file import ModelLayer, layers
from tests.oracle import Refused, run

MICROSOFT = "com.microsoft"
OPSETS = {"": 22, MICROSOFT: 1, "own": 1, "spconv": 1}
QUANTISED = ["scale", "zero"]


def weights(name: str, *sizes: int, kind: int = TensorProto.FLOAT) -> onnx.TensorProto:
    return helper.make_tensor(name, kind, sizes, np.ones(sizes, helper.tensor_dtype_to_np_dtype(kind)))


def numbers(name: str, *values: int) -> onnx.TensorProto:
    return helper.make_tensor(name, TensorProto.INT64, [len(values)], values)


def value(name: str, sizes: Sequence[Any] | None = None, kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, sizes)


def graph(nodes: Sequence[onnx.NodeProto], *inputs: onnx.ValueInfoProto) -> onnx.GraphProto:
    """A graph whose output is that of its last node."""
    return helper.make_graph(nodes, "graph", inputs, [value(nodes[-1].output[0])])


def found(
    folder: Path,
    *nodes: onnx.NodeProto,
    x: Sequence[Any] = (1, 3, 9, 9),
    kind: int = TensorProto.FLOAT,
    constants: Sequence[onnx.TensorProto] = (),
    functions: Sequence[onnx.FunctionProto] = (),
    inputs: Sequence[onnx.ValueInfoProto] = (),
) -> list[ModelLayer]:
    """The layers of a model with the input x."""
    main = graph(nodes, value("x", x, kind), *inputs)
    main.initializer.extend([*constants, weights("w", 3, 3, 3, 3), weights("scale"), weights("zero", kind=2)])
    opsets = [helper.make_opsetid(*opset) for opset in OPSETS.items()]
    file = folder / "model.onnx"
    onnx.save(helper.make_model(main, opset_imports=opsets, functions=functions, ir_version=10), file)
    return layers(file)


def passed_on(name: str, caller: str) -> onnx.AttributeProto:
    """An attribute whose value is that of the function's attribute `caller`."""
    return onnx.AttributeProto(name=name, ref_attr_name=caller, type=onnx.AttributeProto.INTS)


def function(name: str, *nodes: onnx.NodeProto, attributes: Sequence[str] = ()) -> onnx.FunctionProto:
    """A function of X that gives Y."""
    imports = [helper.make_opsetid(*opset) for opset in OPSETS.items()]
    return helper.make_function("own", name, ["X"], ["Y"], nodes, imports, attributes)


def output_size(layer: ModelLayer, input_size: tuple[int, ...] | None = None) -> tuple[int, ...]:
    """Of its figure."""
    return layer_of(FigureFile(title="T", **layer.named(input_size).keys)).output_size


def test_quantised_and_fused_layers_are_read(tmp_path: Path) -> None:
    kernel = weights("q", 4, 3, 5, 3, kind=TensorProto.UINT8)
    own = {"domain": MICROSOFT}
    convolution = node("QLinearConv", ["x", *QUANTISED, "q", *QUANTISED, *QUANTISED], ["a"], strides=[2, 1])
    pooling = node("QLinearAveragePool", ["a", *QUANTISED, *QUANTISED], ["b"], kernel_shape=[2, 2], **own)
    integer = node("ConvInteger", ["b", "q2"], ["c"], pads=[1, 1, 1, 1])
    cast = node("Cast", ["c"], ["f"], to=TensorProto.FLOAT)
    fused = node("FusedConv", ["f", "w2"], ["d"], activation="Relu", group=2, **own)
    last = node("QLinearGlobalAveragePool", ["d", *QUANTISED, *QUANTISED], ["y"], **own)
    read = found(
        tmp_path, convolution, pooling, integer, cast, fused, last, kind=TensorProto.UINT8,
        constants=[kernel, weights("q2", 6, 4, 1, 1, kind=TensorProto.UINT8), weights("w2", 8, 3, 2, 4)],
    )  # fmt: skip
    rows = [(one.op_type, one.input_size, output_size(one), one.output_size, one.channels) for one in read]
    assert rows == [
        ("QLinearConv", (9, 9), (3, 7), (3, 7), (3, 4)),
        ("QLinearAveragePool", (3, 7), (2, 6), (2, 6), None),
        ("ConvInteger", (2, 6), (4, 8), (4, 8), (4, 6)),
        ("FusedConv", (4, 8), (3, 5), (3, 5), (6, 8)),
        ("QLinearGlobalAveragePool", (3, 5), (1, 1), (1, 1), None),
    ]
    assert read[3].named().keys["groups"] == 2


def test_channels_may_come_last(tmp_path: Path) -> None:
    kernel = weights("q", 4, 3, 5, 2, kind=TensorProto.UINT8)
    operands = ["x", *QUANTISED, "q", *QUANTISED, *QUANTISED]
    read = found(
        tmp_path,
        node("QLinearConv", operands, ["a"], domain=MICROSOFT, channels_last=1),
        node("QLinearAveragePool", ["x", *QUANTISED], ["b"], domain=MICROSOFT, channels_last=1, kernel_shape=[2, 2]),
        node("NhwcMaxPool", ["x"], ["y"], domain=MICROSOFT, kernel_shape=[3, 1]),
        x=(1, 9, 7, 3),
        constants=[kernel],
    )
    assert [one.input_size for one in read] == [(9, 7)] * 3
    assert [output_size(one) for one in read] == [(5, 6), (8, 6), (7, 7)]
    assert read[0].channels == (3, 4)
    # The library does not know these operators, and a pooling of channels first would be of another size.
    assert [one.output_size for one in read] == [None] * 3


def test_what_cannot_be_drawn_is_named_with_its_size_and_a_reason(tmp_path: Path) -> None:
    read = found(
        tmp_path,
        node("DeformConv", ["x", "w", "offset"], ["a"], name="deform"),
        node("MaxRoiPool", ["a", "rois"], ["b"], pooled_shape=[2, 2]),
        node("SubmanifoldConv3d", ["b"], ["c"], domain="spconv"),
        node("Conv", ["c", "w"], ["d"], domain="own"),
        node("ConvertToGrey", ["d"], ["y"], domain="own"),
        inputs=[value("offset", [1, 18, 7, 7]), value("rois", [6, 5])],
    )
    assert [(one.op_type, one.input_size, one.output_size) for one in read] == [
        ("DeformConv", (9, 9), (7, 7)),
        ("MaxRoiPool", (7, 7), (2, 2)),
        ("SubmanifoldConv3d", (2, 2), None),
        ("Conv", None, None),
    ]
    printed = table(read).splitlines()
    assert printed[1].split(maxsplit=3)[1:3] == ["deform", "DeformConv"]
    assert "9 × 9  7 × 7" in printed[1]
    for line, reason in zip(
        printed[1:],
        (
            "an input displaces the elements of its window",
            "its windows are an input",
            *["its operator is not one of ONNX's"] * 2,
        ),
        strict=True,
    ):
        assert line.endswith(f"  not drawn: {reason}")
    with pytest.raises(UserError, match="deform: DeformConv cannot be drawn: an input displaces"):
        read[0].named()


def test_functions_are_read_at_each_of_their_calls(tmp_path: Path) -> None:
    inner = function("Pool", node("MaxPool", ["X"], ["Y"], name="pool", kernel_shape=[2, 2], strides=[2, 2]))
    strided = node("Conv", ["X", "k"], ["h"], name="conv")
    strided.attribute.append(passed_on("strides", "step"))
    kernel = node("Constant", [], ["k"], value=weights("", 3, 3, 3, 3))
    outer = function("Block", kernel, strided, node("Pool", ["h"], ["Y"], domain="own"), attributes=["step"])
    read = found(
        tmp_path,
        node("Block", ["x"], ["a"], domain="own", step=[1, 1]),
        node("Block", ["a"], ["y"], domain="own", step=[2, 2]),
        x=(1, 3, 20, 20),
        functions=[outer, inner],
    )
    assert [(one.op_type, one.input_size, output_size(one)) for one in read] == [
        ("Conv", (20, 20), (18, 18)),
        ("MaxPool", (18, 18), (9, 9)),
        ("Conv", (9, 9), (4, 4)),
        ("MaxPool", (4, 4), (2, 2)),
    ]
    assert len({one.name for one in read}) == 4


def test_functions_that_cannot_be_written_out_are_read_once(tmp_path: Path) -> None:
    layer = node("Conv", ["X", "k"], ["h"], name="conv", kernel_shape=[3, 3])
    open_ = node("MaxPool", ["h"], ["i"])
    open_.attribute.append(passed_on("kernel_shape", "size"))
    again = function("Again", layer, open_, node("Again", ["i"], ["Y"], domain="own"), attributes=["size"])
    main, body, pool = found(
        tmp_path, node("Conv", ["x", "w"], ["a"]), node("Again", ["a"], ["y"], domain="own"), functions=[again]
    )
    assert (main.input_size, main.output_size) == ((9, 9), (7, 7))
    assert (body.name, body.input_size) == ("conv", None)
    assert output_size(body, (5, 6)) == (3, 4)
    assert pool.name == "Again/MaxPool_1"
    assert "the call of its function" in pool.reason


def test_graphs_inside_nodes_are_read(tmp_path: Path) -> None:
    then = graph([node("Conv", ["x", "w"], ["t"])])
    otherwise = graph([node("If", ["c"], ["e"], name="inner", then_branch=then, else_branch=then)])
    element = node("AveragePool", ["element"], ["s"], name="in a scan", kernel_shape=[2, 2])
    scan = graph([element], value("element"))
    state = [node("Identity", ["go"], ["on"]), node("Conv", ["state", "w"], ["next"], name="in a loop")]
    loop = helper.make_graph(
        state,
        "loop",
        [value("n", [], TensorProto.INT64), value("go", [], TensorProto.BOOL), value("state")],
        [value("on", None, TensorProto.BOOL), value("next")],
    )
    read = found(
        tmp_path,
        node("If", ["c"], ["a"], then_branch=then, else_branch=otherwise),
        node("Scan", ["sequence"], ["b"], body=scan, num_scan_inputs=1),
        node("Loop", ["m", "c", "x"], ["y"], body=loop),
        inputs=[value("c", [], 9), value("m", [], 7), value("sequence", [7, 1, 3, 6, 5])],
    )
    assert [(one.name, one.input_size, one.output_size) for one in read] == [
        ("inner/else_branch/Conv_0", (9, 9), (7, 7)),
        ("inner/then_branch/Conv_0", (9, 9), (7, 7)),
        ("If_0/then_branch/Conv_0", (9, 9), (7, 7)),
        ("in a scan", (6, 5), (5, 4)),
        # Each round may change the size of what a loop carries along.
        ("in a loop", None, None),
    ]
    assert output_size(read[4], (8,)) == (6, 6)


def test_sizes_that_other_nodes_compute_are_known(tmp_path: Path) -> None:
    read = found(
        tmp_path,
        node("Shape", ["x"], ["shape"]),
        node("Slice", ["shape", "two", "four"], ["size"]),
        node("Mul", ["size", "factor"], ["double"]),
        node("Concat", ["one_three", "double"], ["wanted"], axis=0),
        node("Resize", ["x", "", "", "wanted"], ["a"]),
        node("Gelu", ["a"], ["b"], domain=MICROSOFT),
        node("MaxPool", ["b"], ["y"], kernel_shape=[3, 3]),
        constants=[
            numbers("two", 2), numbers("four", 4), numbers("factor", 2, 3), numbers("one_three", 1, 3),
        ],
    )  # fmt: skip
    assert [(one.input_size, one.output_size) for one in read] == [((18, 27), (16, 25))]


def test_an_unpooling_has_the_size_of_its_third_input(tmp_path: Path) -> None:
    pooled = node("MaxPool", ["x"], ["a", "places"], kernel_shape=[2, 2], strides=[2, 2])

    def unpooled(name: str) -> onnx.NodeProto:
        return node("MaxUnpool", ["a", "places", name], [f"y{name}"], kernel_shape=[2, 2], strides=[2, 2])

    _, without, constant, of_a_node, computed = found(
        tmp_path, pooled, unpooled(""), unpooled("size"), node("Constant", [], ["c"], value=numbers("", 1, 3, 9, 8)),
        unpooled("c"), node("Neg", ["size"], ["n"]), unpooled("n"), constants=[numbers("size", 1, 3, 9, 9)],
    )  # fmt: skip
    assert output_size(without) == (8, 8)
    assert output_size(constant) == constant.output_size == (9, 9)
    assert output_size(of_a_node) == (9, 8)
    assert "the size of its output is the result of other nodes" in computed.reason


def test_a_transposed_convolution_with_output_shape_and_padding_is_that_of_onnxruntime(tmp_path: Path) -> None:
    x, kernel = np.arange(1.0, 4).reshape(1, 1, 3), 10.0 ** np.arange(3).reshape(1, 1, 3)
    asked: list[dict[str, Any]] = [
        {"strides": [2], "output_padding": [1], "output_shape": [size], "auto_pad": auto_pad}
        for auto_pad in ("NOTSET", "SAME_UPPER", "SAME_LOWER")
        for size in range(1, 12)
    ]
    nodes = [node("ConvTranspose", ["x", "k"], [f"y{n}"], **words) for n, words in enumerate(asked)]
    accepted = 0
    for words, read in zip(asked, found(tmp_path, *nodes, x=x.shape, constants=[weights("k", 1, 1, 3)]), strict=True):
        try:
            expected = run("ConvTranspose", x, kernel, **words)[0]
        except Refused:
            with pytest.raises(UserError, match="asks for an output size of"):
                read.named()
        else:
            layer = layer_of(FigureFile(title="T", **read.named().keys))
            np.testing.assert_array_equal(layer.output(x[0, 0], kernel[0, 0]), expected[0, 0])
            accepted += 1
    assert accepted == 3 * 8


# Bounds


def calling(count: int, times: int) -> list[onnx.FunctionProto]:
    """Functions that call the next one so many times, the last of them a pooling."""
    names = [f"F{number}" for number in range(count)]
    bodies = [
        [node(called, ["X" if n == 0 else f"h{n}"], ["Y" if n == times - 1 else f"h{n + 1}"], domain="own")
         for n in range(times)]
        for called in names[1:]
    ]  # fmt: skip
    last = [node("MaxPool", ["X"], ["Y"], kernel_shape=[1, 1])]
    return [function(name, *body) for name, body in zip(names, [*bodies, last], strict=True)]


def test_few_calls_are_written_out_and_billions_are_not(tmp_path: Path) -> None:
    call = node("F0", ["x"], ["y"], domain="own")
    few = found(tmp_path, call, functions=calling(4, 2))
    assert [one.output_size for one in few] == [(9, 9)] * 8
    layer = node("Conv", ["x", "w"], ["a"])
    main, billions = found(tmp_path, layer, call, functions=calling(40, 2))
    assert main.output_size == (7, 7)
    assert (billions.name, billions.input_size) == ("F39/MaxPool_0", None)


def test_a_model_whose_sizes_fill_the_memory_keeps_those_that_it_states(tmp_path: Path) -> None:
    doubled = [node("Concat", [f"s{n}", f"s{n}"], [f"s{n + 1}"], axis=0) for n in range(40)]
    (read,) = found(
        tmp_path, node("Shape", ["x"], ["s0"]), *doubled, node("Conv", ["x", "w"], ["a"]), node("Relu", ["a"], ["y"])
    )
    assert (read.input_size, read.output_size) == ((9, 9), None)
    assert output_size(read) == (7, 7)


def test_weights_are_left_out_before_sizes_are_inferred(tmp_path: Path) -> None:
    """Or a model of gigabytes would be copied several times."""
    constant = node("Constant", [], ["c"], value=weights("", 64, 64, 3, 3))
    branch = graph([node("Conv", ["a", "in a branch"], ["b"])])
    branch.initializer.append(weights("in a branch", 64, 64, 3, 3))
    read = found(
        tmp_path, constant, node("Conv", ["x", "c"], ["a"]), node("If", ["c"], ["y"], then_branch=branch),
        x=(1, 64, 9, 9), constants=[weights("main", 64, 64, 3, 3)],
    )  # fmt: skip
    assert [one.channels for one in read] == [(64, 64)] * 2
    model = onnx.load(tmp_path / "model.onnx")
    assert model.ByteSize() > 300_000
    assert inference.with_sizes(model).ByteSize() < 3_000
