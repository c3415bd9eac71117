"""All places of the project, relative to its top folder, where every stage runs."""

import os
from pathlib import Path

README = Path("README.md")
FIGURES = Path("figures")
GALLERY = FIGURES / "gallery"
TEMPLATES = Path("templates")
REPORT = Path("report")
SCRIPTS = Path("scripts")
THEME = TEMPLATES / "theme.tex"
PREAMBLE = TEMPLATES / "preamble.tex"
REQUIREMENTS = Path("requirements.txt")

BUILD = Path(os.environ.get("BUILD", "build"))
TEX = BUILD / "tex"
PDF = BUILD / "pdf"
PNG = BUILD / "png"
GIF = BUILD / "gif"
STRIPS = BUILD / "report" / "figures"
REPORT_PDF = BUILD / "report.pdf"
WORK = BUILD / "work"
FORMAT = WORK / "figure.fmt"
RECORDS = BUILD / "made"


def document(name: str) -> Path:
    """The source of all frames of a figure, in a folder that latexmk has to itself."""
    return WORK / name / f"{name}.tex"


def frame_names(name: str, count: int) -> list[str]:
    """Names of a figure's frames, without ending: two digits, three where there are over 100."""
    digits = 2 if count <= 100 else 3
    return [f"{name}_{number:0{digits}}" for number in range(count)]


def figure_names() -> list[str]:
    """Names of all figures of the catalogue."""
    return sorted(path.stem for path in FIGURES.glob("*.toml"))
