"""Failing builds: errors in templates, failing tools, full disks."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pytest

from scripts.core.figures import Figure, load
from scripts.errors import SourceError
from scripts.project import Project
from scripts.stages.render import render
from scripts.stages.templates import templates
from scripts.tex.log import Place, Stop, source_error
from scripts.views import VIEWS, scene_of
from scripts.views.scene import Scene
from tests.conftest import FIGURES, RECOLOUR, TOP, UNPRIVILEGED, Checkout, works

T = TypeVar("T")

# A drawing that TeX never finishes; a file shows that it has begun.
ENDLESS = (r"\liftoutput{", r"\immediate\openout15=begun \loop\iftrue\repeat\liftoutput{")
# A mount that ends with the command.
OWN_MOUNTS = ["unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--mount"]


def line_of(checkout: Checkout, file: str, text: str) -> int:
    """The first line of a file that contains a text."""
    lines = (checkout.top / file).read_text().splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


# Each: the file, its text and the erroneous text instead; the file and line in the message, and more of the message.
MISTAKES = {
    "undefined command in a style": (
        "templates/styles.tex", "input/.style={fill=inputcolor}", r"input/.style={fill=\nocolor}",
        "templates/maps.tex.j2", r"\fill[input]<<",
        [r"TeX stopped. Undefined control sequence \nocolor.", r"\nocolor stands in EDITED.",
         r"<argument> \nocolor",
         "It is misspelt, or nothing loaded defines it.", "It shows in figure ", "The same in "],
    ),
    "misspelt key in a style": (
        "templates/styles.tex", "fill=outputcolor}", "fil=outputcolor}",
        "templates/maps.tex.j2", r"\fill[output]",
        ["I do not know the key '/tikz/fil', to which you passed 'outputcolor'",
         "fil stands in EDITED.", "Did you mean fill?"],
    ),
    "misspelt style in a view": (
        "templates/views/plane.tex.j2", r"\draw[link]", r"\draw[lnk]",
        "templates/views/plane.tex.j2", r"\draw[lnk]",
        ["No style has this name. Did you mean link?", "It shows in figure tiny, frame tiny_00."],
    ),
    "misspelt command in a view": (
        "templates/maps.tex.j2", r"\fill[output]", r"\fil[output]",
        "templates/maps.tex.j2", r"\fil[output]",
        [r"Undefined control sequence \fil.", r"Did you mean \fill?", "It shows in figure tiny, frame tiny_00."],
    ),
    "missing package": (
        "templates/themes/classic.tex", r"\newcommand\figuretype", r"\usepackage{nosuchpackage}\newcommand\figuretype",
        "templates/themes/classic.tex", "nosuchpackage",
        ["File `nosuchpackage.sty' not found.", "the TeX package that has it is missing: see make doctor."],
    ),
    "missing colour": (
        "templates/themes/classic.tex", r"\definecolor{windowcolor}", r"\definecolor{windwcolor}",
        "templates/themes/classic.tex", r"\definecolor{windwcolor}",
        ["Undefined color `windowcolor'.", "This theme lacks it; other themes define it. Did you mean windwcolor?"],
    ),
    "missing comma": (
        "templates/styles.tex", "input/.style={fill=inputcolor},", "input/.style={fill=inputcolor} % no comma",
        "templates/styles.tex", "% no comma",
        ["I do not know the key '/tikz/output'", "A comma is missing at the end of this style."],
    ),
    "two numbers for RGB": (
        "templates/themes/classic.tex", "{38,139,210}", "{42,161}",
        "templates/themes/classic.tex", "{42,161}",
        ["Paragraph ended before", "RGB takes three numbers: {42,161,152}."],
    ),
    "# in HTML": (
        "templates/themes/classic.tex", "{RGB}{38,139,210}", "{HTML}{#2aa198}",
        "templates/themes/classic.tex", "{#2aa198}",
        ["Illegal parameter number", "HTML is six hexadecimal digits, without #: {2AA198}."],
    ),
    "length without a unit": (
        "templates/styles.tex", r"\newcommand\figuremargin{3pt}", r"\newcommand\figuremargin{3}",
        "templates/styles.tex", r"\newcommand\figuremargin{3}",
        ["Illegal unit of measure", r"The length \figuremargin lacks its unit, as in 3pt."],
    ),
    "percent sign": (
        "templates/styles.tex", "inputcolor!35!papercolor", "inputcolor!35%!papercolor",
        "templates/styles.tex", "inputcolor!35%!papercolor",
        ["Paragraph ended before", "The sign % begins a comment; a colour's share is written without it: red!40"],
    ),
    "misspelt length": (
        "templates/styles.tex", "link/.style={draw=outlinecolor, line width=0.25pt",
        "link/.style={draw=outlinecolor, line width=thickk",
        "templates/views/plane.tex.j2", r"\draw[link]",
        ["Unknown function `thickk'", "thickk stands in EDITED.", "It is neither a number nor a length"],
    ),
    "missing library in the preamble": (
        "templates/base.tex", r"\usetikzlibrary{calc, patterns}", r"\usetikzlibrary{clc, patterns}",
        "templates/base.tex", r"\usetikzlibrary{clc",
        ["I did not find the tikz library 'clc'", "build/work/figure.log"],
    ),
    "brace never closed": (
        "templates/styles.tex", r"\newcommand\kernelfont{", r"\newcommand\kernelfont{{",
        "templates/styles.tex", r"\newcommand\kernelfont",
        ["File ended while scanning", "A brace or bracket is opened and never closed.", "The same in "],
    ),
    "misspelt environment": (
        "templates/views/numerical.tex.j2", r"\begin{scope}[flat]", r"\begin{scop}[flat]",
        "templates/views/numerical.tex.j2", r"\begin{scop}[flat]",
        ["Environment scop undefined.", "Did you mean scope?", "It shows in figure values."],
    ),
    "misspelt attribute": (
        "templates/views/plane.tex.j2", r"\draw[link]", r"\draw[link]<< infinity.widnows >>",
        "templates/views/plane.tex.j2", "widnows",
        ["has no attribute 'widnows'.", "It shows in figure tiny, frame tiny_00."],
    ),
    "misspelt filter": (
        "templates/views/plane.tex.j2", r"\draw[link]", r"\draw[link] << [] | lenght >>",
        "templates/views/plane.tex.j2", "lenght",
        ["No filter named 'lenght'", "It shows in figure tiny, frame tiny_00."],
    ),
    "misspelt tag": (
        "templates/views/plane.tex.j2", "<%- endif %>", "<%- endfi %>",
        "templates/views/plane.tex.j2", "endfi",
        ["Encountered unknown tag 'endfi'.", "It shows in figure tiny, frame tiny_00."],
    ),
    "missing template": (
        "templates/views/plane.tex.j2", 'import "maps.tex.j2"', 'import "map.tex.j2"',
        "templates/views/plane.tex.j2", 'import "map.tex.j2"',
        ["there is no template map.tex.j2.", "It shows in figure tiny"],
    ),
}  # fmt: skip
# Errors that TeX finds, one of each kind; make test-full tries all.
KINDS = {"undefined command in a style", "misspelt style in a view", "missing package", "brace never closed"}
KINDS |= {"missing library in the preamble", "missing colour", "missing comma", *list(MISTAKES)[-4:]}


LONG = pytest.mark.full("of a kind with another one")


@pytest.mark.parametrize("mistake", [pytest.param(one, marks=[] if one in KINDS else [LONG]) for one in MISTAKES])
def test_a_mistake_in_a_template_is_told_once_with_its_line(checkout: Checkout, mistake: str) -> None:
    edited, old, new, file, line, told = MISTAKES[mistake]
    checkout.edit(edited, old, new)
    printed = checkout.run("build", "tiny", "values", "--format=pdf", fails=True)
    assert printed.count(f"{file}, line {line_of(checkout, file, line)}: ") == 1
    mistaken = f"{edited}, line {line_of(checkout, edited, new.splitlines()[0])}"
    for text in told:
        assert text.replace("EDITED", mistaken) in printed
    assert f"  > {line_of(checkout, file, line):4} | " in printed
    assert "Traceback" not in printed
    if "TeX stopped" in printed:
        log = printed.partition("The full log is ")[2].split()[0].rstrip(".")
        assert "==> Fatal error" in (checkout.top / log).read_text()


# Those that a look at the styles and the theme finds, whatever TeX says.
SEEN = ("missing comma", "two numbers for RGB", "# in HTML", "length without a unit", "percent sign")


@pytest.mark.parametrize("mistake", SEEN)
def test_a_mistake_in_the_styles_is_found_even_if_tex_names_another_place(tmp_path: Path, mistake: str) -> None:
    edited, old, new, _, line, (message, hint) = MISTAKES[mistake]
    shutil.copytree(TOP / "templates", tmp_path / "templates")
    project = Project(tmp_path)
    stop = Stop(message, (), None, None, None, None, None)
    place = Place(project.templates / "figure.tex.j2", 1)

    def told() -> str:
        return str(source_error(stop, Path("x.log"), place, templates(project).files(), project.theme_file))

    assert told().startswith(f"{place}: TeX stopped.")
    assert hint not in told()
    text = (tmp_path / edited).read_text()
    assert old in text
    (tmp_path / edited).write_text(text.replace(old, new, 1))
    number = next(n for n, each in enumerate((tmp_path / edited).read_text().splitlines(), 1) if line in each)
    assert told().startswith(f"{tmp_path / edited}, line {number}: TeX stopped.")
    assert hint in told()


@pytest.mark.parametrize(("name", "needs"), [("labels", "step"), ("strip", "figure")])
def test_what_a_view_lacks_is_told_of_the_view(tmp_path: Path, name: str, needs: str) -> None:
    shutil.copytree(TOP / "templates", tmp_path / "templates")
    view = tmp_path / "templates/views/plane.tex.j2"
    view.write_text(re.sub(rf"(?<=macro |. set ){name}\b", f"{name}x", view.read_text()))
    figure = load(TOP / "figures" / "dilation.toml")
    project = Project(tmp_path)
    with pytest.raises(SourceError) as raised:
        render(project, scene_of(figure), project.catalogue)
    told = str(raised.value)
    assert told.startswith(f"{view}: defines no {name}. Rename {name}x.\n")
    assert re.search(rf"{needs}\.tex\.j2, line \d+ needs it:", told)
    assert "It shows in figure dilation" in told


def test_an_error_of_a_views_code_names_the_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Figure) -> Scene:
        raise IndexError("list index out of range")

    monkeypatch.setitem(VIEWS, "plane", broken)
    with pytest.raises(IndexError) as raised:
        scene_of(load(TOP / "figures" / "dilation.toml"))
    assert raised.value.__notes__ == ["It shows in figure dilation, drawn by the view plane."]


def test_a_mistake_in_the_theme_leaves_all_outputs_and_takes_none_for_new(checkout: Checkout) -> None:
    before = checkout.outputs("pdf/*", "png/*", "gif/*", "report.pdf", "report/figures/*")
    checkout.edit("templates/styles.tex", r"\tikzset{", r"\tikzzet{")
    for goal in ("build", "report"):
        printed = checkout.run(goal, fails=True)
        assert printed.count("TeX stopped.") == 1
        assert re.search(r"It shows in figure (\w+)\.\nThe same in (\w+), (\w+)\.\n", printed)
    assert checkout.outputs("pdf/*", "png/*", "gif/*", "report.pdf", "report/figures/*") == before


def test_a_mistake_of_many_figures_names_some_of_them_and_nothing_else_changes(checkout: Checkout) -> None:
    """Even if the figures' names are parts of other words."""
    names = ["a", "e", "figure", "in", "same", "stopped", "templates", "tex"]
    for name in names:
        (checkout.top / "figures" / f"{name}.toml").write_text(FIGURES["tiny"])
    checkout.edit("templates/views/plane.tex.j2", r"\draw[link]", r"<< infinity.widnows >>\draw[link]")
    line = line_of(checkout, "templates/views/plane.tex.j2", "widnows")
    *_, shows, same = checkout.run("build", *names, fails=True).splitlines()
    assert shows == "It shows in figure a, frame a_00."
    assert same == "The same in e, figure, in, same, stopped, 2 more."
    printed = checkout.run("build", "a", "tex", fails=True)
    assert printed.startswith("[1/2] ")
    told = printed.splitlines()[2:]
    assert told[0] == f"templates/views/plane.tex.j2, line {line}: 'float object' has no attribute 'widnows'."
    assert told[-2:] == ["It shows in figure a, frame a_00.", "The same in tex."]


