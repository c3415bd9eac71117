"""The whole pipeline in a miniature project: what is built, what is rebuilt, and what is not."""

import json
import os
import re
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
from scripts.tex.tools import outside_make

from scripts import paths
from scripts.build import shares
from scripts.core.figures import load
from scripts.files import UNFINISHED
from scripts.views.catalogue import scene_of
from tests.conftest import FIGURES, Project

FRAMES = {"tiny": 4, "tiny_transposed": 9, "values": 2}

# The theme's colours, and the window's 40 % over the input's.
INPUT, OUTPUT = (38, 139, 210), (42, 161, 152)
WINDOW_OVER_INPUT, WINDOW_OVER_OUTPUT = (26, 105, 152), (28, 118, 118)
INK = 0.4  # half the line width, in points


def test_everything_is_built(built: Project) -> None:
    build = built.top / "build"
    names = {f"{figure}_{number:02}" for figure, count in FRAMES.items() for number in range(count)}
    for ending in ("tex", "pdf", "png"):
        assert {path.name for path in (build / ending).iterdir()} == {f"{name}.{ending}" for name in names}
    assert {path.name for path in (build / "gif").iterdir()} == {f"{figure}.gif" for figure in FIGURES}
    assert (build / "report.pdf").stat().st_size > 10_000


@pytest.mark.parametrize("figure", FRAMES)
def test_frames_have_one_page_of_one_size(built: Project, figure: str) -> None:
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
def test_gifs_show_the_frames_for_their_durations(built: Project, figure: str, duration: int) -> None:
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


def test_gifs_store_one_palette_and_only_what_changes(built: Project) -> None:
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
    """The colour at some centimetres from the drawing's lower left corner, which the margin of 3 pt surrounds."""
    scale = 150 / 2.54
    margin = (3 + INK / 2) * 2.54 / 72.27
    return image.getpixel((round((x + margin) * scale), round(image.height - (y + margin) * scale)))


def test_known_cells_of_known_frames_have_their_colours(project: Project) -> None:
    """Without labels, so that the drawing's own corner is the page's."""
    project.edit("templates/theme.tex", r"\figurelabelstrue", r"\figurelabelsfalse")
    project.make("gifs")
    column, row = np.array([0.54, 0.27]), np.array([0.378, -0.351])

    def cell(image: Image.Image, r: int, c: int) -> object:
        """The colour of most of nine spots: thin lines cross some cells."""
        spots = product((0.3, 0.5, 0.7), repeat=2)
        return mode(pixel(image, *((c + x) * column + (r + y) * row + 3 * -row * [0, 1])) for x, y in spots)

    window = {0: {(0, 0), (0, 1), (1, 0), (1, 1)}, 3: {(1, 1), (1, 2), (2, 1), (2, 2)}}
    for number, covered in window.items():
        png = Image.open(project.top / "build" / "png" / f"tiny_{number:02}.png").convert("RGB")
        gif = Image.open(project.top / "build" / "gif" / "tiny.gif")
        gif.seek(number)
        for image in (png, gif.convert("RGB")):
            for r, c in np.ndindex(3, 3):
                expected = WINDOW_OVER_INPUT if (r, c) in covered else INPUT
                assert cell(image, r, c) == pytest.approx(expected, abs=1), (number, r, c)

    # The numerical view: a row of padding above the input; the output beside it, one cell high and wide each.
    png = Image.open(project.top / "build" / "png" / "values_00.png").convert("RGB")
    unit = 0.7
    assert pixel(png, 0.15 * unit, 2.15 * unit) == pytest.approx((156, 174, 179), abs=1)
    assert pixel(png, 0.15 * unit, 1.15 * unit) == pytest.approx(WINDOW_OVER_INPUT, abs=1)
    assert pixel(png, 0.15 * unit, 0.15 * unit) == pytest.approx(INPUT, abs=1)
    output = 2 + 1.1
    assert pixel(png, (output + 0.15) * unit, 1.65 * unit) == pytest.approx(WINDOW_OVER_OUTPUT, abs=1)
    assert pixel(png, (output + 0.15) * unit, 0.65 * unit) == pytest.approx(OUTPUT, abs=1)


