"""The report's relationships for all integers, not only for those that can be counted: proofs by an SMT solver.

What a quantity means is written as inequalities (`MEANING`): `o` windows fit, and one more does not.  The solver then
looks for integers of which the meaning and the conditions hold, but not the equation.  There are none.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
import sympy
import z3
from sympy import Expr

from scripts.text.relationships import Relationship, relationships
from tests.conftest import PROJECT

# Towers of layers are proved by induction over their number instead.
TOWERS = ("equal_layers", "doubling_dilation")
PROVED = [name for name, one in relationships(PROJECT).items() if one.proved and name not in TOWERS]
# Enough by far: each takes some milliseconds.
TIME_LIMIT = 20_000


@dataclass
class Claim:
    """Unknowns by their symbols' names, and what is known of them."""

    unknowns: dict[str, z3.ArithRef] = field(default_factory=dict)
    known: list[z3.BoolRef] = field(default_factory=list)

    def __getitem__(self, name: str) -> z3.ArithRef:
        number = z3.Real if name in REAL else z3.Int
        return self.unknowns.setdefault(name, number(name))

    def quotient(self, dividend: z3.ArithRef, divisor: z3.ArithRef) -> z3.ArithRef:
        """Rounded down."""
        quotient, remainder = (self[f"{name}{len(self.unknowns)}"] for name in ("quotient", "remainder"))
        self.known += [dividend == divisor * quotient + remainder, remainder >= 0, remainder < divisor]
        return quotient

    def of(self, formula: Expr) -> z3.ExprRef:
        """SymPy's formula as the solver's."""
        if isinstance(formula, sympy.Symbol):
            return self[formula.name]
        if isinstance(formula, sympy.Rational):
            return z3.IntVal(int(formula)) if formula.is_integer else z3.Q(formula.p, formula.q)
        if isinstance(formula, sympy.floor | sympy.ceiling):
            dividend, divisor = map(self.of, map(sympy.expand, sympy.fraction(sympy.together(formula.args[0].doit()))))
            down = isinstance(formula, sympy.floor)
            return self.quotient(dividend, divisor) if down else -self.quotient(-dividend, divisor)
        if isinstance(formula, sympy.Pow) and formula.exp == -1:
            return 1 / z3.ToReal(self.of(formula.base))
        arguments = [self.of(argument.doit()) for argument in formula.args]
        for kind, combined in COMBINED.items():
            if isinstance(formula, kind):
                return combined(*arguments)
        if isinstance(formula, sympy.Mod):
            dividend, divisor = arguments
            return dividend - divisor * self.quotient(dividend, divisor)
        raise TypeError(f"{formula} is no formula of a relationship")


COMBINED: dict[type, Callable[..., z3.ExprRef]] = {
    sympy.Add: lambda *terms: z3.Sum(terms),
    sympy.Mul: lambda *factors: z3.Product(factors),
    sympy.Max: lambda a, b: z3.If(a > b, a, b),
    sympy.Min: lambda a, b: z3.If(a < b, a, b),
    sympy.Eq: lambda a, b: a == b,
    sympy.Le: lambda a, b: a <= b,
    sympy.Lt: lambda a, b: a < b,
    sympy.Ge: lambda a, b: a >= b,
    sympy.Gt: lambda a, b: a > b,
}

# A stack's numbers, of which centres may be halves; and a share.
STACKED = {f"{name}{previous}" for name in "rjc" for previous in ("", "_previous")}
REAL = STACKED | {"q"}


def layer(x: Claim) -> list[z3.BoolRef]:
    """A layer along an axis: o windows fit into its cells, and one more does not."""
    least = [x["i"] >= 1, x["k"] >= 1, x["s"] >= 1, x["d"] >= 1, x["p_before"] >= 0, x["p_after"] >= 0, x["o"] >= 1]
    return [*least, last_cell(x, x["o"]) <= cells(x), last_cell(x, x["o"] + 1) > cells(x)]


