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
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from PIL.Image import Image

from scripts import cli, paths
from scripts.core.figures import Figure
from scripts.errors import CombinedError, ToolError, UserError
from scripts.files import Record, code_fingerprint, digest, frame_files, only_build, write_whole
from scripts.paths import CATALOGUE
from scripts.record.provenance import recorded
from scripts.stages.animate import animate
from scripts.stages.rasterise import rasterise
from scripts.stages.render import render
from scripts.stages.typeset import check_tools, compile_together, prepare, typeset
from scripts.views.catalogue import scene_of

# How many figures a message lists that have the same mistake.
MOST_NAMED = 5
GOALS = ("pdf", "png", "gif")
# The most figures that latexmk compiles at once, and the most effort that they take, in frames that TeX could typeset;
# and what the start of latexmk and TeX takes.
MOST_TOGETHER = 8
MOST_EFFORT = 200
START = 8


@dataclass(frozen=True)
class Span:
    """What a process did for a while; times are in seconds, of the system's monotonic clock."""

    stage: str
    subject: str
    process: int
    start: float
    end: float


@dataclass
class Outcome:
    """What became of one figure: `problem` is the message of a mistake, None where there was none.

    `mistake` is what is the same wherever one mistake shows.
    """

    figure: str
    frames: int
    spans: list[Span] = field(default_factory=list)
    problem: str | None = None
    mistake: str = ""


def build(share: Sequence[Figure], goal: str, started: float) -> list[Outcome]:
    """Bring figures up to date as far as `goal`, a kind of file; `started` is when their inputs were read."""
    works = [Work(figure, goal, started) for figure in share]
    for work in works:
        work.attempt(work.render)
    for work in works:
        work.attempt(work.begin)
    stale = [work for work in works if work.stale]
    compiled = False
    if len(stale) > 1:
        with _timed("latexmk", ", ".join(work.figure.name for work in stale), stale[0].outcome.spans):
            compiled = compile_together([work.figure for work in stale])
    for work in works:
        work.attempt(partial(work.finish, compiled))
    return [work.outcome for work in works]


@contextmanager
def _timed(stage: str, subject: str, spans: list[Span]) -> Iterator[None]:
    start = time.monotonic()
    yield
    spans.append(Span(stage, subject, os.getpid(), start, time.monotonic()))


