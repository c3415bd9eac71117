"""Sizes of inputs as people write them: one number per axis, one for all, or with batch and channels before them."""

import re
import reprlib
from collections.abc import Sequence

from scripts.errors import LayerError, UserError

MOST_AXES = 3
# Numbers before the size: batch and channels.
LEADING = 2


def parse_size(text: str, name: str = "INPUT") -> tuple[int, ...]:
    """The numbers of a size such as 7, 5x7 or 1x3x224x224; raises `UserError`, which names what the size is of."""
    if not re.fullmatch(r"\d{1,12}(?:[x×,]\d{1,12}){0,4}", text, re.ASCII):
        raise UserError(f"{name}: cannot be {reprlib.repr(text)}. It is a size such as 7, 5x7 or 1x3x224x224.")
    return tuple(map(int, re.split("[x×,]", text)))


def expanded(input_size: Sequence[int], n: int) -> tuple[int, ...]:
    """A size for each of `n` axes, without batch and channels; one number stands for all.

    Raises `LayerError` for other counts.
    """
    if len(input_size) not in (1, n, LEADING + n):
        raise LayerError(
            "input_size",
            f"has {len(input_size)} numbers for {n} {'axis' if n == 1 else 'axes'}",
            f"Give one per axis, as in INPUT={'x'.join('576'[:n])}, one for all, or batch and channels before them",
        )
    return tuple(input_size) * n if len(input_size) == 1 else tuple(input_size[-n:])


def axes_of(input_size: Sequence[int]) -> int:
    """The number of axes where only a size says it, with batch and channels if it has more than three numbers.

    Raises `LayerError`.
    """
    n = len(input_size) - (LEADING if len(input_size) > MOST_AXES else 0)
    if not 1 <= n <= MOST_AXES:
        raise LayerError("input_size", f"has {n} axes", f"A layer has 1 to {MOST_AXES}")
    return n


def channels_of(input_size: Sequence[int], n: int) -> int | None:
    """The number of channels before a size of `n` axes, if it is given."""
    return input_size[1] if len(input_size) == LEADING + n else None
