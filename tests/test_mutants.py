"""The deliberate errors of tests/mutants.py: their list is true, and each makes a test fail."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants import MUTANTS, stale


def test_each_mutant_changes_one_place() -> None:
    assert stale() == []
    assert len(MUTANTS) >= 150
    assert len(set(MUTANTS)) == len(MUTANTS)
    assert all(mutant.old != mutant.new for mutant in MUTANTS)


def test_every_mutant_is_caught(full: bool) -> None:
    if not full:
        pytest.skip("takes minutes: only with --full")
    result = subprocess.run(
        [sys.executable, "-m", "tests.mutants"],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, "\n".join(line for line in result.stdout.splitlines() if "SURVIVED" in line)
