"""The DAG of the daily work, run by a real Airflow in an environment of its own."""

from __future__ import annotations

import ast
import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from tests.deploy.conftest import DEPLOY, ROOT

from groundswell.desk import Desk, day_marts, runs
from groundswell.desk.tables import InboxRow, RunRow
from groundswell.lake import Lake
from groundswell.lake.ledger import quarters
from groundswell.settings import Settings
from groundswell.watch.daily import STEPS, is_done

DAGS = DEPLOY / "airflow" / "dags"
DAY = date(2026, 11, 1)


def test_the_tasks_are_the_steps_of_the_daily_work() -> None:
    tree = ast.parse((DAGS / "groundswell_daily.py").read_text(encoding="utf-8"))
    values = {
        target.id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert values["STEPS"] == tuple(step.name for step in STEPS)


def test_the_lock_of_airflow_has_a_hash_for_everything_and_names_no_registry() -> None:
    lines = (ROOT / "requirements" / "airflow.txt").read_text(encoding="utf-8").splitlines()
    packages = [number for number, line in enumerate(lines) if line and line[0].isalnum()]
    assert any(line.startswith("apache-airflow==3.3") for line in lines)
    assert [lines[number] for number in packages if "--hash" not in lines[number + 1]] == []
    assert [line for line in lines if "://" in line or line.startswith("--")] == []


@pytest.mark.service
@pytest.mark.timeout(900)
def test_a_date_is_done_task_by_task_and_done_again_nothing_is_doubled(
    tmp_path: Path, settings: Settings, desk: Desk
) -> None:
    from tests.services.airflow import new_airflow

    inbox = tmp_path / "raw" / DAY.isoformat()
    inbox.mkdir(parents=True)
    posts = [
        {"id": str(n), "text": "shoe #sale", "created_at": f"{DAY}T10:0{n}:00Z", "user_name": f"u{n}"} for n in range(6)
    ]
    (inbox / "posts.ndjson").write_text("".join(json.dumps(post) + "\n" for post in posts))
    program = Path(sys.executable).parent / "groundswell"
    environment = {
        "GROUNDSWELL_COMMAND": str(program),
        "GROUNDSWELL_HOME": str(settings.home),
        "GROUNDSWELL_INBOX": f"{tmp_path}/raw/{{date}}/",
    }
    airflow = new_airflow(tmp_path / "airflow", DAGS)
    seen: list[Any] = []
    for _ in range(2):
        done = airflow.run("dags", "test", "groundswell_daily", DAY.isoformat(), environment=environment)
        assert done.returncode == 0, done.stdout[-3000:]
        assert "state=success" in done.stdout
        seen.append(what_is_there(settings, desk))
    first, second = seen
    assert first["posts"] == 6
    assert first["marts"] == ["summary", *sorted(f"trends.{by}" for by in TREND_KINDS)]
    assert first == second


TREND_KINDS = ("hashtag", "sound", "musician", "challenge", "creator")


def what_is_there(settings: Settings, desk: Desk) -> dict[str, Any]:
    """What must not be doubled: rows of the lake and its ledger, of the desk, and the bodies of the marts."""
    lake = Lake.open(settings)
    assert is_done(desk, DAY)
    with desk.reading() as session:
        marts = day_marts.of_date(session, DAY)
        row = runs.latest(session, "daily", DAY.isoformat())
        assert row is not None
        assert row.summary is not None
        return {
            "posts": lake.count(),
            "ledger": [{**line, "quarter": None} for line in quarters(lake)],
            "marts": list(marts),
            "summary": marts["summary"].body,
            "trending": marts["trends.hashtag"].body["items"],
            "inbox": session.scalar(select(func.count()).select_from(InboxRow)),
            "runs": session.scalar(select(func.count()).select_from(RunRow).where(RunRow.kind == "daily")),
            "steps": list(row.summary["steps"]),
        }
