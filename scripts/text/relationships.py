"""The report's relationships: formulas with their conditions, and their values for a figure's layer.

`report/relationships.toml` states each one once, in SymPy's notation.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from math import prod
from string import ascii_lowercase
from typing import Any

from sympy import Expr, Rational, Symbol, latex
from sympy.parsing.sympy_parser import parse_expr

from scripts.core.layers import Branches, Layer, Stack
from scripts.project import Project


@dataclass(frozen=True)
class Relationship:
    """An equation, `quantity` = `formula`, that holds wherever all `conditions` do.

    Its `number` is that of a master, "2", or of one of a master's cases, "2c"; all have the title of their master's
    `group`.  `symbols` maps each symbol of the report to its TeX.  `implied` are the values of symbols that it does
    not mention, such as a dilation of 1.  `proved` is whether the tests prove it for all integers.
    """

    name: str
    number: str
    group: str
    title: str
    quantity: Symbol
    formula: Expr
    conditions: tuple[Expr, ...]
    symbols: Mapping[Symbol, str]
    implied: Mapping[str, int]
    proved: bool = True

    @property
    def is_master(self) -> bool:
        """Whether it is no case of another one."""
        return self.number.isdecimal()

    @property
    def tex(self) -> str:
        """The equation, typeset."""
        return f"{self._tex(self.quantity)} = {self._tex(self.formula)}"

    @property
    def row_tex(self) -> str:
        """The equation with its fractions in a row, for tables."""
        formula = latex(self.formula, order="none", symbol_names=dict(self.symbols), fold_short_frac=True)
        return f"{self._tex(self.quantity)} = {formula}"

    @property
    def conditions_tex(self) -> list[str]:
        """The conditions, typeset."""
        return [self._tex(condition) for condition in self.conditions]

    def value(self, values: Mapping[str, Rational]) -> Rational:
        """The formula's value for these numbers."""
        return self.formula.subs({symbol: values[symbol.name] for symbol in self.formula.free_symbols}).doit()

    @property
    def mentioned(self) -> set[str]:
        """The names of its symbols, but for its quantity."""
        return {symbol.name for part in (self.formula, *self.conditions) for symbol in part.free_symbols}

    def holds(self, values: Mapping[str, Rational]) -> bool:
        """Whether it is a statement about these numbers: they have all of its symbols and meet its conditions."""
        if not self.mentioned | {self.quantity.name} <= values.keys():
            return False
        if any(values.get(name, default) != default for name, default in self.implied.items()):
            return False
        given = {symbol: values[symbol.name] for symbol in self.symbols if symbol.name in values}
        return all(condition.subs(given).doit() for condition in self.conditions)

    def worked(self, values: Mapping[str, Rational], repeated: bool = True) -> str:
        """The equation, `repeated` or not, then with numbers in place of symbols, and its result, typeset.

        Raises `ValueError` if a condition does not hold for these numbers, or the result differs from
        theirs.
        """
        given = {symbol: values[symbol.name] for symbol in self.symbols if symbol.name in values}
        for condition in self.conditions:
            if not condition.subs(given).doit():
                raise ValueError(f"{self.name} does not apply: {condition} is false for {dict(values)}")
        result = self.value(values)
        if result != values[self.quantity.name]:
            raise ValueError(f"{self.name} gives {result}, not {self.quantity} = {values[self.quantity.name]}")
        numbers = {symbol: latex(value) for symbol, value in given.items()}
        filled = latex(self.formula, order="none", mul_symbol="dot", symbol_names=numbers)
        steps = [self.tex if repeated else self._tex(self.quantity), filled, latex(result)]
        return " = ".join(dict.fromkeys(steps))

    def _tex(self, expression: Expr) -> str:
        return str(latex(expression, order="none", symbol_names=dict(self.symbols)))


@cache
def content(project: Project) -> dict[str, Any]:
    """The content of the relationships' file."""
    return tomllib.loads((project.report / "relationships.toml").read_text(encoding="utf-8"))


@cache
def relationships(project: Project) -> dict[str, Relationship]:
    """All relationships by name, in the order of the file."""
    symbols = {name: Symbol(name) for name in content(project)["symbols"]}
    tex = {symbols[name]: symbol["tex"] for name, symbol in content(project)["symbols"].items()}

    def parse(text: str) -> Expr:
        # Unevaluated, so that it is typeset as it is written.
        return parse_expr(text, local_dict=dict(symbols), evaluate=False)

    entries = content(project)["relationships"]
    defaults = {name: entry["default"] for name, entry in content(project)["symbols"].items() if "default" in entry}
    numbers, found = _numbers(entries), {}
    for name, entry in entries.items():
        formula, conditions = parse(entry["equation"][1]), tuple(map(parse, entry.get("conditions", [])))
        mentioned = {symbol.name for part in (formula, *conditions) for symbol in part.free_symbols}
        found[name] = Relationship(
            name,
            numbers[name],
            entries[entry.get("of", name)]["group"],
            entry["title"],
            symbols[entry["equation"][0]],
            formula,
            conditions,
            tex,
            {symbol: default for symbol, default in defaults.items() if symbol not in mentioned},
            entry.get("proved", True),
        )
    return found


