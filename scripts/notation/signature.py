"""From a framework's layer and its arguments to the keys of a figure's file."""

import ast
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from scripts.core.keys import FigureFile
from scripts.errors import LayerError, UserError
from scripts.notation.arguments import Arguments, wrong
from scripts.notation.call import Call
from scripts.notation.sizes import axes_of, channels_of, expanded

Keys = dict[str, Any]
ReadKeys = Callable[["Signature", Arguments], Keys]


@dataclass(frozen=True)
class NamedLayer:
    """A layer's short name, and the keys of its figure that differ from their defaults; no title."""

    name: str
    keys: Keys


@dataclass(frozen=True)
class Signature:
    """A framework's layer: its operation, its arguments in order, and how they become keys.

    `axes` is None if the name does not say how many: the first required argument has one entry per axis
    then, and a layer without required arguments takes the axes of its input.
    """

    name: str
    operation: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    read_keys: ReadKeys
    axes: int | None = None
    keyword_only: bool = False

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of all arguments, in order."""
        return *self.required, *self.optional

    def bind(self, call: Call) -> dict[str, ast.expr]:
        """The arguments of a call by name, unevaluated; raises `UserError` where the call does not fit."""
        most = 0 if self.keyword_only else len(self.arguments)
        if len(call.positional) > most:
            raise UserError(
                f"{self.name} takes at most {most} positional arguments, not {len(call.positional)}. "
                "Pass arguments by name."
            )
        given = dict(zip(self.arguments, call.positional, strict=False))
        for keyword in call.keywords:
            name = keyword.arg or "**"
            self.check_argument(name)
            if name in given:
                raise LayerError(name, "is given twice", "Remove one of the two")
            given[name] = keyword.value
        return given

    def check_argument(self, name: str) -> None:
        """Raise `LayerError` if the layer has no such argument."""
        if name in self.arguments:
            return
        near = get_close_matches(name, self.arguments, n=1)
        known = f"It has {', '.join(self.arguments) or 'none'}"
        raise LayerError(
            reprlib.repr(name)[1:-1],
            f"is not an argument of {self.name}",
            f"Did you mean {near[0]}?" if near else known,
        )

    def read(
        self, given: Mapping[str, Any], input_size: tuple[int, ...], channels: Mapping[str, int] | None = None
    ) -> NamedLayer:
        """The layer with these arguments, and the keys of its channels if they come from elsewhere.

        One number of `input_size` stands for all axes; batch and channels may precede one per axis.  Raises
        `LayerError`.
        """
        for name in self.required:
            if name not in given:
                raise LayerError(name, "is missing", f"{self.name} needs it")
        n = self.axes or self._count_axes(given, input_size)
        size, in_channels = list(expanded(input_size, n)), channels_of(input_size, n)
        Arguments({"input_size": input_size}, list(input_size)).sizes("input_size")
        arguments = Arguments(given, size, in_channels)
        keys = {"operation": self.operation, "input_size": size, **(channels or {}), **self.read_keys(self, arguments)}
        if "in_channels" in self.required:
            _check_channels(in_channels, arguments.value("in_channels"))
        elif "in_channels" in keys:
            _check_channels(in_channels, keys["in_channels"])
        return NamedLayer(self.name.lower(), _changed(keys))

    def _count_axes(self, given: Mapping[str, Any], input_size: tuple[int, ...]) -> int:
        if not self.required:
            return axes_of(input_size)
        name = self.required[0]
        sizes = Arguments(given, []).value(name)
        if not isinstance(sizes, (list, tuple)):
            raise wrong(name, sizes, "a list of one whole number per axis")
        if not 1 <= len(sizes) <= 3:
            raise LayerError(name, f"has {len(sizes)} axes", "A layer has 1, 2 or 3")
        return len(sizes)


def _check_channels(given: int | None, expected: int) -> None:
    """Raise `LayerError` where an input is given with other channels than the layer takes."""
    if given not in (None, expected):
        raise LayerError(
            "input_size", f"has {given} channels for a layer of in_channels = {expected}", "Give both the same number"
        )


def _changed(keys: Keys) -> Keys:
    """The keys that differ from their defaults, in the order of a figure's file and its short form."""
    fields = FigureFile.model_fields
    short = {key: value if key == "input_size" else _short(value) for key, value in keys.items()}
    return {key: short[key] for key in fields if key in short and short[key] != fields[key].default}


def _short(value: Any) -> Any:
    """One number for equal sides of an axis, and one for equal axes."""
    if not isinstance(value, list):
        return value
    each = [(side[0] if side[0] == side[1] else list(side)) if isinstance(side, tuple) else side for side in value]
    return each[0] if isinstance(each[0], int) and each.count(each[0]) == len(each) else each