def cells(x: Claim) -> z3.ArithRef:
    return x["i"] + x["p_before"] + x["p_after"]


def last_cell(x: Claim, windows: z3.ArithRef) -> z3.ArithRef:
    """How many cells so many windows reach over."""
    return (windows - 1) * x["s"] + x["d"] * (x["k"] - 1) + 1


def least_padding(x: Claim) -> list[z3.BoolRef]:
    """With P cells more, a window fits for each of the elements 0, s, 2s, …; with one fewer, it does not."""
    wanted, room = x["wanted"], x["i"] + x["p_least"]
    return [
        *((wanted - 1) * x["s"] < x["i"], wanted * x["s"] >= x["i"], x["p_least"] >= 0),
        *(last_cell(x, wanted) <= room, z3.Or(x["p_least"] == 0, last_cell(x, wanted) > room - 1)),
    ]


def ceil_windows(x: Claim) -> list[z3.BoolRef]:
    """As many windows as it takes to reach the last cell, but for those that start after the input."""
    needed, kept = x["needed"], x["o_ceil"]
    start = x["i"] + x["p_before"]
    return [
        *(needed >= 1, last_cell(x, needed) >= cells(x), last_cell(x, needed - 1) < cells(x)),
        *(kept <= needed, (kept - 1) * x["s"] < start, z3.Or(kept == needed, kept * x["s"] >= start)),
    ]


def reached(x: Claim, count: str, phase: z3.ArithRef) -> list[z3.BoolRef]:
    """How many of the kernel's elements phase, phase + s, … there are."""
    return [x[count] >= 0, phase + (x[count] - 1) * x["s"] < x["k"], phase + x[count] * x["s"] >= x["k"]]


def stack(x: Claim) -> list[z3.BoolRef]:
    """The fields of the first two elements: from the begin of the first that they see to the end of the last."""

    def middle(element: z3.ArithRef) -> z3.ArithRef:
        return x["c_previous"] + x["j_previous"] * element

    half, reach, first = (x["r_previous"] - 1) / 2, x["d"] * (x["k"] - 1), -x["p_before"]
    begin, end = middle(first) - half, middle(first + reach) + half
    known = [x["r"] == end - begin + 1, x["c"] == (begin + end) / 2, x["j"] == middle(first + x["s"]) - half - begin]
    return [*known, x["k"] >= 1, x["s"] >= 1, x["d"] >= 1]


def dense(x: Claim) -> list[z3.BoolRef]:
    """Each output channel has a weight for every kernel element of every input channel of its group."""
    inputs, outputs = x["inputs"], x["outputs"]
    return [
        *(inputs >= 1, outputs >= 1, x["g"] >= 1, x["K"] >= 1, x["O"] >= 1),
        *(x["c_in"] == inputs * x["g"], x["c_out"] == outputs * x["g"]),
        *(x["W"] == x["g"] * inputs * outputs * x["K"], x["M"] == x["O"] * x["W"], x["A"] == x["O"] * x["c_out"]),
    ]


