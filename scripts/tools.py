"""Running other programs: their environment, their time limit, their errors."""

import gzip
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

from scripts.errors import ToolError
from scripts.files import write_whole

# Nothing of the clock or of the folder in a PDF.
REPRODUCIBLE = r"\pdfinfoomitdate=1 \pdftrailerid{}\pdfsuppressptexinfo=-1 "


QUIET_TEX = ["-interaction=nonstopmode", "-halt-on-error"]

# TeX may read and write in its own folder and read its own trees; its log keeps long lines whole.
TEX_ENVIRONMENT = {"openin_any": "p", "openout_any": "p", "max_print_line": "1000"}


def outside_make() -> dict[str, str]:
    """The environment without what one Make hands on to another."""
    return {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "BUILD")}


def run(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] = MappingProxyType({}), seconds: int = 120
) -> str:
    """Run a program in a folder for what it prints; raises `ToolError` where it is missing, fails or is too slow."""
    try:
        result = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **environment},
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
    return result.stdout


def latexmk(source: Path, tex_format: Path | None = None) -> None:
    """Compile a source in its own folder, from a dumped format if one is given.

    Raises `ToolError` with TeX's first error and the lines around it.
    """
    fmt = "" if tex_format is None else f"-fmt={tex_format.stem} "
    formats = {} if tex_format is None else {"TEXFORMATS": f"{tex_format.parent.resolve()}:"}
    command = ["latexmk", "-norc", "-g", "-pdf", "-silent", *QUIET_TEX]
    command += [f"-pdflatex=pdflatex {fmt}-no-shell-escape %O %P", f"-pretex={REPRODUCIBLE}", source.name]
    log = source.with_suffix(".log")
    log.unlink(missing_ok=True)
    try:
        run(command, source.parent, TEX_ENVIRONMENT | formats)
    except ToolError as error:
        problem = _tex_error(log)
        if problem is None:
            raise
        # latexmk would take an unchanged source with an error for up to date.
        source.with_suffix(".fdb_latexmk").unlink(missing_ok=True)
        raise ToolError(f"{source}: TeX stopped.\n{problem}\nThe full log is {log}.") from error


def dump_format(preamble: Path, target: Path) -> None:
    """Run a preamble once and keep TeX's memory as a format, whole or not at all.

    The format is kept unpacked: TeX reads it as well, and each of its starts then takes a third of the time.
    """
    with TemporaryDirectory(dir=target.parent) as folder:
        shutil.copy(preamble, folder)
        command = ["pdftex", "-ini", *QUIET_TEX, "-no-shell-escape", f"-jobname={target.stem}", "&pdflatex"]
        run([*command, rf"\input{{{preamble.name}}}\dump"], Path(folder), TEX_ENVIRONMENT)
        dumped = (Path(folder) / target.name).read_bytes()
    # A TeX may have been built not to pack what it dumps.
    packed = dumped.startswith(b"\x1f\x8b")
    write_whole(target, gzip.decompress(dumped) if packed else dumped)


def tex_identity() -> str:
    """What tells one installation of TeX from another: its format and TikZ, their places, sizes and times."""
    command = ["kpsewhich", "-engine=pdftex", "pdflatex.fmt", "tikz.sty"]
    files = [Path(line) for line in run(command, Path()).splitlines()]
    return "\n".join(f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files)


def _tex_error(log: Path) -> str | None:
    lines = log.read_text(errors="replace").splitlines() if log.is_file() else []
    for number, line in enumerate(lines):
        if line.startswith("!"):
            context = takewhile(lambda text: not text.startswith("Here is how much"), lines[number : number + 8])
            return "\n".join(f"    {text}" for text in context if text.strip())
    return None


def _last_lines(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines()[-12:])