@pytest.mark.parametrize(
    ("edited", "old", "new", "told"),
    [
        (
            "report/report.tex", "See ", r"\see ",
            r"report/report.tex, line LINE: TeX stopped. Undefined control sequence \see.",
        ),
        (
            "report/report.tex", r"\showfigure{values}", r"\showfigure{value}",
            "report/report.tex, line LINE: TeX stopped. Package figures Error: There is no figures/value.toml.",
        ),
        (
            "report/report.tex", "See ", r"\textbf{See ",
            "report/report.tex, line LINE: TeX stopped. File ended while scanning use of",
        ),
        (
            "templates/figures.tex.j2", r"\makeatother", r"\makeatothr",
            r"templates/figures.tex.j2, line LINE: TeX stopped. Undefined control sequence \makeatothr.",
        ),
        (
            "templates/figures.tex.j2", r"\centering", r"\centring",
            r"\centring stands in templates/figures.tex.j2, line LINE.",
        ),
        ("templates/caption.txt.j2", "<% import", "<< nothing >><% import", "templates/caption.txt.j2, line LINE: "),
    ],
)  # fmt: skip
def test_a_mistake_in_the_report_is_told_with_its_line(
    checkout: Checkout, edited: str, old: str, new: str, told: str
) -> None:
    before = checkout.outputs("report.pdf")
    checkout.edit(edited, old, new)
    printed = checkout.run("report", fails=True)
    assert told.replace("LINE", str(line_of(checkout, edited, new))) in printed
    assert "Traceback" not in printed
    assert checkout.outputs("report.pdf") == before


