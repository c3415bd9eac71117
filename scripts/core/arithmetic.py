"""Convolution arithmetic along one axis: sizes, padding, and which elements each window holds.

Pure functions of numbers: no file, no drawing, no state.  An operation turns a layer's own parameters along
an axis (`LayerAxis`) into a `WindowAxis`: a row of cells, and the window over it for each output element.  For
most operations that is a `DirectAxis` (for a transposed convolution, the equivalent one), for an unpooling an
`UnpoolingAxis`, for an adaptive pooling an `AdaptiveAxis`.  A layer of N axes is the product of its axes
(scripts/core/layers.py).

Source of the formulas: V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep
learning", arXiv:1603.07285 (2016), extended by dilation, asymmetric padding, cropping and `ceil_mode`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from math import gcd
from typing import Literal, NamedTuple, Protocol, get_args

from scripts.errors import LayerError

PaddingName = Literal["valid", "half", "full", "same_upper", "same_lower", "causal"]
PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]
Kind = Literal["input", "padding", "inserted", "overhang", "cropped"]
PADDING_NAMES: tuple[PaddingName, ...] = get_args(PaddingName)
PADDING_MODES: tuple[PaddingMode, ...] = get_args(PaddingMode)

Pair = tuple[int, int]


# Bounds that keep the memory for the cells and the windows along an axis within megabytes.
LONGEST = 2**18
MOST_ELEMENTS = 2**20


@dataclass(frozen=True, slots=True)
class LayerAxis:
    """A layer's own parameters along one axis, under PyTorch's names.

    `padding` is (before, after).  `output_padding` is how much larger an output is than the smallest that
    fits: zero except in transposed convolutions, and in unpooling, where it may be negative.  `output_size` is a
    parameter of gradients and of adaptive poolings alone, whose `kernel_size` is that of the largest window.  Raises
    `LayerError`.
    """

    input_size: int
    kernel_size: int
    stride: int = 1
    padding: Pair = (0, 0)
    dilation: int = 1
    output_padding: int = 0
    output_size: int | None = None

    def __post_init__(self) -> None:
        for key in ("input_size", "kernel_size", "stride", "dilation"):
            if getattr(self, key) < 1:
                raise LayerError(key, f"is {getattr(self, key)}", "It is at least 1")
        if min(self.padding) < 0:
            raise LayerError("padding", f"is {list(self.padding)}", "It is at least 0 on each side")

    @property
    def reach(self) -> int:
        """Distance from the kernel's first to its last element: d(k − 1)."""
        return self.dilation * (self.kernel_size - 1)

    @property
    def padded_over_half(self) -> bool:
        """Whether padding exceeds half of the kernel: in a pooling, ONNX allows that, and PyTorch does not."""
        return 2 * max(self.padding) > self.kernel_size

    @property
    def scattered_size(self) -> int:
        """Number of places that the windows of all inputs cover, less the padding: s(i − 1) + d(k − 1) + 1 − 2p."""
        return self.stride * (self.input_size - 1) + self.reach + 1 - sum(self.padding)


def _check_length(cells: int, elements: int) -> None:
    """Raise `LayerError` for an axis with too many cells, or too many elements in all windows, to enumerate."""
    if cells > LONGEST:
        raise LayerError("input_size", f"gives a row of {cells} cells", f"At most {LONGEST} are enumerated")
    if elements > MOST_ELEMENTS:
        rule = f"gives windows of {elements} elements along an axis"
        raise LayerError("kernel_size", rule, f"At most {MOST_ELEMENTS} are enumerated")


class Cell(NamedTuple):
    """A cell of the grid that a window moves over.

    `input_index` is the input element that it holds, or that the padding mode copies into it; None for
    zeros.  "overhang" cells lie beyond the padding, where only a window of `ceil_mode` reaches; "cropped"
    cells are removed by negative padding.
    """

    kind: Kind
    input_index: int | None


class Element(NamedTuple):
    """One element of a window: its cell's position in the grid, and the layer's own kernel element there."""

    position: int
    kernel_index: int


@dataclass(frozen=True, slots=True)
class GridAxis:
    """A row of cells, and for each output element the window over them."""

    cells: tuple[Cell, ...]
    windows: tuple[tuple[Element, ...], ...]


class WindowAxis(Protocol):
    """What an operation makes of a layer's axis."""

    @property
    def output_size(self) -> int:
        """Number of windows."""

    @property
    def grid_size(self) -> int:
        """Number of cells, without overhanging and cropped ones."""

    @property
    def extent(self) -> int:
        """Number of cells, with overhanging and cropped ones."""

    @property
    def grid(self) -> GridAxis:
        """The cells and the windows; raises `LayerError` where there are too many of them to enumerate."""


