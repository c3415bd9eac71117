"""The whole pipeline in a miniature project: what is built, what is rebuilt, and what is not."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections import Counter
from itertools import product
from pathlib import Path
from statistics import mode

import numpy as np
import pikepdf
import pytest
from PIL import Image, ImageSequence

from scripts.builds.catalogue import build, shares
from scripts.builds.figure import FigureBuild
from scripts.core.figures import load
from scripts.files import UNFINISHED
from scripts.formats import FORMATS
from scripts.project import frame_names
from scripts.recipes import container_of
from scripts.record.freshness import Record
from scripts.stages.raster import rasterised
from scripts.views import scene_of
from tests.conftest import FIGURES, PROJECT, RECOLOUR, Checkout


def without_recipes(contents: dict[str, bytes]) -> dict[str, bytes]:
    bare = {}
    for path, content in contents.items():
        container = container_of(content)
        assert container is not None
        taken = container.take(content)
        assert taken is not None
        bare[path] = taken.bare
    return bare


FRAMES = {"tiny": 4, "tiny_transposed": 9, "values": 2}

# The theme's colours, and those with 40 % of the window's colour over them.
INPUT, OUTPUT, WEIGHT = (38, 139, 210), (80, 190, 180), (212, 232, 246)
WINDOW_OVER_INPUT, WINDOW_OVER_OUTPUT = (26, 105, 152), (51, 136, 134)
INK = 0.4  # half the line width, in points


def test_everything_is_built(built: Checkout) -> None:
    build = built.top / "build"
    names = {f"{figure}_{number:02}" for figure, count in FRAMES.items() for number in range(count)}
    for ending in ("tex", "pdf", "png"):
        others = {"tex": {"convfigures.sty"}, "pdf": {f"{figure}.pdf" for figure in FIGURES}}.get(ending, set())
        assert {path.name for path in (build / ending).iterdir()} == {f"{name}.{ending}" for name in names} | others
    assert {path.name for path in (build / "gif").iterdir()} == {f"{figure}.gif" for figure in FIGURES}
    assert (build / "report.pdf").stat().st_size > 10_000


@pytest.mark.parametrize("figure", FRAMES)
def test_frames_have_one_page_of_one_size(built: Checkout, figure: str) -> None:
    sizes = set()
    for path in (built.top / "build" / "pdf").glob(f"{figure}_[0-9]*.pdf"):
        with pikepdf.open(path) as pdf:
            assert len(pdf.pages) == 1
            sizes.add(tuple(map(float, pdf.pages[0].mediabox)))
    assert len(sizes) == 1
    pngs = [Image.open(path) for path in (built.top / "build" / "png").glob(f"{figure}_[0-9]*.png")]
    assert len({png.size for png in pngs}) == 1
    assert {tuple(map(round, png.info["dpi"])) for png in pngs} == {(150, 150)}


@pytest.mark.parametrize(("figure", "duration"), [("tiny", 1000), ("tiny_transposed", 1000), ("values", 500)])
def test_gifs_show_the_frames_for_their_durations(built: Checkout, figure: str, duration: int) -> None:
    gif = Image.open(built.top / "build" / "gif" / f"{figure}.gif")
    assert gif.info["loop"] == 0
    frames = list(ImageSequence.Iterator(gif))
    count = FRAMES[figure]
    assert len(frames) == count
    durations = []
    for number in range(count):
        gif.seek(number)
        durations.append(gif.info["duration"])
        with Image.open(built.top / "build" / "png" / f"{figure}_{number:02}.png") as png:
            assert gif.size == png.size
            difference = np.abs(np.asarray(gif.convert("RGB"), int) - np.asarray(png.convert("RGB"), int))
        assert difference.mean() < 1
        assert (difference.max(axis=-1) > 40).mean() < 0.001
    assert durations == [duration] * (count - 1) + [3000]


def test_gifs_store_one_palette_and_only_what_changes(built: Checkout) -> None:
    path = built.top / "build" / "gif" / "tiny.gif"
    gif = Image.open(path)
    assert gif.tile[0].extents == (0, 0, *gif.size)
    gif.seek(1)
    extents = gif.tile[0].extents
    assert extents is not None
    left, top, right, bottom = extents
    assert (right - left) * (bottom - top) < 0.9 * gif.width * gif.height
    # A local colour table would be announced in a frame's descriptor, after the comma that begins it.
    data = path.read_bytes()
    descriptor = b"," + b"".join(n.to_bytes(2, "little") for n in (left, top, right - left, bottom - top))
    assert data[data.index(descriptor) + len(descriptor)] & 0x80 == 0


def pixel(image: Image.Image, x: float, y: float) -> object:
    """The colour at a point, in cm from the drawing's lower left corner, around which is a margin of 3 pt."""
    scale = 150 / 2.54
    margin = (3 + INK / 2) * 2.54 / 72.27
    return image.getpixel((round((x + margin) * scale), round(image.height - (y + margin) * scale)))


