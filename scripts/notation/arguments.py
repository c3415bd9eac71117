"""The arguments of a layer, each checked when it is read."""

import ast
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scripts.core.keys import COUNT, LARGEST, NATURAL, POSITIVE, SWITCH, FigureFile
from scripts.core.layers import Channels
from scripts.errors import LayerError


@dataclass(frozen=True)
class Arguments:
    """The arguments given to a layer, by name: unevaluated expressions of a parsed call, or plain values.

    `channels` are those of the input, where they are given with its size.  All methods raise `LayerError` for a value
    of the wrong type or out of bounds.
    """

    given: Mapping[str, Any]
    input_size: list[int]
    channels: int | None = None

    @property
    def n(self) -> int:
        """Number of axes."""
        return len(self.input_size)

    def value(self, name: str, default: Any = None) -> Any:
        """A plain value; as in the frameworks, None stands for the default."""
        value = self.given.get(name)
        if isinstance(value, ast.Name):
            value = value.id  # PyTorch prints words without quotes
        elif isinstance(value, ast.expr):
            try:
                value = ast.literal_eval(value)
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                raise LayerError(name, "is not a plain value", "Write numbers, lists of numbers, or a word") from None
        return default if value is None else value

    def per_axis(self, name: str, default: Any = None, sides: int = 1) -> list[Any]:
        """One value per axis, or `sides` per axis; a single value is repeated."""
        value = self.value(name, default)
        count = sides * self.n
        values = list(value) if isinstance(value, (list, tuple)) else [value] * count
        if len(values) != count:
            rule = f"has {len(values)} entries for {self.n} {'axis' if self.n == 1 else 'axes'}"
            raise LayerError(name, rule, f"Give one number, or {'one' if sides == 1 else sides} per axis")
        return values

    def sizes(self, name: str, default: int | list[int] | None = None, least: int = 1, sides: int = 1) -> list[int]:
        """Whole numbers, as many as `per_axis` returns."""
        sizes = self.per_axis(name, default, sides)
        for size in sizes:
            if not is_whole(size, least):
                raise wrong(name, size, POSITIVE if least else NATURAL)
        return sizes

    def norm(self, name: str) -> float:
        """The exponent of L^p pooling."""
        value = self.value(name, 2)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.1 <= value <= 16:
            raise wrong(name, value, FigureFile.model_fields["norm"].description)
        return value

    def switch(self, name: str, default: bool) -> bool:
        """True or false; ONNX writes 1 and 0."""
        value = self.value(name, default)
        if not isinstance(value, int) or value not in (0, 1):
            raise wrong(name, value, SWITCH)
        return bool(value)

    def word(self, name: str, words: tuple[str, ...]) -> str:
        """One of `words`, by default the first."""
        value = self.value(name, words[0])
        if not isinstance(value, str) or value not in words:
            raise wrong(name, value, f"one of {', '.join(words)}" if len(words) > 1 else f"always {words[0]}")
        return value


def channel_keys(in_channels: Any, out_channels: Any, groups: Any) -> dict[str, Any]:
    """The keys of a convolution's channels; none if it has one input and one output channel.

    Raises `LayerError` for values that are not counts, and groups that do not divide the channels.
    """
    keys = {"in_channels": in_channels, "out_channels": out_channels, "groups": groups}
    for key, value in keys.items():
        if not is_whole(value, 1):
            raise wrong(key, value, COUNT)
    Channels(**keys)
    return {} if in_channels == out_channels == 1 else keys


def is_whole(value: object, least: int) -> bool:
    """Whether a value is a whole number within a figure's bounds; booleans are not."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= LARGEST


def wrong(name: str, value: object, description: str | None) -> LayerError:
    """The error for a value that does not meet its description."""
    return LayerError(name, f"cannot be {reprlib.repr(value)}", f"It is {description}")