class Work:
    """The stages of one figure; each is run unless its outputs were made from the same inputs."""

    def __init__(self, figure: Figure, goal: str, started: float) -> None:
        self.figure, self.goal, self.started = figure, goal, started
        self.outcome = Outcome(figure.name, scene_of(figure).count)
        self.source, self.stale = "", False
        names = paths.frame_names(figure.name, scene_of(figure).count)
        self.sources = [CATALOGUE.tex / f"{name}.tex" for name in names]
        self.document = CATALOGUE.document(figure.name).with_suffix(".pdf")
        strip = CATALOGUE.strips / f"{figure.name}.pdf"
        self.pdfs = [*(CATALOGUE.pdf / f"{name}.pdf" for name in names), self.document, strip]
        self.pngs = [CATALOGUE.png / f"{name}.png" for name in names]
        self.gif = CATALOGUE.gif / f"{figure.name}.gif"

    def attempt(self, stage: Callable[[], object]) -> None:
        """Go on, unless the figure has ended in a mistake before, and keep the one that it ends in."""
        if self.outcome.problem is not None:
            return
        try:
            with cli.file_errors():
                stage()
        except UserError as error:
            told = cli.in_figure(self.figure, error)
            self.outcome.problem = str(told)
            self.outcome.mistake = told.mistake.replace(self.figure.name, "NAME")

    def render(self) -> None:
        """Write the sources."""
        stages = [("pdf", [*self.sources, *self.pdfs]), ("png", self.pngs), ("gif", [self.gif])]
        _tell_make(self.figure, stages)
        with _timed("tex", self.figure.name, self.outcome.spans):
            self.source = render(self.figure)

    def _source_inputs(self) -> str:
        return digest(code_fingerprint(), prepare(), self.source)

    def begin(self) -> None:
        """Find out whether the sources are to be compiled; what was made of them before is then recorded no more."""
        record = Record(f"{self.figure.name}.pdf")
        if not record.holds(self._source_inputs(), self.pdfs):
            record.drop()
            self.stale = True

    def finish(self, compiled: bool) -> None:
        """Make all that is made from the sources, which are `compiled` or are still to be."""
        self._bring("pdf", self._source_inputs(), self.pdfs, lambda: typeset(self.figure, compiled=compiled))
        if self.goal == "pdf":
            return
        images: list[Image] | None = None

        def draw() -> None:
            nonlocal images
            images = rasterise(self.figure)

        inputs = digest(code_fingerprint(), self.document.read_bytes())
        self._bring("png", inputs, self.pngs, draw)
        if self.goal == "png":
            return
        inputs = digest(inputs, repr(scene_of(self.figure).durations))
        self._bring("gif", inputs, [self.gif], lambda: animate(self.figure, images))

    def _bring(self, kind: str, inputs: str, outputs: list[Path], make: Callable[[], object]) -> None:
        """Run a stage unless its outputs were made from these inputs, and note that they are."""
        record = Record(f"{self.figure.name}.{kind}")
        fresh = record.holds(inputs, outputs)
        if not fresh:
            record.drop()
            with _timed(kind, self.figure.name, self.outcome.spans):
                make()
        # Records of earlier stages keep their time where they were fresh: what depends on them is, too.
        if not fresh or kind == self.goal:
            record.keep(inputs, self.started)


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
    check_tools()
    # Before the workers start, which inherit it.
    code_fingerprint()
    figures = list(figures)
    outcomes, spans = list[Outcome](), list[Span]()
    work = partial(build, goal=goal, started=started)
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(min(jobs, len(figures)) or 1, context, initializer=_begin)
    try:
        # The first of them starts the workers; an interrupt in the middle of that would be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        futures = [pool.submit(work, share) for share in shares(figures, jobs)]
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        # While they fill in templates.
        with _timed("format", "figure.fmt", spans):
            prepare()
        with progress(len(figures), quiet) as tell:
            for future in as_completed(futures):
                for outcome in future.result():
                    tell(outcome)
                    outcomes.append(outcome)
    except BrokenProcessPool as error:
        raise ToolError("A process of the build was killed, perhaps for want of memory. Run make again.") from error
    except BaseException:
        # Workers would go on with what is in their queue.
        for worker in multiprocessing.active_children():
            worker.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    if trace:
        spans += (span for outcome in outcomes for span in outcome.spans)
        write_whole(paths.TRACE, json.dumps({"traceEvents": list(map(_event, spans))}))
    return _grouped(outcome for outcome in outcomes if outcome.problem is not None)


def shares(figures: Iterable[Figure], jobs: int) -> Iterator[list[Figure]]:
    """Figures shared out, the largest first; shares get smaller, so that all processes end at the same time."""
    rest = deque(sorted(figures, key=_effort, reverse=True))
    while rest:
        wanted = min(sum(map(_effort, rest)) / (2 * jobs), MOST_EFFORT)
        share = list[Figure]()
        while rest and len(share) < MOST_TOGETHER and sum(map(_effort, share)) < wanted:
            share.append(rest.popleft())
        yield share


def _effort(figure: Figure) -> int:
    return START + scene_of(figure).count


def _event(span: Span) -> dict[str, object]:
    """A stage in the form that trace viewers open; times are in microseconds."""
    return {
        "name": f"{span.stage} {span.subject}",
        "cat": span.stage,
        "ph": "X",
        "ts": round(1e6 * span.start),
        "dur": round(1e6 * (span.end - span.start)),
        "pid": span.process,
        "tid": span.process,
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
