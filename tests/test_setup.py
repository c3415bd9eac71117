"""The set-up, on a machine that lacks everything but Python."""

import os
import subprocess
import sys
from pathlib import Path

SETUP = Path(__file__).parents[1] / "scripts" / "setup.py"


def test_no_install_names_each_missing_thing_and_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    environment = os.environ | {"PATH": str(tmp_path / "empty"), "NO_INSTALL": "1"}
    result = subprocess.run(
        [sys.executable, "-B", SETUP], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    for line in (
        "pdflatex: typesets figures and report",
        "TikZ: draws the figures",
        "latexmk: runs TeX as often as needed",
        "pdftoppm and pdfinfo: turn PDF into pixels",
        "sudo apt-get install --no-install-recommends ",
        "sudo dnf install ",
        "sudo pacman -S ",
        "brew install poppler && brew install --cask mactex-no-gui",
    ):
        assert line in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]
