"""The sizes of an ONNX model's tensors, worked out by the library in a process of bounded time and memory.

A model comes from strangers: a small file can describe functions that call each other billions of times, or a tensor
of sizes that fills all memory.
"""

import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

SECONDS = 20
MOST_MEMORY = 2**30
# With the bodies of functions in place of their calls.
MOST_NODES = 100_000
# A tensor with more elements holds weights; one of sizes has fewer.
MOST_AXES, MOST_ELEMENTS = 8, 1024

TOP = Path(__file__).parents[2]
DATA_FIELDS = (
    *("raw_data", "float_data", "int32_data", "int64_data", "uint64_data", "double_data"),
    *("external_data", "data_location"),
)
CHILD = "from scripts.notation import inference; inference.infer()"

Id = tuple[str, str]

# Operators of onnxruntime as functions of ONNX's own, whose output is as large; the library knows no others.
STAND_INS = {
    "FusedConv": """<kernel_shape, strides, pads, auto_pad, dilations, group> (X, W, B, Z) => (Y) {
        Y = Conv <kernel_shape: ints = @kernel_shape, strides: ints = @strides, pads: ints = @pads,
                  auto_pad: string = @auto_pad, dilations: ints = @dilations, group: int = @group> (X, W) }""",
    "QLinearAveragePool": """<kernel_shape, strides, pads, auto_pad, ceil_mode> (X, a, b, c, d) => (Y) {
        Y = AveragePool <kernel_shape: ints = @kernel_shape, strides: ints = @strides, pads: ints = @pads,
                         auto_pad: string = @auto_pad, ceil_mode: int = @ceil_mode> (X) }""",
    "QLinearGlobalAveragePool": "(X, a, b, c, d) => (Y) { Y = GlobalAveragePool (X) }",
    "QLinearAdd": "(A, a, b, B, c, d, e, f) => (C) { C = Add (A, B) }",
    "QLinearMul": "(A, a, b, B, c, d, e, f) => (C) { C = Mul (A, B) }",
    **dict.fromkeys(
        (
            *("QLinearLeakyRelu", "QLinearSigmoid", "QLinearSoftmax", "QuantizeLinear", "DequantizeLinear"),
            *("BiasGelu", "FastGelu", "Gelu", "QuickGelu"),
        ),
        "(X, a, b, c, d) => (Y) { Y = Identity (X) }",
    ),
}
STAND_IN_DOMAIN = "com.microsoft"


def with_sizes(model: "onnx.ModelProto") -> "onnx.ModelProto":
    """The model without its weights, with known sizes, and with the bodies of its functions in place of their calls.

    Takes the weights from the model that it is given.  Functions that would become too many nodes remain functions; a
    model whose sizes take too long, or too much memory, keeps those that it states.
    """
    import onnx

    _drop_weights(model)
    functions = [] if _fits(model) else list(model.functions)
    sent = onnx.ModelProto()
    sent.CopyFrom(model)
    if functions:
        del sent.functions[:]
    sent.functions.extend(_stand_ins(sent))
    try:
        done = subprocess.run(
            [sys.executable, "-c", CHILD],
            cwd=TOP,
            input=sent.SerializeToString(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=2 * SECONDS,
            check=True,
        )
    except subprocess.SubprocessError:
        return model
    result: onnx.ModelProto = onnx.ModelProto.FromString(done.stdout)
    del result.functions[:]
    result.functions.extend(functions)
    return result


def infer() -> None:
    """Add the sizes of all tensors to the model on standard input, and write it to standard output."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    if sys.platform != "darwin":  # which cannot lower it
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    import onnx
    import onnx.inliner

    model = onnx.ModelProto.FromString(sys.stdin.buffer.read())
    stand_ins = [(STAND_IN_DOMAIN, name) for name in STAND_INS]
    model = onnx.inliner.inline_selected_functions(model, stand_ins, exclude=True)
    sys.stdout.buffer.write(onnx.shape_inference.infer_shapes(model, data_prop=True).SerializeToString())


def subgraphs(node: "onnx.NodeProto") -> Iterator[tuple[str, "onnx.GraphProto"]]:
    """The graphs in a node's attributes, such as the branches of an If, with the attributes' names."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.name, attribute.g
        for graph in attribute.graphs:
            yield attribute.name, graph


def _nodes(nodes: Iterable["onnx.NodeProto"]) -> Iterator["onnx.NodeProto"]:
    """Nodes, and those of their subgraphs."""
    for node in nodes:
        yield node
        for _, graph in subgraphs(node):
            yield from _nodes(graph.node)


def _drop_weights(model: "onnx.ModelProto") -> None:
    """Leave only the sizes of large tensors, and of those in other files."""
    graphs = [model.graph]
    for node in chain(_nodes(model.graph.node), *(_nodes(function.node) for function in model.functions)):
        graphs += [graph for _, graph in subgraphs(node)]
        for attribute in node.attribute:
            if attribute.HasField("t"):
                _drop_data(attribute.t)
    for graph in graphs:
        for tensor in graph.initializer:
            _drop_data(tensor)


def _drop_data(tensor: "onnx.TensorProto") -> None:
    large = len(tensor.dims) > MOST_AXES or prod(tensor.dims) > MOST_ELEMENTS
    if large or tensor.data_location == tensor.EXTERNAL:
        for field in DATA_FIELDS:
            tensor.ClearField(field)


def _fits(model: "onnx.ModelProto") -> bool:
    """Whether the bodies of all functions can stand in place of their calls."""
    bodies: dict[Id, Counter[Id]] = {
        (function.domain, function.name): Counter((node.domain, node.op_type) for node in _nodes(function.node))
        for function in model.functions
    }
    sizes = Counter[Id]()
    try:
        for name in TopologicalSorter(bodies).static_order():
            calls = bodies.get(name, Counter())
            sizes[name] = sum(count * (sizes[called] if called in bodies else 1) for called, count in calls.items())
    except CycleError:
        return False
    main = ((node.domain, node.op_type) for node in _nodes(model.graph.node))
    return sum(sizes[name] if name in bodies else 1 for name in main) <= MOST_NODES


def _stand_ins(model: "onnx.ModelProto") -> Iterator["onnx.FunctionProto"]:
    """The stand-ins for those of their operators that a model uses."""
    import onnx.parser

    own = {(function.domain, function.name) for function in model.functions}
    used, unlike = set[str](), set[str]()
    for node in chain(_nodes(model.graph.node), *(_nodes(function.node) for function in model.functions)):
        if node.domain == STAND_IN_DOMAIN and node.op_type in STAND_INS:
            used.add(node.op_type)
            if any(attribute.name == "channels_last" and attribute.i for attribute in node.attribute):
                unlike.add(node.op_type)
    for name in sorted(used - unlike):
        if (STAND_IN_DOMAIN, name) not in own:
            head = f'<domain: "{STAND_IN_DOMAIN}", opset_import: ["": 21]>'
            yield onnx.parser.parse_function(f"{head} {name} {STAND_INS[name]}")
