"""The steps of a stack: layers one a line, as in code, among them those that act on elements or flatten."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from scripts.core.cost import Cost, cost
from scripts.core.figures import layer_of
from scripts.core.keys import LayerKeys, check, title_of
from scripts.core.layers import Index
from scripts.errors import LayerError, UserError
from scripts.explaining.network import Step, reaches_of
from scripts.notation.call import Call, parse
from scripts.notation.frameworks import FRAMEWORKS, layer, one_line
from scripts.notation.signature import Keys

MOST_LINES = 1000
# Lines that change neither the size nor what an element sees; those that normalise have two weights per channel.
ELEMENTWISE = {
    *("Activation", "AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "ELU", "GELU", "Hardsigmoid"),
    *("Hardswish", "Identity", "LeakyReLU", "Mish", "PReLU", "ReLU", "ReLU6", "SELU", "SiLU", "Sigmoid", "Softplus"),
    *("SpatialDropout2D", "Tanh"),
}
NORMALISING = {"BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "BatchNormalization"}
# How many features a layer takes and makes, by the names of its arguments in order.
CONNECTED = {"Linear": ("in_features", "out_features"), "LazyLinear": ("out_features",), "Dense": ("units",)}


# Stacks that are drawn whole: as many layers, and elements of their input.
MOST_DRAWN, LONGEST_DRAWN = 12, 40
STACK_VIEW = "receptive_field"


@dataclass(frozen=True)
class Line:
    """A line of a stack's file: its number from 1, and its text without comments."""

    number: int
    text: str


@dataclass(frozen=True)
class Failure:
    """Where a stack breaks: the line, the shape that arrives there, what it expects, and the error.

    `expected` is a number of channels or of features; None if the size is at fault.
    """

    line: Line
    arrived: Index
    expected: int | None
    error: str


def lines_of(text: str) -> list[Line]:
    """The lines that are layers; raises `UserError` for too many."""
    found = [Line(number, line.partition("#")[0].strip()) for number, line in enumerate(text.splitlines(), start=1)]
    kept = [line for line in found if line.text.strip("(), ")]
    if len(kept) > MOST_LINES:
        raise UserError(f"LAYERS: has {len(kept)} layers. A stack has at most {MOST_LINES}.")
    return kept


def trace(lines: Sequence[Line], shape: Index) -> tuple[list[Step], Failure | None]:
    """The steps of a stack over an input of a shape, channels first, up to the line at which it breaks."""
    steps = list[Step]()
    for line in lines:
        made = f"{line.number}"
        before = steps[-1].output if steps else "input"
        arrived = steps[-1].output_shape if steps else shape
        if arrived is None:
            break
        try:
            steps.append(_step(line, before, made, arrived))
        except _MismatchError as error:
            return steps, Failure(line, arrived, error.expected, str(error))
        except UserError as error:
            return steps, Failure(line, arrived, None, str(error))
    return steps, None


class _MismatchError(LayerError):
    """Another number of channels or features than a layer takes."""

    def __init__(self, key: str, expected: int, arrived: int) -> None:
        super().__init__(key, f"is {expected}, and {arrived} arrive", f"Write {arrived}, or change what comes before")
        self.expected = expected


def _step(line: Line, before: str, made: str, shape: Index) -> Step:
    """A line as a step; raises `UserError`."""
    name = f"{line.number}: {line.text}"[:120]
    call = parse(line.text, [framework.as_call for framework in FRAMEWORKS])
    operator = call.name if call is not None else ""
    if operator in ELEMENTWISE or operator in NORMALISING:
        weights = 2 * shape[0] if operator in NORMALISING else 0
        held = Cost(weights=weights, activations=prod(shape))
        return Step(name, operator, (before,), made, shape, held, is_listed=operator in NORMALISING)
    if operator == "Flatten":
        size = prod(shape)
        return Step(name, operator, (before,), made, (size,), Cost(activations=size), "whole")
    if call is not None and operator in CONNECTED:
        return _connected(call, name, before, made, shape)
    found = layer(line.text, (1, *shape))
    read = layer_of(check({"title": "Layer", **found.keys}, line.text))
    output = read.output_shape if read.channels else (shape[0], *read.output_size)
    if len(output) != len(shape):
        raise LayerError("input_size", f"has {len(shape) - 1} axes", f"The layer takes {len(read.axes)}")
    priced = cost(read, shape[0])
    reaches = reaches_of(read)
    return Step(name, operator, (before,), made, output, priced, reaches, read, one_line(read), found.keys)


def _connected(call: Call, name: str, before: str, made: str, shape: Index) -> Step:
    """A fully connected layer, over the last axis of what arrives."""
    names = CONNECTED[call.name]
    given = dict(zip(names, call.positional, strict=False)) | {one.arg or "": one.value for one in call.keywords}
    features = dict[str, int]()
    for key in names:
        value = given.get(key)
        if not isinstance(value, ast.Constant) or not isinstance(value.value, int) or not 1 <= value.value <= 10**9:
            raise LayerError(key, "is missing, or no whole number", f"{call.name} takes {' and '.join(names)}")
        features[key] = value.value
    arrived, outs = shape[-1], features[names[-1]]
    expected = features.get("in_features", arrived)
    if expected != arrived:
        raise _MismatchError("in_features", expected, arrived)
    rows = prod(shape[:-1])
    held = Cost(arrived * outs, outs, rows * arrived * outs, 0, prod(shape), rows * outs)
    return Step(name, call.name, (before,), made, (*shape[:-1], outs), held, "whole")


def stack_keys(steps: Sequence[Step], size: int, source: str) -> Keys | None:
    """The keys of a figure of a stack's layers along the last axis; None if it is too large to be read.

    What follows a layer that sees the whole map is left out.
    """
    layers = list[Keys]()
    for step in steps:
        if step.reaches == "whole":
            break
        if step.layer is not None:
            axis = step.layer.axes[-1]
            keys = {
                "operation": step.layer.operation.name,
                "kernel_size": axis.kernel_size,
                "stride": axis.stride,
                "padding": [axis.padding],
                "dilation": axis.dilation,
                "output_padding": axis.output_padding,
                "ceil_mode": step.layer.ceil_mode,
            }
            fields = LayerKeys.model_fields
            layers.append({key: value for key, value in keys.items() if value not in (fields[key].default, [(0, 0)])})
    if not 1 < len(layers) <= MOST_DRAWN or size > LONGEST_DRAWN:
        return None
    title = title_of(f"What an element sees after {source}", "What an element sees")
    return {"title": title, "view": STACK_VIEW, "input_size": [size], "layers": layers}
