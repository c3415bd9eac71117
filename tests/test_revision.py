"""The commit and the date of outputs."""

import os
import re
import shutil
import subprocess
import time
from datetime import date
from pathlib import Path

import pytest

from scripts.errors import UserError
from scripts.project import Project
from scripts.record.revision import build_date, commit

pytestmark = [
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
    pytest.mark.usefixtures("repository"),
]

# In UTC it is the next day.
COMMITTED = "2024-02-28T23:30:00-0500"


def git(folder: Path, *words: str) -> None:
    who = {f"GIT_{role}_{what}": "someone" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **who, "GIT_COMMITTER_DATE": COMMITTED, "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", "-c", "init.defaultBranch=main", *words], cwd=folder, env=environment, check=True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with one commit."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "tiny.toml").write_text("title = 'Tiny'\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "First")
    return tmp_path


def test_the_day_is_the_last_commit_s_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for zone in ("UTC", "America/New_York", "Pacific/Kiritimati"):
        with monkeypatch.context() as context:
            context.setenv("TZ", zone)
            time.tzset()
            assert build_date(Project()) == date(2024, 2, 29)
    time.tzset()


def test_the_day_is_source_date_epoch_s_where_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86399")
    assert build_date(Project()) == date(1970, 1, 1)
    for wrong in ("yesterday", "1e9", "9" * 30):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", wrong)
        with pytest.raises(UserError, match=f"SOURCE_DATE_EPOCH: cannot be '{wrong}'. It is a number of seconds"):
            build_date(Project())


def test_there_is_no_day_without_a_repository_of_its_own(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "unpacked").mkdir()
    monkeypatch.chdir(repository / "unpacked")
    assert build_date(Project()) is None


def test_the_commit_says_whether_outputs_may_differ_from_it(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    last = commit(Project())
    assert last is not None
    assert re.fullmatch("[0-9a-f]{40}", last)
    (repository / "notes.txt").write_text("no output is made from these")
    assert commit(Project()) == last
    (repository / "figures" / "new.toml").write_text("title = 'New'\n")
    assert commit(Project()) == f"{last}-dirty"
    (repository / "figures" / "new.toml").unlink()
    (repository / "figures" / "tiny.toml").write_text("title = 'Changed'\n")
    assert commit(Project()) == f"{last}-dirty"
    (repository / "unpacked").mkdir()
    monkeypatch.chdir(repository / "unpacked")
    assert commit(Project()) is None
