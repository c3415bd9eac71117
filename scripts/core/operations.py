"""The table of operations: what each one does with an axis, with values and with the keys of a figure's file.

To add an operation, write the functions it needs and add its entry to the table at the end.
"""

from dataclasses import dataclass, replace
from functools import partial, reduce
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from scripts.core.arithmetic import (
    AdaptiveAxis,
    DirectAxis,
    LayerAxis,
    UnpoolingAxis,
    adapted,
    direct_axis,
    equivalent_axis,
    reaching,
    transposed_axis,
    transposed_padded,
)
from scripts.core.layers import Channels, Index, Layer, Operand, Operation, Transpose, Values
from scripts.errors import LayerError

# Axes


def _convolution_axis(axis: LayerAxis, layer: Layer) -> DirectAxis:
    return direct_axis(axis, padding_mode=layer.padding_mode)


def _transposed_axis(axis: LayerAxis, _: Layer) -> DirectAxis:
    return equivalent_axis(axis)


def _pooling_axis(axis: LayerAxis, layer: Layer) -> DirectAxis:
    return direct_axis(axis, ceil_mode=layer.ceil_mode)


def _unpooling_axis(axis: LayerAxis, _: Layer) -> UnpoolingAxis:
    return UnpoolingAxis(axis)


def _adaptive_axis(axis: LayerAxis, _: Layer) -> AdaptiveAxis:
    if axis.output_size is None:
        raise LayerError("output_size", "is missing", "Give one number, or one per axis")
    return AdaptiveAxis(axis.input_size, axis.output_size)


# Values


