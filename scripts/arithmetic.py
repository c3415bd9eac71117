"""Convolution arithmetic: sizes, windows and values of a layer, axis by axis.

Pure functions of numbers: no file, no drawing, no state. A layer of N axes is the product of its axes.
Every layer is drawn as a *direct* operation, a window that moves over a grid; a transposed convolution
is turned into its equivalent direct one by `equivalent_axis`.

Source of the formulas: V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep
learning", arXiv:1603.07285 (2016), extended by dilation, asymmetric padding and cropping.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from scripts.errors import LayerError

Operation = Literal["convolution", "transposed_convolution", "max_pooling", "average_pooling"]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)

PaddingName = Literal["valid", "half", "full", "same_upper", "same_lower", "causal"]

Index = tuple[int, ...]
Pair = tuple[int, int]
Values = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class LayerAxis:
    """A layer's own parameters along one axis, under PyTorch's names.

    `padding` is (before, after); `output_padding` is zero for all but transposed convolutions.
    """

    input_size: int
    kernel_size: int
    stride: int = 1
    padding: Pair = (0, 0)
    dilation: int = 1
    output_padding: int = 0

    def __post_init__(self) -> None:
        for key in ("input_size", "kernel_size", "stride", "dilation"):
            if getattr(self, key) < 1:
                raise LayerError(key, f"is {getattr(self, key)}", "It is at least 1")
        if min(self.padding) < 0:
            raise LayerError("padding", f"is {list(self.padding)}", "It is at least 0 on each side")
        if self.output_padding < 0:
            raise LayerError("output_padding", f"is {self.output_padding}", "It is at least 0")

    @property
    def reach(self) -> int:
        """Distance from the kernel's first to its last element: d(k − 1)."""
        return self.dilation * (self.kernel_size - 1)


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a direct operation, as it is drawn.

    The input's elements stand `input_dilation` apart (zeros between them) in a grid with `padding`
    cells (before, after) around; negative padding crops. A window of `kernel_size` elements,
    `dilation` apart, moves over the grid by `stride`.
    """

    input_size: int
    kernel_size: int
    stride: int = 1
    padding: Pair = (0, 0)
    dilation: int = 1
    input_dilation: int = 1

    def __post_init__(self) -> None:
        if self.output_size < 1:
            raise LayerError(
                "kernel_size",
                f"the window spans {self.window_size}, the padded input only {max(self.grid_size, 0)}",
                "Use a smaller kernel or dilation, a larger input or more padding",
            )

    @property
    def window_size(self) -> int:
        """Cells from the window's first to its last: k + (k − 1)(d − 1), the effective kernel size."""
        return self.dilation * (self.kernel_size - 1) + 1

    @property
    def spread_size(self) -> int:
        """Size of the input with the zeros between its elements."""
        return self.input_dilation * (self.input_size - 1) + 1

    @property
    def grid_size(self) -> int:
        """Size of the grid that the window moves over."""
        return self.spread_size + sum(self.padding)

    @property
    def output_size(self) -> int:
        """Number of window positions: ⌊(grid − window) / s⌋ + 1."""
        return (self.grid_size - self.window_size) // self.stride + 1

    @property
    def remainder(self) -> int:
        """Grid cells after the last window: a = (i + 2p − d(k − 1) − 1) mod s."""
        return (self.grid_size - self.window_size) % self.stride

    def window(self, output_index: int) -> tuple[int, ...]:
        """Grid positions of the window's elements for one output element."""
        start = output_index * self.stride
        return tuple(start + self.dilation * element for element in range(self.kernel_size))

    def input_index(self, position: int) -> int | None:
        """The input element at a grid position; None for padding and for an inserted zero."""
        index, between = divmod(position - self.padding[0], self.input_dilation)
        return index if between == 0 and 0 <= index < self.input_size else None

    @property
    def input_positions(self) -> tuple[int, ...]:
        """Grid positions of the input elements that are not cropped."""
        return tuple(p for p in range(self.grid_size) if self.input_index(p) is not None)


def direct_axis(axis: LayerAxis) -> Axis:
    """The axis of a convolution or a pooling, which is direct already."""
    return Axis(axis.input_size, axis.kernel_size, axis.stride, axis.padding, axis.dilation)


def equivalent_axis(axis: LayerAxis) -> Axis:
    """The direct convolution that equals a transposed one along an axis.

    The stride spreads the input's elements apart, the border is d(k − 1) − p on each side, with
    `output_padding` more after, and the stride becomes 1. The kernel is rotated by 180°: element j of
    the window is the layer's kernel element k − 1 − j.
    """
    limit = max(axis.stride, axis.dilation)
    if axis.output_padding >= limit:
        raise LayerError(
            "output_padding",
            f"is {axis.output_padding}, with stride {axis.stride} and dilation {axis.dilation}",
            f"It is smaller than the larger of the two: at most {limit - 1}",
        )
    before, after = (axis.reach - side for side in axis.padding)
    padding = (before, after + axis.output_padding)
    size = axis.input_size, axis.kernel_size
    output_size = axis.stride * (axis.input_size - 1) + 1 + sum(padding) - axis.reach
    if output_size < 1:
        raise LayerError(
            "padding",
            f"{list(axis.padding)} crops the whole output (its size would be {output_size})",
            "Use less padding, a larger kernel or a larger input",
        )
    return Axis(*size, padding=padding, dilation=axis.dilation, input_dilation=axis.stride)


