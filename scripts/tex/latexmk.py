"""latexmk and the dump of a format: the same PDF from the same source, at any time and place."""

import gzip
import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from scripts.errors import ToolError
from scripts.files import UNFINISHED, write_whole
from scripts.machine import needs
from scripts.processes import TimeLimitError, run
from scripts.tex.log import Stop, first_stop

# Keeps times and paths out of PDFs.
REPRODUCIBLE = r"\pdfinfoomitdate=1 \pdftrailerid{}\pdfsuppressptexinfo=-1 "

# The line with which TeX ends each log itself.
TEX_ENDED = "Here is how much of TeX's memory you used"

QUIET_TEX = ["-interaction=nonstopmode", "-halt-on-error", "-file-line-error"]

# TeX may read and write in its own folder and read its own trees; its log keeps long lines whole.
# Its clock is stopped: the report's date is `revision.build_date`.
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


class TexError(ToolError):
    """TeX stopped at an error; `stop` is what its log says of it."""

    def __init__(self, source: Path, stop: Stop, log: Path) -> None:
        super().__init__(f"{source}: TeX stopped. {stop.message}\nThe full log is {log}.")
        self.stop, self.log = stop, log


def latexmk(source: Path, tex_format: Path | None = None, finds: Path | None = None) -> None:
    """Compile a source in its own folder, from a dumped format if there is one; raises `TexError`.

    TeX finds files also in the folder `finds`.
    """
    try:
        _latexmk([source], source.parent, tex_format, finds)
    except ToolError as error:
        # latexmk would take an unchanged source with an error for up to date.
        source.with_suffix(".fdb_latexmk").unlink(missing_ok=True)
        raise _tex_problem(error, source, source.with_suffix(".log")) from error


def latexmk_together(sources: Sequence[Path], folder: Path, tex_format: Path) -> bool:
    """Compile sources in their own folders below `folder` from a dumped format; returns whether all of them compiled.

    Starting latexmk takes as long as compiling a small figure.
    """
    try:
        _latexmk(sources, folder, tex_format)
    except (ToolError, OSError):
        return False
    return True


def _latexmk(sources: Sequence[Path], folder: Path, tex_format: Path | None, finds: Path | None = None) -> None:
    command = ["latexmk", "-norc", "-g", "-cd", "-pdf", "-silent", *QUIET_TEX, f"-pretex={REPRODUCIBLE}"]
    environment = TEX_ENVIRONMENT
    if tex_format is None:
        command += ["-pdflatex=pdflatex -no-shell-escape %O %P"]
    else:
        # One run is enough; checking whether files changed, the format among them, would only cost time.
        command += [f"-pdflatex=pdflatex -fmt={tex_format.stem} -no-shell-escape %O %P", "-recorder-"]
        environment = environment | {"TEXFORMATS": f"{tex_format.parent.resolve()}:"}
    if finds is not None:
        environment = environment | {"TEXINPUTS": f"{finds.resolve()}:"}
    for source in sources:
        source.with_suffix(".log").unlink(missing_ok=True)
    run([*command, *(str(source.relative_to(folder)) for source in sources)], folder, environment)


def dump_format(source: Path, target: Path) -> None:
    """Run a source once and keep TeX's memory as a format, whole or not at all; raises `TexError`.

    The format is kept uncompressed: TeX reads that too, and then starts in a third of the time.
    """
    log = target.with_suffix(".log")
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=".", suffix=UNFINISHED) as name:
        folder = Path(name)
        shutil.copy(source, folder)
        command = ["pdftex", "-ini", *QUIET_TEX, "-no-shell-escape", f"-jobname={target.stem}", "&pdflatex"]
        try:
            run([*command, rf"\input{{{source.name}}}\dump"], folder, TEX_ENVIRONMENT)
        except ToolError as error:
            if (written := folder / log.name).is_file():
                written.replace(log)
            raise _tex_problem(error, source, log) from error
        dumped = (folder / target.name).read_bytes()
    # Some builds of TeX do not compress formats.
    packed = dumped.startswith(b"\x1f\x8b")
    write_whole(target, gzip.decompress(dumped) if packed else dumped)


@cache
def tool_files() -> tuple[Path, ...]:
    """The installed tools and files of TeX that the project needs."""
    programs = [Path(place) for program in needs.PROGRAMS if (place := shutil.which(program))]
    return (*programs, *needs.tex_places().values())


@cache
def identity() -> str:
    """What distinguishes one installation of the tools from another: their paths, sizes and times."""
    return "\n".join(f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in tool_files())


# All tools with their installed versions; running every program for its version is slow.
installed = cache(needs.find)


def check_tools() -> None:
    """Raise `ToolError` with all tools that are missing or too old."""
    if complaint := needs.complaint(installed()):
        raise ToolError(complaint)


def _tex_problem(error: ToolError, source: Path, log: Path) -> ToolError:
    """The error that stopped TeX, from its log if that shows it."""
    text = log.read_text(errors="replace") if log.is_file() else ""
    if (stop := first_stop(text)) is not None:
        return TexError(source, stop, log)
    if isinstance(error, TimeLimitError) or TEX_ENDED in text:
        return error
    details = "" if text else f"\n{error}"
    return ToolError(f"{source}: TeX was killed before it ended, perhaps for lack of memory. Run make again.{details}")