def test_known_cells_of_known_frames_have_their_colours(checkout: Checkout) -> None:
    """Without labels, so that the drawing's own corner is the page's."""
    checkout.edit("templates/styles.tex", r"\figurelabelstrue", r"\figurelabelsfalse")
    checkout.run("build", "tiny", "values")
    column, row = np.array([0.54, 0.27]), np.array([0.378, -0.351])

    def cell(image: Image.Image, r: int, c: int) -> object:
        """The colour of most of nine spots: thin lines cross some cells."""
        spots = product((0.3, 0.5, 0.7), repeat=2)
        return mode(pixel(image, *((c + x) * column + (r + y) * row + 3 * -row * [0, 1])) for x, y in spots)

    window = {0: {(0, 0), (0, 1), (1, 0), (1, 1)}, 3: {(1, 1), (1, 2), (2, 1), (2, 2)}}
    for number, covered in window.items():
        png = Image.open(checkout.top / "build" / "png" / f"tiny_{number:02}.png").convert("RGB")
        gif = Image.open(checkout.top / "build" / "gif" / "tiny.gif")
        gif.seek(number)
        for image in (png, gif.convert("RGB")):
            for r, c in np.ndindex(3, 3):
                expected = WINDOW_OVER_INPUT if (r, c) in covered else INPUT
                assert cell(image, r, c) == pytest.approx(expected, abs=1), (number, r, c)

    # The numerical view: the kernel, a row of padding above the input, and the output, one cell wide.
    png = Image.open(checkout.top / "build" / "png" / "values_00.png").convert("RGB")
    unit = 0.7
    assert pixel(png, 0.15 * unit, 1.65 * unit) == pytest.approx(WEIGHT, abs=1)
    left = 2 + 1.1 + 0.15
    assert pixel(png, left * unit, 2.15 * unit) == pytest.approx((156, 174, 179), abs=1)
    assert pixel(png, left * unit, 1.15 * unit) == pytest.approx(WINDOW_OVER_INPUT, abs=1)
    assert pixel(png, left * unit, 0.15 * unit) == pytest.approx(INPUT, abs=1)
    output = 2 * (2 + 1.1)
    assert pixel(png, (output + 0.15) * unit, 1.65 * unit) == pytest.approx(WINDOW_OVER_OUTPUT, abs=1)
    assert pixel(png, (output + 0.15) * unit, 0.65 * unit) == pytest.approx(OUTPUT, abs=1)