def test_wrong_files_are_reported_together_and_others_are_built_if_make_keeps_going(checkout: Checkout) -> None:
    checkout.edit("figures/tiny.toml", "kernel_size = 2", "kernel_size = 9")
    checkout.edit("figures/values.toml", "frame_duration", "frame_durations")
    (checkout.top / "figures" / "right.toml").write_text(FIGURES["tiny"])
    for command in (["build"], ["build", "--keep-going"], ["report", "--keep-going"]):
        printed = checkout.run(*command, fails=True)
        # Once, though a second figure is made from it.
        assert printed.count("figures/tiny.toml, line 4: kernel_size: the window spans 9") == 1
        misspelt = "figures/values.toml, line 6: frame_durations: is not a key of a figure."
        assert f"{misspelt} Did you mean frame_duration?" in printed
        assert "Traceback" not in printed
        assert bool(checkout.outputs("gif/right.gif")) == ("--keep-going" in command)
    assert checkout.run("build", "right") == "Figures up to date: 1\n"
    assert "Figures up to date: 1\n" in checkout.make("-k", "gifs", fails=True)


def test_figures_that_transpose_each_other_are_told_and_do_not_confuse_make(fresh: Checkout) -> None:
    fresh.edit("figures/tiny.toml", FIGURES["tiny"], 'title = "T"\ntranspose_of = "tiny_transposed"\n')
    printed = fresh.run("build", fails=True)
    assert "figures/tiny.toml, line 2: transpose_of: tiny_transposed → tiny → tiny_transposed is a circle." in printed
    assert "figures/tiny_transposed.toml, line 2: transpose_of: tiny → tiny_transposed → tiny is a circle." in printed