@dataclass(frozen=True)
class _Windows:
    """The contents of all windows, for an input of shape (…, *input_size).

    `values` has the shape (…, *output_size, *kernel_size) and holds anything where there is no input element, as at
    the end of a window that is smaller than the largest; `is_input` and `is_grid` (input or padding) have the shape
    (*output_size, *kernel_size).
    """

    values: Values
    is_input: npt.NDArray[np.bool_]
    is_grid: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, layer: Layer, input_values: Values) -> "_Windows":
        n = len(layer.axes)
        index, is_input, is_grid = list[Values](), list[Values](), list[Values]()
        for place, axis in enumerate(layer.grid):
            cells = [[axis.cells[element.position] for element in window] for window in axis.windows]
            shape = [1] * 2 * n
            shape[place], shape[n + place] = len(cells), max(map(len, cells))
            found = np.full(shape[place::n], -1)
            inside = np.zeros(shape[place::n], dtype=bool)
            for j, row in enumerate(cells):
                found[j, : len(row)] = [-1 if cell.input_index is None else cell.input_index for cell in row]
                inside[j, : len(row)] = [cell.kind != "overhang" for cell in row]
            index.append(found.reshape(shape))
            is_input.append(index[-1] >= 0)
            is_grid.append(inside.reshape(shape))
        held: tuple[Any, ...] = (..., *index)
        values = input_values[held]
        return cls(values, reduce(np.logical_and, is_input), reduce(np.logical_and, is_grid))

    @property
    def elements(self) -> tuple[int, ...]:
        """The axes of the windows' elements."""
        return tuple(range(-self.is_input.ndim // 2, 0))


def _convolved(layer: Layer, input_values: Values, kernel_values: Values | None) -> Values:
    if kernel_values is None:
        raise ValueError(f"{layer.operation.name} needs the values of its kernel")
    channels = layer.channels or Channels(1, 1)
    groups, n = channels.groups, len(layer.axes)
    ins, outs = channels.per_group
    windows = _Windows.of(layer, input_values.reshape(groups, ins, *layer.input_size))
    # Into the shape (groups, outputs, inputs, …) of a direct convolution.
    if layer.transposed:
        kernels = kernel_values.reshape(groups, ins, outs, *layer.kernel_size).swapaxes(1, 2)
        kernels = np.flip(kernels, axis=tuple(range(-n, 0)))
    else:
        kernels = kernel_values.reshape(groups, outs, ins, *layer.kernel_size)
    summed = (1, *range(2, n + 2)), (0, *range(n + 1, 2 * n + 1))
    inputs = np.where(windows.is_input, windows.values, 0)
    output = [np.tensordot(kernel, group, axes=summed) for kernel, group in zip(kernels, inputs, strict=True)]
    return np.stack(output).reshape(layer.output_shape)


def _maximum(layer: Layer, input_values: Values, _: Values | None) -> Values:
    windows = _Windows.of(layer, input_values)
    values = windows.values
    if not windows.is_input.any(axis=windows.elements).all():
        values = values.astype(np.float64)
    lowest = -np.inf if values.dtype.kind == "f" else np.iinfo(values.dtype).min
    return np.asarray(np.where(windows.is_input, values, lowest).max(axis=windows.elements))


def _average(layer: Layer, input_values: Values, _: Values | None) -> Values:
    windows = _Windows.of(layer, input_values)
    counted = windows.is_grid if layer.count_include_pad else windows.is_input
    sums = np.where(windows.is_input, windows.values, 0).sum(axis=windows.elements)
    return np.asarray(sums / np.maximum(counted.sum(axis=windows.elements), 1))


def _norm(layer: Layer, input_values: Values, _: Values | None) -> Values:
    windows = _Windows.of(layer, input_values.astype(np.float64))
    powers = np.abs(np.where(windows.is_input, windows.values, 0)) ** layer.norm
    return np.asarray(powers.sum(axis=windows.elements) ** (1 / layer.norm))


def _unpooled(layer: Layer, input_values: Values, indices: Values | None) -> Values:
    if indices is None:
        raise ValueError(f"{layer.operation.name} needs indices")
    output = np.zeros(layer.output_shape, dtype=input_values.dtype)
    output.flat[indices.ravel()] = input_values.ravel()
    return output


# Operands


def random_input(layer: Layer, random: np.random.RandomState) -> Values:
    """Random values of a layer's input: small integers."""
    return random.randint(0, 6, layer.input_shape)


def _random_kernel(
    layer: Layer, random: np.random.RandomState, values: Values | None, kernel: Values | None
) -> tuple[Values, Values]:
    values = random_input(layer, random) if values is None else values
    return values, random.randint(-2, 3, layer.kernel_shape) if kernel is None else kernel


def _random_indices(
    layer: Layer, random: np.random.RandomState, values: Values | None, indices: Values | None
) -> tuple[Values, Values | None]:
    """The maxima that a pooling of random values has, and their places."""
    if values is not None or indices is not None:
        return random_input(layer, random) if values is None else values, indices
    pooled = random.randint(0, 6, layer.output_shape).ravel()
    order = random.permutation(pooled.size)
    indices = np.zeros(layer.input_shape, dtype=int)
    for index, places in _covered_places(layer).items():
        indices[index] = max(places, key=order.__getitem__)
    return pooled[indices], indices


def _covered_places(layer: Layer) -> dict[Index, list[int]]:
    """For each input element of an unpooling, the places in the flattened output that its window covers."""
    covered: dict[Index, list[int]] = {}
    for place, windows in enumerate(product(*(axis.windows for axis in layer.grid))):
        for elements in product(*windows):
            covered.setdefault(tuple(element.position for element in elements), []).append(place)
    return covered


def _check_indices(layer: Layer, values: Values, indices: Values) -> None:
    if indices.dtype.kind != "i":
        raise LayerError("indices", "holds something else than whole numbers", "Give places in the flattened output")
    covered, taken = _covered_places(layer), dict[int, Any]()
    for index, place in np.ndenumerate(indices):
        value = values[index].item()
        if place not in covered[index]:
            raise LayerError(
                "indices",
                f"puts element {list(index)} at {place}",
                f"Its window holds {', '.join(map(str, covered[index]))} of the flattened output",
            )
        if taken.setdefault(place, value) != value:
            raise LayerError("indices", f"puts {taken[place]} and {value} at {place}", "One place takes one value")


def _kernel_shape(layer: Layer) -> Index:
    return layer.kernel_shape


def _input_shape(layer: Layer) -> Index:
    return layer.input_shape


KERNEL = Operand("kernel_values", _kernel_shape, _random_kernel)
INDICES = Operand("indices", _input_shape, _random_indices, _check_indices)

# Transposes


def _transposed_convolution(layer: Layer) -> Layer:
    channels = layer.channels
    if channels is not None:
        channels = Channels(channels.out_channels, channels.in_channels, channels.groups)
    return Layer(OPERATIONS["transposed_convolution"], tuple(map(transposed_axis, layer.axes)), channels)


def _convolution_kernel(
    _: Layer, _input_values: Values, kernel: Values | None, _output_values: Values
) -> tuple[None, Values]:
    if kernel is None:
        raise ValueError("a convolution with values has those of its kernel")
    return None, kernel


def _max_unpooling(layer: Layer) -> Layer:
    unpooling = OPERATIONS["max_unpooling"]
    sizes = zip(layer.axes, layer.output_size, strict=True)
    axes = (unpooling.reaching(replace(axis, input_size=size), axis.input_size) for axis, size in sizes)
    return Layer(unpooling, tuple(axes))


def _maxima(layer: Layer, input_values: Values, _: Values | None, output_values: Values) -> tuple[Values, Values]:
    """A max pooling's output, and the places in the flattened input that it comes from; the first of equal ones."""
    windows = _Windows.of(layer, input_values)
    places = _Windows.of(layer, np.arange(input_values.size).reshape(layer.input_size)).values
    shape = (*layer.output_size, -1)
    first = np.where(windows.is_input, windows.values, -np.inf).reshape(shape).argmax(axis=-1, keepdims=True)
    return output_values, np.take_along_axis(places.reshape(shape), first, axis=-1).reshape(layer.output_size)


# The table

WINDOW_KEYS = frozenset(("kernel_size", "stride", "padding"))
CONVOLUTION_KEYS = WINDOW_KEYS | {
    *("dilation", "kernel_values", "output_gradient", "in_channels", "out_channels", "groups")
}
POOLING_KEYS = WINDOW_KEYS | {"dilation", "ceil_mode"}

POOLINGS = (
    Operation(
        "max_pooling",
        "max pooling",
        POOLING_KEYS,
        _pooling_axis,
        _maximum,
        reduction="maximum",
        padding_value=-np.inf,
        transpose=Transpose(_max_unpooling, _maxima),
    ),
    Operation(
        "average_pooling",
        "average pooling",
        POOLING_KEYS | {"count_include_pad"},
        _pooling_axis,
        _average,
        reduction="average",
    ),
    Operation("lp_pooling", "LP pooling", POOLING_KEYS | {"norm"}, _pooling_axis, _norm, reduction="norm"),
)


def _global(pooling: Operation) -> Operation:
    """A pooling whose only window is the whole input."""
    return replace(
        pooling,
        name=f"global_{pooling.name}",
        words=f"global {pooling.words}",
        keys=pooling.keys - POOLING_KEYS - {"count_include_pad"},
        transpose=None,
    )


def _adaptive(pooling: Operation) -> Operation:
    """A pooling that is given the size of its output instead of a window."""
    return replace(
        pooling,
        name=f"adaptive_{pooling.name}",
        words=f"adaptive {pooling.words}",
        keys=frozenset(("output_size",)),
        window_axis=_adaptive_axis,
        padding_names=(),
        reaching=adapted,
        transpose=None,
        adaptive=True,
    )


OPERATIONS: dict[str, Operation] = {
    operation.name: operation
    for operation in (
        Operation(
            "convolution",
            "convolution",
            CONVOLUTION_KEYS | {"padding_mode", "mask", "offset"},
            _convolution_axis,
            _convolved,
            operand=KERNEL,
            transpose=Transpose(_transposed_convolution, _convolution_kernel),
        ),
        Operation(
            "transposed_convolution",
            "transposed convolution",
            CONVOLUTION_KEYS | {"output_padding", "output_size"},
            _transposed_axis,
            _convolved,
            operand=KERNEL,
            transposed=True,
            padding_names=("valid", "half", "full", "same_upper", "same_lower"),
            padded=transposed_padded,
        ),
        *POOLINGS,
        *map(_global, POOLINGS),
        *map(_adaptive, POOLINGS[:2]),
        Operation(
            "max_unpooling",
            "max unpooling",
            WINDOW_KEYS | {"output_size", "indices"},
            _unpooling_axis,
            _unpooled,
            operand=INDICES,
            padding_names=("valid", "half", "full"),
            reaching=partial(reaching, may_be_smaller=True),
        ),
    )
}
