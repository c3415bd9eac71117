"""`make bench` measures and compares; no test depends on speed."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.formats import FORMATS
from tests.conftest import TOP, Checkout, set_writable, share_environment


@pytest.fixture
def whole(tmp_path: Path) -> Checkout:
    """A copy of all sources, for which the pictures of the sample are then built."""
    ignored = shutil.ignore_patterns("__pycache__", ".git", ".venv", "build")
    shutil.copytree(TOP, tmp_path / "whole", ignore=ignored)
    set_writable(tmp_path / "whole", True)
    share_environment(tmp_path / "whole")
    return Checkout(tmp_path / "whole")


@pytest.mark.full("takes a minute")
def test_results_are_kept_and_compared(whole: Checkout) -> None:
    pytest.importorskip("matplotlib", reason="make bench installs it")
    whole.make("gifs", "FIGURES=no_padding_strides padding_strides dilation padding_strides_transposed"
               " numerical_padding_strides")  # fmt: skip
    bench = [sys.executable, "-m", "scripts.bench", "--runs", "1", "--many", "20"]
    first = subprocess.run(bench, cwd=whole.top, capture_output=True, text=True, check=True).stdout
    assert "| make gifs, 19 figures, clean |" in first
    results = json.loads((whole.top / "build" / "bench.json").read_text())
    assert results["machine"]["tex"].startswith("pdfTeX")
    assert set(results["processor_per_frame"]) >= {"naive", "matplotlib"}
    assert {cost["format"] for cost in results["formats"]} == set(FORMATS)
    assert all(cost["size"] > 1000 and cost["processor_per_frame"] > 0 for cost in results["formats"])
    shutil.copy(whole.top / "build" / "bench.json", whole.top / "earlier.json")
    bench += ["--baseline", "earlier.json"]
    second = subprocess.run(bench, cwd=whole.top, capture_output=True, text=True, check=True).stdout
    assert "| to baseline |" in second


def test_a_baseline_that_is_none_is_told(checkout: Checkout) -> None:
    (checkout.top / "wrong.json").write_text("{}")
    bench = [sys.executable, "-m", "scripts.bench", "--baseline", "wrong.json"]
    result = subprocess.run(bench, cwd=checkout.top, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "BASELINE: wrong.json holds no results of make bench" in result.stderr
