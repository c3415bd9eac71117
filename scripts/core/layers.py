"""A layer: the product of its axes, its channels, and the values of its output.

Pure, as the arithmetic of its axes is.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from itertools import product
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from scripts.core.arithmetic import (
    DirectAxis,
    GridAxis,
    LayerAxis,
    PaddingMode,
    check_padding_mode,
    direct_axis,
    direct_grid,
    equivalent_axis,
    unpooled_size,
    unpooling_grid,
)
from scripts.errors import LayerError

Operation = Literal[
    "convolution",
    "transposed_convolution",
    "max_pooling",
    "average_pooling",
    "lp_pooling",
    "global_max_pooling",
    "global_average_pooling",
    "global_lp_pooling",
    "max_unpooling",
]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)

Reduction = Literal["maximum", "average", "norm"]
REDUCTIONS: dict[Operation, Reduction] = {
    "max_pooling": "maximum",
    "average_pooling": "average",
    "lp_pooling": "norm",
    "global_max_pooling": "maximum",
    "global_average_pooling": "average",
    "global_lp_pooling": "norm",
}

Index = tuple[int, ...]
Values = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Channels:
    """A convolution's channels, in `groups` that do not see each other (as many as inputs: depthwise)."""

    in_channels: int
    out_channels: int
    groups: int = 1

    def __post_init__(self) -> None:
        for key in ("in_channels", "out_channels"):
            if getattr(self, key) % self.groups:
                raise LayerError(
                    "groups", f"is {self.groups} for {key} = {getattr(self, key)}", f"It divides {key} evenly"
                )


