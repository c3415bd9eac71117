"""Builds figures: the stages from a figure's file to its frames and its animation, in one process.

Make says which figures may be out of date; a stage whose inputs turn out to be unchanged is not run.
Figures are spread over all cores, the largest first.
"""

import multiprocessing
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL.Image import Image

from scripts import cli, paths
from scripts.animate import animate
from scripts.errors import CombinedError, UserError
from scripts.files import Record, code_fingerprint, digest, frame_files, write_whole
from scripts.rasterise import rasterise
from scripts.render import render
from scripts.spec import Figure
from scripts.typeset import typeset

GOALS = ("pdf", "png", "gif")


@dataclass(frozen=True)
class Outcome:
    """What became of one figure: `problem` is the message of a mistake, None where there was none."""

    figure: str
    frames: int
    problem: str | None = None


def build(figure: Figure, goal: str, started: float) -> Outcome:
    """Bring a figure up to date as far as `goal`, a kind of file; `started` is when its inputs were read."""
    try:
        _build(figure, goal, started)
    except UserError as error:
        return Outcome(figure.name, figure.count, str(cli.in_figure(figure, error)))
    return Outcome(figure.name, figure.count)


def _build(figure: Figure, goal: str, started: float) -> None:
    names = paths.frame_names(figure.name, figure.count)
    document = paths.document(figure.name).with_suffix(".pdf")
    images: list[Image] | None = None

    def bring(kind: str, inputs: str, outputs: list[Path], make: Callable[[], object]) -> None:
        """Run a stage unless its outputs were made from these inputs, and note that they are."""
        record = Record(f"{figure.name}.{kind}")
        fresh = record.holds(inputs, outputs)
        if not fresh:
            make()
        # Records of earlier stages keep their time where they were fresh: what depends on them is, too.
        if not fresh or kind == goal:
            record.keep(inputs, started)

    def draw() -> None:
        nonlocal images
        images = rasterise(figure)

    _note_references(figure)
    inputs = digest(code_fingerprint(), render(figure))
    pdfs = [paths.PDF / f"{name}.pdf" for name in names]
    bring("pdf", inputs, [*pdfs, document, paths.STRIPS / f"{figure.name}.pdf"], lambda: typeset(figure))
    if goal == "pdf":
        return
    inputs = digest(code_fingerprint(), document.read_bytes())
    bring("png", inputs, [paths.PNG / f"{name}.png" for name in names], draw)
    if goal == "png":
        return
    inputs = digest(inputs, repr(figure.durations))
    bring("gif", inputs, [paths.GIF / f"{figure.name}.gif"], lambda: animate(figure, images))


def _note_references(figure: Figure) -> None:
    """Tell Make which other figures' files this one is made from."""
    records = " ".join(str(paths.RECORDS / f"{figure.name}.{goal}") for goal in GOALS)
    files = [str(paths.FIGURES / f"{name}.toml") for name in figure.references]
    rules = [f"{records}: {' '.join(files)}", *(f"{file}:" for file in files)]
    write_whole(paths.RECORDS / f"{figure.name}.d", "\n".join(rules) + "\n")


def forget(name: str) -> None:
    """Remove the outputs of a figure whose file is gone."""
    frames = [(paths.TEX, "tex"), (paths.PDF, "pdf"), (paths.PNG, "png")]
    files = [file for folder, ending in frames for file in frame_files(folder, name, ending)]
    files += [paths.GIF / f"{name}.gif", paths.STRIPS / f"{name}.pdf"]
    files += [paths.RECORDS / f"{name}.{ending}" for ending in (*GOALS, "d")]
    for file in files:
        file.unlink(missing_ok=True)
    shutil.rmtree(paths.document(name).parent, ignore_errors=True)


@contextmanager
def progress(total: int, quiet: bool) -> Iterator[Callable[[Outcome], None]]:
    """A bar on a terminal, plain lines elsewhere, nothing if quiet."""
    if quiet:
        yield lambda _: None
    elif sys.stdout.isatty():
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
        with Progress(*columns) as bar:
            task = bar.add_task("figures", total=total)
            yield lambda outcome: bar.update(task, advance=1, description=outcome.figure)
    else:
        done = iter(range(1, total + 1))
        yield lambda outcome: print(
            f"[{next(done)}/{total}] {outcome.figure}, {outcome.frames} frames"
            + (": failed" if outcome.problem else ""),
            flush=True,
        )


def build_all(figures: Iterable[Figure], goal: str, jobs: int, quiet: bool, started: float) -> None:
    """Build figures in parallel; raises `CombinedError` with every figure's mistake."""
    ordered = sorted(figures, key=lambda figure: figure.count, reverse=True)
    work = partial(build, goal=goal, started=started)
    problems = list[UserError]()
    pool = ProcessPoolExecutor(min(jobs, len(ordered)) or 1, multiprocessing.get_context("fork"))
    with pool, progress(len(ordered), quiet) as tell:
        for future in as_completed([pool.submit(work, figure) for figure in ordered]):
            outcome = future.result()
            tell(outcome)
            if outcome.problem is not None:
                problems.append(UserError(outcome.problem))
    if problems:
        raise CombinedError(problems)


def main() -> None:
    """Build the named figures up to a kind of file."""
    started = time.time()
    command = cli.parser(__doc__)
    cli.names_argument(command)
    command.add_argument("--goal", choices=GOALS, default="gif", help="the last kind of file to make (default: gif)")
    command.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="figures at a time")
    command.add_argument("--quiet", action="store_true", help="say nothing about success")
    command.add_argument(
        "--forget", action="append", default=[], metavar="NAME", help="remove outputs of figures that are gone"
    )
    options = command.parse_args()
    for name in options.forget:
        forget(name)
    build_all(cli.figures(options.names), options.goal, max(options.jobs, 1), options.quiet, started)


if __name__ == "__main__":
    cli.run(main)
