"""Running other programs: their environment, their time limit, their errors."""

import errno
import gzip
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

from scripts.errors import ToolError, UserError
from scripts.files import UNFINISHED, write_whole
from scripts.machine import needs
from scripts.tex.log import Stop, first_stop

# Nothing of the clock or of the folder in a PDF.
REPRODUCIBLE = r"\pdfinfoomitdate=1 \pdftrailerid{}\pdfsuppressptexinfo=-1 "

# Bytes left on a disk on which a program could not write what it had to.
FULL = 1 << 16

# The line in each log that TeX itself has ended.
TEX_ENDED = "Here is how much of TeX's memory you used"

QUIET_TEX = ["-interaction=nonstopmode", "-halt-on-error", "-file-line-error"]

# TeX may read and write in its own folder and read its own trees; its log keeps long lines whole.
# Its clock stands still: the day that the report bears is `revision.build_date`.
TEX_ENVIRONMENT = {
    "openin_any": "p",
    "openout_any": "p",
    "max_print_line": "1000",
    "error_line": "200",
    "half_error_line": "150",
    "SOURCE_DATE_EPOCH": "0",
    "FORCE_SOURCE_DATE": "1",
    # Words for the boxes of the largest drawings with numbers, over the five million that TeX has.
    "extra_mem_bot": "40000000",
}

# Runs a command in a process group that ends when the other end of its standard input is closed, which is also
# when the process that holds that end is killed: no program outlives the build that started it.  Lower descriptors
# than 9 may be inherited, as the build's lock is.
GUARDED = """exec 9<&0 </dev/null
{ read -r _ <&9; kill -KILL 0; } >/dev/null 2>&1 &
"$@" 9<&-
status=$?
{ kill $!; wait $!; } 2>/dev/null
exit $status"""


class TexError(ToolError):
    """TeX stopped at an error, which its log tells."""

    def __init__(self, source: Path, stop: Stop, log: Path) -> None:
        super().__init__(f"{source}: TeX stopped. {stop.message}\nThe full log is {log}.")
        self.stop, self.log = stop, log


def outside_make() -> dict[str, str]:
    """The environment without what one Make hands on to another."""
    makes_own = ("MAKEFLAGS", "MAKELEVEL", "MAKE_VERSION", "BUILD")
    return {name: value for name, value in os.environ.items() if name not in makes_own}


class TimeLimitError(ToolError):
    """A program that took too long."""


def time_limit() -> int:
    """The seconds that a program may take for one figure or the report."""
    given = os.environ.get("TIME_LIMIT", "120")
    if not given.isdecimal() or int(given) < 1:
        raise UserError(f"TIME_LIMIT: cannot be {given!r}. It is a whole number of seconds from 1, for each figure.")
    return int(given)


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str] = MappingProxyType({})) -> str:
    """Run a program in a folder for what it prints; raises `ToolError` where it is missing, fails or is too slow.

    Nothing that it starts outlives this call, or this process.
    """
    seconds = time_limit()
    if shutil.which(command[0]) is None:
        raise ToolError(f"{command[0]} is not installed. Run: make doctor")
    alive, guard = os.pipe()
    with subprocess.Popen(
        ["sh", "-c", GUARDED, "sh", *command],
        cwd=folder,
        env={**os.environ, **environment},
        stdin=alive,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        process_group=0,
        close_fds=False,  # of which only the build's lock is inherited, see only_build
    ) as process:
        os.close(alive)
        try:
            printed, complaints = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise TimeLimitError(
                f"{command[0]} took over {seconds} s in {folder} and was stopped. Look for a loop without an end; "
                f"if it only needs longer, allow more: make TIME_LIMIT={5 * seconds}"
            ) from None
        finally:
            os.close(guard)
    if process.returncode != 0:
        if shutil.disk_usage(folder).free < FULL:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
        raise ToolError(f"{command[0]} failed in {folder}:\n{_last_lines(printed + complaints)}")
    return printed