def transposed_axis(axis: LayerAxis) -> LayerAxis:
    """The transposed convolution that maps the output of a convolution back to its input's size.

    Where several input sizes give one output size, `output_padding` = (i + 2p − d(k − 1) − 1) mod s
    picks the right one.
    """
    forward = direct_axis(axis)
    return LayerAxis(forward.output_size, axis.kernel_size, axis.stride, axis.padding, axis.dilation, forward.remainder)


def named_padding(name: PaddingName, input_size: int, kernel_size: int, stride: int, dilation: int) -> Pair:
    """The (before, after) padding that a name stands for.

    `same_upper` and `same_lower` are ONNX's (the former TensorFlow's SAME): ⌈i / s⌉ outputs, an odd
    cell at the end or at the beginning. `half` is half of the window's span, rounded down, on both sides
    (as in Theano), `full` d(k − 1) on both, `causal` d(k − 1) before.
    """
    reach = dilation * (kernel_size - 1)
    half = (reach + 1) // 2
    needed = max((-(-input_size // stride) - 1) * stride + reach + 1 - input_size, 0)
    less, more = needed // 2, needed - needed // 2
    pairs: dict[PaddingName, Pair] = {
        "valid": (0, 0),
        "half": (half, half),
        "full": (reach, reach),
        "same_upper": (less, more),
        "same_lower": (more, less),
        "causal": (reach, 0),
    }
    return pairs[name]


@dataclass(frozen=True)
class Layer:
    """A layer: its operation and its own parameters along each axis.

    Raises `LayerError` where no such layer exists.
    """

    operation: Operation
    axes: tuple[LayerAxis, ...]
    direct: tuple[Axis, ...] = field(init=False)
    """The direct operation that is drawn, per axis."""

    def __post_init__(self) -> None:
        drawn = equivalent_axis if self.transposed else direct_axis
        object.__setattr__(self, "direct", tuple(drawn(axis) for axis in self.axes))
        for drawn_axis in self.direct if self.pooling else ():
            if 2 * max(drawn_axis.padding) > drawn_axis.window_size:
                raise LayerError(
                    "padding",
                    f"is {max(drawn_axis.padding)} for a pooling window that spans {drawn_axis.window_size}",
                    "It is at most half of that, so that every window holds input",
                )
        for axis in self.axes if not self.transposed else ():
            if axis.output_padding:
                raise LayerError(
                    "output_padding",
                    f"does not belong to {self.operation}",
                    "Only transposed_convolution has it",
                )

    @property
    def transposed(self) -> bool:
        """Whether the operation is a transposed convolution."""
        return self.operation == "transposed_convolution"

    @property
    def pooling(self) -> bool:
        """Whether the operation has a window without weights."""
        return self.operation.endswith("_pooling")

    @property
    def padding_value(self) -> float:
        """What padding and inserted zeros count as: nothing in a sum, and never the maximum."""
        return -np.inf if self.operation == "max_pooling" else 0

    @property
    def input_size(self) -> Index:
        """Shape of the input."""
        return tuple(axis.input_size for axis in self.axes)

    @property
    def kernel_size(self) -> Index:
        """Shape of the kernel or of the pooling window."""
        return tuple(axis.kernel_size for axis in self.axes)

    @property
    def output_size(self) -> Index:
        """Shape of the output."""
        return tuple(axis.output_size for axis in self.direct)

    def output_indices(self) -> Iterator[Index]:
        """Indices of the output's elements, the last axis fastest."""
        return product(*map(range, self.output_size))

    def kernel_index(self, window_index: Sequence[int]) -> Index:
        """The layer's own kernel element at an element of the drawn window (rotated if transposed)."""
        if not self.transposed:
            return tuple(window_index)
        return tuple(axis.kernel_size - 1 - j for axis, j in zip(self.axes, window_index, strict=True))

    def output(self, input_values: Values, kernel_values: Values | None) -> Values:
        """Values of the output.

        Shapes: `input_values` is `input_size`, `kernel_values` (None for pooling) `kernel_size`, the
        result `output_size`. Integers stay integers but in averages.
        """
        window_axes = tuple(range(len(self.axes), 2 * len(self.axes)))
        if self.operation == "max_pooling":
            lowest = -np.inf if input_values.dtype.kind == "f" else np.iinfo(input_values.dtype).min
            patches = _patches(input_values, self.direct, lowest)
            return np.asarray(patches.max(axis=window_axes))
        patches = _patches(input_values, self.direct, 0)
        if self.operation == "average_pooling":
            return np.asarray(patches.mean(axis=window_axes, dtype=np.float64))
        if kernel_values is None:
            raise ValueError(f"{self.operation} needs the values of its kernel")
        kernel = np.flip(kernel_values) if self.transposed else kernel_values
        return np.tensordot(patches, kernel, axes=(window_axes, tuple(range(kernel.ndim))))


def _patches(input_values: Values, axes: Sequence[Axis], fill: float) -> Values:
    """All windows of the grid, in an array of shape output_size + kernel_size; `fill` where no input is."""
    grid = np.full([axis.grid_size for axis in axes], fill, dtype=input_values.dtype)
    positions = [axis.input_positions for axis in axes]
    indices = [[axis.input_index(p) for p in row] for axis, row in zip(axes, positions, strict=True)]
    grid[np.ix_(*positions)] = input_values[np.ix_(*indices)]
    # One index array per axis, of shape (output_size, kernel_size) in that axis's two places.
    n = len(axes)
    index = []
    for place, axis in enumerate(axes):
        windows = np.array([axis.window(o) for o in range(axis.output_size)])
        shape = [1] * 2 * n
        shape[place], shape[n + place] = windows.shape
        index.append(windows.reshape(shape))
    return np.asarray(grid[tuple(index)])