def _numbers(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Masters as 1, 2, …, and the cases of each as 1a, 1b, …, in the order of the file."""
    cases: dict[str, list[str]] = {name: [] for name, entry in entries.items() if "of" not in entry}
    for name, entry in entries.items():
        if "of" in entry:
            cases[entry["of"]].append(name)
    numbers = {}
    for number, (master, names) in enumerate(cases.items(), start=1):
        numbers[master] = str(number)
        numbers |= {name: f"{number}{letter}" for name, letter in zip(names, ascii_lowercase, strict=False)}
    return numbers


def receptive_fields(project: Project, layers: Stack, axis: int = -1) -> list[dict[str, Rational]]:
    """Receptive field r, jump j and centre c along an axis of a stack: those of the input, and after each layer.

    The entry after a layer also has its own quantities and those of the field before it.  Raises `ValueError` for
    branches.
    """
    field = {"r": Rational(1), "j": Rational(1), "c": Rational(0)}
    found = [field]
    steps = [relationships(project)[name] for name in ("receptive_field", "jump", "centre")]
    for layer in layers:
        if isinstance(layer, Branches):
            raise ValueError("the relationships of receptive fields are those of layers one after the other")
        known = quantities(layer, axis) | {f"{name}_previous": found[-1][name] for name in field}
        found.append(known | {step.quantity.name: step.value(known) for step in steps})
    return found


def quantities(layer: Layer, axis: int = -1) -> dict[str, Rational]:
    """The values of the symbols along one axis of a convolution or pooling, or of a transposed convolution.

    A transposed layer's `i` and `o` are those of the convolution that it transposes, and an unpooling's those of the
    pooling; an adaptive pooling has no others.
    """
    if layer.operation.adaptive:
        return {"i": Rational(layer.input_size[axis]), "o": Rational(layer.output_size[axis])}
    own = layer.axes[axis]
    before, after = own.padding
    values = {"k": own.kernel_size, "s": own.stride, "d": own.dilation, "p_before": before, "p_after": after}
    values["k_effective"] = own.reach + 1
    if before == after:
        values["p"] = before
    if not layer.direct:
        output_size = layer.output_size[axis]
        values |= {"i_prime": own.input_size, "o_prime": output_size, "o": own.input_size, "i": output_size}
        values |= {"a": own.output_padding}
        return {name: Rational(value) for name, value in values.items()}
    direct = layer.direct[axis]
    if layer.transposed:
        values |= {"i_prime": own.input_size, "o_prime": direct.output_size, "i_stretched": direct.spread_size}
        values |= {"o": own.input_size, "i": direct.output_size, "a": own.output_padding, "p_prime": direct.padding[0]}
    else:
        values |= {"i": own.input_size, "o": direct.output_size, "a": direct.remainder, "b": own.reach}
        # The kernel's gradient: a convolution with the output's, whose stride and dilation have changed places.
        gradient = replace(direct, kernel_size=direct.output_size, stride=own.dilation, dilation=own.stride)
        values["k_gradient"] = gradient.output_size
        values |= {"o_ceil": direct.output_size} if layer.ceil_mode else {}
    return {name: Rational(value) for name, value in (values | _costs(layer)).items()}


def _costs(layer: Layer) -> dict[str, int]:
    """Channels and what they cost, for one input; a layer without channels has none."""
    if layer.channels is None:
        return {}
    channels, kernel, output = layer.channels, prod(layer.kernel_size), prod(layer.output_size)
    weights = prod(layer.kernel_shape)
    counts = {"c_in": channels.in_channels, "c_out": channels.out_channels, "g": channels.groups}
    # A transposed layer multiplies each input element with all weights of its channel.
    places = prod(layer.input_size) if layer.transposed else output
    return counts | {"K": kernel, "O": places, "W": weights, "M": weights * places, "A": channels.out_channels * output}


def window(layer: Layer, t: int, axis: int = -1) -> dict[str, Rational]:
    """The values of the symbols for output element `t` along one axis of an adaptive pooling."""
    places = [element.position for element in layer.grid[axis].windows[t]]
    values = {"t": t, "e_first": places[0], "e_last": places[-1]}
    return {name: Rational(value) for name, value in values.items()}
