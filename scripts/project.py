"""Where everything is: one object, passed down, instead of places fixed at import."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from scripts.errors import UserError

DEFAULT_THEME = "classic"

# All files that outputs are made from, relative to the project's root.
INPUTS = (
    "Makefile",
    "requirements.txt",
    "CHANGELOG.md",
    "figures/*.toml",
    "templates/**/*.*",
    "scripts/**/*.py",
    "report/**/*.*",
)


@dataclass(frozen=True)
class Outputs:
    """Where the files of figures go: a folder for each kind below `top`, or all in `top` itself if `together`.

    `work` is where TeX works.
    """

    top: Path
    work: Path
    together: bool = False

    def folder(self, kind: str) -> Path:
        """The folder of one kind of file."""
        return self.top if self.together else self.top / kind

    def document(self, name: str) -> Path:
        """The source of all frames of a figure, in a folder that latexmk has to itself."""
        return self.work / name / f"{name}.tex"


@dataclass(frozen=True)
class Project:
    """A checkout below `root`, built below `base` with figures in a theme."""

    root: Path = Path()
    base: Path = Path("build")
    theme: str = DEFAULT_THEME

    @classmethod
    def current(cls) -> "Project":
        """The project in the current folder, as BUILD and THEME ask for it; raises `UserError` for an unknown theme."""
        project = cls(base=Path(os.environ.get("BUILD") or "build"), theme=os.environ.get("THEME") or DEFAULT_THEME)
        if project.theme not in (themes := project.themes()):
            raise UserError(f"THEME: cannot be {project.theme!r}. It is one of {', '.join(themes)}.")
        return project

    @property
    def figures(self) -> Path:
        """The figures' files."""
        return self.root / "figures"

    @property
    def templates(self) -> Path:
        """How figures look."""
        return self.root / "templates"

    @property
    def report(self) -> Path:
        """The report's text."""
        return self.root / "report"

    @property
    def changelog(self) -> Path:
        """The changelog, which names the last release."""
        return self.root / "CHANGELOG.md"

    @property
    def requirements(self) -> Path:
        """The pinned packages."""
        return self.root / "requirements.txt"

    @property
    def preamble(self) -> Path:
        """What all figures' documents begin with."""
        return self.templates / "preamble.tex"

    @cached_property
    def build(self) -> Path:
        """The outputs in this theme."""
        return self.base if self.theme == DEFAULT_THEME else self.base / "themes" / self.theme

    @property
    def tex_format(self) -> Path:
        """TeX's memory after the preamble, from which every figure's run starts."""
        return self.build / "work" / "figure.fmt"

    @property
    def records(self) -> Path:
        """What outputs were last made from."""
        return self.build / "made"

    @property
    def report_build(self) -> Path:
        """Where TeX makes the report."""
        return self.build / "report"

    @property
    def report_pdf(self) -> Path:
        """The report."""
        return self.build / "report.pdf"

    @property
    def catalogue(self) -> Outputs:
        """Where the files of all figures go."""
        return Outputs(self.build, self.build / "work")

    def drawing(self, name: str) -> Outputs:
        """Where the files of a layer drawn by `make draw` go."""
        return Outputs(self.build / "draw" / name, self.build / "draw" / ".work", together=True)

    def themes(self) -> list[str]:
        """The names of all themes."""
        return sorted(path.stem for path in (self.templates / "themes").glob("*.tex"))

    def figure_names(self) -> list[str]:
        """The names of all figures; hidden files are an editor's."""
        return sorted(path.stem for path in self.figures.glob("[!.]*.toml"))

    def inputs(self) -> list[Path]:
        """All files that outputs are made from."""
        return sorted(path for pattern in INPUTS for path in self.root.glob(pattern) if path.is_file())


def frame_names(name: str, count: int) -> list[str]:
    """Names of a figure's frames, without ending: two digits, three where there are over 100."""
    digits = 2 if count <= 100 else 3
    return [f"{name}_{number:0{digits}}" for number in range(count)]
