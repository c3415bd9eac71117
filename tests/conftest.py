"""A miniature project, built in a folder of its own by the real Makefile, scripts and templates."""

import json
import os
import resource
import secrets
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from io import StringIO
from pathlib import Path
from types import FrameType
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis.configuration import set_hypothesis_home_dir
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from scripts import cli
from scripts.machine.needs import CHROMIUM, complaint, find
from scripts.processes import outside_make
from scripts.project import Project
from scripts.record import freshness
from scripts.site import website
from scripts.stages.templates import templates
from scripts.text import relationships

TOP = Path(__file__).parents[1]

# The project itself.
PROJECT = Project(TOP, TOP / "build")

# The tests may themselves run under make, whose variables must not reach their builds.
for name in os.environ.keys() - outside_make().keys():
    del os.environ[name]

# A plane figure with values, so that its transpose has some; and what is made from it.
FIGURES = {
    "tiny": 'title = "Tiny"\noperation = "convolution"\ninput_size = 3\nkernel_size = 2\n',
    "tiny_transposed": 'title = "Tiny, transposed"\ntranspose_of = "tiny"\n',
    "values": 'title = "100 % & more_values"\noperation = "convolution"\npadding = [[1, 0], 0]\n'
    "input_values = [[1, 2], [3, 4]]\nkernel_values = [[1, 0], [0, 1.5]]\nframe_duration = 0.5\n",
}
# With the report's style, TeX takes six times as long.
PLAIN = r"""\documentclass{article}
\setlength\textwidth{16cm}
\usepackage{graphicx}
\usepackage[T1]{fontenc}
\usepackage{mathpazo}
\newcommand\alternative[2]{#2}
"""
STYLED = r"""\documentclass{scrartcl}
\input{reportstyle}
"""
REPORT = rf"""{PLAIN}\input{{figures}}
\begin{{document}}
See \ref{{fig:tiny}} and \ref{{fig:values}}.
\showfigure{{tiny}}\showfigure{{tiny_transposed}}\showfigure{{values}}
\end{{document}}
"""

# Without these capabilities root is bound by file modes like any other user.
UNPRIVILEGED = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner"]
UNPRIVILEGED += ["--inh-caps=-dac_override,-dac_read_search,-fowner"]


def works(*command: str) -> bool:
    """Whether a command that runs another one can do so here."""
    return not command or (shutil.which(command[0]) is not None and not subprocess.call([*command, "true"]))


def set_writable(top: Path, writable: bool) -> None:
    """Allow or forbid writing into a tree and its files, links excepted."""
    for path in (top, *top.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o200 if writable else path.stat().st_mode & ~0o222)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="save the rendered sources as the golden text")
    parser.addoption("--full", action="store_true", help="compare many more layers with the engines, at random")


# Nothing is written into the source folders.
set_hypothesis_home_dir(TOP / ".venv/cache/hypothesis")
COMPARED = pytest.StashKey[Counter[str]]()
NOTES = pytest.StashKey[list[str]]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "full(reason): left out for this reason, but for --full")
    # As after `nohup … &`; the builds of some tests are interrupted.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.stash[COMPARED] = Counter()
    config.stash[NOTES] = []
    if config.option.full and config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = str(secrets.randbelow(2**32))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if (mark := item.get_closest_marker("full")) and not config.option.full:
            # Before its fixtures are made.
            item.add_marker(pytest.mark.skip(f"{mark.args[0]}; make test-full runs it"))


