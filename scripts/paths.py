"""All places of the project, relative to its top folder, where every stage runs."""

import os
from dataclasses import dataclass
from pathlib import Path

README = Path("README.md")
CHANGELOG = Path("CHANGELOG.md")
FIGURES = Path("figures")
GALLERY = FIGURES / "gallery"
TEMPLATES = Path("templates")
REPORT = Path("report")
RELATIONSHIPS = REPORT / "relationships.toml"
STACKS = REPORT / "stacks.toml"
LAYERS = REPORT / "layers"
SCRIPTS = Path("scripts")
THEME = TEMPLATES / "themes" / "classic.tex"
STYLES = TEMPLATES / "styles.tex"
PREAMBLE = TEMPLATES / "preamble.tex"
REPORT_STYLE = TEMPLATES / "reportstyle.tex"
REQUIREMENTS = Path("requirements.txt")
READY = Path(".venv/.ready")

# All files that outputs are made from.
INPUTS = (
    "Makefile",
    "requirements.txt",
    "CHANGELOG.md",
    "figures/*.toml",
    "templates/**/*.*",
    "scripts/**/*.py",
    "report/**/*.*",
)

BUILD = Path(os.environ.get("BUILD", "build"))
WORK = BUILD / "work"
FORMAT = WORK / "figure.fmt"
RECORDS = BUILD / "made"
TRACE = BUILD / "trace.json"
PROVENANCE = BUILD / "provenance.json"
REPORT_BUILD = BUILD / "report"
DIAGRAMS = REPORT_BUILD / "diagrams"
REPORT_PDF = BUILD / "report.pdf"


@dataclass(frozen=True)
class Outputs:
    """Where the files of figures go: each kind's folder, and the folder in which TeX works."""

    tex: Path
    pdf: Path
    png: Path
    gif: Path
    strips: Path
    work: Path

    def document(self, name: str) -> Path:
        """The source of all frames of a figure, in a folder that latexmk has to itself."""
        return self.work / name / f"{name}.tex"


CATALOGUE = Outputs(
    tex=BUILD / "tex",
    pdf=BUILD / "pdf",
    png=BUILD / "png",
    gif=BUILD / "gif",
    strips=REPORT_BUILD / "figures",
    work=WORK,
)

# Single layers, drawn by `make draw`: all of a drawing's files side by side.
DRAW = BUILD / "draw"
DRAW_WORK = BUILD / "work_draw"
DRAWINGS = Outputs(tex=DRAW, pdf=DRAW, png=DRAW, gif=DRAW, strips=DRAW_WORK, work=DRAW_WORK)


def frame_names(name: str, count: int) -> list[str]:
    """Names of a figure's frames, without ending: two digits, three where there are over 100."""
    digits = 2 if count <= 100 else 3
    return [f"{name}_{number:0{digits}}" for number in range(count)]


def figure_names() -> list[str]:
    """Names of all figures of the catalogue; hidden files are an editor's."""
    return sorted(path.stem for path in FIGURES.glob("[!.]*.toml"))
