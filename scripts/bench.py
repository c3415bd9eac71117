"""Measures the build: whole commands, and for comparison the same frames drawn by simpler means.

Works in a copy of the project below the build, prints a table, and writes `build/bench.json`.  `--baseline`
compares with such a file.
"""

import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from PIL import Image

from scripts import cli
from scripts.core.figures import Figure, load
from scripts.core.frames import Frame, frames
from scripts.errors import ToolError, UserError
from scripts.files import write_whole
from scripts.formats import FORMATS
from scripts.machine.needs import CHROMIUM
from scripts.processes import outside_make, run
from scripts.project import Project, frame_names
from scripts.site.explorer import page as explorer_page
from scripts.stages.drawn import DPI
from scripts.views import scene_of

# Plane and numerical views, direct and transposed layers; 43 frames.
SAMPLE = (
    "no_padding_strides",
    "padding_strides",
    "dilation",
    "padding_strides_transposed",
    "numerical_padding_strides",
)
NAIVE_DPI = 600
# The 19 figures of the original guide, by name.
CLASSIC = (
    r"((no|arbitrary|same|full)_padding_no_strides|no_padding_strides|padding_strides(_odd)?)(_transposed)?|dilation"
    r"|numerical_(no_padding_no_strides|padding_strides|average_pooling|max_pooling)"
)


@dataclass(frozen=True)
class Measure:
    """A command's runs, in seconds of wall and processor time, and its largest process in MB."""

    what: str
    wall: list[float]
    processor: list[float]
    memory: float

    def row(self, baseline: "Measure | None") -> list[str]:
        """The table's cells: medians, with minimum and maximum in brackets."""
        ratio = "" if baseline is None else f"{statistics.median(self.wall) / statistics.median(baseline.wall):.2f}"
        return [self.what, _spread(self.wall), _spread(self.processor), f"{self.memory:.0f}", ratio]


def _spread(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds):.2f} ({min(seconds):.2f}-{max(seconds):.2f})"


def measure(copy: Path, what: str, command: Sequence[str], runs: int, before: Callable[[], object]) -> Measure:
    """Run a command in the copy, each time after some preparation; raises `ToolError` where it fails."""
    wall, processor, memory = list[float](), list[float](), list[float]()
    for _ in range(runs):
        before()
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=copy, env=outside_make(), stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall.append(time.perf_counter() - started)
        processor.append(usage.ru_utime + usage.ru_stime)
        memory.append(usage.ru_maxrss / 1024)
        if status:
            raise ToolError(f"{' '.join(command)} failed in {copy}.")
    found = Measure(what, wall, processor, max(memory))
    print("  ".join(found.row(None)), flush=True)
    return found


def copy_project(project: Project, copy: Path) -> list[str]:
    """Make a copy of the project; returns the names of the classic figures."""
    shutil.rmtree(copy, ignore_errors=True)
    for file in project.inputs():
        target = copy / file.relative_to(project.root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, target)
    (copy / ".venv").symlink_to((project.root / ".venv").absolute())
    return sorted(name for name in project.figure_names() if re.fullmatch(CLASSIC, name))


def commands(copy: Path, classic: Sequence[str], runs: int) -> list[Measure]:
    """The common commands."""
    make = ["make", "-s"]
    gifs = [*make, "gifs", f"FIGURES={' '.join(classic)}"]

    def clean() -> None:
        shutil.rmtree(copy / "build", ignore_errors=True)

    def edit(file: Path, old: str, new: str) -> Callable[[], None]:
        """A change that switches a file between two texts at each call."""

        def change() -> None:
            path = copy / file
            text = path.read_text(encoding="utf-8")
            if old not in text and new not in text:
                raise ToolError(f"{path} has neither {old!r} nor {new!r} to change.")
            path.write_text(text.replace(old, new) if old in text else text.replace(new, old), encoding="utf-8")

        return change

    dilation = Path("figures/dilation.toml")
    return [
        measure(copy, f"make gifs, {len(classic)} figures, clean", gifs, runs, clean),
        measure(copy, "make gifs, nothing changed", gifs, runs, lambda: None),
        measure(copy, "make, clean", make, runs, clean),
        measure(copy, "make, nothing changed", make, runs, lambda: None),
        measure(
            copy,
            "theme edited, one GIF",
            [*make, "gifs", "FIGURES=dilation"],
            runs,
            edit(Path("templates/styles.tex"), "line width=0.4pt", "line width=0.5pt"),
        ),
        measure(
            copy,
            "figure edited, its GIF",
            [*make, "gifs", "FIGURES=dilation"],
            runs,
            edit(dilation, "dilation = 2", "dilation = 3"),
        ),
    ]


