"""Calls as text: parsing without evaluating, and writing."""

import ast
import re
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from scripts.errors import UserError

MOST_CHARACTERS = 500

# What may precede a call: "(conv1): " and "(0-2): 3 x " in a printed model, "self.conv1 = " in code.
LABEL = re.compile(r"\([^()]*\)\s*:\s*(?:\d+\s*x\s+)?|[\w.]+\s*=(?!=)")

# Calls around a layer that change nothing of its sizes.
WRAPPERS = ("add", "add_module", "append", "spectral_norm", "TimeDistributed", "weight_norm")


@dataclass(frozen=True)
class Call:
    """A parsed call: its name without the modules before it, and its unevaluated arguments."""

    name: str
    positional: list[ast.expr]
    keywords: list[ast.keyword]


def parse(text: str, rewrites: Iterable[Callable[[str], str]] = ()) -> Call | None:
    """Parse one call, or return None if the text is not one.

    Each of `rewrites` may turn a printed form into Python's syntax before parsing.  A layer may be applied at once, as
    `Conv2D(8, 3)(x)`, or be in one of the `WRAPPERS`, as `model.add(Conv2D(8, 3))`.  Raises `UserError` if the text is
    too long.
    """
    if len(text) > MOST_CHARACTERS:
        raise UserError(f"A layer of {len(text)} characters is too long. Use at most {MOST_CHARACTERS}.")
    source = text.strip().rstrip(",; \t\r\n")
    for rewrite in rewrites:
        source = rewrite(source)
    source = LABEL.sub("", source, count=1).lstrip() if LABEL.match(source) else source
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about invalid escapes in strings
            expression = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    if isinstance(expression, ast.Tuple) and len(expression.elts) == 1:
        expression = expression.elts[0]  # a comma before a comment
    if isinstance(expression, ast.Call) and isinstance(expression.func, ast.Call):
        expression = expression.func
    if isinstance(expression, ast.Call) and _name(expression.func) in WRAPPERS:
        expression = next((inner for inner in expression.args if isinstance(inner, ast.Call)), expression)
    if not isinstance(expression, ast.Call):
        return None
    name = _name(expression.func)
    return None if name is None else Call(name, expression.args, expression.keywords)


def _name(function: ast.expr) -> str | None:
    """The last part of a dotted name; None for other expressions."""
    match function:
        case ast.Name(id=last) | ast.Attribute(attr=last):
            while isinstance(function, ast.Attribute):
                function = function.value
            return last if isinstance(function, ast.Name) else None
    return None


def written(function: str, *positional: object, **keywords: object) -> str:
    """A call in Python's syntax, with positional arguments as they print and strings in double quotes."""
    arguments = [*map(str, positional), *(f"{name}={value!r}" for name, value in keywords.items())]
    return f"{function}({', '.join(arguments)})".replace("'", '"')
