"""Files of ONNX models: their convolutions and poolings, with the sizes that the model gives."""

import re
import stat
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from scripts.errors import FigureError, ToolError, UserError
from scripts.notation.inference import subgraphs, with_sizes
from scripts.notation.onnx import CHANNELS_LAST, onnx_operator, reason_against
from scripts.notation.signature import NamedLayer
from scripts.notation.sizes import expanded

if TYPE_CHECKING:
    import onnx

# The limit of a protocol buffer.
MOST_BYTES = 2**31 - 1
LONGEST_NAME = 120
MOST_LAYERS = 10_000
# Batch, channels and three spatial axes.
MOST_AXES = 5
# The place of the weights among an operator's inputs.
WEIGHTS = {"Conv": 1, "ConvTranspose": 1, "ConvInteger": 1, "FusedConv": 1, "QLinearConv": 3, "DeformConv": 1}

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class ModelLayer:
    """A node of a model, with None for sizes that the model leaves open.

    `input_size` and `output_size` are without batch and channels; `channels` are a convolution's (in, out).
    `reason` says why it cannot be drawn, if its operator cannot be.
    """

    name: str
    op_type: str
    attributes: dict[str, Any]
    input_size: Shape | None
    channels: tuple[int, int] | None
    output_size: Shape | None = None
    reason: str = ""

    def named(self, input_size: tuple[int, ...] | None = None) -> NamedLayer:
        """The keys of its figure, with another size of its input if one is given; raises `UserError`."""
        if self.reason:
            raise UserError(f"{self.name}: {self.op_type} cannot be drawn: {self.reason}.")
        try:
            found = onnx_operator(self.op_type, self.attributes, self._size(input_size), self.channels)
        except UserError as error:
            raise UserError(f"{self.name}: {error}") from None
        return replace(found, name=_file_name(self.name) or found.name)

    @property
    def is_open(self) -> bool:
        """Whether the model leaves the size of its input open."""
        return not self.input_size or None in self.input_size

    def _size(self, given: tuple[int, ...] | None) -> tuple[int, ...]:
        known = self.input_size or ()
        if given is None:
            if self.is_open:
                raise UserError("the model leaves the size of its input open. Give one, as in INPUT=5x7.")
            return tuple(number for number in known if number is not None)
        return expanded(given, len(known)) if known else given


@dataclass(frozen=True)
class ModelNode:
    """A node of a model's graph.

    `inputs` and `outputs` are the names of tensors, without constants; `input_shapes` are those of all of its inputs,
    with batch and channels and None for what is unknown, and `lists` the content of those that are short lists of
    numbers.  `weights` has the number of elements of its constants by their names.  `layer` is its layer, if it is one.
    """

    name: str
    op_type: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    input_shapes: tuple[Shape | None, ...]
    output_shape: Shape | None
    weights: Mapping[str, int]
    attributes: Mapping[str, Any]
    layer: ModelLayer | None
    lists: tuple[Shape | None, ...]


class Scope(NamedTuple):
    """What is known of the tensors of a graph and of those around it: shapes, and the content of small lists."""

    shapes: ChainMap[str, Shape]
    lists: ChainMap[str, Shape]

    def inner(self, graph: "onnx.GraphProto") -> "Scope":
        """The scope of a graph inside this one."""
        shapes, lists = dict(_shapes(graph)), dict(_lists(graph))
        return Scope(self.shapes.new_child(shapes), self.lists.new_child(lists))


def layers(file: Path) -> list[ModelLayer]:
    """The convolutions and poolings of a model, its subgraphs and its functions, in order.

    No file that the model names is opened, and nothing of the model is run.  Raises `FigureError` if the file is not a
    valid model, `ToolError` if the library that reads models is not installed.
    """
    with _reading(file):
        found = list(islice(_model_layers(with_sizes(_loaded(file))), MOST_LAYERS + 1))
    if len(found) > MOST_LAYERS:
        raise FigureError(file, f"has more than {MOST_LAYERS} convolutions and poolings. Export a part of it.")
    return found