def catalogue_of(copy: Path, classic: Sequence[str], many: int) -> Measure:
    """A build of `many` figures, copies of the classic ones."""
    folder = copy / "figures"
    for file in folder.glob("*.toml"):
        if file.stem not in classic:
            file.unlink()
    for number in range(len(classic), many):
        name = classic[number % len(classic)]
        shutil.copy(folder / f"{name}.toml", folder / f"{name}_{number}.toml")
    clean = partial(shutil.rmtree, copy / "build")
    return measure(copy, f"make gifs, {many} figures, clean", ["make", "-s", "gifs"], 1, clean)


@dataclass(frozen=True)
class Cost:
    """The cost of a format: seconds of processor time for a frame, and the bytes of the files of all figures."""

    format: str
    processor_per_frame: float
    size: int


def costs(copy: Path, classic: Sequence[str], frame_count: int, runs: int) -> list[Cost]:
    """What each format takes of its own, where the figures are typeset; a start of Make and Python is included."""
    found, chosen = list[Cost](), f"FIGURES={' '.join(classic)}"
    for name, kind in FORMATS.items():
        folder = copy / "build" / kind.folder
        make = ["make", "-s", f"{name}s", chosen]
        measure(copy, f"{name}s, first", make, 1, lambda: None)
        measured = measure(copy, f"{name}s", make, runs, partial(shutil.rmtree, folder))
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        found.append(Cost(name, statistics.median(measured.processor) / frame_count, size))
    return found


# Changes a field so many times, and says how many milliseconds each time until the page is laid out with the picture.
REDRAWN = """async (count) => {
  const [field, svg] = [document.getElementById("kernel_size-0"), document.getElementById("svg")];
  const times = [];
  for (let n = 0; n < count; n++) {
    field.value = 3 + (n % 3);
    const started = performance.now();
    field.dispatchEvent(new Event("input", { bubbles: true }));
    svg.getBoundingClientRect();
    times.push(performance.now() - started);
    // What follows the picture is not counted.
    await new Promise((done) => setTimeout(done, 100));
    svg.getBoundingClientRect();
  }
  return times;
}"""


def explorer(project: Project, copy: Path, runs: int) -> dict[str, list[float]]:
    """Milliseconds from a change in the explorer to its new picture, for an input of 20 × 20, by the view."""
    from playwright.sync_api import sync_playwright

    folder, page_file = copy / "explorer", copy / "explorer" / "explore" / "index.html"
    shutil.rmtree(folder, ignore_errors=True)
    page_file.parent.mkdir(parents=True)
    page_file.write_text(explorer_page(project), encoding="utf-8")
    for file in (project.templates / "site").iterdir():
        if file.suffix in (".css", ".js"):
            shutil.copy(file, folder)
    found = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which(CHROMIUM.program))
        for view in ("plane", "numerical"):
            page = browser.new_page()
            layer = f"operation=convolution&input_size=20x20&kernel_size=3&padding=1&view={view}"
            page.goto(f"{page_file.as_uri()}#{layer}")
            found[view] = list(page.evaluate(REDRAWN, 10 * runs))
        browser.close()
    return found


def _processor_seconds() -> float:
    """Processor time of this process and all that it has waited for."""
    return sum(os.times()[:4])


