"""A layer: an operation, its parameters along each axis, its channels and options.

A layer of N axes is the product of its axes.  Everything that differs between operations is in an `Operation`
(scripts/core/operations.py has the table of them); a `Layer` holds what they share.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from scripts.core.arithmetic import (
    PADDING_NAMES,
    DirectAxis,
    GridAxis,
    LayerAxis,
    PaddingMode,
    PaddingName,
    WindowAxis,
    padded,
    reaching,
)
from scripts.errors import LayerError

Index = tuple[int, ...]
Values = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Channels:
    """A convolution's channels, in independent `groups` (as many as inputs: depthwise)."""

    in_channels: int
    out_channels: int
    groups: int = 1

    def __post_init__(self) -> None:
        for key in ("in_channels", "out_channels"):
            if getattr(self, key) % self.groups:
                raise LayerError(
                    "groups", f"is {self.groups} for {key} = {getattr(self, key)}", f"It divides {key} evenly"
                )

    @property
    def per_group(self) -> tuple[int, int]:
        """The numbers of input and of output channels in each group."""
        return self.in_channels // self.groups, self.out_channels // self.groups

    def met(self, output: int) -> range:
        """The input channels that an output channel is computed from: those of its group."""
        ins, outs = self.per_group
        first = output // outs * ins
        return range(first, first + ins)


@dataclass(frozen=True)
class Operand:
    """What an operation takes besides its input, such as a convolution's kernel.

    `key` is its key in a figure's file and `shape` the shape of its values.  `random` completes a layer's
    (input, operand) with random values where one is None; it may leave the operand None where the given input does
    not determine one.  `check` raises `LayerError` for values that do not go with an input's.
    """

    key: str
    shape: Callable[["Layer"], Index]
    random: Callable[["Layer", np.random.RandomState, Values | None, Values | None], tuple[Values, Values | None]]
    check: Callable[["Layer", Values, Values], None] | None = None


@dataclass(frozen=True)
class Transpose:
    """How an operation is undone: the layer that does so, and the values that it takes from the original.

    `values` takes the original's layer, input, operand and output, and gives the (input, operand) of its transpose;
    an input of None is for the figure to give.
    """

    layer: Callable[["Layer"], "Layer"]
    values: Callable[["Layer", Values, Values | None, Values], tuple[Values | None, Values]]


@dataclass(frozen=True)
class Operation:
    """What a layer does with its input; all functions are pure.

    - `name` is its name in a figure's file, `words` its name in captions.
    - `keys` are those keys of a figure's file that only some operations have.
    - `window_axis` turns a layer's axis into a grid with windows; raises `LayerError`.
    - `output` computes a layer's output from its input and operand.
    - `adaptive` says that its windows follow from the size of its output, and may differ in size.
    - `reduction` is what a pooling makes of a window, such as "maximum"; None for other operations.
    - `padding_value` is what zero padding and inserted zeros count as.
    - `padded` gives an axis one of the paddings in `padding_names`, and `reaching` an output size.
    """

    name: str
    words: str
    keys: frozenset[str]
    window_axis: Callable[[LayerAxis, "Layer"], WindowAxis]
    output: Callable[["Layer", Values, Values | None], Values]
    padding_names: tuple[PaddingName, ...] = PADDING_NAMES
    padded: Callable[[LayerAxis, PaddingName], LayerAxis] = padded
    reaching: Callable[[LayerAxis, int], LayerAxis] = reaching
    operand: Operand | None = None
    transpose: Transpose | None = None
    transposed: bool = False
    adaptive: bool = False
    reduction: str | None = None
    padding_value: float = 0


