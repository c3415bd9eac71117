"""The paths of a project, in one object that is passed down: no module fixes a path when it is imported."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from scripts.errors import UserError

DEFAULT_THEME = "classic"
# What is behind figures: the theme's paper, or nothing.
BACKGROUNDS = ("paper", "transparent")
# The most pixels that an image has where it has one by default, along each side.
MOST_SCALE = 4

# All files that outputs are made from, relative to the project's root.
INPUTS = (
    "Makefile",
    "requirements.txt",
    "requirements-mp4.txt",
    "CHANGELOG.md",
    "CITATION.cff",
    "figures/*.toml",
    "templates/**/*.*",
    "scripts/**/*.py",
    "report/**/*.*",
)


class Outputs(NamedTuple):
    """The folders that figures are built into: one for each kind of file below `top`, which is `top` if `together`.

    Even then, kinds whose files might have the names of other kinds have folders of their own.  TeX runs below `work`.
    """

    top: Path
    work: Path
    together: bool = False

    def file(self, kind: str, name: str) -> Path:
        """The path of a file of some kind."""
        is_plain = name.endswith(f".{kind}")
        return self.top / name if self.together and is_plain else self.top / kind / name

    @property
    def package(self) -> Path:
        """The LaTeX package by which a paper shows steps, beside these."""
        return self.file("tex", "step.tex").with_name("convfigures.sty")

    def document(self, name: str) -> Path:
        """The document with all frames of a figure, in a folder of its own for latexmk."""
        return self.work / name / f"{name}.tex"


class Project(NamedTuple):
    """The checkout in `root`, which is built into `base`: figures in a theme on a background, images at a scale."""

    root: Path = Path()
    base: Path = Path("build")
    theme: str = DEFAULT_THEME
    background: str = BACKGROUNDS[0]
    scale: int = 1

    @classmethod
    def current(cls, options: Mapping[str, str] = MappingProxyType({})) -> "Project":
        """The project in the current folder, with BUILD and its options as set, else with these `options`.

        Raises `UserError` for an option that cannot be.
        """
        given = {
            "theme": os.environ.get("THEME"),
            "background": os.environ.get("BACKGROUND"),
            "scale": os.environ.get("SCALE"),
        }
        project = cls(base=Path(os.environ.get("BUILD") or "build"))
        return project.looking({**options, **{name: value for name, value in given.items() if value}})

    def looking(self, options: Mapping[str, str]) -> "Project":
        """The same project with other `options`; raises `UserError` for one that cannot be."""
        for name in options.keys() - self.options:
            raise UserError(f"{name.upper()}: is no option of this version. The options are {', '.join(self.options)}.")
        wanted = self.options | dict(options)
        allowed = {
            "theme": self.themes(),
            "background": BACKGROUNDS,
            "scale": [str(scale) for scale in range(1, MOST_SCALE + 1)],
        }
        for name, choices in allowed.items():
            if wanted[name] not in choices:
                raise UserError(f"{name.upper()}: cannot be {wanted[name]!r}. It is one of {', '.join(choices)}.")
        return self._replace(theme=wanted["theme"], background=wanted["background"], scale=int(wanted["scale"]))

    @property
    def options(self) -> dict[str, str]:
        """How all figures look, as recipes keep it."""
        return {"theme": self.theme, "background": self.background, "scale": str(self.scale)}

    @property
    def is_transparent(self) -> bool:
        """Whether what is behind a figure shows through it."""
        return self.background == "transparent"

    @property
    def figures(self) -> Path:
        """The figures' files."""
        return self.root / "figures"

    @property
    def templates(self) -> Path:
        """The templates, which define how figures look."""
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
    def citation(self) -> Path:
        """How the project is cited."""
        return self.root / "CITATION.cff"

    @property
    def requirements(self) -> Path:
        """The pinned packages."""
        return self.root / "requirements.txt"

    @property
    def build(self) -> Path:
        """The outputs in this theme, on this background and at this scale."""
        themed = self.base if self.theme == DEFAULT_THEME else self.base / "themes" / self.theme
        backed = themed / self.background if self.is_transparent else themed
        return backed if self.scale == 1 else backed / f"{self.scale}x"

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
        """The folder in which TeX compiles the report."""
        return self.build / "report"

    @property
    def report_pdf(self) -> Path:
        """The report."""
        return self.build / "report.pdf"

    @property
    def catalogue(self) -> Outputs:
        """The folders for the figures of the catalogue."""
        return Outputs(self.build, self.build / "work")

    def drawing(self, name: str) -> Outputs:
        """The folders for a layer drawn by `make draw`."""
        return Outputs(self.build / "draw" / name, self.build / "draw" / ".work", together=True)

    def explanation(self, name: str) -> Outputs:
        """The folders for an explanation by `make explain`, and for the figures in it."""
        return Outputs(self.build / "explain" / name, self.build / "explain" / ".work" / name, together=True)

    @property
    def theme_file(self) -> Path:
        """The file of the theme."""
        return self.templates / "themes" / f"{self.theme}.tex"

    def themes(self) -> list[str]:
        """The names of all themes."""
        return sorted(path.stem for path in (self.templates / "themes").glob("*.tex"))

    def figure_names(self) -> list[str]:
        """The names of all figures; hidden files belong to editors."""
        return sorted(path.stem for path in self.figures.glob("[!.]*.toml"))

    def inputs(self) -> list[Path]:
        """All files that outputs are made from."""
        return sorted(path for pattern in INPUTS for path in self.root.glob(pattern) if path.is_file())


def frame_names(name: str, count: int) -> list[str]:
    """File names of a figure's frames, without extension: two digits, or three for more than 100 frames."""
    digits = 2 if count <= 100 else 3
    return [f"{name}_{number:0{digits}}" for number in range(count)]