def naive(project: Project, copy: Path, figures: Iterable[Figure]) -> float:
    """Processor seconds per frame with nothing shared: TeX from its start, 600 dpi shrunk to 150."""
    folder = copy / "naive"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    started, count = _processor_seconds(), 0
    for figure in figures:
        images = []
        for name in frame_names(figure.name, scene_of(figure).count):
            shutil.copy(project.catalogue.file("tex", f"{name}.tex"), folder)
            run(["pdflatex", "-interaction=batchmode", f"{name}.tex"], folder)
            run(["pdftoppm", "-r", str(NAIVE_DPI), "-png", "-singlefile", f"{name}.pdf", name], folder)
            with Image.open(folder / f"{name}.png") as large:
                small = large.resize((large.width * DPI // NAIVE_DPI, large.height * DPI // NAIVE_DPI))
                images.append(small.convert("P", palette=Image.Palette.ADAPTIVE))
        images[0].save(folder / f"{figure.name}.gif", save_all=True, append_images=images[1:], duration=1000, loop=0)
        count += scene_of(figure).count
    return (_processor_seconds() - started) / count


def with_matplotlib(project: Project, copy: Path, figures: Iterable[Figure]) -> float:
    """Processor seconds per frame that matplotlib takes to draw the same windows and write the GIFs."""
    started, count = _processor_seconds(), 0
    for figure in figures:
        _animate_with_matplotlib(project, copy, figure)
        count += scene_of(figure).count
    return (_processor_seconds() - started) / count


def _animate_with_matplotlib(project: Project, copy: Path, figure: Figure) -> None:
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot
    from matplotlib.animation import FuncAnimation, PillowWriter
    from matplotlib.patches import Rectangle

    with Image.open(project.catalogue.file("gif", f"{figure.name}.gif")) as ours:
        size = ours.width / DPI, ours.height / DPI
    canvas, (below, above) = pyplot.subplots(1, 2, figsize=size, dpi=DPI)
    rows, columns = (len(axis.cells) for axis in figure.layer.grid)
    for axes, height, width in ((below, rows, columns), (above, *figure.layer.output_size)):
        axes.set(xlim=(0, width), ylim=(height, 0), xticks=range(width + 1), yticks=range(height + 1), aspect=1)
        axes.grid(visible=True, color="black")
    patches: list[Rectangle] = []

    def step(frame: Frame) -> None:
        while patches:
            patches.pop().remove()
        for term in frame.terms:
            row, column = term.position
            patches.append(below.add_patch(Rectangle((column, row), 1, 1, color="navy")))
        row, column = frame.output_index
        patches.append(above.add_patch(Rectangle((column, row), 1, 1, color="teal")))

    steps = list(frames(figure.layer, figure.output_values))
    animation = FuncAnimation(canvas, step, frames=steps, init_func=lambda: None)
    animation.save(copy / f"{figure.name}_matplotlib.gif", writer=PillowWriter(fps=1))
    pyplot.close(canvas)


def machine() -> dict[str, object]:
    """What the results depend on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    return {
        "processor": next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.machine()),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "tex": run(["pdflatex", "--version"], Path()).decode().splitlines()[0],
        "poppler": subprocess.run(["pdftoppm", "-v"], capture_output=True, text=True, check=True).stderr.splitlines()[
            0
        ],
    }


def main() -> None:
    """Measure, print and keep the results."""
    command = cli.parser(__doc__)
    command.add_argument("--runs", type=int, default=5, help="of each command (default: 5)")
    command.add_argument("--many", type=int, default=1000, help="figures of the large catalogue (default: 1000)")
    command.add_argument("--baseline", type=Path, metavar="FILE", help="the results of an earlier run")
    options = command.parse_args()
    baseline = {} if options.baseline is None else read(options.baseline)
    project = Project.current()
    copy, results = project.base / "bench", project.base / "bench.json"
    names = copy_project(project, copy)
    frame_count = sum(scene_of(load(project.figures / f"{name}.toml")).count for name in names)
    measures = commands(copy, names, options.runs)
    formats = costs(copy, names, frame_count, options.runs)
    measures.append(catalogue_of(copy, names, options.many))
    ours = statistics.median(measures[0].processor) / frame_count
    many = sum(scene_of(load(file)).count for file in (copy / "figures").glob("*.toml"))
    sample = [load(project.figures / f"{name}.toml") for name in SAMPLE]
    per_frame = {
        f"make gifs, {len(names)} figures": ours,
        f"make gifs, {options.many} figures": measures[-1].processor[0] / many,
        "naive": naive(project, copy, sample),
        "matplotlib": with_matplotlib(project, copy, sample),
    }
    redrawn = explorer(project, copy, options.runs)
    write_whole(
        results,
        json.dumps(
            {
                "machine": machine(),
                "explorer": redrawn,
                "commands": [asdict(one) for one in measures],
                "processor_per_frame": per_frame,
                "formats": [asdict(one) for one in formats],
            },
            indent=1,
        ),
    )
    print_tables(results, measures, per_frame, formats, redrawn, baseline)


def read(file: Path) -> dict[str, Measure]:
    """The commands of earlier results; raises `UserError` where the file holds none."""
    try:
        measures = [Measure(**one) for one in json.loads(file.read_text(encoding="utf-8"))["commands"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"BASELINE: {file} holds no results of make bench ({error}).") from None
    return {one.what: one for one in measures}


def print_tables(
    results: Path,
    measures: Iterable[Measure],
    per_frame: dict[str, float],
    formats: Iterable[Cost],
    redrawn: dict[str, list[float]],
    baseline: dict[str, Measure],
) -> None:
    """Print the results as Markdown tables, as docs/ keeps them."""
    print(f"\n| command | wall, s | processor, s | largest process, MB |{' to baseline |' if baseline else ''}")
    print(f"|---|---|---|---|{'---|' if baseline else ''}")
    for one in measures:
        row = one.row(baseline.get(one.what))
        print(f"| {' | '.join(row if baseline else row[:-1])} |")
    ours = next(iter(per_frame.values()))
    print("\n| frames made by | processor time of a frame, ms | ratio |\n|---|---|---|")
    for what, seconds in per_frame.items():
        print(f"| {what} | {1000 * seconds:.0f} | {seconds / ours:.2f} |")
    print("\n| format | processor time of a frame, ms | files of all figures, kB |\n|---|---|---|")
    for cost in formats:
        print(f"| {cost.format} | {1000 * cost.processor_per_frame:.1f} | {cost.size / 1000:.0f} |")
    print("\n| explorer, input 20 × 20 | from a change to its picture, ms |\n|---|---|")
    for view, times in redrawn.items():
        print(f"| {view} view | {_spread(times)} |")
    print(f"\nMedians (least-most). Results: {results}")


if __name__ == "__main__":
    cli.run(main)