# What quantities mean, by their symbols' names; all others are a layer's along an axis.
MEANING: dict[str, Callable[[Claim], list[z3.BoolRef]]] = {
    "a": lambda x: [x["a"] == cells(x) - last_cell(x, x["o"])],
    "o_unit": lambda x: [x["o_unit"] == cells(x) - (last_cell(x, x["o"]) - (x["o"] - 1) * x["s"]) + 1],
    "k_effective": lambda x: [x["k_effective"] == x["d"] * (x["k"] - 1) + 1],
    "b": lambda x: [x["b"] + 1 == x["d"] * (x["k"] - 1) + 1],
    "i_prime": lambda x: [x["i_prime"] == x["o"]],
    "o_prime": lambda x: [x["o_prime"] == x["i"]],
    "i_stretched": lambda x: [
        x["i_stretched"] == x["i_prime"] + (x["s"] - 1) * (x["i_prime"] - 1),
        x["i_prime"] == x["o"],
    ],
    # The window's last element first meets the first input element when the output would begin; it is cropped by p.
    "p_prime": lambda x: [x["p_prime"] + x["p_before"] == x["d"] * (x["k"] - 1)],
    "p_least": least_padding,
    "o_ceil": ceil_windows,
    "m_least": lambda x: reached(x, "m_least", x["s"] - 1),
    "m_most": lambda x: reached(x, "m_most", z3.IntVal(0)),
    # The o windows of the output's gradient, d apart, whose elements are s apart.
    "k_gradient": lambda x: [
        (x["k_gradient"] - 1) * x["d"] + (x["o"] - 1) * x["s"] + 1 <= cells(x),
        x["k_gradient"] * x["d"] + (x["o"] - 1) * x["s"] + 1 > cells(x),
    ],
}


def meaning(one: Relationship, x: Claim) -> list[z3.BoolRef]:
    """What is known of all symbols of a relationship."""
    names = {symbol.name for part in (one.quantity, one.formula, *one.conditions) for symbol in part.free_symbols}
    if one.quantity.name in ("e_first", "e_last"):
        # An element has o shares, an output element's part i of them.
        known = [x["i"] >= 1, x["o"] >= 1, x["t"] >= 0, x["t"] < x["o"]]
        begin, end = x["t"] * x["i"], (x["t"] + 1) * x["i"]
        element = x[one.quantity.name] * x["o"]
        inside = {"e_first": (element <= begin, element + x["o"] > begin)}
        return [*known, *inside.get(one.quantity.name, (element < end, element + x["o"] >= end))]
    if names & STACKED:
        return stack(x)
    if names & {"W", "M", "A"}:
        return dense(x)
    if one.quantity.name == "q":
        # (depthwise + pointwise) / dense, with c_in channels and O places on both sides.
        depthwise, pointwise, all_products = x["K"], x["c_out"], x["c_out"] * x["K"]
        return [x["K"] >= 1, x["c_out"] >= 1, x["q"] * all_products == depthwise + pointwise]
    if "d" not in names:
        x.unknowns["d"] = z3.IntVal(1)
    known = layer(x)
    for name in names & MEANING.keys():
        known += MEANING[name](x)
    if "p" in names:
        known += [x["p"] == x["p_before"], x["p"] == x["p_after"]]
    return known


def counterexample(one: Relationship) -> z3.CheckSatResult:
    """Whether there are integers for which a relationship is false."""
    x = Claim()
    solver = z3.Solver()
    solver.set("timeout", TIME_LIMIT)
    equation = x[one.quantity.name] == x.of(one.formula.doit())
    solver.add(*(x.of(condition.doit()) for condition in one.conditions), z3.Not(equation))
    solver.add(*meaning(one, x), *x.known)
    return solver.check()


@pytest.mark.parametrize("name", PROVED)
def test_a_relationship_holds_for_all_integers(name: str) -> None:
    assert counterexample(relationships(PROJECT)[name]) == z3.unsat


@pytest.mark.parametrize(
    "name", ["axis", "ceil_windows", "transposed_axis", "receptive_field", "weights", "adaptive_last"]
)
def test_a_wrong_one_does_not(name: str) -> None:
    one = relationships(PROJECT)[name]
    assert counterexample(replace(one, formula=one.formula + 1)) == z3.sat


def test_each_layer_of_a_tower_adds_its_window() -> None:
    n, d, k = sympy.symbols("n d k")
    formulas = {name: relationships(PROJECT)[name].formula.doit() for name in TOWERS}
    for name, added in (("equal_layers", d * (k - 1)), ("doubling_dilation", 2**n * d * (k - 1))):
        assert formulas[name].subs(n, 0) == 1
        assert sympy.simplify(formulas[name].subs(n, n + 1) - formulas[name] - added) == 0
