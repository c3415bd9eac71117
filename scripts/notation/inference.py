"""The sizes of an ONNX model's tensors, worked out by the library in a process of bounded time and memory.

A model comes from strangers: a small file can describe functions that call each other billions of times, or a tensor
of sizes that fills all memory.
"""

import os
import resource
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.errors import ToolError
from scripts.processes import workers

if TYPE_CHECKING:
    import onnx

MOST_SECONDS = 20
# In addition to what the process has.
MOST_MEMORY = 2**28
# With the bodies of functions in place of their calls.
MOST_NODES = 100_000
# A tensor with more elements holds weights; one of sizes has fewer.
MOST_AXES, MOST_ELEMENTS = 8, 1024

DATA_FIELDS = (
    *("raw_data", "float_data", "int32_data", "int64_data", "uint64_data", "double_data"),
    *("external_data", "data_location"),
)

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
    sent, functions = onnx.ModelProto(), list[onnx.FunctionProto]()
    sent.CopyFrom(model)
    if not _fits(model):
        functions.extend(model.functions)
        del sent.functions[:]
    try:
        with workers(1) as pool:
            answer = pool.submit(_inferred, sent.SerializeToString()).result()
    except (ToolError, MemoryError):
        answer = b""
    if not answer:
        return model
    result: onnx.ModelProto = onnx.ModelProto.FromString(answer)
    result.functions.extend(functions)
    return result


def _inferred(data: bytes) -> bytes:
    """A model with its functions written out and its sizes inferred; empty if it has errors."""
    import onnx.inliner
    from onnx.checker import ValidationError
    from onnx.shape_inference import InferenceError

    # Where memory ends, a message of the C++ library would be printed.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    statistics = Path("/proc/self/statm")
    if statistics.exists():  # only Linux limits memory in this way
        taken = int(statistics.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + MOST_MEMORY, taken + MOST_MEMORY))
    model = onnx.ModelProto.FromString(data)
    with suppress(RuntimeError):  # of functions for different versions of ONNX
        model = onnx.inliner.inline_local_functions(model)
    functions = list(model.functions)
    model.functions.extend(_stand_ins(model))
    try:
        model = onnx.shape_inference.infer_shapes(model, data_prop=True)
        del model.functions[:]
        model.functions.extend(functions)
        return bytes(model.SerializeToString())
    except (InferenceError, ValidationError, RuntimeError):
        return b""


def subgraphs(node: "onnx.NodeProto") -> Iterator[tuple[str, "onnx.GraphProto"]]:
    """The graphs in a node's attributes, such as the branches of an If, with the attributes' names."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.name, attribute.g
        for graph in attribute.graphs:
            yield attribute.name, graph


def _nodes(nodes: Iterable["onnx.NodeProto"]) -> Iterator["onnx.NodeProto"]:
    """Nodes and those of their subgraphs, in any order."""
    pending = list(nodes)
    while pending:
        node = pending.pop()
        yield node
        pending += (inner for _, graph in subgraphs(node) for inner in graph.node)


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
    for node in _nodes(model.graph.node):
        if node.domain == STAND_IN_DOMAIN and (node.domain, node.op_type) not in own:
            used.add(node.op_type)
            if any(attribute.name == "channels_last" and attribute.i for attribute in node.attribute):
                unlike.add(node.op_type)
    version = max((opset.version for opset in model.opset_import if opset.domain in ("", "ai.onnx")), default=1)
    for name in sorted((used & STAND_INS.keys()) - unlike):
        head = f'<domain: "{STAND_IN_DOMAIN}", opset_import: ["": {version}]>'
        yield onnx.parser.parse_function(f"{head} {name} {STAND_INS[name]}")