@pytest.mark.parametrize("step", ["tiny_02", "tiny_transposed_05", "values_01"])
def test_a_steps_source_compiles_alone_to_its_frame(built: Project, tmp_path: Path, step: str) -> None:
    """With plain pdflatex, to the last pixel."""
    source = built.top / "build" / "tex" / f"{step}.tex"
    subprocess.run(["pdflatex", "-interaction=batchmode", source], cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["pdftoppm", "-r", "150", "-png", "-singlefile", f"{step}.pdf", step], cwd=tmp_path, check=True)
    alone, frame = (np.asarray(Image.open(top / f"{step}.png")) for top in (tmp_path, built.top / "build" / "png"))
    assert np.array_equal(alone, frame)


ALL = ("report.pdf", "*/*", "report/figures/*")


def test_nothing_changed_nothing_done(project: Project) -> None:
    before = project.outputs(*ALL)
    assert project.make("gifs") == "Figures up to date: 3\n"
    assert project.make() == "build/report.pdf is up to date.\n"
    assert project.outputs(*ALL) == before


def test_a_file_touched_but_unchanged_runs_no_tex(project: Project) -> None:
    before = project.outputs("pdf/*", "png/*", "gif/*", "work/*/*.log")
    (project.top / "templates" / "theme.tex").touch()
    assert "[3/3]" in project.make("gifs")
    assert project.outputs("pdf/*", "png/*", "gif/*", "work/*/*.log") == before
    assert project.make("gifs") == "Figures up to date: 3\n"


def test_a_colour_of_the_theme_changes_every_animation_and_the_report(project: Project) -> None:
    kinds = ("pdf/*", "png/*", "gif/*", "report/figures/*", "report.pdf")
    before = {path: (project.top / "build" / path).read_bytes() for path in project.outputs(*kinds)}
    project.edit("templates/theme.tex", "{38,139,210}", "{220,50,47}")
    project.make("report", "gifs")
    assert [path for path, data in before.items() if (project.top / "build" / path).read_bytes() == data] == []


def test_a_figures_file_rebuilds_it_its_transpose_and_the_report(project: Project) -> None:
    before = project.outputs("gif/*", "report.pdf")
    project.edit("figures/tiny.toml", "input_size = 3", "input_size = [3, 2]")
    project.make("report", "gifs")
    after = project.outputs("gif/*", "report.pdf")
    changed = {path for path in before if after[path] != before[path]}
    assert changed == {"gif/tiny.gif", "gif/tiny_transposed.gif", "report.pdf"}
    # Two output elements instead of four: the frames that are no more are gone.
    assert len(project.outputs("pdf/tiny_0*")) == len(project.outputs("tex/tiny_0*")) == 2


def test_a_figure_that_is_removed_takes_its_outputs_along(project: Project) -> None:
    (project.top / "figures" / "values.toml").unlink()
    others = project.outputs("gif/tiny*")
    project.make("gifs", "FIGURES=tiny")
    assert project.outputs("*/values*", "*/*/values*") == {}
    assert project.outputs("gif/*") == others
    assert project.make("gifs") == "Figures up to date: 2\n"


@pytest.mark.parametrize(
    "lost",
    [
        "gif/tiny.gif",
        "png/tiny_02.png",
        "tex/tiny_01.tex",
        "pdf/values_01.pdf",
        "report.pdf",
        "report/figures/tiny.pdf",
        "provenance.json",
    ],
)
def test_an_output_that_is_lost_is_made_again(project: Project, lost: str) -> None:
    file = project.top / "build" / lost
    data = file.read_bytes()
    file.unlink()
    project.make("report", "gifs")
    assert file.read_bytes() == data


def test_records_of_outputs_that_a_stages_command_has_changed_do_not_hold(project: Project) -> None:
    """A theme tried by hand, stage by stage, and taken back."""
    before = (project.top / "build" / "pdf" / "tiny_00.pdf").read_bytes()
    project.edit("templates/theme.tex", "{38,139,210}", "{220,50,47}")
    for stage in ("render", "typeset"):
        command = [".venv/bin/python", "-m", f"scripts.{stage}", "tiny"]
        subprocess.run(command, cwd=project.top, check=True, env=os.environ | {"BUILD": "build"})
    assert (project.top / "build" / "pdf" / "tiny_00.pdf").read_bytes() != before
    project.edit("templates/theme.tex", "{220,50,47}", "{38,139,210}")
    project.make("gifs")
    assert (project.top / "build" / "pdf" / "tiny_00.pdf").read_bytes() == before