@dataclass(frozen=True)
class Layer:
    """A layer: its operation, its own parameters along each axis, and its options.

    `channels` is None where the layer is drawn without: input and output then have no channel axis.
    `norm` is the exponent of L^p pooling.  Raises `LayerError` where no such layer exists.
    """

    operation: Operation
    axes: tuple[LayerAxis, ...]
    channels: Channels | None = None
    padding_mode: PaddingMode = "zeros"
    ceil_mode: bool = False
    count_include_pad: bool = True
    norm: float = 2

    def __post_init__(self) -> None:
        for axis in self.axes:
            check_padding_mode(axis, self.padding_mode)
            if (self.pooling or self.unpooling) and 2 * max(axis.padding) > axis.kernel_size:
                raise LayerError(
                    "padding",
                    f"is {max(axis.padding)} for a pooling window of {axis.kernel_size}",
                    "It is at most half of that",
                )
        _ = self.output_size

    @property
    def transposed(self) -> bool:
        """Whether the operation is a transposed convolution."""
        return self.operation == "transposed_convolution"

    @property
    def unpooling(self) -> bool:
        """Whether the operation puts values back to where a max pooling took them from."""
        return self.operation == "max_unpooling"

    @property
    def pooling(self) -> bool:
        """Whether the operation reduces windows without weights."""
        return self.operation in REDUCTIONS

    @property
    def reduction(self) -> Reduction | None:
        """What a pooling does with a window; None for other operations."""
        return REDUCTIONS.get(self.operation)

    @property
    def weighted(self) -> bool:
        """Whether the operation has a kernel with values."""
        return not (self.pooling or self.unpooling)

    @property
    def padding_value(self) -> float | None:
        """What zero padding and inserted zeros count as; None where they do not."""
        if self.reduction == "maximum":
            return -np.inf
        return None if self.reduction == "average" and not self.count_include_pad else 0

    @cached_property
    def direct(self) -> tuple[DirectAxis, ...]:
        """The parameters of the direct operation that is drawn; unpooling is none."""
        if self.unpooling:
            return ()
        if self.transposed:
            return tuple(equivalent_axis(axis) for axis in self.axes)
        return tuple(direct_axis(axis, self.ceil_mode) for axis in self.axes)

    @cached_property
    def grid(self) -> tuple[GridAxis, ...]:
        """The cells and windows that are drawn, per axis."""
        if self.unpooling:
            return tuple(unpooling_grid(axis) for axis in self.axes)
        return tuple(direct_grid(axis, self.padding_mode, rotated=self.transposed) for axis in self.direct)

    @property
    def input_size(self) -> Index:
        """Size of the input along each axis, without channels."""
        return tuple(axis.input_size for axis in self.axes)

    @property
    def kernel_size(self) -> Index:
        """Size of the kernel or of the pooling window along each axis, without channels."""
        return tuple(axis.kernel_size for axis in self.axes)

    @cached_property
    def output_size(self) -> Index:
        """Size of the output along each axis, without channels."""
        if self.unpooling:
            return tuple(unpooled_size(axis) for axis in self.axes)
        return tuple(axis.output_size for axis in self.direct)

    @property
    def input_shape(self) -> Index:
        """Shape of the input's values: the channels first, where the layer has them."""
        return (*(() if self.channels is None else (self.channels.in_channels,)), *self.input_size)

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
        """Shape of the output's values: the channels first, where the layer has them."""
        return (*(() if self.channels is None else (self.channels.out_channels,)), *self.output_size)

    def output_indices(self) -> Iterator[Index]:
        """Indices of the output's elements, the last axis fastest."""
        return product(*map(range, self.output_shape))

    def channel_indices(self, output_index: Index) -> list[tuple[Index, Index]]:
        """What an output element's channel meets: the channel part of (kernel index, input index) for each."""
        if self.channels is None:
            return [((), ())]
        ins, outs = (n // self.channels.groups for n in (self.channels.in_channels, self.channels.out_channels))
        group, place = divmod(output_index[0], outs)
        met = range(group * ins, (group + 1) * ins)
        if self.transposed:
            return [((c, place), (c,)) for c in met]
        return [((output_index[0], c - met.start), (c,)) for c in met]

    def with_unit_axis(self) -> "Layer":
        """The same layer with a first axis of one element, along which nothing happens."""
        return replace(self, axes=(LayerAxis(1, 1), *self.axes))

    def output(
        self, input_values: Values, kernel_values: Values | None = None, indices: npt.NDArray[np.int_] | None = None
    ) -> Values:
        """Values of the output, of shape `output_shape`.

        Shapes: `input_values` is `input_shape`, `kernel_values` (of convolutions) `kernel_shape`,
        `indices` (of unpooling: places in the flattened output) `input_shape`.  Integers stay integers
        but in averages and norms.  A maximum over padding alone is −∞.
        """
        if self.reduction is not None:
            return self._pooled(input_values)
        if self.unpooling:
            if indices is None:
                raise ValueError("max_unpooling needs indices")
            output = np.zeros(self.output_shape, dtype=input_values.dtype)
            output.flat[indices.ravel()] = input_values.ravel()
            return output
        if kernel_values is None:
            raise ValueError(f"{self.operation} needs the values of its kernel")
        return self._convolved(input_values, kernel_values)

    def maxima(self, input_values: Values) -> Values:
        """Places in the flattened input from which max pooling takes its output; the first of equal ones."""
        patches, met, _ = self._patches(input_values)
        places, _, _ = self._patches(np.arange(input_values.size).reshape(self.input_size))
        shape = (*self.output_size, -1)
        first = np.where(met, patches, -np.inf).reshape(shape).argmax(axis=-1, keepdims=True)
        return np.take_along_axis(places.reshape(shape), first, axis=-1).reshape(self.output_size)

    def placements(self) -> dict[Index, list[int]]:
        """For each input element of an unpooling, the places in the flattened output that its window covers."""
        placements: dict[Index, list[int]] = {}
        for place, windows in enumerate(product(*(axis.windows for axis in self.grid))):
            for elements in product(*windows):
                placements.setdefault(tuple(element.position for element in elements), []).append(place)
        return placements

    def _convolved(self, input_values: Values, kernel_values: Values) -> Values:
        channels = self.channels or Channels(1, 1)
        groups, n = channels.groups, len(self.axes)
        ins, outs = channels.in_channels // groups, channels.out_channels // groups
        patches, met, _ = self._patches(input_values.reshape(groups, ins, *self.input_size))
        # Into the shape (groups, outputs, inputs, …) of a direct convolution.
        if self.transposed:
            kernels = kernel_values.reshape(groups, ins, outs, *self.kernel_size).swapaxes(1, 2)
            kernels = np.flip(kernels, axis=tuple(range(-n, 0)))
        else:
            kernels = kernel_values.reshape(groups, outs, ins, *self.kernel_size)
        summed = (1, *range(2, n + 2)), (0, *range(n + 1, 2 * n + 1))
        output = [
            np.tensordot(kernel, group, axes=summed)
            for kernel, group in zip(kernels, np.where(met, patches, 0), strict=True)
        ]
        return np.stack(output).reshape(self.output_shape)

    def _pooled(self, input_values: Values) -> Values:
        patches, met, padded = self._patches(input_values)
        window = tuple(range(-len(self.axes), 0))
        if self.reduction == "maximum":
            if not met.any(axis=window).all():
                patches = patches.astype(np.float64)
            lowest = -np.inf if patches.dtype.kind == "f" else np.iinfo(patches.dtype).min
            return np.asarray(np.where(met, patches, lowest).max(axis=window))
        patches = np.where(met, patches, 0)
        if self.reduction == "average":
            counted = padded if self.count_include_pad else met
            return np.asarray(patches.sum(axis=window) / np.maximum(counted.sum(axis=window), 1))
        powers = np.abs(patches.astype(np.float64)) ** self.norm
        return np.asarray(powers.sum(axis=window) ** (1 / self.norm))

    def _patches(self, input_values: Values) -> tuple[Values, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """The elements of all windows, of shape (…, *output_size, *kernel_size) for an input of (…, *input_size).

        Then, of shape (*output_size, *kernel_size), which of them are input elements (the others hold
        anything), and which are so or padding.
        """
        n = len(self.axes)
        index, met, padded = list[Values](), list[Values](), list[Values]()
        for place, axis in enumerate(self.grid):
            cells = [[axis.cells[element.position] for element in window] for window in axis.windows]
            shape = [1] * 2 * n
            shape[place], shape[n + place] = len(cells), len(cells[0])
            found = np.array([[-1 if cell.input_index is None else cell.input_index for cell in row] for row in cells])
            inside = np.array([[cell.kind != "overhang" for cell in row] for row in cells])
            index.append(found.reshape(shape))
            met.append(index[-1] >= 0)
            padded.append(inside.reshape(shape))
        patches = input_values[(..., *index)]  # type: ignore[arg-type] # NumPy's types know no Ellipsis beside arrays
        return patches, reduce(np.logical_and, met), reduce(np.logical_and, padded)
