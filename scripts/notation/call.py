"""Calls as text: parsing without evaluating, and writing."""

import ast
import re
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from scripts.errors import UserError

MOST_CHARACTERS = 500

# A prefix of a call: "(conv1): " in a printed model, "self.conv1 = " in code.
LABEL = re.compile(r"\([^()]*\)\s*:|[\w.]+\s*=(?!=)")
DOTTED_NAME = re.compile(r"[\w.]+")


@dataclass(frozen=True)
class Call:
    """A parsed call: its name without the modules before it, and its unevaluated arguments."""

    name: str
    positional: list[ast.expr]
    keywords: list[ast.keyword]


def parse(text: str, rewrites: Iterable[Callable[[str], str]] = ()) -> Call | None:
    """Parse one call, or return None if the text is not one.

    Each of `rewrites` may turn a printed form into Python's syntax before parsing.  Raises `UserError` if
    the text is too long.
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
    match expression:
        case ast.Call(func=(ast.Name() | ast.Attribute()) as function):
            name = ast.get_source_segment(source, function) or ""
            if DOTTED_NAME.fullmatch(name):
                return Call(name.rpartition(".")[2], expression.args, expression.keywords)
    return None


def written(function: str, *positional: object, **keywords: object) -> str:
    """A call in Python's syntax, with positional arguments as they print and strings in double quotes."""
    arguments = [*map(str, positional), *(f"{name}={value!r}" for name, value in keywords.items())]
    return f"{function}({', '.join(arguments)})".replace("'", '"')
