"""A miniature project, built in a folder of its own by the real Makefile, scripts and templates."""

import resource
import secrets
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import pytest
from hypothesis.configuration import set_hypothesis_home_dir
from scripts.tex.tools import outside_make

TOP = Path(__file__).parents[1]

# A plane figure with values, so that its transpose has some; and what is made from it.
FIGURES = {
    "tiny": 'title = "Tiny"\noperation = "convolution"\ninput_size = 3\nkernel_size = 2\n',
    "tiny_transposed": 'title = "Tiny, transposed"\ntranspose_of = "tiny"\n',
    "values": 'title = "100 % & more_values"\noperation = "convolution"\npadding = [[1, 0], 0]\n'
    "input_values = [[1, 2], [3, 4]]\nkernel_values = [[1, 0], [0, 1.5]]\nframe_duration = 0.5\n",
}
REPORT = r"""\documentclass{scrartcl}
\input{reportstyle}
\input{figures}
\begin{document}
See \ref{fig:tiny} and \ref{fig:values}.
\showfigure{tiny}\showfigure{tiny_transposed}\showfigure{values}
\end{document}
"""

# Without these rights root is bound by a file's mode like everyone else.
UNPRIVILEGED = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner"]
UNPRIVILEGED += ["--inh-caps=-dac_override,-dac_read_search,-fowner"]


def works(*command: str) -> bool:
    """Whether a command that runs another one can do so here."""
    return not command or (shutil.which(command[0]) is not None and not subprocess.call([*command, "true"]))


def set_writable(top: Path, writable: bool) -> None:
    """Allow writing into a tree and its files, or forbid it; links are left alone."""
    for path in (top, *top.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o200 if writable else path.stat().st_mode & ~0o222)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="keep the rendered sources as the golden text")
    parser.addoption("--full", action="store_true", help="compare many more layers with the engines, at random")


# Nothing is written into the source folders.
set_hypothesis_home_dir(TOP / ".venv/cache/hypothesis")
COMPARED = pytest.StashKey[Counter[str]]()
NOTES = pytest.StashKey[list[str]]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    config.stash[COMPARED] = Counter()
    config.stash[NOTES] = []
    if config.option.full and config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = str(secrets.randbelow(2**32))


def pytest_report_header(config: pytest.Config) -> list[str]:
    seed = config.option.hypothesis_seed
    return [f"the same random cases again: pytest --full --hypothesis-seed={seed}"] if config.option.full else []


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
    """Where random cases begin: another place in every long run, which says where."""
    return int(request.config.option.hypothesis_seed or 0)


@pytest.fixture
def notes(request: pytest.FixtureRequest) -> list[str]:
    """Lines for the summary."""
    return request.config.stash[NOTES]


@pytest.fixture
def compared(request: pytest.FixtureRequest) -> Counter[str]:
    """How many layers were compared with each engine, for the summary."""
    return request.config.stash[COMPARED]


# No honest figure takes more to be read and drawn, by far.
MOST_MEMORY = 150 << 20
MOST_SECONDS = 60


class TooSlowError(BaseException):
    """What nothing takes for a mistake of its own."""


@contextmanager
def limits() -> Iterator[None]:
    """Let this process take only so much more memory, and only so long."""

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


@dataclass(frozen=True)
class Project:
    """A checkout in which commands run as a user would type them."""

    top: Path

    def make(self, *words: str, fails: bool = False) -> str:
        """What make printed, both streams; its exit status must be as expected."""
        # The tests may themselves run under make.
        result = subprocess.run(
            ["make", *words], cwd=self.top, env=outside_make(), capture_output=True, text=True, check=False
        )
        printed = result.stdout + result.stderr
        assert (result.returncode != 0) == fails, printed
        return printed

    def outputs(self, *kinds: str) -> dict[str, int]:
        """Files of the build below some folders, with their times."""
        files = (path for kind in kinds for path in (self.top / "build").glob(kind))
        return {str(path.relative_to(self.top / "build")): path.stat().st_mtime_ns for path in files if path.is_file()}

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.top / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))


def make_project(top: Path) -> Project:
    for name in ("scripts", "templates"):
        shutil.copytree(TOP / name, top / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "requirements.txt", "CHANGELOG.md"):
        shutil.copy2(TOP / name, top / name)
    # Whether or not the originals may be written to.
    set_writable(top, True)
    (top / ".venv").symlink_to(TOP / ".venv")
    (top / "figures").mkdir()
    for name, text in FIGURES.items():
        (top / "figures" / f"{name}.toml").write_text(text)
    (top / "report").mkdir()
    (top / "report" / "report.tex").write_text(REPORT)
    shutil.copy2(TOP / "report" / "relationships.toml", top / "report")
    return Project(top)


def link_project(top: Path) -> Project:
    """The project itself, with nothing built and texts of its own that may be changed."""
    project = make_project(top)
    for name in ("figures", "report"):
        shutil.rmtree(top / name)
        shutil.copytree(TOP / name, top / name)
        set_writable(top / name, True)
    return project


@pytest.fixture
def fresh_project(tmp_path: Path) -> Project:
    """A project in which nothing is built, in a folder whose name has a space and an accent."""
    return make_project(tmp_path / "mon café")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with everything built, for tests that only look."""
    project = make_project(tmp_path_factory.mktemp("built") / "project")
    project.make("report", "gifs")
    return project


@pytest.fixture
def project(built: Project, tmp_path: Path) -> Project:
    """A copy of the built project, for tests that change it."""
    shutil.copytree(built.top, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")
