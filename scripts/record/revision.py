"""The revision of the project that is built: its version, and the date of the outputs."""

import os
import re
import subprocess
from datetime import UTC, date, datetime

from scripts.errors import UserError
from scripts.project import INPUTS, Project


def build_date(project: Project) -> date | None:
    """The date of outputs, in UTC: that of SOURCE_DATE_EPOCH if set, else of the last commit.

    None outside a git repository: any other date would differ between users.  Raises `UserError`.
    """
    given = os.environ.get("SOURCE_DATE_EPOCH") or _git(project, "log", "-1", "--format=%ct")
    if not given:
        return None
    try:
        return datetime.fromtimestamp(int(given), UTC).date()
    except (ValueError, OverflowError, OSError):
        raise UserError(f"SOURCE_DATE_EPOCH: cannot be {given!r:.40}. It is a number of seconds since 1970.") from None


def release(project: Project) -> tuple[str, str]:
    """The version of the changelog's last release and its day; raises `UserError` if it names none."""
    text = project.changelog.read_text(encoding="utf-8")
    found = re.search(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d{2}-\d{2})$", text, re.MULTILINE)
    if found is None:
        raise UserError(f"{project.changelog}: names no release. Give one a heading such as: ## [1.0.0] - 2026-01-31")
    return found[1], found[2]


def commit(project: Project) -> str | None:
    """The last commit, with "-dirty" if inputs of the build differ from it; None without git."""
    last = _git(project, "rev-parse", "HEAD")
    changed = last and _git(project, "status", "--porcelain", "--", *(f":(glob){pattern}" for pattern in INPUTS))
    return f"{last}-dirty" if changed else last or None


def _git(project: Project, *words: str) -> str:
    """What git prints for the project's own repository; empty where there is none."""
    # Named, so that no other repository is found in a folder above; nothing in it is written.
    command = ["git", "--git-dir=.git", "--work-tree=.", "--no-optional-locks", *words]
    try:
        result = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return result.stdout.strip() if result.returncode == 0 else ""
