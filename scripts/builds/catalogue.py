"""The stages of many figures, in parallel."""

import json
import re
import shutil
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from scripts.builds.figure import FigureBuild, Span, timed
from scripts.core.figures import load_all
from scripts.errors import CombinedError, FigureError, LayerError, UserError
from scripts.files import file_errors, only_build, write_whole
from scripts.formats import FORMATS
from scripts.processes import workers
from scripts.project import Project
from scripts.record.freshness import Record, Unchanged
from scripts.record.provenance import recorded
from scripts.stages.render import package
from scripts.stages.typeset import TexFormat, typeset_together
from scripts.tex.latexmk import tool_files

# The most figures that a message lists for one cause.
MOST_NAMED = 5
# The most figures that latexmk compiles at once, and the most effort of these.  Effort is counted in frames that TeX
# could typeset meanwhile; starting latexmk and TeX takes START.
MOST_TOGETHER = 8
MOST_EFFORT = 200
START = 8
# What the names of a figure's files have after its own.
STEP = re.compile(r"_(\d{2,3}|animate)$")


@dataclass(frozen=True)
class Failure:
    """A figure that failed: the message, and its cause, which other figures may share."""

    figure: str
    message: str
    cause: str


@dataclass
class Done:
    """The result of building some figures: those that failed, and how long each stage took."""

    failures: list[Failure] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)

    def attempt(self, build: FigureBuild, *stages: Callable[[], object]) -> None:
        """Run stages of a figure, up to the first that fails."""
        try:
            with file_errors(build.project.build):
                for stage in stages:
                    stage()
        except LayerError as error:
            message = f"{build.project.figures / build.figure.name}.toml: {error}"
            self.failures.append(Failure(build.figure.name, message, message))
        except UserError as error:
            self.failures.append(Failure(build.figure.name, str(error), error.cause))
        self.spans += build.spans


def build(
    project: Project,
    names: Sequence[str],
    wanted: Sequence[str],
    *,
    jobs: int = 1,
    quiet: bool = True,
    keep_going: bool = False,
    trace: bool = False,
) -> None:
    """Build figures in formats and in those beside them, and delete the files of figures that are gone.

    Raises `CombinedError` with what failed; with `keep_going` it builds the valid figures all the same.
    """
    for name in wanted:
        if name not in FORMATS:
            raise UserError(f"There is no format {name!r}. The formats are {', '.join(FORMATS)}.")
    formats = list(dict.fromkeys(one for name in wanted for one in (*FORMATS[name].beside, name)))
    with only_build(project.base, quiet):
        unchanged = Unchanged(project, *wanted, *names)
        with recorded(project) as provenance:
            forget_others(project)
            tex_format = TexFormat(project)
            builds, errors = planned(project, names, formats, tex_format)
            if not errors or keep_going:
                errors += run(project, builds, tex_format, jobs, quiet, trace)
            if errors:
                raise CombinedError(errors)
        figures = (file for one in builds for file in one.record.files())
        unchanged.keep([provenance, project.catalogue.package, *tool_files(), *figures])


def forget_others(project: Project) -> None:
    """Delete the files of figures whose own file is gone."""
    known = {path.stem for path in project.records.glob("[!_]*.json")}
    for name in known - set(project.figure_names()):
        shutil.rmtree(project.catalogue.document(name).parent, ignore_errors=True)
        Record(project, name).forget()


def planned(
    project: Project, names: Sequence[str], formats: Sequence[str], tex_format: TexFormat
) -> tuple[list[FigureBuild], list[UserError]]:
    """The builds of the valid figures, and the errors of the others; raises `ToolError` for missing tools."""
    # Before anything is read, so that what is edited meanwhile counts as changed.
    texts = {file.stem: file.read_bytes() for file in project.figures.glob("[!.]*.toml") if file.is_file()}
    taken = {name: other for name in names if (other := STEP.sub("", name)) in texts.keys() - {name}}
    figures, errors = load_all([project.figures / f"{name}.toml" for name in names if name not in taken])
    for name, other in taken.items():
        problem = f"its files would have the names of those of a step of {other}. Rename it."
        errors.append(FigureError(project.figures / f"{name}.toml", problem))
    tex_format.check_tools()
    builds = [
        FigureBuild(
            project,
            figure,
            figure.name,
            formats,
            project.catalogue,
            {name: texts[name] for name in (figure.name, *figure.references)},
            tex_format.fingerprint,
        )
        for figure in figures
    ]
    return builds, errors


