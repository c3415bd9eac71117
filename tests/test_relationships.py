"""The report's relationships against counting: windows laid on cells one by one, elements scattered one by one."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import cache
from itertools import chain, count, product

import pytest
from sympy import Expr, lambdify

from scripts.text.relationships import Relationship, content, relationships
from tests.conftest import PROJECT

NAMES = tuple(relationships(PROJECT))
Values = Mapping[str, float | Fraction]
STACKED = ("k", "s", "p_before", "d")
Parameters = tuple[int, ...]  # a layer's, in this order


def windows(cells: int, k: int, s: int, d: int) -> list[list[int]]:
    """The positions of the elements of every window that fits in a row of cells."""
    placed = ([start + d * element for element in range(k)] for start in range(0, cells, s))
    return [window for window in placed if window[-1] < cells]


def ceil_windows(i: int, k: int, s: int, before: int, after: int, d: int) -> int:
    """Windows that together reach the last cell, but for those that start in the padding after the input."""
    cells = ["before"] * before + ["input"] * i + ["after"] * after
    starts = [0]
    while starts[-1] + d * (k - 1) + 1 < len(cells):
        starts.append(starts[-1] + s)
    return sum(start < len(cells) and cells[start] != "after" for start in starts)


def least_padding(i: int, k: int, s: int, d: int) -> int:
    """The fewest cells added to a row that make room for a window at every s-th of its elements."""
    wanted = len(range(0, i, s))
    return next(extra for extra in count() if len(windows(i + extra, k, s, d)) >= wanted)


def overlap(k: int, s: int, d: int) -> Counter[int]:
    """How many kernel elements reach each element, far from the edges, of a transposed layer's output."""
    reached = Counter(n * s + d * element for n in range(100) for element in range(k))
    return Counter({place: reached[place] for place in range(50 * s, 51 * s)})


def scattered(inputs: int, k: int, s: int, d: int) -> list[set[int]]:
    """Where each input element of a transposed layer adds to its output, before any of it is cropped."""
    return [{n * s + d * element for element in range(k)} for n in range(inputs)]


def counted(i: int, k: int, s: int, before: int, after: int, d: int) -> Values | None:
    """What a layer's quantities are along an axis, all counted; None where no window fits."""
    cells = before + i + after
    placed = windows(cells, k, s, d)
    if not placed:
        return None
    outputs = scattered(len(placed), k, s, d)
    # The convolution's windows and its transpose's scattered elements are the same.
    assert outputs == [set(window) for window in placed]
    stretched = [cell for n in range(len(placed)) for cell in ("input", *["zero"] * (s - 1))][: -(s - 1) or None]
    # The first output element that is kept: which places of the stretched input its kernel's elements meet.
    met = [before - d * element for element in range(k)]
    numbers = overlap(k, s, d).values()
    values = {
        "i": i, "k": k, "s": s, "d": d, "p_before": before, "p_after": after,
        "o": len(placed),
        "a": cells - 1 - placed[-1][-1],
        "o_unit": len(windows(cells, k, 1, d)),
        "o_ceil": ceil_windows(i, k, s, before, after, d),
        "k_effective": len(range(min(placed[0]), max(placed[0]) + 1)),
        "p_least": least_padding(i, k, s, d),
        "b": placed[0][-1] - placed[0][0],
        "k_gradient": len(windows(cells, len(placed), d, s)),
        "i_prime": len(outputs),
        "o_prime": len(range(cells)[before : cells - after]),
        "i_stretched": len(stretched),
        "p_prime": -min(met),
        "m_least": min(numbers), "m_most": max(numbers),
    }  # fmt: skip
    return values | ({"p": before} if before == after else {})


@cache
def layers() -> list[Values]:
    """All layers in the range that the report states, along an axis."""
    most = content(PROJECT)["checked"]
    ranges = [range(1 if name in "iksd" else 0, most[name] + 1) for name in ("i", "k", "s", "p_before", "p_after", "d")]
    return [values for parameters in product(*ranges) if (values := counted(*parameters)) is not None]


def seen(stack: tuple[Parameters, ...], element: int) -> set[int]:
    """The places of the input that an element after a stack of layers sees."""
    places = {element}
    for k, s, p, d in reversed(stack):
        places = {place * s - p + d * e for place in places for e in range(k)}
    return places


@cache
def stacks() -> list[Values]:
    """All stacks of at least two layers in the range that the report states."""
    most = content(PROJECT)["checked_stacks"]
    choices = list(product(*(range(0 if name == "p_before" else 1, most[name] + 1) for name in STACKED)))
    found = list[Values]()
    for stack in chain.from_iterable(product(choices, repeat=n) for n in range(2, most["n"] + 1)):
        values = dict[str, float]()
        for name, part in (("", stack), ("_previous", stack[:-1])):
            first, second = seen(part, 0), seen(part, 1)
            values |= {f"r{name}": max(first) - min(first) + 1, f"j{name}": min(second) - min(first)}
            values[f"c{name}"] = (min(first) + max(first)) / 2
        found.append(values | dict(zip(STACKED, stack[-1], strict=True)))
    return found