@pytest.mark.parametrize("name", ["x$y", "a b", "a%b", "a:b", "a#b", "-a", "a.b", "é", "$(shell touch here)"])
def test_a_name_that_is_none_is_told_by_make(fresh: Checkout, name: str) -> None:
    (fresh.top / "figures" / f"{name}.toml").write_text(FIGURES["tiny"])
    printed = fresh.make("gifs", fails=True)
    assert f"A name in figures/ is not a valid name of a figure: figures/{name}.toml; rename it with letters" in printed
    assert not (fresh.top / "here").exists()


def test_hidden_files_are_no_figures(checkout: Checkout) -> None:
    """Such as editors create while a file is open."""
    (checkout.top / "figures" / ".#tiny.toml").symlink_to("nowhere")
    checkout.edit("report/report.tex", "See ", "See also ")
    checkout.run("report")
    assert checkout.run("build") == "Figures up to date: 3\n"


FOLDERS = ["", "a b", "a#b", "a:b", ".", "..", "/", "figures/", "./scripts", "figures/gallery", "a/../figures"]


@pytest.mark.parametrize("folder", [*FOLDERS, "TOP", "TOP/", "TOP/templates/x", "TOP/..", "ABOVE"])
@pytest.mark.parametrize("goal", ["gifs", "clean"])
def test_a_folder_that_cannot_be_built_in_is_told_by_make(built: Checkout, folder: str, goal: str) -> None:
    before = sorted(built.top.rglob("*"))
    folder = folder.replace("TOP", str(built.top)).replace("ABOVE", str(built.top.parent))
    # A dry run, in case it is not refused.
    printed = built.make("-n", goal, f"BUILD={folder}", fails=True)
    assert re.search(r"BUILD=\S* ?\S* (cannot be used|would let make clean remove)", printed)
    assert sorted(built.top.rglob("*")) == before