def latexmk(source: Path, tex_format: Path | None = None) -> None:
    """Compile a source in its own folder, from a dumped format if one is given; raises `TexError`."""
    try:
        _latexmk([source], source.parent, tex_format)
    except ToolError as error:
        # latexmk would take an unchanged source with an error for up to date.
        source.with_suffix(".fdb_latexmk").unlink(missing_ok=True)
        raise _tex_problem(error, source, source.with_suffix(".log")) from error


def latexmk_together(sources: Sequence[Path], folder: Path, tex_format: Path) -> bool:
    """Compile sources in their own folders below one, from a dumped format; whether all of them compiled.

    To start latexmk takes as long as TeX takes for a small figure.
    """
    try:
        _latexmk(sources, folder, tex_format)
    except (ToolError, OSError):
        return False
    return True


def _latexmk(sources: Sequence[Path], folder: Path, tex_format: Path | None) -> None:
    command = ["latexmk", "-norc", "-g", "-cd", "-pdf", "-silent", *QUIET_TEX, f"-pretex={REPRODUCIBLE}"]
    environment = TEX_ENVIRONMENT
    if tex_format is None:
        command += ["-pdflatex=pdflatex -no-shell-escape %O %P"]
    else:
        # One run is enough from it; to look whether files changed, the format among them, would be idle.
        command += [f"-pdflatex=pdflatex -fmt={tex_format.stem} -no-shell-escape %O %P", "-recorder-"]
        environment = environment | {"TEXFORMATS": f"{tex_format.parent.resolve()}:"}
    for source in sources:
        source.with_suffix(".log").unlink(missing_ok=True)
    run([*command, *(str(source.relative_to(folder)) for source in sources)], folder, environment)


def dump_format(preamble: Path, content: bytes, target: Path) -> None:
    """Run a preamble with some content once and keep TeX's memory as a format, whole or not at all; raises `TexError`.

    The format is kept unpacked: TeX reads it as well, and each of its starts then takes a third of the time.
    """
    log = target.with_suffix(".log")
    with TemporaryDirectory(dir=target.parent, prefix=".", suffix=UNFINISHED) as name:
        folder = Path(name)
        (folder / preamble.name).write_bytes(content)
        command = ["pdftex", "-ini", *QUIET_TEX, "-no-shell-escape", f"-jobname={target.stem}", "&pdflatex"]
        try:
            run([*command, rf"\input{{{preamble.name}}}\dump"], folder, TEX_ENVIRONMENT)
        except ToolError as error:
            if (written := folder / log.name).is_file():
                written.replace(log)
            raise _tex_problem(error, preamble, log) from error
        dumped = (folder / target.name).read_bytes()
    # A TeX may have been built not to pack what it dumps.
    packed = dumped.startswith(b"\x1f\x8b")
    write_whole(target, gzip.decompress(dumped) if packed else dumped)


# All that is needed and what there is of it; to ask all programs for their versions takes a while.
found = cache(needs.find)


@cache
def identity() -> str:
    """What tells one installation of the tools from another: their places, sizes and times."""
    programs = [Path(place) for program in needs.PROGRAMS if (place := shutil.which(program))]
    files = [*programs, *needs.tex_places().values()]
    return "\n".join(f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files)


def check() -> None:
    """Raise `ToolError` with all that is missing or too old."""
    if complaint := needs.complaint(found()):
        raise ToolError(complaint)


def _tex_problem(error: ToolError, source: Path, log: Path) -> ToolError:
    """What kept TeX from its end, as far as its log tells."""
    text = log.read_text(errors="replace") if log.is_file() else ""
    if (stop := first_stop(text)) is not None:
        return TexError(source, stop, log)
    if isinstance(error, TimeLimitError) or TEX_ENDED in text:
        return error
    details = "" if text else f"\n{error}"
    return ToolError(f"{source}: TeX was killed before it ended, perhaps for want of memory. Run make again.{details}")


def _last_lines(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines()[-12:])
