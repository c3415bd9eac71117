"""What goes wrong while building: mistakes in templates, tools that fail, disks that are full."""

import filecmp
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

from tests.conftest import FIGURES, UNPRIVILEGED, Checkout, works

T = TypeVar("T")

# A drawing that TeX never finishes; a file tells that it has begun it.
ENDLESS = (r"\liftoutput{", r"\immediate\openout15=begun \loop\iftrue\repeat\liftoutput{")
# A mount of one's own, which is gone with the command.
OWN_MOUNTS = ["unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--mount"]


def line_of(checkout: Checkout, file: str, text: str) -> int:
    """The first line of a file in which a text stands."""
    lines = (checkout.top / file).read_text().splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


# Each: the file, what it says, the mistake instead of it; the file and the line to be told, and more of the message.
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
        "templates/views/plane.tex.j2", r"\fill[window] (", r"\fil[window] (",
        "templates/views/plane.tex.j2", r"\fil[window] (",
        [r"Undefined control sequence \fil.", r"Did you mean \fill?", "It shows in figure tiny, frame tiny_00."],
    ),
    "missing package": (
        "templates/themes/classic.tex", r"\usepackage[T1]{fontenc}", r"\usepackage{nosuchpackage}",
        "templates/themes/classic.tex", "nosuchpackage",
        ["File `nosuchpackage.sty' not found.", "the TeX package that has it is missing: see make doctor."],
    ),
    "missing colour": (
        "templates/themes/classic.tex", r"\definecolor{windowcolor}", r"\definecolor{windwcolor}",
        "templates/views/plane.tex.j2", r"\fill[window]<<",
        ["Undefined color `windowcolor'.", "Did you mean windwcolor?"],
    ),
    "missing library in the preamble": (
        "templates/preamble.tex", r"\usetikzlibrary{calc}", r"\usetikzlibrary{clc}",
        "templates/preamble.tex", r"\usetikzlibrary{clc}",
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
        "templates/views/plane.tex.j2", "frame.windows | map", "frame.widnows | map",
        "templates/views/plane.tex.j2", "widnows",
        ["has no attribute 'widnows'.", "It shows in figure tiny, frame tiny_00."],
    ),
    "misspelt filter": (
        "templates/views/plane.tex.j2", "(columns.windows | length)", "(columns.windows | lenght)",
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
# One of each kind; make test-full tries them all.
KINDS = {"undefined command in a style", "misspelt style in a view", "missing package", "brace never closed"}
KINDS |= {"missing library in the preamble", "misspelt attribute", "misspelt tag"}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_template_is_told_once_with_its_line(checkout: Checkout, mistake: str, full: bool) -> None:
    if not full and mistake not in KINDS:
        pytest.skip("of a kind with another one; make test-full runs it")
    edited, old, new, file, line, told = MISTAKES[mistake]
    checkout.edit(edited, old, new)
    printed = checkout.make("pdfs", "FIGURES=tiny values", fails=True)
    assert printed.count(f"{file}, line {line_of(checkout, file, line)}: ") == 1
    mistaken = f"{edited}, line {line_of(checkout, edited, new.splitlines()[0])}"
    for text in told:
        assert text.replace("EDITED", mistaken) in printed
    assert f"  > {line_of(checkout, file, line):4} | " in printed
    assert "Traceback" not in printed
    if "TeX stopped" in printed:
        log = printed.partition("The full log is ")[2].split()[0].rstrip(".")
        assert "==> Fatal error" in (checkout.top / log).read_text()


def test_a_mistake_in_the_theme_leaves_all_outputs_and_takes_none_for_new(checkout: Checkout) -> None:
    before = checkout.outputs("pdf/*", "png/*", "gif/*", "report.pdf", "report/figures/*")
    checkout.edit("templates/styles.tex", r"\tikzset{", r"\tikzzet{")
    for goal in ("gifs", "report"):
        printed = checkout.make(goal, fails=True)
        assert printed.count("TeX stopped.") == 1
        assert re.search(r"It shows in figure (\w+)\.\nThe same in (\w+), (\w+)\.\n", printed)
    assert checkout.outputs("pdf/*", "png/*", "gif/*", "report.pdf", "report/figures/*") == before


@pytest.mark.parametrize(
    ("edited", "old", "new", "told"),
    [
        (
            "report/report.tex", "See ", r"\see ",
            r"report/report.tex, line 7: TeX stopped. Undefined control sequence \see.",
        ),
        (
            "report/report.tex", r"\showfigure{values}", r"\showfigure{value}",
            "report/report.tex, line 8: TeX stopped. Package figures Error: There is no figures/value.toml.",
        ),
        (
            "report/report.tex", "See ", r"\textbf{See ",
            "report/report.tex, line 7: TeX stopped. File ended while scanning use of",
        ),
        (
            "templates/figures.tex.j2", r"\makeatother", r"\makeatothr",
            r"templates/figures.tex.j2, line 12: TeX stopped. Undefined control sequence \makeatothr.",
        ),
        (
            "templates/figures.tex.j2", r"\centering", r"\centring",
            r"\centring stands in templates/figures.tex.j2, line 7.",
        ),
        ("templates/caption.txt.j2", "layer.transposed", "layer.transpose", "templates/caption.txt.j2, line "),
    ],
)  # fmt: skip
def test_a_mistake_in_the_report_is_told_with_its_line(
    checkout: Checkout, edited: str, old: str, new: str, told: str
) -> None:
    before = checkout.outputs("report.pdf")
    checkout.edit(edited, old, new)
    printed = checkout.make(fails=True)
    assert told in printed
    assert "Traceback" not in printed
    assert checkout.outputs("report.pdf") == before


def test_wrong_files_are_reported_together_and_others_are_built_if_make_keeps_going(checkout: Checkout) -> None:
    checkout.edit("figures/tiny.toml", "kernel_size = 2", "kernel_size = 9")
    checkout.edit("figures/values.toml", "frame_duration", "frame_durations")
    (checkout.top / "figures" / "right.toml").write_text(FIGURES["tiny"])
    for words in (["gifs"], ["-k", "gifs"], ["-k", "report"]):
        printed = checkout.make(*words, fails=True)
        # Once, though a second figure is made from it.
        assert printed.count("figures/tiny.toml: kernel_size: the window spans 9") == 1
        assert "figures/values.toml: frame_durations: is not a key of a figure. Did you mean frame_duration?" in printed
        assert "Traceback" not in printed
        assert bool(checkout.outputs("gif/right.gif")) == ("-k" in words)
    assert checkout.make("gifs", "FIGURES=right") == "Figures up to date: 1\n"


def test_figures_that_transpose_each_other_are_told_and_do_not_confuse_make(fresh: Checkout) -> None:
    fresh.edit("figures/tiny.toml", FIGURES["tiny"], 'title = "T"\ntranspose_of = "tiny_transposed"\n')
    printed = fresh.make("gifs", fails=True)
    assert "figures/tiny.toml: transpose_of: tiny_transposed → tiny → tiny_transposed is a circle." in printed
    assert "figures/tiny_transposed.toml: transpose_of: tiny → tiny_transposed → tiny is a circle." in printed


@pytest.mark.parametrize("name", ["x$y", "a b", "a%b", "a:b", "a#b", "-a", "a.b", "é", "$(shell touch here)"])
def test_a_name_that_is_none_is_told_by_make(fresh: Checkout, name: str) -> None:
    (fresh.top / "figures" / f"{name}.toml").write_text(FIGURES["tiny"])
    printed = fresh.make("gifs", fails=True)
    assert f"A name in figures/ is no name of a figure: figures/{name}.toml; rename it with letters" in printed
    assert not (fresh.top / "here").exists()


def test_hidden_files_are_no_figures(checkout: Checkout) -> None:
    """Such as editors make while a file is open."""
    (checkout.top / "figures" / ".#tiny.toml").symlink_to("nowhere")
    checkout.edit("report/report.tex", "See ", "See also ")
    checkout.make("report", "gifs")


FOLDERS = ["", "a b", "a#b", "a:b", ".", "..", "/", "figures/", "./scripts", "figures/gallery", "a/../figures"]


@pytest.mark.parametrize("folder", [*FOLDERS, "TOP", "TOP/", "TOP/templates/x", "TOP/..", "ABOVE"])
@pytest.mark.parametrize("goal", ["gifs", "clean"])
def test_a_folder_that_cannot_be_built_in_is_told_by_make(checkout: Checkout, folder: str, goal: str) -> None:
    before = sorted(checkout.top.rglob("*"))
    folder = folder.replace("TOP", str(checkout.top)).replace("ABOVE", str(checkout.top.parent))
    # Only what it would do, in case it would.
    assert re.search(
        r"BUILD=\S* ?\S* is no (name of a )?folder", checkout.make("-n", goal, f"BUILD={folder}", fails=True)
    )
    assert sorted(checkout.top.rglob("*")) == before


def processes(top: Path) -> dict[int, str]:
    """The processes that run below a folder: their numbers and names."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink().is_relative_to(top) and "\nState:\tZ" not in (
                process / "status"
            ).read_text():
                found[int(process.name)] = (process / "comm").read_text().strip()
    return found


def until(condition: Callable[[], T]) -> T:
    """What a condition gives once it holds."""
    for _ in range(600):
        if result := condition():
            return result
        time.sleep(0.05)
    raise AssertionError("it never came to that")


needs_proc = pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="looks at processes in /proc")


@needs_proc
def test_tex_without_an_end_is_stopped_after_the_time_limit(checkout: Checkout) -> None:
    checkout.edit("templates/views/plane.tex.j2", *ENDLESS)
    printed = checkout.make("gifs", "TIME_LIMIT=1", fails=True)
    assert re.search(r"latexmk took over 1 s in build/work/tiny\w* and was stopped\. Look for a loop", printed)
    assert "allow more: make TIME_LIMIT=5\nThe same in tiny" in printed
    assert printed.count("took over") == 1
    assert until(lambda: not processes(checkout.top))
    checkout.edit("templates/views/plane.tex.j2", *reversed(ENDLESS))
    checkout.make("gifs")
    assert "TIME_LIMIT: cannot be '1s'. It is a whole number" in checkout.make(
        "clean", "gifs", "TIME_LIMIT=1s", fails=True
    )


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

    # Before that TeX would end by itself, when nobody listens to its greeting any more.
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
        "worker": (1, "A process of the build was killed, perhaps for want of memory. Run make again."),
        "TeX": (1, "build/work/tiny/tiny.tex: TeX was killed before it ended, perhaps for want of memory."),
        "interrupted": (130, ""),
    }[killed]
    assert build.returncode == status
    assert message in printed


def test_an_interrupt_while_modules_are_imported_ends_without_a_word(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "pikepdf.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(60)\n")
    command = [".venv/bin/python", "-m", "scripts.build"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    build = subprocess.Popen(
        command, cwd=checkout.top, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert build.stdout is not None
    assert build.stdout.readline() == "importing\n"
    build.send_signal(signal.SIGINT)
    assert build.communicate(timeout=60)[0] == ""
    assert build.returncode == -signal.SIGINT


def test_a_full_disk_is_told_and_the_next_build_is_whole(checkout: Checkout, full: bool) -> None:
    """Disks with room for less and less: none for the format, the first figures, the GIFs, the report."""
    if not works(*OWN_MOUNTS):
        pytest.skip("this system lets nobody mount a small disk: unshare --mount does not work")
    script = """mkdir disk && mount -t tmpfs -o size=65536k small disk
head -c $((65536 - $1))K /dev/zero > disk/others
make report gifs BUILD=disk
echo "status $?"
find disk -name '.*' -type f
rm disk/others && make report gifs BUILD=disk && cp -r disk whole"""
    build = (checkout.top / "build").resolve()
    least = (build / "work" / "figure.fmt").stat().st_size // 1024 + 400
    for size in range(1000, least + 3000, 1000) if full else (1000, least):
        command = [*OWN_MOUNTS, "sh", "-c", script, "sh", str(size)]
        result = subprocess.run(command, cwd=checkout.top, capture_output=True, text=True, check=False)
        printed = result.stdout + result.stderr
        if "status 0" not in printed:
            assert "No space left on device. Free some space on its disk, or build elsewhere: make BUILD=" in printed
        assert size > least or "status 2\ndisk/.lock\n" in printed
        assert "Traceback" not in printed
        assert result.returncode == 0, printed
        whole = checkout.top / "whole"
        for kind in ("tex", "pdf", "png", "gif"):
            files = sorted(path.name for path in (build / kind).iterdir())
            assert files == sorted(path.name for path in (whole / kind).iterdir())
            assert filecmp.cmpfiles(build / kind, whole / kind, files, shallow=False)[0] == files
        assert (build / "report.pdf").read_bytes() == (whole / "report.pdf").read_bytes()
        shutil.rmtree(whole)
        (checkout.top / "disk").rmdir()


@pytest.mark.parametrize("folder", [".", "gif", "work/tiny"])
def test_a_folder_without_the_right_to_write_is_told(checkout: Checkout, folder: str) -> None:
    if os.geteuid() == 0 and not works(*UNPRIVILEGED):
        pytest.skip("root may write everywhere, and setpriv cannot take that right away here")
    checkout.edit("templates/theme.tex", "{38,139,210}", "{38,139,211}")
    closed = checkout.top / "build" / folder
    for path in (closed, *closed.iterdir()):
        path.chmod(path.stat().st_mode & ~0o222)
    command = [*(UNPRIVILEGED if os.geteuid() == 0 else []), "make", "gifs", "FIGURES=tiny"]
    result = subprocess.run(command, cwd=checkout.top, capture_output=True, text=True, check=False)
    printed = result.stdout + result.stderr
    assert result.returncode == 2
    assert re.search(
        rf"{closed.relative_to(checkout.top)}/\S+: Permission denied\. Give yourself the right to", printed
    )
    assert "Traceback" not in printed
    for path in (closed, *closed.iterdir()):
        path.chmod(path.stat().st_mode | 0o200)
    checkout.make("gifs", "FIGURES=tiny")


def test_a_template_that_is_no_text_is_told_with_its_line(checkout: Checkout) -> None:
    """Also where another one imports it."""
    maps = checkout.top / "templates" / "maps.tex.j2"
    maps.write_bytes(maps.read_bytes() + b"\xff\xfe\n")
    line = maps.read_bytes().count(b"\n")
    printed = checkout.make("gifs", fails=True)
    assert printed.count(f"templates/maps.tex.j2, line {line}: is not UTF-8 text. Save the file in that") == 1
    assert "Traceback" not in printed


def test_a_link_that_leads_nowhere_is_told(checkout: Checkout) -> None:
    (checkout.top / "figures" / "lost.toml").symlink_to("nowhere.toml")
    printed = checkout.make("gifs", fails=True)
    assert "figures/lost.toml: cannot be read: No such file or directory. Restore it" in printed
    assert "No rule" not in printed
