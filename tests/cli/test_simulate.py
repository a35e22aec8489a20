"""`groundswell simulate` from the outside."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def groundswell(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [str(Path(sys.executable).with_name("groundswell")), *arguments]
    return subprocess.run(command, capture_output=True, check=False, timeout=120)


def test_a_file_and_its_truth_are_written_and_said_as_json(tmp_path: Path) -> None:
    out = tmp_path / "a.ndjson"
    done = groundswell("simulate", "--posts", "500", "--days", "1", "--out", str(out), "--json")
    assert done.returncode == 0, done.stderr.decode()
    said = json.loads(done.stdout)
    assert said["posts"] == 500
    assert said["bytes"] == out.stat().st_size
    assert Path(said["truth"]).is_file()
    assert len(said["events"]) == 6


def test_stdout_is_the_posts_alone() -> None:
    done = groundswell("simulate", "--posts", "50", "--days", "1", "--events", "none")
    assert len([json.loads(line) for line in done.stdout.splitlines()]) == 50
    assert b"50 posts" in done.stderr


def test_wrong_usage_ends_with_2_and_says_why() -> None:
    done = groundswell("simulate", "--posts", "50", "--events", "quake")
    assert done.returncode == 2
    assert b"no event `quake`" in done.stderr
    assert done.stdout == b""