@dataclass(frozen=True)
class Layer:
    """A layer: its operation, its own parameters along each axis, and its options.

    Without `channels`, input and output have no channel axis.  `norm` is the exponent of L^p pooling.  Raises
    `LayerError` where no such layer exists.
    """

    operation: Operation
    axes: tuple[LayerAxis, ...]
    channels: Channels | None = None
    padding_mode: PaddingMode = "zeros"
    ceil_mode: bool = False
    count_include_pad: bool = True
    norm: float = 2

    def __post_init__(self) -> None:
        # Raises the errors of the axes.
        _ = self.window_axes

    @property
    def transposed(self) -> bool:
        """Whether the operation is a transposed convolution."""
        return self.operation.transposed

    @property
    def weighted(self) -> bool:
        """Whether the operation has a kernel with weights."""
        return "kernel_values" in self.operation.keys

    @property
    def reduction(self) -> str | None:
        """What a pooling makes of a window: "maximum", "average" or "norm"; None for other operations."""
        return self.operation.reduction

    @property
    def padding_value(self) -> float | None:
        """What zero padding and inserted zeros count as; None where they do not count."""
        return self.operation.padding_value if self.count_include_pad else None

    @cached_property
    def window_axes(self) -> tuple[WindowAxis, ...]:
        """The grid with its windows along each axis."""
        return tuple(self.operation.window_axis(axis, self) for axis in self.axes)

    @cached_property
    def direct(self) -> tuple[DirectAxis, ...]:
        """The parameters of the direct operation along each axis; empty for unpooling and adaptive pooling."""
        return tuple(axis for axis in self.window_axes if isinstance(axis, DirectAxis))

    @cached_property
    def grid(self) -> tuple[GridAxis, ...]:
        """The cells and windows along each axis."""
        return tuple(axis.grid for axis in self.window_axes)

    @property
    def input_size(self) -> Index:
        """Size of the input along each axis, without channels."""
        return tuple(axis.input_size for axis in self.axes)

    @property
    def kernel_size(self) -> Index:
        """Size of the kernel or of the (largest) pooling window along each axis, without channels."""
        return tuple(axis.kernel_size for axis in self.axes)

    @cached_property
    def output_size(self) -> Index:
        """Size of the output along each axis, without channels."""
        return tuple(axis.output_size for axis in self.window_axes)

    @property
    def input_shape(self) -> Index:
        """Shape of the input's values: the channels first, if any."""
        return self.input_size if self.channels is None else (self.channels.in_channels, *self.input_size)

    @property
    def kernel_shape(self) -> Index:
        """Shape of the kernel's values in PyTorch's layout.

        With channels (out, in / groups, …), and (in, out / groups, …) in a transposed convolution.
        """
        if self.channels is None:
            return self.kernel_size
        first, second = self.channels.out_channels, self.channels.in_channels
        if self.transposed:
            first, second = second, first
        return first, second // self.channels.groups, *self.kernel_size

    @property
    def output_shape(self) -> Index:
        """Shape of the output's values: the channels first, if any."""
        return self.output_size if self.channels is None else (self.channels.out_channels, *self.output_size)

    def output_indices(self) -> Iterator[Index]:
        """Indices of the output's elements, the last axis fastest."""
        return product(*map(range, self.output_shape))

    def channel_indices(self, output_index: Index) -> list[tuple[Index, Index]]:
        """The channel parts of the (kernel index, input index) pairs that an output element depends on."""
        if self.channels is None:
            return [((), ())]
        met = self.channels.met(output_index[0])
        if self.transposed:
            place = output_index[0] % self.channels.per_group[1]
            return [((c, place), (c,)) for c in met]
        return [((output_index[0], c - met.start), (c,)) for c in met]

    def with_unit_axis(self) -> "Layer":
        """The same layer with a first axis of one element, along which nothing happens."""
        return replace(self, axes=(LayerAxis(1, 1, output_size=1), *self.axes))

    def output(self, input_values: Values, operand: Values | None = None) -> Values:
        """Values of the output, of shape `output_shape`.

        Shapes: `input_values` has `input_shape`; `operand` is the kernel of a convolution (`kernel_shape`) or the
        indices of an unpooling (places in the flattened output, `input_shape`).  Integers stay integers except in
        averages and norms.  A maximum over padding alone is −∞.
        """
        return self.operation.output(self, input_values, operand)


@dataclass(frozen=True)
class Branches:
    """Branches of layers that take one input, and whose outputs are added or concatenated.

    An empty branch passes its input on.  Raises `LayerError` where the outputs differ in size.
    """

    input_size: Index
    branches: tuple["Stack", ...]

    def __post_init__(self) -> None:
        sizes = dict.fromkeys(" × ".join(map(str, self._size_after(branch))) for branch in self.branches)
        if len(sizes) > 1:
            rule = f"end in outputs of {' and '.join(sizes)}"
            raise LayerError("branches", rule, "Give all branches one output size")

    @property
    def output_size(self) -> Index:
        """Size of each branch's output along each axis."""
        return self._size_after(self.branches[0])

    def _size_after(self, branch: "Stack") -> Index:
        return branch[-1].output_size if branch else self.input_size


# Each layer takes the output of the one before.
Stack = tuple[Layer | Branches, ...]


def all_layers(stack: Stack) -> Iterator[Layer]:
    """All layers of a stack, with those in branches."""
    for step in stack:
        if isinstance(step, Layer):
            yield step
        else:
            for branch in step.branches:
                yield from all_layers(branch)
