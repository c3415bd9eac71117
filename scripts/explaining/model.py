"""The steps of an ONNX model: its layers with their costs, and what its other nodes do to sizes and fields."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import prod
from pathlib import Path

from scripts.core.cost import Cost, cost
from scripts.core.figures import layer_of
from scripts.core.keys import check
from scripts.core.layers import Index
from scripts.core.receptive import Reach
from scripts.errors import UserError
from scripts.explaining.description import Warned
from scripts.explaining.network import Step, checked, joined_sizes, reaches_of
from scripts.notation.frameworks import one_line
from scripts.notation.model_file import ModelNode, Shape, nodes

# Nodes that act on each element, or each channel, alone.
ELEMENTWISE = {
    *("Abs", "BatchNormalization", "Cast", "Celu", "Clip", "DequantizeLinear", "Dropout", "Elu", "Erf", "Exp", "Gelu"),
    *("HardSigmoid", "HardSwish", "Identity", "LRN", "LeakyRelu", "Log", "Mish", "Neg", "PRelu", "QuantizeLinear"),
    *("Relu", "Selu", "Sigmoid", "Softplus", "Softsign", "Sqrt", "Swish", "Tanh", "ThresholdedRelu"),
}
JOINS = {"Add", "Concat", "Div", "Max", "Mean", "Min", "Mul", "Pow", "QLinearAdd", "QLinearMul", "Sub", "Sum", "Where"}
# Nodes whose every element sees all of the map.
WHOLE_MAP = {
    *("Flatten", "Gemm", "GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool", "InstanceNormalization", "MatMul"),
    *("LayerNormalization", "LogSoftmax", "ReduceMax", "ReduceMean", "ReduceSum", "Softmax"),
}
# Nodes that are no layer but in the table of a book: those that join maps, change their size or have weights.
LISTED = JOINS | {"DepthToSpace", "Gemm", "MatMul", "Pad", "Resize", "SpaceToDepth", "Upsample"}


def model_steps(file: Path, input_size: tuple[int, ...] | None = None) -> tuple[list[Step], list[Warned], list[str]]:
    """The steps of a model, warnings about its joins, and the names of its inputs; raises `UserError`."""
    steps, warnings, made, used = list[Step](), list[Warned](), set[str](), dict[str, None]()
    counted = set[str]()
    for node in nodes(file, input_size):
        if node.op_type in JOINS and len(node.inputs) > 1:
            shapes = [_inner(shape) for shape in _moving(node)]
            axis = node.attributes.get("axis") if "Concat" in node.op_type else None
            rank = len(node.output_shape or ())
            place = axis % rank - 1 if isinstance(axis, int) and rank else None
            if (warning := joined_sizes(node.name, shapes, place)) is not None:
                warnings.append(warning)
        steps.append(_step(node, counted))
        used |= dict.fromkeys(one for one in node.inputs if one not in made)
        made |= set(node.outputs)
    return steps, warnings, list(used)


def _moving(node: ModelNode) -> Iterator[Shape | None]:
    """The shapes of the inputs that are no constants."""
    if len(node.inputs) == len(node.input_shapes):
        yield from node.input_shapes


def _inner(shape: Shape | None) -> Index | None:
    """A shape without its batch; None if some of it is open."""
    if shape is None or len(shape) < 2:
        return None
    sizes = tuple(size for size in shape[1:] if size is not None)
    return sizes if len(sizes) == len(shape) - 1 else None


def _step(node: ModelNode, counted: set[str]) -> Step:
    """A node as a step; weights that earlier ones have `counted` are shared, and not counted again."""
    # The last two constants of a batch normalisation are averages, which are not learnt.
    learnt = dict(list(node.weights.items())[: 2 if node.op_type == "BatchNormalization" else None])
    own = {name: count for name, count in learnt.items() if name not in counted}
    counted |= own.keys()
    output_shape = _inner(node.output_shape)
    activations = prod(output_shape) if output_shape is not None else 0
    plain = Step(
        node.name,
        node.op_type,
        node.inputs,
        node.outputs[0] if node.outputs else node.name,
        output_shape,
        Cost(weights=sum(own.values()), multiply_adds=_products(node), activations=activations),
        _reaches(node),
        is_listed=node.op_type in LISTED,
    )
    if node.layer is None:
        return plain
    plain = replace(plain, is_listed=True)
    if not node.layer.reason and node.layer.is_open:
        problem = "the size of its input is unknown; give the model's, as in INPUT=1x3x224x224, or see the warnings."
        return replace(plain, reaches="unknown", problem=problem)
    try:
        found = node.layer.named()
        layer = layer_of(check({"title": "Layer", **found.keys}, node.name))
    except UserError as error:
        problem = str(error).removeprefix(f"{node.name}: ")
        return replace(plain, reaches="unknown", problem=problem)
    if problem := checked(layer):
        return replace(plain, reaches="unknown", problem=problem)
    channels = output_shape[0] if output_shape is not None and len(output_shape) > len(layer.axes) else 1
    biases = sum(count for name, count in own.items() if count != _largest(own))
    priced = cost(layer, channels)
    weights = priced.weights if own else 0
    return replace(
        plain,
        output_shape=output_shape or layer.output_shape,
        cost=replace(priced, weights=weights, biases=biases if layer.weighted else 0),
        reaches=reaches_of(layer),
        layer=layer,
        source=one_line(layer),
        keys=found.keys,
    )


def _largest(counts: dict[str, int]) -> int:
    return max(counts.values(), default=0)


def _products(node: ModelNode) -> int:
    """The multiply-adds of a matrix product: those of each output element are as many as a row has."""
    output = _inner(node.output_shape)
    if node.op_type not in ("Gemm", "MatMul") or output is None or not node.input_shapes or not node.input_shapes[0]:
        return 0
    *_, rows, columns = (1, *node.input_shapes[0])
    return prod(output) * ((rows if node.attributes.get("transA") else columns) or 0)


def _reaches(node: ModelNode) -> tuple[Reach, ...] | str:
    """What a node does to the receptive field, but for layers."""
    if node.op_type in ELEMENTWISE or node.op_type in JOINS:
        return ()
    if node.op_type in WHOLE_MAP:
        return "whole"
    if node.op_type in ("Resize", "Upsample"):
        return _enlarged(node)
    if node.op_type == "Pad" and len(node.lists) > 1 and node.lists[1] is not None:
        pads = node.lists[1]
        before = pads[2 : len(pads) // 2]
        return tuple(Reach(1, side or 0, 0) for side in before)
    return "unknown"


def _enlarged(node: ModelNode) -> tuple[Reach, ...] | str:
    """The reach of an enlargement by whole factors; elements may be mixed with their neighbours."""
    before, after = node.input_shapes[0] if node.input_shapes else None, node.output_shape
    if before is None or after is None or len(before) != len(after):
        return "unknown"
    reaches = []
    for small, large in zip(before[2:], after[2:], strict=True):
        if not small or not large or large % small:
            return "unknown"
        factor = large // small
        # Nearest takes one element, linear two.
        width = 1 if node.attributes.get("mode", "nearest") == "nearest" else 2
        reaches.append(Reach(1, width * factor - 1, width * factor - 1, factor))
    return tuple(reaches)


def axes_of_model(steps: Sequence[Step]) -> int:
    """The number of axes of a model's layers; two if it has none."""
    return next((len(step.layer.axes) for step in steps if step.layer is not None), 2)
