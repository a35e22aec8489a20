"""Killing a replay loses nothing and doubles nothing: alerts, windows, posts and ledger are as without."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, select
from tests.services.receiver import Receiver, receiving

from groundswell.bus import Journal
from groundswell.desk import channels, open_desk, outbox
from groundswell.desk.channels import Rules
from groundswell.desk.tables import AlertRow, PlanRow, SeriesRow
from groundswell.lake import Lake
from groundswell.settings import Settings, load_settings
from groundswell.simulate import Event, EventKind, Scenario, write
from groundswell.watch.trackers import add_tracker

REPLAYER = Path(__file__).parent / "replayer.py"
#: Of the watch and of the lake writer, which work side by side: a run that dies in one may finish the other.
BORDERS = (("planned", "stepped", "snapshot", "committing", "committed"), ("before append", "after append"))
#: Clocks of the machine, not of the stream.
WALL = {"created_wall"}


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("history") / "posts.ndjson"
    events = (
        Event(EventKind.CRISIS, timedelta(hours=14), timedelta(minutes=40), size=8.0, topic="aurora cola"),
        Event(EventKind.BOTS, timedelta(hours=19), timedelta(minutes=30), size=8.0, topic="kitepay"),
    )
    write(Scenario(posts=8_000, days=1, seed=11, events=events, dirt=0.01, long_line=100_000), path)
    lines = path.read_bytes().splitlines(keepends=True)
    # Out of order, as files are.
    path.write_bytes(b"".join(lines[1::2] + lines[::2]))
    return path


def home_with_trackers(path: Path) -> Settings:
    settings = load_settings(home=path)
    with open_desk(settings) as desk, desk.session() as session:
        for name, query in (("cola", '"aurora cola"'), ("kite", "kitepay"), ("nova", "#novawear")):
            add_tracker(session, name, query, 30.0, now_us=1)
    return settings


def run(settings: Settings, history: Path, *options: str) -> dict[str, Any]:
    command = [sys.executable, str(REPLAYER), str(settings.home), str(history), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=250)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    assert result["last"] == 0, done.stderr
    return result


def rows(session: Any, table: Any) -> list[dict[str, Any]]:
    names = [column.key for column in inspect(table).columns if column.key not in WALL]
    keys = list(inspect(table).primary_key)
    found = session.scalars(select(table).order_by(*keys))
    return [{name: getattr(row, name) for name in names} for row in found]


def outcome(settings: Settings) -> dict[str, Any]:
    """Everything that a replay leaves behind, in a form that can be compared."""
    lake = Lake.open(settings)
    with open_desk(settings) as desk, desk.reading() as session:
        alerts, series, plans = rows(session, AlertRow), rows(session, SeriesRow), rows(session, PlanRow)
    with Journal(settings.journal_path) as journal:
        records = journal.next_record()
    ledger = (
        lake.read("ledger")
        .group_by(["source", "quarter"])
        .aggregate([(name, "sum") for name in ("received", "stored", "known", "rejected", "ignored")])
    )
    return {
        "alerts": alerts,
        "series": series,
        "plans left": plans,
        "records": records,
        "posts": sorted(lake.read("posts", ["key"])["key"].to_pylist()),
        "quarantine": sorted(lake.read("quarantine", ["id"])["id"].to_pylist()),
        "ledger": sorted(ledger.to_pylist(), key=str),
    }


@pytest.fixture(scope="module")
def undisturbed_home(history: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = home_with_trackers(tmp_path_factory.mktemp("undisturbed") / "home")
    run(settings, history)
    return settings.home


@pytest.fixture(scope="module")
def undisturbed(undisturbed_home: Path) -> tuple[dict[str, Any], dict[str, int]]:
    found = outcome(load_settings(home=undisturbed_home))
    return found, json.loads((undisturbed_home / "borders.json").read_text())


def compare(found: dict[str, Any], expected: dict[str, Any]) -> None:
    for name, value in expected.items():
        assert found[name] == value, name


def test_the_undisturbed_replay_finds_something_to_lose(undisturbed: tuple[dict[str, Any], dict[str, int]]) -> None:
    expected, borders = undisturbed
    assert len(expected["alerts"]) >= 2
    assert expected["quarantine"]
    assert len(expected["posts"]) + len(expected["quarantine"]) <= expected["records"] == 8_000
    assert expected["plans left"] == []
    assert all(borders[border] >= 2 for group in BORDERS for border in group), borders


@pytest.mark.parametrize("borders", BORDERS)
def test_a_kill_at_each_border_changes_nothing(
    borders: tuple[str, ...],
    history: Path,
    undisturbed: tuple[dict[str, Any], dict[str, int]],
    tmp_path: Path,
) -> None:
    settings = home_with_trackers(tmp_path / "home")
    result = run(settings, history, *(option for border in borders for option in ("--at", f"{border}:1")))
    assert [line.rpartition(" ")[2] for line in result["at"]] == ["-9"] * len(borders), result
    compare(outcome(settings), undisturbed[0])


def kill_at_random(kills: int, seed: int, history: Path, expected: dict[str, Any], home: Path) -> None:
    settings = home_with_trackers(home)
    result = run(settings, history, "--kills", str(kills), "--seed", str(seed), "--longest", "0.5")
    # A machine may be so fast that the replay ends before the last kill.
    assert result["killed"] >= kills // 2
    compare(outcome(settings), expected)


#: Of the sender; a message that dies in the middle of being sent goes again, with the same id.
SENDS = ("claimed", "delivered", "settled")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def home_that_tells(path: Path, receiver: Receiver) -> Settings:
    settings = home_with_trackers(path)
    with open_desk(settings) as desk, desk.session() as session:
        channels.add(session, "ops", "webhook", {"url": receiver.url}, Rules(max_age_s=0), now_us=1)
    return settings


def told(settings: Settings, receiver: Receiver, kills: int) -> None:
    """Each alert was told when it opened and when it closed; what came twice has the same id, and says the same."""
    with open_desk(settings) as desk, desk.reading() as session:
        planned = outbox.listed(session, limit=1_000)
        alerts = rows(session, AlertRow)
    assert {message.state for message in planned} == {"sent"}
    expected = {(alert["id"], "opened") for alert in alerts}
    expected |= {(alert["id"], "closed") for alert in alerts if alert["closed_at"] is not None}
    assert {(message.alert_id, message.event) for message in planned} == expected
    assert set(receiver.ids) == {message.id for message in planned}
    assert len(receiver.ids) <= len(planned) + kills
    bodies: dict[str, bytes] = {}
    for request in receiver.requests:
        assert bodies.setdefault(request.headers["webhook-id"], request.body) == request.body


@pytest.mark.slow
def test_a_kill_at_each_border_of_a_send_repeats_at_most_that_message_with_its_id(
    history: Path, undisturbed: tuple[dict[str, Any], dict[str, int]], receiver: Receiver, tmp_path: Path
) -> None:
    settings = home_that_tells(tmp_path / "home", receiver)
    result = run(settings, history, *(option for n in (1, 2) for b in SENDS for option in ("--at", f"{b}:{n}")))
    killed = [line for line in result["at"] if line.endswith(" -9")]
    assert len(killed) >= len(SENDS), result
    told(settings, receiver, len(killed))
    compare(outcome(settings), undisturbed[0])


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_receiver_that_is_away_half_of_the_time_gets_each_message_all_the_same(
    history: Path, undisturbed: tuple[dict[str, Any], dict[str, int]], receiver: Receiver, tmp_path: Path
) -> None:
    settings = home_that_tells(tmp_path / "home", receiver)
    receiver.answer = lambda n: (500, {}, b"") if n % 2 else (200, {}, b"")
    run(settings, history, "--kills", "5", "--seed", "3", "--longest", "0.5", "--impatient")
    told(settings, receiver, len(receiver.requests))
    compare(outcome(settings), undisturbed[0])


def test_ten_kills_at_random_moments_change_nothing(
    history: Path, undisturbed: tuple[dict[str, Any], dict[str, int]], tmp_path: Path
) -> None:
    kill_at_random(10, 1, history, undisturbed[0], tmp_path / "home")


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(2, 12))
def test_a_hundred_kills_at_random_moments_change_nothing(
    seed: int, history: Path, undisturbed: tuple[dict[str, Any], dict[str, int]], tmp_path: Path
) -> None:
    kill_at_random(10, seed, history, undisturbed[0], tmp_path / "home")


def test_the_same_files_again_change_nothing_and_again_finds_the_same(
    history: Path,
    undisturbed_home: Path,
    undisturbed: tuple[dict[str, Any], dict[str, int]],
    tmp_path: Path,
    run_cli: Callable[..., Any],
) -> None:
    expected, _ = undisturbed
    settings = load_settings(home=shutil.copytree(undisturbed_home, tmp_path / "home"))
    document = run_cli(settings, "watch", "run", "--replay", str(history), "--json")
    assert document["state"] == "done before"
    compare(outcome(settings), expected)
    document = run_cli(settings, "watch", "run", "--replay", str(history), "--again", "--json")
    assert document["state"] == "done"
    assert [alert["id"] for alert in document["alerts"]] == [alert["id"] for alert in sorted_by_start(expected)]
    after = outcome(settings)
    assert (after["posts"], after["series"]) == (expected["posts"], expected["series"])
    assert after["records"] == 2 * expected["records"]


def sorted_by_start(expected: dict[str, Any]) -> list[dict[str, Any]]:
    return sorted(expected["alerts"], key=lambda alert: (alert["started_at"], alert["id"]))


@pytest.fixture
def run_cli() -> Callable[..., Any]:
    def call(settings: Settings, *arguments: str) -> Any:
        command = [
            sys.executable,
            "-c",
            "from groundswell.cli import main; main()",
            "--home",
            str(settings.home),
            *arguments,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return call