def run(
    project: Project, builds: Sequence[FigureBuild], tex_format: TexFormat, jobs: int, quiet: bool, trace: bool
) -> list[UserError]:
    """Run the stages of all builds that are stale; returns the errors of those that fail."""
    write_whole(project.catalogue.package, package(project))
    stale = [one for one in builds if not one.is_fresh]
    if not stale:
        if not quiet:
            print(f"Figures up to date: {len(builds)}")
        return []
    jobs, total = max(jobs, 1), Done()
    with workers(min(jobs, len(stale))) as pool, progress(len(stale), quiet) as tell:
        rendering = {pool.submit(_render, share): share for share in shares(stale, jobs)}
        # While they fill templates.
        with timed("format", project.tex_format.name, total.spans):
            tex_format.make()
        finishing = {}
        # The largest first, here too.
        for future, share in rendering.items():
            done = future.result()
            failed = {failure.figure for failure in done.failures}
            finishing[pool.submit(_finish, [one for one in share if one.figure.name not in failed], done)] = share
        for finished in as_completed(finishing):
            done = finished.result()
            failed = {failure.figure for failure in done.failures}
            for one in finishing[finished]:
                tell(one, one.figure.name in failed)
            total.failures += done.failures
            total.spans += done.spans
    if trace:
        write_whole(project.build / "trace.json", json.dumps({"traceEvents": list(map(_event, total.spans))}))
    return _grouped(total.failures)


def _render(share: Sequence[FigureBuild]) -> Done:
    """Write the sources of some figures."""
    done = Done()
    for one in share:
        done.attempt(one, one.render)
    return done


def _finish(share: Sequence[FigureBuild], done: Done) -> Done:
    """Compile some figures together, and write their files; `done` is the result of rendering them."""
    stale = [one for one in share if one.needs_tex]
    compiled = False
    if len(stale) > 1:
        names = [one.figure.name for one in stale]
        # TeX overwrites their documents; if it is killed, none may count as made from an earlier source.
        for one in stale:
            one.record.invalidate("document")
        with timed("latexmk", ", ".join(names), done.spans):
            compiled = typeset_together(stale[0].project, names, stale[0].outputs)
    for one in share:
        done.attempt(one, partial(one.typeset, compiled), one.make_formats)
    return done


def shares(builds: Iterable[FigureBuild], jobs: int) -> Iterator[list[FigureBuild]]:
    """Figures in shares, the largest first; later shares are smaller, so that all processes end at the same time."""
    rest = deque(sorted(builds, key=_effort, reverse=True))
    while rest:
        wanted = min(sum(map(_effort, rest)) / (2 * jobs), MOST_EFFORT)
        share = list[FigureBuild]()
        while rest and len(share) < MOST_TOGETHER and sum(map(_effort, share)) < wanted:
            share.append(rest.popleft())
        yield share


def _effort(build: FigureBuild) -> int:
    return START + build.count


@contextmanager
def progress(total: int, quiet: bool) -> Iterator[Callable[[FigureBuild, bool], None]]:
    """A bar on a terminal, lines elsewhere, nothing if quiet; called with each figure and whether it failed."""
    if quiet:
        yield lambda _build, _failed: None
    elif sys.stdout.isatty():
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
        with Progress(*columns) as bar:
            task = bar.add_task("figures", total=total)
            yield lambda build, _failed: bar.update(task, advance=1, description=build.figure.name)
    else:
        numbers = iter(range(1, total + 1))

        def tell(build: FigureBuild, failed: bool) -> None:
            frames = f"{build.count} frame{'' if build.count == 1 else 's'}"
            print(f"[{next(numbers)}/{total}] {build.figure.name}, {frames}{': failed' if failed else ''}", flush=True)

        yield tell


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


def _grouped(failures: Iterable[Failure]) -> list[UserError]:
    """One error for each cause: an error in the theme stops many figures in the same way."""
    groups: dict[str, list[Failure]] = {}
    for failure in sorted(failures, key=lambda failure: failure.figure):
        groups.setdefault(failure.cause, []).append(failure)
    errors = []
    for first, *others in groups.values():
        names = [failure.figure for failure in others[:MOST_NAMED]]
        if len(others) > len(names):
            names.append(f"{len(others) - len(names)} more")
        also = f"\nThe same in {', '.join(names)}." if others else ""
        errors.append(UserError(f"{first.message}{also}"))
    return errors
