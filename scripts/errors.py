"""Errors that a person can mend; everything else keeps its traceback."""

import errno
from collections.abc import Sequence
from pathlib import Path


class UserError(Exception):
    """An error that its reader can mend; its text is the whole message.

    `cause` is the same for every figure that fails for one reason.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.cause = message


class LayerError(UserError):
    """A layer that cannot exist.

    `key` is the parameter at fault, `rule` what it breaks, `remedy` what would be right.
    """

    def __init__(self, key: str, rule: str, remedy: str) -> None:
        super().__init__(f"{key}: {rule}. {remedy}{'' if remedy.endswith('?') else '.'}")
        self.key, self.rule, self.remedy = key, rule, remedy


class FigureError(UserError):
    """An error in a figure's file, or in another source of a figure; `line` is its line there, if known."""

    def __init__(self, source: Path | str, problem: str, line: int | None = None) -> None:
        super().__init__(f"{source}{'' if line is None else f', line {line}'}: {problem}")


# What helps where the system refuses to read or write.
REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "Free some space on its disk"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "Give yourself the right to read and write it"),
}


class FileError(UserError):
    """A file that cannot be read or written."""

    def __init__(self, error: OSError, folder: Path) -> None:
        reason = error.strerror or str(error)
        remedy = REMEDIES.get(error.errno or 0)
        also = f" {remedy}, or build elsewhere: make BUILD=FOLDER" if remedy else ""
        super().__init__(f"{error.filename or folder}: {reason}.{also}")
        self.cause = reason


class ToolError(UserError):
    """A program that failed: which one, at what, and what it printed."""


class SourceError(UserError):
    """An error in a template or in the report's text.

    `place` is its file and line, `problem` what is wrong there, `details` further lines of the message.
    """

    def __init__(self, place: str, problem: str, details: Sequence[str] = ()) -> None:
        super().__init__("\n".join([f"{place}: {problem}", *details]))
        self.place, self.problem, self.details = place, problem, details
        self.cause = f"{place}: {problem}"

    def shown_in(self, figure: str) -> "SourceError":
        """The same error, with the figure in which it shows."""
        shown = SourceError(self.place, self.problem, [*self.details, f"It shows in {figure}."])
        shown.cause = self.cause
        return shown


class CombinedError(UserError):
    """Several errors of one run, reported together."""

    def __init__(self, errors: Sequence[UserError]) -> None:
        super().__init__("\n".join(dict.fromkeys(str(error) for error in errors)))
