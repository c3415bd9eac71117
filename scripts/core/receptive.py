"""Receptive fields along one axis of a network: which places of its input an element depends on.

A network is a sequence of layers, each given as its `Reach`, and of parallel branches.  All places count from the
input's first element, and those in the padding count like others: fields are not cut off at the borders of a map.

Source of the formulas: A. Araujo, W. Norris and J. Sim, "Computing receptive fields of convolutional neural
networks", Distill (2019), doi:10.23915/distill.00021, extended by layers that spread their input.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import ceil, gcd, lcm, prod
from typing import NamedTuple

from scripts.core.arithmetic import AdaptiveAxis, DirectAxis, UnpoolingAxis, WindowAxis
from scripts.core.layers import Layer, Stack
from scripts.errors import LayerError

# Elements whose fields are compared to find all sizes.
MOST_PHASES = 2**14


class Reach(NamedTuple):
    """The input elements of a layer that its output elements depend on.

    Those of output element n are from ⌈(s·n − before) / u⌉ to ⌊(s·n − before + reach) / u⌋, with the `stride` s and
    with u = `spread`, the distance between two of its input elements in the grid that its windows move over.  Where
    the dilated kernel of a transposed convolution skips elements, they may be fewer.
    """

    stride: int
    before: int
    reach: int
    spread: int = 1


# Layers and tuples of branches, whose outputs are added or concatenated; an empty branch is a skip connection.
Network = Sequence["Reach | tuple[Network, ...]"]


@dataclass(frozen=True, slots=True)
class Field:
    """The receptive fields of the elements of a map.

    Windows reach from `first` + n · `jump` to `last` + n · `jump` for element n.  These are whole numbers, and the
    field, where no layer spreads its input; elsewhere the field is smaller, and not of one size.  `sizes` has all
    sizes from the smallest to the largest, counted from a field's first element to its last; 0 is that of an element
    which depends on no input.  `start` is where element 0's field begins, or its windows if it has none.
    """

    jump: Fraction
    first: Fraction
    last: Fraction
    sizes: tuple[int, ...]
    start: int

    @property
    def size(self) -> int:
        """The largest size."""
        return self.sizes[-1]

    @property
    def centre(self) -> Fraction:
        """The middle of what windows reach for the first element."""
        return (self.first + self.last) / 2


def reach(axis: WindowAxis) -> Reach:
    """The reach of a layer along an axis."""
    match axis:
        case DirectAxis():
            return Reach(axis.stride, axis.padding[0], axis.window_size - 1, axis.input_dilation)
        case UnpoolingAxis(axis=pooling):
            # An output element depends on the inputs whose pooling windows cover it.
            return Reach(1, pooling.reach - pooling.padding[0], pooling.reach, pooling.stride)
        case AdaptiveAxis():
            # Window n covers ⌊n · i / o⌋ to ⌈(n + 1) · i / o⌉ − 1, in lowest terms.
            common = gcd(axis.input_size, axis.output_size)
            i, o = axis.input_size // common, axis.output_size // common
            return Reach(i, o - 1, i + o - 2, o)
        case _:
            raise TypeError(f"no receptive field is known for {type(axis).__name__}")


def along(stack: Stack, axis: int = -1) -> Network:
    """The network that some layers are along an axis."""
    return [
        reach(step.window_axes[axis])
        if isinstance(step, Layer)
        else tuple(along(branch, axis) for branch in step.branches)
        for step in stack
    ]


def seen(network: Network, first: int, last: int) -> tuple[int, int]:
    """The first and the last place of the input that the output elements from `first` to `last` depend on.

    The last one is smaller than the first where they depend on none.  With layers that insert zeros, the
    places are an outer bound.
    """
    for step in reversed(network):
        if isinstance(step, Reach):
            first = -((step.before - step.stride * first) // step.spread)
            last = (step.stride * last - step.before + step.reach) // step.spread
        else:
            ends = [seen(branch, first, last) for branch in step]
            # Branches that see nothing do not count, unless all are such.
            ends = [end for end in ends if end[0] <= end[1]] or ends[:1]
            first, last = min(end[0] for end in ends), max(end[1] for end in ends)
        if last < first:
            break
    return first, last


def field(network: Network) -> Field:
    """The fields of a network's output elements; raises `LayerError` where branches do not keep in step.

    Layer by layer, j, the jump, becomes j · s / u, and the field reaches further by j · before / u on the one side and
    by j · (reach − before) / u on the other.
    """
    jump, first, last = _windows(network)
    phases = _period(network)
    if phases > MOST_PHASES:
        raise LayerError("stride", f"gives fields in {phases} phases", f"At most {MOST_PHASES} are compared")
    ends = [seen(network, n, n) for n in range(phases)]
    start, end = ends[0]
    sizes = {max(last_seen - first_seen + 1, 0) for first_seen, last_seen in ends}
    return Field(jump, first, last, tuple(sorted(sizes)), start=start if start <= end else ceil(first))


def fields(network: Network) -> list[Field]:
    """The fields of the input's elements, and of those after each step of a network; raises `LayerError`."""
    return [field(network[:depth]) for depth in range(len(network) + 1)]


class _Windows(NamedTuple):
    """The jump, and where windows begin and end for the first element."""

    jump: Fraction
    first: Fraction
    last: Fraction


def _windows(network: Network) -> _Windows:
    return reduce(_after, network, _Windows(Fraction(1), Fraction(0), Fraction(0)))


def _after(below: _Windows, step: Reach | tuple[Network, ...]) -> _Windows:
    if isinstance(step, Reach):
        element = below.jump / step.spread
        return _Windows(
            element * step.stride,
            below.first - element * step.before,
            below.last + element * (step.reach - step.before),
        )
    found = [_windows(branch) for branch in step]
    jumps = sorted({branch.jump for branch in found})
    if len(jumps) > 1:
        raise LayerError(
            "layers",
            f"joins branches with jumps of {' and '.join(map(str, jumps))}",
            "Give all branches the same product of strides",
        )
    return _Windows(
        below.jump * jumps[0],
        below.first + below.jump * min(branch.first for branch in found),
        below.last + below.jump * max(branch.last for branch in found),
    )


def _period(network: Network) -> int:
    """After how many elements the phases of their fields recur."""
    return prod(step.spread if isinstance(step, Reach) else lcm(*map(_period, step)) for step in network)