@cache
def towers() -> list[Values]:
    """Stacks of layers that are equal, or equal but for a dilation that doubles."""
    most = content(PROJECT)["checked_towers"]
    found = list[Values]()
    for n, k, s, d in product(*(range(1, most[name] + 1) for name in ("n", "k", "s", "d"))):
        equal = seen(((k, s, 0, d),) * n, 0)
        found.append({"n": n, "k": k, "s": s, "d": d, "r_equal": max(equal) - min(equal) + 1})
        doubling = seen(tuple((k, s, 0, d * 2**layer) for layer in range(n)), 0)
        found.append({"n": n, "k": k, "s": s, "d": d, "r_doubling": max(doubling) - min(doubling) + 1})
    return found


@cache
def parts() -> list[Values]:
    """The windows of adaptive poolings: the input elements of which an output element's part has a share.

    Every input element is cut into `o` shares, so that each output element's part has `i` of them.
    """
    most = content(PROJECT)["checked_adaptive"]
    found = list[Values]()
    for i, o in product(range(1, most["i"] + 1), range(1, most["o"] + 1)):
        shares = [element for element in range(i) for _ in range(o)]
        for t in range(o):
            touched = sorted(set(shares[t * i : (t + 1) * i]))
            assert touched == list(range(touched[0], touched[-1] + 1))
            found.append({"i": i, "o": o, "t": t, "e_first": touched[0], "e_last": touched[-1]})
    return found


@cache
def costs() -> list[Values]:
    """The costs of layers, each weight and each multiplication counted one by one."""
    most = content(PROJECT)["checked_costs"]
    found = list[Values]()
    sizes = (range(1, most[name] + 1) for name in ("c_in", "c_out", "K", "O"))
    for c_in, c_out, kernel, places in product(*sizes):
        for g in (g for g in range(1, c_in + 1) if c_in % g == c_out % g == 0):
            met = [(o, i) for o in range(c_out) for i in range(c_in) if o * g // c_out == i * g // c_in]
            weights = [(o, i, element) for o, i in met for element in range(kernel)]
            products = [(place, weight) for place in range(places) for weight in weights]
            depthwise = [
                (place, i, element) for place in range(places) for i in range(c_in) for element in range(kernel)
            ]
            pointwise = [(place, o, i) for place in range(places) for o in range(c_out) for i in range(c_in)]
            counts = {
                "c_in": c_in,
                "c_out": c_out,
                "K": kernel,
                "O": places,
                "g": g,
                "W": len(weights),
                "M": len(products),
            }
            counts["A"] = len({(place, o) for place, (o, _, _) in products})
            exact = {name: Fraction(number) for name, number in counts.items()}
            found.append(exact | {"q": Fraction(len(depthwise + pointwise), len(products))})
    return found


def mentioned(relationship: Relationship) -> set[str]:
    """The names of all symbols of a relationship."""
    parts = (relationship.quantity, relationship.formula, *relationship.conditions)
    return {symbol.name for part in parts for symbol in part.free_symbols}


def every(relationship: Relationship) -> Iterator[Values]:
    """The counted quantities of all layers that have those of a relationship, with defaults for all others."""
    names = mentioned(relationship)
    implied = {
        name: symbol["default"]
        for name, symbol in content(PROJECT)["symbols"].items()
        if "default" in symbol and name not in names
    }
    for values in (*layers(), *stacks(), *towers(), *parts(), *costs()):
        at_default = all(values.get(name, default) == default for name, default in implied.items())
        if at_default and names <= values.keys():
            yield values


def compiled(relationship: Relationship, expression: Expr) -> Callable[[Values], float]:
    """An expression as a function of counted quantities."""
    names = sorted(mentioned(relationship))
    function = lambdify(names, expression, modules="math")
    return lambda values: function(*(values[name] for name in names))


@pytest.mark.parametrize("name", NAMES)
def test_a_relationship_gives_what_is_counted(name: str) -> None:
    relationship = relationships(PROJECT)[name]
    formula = compiled(relationship, relationship.formula)
    conditions = [compiled(relationship, condition) for condition in relationship.conditions]
    met = 0
    for values in every(relationship):
        if all(condition(values) for condition in conditions):
            met += 1
            assert formula(values) == values[relationship.quantity.name], values
    assert met >= 10


@pytest.mark.parametrize("name", [name for name in NAMES if relationships(PROJECT)[name].conditions])
def test_a_relationship_needs_each_of_its_conditions(name: str) -> None:
    relationship = relationships(PROJECT)[name]
    formula = compiled(relationship, relationship.formula)
    conditions = [compiled(relationship, condition) for condition in relationship.conditions]
    for dropped in conditions:
        kept = [condition for condition in conditions if condition is not dropped]
        assert any(
            formula(values) != values[relationship.quantity.name]
            for values in every(relationship)
            if all(condition(values) for condition in kept)
        )
