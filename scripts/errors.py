"""The mistakes a person can make and mend; everything else keeps its traceback."""

from collections.abc import Sequence
from pathlib import Path


class UserError(Exception):
    """A mistake that its reader can mend; its text is the whole message."""


class LayerError(UserError):
    """A layer that cannot exist.

    `key` is the parameter at fault, `rule` what it breaks, `remedy` what would be right.
    """

    def __init__(self, key: str, rule: str, remedy: str) -> None:
        super().__init__(f"{key}: {rule}. {remedy}{'' if remedy.endswith('?') else '.'}")
        self.key, self.rule, self.remedy = key, rule, remedy


class FigureError(UserError):
    """What is wrong with one figure's file, or another source of one."""

    def __init__(self, source: Path | str, problem: str) -> None:
        super().__init__(f"{source}: {problem}")


class ToolError(UserError):
    """A program that failed: which one, at what, and what it printed."""


class CombinedError(UserError):
    """Several mistakes found in one run, reported together."""

    def __init__(self, errors: Sequence[UserError]) -> None:
        super().__init__("\n".join(str(error) for error in errors))