def test_a_folder_with_other_files_is_neither_built_in_nor_removed(fresh: Checkout) -> None:
    mine = fresh.top / "notes"
    mine.mkdir()
    (mine / "letter.txt").write_text("Dear Ada")
    assert "BUILD: notes holds files of another origin." in fresh.make("gifs", "BUILD=notes", fails=True)
    assert "BUILD=notes holds files that no build of this project made" in fresh.make(
        "clean", "BUILD=notes", fails=True
    )
    assert [file.name for file in mine.iterdir()] == ["letter.txt"]
    (mine / "letter.txt").unlink()
    fresh.make("draw", "LAYER=Conv2d(1, 1, 2)", "INPUT=2", "FORMATS=pdf", "BUILD=notes")
    fresh.make("clean", "BUILD=notes")
    assert not mine.exists()
    fresh.make("clean", "BUILD=notes")


def processes(top: Path) -> dict[int, str]:
    """The ids and names of processes that run below a folder."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink().is_relative_to(top) and "\nState:\tZ" not in (
                process / "status"
            ).read_text():
                found[int(process.name)] = (process / "comm").read_text().strip()
    return found


def until(condition: Callable[[], T]) -> T:
    """Wait for a condition to be true and return its value."""
    for _ in range(600):
        if result := condition():
            return result
        time.sleep(0.05)
    raise AssertionError("it never came to that")


needs_proc = pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="looks at processes in /proc")


@needs_proc
def test_tex_without_an_end_is_stopped_after_the_time_limit(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    plane = "templates/views/plane.tex.j2"
    checkout.edit(plane, *ENDLESS)
    monkeypatch.setenv("TIME_LIMIT", "1")
    printed = checkout.run("build", fails=True)
    assert re.search(r"latexmk took over 1 s in build/work/tiny\w* and was stopped\. Look for an infinite", printed)
    assert "allow more: make TIME_LIMIT=5\nThe same in tiny" in printed
    assert printed.count("took over") == 1
    assert until(lambda: not processes(checkout.top))
    checkout.edit(plane, *reversed(ENDLESS))
    monkeypatch.delenv("TIME_LIMIT")
    assert "[2/2]" in checkout.run("build")
    checkout.edit(*RECOLOUR)
    for wrong in ("1s", "0", "-1"):
        monkeypatch.setenv("TIME_LIMIT", wrong)
        assert f"TIME_LIMIT: cannot be '{wrong}'. It is a whole number" in checkout.run("build", fails=True)


@needs_proc
@pytest.mark.parametrize("killed", ["build", "worker", "TeX", "interrupted"])
def test_no_tex_outlives_its_build(checkout: Checkout, killed: str) -> None:
    checkout.edit("templates/views/plane.tex.j2", *ENDLESS)
    command = [".venv/bin/python", "-m", "scripts.build", "--jobs", "1", "tiny"]
    build = subprocess.Popen(
        command, cwd=checkout.top, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )

    def tex() -> list[int]:
        return [number for number, name in processes(checkout.top).items() if name == "pdflatex"]

    # Earlier, TeX would end by itself, since nothing reads its greeting any more.
    until((checkout.top / "build" / "work" / "tiny" / "begun.tex").is_file)
    found = tex()
    if killed == "build":
        build.kill()
    elif killed == "worker":
        workers = set(map(int, Path(f"/proc/{build.pid}/task/{build.pid}/children").read_text().split()))
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
    elif killed == "TeX":
        os.kill(found[0], signal.SIGKILL)
    else:
        os.killpg(build.pid, signal.SIGINT)
    printed = build.communicate(timeout=60)[0]
    assert until(lambda: not processes(checkout.top))
    assert "Traceback" not in printed
    status, message = {
        "build": (-signal.SIGKILL, ""),
        "worker": (1, "A process of the build was killed, perhaps for lack of memory. Run make again."),
        "TeX": (1, "build/work/tiny/tiny.tex: TeX was killed before it ended, perhaps for lack of memory."),
        "interrupted": (130, ""),
    }[killed]
    assert build.returncode == status
    assert message in printed


@pytest.mark.parametrize(("module", "status"), [("build", 130), ("draw", -signal.SIGINT)])
def test_an_interrupt_while_modules_are_imported_ends_without_a_word(
    checkout: Checkout, tmp_path: Path, module: str, status: int
) -> None:
    """Whether modules are imported by the command or before it starts."""
    checkout.edit(*RECOLOUR)
    (tmp_path / "pikepdf.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(60)\n")
    command = [".venv/bin/python", "-m", f"scripts.{module}"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    build = subprocess.Popen(
        command, cwd=checkout.top, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert build.stdout is not None
    assert build.stdout.readline() == "importing\n"
    build.send_signal(signal.SIGINT)
    assert build.communicate(timeout=60)[0] == ""
    assert build.returncode == status


def test_a_full_disk_is_told_and_the_next_build_is_whole(checkout: Checkout, full: bool) -> None:
    """Disks of growing size, which are full at the format, the first figures, the GIFs or the report."""
    if not works(*OWN_MOUNTS):
        pytest.skip("this system lets nobody mount a small disk: unshare --mount does not work")
    script = """mkdir disk && mount -t tmpfs -o size=65536k small disk && touch disk/.lock