@dataclass(frozen=True)
class DirectAxis:
    """The parameters of a direct operation along one axis.

    The input's elements stand `input_dilation` apart (zeros between them) in a grid with `padding`
    cells (before, after) around; negative padding crops.  A window of `kernel_size` elements,
    `dilation` apart, moves over the grid by `stride`; with `ceil_mode` it may hang over the end, as long
    as it starts inside the input or the padding before it.  A `rotated` kernel is turned by 180°: element j
    of the window is the layer's kernel element k − 1 − j.  Raises `LayerError` where no window fits.
    """

    input_size: int
    kernel_size: int
    stride: int = 1
    padding: Pair = (0, 0)
    dilation: int = 1
    input_dilation: int = 1
    ceil_mode: bool = False
    padding_mode: PaddingMode = "zeros"
    rotated: bool = False

    def __post_init__(self) -> None:
        if self.output_size < 1:
            raise LayerError(
                "kernel_size",
                f"the window spans {self.window_size}, the padded input only {max(self.grid_size, 0)}",
                "Use a smaller kernel or dilation, a larger input or more padding",
            )

    @property
    def window_size(self) -> int:
        """Number of cells from the window's first to its last: d(k − 1) + 1, the effective kernel size."""
        return self.dilation * (self.kernel_size - 1) + 1

    @property
    def spread_size(self) -> int:
        """Size of the input with the zeros between its elements."""
        return self.input_dilation * (self.input_size - 1) + 1

    @property
    def grid_size(self) -> int:
        """Size of the grid that the window moves over, without overhanging cells."""
        return self.spread_size + sum(self.padding)

    @property
    def output_size(self) -> int:
        """Number of window positions: ⌊(grid − window) / s⌋ + 1.

        `ceil_mode` rounds up instead, and drops a last window that would start after the input.
        """
        if not self.ceil_mode:
            return (self.grid_size - self.window_size) // self.stride + 1
        last = -((self.window_size - self.grid_size) // self.stride)
        return last + (last * self.stride < self.input_size + self.padding[0])

    @property
    def remainder(self) -> int:
        """Grid cells after the last window that fits: a = (i + 2p − d(k − 1) − 1) mod s."""
        return (self.grid_size - self.window_size) % self.stride

    @property
    def places(self) -> range:
        """The places of all cells, counted from the first input element."""
        reached = max(self.grid_size, (self.output_size - 1) * self.stride + self.window_size)
        return range(-max(self.padding[0], 0), max(reached - self.padding[0], self.spread_size))

    @property
    def extent(self) -> int:
        """Number of cells, with overhanging and cropped ones."""
        return len(self.places)

    @cached_property
    def grid(self) -> GridAxis:
        """The cells and the windows; raises `LayerError` where there are too many of them to enumerate."""
        _check_length(self.extent, self.output_size * self.kernel_size)
        starts = range(0, self.output_size * self.stride, self.stride)
        cropped, last = max(-self.padding[0], 0), self.kernel_size - 1
        windows = tuple(
            tuple(
                Element(cropped + start + self.dilation * j, last - j if self.rotated else j)
                for j in range(self.kernel_size)
            )
            for start in starts
        )
        return GridAxis(tuple(map(self._cell, self.places)), windows)

    def _cell(self, place: int) -> Cell:
        """The cell at a place, counted from the first input element."""
        end = self.grid_size - self.padding[0]
        if place >= max(end, self.spread_size):
            return Cell("overhang", None)
        if not 0 <= place < self.spread_size:
            return Cell("padding", COPIED[self.padding_mode](place, self.input_size))
        index, between = divmod(place, self.input_dilation)
        if not -self.padding[0] <= place < end:
            return Cell("cropped", None if between else index)
        return Cell("inserted", None) if between else Cell("input", index)


# The input element that each padding mode copies to a place before (negative) or after an input of some size.
COPIED: dict[PaddingMode, Callable[[int, int], int | None]] = {
    "zeros": lambda *_: None,
    "reflect": lambda place, size: -place if place < 0 else 2 * (size - 1) - place,
    "replicate": lambda place, size: 0 if place < 0 else size - 1,
    "circular": lambda place, size: place % size,
}


def direct_axis(axis: LayerAxis, ceil_mode: bool = False, padding_mode: PaddingMode = "zeros") -> DirectAxis:
    """The axis of a convolution or a pooling, which is direct already.

    Raises `LayerError` where no window fits, or the input is too small to be copied into its padding.
    """
    most = {"reflect": axis.input_size - 1, "circular": axis.input_size}.get(padding_mode)
    if most is not None and max(axis.padding) > most:
        raise LayerError(
            "padding",
            f"is {max(axis.padding)} for an input of {axis.input_size}",
            f"Padding mode {padding_mode} takes at most {most}",
        )
    return DirectAxis(
        axis.input_size,
        axis.kernel_size,
        axis.stride,
        axis.padding,
        axis.dilation,
        ceil_mode=ceil_mode,
        padding_mode=padding_mode,
    )


def equivalent_axis(axis: LayerAxis) -> DirectAxis:
    """The direct convolution that equals a transposed one along an axis.

    The stride spreads the input's elements apart, the border is d(k − 1) − p on each side, with
    `output_padding` more after, the stride becomes 1, and the kernel is rotated.  Raises `LayerError`.
    """
    limit = max(axis.stride, axis.dilation)
    if not 0 <= axis.output_padding < limit:
        raise LayerError(
            "output_padding",
            f"is {axis.output_padding}, with stride {axis.stride} and dilation {axis.dilation}",
            f"It is at least 0 and smaller than the larger of the two: at most {limit - 1}",
        )
    output_size = axis.scattered_size + axis.output_padding
    if output_size < 1:
        raise LayerError(
            "padding",
            f"{list(axis.padding)} crops the whole output (its size would be {output_size})",
            "Use less padding, a larger kernel or a larger input",
        )
    before, after = (axis.reach - side for side in axis.padding)
    return DirectAxis(
        axis.input_size,
        axis.kernel_size,
        padding=(before, after + axis.output_padding),
        dilation=axis.dilation,
        input_dilation=axis.stride,
        rotated=True,
    )


def transposed_axis(axis: LayerAxis) -> LayerAxis:
    """The transposed convolution that maps the output of a convolution back to its input's size.

    Where several input sizes give one output size, `output_padding` = (i + 2p − d(k − 1) − 1) mod s
    picks the right one.
    """
    forward = direct_axis(axis)
    return LayerAxis(forward.output_size, axis.kernel_size, axis.stride, axis.padding, axis.dilation, forward.remainder)


@dataclass(frozen=True)
class UnpoolingAxis:
    """Max unpooling along one axis: `axis` has the pooling's parameters, and the unpooling's input.

    Its cells are the input, and an output element's window holds the inputs whose pooling window covers it.
    Raises `LayerError` where the output is empty or an input has no place in it.
    """

    axis: LayerAxis

    def __post_init__(self) -> None:
        axis, size = self.axis, self.output_size
        if size < 1:
            raise LayerError("padding", f"{list(axis.padding)} leaves an output of {size}", "Use less padding")
        # Windows that start before the output have their first places in it among `dilation` ones, which recur.
        starting = min(axis.input_size, -(-axis.padding[0] // axis.stride), axis.dilation)
        if starting > LONGEST:
            raise LayerError("dilation", f"is {axis.dilation} with padding {list(axis.padding)}", "Use less of both")
        for n in (*range(starting), axis.input_size - 1):
            # The first place of its window that is not in the padding before the output.
            start = n * axis.stride - axis.padding[0]
            first = max(-(start // axis.dilation), 0)
            if first >= axis.kernel_size or start + first * axis.dilation >= size:
                raise LayerError(
                    "padding", f"{list(axis.padding)} leaves element {n} no place in the output", "Use less padding"
                )

    @property
    def output_size(self) -> int:
        """Size of the output: s(i − 1) + d(k − 1) + 1 − 2p, plus `output_padding`."""
        return self.axis.scattered_size + self.axis.output_padding

    @property
    def grid_size(self) -> int:
        """Size of the input."""
        return self.axis.input_size

    @property
    def extent(self) -> int:
        """Size of the input."""
        return self.axis.input_size

    @cached_property
    def grid(self) -> GridAxis:
        """The cells and the windows; an element of a window names the place in the pooling window.

        Windows differ in size: pooling windows overlap where k > s, and leave gaps where k < s.
        """
        axis, windows = self.axis, []
        _check_length(max(axis.input_size, self.output_size), axis.input_size * axis.kernel_size)
        for place in range(axis.padding[0], axis.padding[0] + self.output_size):
            # The pooling windows that start at most d(k − 1) before the place.
            first = max(-((axis.reach - place) // axis.stride), 0)
            starts = range(first, min(place // axis.stride + 1, axis.input_size))
            offsets = [(n, place - n * axis.stride) for n in starts]
            windows.append(tuple(Element(n, o // axis.dilation) for n, o in offsets if o % axis.dilation == 0))
        return GridAxis(tuple(Cell("input", n) for n in range(axis.input_size)), tuple(windows))


@dataclass(frozen=True)
class AdaptiveAxis:
    """Adaptive pooling along one axis: the input in `output_size` equal parts, each with a window that covers it.

    Window j covers the elements that have a share in part j: from ⌊j · i / o⌋ up to, and without, ⌈(j + 1) · i / o⌉, as
    in PyTorch.  Where the output size does not divide the input's, windows overlap and may differ in size.
    """

    input_size: int
    output_size: int

    @property
    def grid_size(self) -> int:
        """Size of the input."""
        return self.input_size

    @property
    def extent(self) -> int:
        """Size of the input."""
        return self.input_size

    @property
    def window_sizes(self) -> tuple[int, ...]:
        """The sizes that windows have, from the smallest to the largest.

        With i = q · o + r and r > 0, window j has q + ⌈((j · i mod o) + r) / o⌉ elements, and j · i mod o takes all
        multiples of gcd(i, o) below o.
        """
        quotient, rest = divmod(self.input_size, self.output_size)
        if rest == 0:
            return (quotient,)
        return (quotient + 1, quotient + 2) if rest > gcd(self.input_size, self.output_size) else (quotient + 1,)

    @cached_property
    def grid(self) -> GridAxis:
        """The cells and the windows; raises `LayerError` where there are too many of them to enumerate."""
        i, o = self.input_size, self.output_size
        _check_length(i, o * self.window_sizes[-1])
        bounds = ((j * i // o, -(-(j + 1) * i // o)) for j in range(o))
        windows = tuple(tuple(Element(start + k, k) for k in range(end - start)) for start, end in bounds)
        return GridAxis(tuple(Cell("input", n) for n in range(i)), windows)


def adapted(axis: LayerAxis, output_size: int) -> LayerAxis:
    """The axis of an adaptive pooling with that output size."""
    largest = AdaptiveAxis(axis.input_size, output_size).window_sizes[-1]
    return replace(axis, kernel_size=largest, output_size=output_size)


def reaching(axis: LayerAxis, output_size: int, may_be_smaller: bool = False) -> LayerAxis:
    """The axis with the output padding, at most s − 1, that gives it an output of that size.

    With `may_be_smaller`, the output may also be smaller than all windows together, as long as each window has
    a place in it: `ceil_mode` pools such inputs.  Raises `LayerError` for a size that cannot be reached.
    """
    output_padding = output_size - axis.scattered_size
    least = max(1 - axis.stride, axis.padding[1] - axis.reach) if may_be_smaller else 0
    if not least <= output_padding < axis.stride:
        sizes = sorted({max(axis.scattered_size + most, 1) for most in (least, axis.stride - 1)})
        raise LayerError(
            "output_size",
            f"is {output_size} for an input of {axis.input_size}",
            f"It is {' to '.join(map(str, sizes))} here",
        )
    return replace(axis, output_padding=output_padding)


def named_padding(name: PaddingName, input_size: int, kernel_size: int, stride: int, dilation: int) -> Pair:
    """The (before, after) padding of a direct operation that a name stands for.

    `same_upper` and `same_lower` are ONNX's (the former is TensorFlow's SAME): ⌈i / s⌉ outputs, an odd
    cell at the end or at the beginning.  `half` is half of the window's span, rounded down, on both sides (as in
    Theano), `full` d(k − 1) on both, `causal` d(k − 1) before.
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


def padded(axis: LayerAxis, name: PaddingName) -> LayerAxis:
    """The axis with the padding that a name stands for."""
    sides = named_padding(name, axis.input_size, axis.kernel_size, axis.stride, axis.dilation)
    return replace(axis, padding=sides)


def transposed_padded(axis: LayerAxis, name: PaddingName) -> LayerAxis:
    """The axis of a transposed convolution with the padding that a name stands for.

    With `same_upper` and `same_lower` the output is s times the input: the layer is the transpose of the
    convolution with that padding over an input of s · i, as in TensorFlow.  Raises `LayerError`.
    """
    if name not in ("same_upper", "same_lower"):
        return padded(axis, name)
    if axis.output_padding:
        raise LayerError("output_padding", f"is given beside padding {name}", "Remove one of the two keys")
    return transposed_axis(padded(replace(axis, input_size=axis.stride * axis.input_size), name))
