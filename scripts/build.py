"""Builds figures: the stages from a figure's file to its frames and its animation, in one process.

Make says which figures may be out of date; a stage whose inputs turn out to be unchanged is not run.
Figures are spread over all cores, the largest first.
"""

import json
import multiprocessing
import multiprocessing.connection
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL.Image import Image

from scripts import cli, paths
from scripts.animate import animate
from scripts.errors import CombinedError, ToolError, UserError
from scripts.files import Record, code_fingerprint, digest, frame_files, only_build, write_whole
from scripts.paths import CATALOGUE
from scripts.provenance import recorded
from scripts.rasterise import rasterise
from scripts.render import render
from scripts.spec import Figure
from scripts.typeset import prepare, typeset

# How many figures a message lists that have the same mistake.
MOST_NAMED = 5
GOALS = ("pdf", "png", "gif")


@dataclass(frozen=True)
class Span:
    """What a process did for a while; times are in seconds, of the system's monotonic clock."""

    stage: str
    start: float
    end: float


@dataclass(frozen=True)
class Outcome:
    """What became of one figure: `problem` is the message of a mistake, None where there was none.

    `mistake` is what is the same wherever one mistake shows.
    """

    figure: str
    frames: int
    process: int
    spans: tuple[Span, ...]
    problem: str | None = None
    mistake: str = ""


def build(figure: Figure, goal: str, started: float) -> Outcome:
    """Bring a figure up to date as far as `goal`, a kind of file; `started` is when its inputs were read."""
    spans = list[Span]()
    problem: UserError | None = None
    try:
        with cli.file_errors():
            _build(figure, goal, started, spans)
    except UserError as error:
        problem = cli.in_figure(figure, error)
    told = () if problem is None else (str(problem), problem.mistake.replace(figure.name, "NAME"))
    return Outcome(figure.name, figure.count, os.getpid(), tuple(spans), *told)


@contextmanager
def _timed(stage: str, spans: list[Span]) -> Iterator[None]:
    start = time.monotonic()
    yield
    spans.append(Span(stage, start, time.monotonic()))


def _build(figure: Figure, goal: str, started: float, spans: list[Span]) -> None:
    names = paths.frame_names(figure.name, figure.count)
    document = CATALOGUE.document(figure.name).with_suffix(".pdf")
    pdfs = [*(CATALOGUE.pdf / f"{name}.pdf" for name in names), document, CATALOGUE.strips / f"{figure.name}.pdf"]
    sources = [CATALOGUE.tex / f"{name}.tex" for name in names]
    pngs = [CATALOGUE.png / f"{name}.png" for name in names]
    gifs = [CATALOGUE.gif / f"{figure.name}.gif"]
    images: list[Image] | None = None

    def bring(kind: str, inputs: str, outputs: list[Path], make: Callable[[], object]) -> None:
        """Run a stage unless its outputs were made from these inputs, and note that they are."""
        record = Record(f"{figure.name}.{kind}")
        fresh = record.holds(inputs, outputs)
        if not fresh:
            record.drop()
            with _timed(kind, spans):
                make()
        # Records of earlier stages keep their time where they were fresh: what depends on them is, too.
        if not fresh or kind == goal:
            record.keep(inputs, started)

    def draw() -> None:
        nonlocal images
        images = rasterise(figure)

    _tell_make(figure, [("pdf", [*sources, *pdfs]), ("png", pngs), ("gif", gifs)])
    with _timed("tex", spans):
        inputs = digest(code_fingerprint(), prepare(), render(figure))
    bring("pdf", inputs, pdfs, lambda: typeset(figure))
    if goal == "pdf":
        return
    inputs = digest(code_fingerprint(), document.read_bytes())
    bring("png", inputs, pngs, draw)
    if goal == "png":
        return
    inputs = digest(inputs, repr(figure.durations))
    bring("gif", inputs, gifs, lambda: animate(figure, images))


def _tell_make(figure: Figure, stages: Iterable[tuple[str, list[Path]]]) -> None:
    """Tell Make which other figures' files this one is made from, and which files are lost if not found.

    `stages` are the kinds of files in the order they are made; to lose one is to lose all that follow.
    """
    outputs = list[Path]()
    rules = list[str]()
    for kind, files in stages:
        outputs += files
        record = paths.RECORDS / f"{figure.name}.{kind}"
        rules.append(f"{record}: $(call lost,{' '.join(map(str, outputs))})")
        rules += [f"{record}: {paths.FIGURES / name}.toml" for name in figure.references]
    # Make would stop at a file that is gone, which is the figure's own mistake to report.
    rules += [f"{paths.FIGURES / name}.toml:" for name in figure.references]
    write_whole(paths.RECORDS / f"{figure.name}.d", "\n".join(rules) + "\n")


