"""Sampling an input at places between its elements, as up-sampling and deformable convolutions do.

Places are counted in elements along each axis: 1.25 is a quarter of the way from element 1 to element 2.
"""

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from math import floor, prod
from typing import Literal, NamedTuple

from scripts.core.layers import Index

Number = float | Fraction
Mode = Literal["nearest", "linear"]


class Source(NamedTuple):
    """An element along an axis, and its share in a sample."""

    element: int
    share: Number


def interpolated(place: Number) -> tuple[Source, ...]:
    """The elements on both sides of a place, or the one there; they may lie beyond an input's ends."""
    before = floor(place)
    sources = Source(before, before + 1 - place), Source(before + 1, place - before)
    return tuple(source for source in sources if source.share)


def _nearest(index: int, factor: int, _: int) -> tuple[Source, ...]:
    return (Source(index // factor, 1),)


def _linear(index: int, factor: int, size: int) -> tuple[Source, ...]:
    place = Fraction(2 * index + 1, 2 * factor) - Fraction(1, 2)
    return interpolated(min(max(place, Fraction(0)), Fraction(size - 1)))


ALONG: dict[Mode, Callable[[int, int, int], tuple[Source, ...]]] = {"nearest": _nearest, "linear": _linear}


def upsampled_from(mode: Mode, index: Index, factors: Index, size: Index) -> list[tuple[Index, float]]:
    """The elements of an input of some size that an element of the up-sampled output is made of, with their shares.

    As in PyTorch's Upsample: "nearest" repeats elements; "linear", which is called bilinear along two axes, is the one
    with align_corners=False.  There, elements are cells whose middles stand at i + ½ in the input and at (o + ½) / r in
    the output, and places beyond the middles of the outermost elements have their values.
    """
    axes = (ALONG[mode](*along) for along in zip(index, factors, size, strict=True))
    return [
        (tuple(source.element for source in sources), float(prod(source.share for source in sources)))
        for sources in product(*axes)
    ]