@pytest.mark.parametrize("step", ["tiny_02", "tiny_transposed_05", "values_01"])
def test_a_steps_source_compiles_alone_to_its_frame(built: Checkout, tmp_path: Path, step: str) -> None:
    """With plain pdflatex, to the last pixel."""
    source = built.top / "build" / "tex" / f"{step}.tex"
    subprocess.run(["pdflatex", "-interaction=batchmode", source], cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    images = []
    for name, file in (("alone", tmp_path / f"{step}.pdf"), ("frame", built.top / "build" / "pdf" / f"{step}.pdf")):
        subprocess.run(["pdftoppm", "-r", "150", "-png", "-singlefile", file, name], cwd=tmp_path, check=True)
        images.append(np.asarray(Image.open(tmp_path / f"{name}.png")))
    alone, frame = images
    assert np.array_equal(alone, frame)


LOGS = "work/*/*.log"
ALL = ("report.pdf", "*/*", "report/figures/*", LOGS)


def test_nothing_changed_nothing_done(checkout: Checkout) -> None:
    before = checkout.outputs(*ALL)
    assert checkout.make("gifs") == "Figures up to date: 3\n"
    assert checkout.make() == "build/report.pdf is up to date.\n"
    assert checkout.outputs(*ALL) == before


def imported(checkout: Checkout, module: str) -> set[str]:
    """The packages that a command imports."""
    command = [".venv/bin/python", "-X", "importtime", "-m", f"scripts.{module}"]
    result = subprocess.run(command, cwd=checkout.top, capture_output=True, text=True, check=True)
    return set(re.findall(r"\| +(\w+)$", result.stderr, re.MULTILINE))


SLOW = {"numpy", "jinja2", "PIL", "pikepdf", "pydantic", "sympy"}


def test_a_build_with_nothing_to_do_imports_nothing_slow(checkout: Checkout) -> None:
    for module in ("build", "report"):
        assert imported(checkout, module) & SLOW == set()
    (checkout.top / "templates" / "styles.tex").touch()
    assert imported(checkout, "report") >= SLOW


def test_a_file_touched_but_unchanged_runs_no_tex(checkout: Checkout) -> None:
    before = checkout.outputs(*ALL)
    (checkout.top / "templates" / "styles.tex").touch()
    assert checkout.run("build") == "Figures up to date: 3\n"
    checkout.run("report")
    after = checkout.outputs(*ALL)
    assert {path for path in after if before.get(path) != after[path]} <= {
        path for path in after if "unchanged" in path
    }


def test_a_comment_in_code_that_typesets_nothing_runs_no_tex(checkout: Checkout) -> None:
    """Not even in code that fills templates, if the text stays the same."""
    before = checkout.outputs("tex/*", "pdf/*", "png/*", "gif/*", LOGS, "report/report.log")
    for module in ("cli", "core/layers", "stages/render", "text/chapters"):
        with (checkout.top / "scripts" / f"{module}.py").open("a") as file:
            file.write("# Nothing changes.\n")
    checkout.make("gifs", "report")
    assert checkout.outputs("tex/*", "pdf/*", "png/*", "gif/*", LOGS, "report/report.log") == before


def test_code_that_makes_a_format_remakes_that_format(checkout: Checkout) -> None:
    others = checkout.outputs("tex/*", "pdf/*", "png/*", LOGS)
    gifs = checkout.contents("gif/*")
    checkout.edit("scripts/formats/gif.py", "loop=0", "loop=2")
    checkout.make("gifs")
    assert checkout.outputs("tex/*", "pdf/*", "png/*", LOGS) == others
    assert [path for path, content in checkout.contents("gif/*").items() if gifs[path] == content] == []


def test_code_that_runs_tex_compiles_every_figure_again(checkout: Checkout) -> None:
    before = checkout.outputs(LOGS)
    with (checkout.top / "scripts" / "tex" / "latexmk.py").open("a") as file:
        file.write("# Who knows what changes.\n")
    checkout.make("pdfs")
    assert [path for path, time in checkout.outputs(LOGS).items() if before[path] == time] == []


def test_another_version_of_a_tool_makes_everything_again(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "bin" / "pdftoppm"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\nexec {shutil.which("pdftoppm")} "$@"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    trace = checkout.top / "build" / "trace.json"
    for _ in range(2):
        checkout.make("gifs", "FIGURES=tiny", "TRACE=1")
        stages = {event["cat"] for event in json.loads(trace.read_text())["traceEvents"]}
        assert stages == {"format", "latexmk", "pdf", "png", "gif"}
        assert checkout.make("gifs", "FIGURES=tiny") == "Figures up to date: 1\n"
        os.utime(tool, (0, 0))


def test_a_colour_of_the_theme_changes_every_animation_and_the_report(checkout: Checkout) -> None:
    kinds = ("pdf/*", "png/*", "gif/*", "report/figures/*", "report.pdf")
    before = checkout.contents(*kinds)
    checkout.edit(*RECOLOUR)
    checkout.run("build")
    checkout.run("report")
    after = checkout.contents(*kinds)
    assert [path for path, content in before.items() if after[path] == content] == []


def test_a_figures_file_rebuilds_it_its_transpose_and_the_report(checkout: Checkout) -> None:
    before = checkout.outputs("gif/*", "report.pdf")
    checkout.edit("figures/tiny.toml", "input_size = 3", "input_size = [3, 2]")
    checkout.run("build")
    checkout.run("report")
    after = checkout.outputs("gif/*", "report.pdf")
    changed = {path for path in before if after[path] != before[path]}
    assert changed == {"gif/tiny.gif", "gif/tiny_transposed.gif", "report.pdf"}
    # Two output elements instead of four: superfluous frames are deleted.
    assert len(checkout.outputs("pdf/tiny_0*")) == len(checkout.outputs("tex/tiny_0*")) == 2


def test_how_long_a_frame_is_shown_changes_its_animation_alone(checkout: Checkout) -> None:
    """And the recipe, which holds the figure's file."""
    others, stills = checkout.outputs(LOGS, "*/tiny*"), without_recipes(checkout.contents("pdf/*", "png/*"))
    checkout.edit("figures/values.toml", "frame_duration = 0.5", "frame_duration = 0.25")
    checkout.run("build")
    assert checkout.outputs(LOGS, "*/tiny*") == others
    assert without_recipes(checkout.contents("pdf/*", "png/*")) == stills
    assert Image.open(checkout.top / "build" / "gif" / "values.gif").info["duration"] == 250


def test_a_figure_that_is_removed_takes_its_outputs_along(checkout: Checkout) -> None:
    """In every format, even if the next build is of another format and figure."""
    for name in FORMATS:
        checkout.run("build", "values", f"--format={name}")
    folders = {kind.folder for kind in FORMATS.values()} | {"tex", "work", "made"}
    build = checkout.top / "build"
    assert {str(file.parent.relative_to(build)) for file in build.rglob("values*") if file.parent.name != "values"} == (
        folders
    )
    (checkout.top / "figures" / "values.toml").unlink()
    others = checkout.outputs("gif/tiny*")
    checkout.run("build", "tiny", "--format=pdf")
    assert list(build.rglob("values*")) == []
    assert checkout.outputs("gif/*") == others
    assert checkout.run("build") == "Figures up to date: 2\n"


@pytest.mark.parametrize(
    ("lost", "compiled"),
    [
        ("gif/tiny.gif", 0),
        ("png/tiny_02.png", 0),
        ("tex/tiny_01.tex", 0),
        ("pdf/values_01.pdf", 0),
        ("provenance.json", 0),
        ("work/tiny/tiny.tex", 0),
        ("work/tiny/tiny.pdf", 1),
    ],
)
def test_an_output_that_is_lost_is_made_again(checkout: Checkout, lost: str, compiled: int) -> None:
    """Without TeX, unless TeX made it."""
    file, before = checkout.top / "build" / lost, checkout.outputs(LOGS)
    data = file.read_bytes()
    file.unlink()
    checkout.run("build")
    assert file.read_bytes() == data
    assert sum(before[path] != time for path, time in checkout.outputs(LOGS).items()) == compiled
    others = checkout.outputs("tex/*", "pdf/*", "png/*", "gif/*")
    checkout.run("build")
    assert checkout.outputs("tex/*", "pdf/*", "png/*", "gif/*") == others


def test_records_that_are_lost_or_spoilt_are_made_again(checkout: Checkout) -> None:
    build = checkout.top / "build"
    before = checkout.contents("tex/*", "pdf/*", "png/*", "gif/*")
    (build / "made" / "tiny.json").unlink()
    (build / "made" / "values.json").write_text("{")
    (build / "provenance.json").write_text("")
    (build / "made" / "_versions.json").write_text("[]")
    (build / "work" / "figure.fmt").unlink()
    for file in (build / "made").glob("_unchanged*"):
        file.write_text("")
    assert "[2/2]" in checkout.run("build")
    assert checkout.contents("tex/*", "pdf/*", "png/*", "gif/*") == before
    assert (build / "work" / "figure.fmt").exists()
    assert checkout.run("build") == "Figures up to date: 3\n"


@pytest.mark.parametrize("lost", ["report.pdf", "report/figures/tiny.pdf"])
def test_a_part_of_the_report_that_is_lost_is_made_again(checkout: Checkout, lost: str) -> None:
    file, before = checkout.top / "build" / lost, checkout.outputs(LOGS)
    data = file.read_bytes()
    file.unlink()
    checkout.run("report")
    assert file.read_bytes() == data
    assert checkout.outputs(LOGS) == before


def test_a_theme_that_is_tried_and_taken_back_leaves_nothing_behind(checkout: Checkout) -> None:
    """Even if only one format was built with it."""
    kinds = ("tex/*", "pdf/*", "png/*", "gif/*")
    before = checkout.contents(*kinds)
    checkout.edit(*RECOLOUR)
    checkout.run("build", "tiny", "--format=pdf")
    tried = checkout.contents(*kinds)
    assert {path.removesuffix(".pdf").split("_")[0] for path in before if tried[path] != before[path]} == {
        "tex/tiny",
        "tex/convfigures.sty",
        "pdf/tiny",
    }
    checkout.edit(RECOLOUR[0], *reversed(RECOLOUR[1:]))
    checkout.run("build")
    assert checkout.contents(*kinds) == before


def test_no_figure_has_the_name_of_a_step_of_another(checkout: Checkout) -> None:
    """The page that shows it without motion would be the step's."""
    before = checkout.contents("pdf/*")
    (checkout.top / "figures" / "tiny_00.toml").write_text(FIGURES["values"])
    printed = checkout.run("build", "--format=pdf", fails=True)
    assert "figures/tiny_00.toml: its files would have the names of those of a step of tiny. Rename it.\n" in printed
    assert checkout.contents("pdf/*") == before
    # Steps that only look alike are none.
    (checkout.top / "figures" / "tiny_00.toml").rename(checkout.top / "figures" / "other_00.toml")
    checkout.run("build", "other_00", "--format=pdf")
    assert len(checkout.outputs("pdf/other_00*")) == 3


def test_a_figure_of_one_frame(unbuilt: Checkout) -> None:
    unbuilt.edit("figures/tiny.toml", "input_size = 3", "input_size = 2")
    unbuilt.run("build", "tiny")
    tiny = Image.open(unbuilt.top / "build" / "gif" / "tiny.gif")
    assert tiny.info["duration"] == 3000
    assert list(unbuilt.outputs("png/tiny_*")) == ["png/tiny_00.png"]


def test_a_figure_of_over_a_hundred_frames_has_names_of_three_digits() -> None:
    assert frame_names("some", 100)[99] == "some_99"
    names = frame_names("some", 150)
    assert (names[0], names[-1], len(names)) == ("some_000", "some_149", 150)


def test_images_are_in_the_order_of_their_pages_also_where_there_are_many(tmp_path: Path) -> None:
    with pikepdf.new() as document:
        for number in range(120):
            page = document.add_blank_page(page_size=(4, 4))
            page.contents_add(f"{number / 120} g 0 0 4 4 re f".encode())
        document.save(tmp_path / "many.pdf")
    shades = [page[4, 4] & 0xFF for page in rasterised(tmp_path / "many.pdf", 119, 150)]
    assert shades == pytest.approx([255 * number / 120 for number in range(119)], abs=1)


def test_files_that_a_stage_makes_no_more_are_deleted(built: Checkout, tmp_path: Path) -> None:
    """Such as frames whose names now have three digits."""
    project = built.project._replace(base=tmp_path)
    for count in (100, 101, 3):
        files = [tmp_path / "png" / f"{name}.png" for name in frame_names("some", count)]
        record = Record(project, "some")
        assert not record.fresh("png", str(count))
        with record.stage("png", str(count), files):
            for file in files:
                file.parent.mkdir(exist_ok=True)
                file.touch()
        assert sorted((tmp_path / "png").iterdir()) == files
        assert Record(project, "some").fresh("png", str(count))


def test_a_build_that_was_killed_is_taken_up_by_the_next(checkout: Checkout) -> None:
    """Its workers end with it, and its lock is released."""
    checkout.edit(*RECOLOUR)
    command = [".venv/bin/python", "-m", "scripts.build", "--jobs", "2"]
    build = subprocess.Popen(command, cwd=checkout.top, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert build.stdout is not None
    assert build.stdout.readline().startswith("[1/3]")
    build.kill()
    # The output is closed once no process is left that could write to it.
    assert "[3/3]" not in build.communicate(timeout=60)[0]
    checkout.run("build")
    assert len(checkout.outputs("gif/*")) == 3


@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGKILL])
def test_a_build_that_is_interrupted_keeps_the_figures_that_are_done(unbuilt: Checkout, kill: signal.Signals) -> None:
    """Interrupted as from a terminal, or killed, together with all processes that make has started."""
    command = ["make", "-j1", "gifs"]
    make = subprocess.Popen(
        command,
        cwd=unbuilt.top,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert make.stdout is not None
    line = make.stdout.readline()
    found = re.match(r"\[1/3\] (\w+),", line)
    assert found, line
    name = found[1]
    done = [f"pdf/{name}_[0-9]*", f"png/{name}_[0-9]*", f"gif/{name}.gif", f"made/{name}.*"]
    before = unbuilt.outputs(*done)
    os.killpg(make.pid, kill)
    printed = make.communicate(timeout=60)[0]
    assert make.returncode != 0
    assert "[3/3]" not in printed
    assert "Traceback" not in printed

    printed = unbuilt.run("build")
    assert f"] {name}," not in printed
    assert unbuilt.outputs(*done) == before
    assert len(unbuilt.outputs("gif/*")) == 3
    assert unbuilt.run("build") == "Figures up to date: 3\n"


def test_two_goals_build_each_figure_once_at_a_time(unbuilt: Checkout) -> None:
    printed = unbuilt.make("pdfs", "gifs")
    assert printed.count("[3/3]") == 2
    assert "[4/" not in printed


def test_some_figures(unbuilt: Checkout) -> None:
    assert unbuilt.make("-j8", "-s", "gifs", "FIGURES=values") == ""
    assert list(unbuilt.outputs("gif/*")) == ["gif/values.gif"]
    assert "There is no figures/nope.toml; `make list` shows the figures." in unbuilt.make(
        "gifs", "FIGURES=values nope", fails=True
    )
    unbuilt.run("build", "tiny", "--format=pdf")
    assert len(unbuilt.outputs("pdf/tiny_*")) == 4
    assert len(unbuilt.outputs("png/tiny_*")) == 0
    assert unbuilt.make("all_animations").count("[") == 2


def test_an_unknown_format_is_told_with_those_there_are(checkout: Checkout) -> None:
    printed = checkout.run("build", "--format=bmp", fails=True)
    assert printed == f"There is no format 'bmp'. The formats are {', '.join(FORMATS)}.\n"


def test_a_fault_of_the_report_fails_and_leaves_the_old_one(checkout: Checkout) -> None:
    before = checkout.outputs("report.pdf")
    checkout.edit("report/report.tex", r"\end{document}", "\\ref{nowhere}\n\\end{document}")
    for _ in range(2):
        assert "Reference `nowhere' on page" in checkout.run("report", fails=True)
        assert checkout.outputs("report.pdf") == before
    checkout.edit("report/report.tex", r"\ref{nowhere}", r"\showfigure{nowhere}")
    assert "There is no figures/nowhere.toml" in checkout.run("report", fails=True)


@pytest.mark.full("takes a while")
def test_the_largest_drawings_with_numbers_fit_into_tex(unbuilt: Checkout) -> None:
    layers = {
        "window": "input_size = 63\nkernel_size = 63",
        "grid": "input_size = 66\nkernel_size = 2\nstride = 32",
        "row": "input_size = [190]\nkernel_size = 90",
    }
    for name, layer in layers.items():
        text = f'title = "Large"\noperation = "max_pooling"\nvalues = "random"\n{layer}\n'
        (unbuilt.top / "figures" / f"{name}.toml").write_text(text)
    unbuilt.make("pdfs", f"FIGURES={' '.join(layers)}")


def test_figures_are_shared_out_in_shares_that_get_smaller() -> None:
    """Each figure once, the largest first; the last shares are small enough for all processes to end together."""
    names = ("full_padding_no_strides", "dilation", "no_padding_strides", "numerical_max_pooling")
    figures = [load(PROJECT.figures / f"{name}.toml") for name in names] * 25
    builds = [FigureBuild(PROJECT, figure, figure.name, ["gif"], PROJECT.catalogue, {}, "") for figure in figures]
    for jobs in (1, 2, 7):
        shared = list(shares(builds, jobs))
        assert Counter(one.product for share in shared for one in share) == Counter(one.product for one in builds)
        counts = [scene_of(one.figure).count for share in shared for one in share]
        assert counts == sorted(counts, reverse=True)
        sizes = [len(share) for share in shared]
        assert 1 < max(sizes) <= 8
        assert sizes[-jobs:] == [1] * jobs
    assert list(shares([], 2)) == []


def test_a_build_that_is_interrupted_takes_up_no_more_figures(unbuilt: Checkout) -> None:
    for number in range(17):
        (unbuilt.top / "figures" / f"other{number}.toml").write_text(FIGURES["tiny"])
    command = [".venv/bin/python", "-m", "scripts.build", "--jobs", "1"]
    build = subprocess.Popen(command, cwd=unbuilt.top, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert build.stdout is not None
    assert build.stdout.readline().startswith("[1/20]")
    build.send_signal(signal.SIGINT)
    printed = build.communicate(timeout=60)[0]
    assert build.returncode == 130
    assert "Traceback" not in printed
    # The first share of 8 is done, the next one of 6 at the most; others were waiting for the worker.
    assert 8 <= len(unbuilt.outputs("gif/*")) <= 14
    assert list((unbuilt.top / "build").rglob(f".*{UNFINISHED}")) == []


def test_a_mistake_in_one_figure_leaves_those_that_are_compiled_with_it(unbuilt: Checkout, built: Checkout) -> None:
    """Their bytes are the same as if they were compiled alone."""
    plane = "templates/views/plane.tex.j2"
    drawn = '<< maps.window(step.window, ruled, "window") >>'
    unbuilt.edit(plane, drawn, rf"<% if scene.figure.name == 'tiny' %>\nothing<% endif %>{drawn}")
    for template in ("step", "figure"):
        unbuilt.edit(f"templates/{template}.tex.j2", " as view %>", " as view with context %>")
    printed = unbuilt.run("build", "--jobs=1", "--trace", fails=True)
    assert r"Undefined control sequence \nothing." in printed
    assert "It shows in figure tiny, frame tiny_00." in printed
    assert "The same in" not in printed
    trace = json.loads((unbuilt.top / "build" / "trace.json").read_text())["traceEvents"]
    assert "latexmk tiny_transposed, tiny" in [event["name"] for event in trace]
    assert set(unbuilt.outputs("gif/*")) == {"gif/tiny_transposed.gif", "gif/values.gif"}
    # Just as it was, for the recipes have a fingerprint of the source.
    unbuilt.edit(plane, r"<% if scene.figure.name == 'tiny' %>\nothing<% endif %>", "")
    unbuilt.run("build", "--jobs=1")
    assert unbuilt.contents("pdf/*", "gif/*") == built.contents("pdf/*", "gif/*")


PAPER = (0, 43, 54)  # of the dark theme


def test_themes_are_built_side_by_side_to_the_last_pixel(
    built: Checkout, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THEME", "dark")
    checkout.run("build")
    kinds = ("tex/*", "pdf/*", "png/*", "gif/*", LOGS)
    ours = [f"themes/dark/{kind}" for kind in kinds]
    assert checkout.outputs(*kinds) == built.outputs(*kinds)
    assert {path.removeprefix("themes/dark/") for path in checkout.outputs(*ours)} == set(built.outputs(*kinds))
    classic = built.contents(*kinds[:-1])
    same = [path for path, content in checkout.contents(*ours[:-1]).items() if content in classic.values()]
    assert same == []

    # The page is the theme's paper, without a row or column of another colour at its edge.
    build = checkout.top / "build" / "themes" / "dark"
    for file in (*build.glob("png/*"), *build.glob("gif/*")):
        pixels = np.asarray(Image.open(file).convert("RGB"))
        edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        assert np.unique(edge, axis=0).tolist() == [list(PAPER)], file.name

    # Each follows its own file.
    before = checkout.outputs(*kinds), checkout.outputs(*ours)
    checkout.edit(*RECOLOUR)
    assert checkout.run("build", "tiny") == "Figures up to date: 1\n"
    checkout.edit("templates/themes/dark.tex", "{32,125,192}", "{220,50,47}")
    assert "[1/1] tiny" in checkout.run("build", "tiny")
    assert checkout.outputs(*kinds) == before[0]
    changed = {path for path, time in checkout.outputs(*ours).items() if before[1].get(path) != time}
    assert {path.split("/")[-1][:5] for path in changed} == {"tiny_", "tiny.", "convf"}
    after = checkout.outputs(*ours)
    monkeypatch.delenv("THEME")
    assert "[1/1] tiny" in checkout.run("build", "tiny")
    assert checkout.outputs(*ours) == after


def test_make_builds_in_a_theme_and_says_which_there_are(built: Checkout) -> None:
    printed = built.make("gifs", "THEME=drak", fails=True)
    assert f"THEME: cannot be 'drak'. It is one of {', '.join(PROJECT.themes())}.\n" in printed
    assert "Traceback" not in printed
    for words in (["make", "-n", "gifs", "THEME=dark"], ["make", "gifs", "THEME=../x"]):
        subprocess.run(words, cwd=built.top, check=False, capture_output=True)
        assert not (built.top / "build" / "themes").exists()


def test_make_hands_the_theme_on(unbuilt: Checkout) -> None:
    unbuilt.make("pdfs", "FIGURES=values", "THEME=dark")
    assert unbuilt.outputs("themes/dark/pdf/*_*").keys() == {f"themes/dark/pdf/values_{n:02}.pdf" for n in range(2)}
    assert unbuilt.outputs("pdf/*") == {}


def test_projects_in_one_process_are_independent(checkout: Checkout, tmp_path: Path) -> None:
    """Each with its own theme, figures and base, in any order."""
    other = Checkout(tmp_path / "other")
    shutil.copytree(checkout.top, other.top, symlinks=True)
    other.edit(*RECOLOUR)
    other.edit("figures/tiny.toml", "input_size = 3", "input_size = [2, 3]")
    before = checkout.contents("tex/*")
    elsewhere = other.project._replace(base=tmp_path / "elsewhere", theme="dark")
    for project in (checkout.project, other.project, elsewhere, checkout.project):
        build(project, ["tiny"], ["pdf"])
    assert checkout.contents("tex/*") == before
    assert len(other.outputs("pdf/tiny_0*")) == len(list((elsewhere.build / "pdf").glob("tiny_0*"))) == 2
    frames = {(one.build / "pdf" / "tiny_00.pdf").read_bytes() for one in (checkout.project, other.project, elsewhere)}
    assert len(frames) == 3
