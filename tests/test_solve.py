"""make solve: every layer within bounds that turns one size into another, and nothing else."""

import re
from itertools import product
from math import ceil

import pytest

from scripts.core.figures import layer_of
from scripts.core.inverse import Bounds, solutions
from scripts.core.keys import check
from scripts.notation.frameworks import layer as read_layer
from scripts.notation.pytorch import shortest
from tests.conftest import Checkout

SMALL = Bounds(kernel_size=4, stride=3, padding=2, dilation=2)


def expected(i: int, o: int, bounds: Bounds) -> set[tuple[str, int, int, int, int, int, bool]]:
    """Kind, kernel size, stride, padding, output padding, dilation and ceil mode, by PyTorch's formulas."""
    found = set()
    for k, s, p, d in product(
        range(1, bounds.kernel_size + 1),
        range(1, bounds.stride + 1),
        range(bounds.padding + 1),
        range(1, bounds.dilation + 1),
    ):
        if k == 1 and d > 1:
            continue
        exact = (i + 2 * p - d * (k - 1) - 1) / s + 1
        if exact >= 1 and int(exact) == o:
            found.add(("Conv", k, s, p, 0, d, False))
        for a in range(max(s, d)):
            if (i - 1) * s - 2 * p + d * (k - 1) + a + 1 == o:
                found.add(("ConvTranspose", k, s, p, a, d, False))
        rounded_up = ceil(exact)
        if (rounded_up - 1) * s >= i + p:
            rounded_up -= 1
        if 2 * p <= k:
            for kind in ("MaxPool", "AvgPool") if d == 1 else ("MaxPool",):
                floor_fits = exact >= 1
                if floor_fits and int(exact) == o:
                    found.add((kind, k, s, p, 0, d, False))
                elif rounded_up == o and rounded_up >= 1:
                    found.add((kind, k, s, p, 0, d, True))
    return found


def parameters(line: str) -> tuple[str, int, int, int, int, int, bool]:
    """What a line of one axis says."""
    kind = re.match(r"[A-Za-z]+", line)
    assert kind is not None
    given = dict(re.findall(r"(\w+)=(\w+)", line))
    k = int(given["kernel_size"])
    numbers = [int(given.get(key, default)) for key, default in (
        ("stride", k if kind[0].endswith("Pool") else 1), ("padding", 0), ("output_padding", 0), ("dilation", 1),
    )]  # fmt: skip
    return (kind[0], k, *numbers, "ceil_mode" in given)  # type: ignore[return-value] # the four numbers


@pytest.mark.parametrize("i", range(1, 9))
def test_all_layers_within_bounds_are_found(i: int) -> None:
    for o in range(1, 13):
        lines = [shortest(layer) for layer in solutions((i,), (o,), SMALL)]
        assert len(lines) == len(set(lines))
        assert set(map(parameters, lines)) == expected(i, o, SMALL), (i, o)


def test_one_line_for_each_layer_the_most_usual_first(fresh: Checkout) -> None:
    """Lines that `make draw` reads as layers with these sizes."""
    lines = fresh.make("-s", "solve", "INPUT=5x7", "OUTPUT=3").splitlines()
    assert lines[0].startswith("Conv2d(1, 1, kernel_size=")
    for line in lines[:20]:
        assert layer_of(check({"title": line, **read_layer(line, (5, 7)).keys}, line)).output_size == (3, 3)
    usual = fresh.run("solve", "--input=56", "--output=28").splitlines()
    assert usual[:2] == [
        "Conv2d(1, 1, kernel_size=3, stride=2, padding=1)",
        "MaxPool2d(kernel_size=3, stride=2, padding=1)",
    ]


def test_a_wish_that_no_layer_grants_has_the_nearest_sizes(fresh: Checkout) -> None:
    printed = fresh.run("solve", "--input=56", "--output=300", fails=True)
    # Of (56 − 1) s − 2p + d(k − 1) + 1 and up to s − 1 more, with s = 5 at most, then 6 at least.
    assert "turns 56 into 300. The nearest sizes: 292 and 325." in printed


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--input=5", "--output=x"], "OUTPUT: cannot be 'x'."),
        (["--input=5", "--output=5x5x5"], "OUTPUT: has 3 numbers, and INPUT 2."),
        (["--input=0", "--output=1"], "INPUT: has 1 to 3 numbers"),
        (["--input=5", "--output=5", "--stride=0"], "STRIDE: cannot be 0. It is a whole number from 1."),
        (["--input=5", "--output=5", "--kernel-size=1000", "--stride=1000", "--padding=9"], "candidates, over"),
    ],
)
def test_wrong_options_of_solve_have_one_message(fresh: Checkout, words: list[str], message: str) -> None:
    assert message in fresh.run("solve", *words, fails=True)