for size; do
    rm -f disk/others
    head -c $((65536 - size))K /dev/zero > disk/others
    make report gifs BUILD=disk
    echo "status $?"
    find disk -name '.*' -type f
done
rm disk/others && make report gifs BUILD=disk && cp -r disk whole"""
    build = checkout.top / "build"
    least = (build / "work" / "figure.fmt").stat().st_size // 1024 + 400
    rounds = [[size] for size in range(1000, least + 3000, 1000)] if full else []
    for sizes in [[1000, least], *rounds]:
        command = [*OWN_MOUNTS, "sh", "-c", script, "sh", *map(str, sizes)]
        result = subprocess.run(command, cwd=checkout.top, capture_output=True, text=True, check=False)
        printed = result.stdout + result.stderr
        assert result.returncode == 0, printed
        assert "Traceback" not in printed
        failed = printed.count("status 2\ndisk/.lock\n")
        assert failed == len(sizes) or sizes[0] > least
        told = "No space left on device. Free some space on its disk, or build elsewhere: make BUILD="
        assert printed.count(told) >= failed
        whole = checkout.top / "whole"
        kinds = ("tex", "pdf", "png", "gif")
        after = {path.relative_to(whole): path.read_bytes() for kind in kinds for path in whole.glob(f"{kind}/*")}
        assert {str(path): content for path, content in after.items()} == checkout.contents(*(f"{k}/*" for k in kinds))
        assert (build / "report.pdf").read_bytes() == (whole / "report.pdf").read_bytes()
        shutil.rmtree(whole)
        (checkout.top / "disk").rmdir()


@pytest.mark.parametrize("folder", [".", "gif", "work/tiny"])
def test_a_folder_without_the_right_to_write_is_told(checkout: Checkout, folder: str) -> None:
    if os.geteuid() == 0 and not works(*UNPRIVILEGED):
        pytest.skip("root may write everywhere, and setpriv cannot take that right away here")
    checkout.edit(*RECOLOUR)
    closed = checkout.top / "build" / folder
    for path in (closed, *closed.iterdir()):
        path.chmod(path.stat().st_mode & ~0o222)
    command = [*(UNPRIVILEGED if os.geteuid() == 0 else []), "make", "gifs", "FIGURES=tiny"]
    result = subprocess.run(command, cwd=checkout.top, capture_output=True, text=True, check=False)
    printed = result.stdout + result.stderr
    assert result.returncode == 2
    place = closed.relative_to(checkout.top)
    assert re.search(rf"{place}/\S+: Permission denied\. Get permission to read", printed)
    assert "Traceback" not in printed
    for path in (closed, *closed.iterdir()):
        path.chmod(path.stat().st_mode | 0o200)
    checkout.run("build", "tiny")


def test_a_template_that_is_no_text_is_told_with_its_line(checkout: Checkout) -> None:
    """Even if another template imports it."""
    maps = checkout.top / "templates" / "maps.tex.j2"
    maps.write_bytes(maps.read_bytes() + b"\xff\xfe\n")
    line = maps.read_bytes().count(b"\n")
    printed = checkout.run("build", fails=True)
    assert printed.count(f"templates/maps.tex.j2, line {line}: is not UTF-8 text. Save the file in that") == 1
    assert "Traceback" not in printed


def test_a_link_that_leads_nowhere_is_told(checkout: Checkout) -> None:
    (checkout.top / "figures" / "lost.toml").symlink_to("nowhere.toml")
    printed = checkout.make("gifs", fails=True)
    assert "figures/lost.toml: cannot be read: No such file or directory. Restore it" in printed
    assert "No rule" not in printed