def pytest_report_header(config: pytest.Config) -> list[str]:
    seed = config.option.hypothesis_seed
    return [f"the same random cases again: pytest --full --hypothesis-seed={seed}"] if config.option.full else []


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what the tests noted from a process of pytest-xdist to the one that prints the summary."""
    output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        counted = session.config.stash[COMPARED]
        output["compared"], output["notes"] = dict(counted), session.config.stash[NOTES]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what another process noted."""
    output = getattr(node, "workeroutput", {})
    config: pytest.Config = node.config
    config.stash[COMPARED] += Counter(output.get("compared", {}))
    config.stash[NOTES] += output.get("notes", [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for engine, count in config.stash[COMPARED].items():
        terminalreporter.write_line(f"{count} layers compared with {engine}")
    for note in config.stash[NOTES]:
        terminalreporter.write_line(note)


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    """Whether a test is to be long."""
    return bool(request.config.option.full)


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """The seed of random cases, which differs in every long run and is printed there."""
    return int(request.config.option.hypothesis_seed or 0)


@pytest.fixture
def notes(request: pytest.FixtureRequest) -> list[str]:
    """Lines for the summary."""
    return request.config.stash[NOTES]


@pytest.fixture
def compared(request: pytest.FixtureRequest) -> Counter[str]:
    """How many layers were compared with each engine, for the summary."""
    return request.config.stash[COMPARED]


# Far more than any valid figure takes to be read and drawn.
MOST_MEMORY = 150 << 20
MOST_SECONDS = 60


class TooSlowError(BaseException):
    """Not an `Exception`, so that no code under test handles it."""


@contextmanager
def limits() -> Iterator[None]:
    """Limit the additional memory and the time of the enclosed code."""

    def too_slow(_number: int, _frame: FrameType | None) -> None:
        raise TooSlowError

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    statistics = Path("/proc/self/statm")
    if statistics.exists():
        taken = int(statistics.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + MOST_MEMORY, hard))
    previous = signal.signal(signal.SIGALRM, too_slow)
    signal.alarm(MOST_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


# Caches that last as long as a process, in which a project keeps its folder and its code.
CACHES = (templates, freshness.code, relationships.content, relationships.relationships)


@dataclass(frozen=True)
class Checkout:
    """A project in which commands run as a user would type them."""

    top: Path

    @property
    def project(self) -> Project:
        """The checkout as functions take it."""
        return Project(self.top, self.top / "build")

    def make(self, *words: str, fails: bool = False) -> str:
        """Run make and return what it printed on both streams; its exit status must be as expected."""
        result = subprocess.run(["make", *words], cwd=self.top, capture_output=True, text=True, check=False)
        printed = result.stdout + result.stderr
        assert (result.returncode != 0) == fails, printed
        return printed

    def run(self, module: str, *words: str, fails: bool = False) -> str:
        """Run a command within this process, which is fast; otherwise like `make`."""
        for cached in CACHES:
            cached.cache_clear()
        printed, status = StringIO(), 0
        streams = redirect_stdout(printed), redirect_stderr(printed)
        with chdir(self.top), patch.object(sys, "argv", [module, *words]), streams[0], streams[1]:
            try:
                cli.run(import_module(f"scripts.{module}").main)
            except SystemExit as end:
                status = end.code if isinstance(end.code, int) else 1
        assert (status != 0) == fails, printed.getvalue()
        return printed.getvalue()

    def outputs(self, *kinds: str) -> dict[str, int]:
        """Files of the build below some folders, with their times."""
        files = (path for kind in kinds for path in (self.top / "build").glob(kind))
        return {str(path.relative_to(self.top / "build")): path.stat().st_mtime_ns for path in files if path.is_file()}

    def contents(self, *kinds: str) -> dict[str, bytes]:
        """Files of the build below some folders, with their contents."""
        return {path: (self.top / "build" / path).read_bytes() for path in self.outputs(*kinds)}

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.top / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))


# An edit that changes the pixels and bytes of every figure.
RECOLOUR = ("templates/themes/classic.tex", "{38,139,210}", "{220,50,47}")


def share_environment(top: Path) -> None:
    """Let a checkout use the tests' own environment, in which set-up has nothing to do."""
    for name in ("requirements.txt", "requirements-mp4.txt", "scripts/setup.py", "scripts/machine/needs.py"):
        os.utime(top / name, (0, 0))
    (top / ".venv").symlink_to(TOP / ".venv")


def make_checkout(top: Path) -> Checkout:
    for name in ("scripts", "templates"):
        shutil.copytree(TOP / name, top / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "requirements.txt", "requirements-mp4.txt", "CHANGELOG.md", "CITATION.cff"):
        shutil.copy2(TOP / name, top / name)
    # Whether or not the originals may be written to.
    set_writable(top, True)
    share_environment(top)
    (top / "figures").mkdir()
    for name, text in FIGURES.items():
        (top / "figures" / f"{name}.toml").write_text(text)
    (top / "report").mkdir()
    (top / "report" / "report.tex").write_text(REPORT)
    shutil.copy2(TOP / "report" / "relationships.toml", top / "report")
    return Checkout(top)


