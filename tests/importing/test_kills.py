"""An import that is killed at any moment and started again ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.importing.killing import killed_at_commit

from groundswell.desk import open_desk, runs
from groundswell.lake import Lake
from groundswell.settings import load_settings


def write_input(path: Path, count: int) -> None:
    with path.open("w") as out:
        for n in range(count):
            item = {
                "id": str(n % (count - 7)),
                "text": f"post {n}",
                "createTime": str(1_640_000_000 + 3_000 * (n % 997)),
            }
            out.write(json.dumps({"authorInfos": {}, "itemInfos": item}) + "\n" if n % 101 else f"broken {n}\n")


def run(path: Path, home: Path, kill_after: float | None = None) -> dict[str, Any] | None:
    """The document of an import in another process; null if it was killed before its end."""
    environment = {**os.environ, "GROUNDSWELL_HOME": str(home), "GROUNDSWELL_THREADS": "1"}
    command = [str(Path(sys.executable).parent / "groundswell"), "import", "--json", str(path)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if kill_after is not None:
        killer = threading.Timer(kill_after, process.kill)
        killer.start()
    out, _ = process.communicate()
    if kill_after is not None:
        killer.cancel()
    return json.loads(out) if process.returncode == 0 else None


def state(home: Path) -> dict[str, Any]:
    """What must be the same: posts with their numbers, quarantine, ledger, runs."""
    settings = load_settings(home=home)
    lake = Lake.open(settings)
    posts = lake.read("posts", ["ingest_seq", "post_id", "key", "origin_offset"]).sort_by("ingest_seq")
    counts = ["received", "stored", "known", "rejected", "ignored"]
    with open_desk(settings) as desk, desk.session() as session:
        states = {row.state for row in runs.listed(session, "import")}
    return {
        "posts": posts.to_pylist(),
        "quarantine": sorted(lake.read("quarantine", ["id"])["id"].to_pylist()),
        "ledger": lake.read("ledger", counts).to_pylist(),
        "runs": states,
    }


def without_time(document: dict[str, Any] | None) -> dict[str, Any]:
    assert document is not None
    files = [{k: v for k, v in file.items() if k != "seconds"} for file in document["files"]]
    return {**document, "seconds": None, "files": files}


@pytest.mark.parametrize("commit", [1, 2, 3])
@pytest.mark.parametrize("before", [True, False])
def test_a_kill_around_each_commit_changes_nothing(commit: int, before: bool, workshop: Any, tmp_path: Path) -> None:
    path = tmp_path / "in.ndjson"
    write_input(path, 400)
    expected = workshop.import_(path)
    reference = state(workshop.settings.home)
    workshop.settings = load_settings(home=tmp_path / "other")
    workshop.desk.close()
    workshop.desk = open_desk(workshop.settings)
    workshop.lake = Lake.open(workshop.settings)
    with killed_at_commit(commit, before=before):
        workshop.import_(path)
    assert without_time(workshop.import_(path)) == without_time(expected)
    assert state(workshop.settings.home) == reference


def test_the_run_of_a_file_that_is_gone_is_settled_by_the_next_import(
    workshop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = tmp_path / "in.ndjson", tmp_path / "other.ndjson"
    write_input(path, 50)
    write_input(other, 10)

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("groundswell.importing.unit.write_ledger", die)
        patch.setattr("groundswell.importing.imports._Import._fail", lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            workshop.import_(path)
    path.unlink()
    workshop.import_(other)
    ledger = workshop.lake.read("ledger").to_pylist()
    assert sorted(row["received"] for row in ledger) == [10, 50]
    assert sum(row["stored"] for row in ledger) == workshop.lake.count()


def killed_until_done(path: Path, home: Path, seed: int, longest: float) -> dict[str, Any]:
    moments = random.Random(seed)  # noqa: S311 - the moments need not be secret
    for _ in range(6):
        done = run(path, home, moments.uniform(0.3, longest))
        if done is not None:
            return done
    done = run(path, home)
    assert done is not None
    return done


@pytest.mark.service
@pytest.mark.parametrize(
    "seed",
    [1, pytest.param(2, marks=pytest.mark.soak), *(pytest.param(n, marks=pytest.mark.soak) for n in range(3, 20))],
)
def test_sigkill_at_random_moments_changes_nothing(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "in.ndjson"
    write_input(path, 20_000)
    expected = run(path, tmp_path / "reference")
    done = killed_until_done(path, tmp_path / "home", seed, 4.0)
    found, reference = state(tmp_path / "home"), state(tmp_path / "reference")
    assert found["posts"] == reference["posts"]
    assert found["quarantine"] == reference["quarantine"]
    assert found["ledger"][-1:] == reference["ledger"]
    assert found["runs"] == {"done"}
    assert expected is not None
    assert done["read"] == expected["read"]