def forget_others(names: Iterable[str]) -> None:
    """Remove the outputs of all figures but these."""
    known = {file.stem for file in paths.RECORDS.glob("*.d")}
    for name in known - set(names):
        frames = [(CATALOGUE.tex, "tex"), (CATALOGUE.pdf, "pdf"), (CATALOGUE.png, "png")]
        files = [file for folder, ending in frames for file in frame_files(folder, name, ending)]
        files += [CATALOGUE.gif / f"{name}.gif", CATALOGUE.strips / f"{name}.pdf"]
        files += [paths.RECORDS / f"{name}.{ending}" for ending in (*GOALS, "d")]
        shutil.rmtree(CATALOGUE.document(name).parent, ignore_errors=True)
        # The last one is what the figure is known by.
        for file in files:
            file.unlink(missing_ok=True)


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

        def tell(outcome: Outcome) -> None:
            frames = f"{outcome.frames} frame{'s' if outcome.frames > 1 else ''}"
            failed = ": failed" if outcome.problem else ""
            print(f"[{next(done)}/{total}] {outcome.figure}, {frames}{failed}", flush=True)

        yield tell


def build_all(
    figures: Iterable[Figure], goal: str, jobs: int, quiet: bool, started: float, trace: bool
) -> list[UserError]:
    """Build figures in parallel; the mistakes that came to light."""
    # Before the workers start, which inherit both.
    prepare()
    code_fingerprint()
    outcomes = list[Outcome]()
    ordered = sorted(figures, key=lambda figure: figure.count, reverse=True)
    work = partial(build, goal=goal, started=started)
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(min(jobs, len(ordered)) or 1, context, initializer=_begin)
    try:
        # The first of them starts the workers; an interrupt in the middle of that would be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        futures = [pool.submit(work, figure) for figure in ordered]
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        with progress(len(ordered), quiet) as tell:
            for future in as_completed(futures):
                outcome = future.result()
                tell(outcome)
                outcomes.append(outcome)
    except BrokenProcessPool as error:
        raise ToolError("A process of the build was killed, perhaps for want of memory. Run make again.") from error
    finally:
        pool.shutdown(cancel_futures=True)
    if trace:
        write_whole(paths.TRACE, json.dumps({"traceEvents": list(_events(outcomes))}))
    return _grouped(outcome for outcome in outcomes if outcome.problem is not None)


def _events(outcomes: Iterable[Outcome]) -> Iterator[dict[str, object]]:
    """The stages in the form that trace viewers open; times are in microseconds."""
    for outcome in outcomes:
        for span in outcome.spans:
            yield {
                "name": f"{span.stage} {outcome.figure}",
                "cat": span.stage,
                "ph": "X",
                "ts": round(1e6 * span.start),
                "dur": round(1e6 * (span.end - span.start)),
                "pid": outcome.process,
                "tid": outcome.process,
            }


def _begin() -> None:
    """Let this worker be interrupted, and end as soon as the process that gives it work has ended, even if killed."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    parent = multiprocessing.parent_process()
    if parent is None:
        raise RuntimeError("only a worker ends with its parent")

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def _grouped(failed: Iterable[Outcome]) -> list[UserError]:
    """Each mistake once: one in the theme stops many figures in the same way."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in sorted(failed, key=lambda outcome: outcome.figure):
        groups.setdefault(outcome.mistake, []).append(outcome)
    errors = []
    for first, *others in groups.values():
        names = [outcome.figure for outcome in others[:MOST_NAMED]]
        if len(others) > len(names):
            names.append(f"{len(others) - len(names)} more")
        also = f"\nThe same in {', '.join(names)}." if others else ""
        errors.append(UserError(f"{first.problem}{also}"))
    return errors


def main() -> None:
    """Build the named figures up to a kind of file, and remove what is left of figures that are gone."""
    started = time.time()
    command = cli.parser(__doc__)
    cli.names_argument(command)
    command.add_argument("--goal", choices=GOALS, default="gif", help="the last kind of file to make (default: gif)")
    command.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="figures at a time")
    command.add_argument("--keep-going", action="store_true", help="build the valid figures beside wrong files")
    command.add_argument("--quiet", action="store_true", help="say nothing about success")
    command.add_argument("--trace", action="store_true", help=f"write what took how long to {paths.TRACE}")
    options = command.parse_args()
    with only_build(options.quiet), recorded():
        forget_others(paths.figure_names())
        figures, errors = cli.valid_figures(options.names)
        if not errors or options.keep_going:
            errors += build_all(figures, options.goal, max(options.jobs, 1), options.quiet, started, options.trace)
        if errors:
            raise CombinedError(errors)


if __name__ == "__main__":
    cli.run(main)
