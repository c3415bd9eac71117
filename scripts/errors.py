"""Errors that a user can fix; all others keep their traceback."""

import errno
from collections.abc import Sequence
from pathlib import Path


class UserError(Exception):
    """An error that the user can fix; its text is the whole message.

    Figures that fail for the same reason share its `cause`.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.cause = message


class LayerError(UserError):
    """A layer that cannot exist.

    `key` is the parameter at fault, `rule` what is wrong with it, `remedy` what to change.
    """

    def __init__(self, key: str, rule: str, remedy: str) -> None:
        super().__init__(f"{key}: {rule}. {remedy}{'' if remedy.endswith('?') else '.'}")
        self.key, self.rule, self.remedy = key, rule, remedy


class FigureError(UserError):
    """An error in a figure's file, or in another source of a figure; `line` is its line there, if known."""

    def __init__(self, source: Path | str, problem: str, line: int | None = None) -> None:
        super().__init__(f"{source}{'' if line is None else f', line {line}'}: {problem}")


# Remedies where the operating system refuses to read or write.
REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "Free some space on its disk"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "Get permission to read and write it"),
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
    """A program that failed: its name, what it worked on and what it printed."""


class SourceError(UserError):
    """An error in a template or in the report's text.

    `place` is its file and line, `problem` what is wrong there, `details` further lines of the message.
    """

    def __init__(self, place: str, problem: str, details: Sequence[str] = ()) -> None:
        super().__init__("\n".join([f"{place}: {problem}", *details]))
        self.place, self.problem, self.details = place, problem, details
        self.cause = f"{place}: {problem}"

    def shown_in(self, figure: str) -> "SourceError":
        """The same error, naming the figure in which it shows."""
        shown = SourceError(self.place, self.problem, [*self.details, f"It shows in {figure}."])
        shown.cause = self.cause
        return shown


class CombinedError(UserError):
    """Several errors of one run, reported together."""

    def __init__(self, errors: Sequence[UserError]) -> None:
        super().__init__("\n".join(dict.fromkeys(str(error) for error in errors)))