def nodes(file: Path, input_size: tuple[int, ...] | None = None) -> list[ModelNode]:
    """All nodes of a model's main graph in order, its functions written out; like `layers` otherwise.

    `input_size` is that of the model's first input, with batch and channels; without it, a model that leaves its batch
    open has a batch of one.  Layers in the subgraphs of a node are nodes without inputs and outputs.
    """
    with _reading(file):
        model = _loaded(file)
        if len(model.graph.node) > MOST_LAYERS:
            raise FigureError(file, f"has more than {MOST_LAYERS} nodes. Export a part of it.")
        _set_input(file, model.graph, input_size)
        return list(_nodes(with_sizes(model)))


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    """Turn the errors of reading a model into `FigureError`, and that of a missing library into `ToolError`."""
    try:
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise ToolError(
            "Models are read by the package onnx, which is not installed. Run: python3 -m scripts.setup onnx"
        ) from error
    try:
        yield
    except OSError as error:
        raise FigureError(file, f"cannot be read: {error.strerror}. Name an ONNX model.") from None
    except (DecodeError, ValueError) as error:
        reason = (str(error).splitlines() or [""])[0]
        raise FigureError(file, f"is not a valid ONNX model ({reason}). Export the model again.") from None


def _loaded(file: Path) -> "onnx.ModelProto":
    try:
        import onnx  # slow to import, and only needed here
    except ImportError as error:
        raise ToolError(
            "Models are read by the package onnx, which is not installed. Run: python3 -m scripts.setup onnx"
        ) from error
    if not stat.S_ISREG(file.stat().st_mode):
        raise FigureError(file, "is not a file. Name an ONNX model.")
    if file.stat().st_size > MOST_BYTES:
        raise FigureError(file, "is larger than 2 GB. Save the model with its weights as external data.")
    model = onnx.load(file, format="protobuf", load_external_data=False)
    if not model.graph.node:
        raise FigureError(file, "is not an ONNX model: it has no nodes. Export the model again.")
    return model


def _set_input(file: Path, graph: "onnx.GraphProto", size: tuple[int, ...] | None) -> None:
    """Give the first input its size, or only a batch of one if none is given and the batch is open."""
    constants = {tensor.name for tensor in graph.initializer}
    first = next((value for value in graph.input if value.name not in constants), None)
    if first is None:
        return
    dimensions = first.type.tensor_type.shape.dim
    if size is None:
        if dimensions and dimensions[0].dim_value < 1:
            dimensions[0].dim_value = 1
        return
    if len(size) != len(dimensions):
        counts = f"has {len(size)} numbers, and the model's input {len(dimensions)}"
        raise FigureError(file, f"INPUT {counts}. Give them all, with batch and channels, as in INPUT=1x3x224x224.")
    for dimension, number in zip(dimensions, size, strict=True):
        dimension.dim_value = number
    # What the model states for open sizes would contradict it.
    del graph.value_info[:]
    for value in graph.output:
        value.type.tensor_type.ClearField("shape")