def test_a_stage_without_its_inputs_says_what_to_run_first(fresh_project: Project) -> None:
    for stage, first in (("typeset", "render"), ("rasterise", "typeset"), ("animate", "rasterise")):
        command = [".venv/bin/python", "-m", f"scripts.{stage}", "tiny"]
        result = subprocess.run(command, cwd=fresh_project.top, capture_output=True, text=True, check=False)
        assert result.returncode == 1
        assert f"Run first: scripts.{first} tiny" in result.stderr


def test_a_figure_of_one_frame_and_one_of_over_a_hundred(fresh_project: Project) -> None:
    fresh_project.edit("figures/tiny.toml", "input_size = 3", "input_size = 2")
    fresh_project.edit("figures/values.toml", "padding = [[1, 0], 0]", "padding = [[0, 49], 1]")
    fresh_project.make("gifs", "FIGURES=tiny values")
    tiny = Image.open(fresh_project.top / "build" / "gif" / "tiny.gif")
    assert tiny.info["duration"] == 3000
    assert list(fresh_project.outputs("png/tiny_*")) == ["png/tiny_00.png"]
    frames = sorted(fresh_project.outputs("png/values_*"))
    assert (frames[0], frames[-1], len(frames)) == ("png/values_000.png", "png/values_149.png", 150)


