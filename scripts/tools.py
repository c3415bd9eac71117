"""Running other programs: their environment, their time limit, their errors."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from scripts.errors import ToolError

# Nothing of the clock or of the folder in a PDF.
REPRODUCIBLE = r"\pdfinfoomitdate=1 \pdftrailerid{}\pdfsuppressptexinfo=-1 "


def run(command: Sequence[str], folder: Path, seconds: int = 120, **environment: str) -> None:
    """Run a program in a folder; raises `ToolError` where it is missing, fails or takes too long."""
    try:
        result = subprocess.run(
            command,
            cwd=folder,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError:
        raise ToolError(f"{command[0]} is not installed. Run: make setup") from None
    except subprocess.TimeoutExpired:
        raise ToolError(f"{command[0]} took over {seconds} s in {folder} and was stopped.") from None
    if result.returncode != 0:
        raise ToolError(f"{command[0]} failed in {folder}:\n{_last_lines(result.stdout + result.stderr)}")


def latexmk(source: Path) -> None:
    """Compile a source in its own folder; raises `ToolError` with TeX's first error and its lines."""
    command = ["latexmk", "-norc", "-pdf", "-silent", "-interaction=nonstopmode", "-halt-on-error"]
    command += ["-pdflatex=pdflatex -no-shell-escape %O %P", f"-pretex={REPRODUCIBLE}", "-usepretex", source.name]
    log = source.with_suffix(".log")
    try:
        # TeX may read and write in its own folder and read its own trees.
        run(
            command,
            source.parent,
            openin_any="p",
            openout_any="p",
            max_print_line="1000",
        )
    except ToolError as error:
        problem = _tex_error(log)
        if problem is None:
            raise
        # latexmk would take an unchanged source with an error for up to date.
        source.with_suffix(".fdb_latexmk").unlink(missing_ok=True)
        raise ToolError(f"{source}: TeX stopped.\n{problem}\nThe full log is {log}.") from error


def _tex_error(log: Path) -> str | None:
    lines = log.read_text(errors="replace").splitlines() if log.is_file() else []
    for number, line in enumerate(lines):
        if line.startswith("!"):
            return "\n".join(f"    {text}" for text in lines[number : number + 8] if text.strip())
    return None


def _last_lines(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines()[-12:])