def _nodes(model: "onnx.ModelProto") -> Iterator[ModelNode]:
    scope = Scope(ChainMap(), ChainMap()).inner(model.graph)
    constants = {tensor.name: prod(tensor.dims) for tensor in model.graph.initializer if _is_weight(tensor)}
    known = {tensor.name for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant" and node.output:
            known.add(node.output[0])
            tensors = [attribute.t for attribute in node.attribute if attribute.HasField("t")]
            count = sum(prod(tensor.dims) for tensor in tensors if _is_weight(tensor))
            constants |= dict.fromkeys(node.output[:1], count)
    for position, node in enumerate(model.graph.node):
        if node.op_type == "Constant":
            continue
        name = _printable(node.name) or f"{_printable(node.op_type)}_{position}"
        reason = reason_against(node.op_type, node.domain)
        attributes = _attributes(node)
        yield ModelNode(
            name,
            _printable(node.op_type),
            tuple(tensor for tensor in node.input if tensor and tensor not in known),
            tuple(node.output),
            tuple(scope.shapes.get(tensor) for tensor in node.input),
            scope.shapes.get(node.output[0]) if node.output else None,
            {tensor: constants[tensor] for tensor in node.input if tensor in constants},
            attributes,
            None if reason is None else _layer(node, name, _printable(node.op_type), scope, reason),
            tuple(scope.lists.get(tensor) for tensor in node.input),
        )
        for key, graph in subgraphs(node):
            for inner in _layers(graph.node, scope.inner(graph), f"{name}/{_printable(key)}/"):
                yield ModelNode(inner.name, inner.op_type, (), (), (), None, {}, {}, inner, ())


def _is_weight(tensor: "onnx.TensorProto") -> bool:
    """Whether a tensor may hold weights, rather than sizes and indices."""
    return tensor.data_type not in (tensor.INT64, tensor.BOOL, tensor.STRING)


def _model_layers(model: "onnx.ModelProto") -> Iterator[ModelLayer]:
    outside = Scope(ChainMap(), ChainMap())
    yield from _layers(model.graph.node, outside.inner(model.graph))
    for function in model.functions:
        yield from _layers(function.node, outside, f"{_printable(function.name)}/")


def _layers(nodes: Iterable["onnx.NodeProto"], scope: Scope, within: str = "") -> Iterator[ModelLayer]:
    """The layers among some nodes; `within` is the name of their function or subgraph."""
    for position, node in enumerate(nodes):
        op_type = _printable(node.op_type)
        name = _printable(node.name) or f"{within}{op_type}_{position}"
        reason = reason_against(node.op_type, node.domain)
        if reason is not None:
            yield _layer(node, name, op_type, scope, reason)
        for key, graph in subgraphs(node):
            yield from _layers(graph.node, scope.inner(graph), f"{name}/{_printable(key)}/")


def _shapes(graph: "onnx.GraphProto") -> Iterator[tuple[str, Shape]]:
    """The known shapes of a graph's tensors with no more axes than a layer has."""
    for value in (*graph.value_info, *graph.input, *graph.output):
        shape = value.type.tensor_type.shape
        if value.type.tensor_type.HasField("shape") and len(shape.dim) <= MOST_AXES:
            sizes = (dimension.dim_value for dimension in shape.dim)
            yield value.name, tuple(size if size > 0 else None for size in sizes)
    for weights in graph.initializer:
        if len(weights.dims) <= MOST_AXES:
            yield weights.name, tuple(weights.dims)


def _lists(graph: "onnx.GraphProto") -> Iterator[tuple[str, Shape]]:
    """The lists of whole numbers, no more than both sides of all axes of a layer, that a graph has as constants."""
    import onnx

    constants = [(tensor.name, tensor) for tensor in graph.initializer]
    for node in graph.node:
        if node.op_type == "Constant" and node.output:
            constants += [(node.output[0], attribute.t) for attribute in node.attribute if attribute.HasField("t")]
    for name, tensor in constants:
        if tensor.data_type == tensor.INT64 and len(tensor.dims) == 1 and 0 < tensor.dims[0] <= 2 * MOST_AXES:
            numbers = onnx.numpy_helper.to_array(tensor).tolist()
            yield name, tuple(number if number > 0 else None for number in numbers)


def _layer(node: "onnx.NodeProto", name: str, op_type: str, scope: Scope, reason: str) -> ModelLayer:
    attributes = _attributes(node)
    if any(attribute.ref_attr_name for attribute in node.attribute):
        reason = reason or "its attributes come from the call of its function"
    sizes = slice(1, -1) if op_type in CHANNELS_LAST or attributes.get("channels_last") == 1 else slice(2, None)
    operands = [scope.shapes.get(tensor) for tensor in node.input]
    place = WEIGHTS.get(op_type, len(operands))
    weights = operands[place] if place < len(operands) else None
    groups, channels = attributes.get("group", 1), None
    if weights is not None and len(weights) > 2 and isinstance(groups, int) and groups >= 1:
        first, second, *kernel = (size or 0 for size in weights)
        if all(kernel):
            attributes.setdefault("kernel_shape", kernel)
        if first and second:
            channels = (first, second * groups) if op_type == "ConvTranspose" else (second * groups, first)
    output = scope.shapes.get(node.output[0]) if node.output else None
    if op_type == "MaxUnpool" and len(node.input) > 2 and node.input[2]:
        output = scope.lists.get(node.input[2], output)
        if output is None or None in output[2:]:
            reason = reason or "the size of its output is the result of other nodes"
        else:
            attributes["output_shape"] = list(output[2:])
    return ModelLayer(
        name=name,
        op_type=op_type,
        attributes=attributes,
        input_size=operands[0][sizes] if operands and operands[0] is not None else None,
        channels=channels,
        output_size=None if output is None else output[sizes],
        reason=reason,
    )


def _attributes(node: "onnx.NodeProto") -> dict[str, Any]:
    import onnx

    attributes = {}
    for attribute in node.attribute:
        if not attribute.ref_attr_name:
            value = onnx.helper.get_attribute_value(attribute)
            attributes[_text(attribute.name)] = _text(value) if isinstance(value, bytes) else value
    return attributes


def _text(value: str | bytes) -> str:
    """A string of a model, which the library returns as bytes if it is not UTF-8."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _printable(value: str | bytes) -> str:
    """The beginning of a name of a model."""
    return "".join(c if c.isprintable() else "?" for c in _text(value)[:LONGEST_NAME])


def _file_name(name: str) -> str:
    """A node's name with only the characters of a file's name."""
    return re.sub("[^a-z0-9]+", "_", name.lower()).strip("_")