def test_a_build_that_was_killed_is_taken_up_by_the_next(project: Project) -> None:
    """Its workers end with it, and its lock does, too."""
    project.edit("templates/theme.tex", "{38,139,210}", "{220,50,47}")
    command = [".venv/bin/python", "-m", "scripts.build", "--jobs", "2"]
    build = subprocess.Popen(command, cwd=project.top, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert build.stdout is not None
    assert build.stdout.readline().startswith("[1/3]")
    build.kill()
    # The output ends once no process is left that could write to it.
    assert "[3/3]" not in build.communicate(timeout=60)[0]
    project.make("gifs")
    assert len(project.outputs("gif/*")) == 3


@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGKILL])
def test_a_build_that_is_interrupted_keeps_the_figures_that_are_done(
    fresh_project: Project, kill: signal.Signals
) -> None:
    """Interrupted as from a terminal, or killed: make and all that it has started at once."""
    command = ["make", "-j1", "gifs"]
    make = subprocess.Popen(
        command,
        cwd=fresh_project.top,
        env=outside_make(),
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
    before = fresh_project.outputs(*done)
    os.killpg(make.pid, kill)
    printed = make.communicate(timeout=60)[0]
    assert make.returncode != 0
    assert "[3/3]" not in printed
    assert "Traceback" not in printed

    printed = fresh_project.make("gifs")
    assert f"] {name}," not in printed
    assert fresh_project.outputs(*done) == before
    assert len(fresh_project.outputs("gif/*")) == 3
    assert fresh_project.make("gifs") == "Figures up to date: 3\n"


def test_two_goals_build_each_figure_once_at_a_time(fresh_project: Project) -> None:
    printed = fresh_project.make("pdfs", "gifs")
    assert printed.count("[3/3]") == 2
    assert "[4/" not in printed


def test_some_figures(fresh_project: Project) -> None:
    assert fresh_project.make("-j8", "-s", "gifs", "FIGURES=values") == ""
    assert list(fresh_project.outputs("gif/*")) == ["gif/values.gif"]
    assert "There is no figures/nope.toml" in fresh_project.make("gifs", "FIGURES=nope", fails=True)
    fresh_project.make("pdfs", "FIGURES=tiny")
    assert len(fresh_project.outputs("pdf/tiny_*")) == 4
    assert len(fresh_project.outputs("png/tiny_*")) == 0
    assert fresh_project.make("all_animations").count("[") == 2


def test_a_fault_of_the_report_fails_and_leaves_the_old_one(project: Project) -> None:
    before = project.outputs("report.pdf")
    project.edit("report/report.tex", r"\end{document}", "\\ref{nowhere}\n\\end{document}")
    assert "Reference `nowhere' on page" in project.make(fails=True)
    assert project.outputs("report.pdf") == before
    project.make(fails=True)
    project.edit("report/report.tex", r"\ref{nowhere}", r"\showfigure{nowhere}")
    assert "There is no figures/nowhere.toml" in project.make(fails=True)


def test_the_largest_drawings_with_numbers_fit_into_tex(fresh_project: Project, full: bool) -> None:
    if not full:
        pytest.skip("it takes a while: make test-full")
    layers = {
        "window": "input_size = 63\nkernel_size = 63",
        "grid": "input_size = 66\nkernel_size = 2\nstride = 32",
        "row": "input_size = [190]\nkernel_size = 90",
    }
    for name, layer in layers.items():
        text = f'title = "Large"\noperation = "max_pooling"\nvalues = "random"\n{layer}\n'
        (fresh_project.top / "figures" / f"{name}.toml").write_text(text)
    fresh_project.make("pdfs", f"FIGURES={' '.join(layers)}")


def test_figures_are_shared_out_in_shares_that_get_smaller() -> None:
    """Each figure once, the largest first; the last shares are small enough for all processes to end together."""
    names = ("full_padding_no_strides", "dilation", "no_padding_strides", "numerical_max_pooling")
    figures = [load(paths.FIGURES / f"{name}.toml") for name in names] * 25
    for jobs in (1, 2, 7):
        shared = list(shares(figures, jobs))
        assert Counter(figure.name for share in shared for figure in share) == Counter(f.name for f in figures)
        counts = [scene_of(figure).count for share in shared for figure in share]
        assert counts == sorted(counts, reverse=True)
        sizes = [len(share) for share in shared]
        assert 1 < max(sizes) <= 8
        assert sizes[-jobs:] == [1] * jobs
    assert list(shares([], 2)) == []


def test_a_build_that_is_interrupted_takes_up_no_more_figures(fresh_project: Project) -> None:
    for number in range(17):
        (fresh_project.top / "figures" / f"other{number}.toml").write_text(FIGURES["tiny"])
    command = [".venv/bin/python", "-m", "scripts.build", "--jobs", "1"]
    build = subprocess.Popen(
        command, cwd=fresh_project.top, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert build.stdout is not None
    assert build.stdout.readline().startswith("[1/20]")
    build.send_signal(signal.SIGINT)
    printed = build.communicate(timeout=60)[0]
    assert build.returncode == 130
    assert "Traceback" not in printed
    # The first share of 8 is done, the next one of 6 at the most; others were waiting for the worker.
    assert 8 <= len(fresh_project.outputs("gif/*")) <= 14
    assert list((fresh_project.top / "build").rglob(f".*{UNFINISHED}")) == []


def test_a_mistake_in_one_figure_leaves_those_that_are_compiled_with_it(fresh_project: Project, built: Project) -> None:
    """Which then are the same bytes as if they were compiled alone."""
    fresh_project.edit(
        "templates/plane.tex.j2",
        r"\fill[window] (",
        r"<% if figure.name == 'tiny' %>\nothing<% endif %>\fill[window] (",
    )
    fresh_project.edit("templates/step.tex.j2", " as view %>", " as view with context %>")
    fresh_project.edit("templates/figure.tex.j2", " as view %>", " as view with context %>")
    printed = fresh_project.make("-j1", "gifs", "TRACE=1", fails=True)
    assert r"Undefined control sequence \nothing." in printed
    assert "It shows in figure tiny, frame tiny_00." in printed
    assert "The same in" not in printed
    trace = json.loads((fresh_project.top / "build" / "trace.json").read_text())["traceEvents"]
    assert "latexmk tiny_transposed, tiny" in [event["name"] for event in trace]
    assert set(fresh_project.outputs("gif/*")) == {"gif/tiny_transposed.gif", "gif/values.gif"}
    fresh_project.edit("templates/plane.tex.j2", r"\nothing", "")
    fresh_project.make("-j1", "gifs", "report")
    for path in fresh_project.outputs("pdf/*", "gif/*", "report/figures/*"):
        assert (fresh_project.top / "build" / path).read_bytes() == (built.top / "build" / path).read_bytes()