def whole_checkout(top: Path) -> Checkout:
    """A copy of the whole project with nothing built, whose texts may be changed."""
    checkout = make_checkout(top)
    for name in ("figures", "report"):
        shutil.rmtree(top / name)
        shutil.copytree(TOP / name, top / name)
        set_writable(top / name, True)
    return checkout


@pytest.fixture
def fresh(tmp_path: Path) -> Checkout:
    """A checkout in which nothing is built, in a folder whose name has a space and an accent."""
    return make_checkout(tmp_path / "mon café")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A checkout with everything built, for tests that change nothing."""
    checkout = make_checkout(tmp_path_factory.mktemp("built") / "project")
    checkout.make("report", "gifs")
    yield checkout
    shutil.rmtree(checkout.top)


def _copy(built: Checkout, top: Path) -> Checkout:
    """A copy, in which TeX's format is a link: it is large, and replaced rather than written to."""

    def copy(source: str, target: str) -> None:
        (os.link if source.endswith(".fmt") else shutil.copy2)(source, target)

    shutil.copytree(built.top, top, symlinks=True, copy_function=copy)
    return Checkout(top)


@pytest.fixture
def checkout(built: Checkout, tmp_path: Path) -> Checkout:
    """A copy of the built checkout, for tests that change it."""
    return _copy(built, tmp_path / "project")


@pytest.fixture
def unbuilt(checkout: Checkout) -> Checkout:
    """A checkout in which only TeX's format is built."""
    made = {file: checkout.top / "build" / file for file in (".lock", "work/figure.fmt", "made/_format.json")}
    aside = checkout.top / "aside"
    for file, path in made.items():
        (aside / file).parent.mkdir(parents=True, exist_ok=True)
        path.rename(aside / file)
    shutil.rmtree(checkout.top / "build")
    aside.rename(checkout.top / "build")
    return checkout


# Figures of several views and operations, with values and without; and one whose texts would be markup.
SITE_FIGURES = (
    "numerical_average_pooling_padding_excluded",
    "numerical_padding_strides",
    "padding_strides",
    "padding_strides_transposed",
    "strided_stack",
)
HOSTILE = """</title></script><img src=x onerror="document.title='hostile'"> & 'quoted' << 1 >>"""


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A checkout with the site of a few figures, of which SVGs alone are built."""
    checkout = make_checkout(tmp_path_factory.mktemp("site") / "my project")
    shutil.rmtree(checkout.top / "figures")
    (checkout.top / "figures").mkdir()
    for name in SITE_FIGURES:
        shutil.copy(TOP / "figures" / f"{name}.toml", checkout.top / "figures")
    text = f"title = {json.dumps(HOSTILE)}\nnote = {json.dumps(HOSTILE)}\n"
    text += 'operation = "max_pooling"\ninput_values = [1, 2, 3]\nkernel_size = 2\n'
    (checkout.top / "figures" / "hostile.toml").write_text(text)
    publish(checkout)
    yield checkout
    shutil.rmtree(checkout.top)


def publish(checkout: Checkout) -> None:
    """Build the site, within this process."""
    with chdir(checkout.top):
        website.build(Project(), formats=["svg"], jobs=2)


@pytest.fixture
def site(published: Checkout) -> Path:
    """The folder of the site."""
    return published.top / "build" / "site"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium; no other browser is downloaded."""
    if missing := complaint(find([CHROMIUM])):
        pytest.fail(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which(CHROMIUM.program))
        yield browser
        browser.close()


@pytest.fixture
def page(site: Path, browser: Browser) -> Iterator[Page]:
    """A blank page, from which nothing but the site's own files can be asked for, and nothing may go wrong."""
    with guarded(browser, site.as_uri()) as context:
        yield context.new_page()


@contextmanager
def guarded(browser: Browser, home: str, **options: Any) -> Iterator[BrowserContext]:
    """Pages that fail if one of them asks for what is not below `home`, for what is not there, or reports an error."""
    context, faults = browser.new_context(**options), list[str]()

    def check(request: Request) -> None:
        if not request.url.startswith(home):
            faults.append(request.url)

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            faults.append(message.text)

    def fail(request: Request) -> None:
        # A page that is left need not finish loading.
        if request.failure != "net::ERR_ABORTED":
            faults.append(f"{request.url}: {request.failure}")

    context.on("request", check)
    context.on("console", note)
    context.on("requestfailed", fail)
    context.on("weberror", lambda error: faults.append(str(error.error)))
    yield context
    context.close()
    assert faults == []
