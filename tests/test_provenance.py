"""Results name the commits that made them."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def git(*arguments):
    return subprocess.run(
        ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False
    )


def test_results_come_from_commits_of_this_history():
    if git("rev-parse", "--is-shallow-repository").stdout.strip() != "false":
        pytest.skip("needs the whole history, which is not here")
    named = {
        (path.name, commit)
        for path in sorted((ROOT / "docs" / "results").rglob("*.json"))
        for field in re.findall(r'"commit": "([^"]+)"', path.read_text(encoding="utf-8"))
        for commit in re.findall(r"[0-9a-f]{40}", field)
    }
    assert len(named) > 10
    strange = [
        (name, commit)
        for name, commit in sorted(named)
        if git("merge-base", "--is-ancestor", commit, "HEAD").returncode
    ]
    assert strange == []
