"""The values of a figure: nested lists of numbers checked, taken from another figure, or random."""

from typing import Any

import numpy as np

from scripts.core.keys import FigureFile, shown
from scripts.core.layers import Index, Layer, Values
from scripts.core.operations import random_input
from scripts.errors import LayerError

# Three axes, and a kernel's two axes of channels.
MOST_LEVELS = 5
MOST_VALUE = 1_000_000

# The values of a layer's input, and those of its operand.
InputAndOperand = tuple[Values | None, Values | None]


def values_of(content: FigureFile, layer: Layer, inherited: InputAndOperand = (None, None)) -> InputAndOperand:
    """Values of a layer's input and of its operand: those given, else those `inherited`, else random if asked for.

    Raises `LayerError`.
    """
    operand = layer.operation.operand
    values = given("input_values", content.input_values, layer.input_shape)
    second = None if operand is None else given(operand.key, getattr(content, operand.key), operand.shape(layer))
    values = inherited[0] if values is None else values
    # An inherited operand without an input does not give a figure values.
    if second is None and (values is not None or content.values):
        second = inherited[1]
    if content.values == "random":
        # NumPy keeps this generator's numbers the same in all of its versions.
        random = np.random.RandomState(content.seed)
        if operand is not None:
            values, second = operand.random(layer, random, values, second)
        elif values is None:
            values = random_input(layer, random)
    if operand is not None:
        if (values is None) != (second is None):
            missing = operand.key if second is None else "input_values"
            both = f"{layer.operation.words.capitalize()} needs both input_values and {operand.key}, or neither"
            raise LayerError(missing, "is missing", both)
        if operand.check is not None and values is not None and second is not None:
            operand.check(layer, values, second)
    return values, second


def given(key: str, values: list[Any] | None, shape: Index) -> Values | None:
    """The values under a key, which have to be of a shape; raises `LayerError`."""
    if values is None:
        return None
    found = array(key, values)
    if found.shape != shape:
        raise LayerError(key, f"has the shape {list(found.shape)}", f"The layer's is {list(shape)}")
    return found


def array(key: str, values: list[Any]) -> Values:
    """The nested lists of numbers under a key as an array; raises `LayerError` with the place of an error in them."""
    if not values:
        raise LayerError(key, "is empty", "Give nested lists of numbers, or leave it out")
    _check_nesting(key, values, ())
    return np.array(values)


def _check_nesting(key: str, value: object, place: Index) -> Index:
    """The shape of nested lists of numbers; raises `LayerError`."""
    if not isinstance(value, list):
        if isinstance(value, bool) or not isinstance(value, int | float) or not -MOST_VALUE <= value <= MOST_VALUE:
            rule = f"holds {shown(value)} at {_at(place)}"
            raise LayerError(key, rule, f"Give nested lists of numbers from {-MOST_VALUE} to {MOST_VALUE}")
        return ()
    if len(place) == MOST_LEVELS:
        raise LayerError(key, f"is nested more than {MOST_LEVELS} deep", "Give one level per axis")
    if not value:
        raise LayerError(key, f"has an empty list at {_at(place)}", "Give nested lists of numbers")
    shapes = [_check_nesting(key, inner, (*place, index)) for index, inner in enumerate(value)]
    for index, shape in enumerate(shapes):
        if bool(shape) != bool(shapes[0]):
            raise LayerError(key, f"mixes numbers and lists at {_at((*place, index))}", "Give one level per axis")
        if shape != shapes[0]:
            rule = f"its rows differ in length at {_at((*place, index))}"
            raise LayerError(key, rule, "Give nested lists of one shape")
    return (len(value), *shapes[0])


def _at(place: Index) -> str:
    return "".join(f"[{index}]" for index in place)
