"""One fixture through any choice of engine, lake, bus and desk, and what comes out in a form that can be compared.

A `Way` names the choice. `Places` has the servers that a choice needs, started when it is first asked for. How records
come in is a driver of engine and bus (`DRIVERS`): it feeds the history through the product in processes of its own, is
killed where it is told to, and goes on until everything is done.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from sqlalchemy import inspect, select
from tests.services import built

from groundswell.desk import open_desk
from groundswell.desk.tables import AlertRow, SeriesRow, TopicRow
from groundswell.lake import Lake
from groundswell.lake.tables import table_layout
from groundswell.settings import Settings, load_settings
from groundswell.watch.trackers import add_tracker

ROOT: Final = Path(__file__).parents[2]
#: What the settings of a way say to its processes.
_CHOSEN: Final = (
    *("engine", "lake", "bus", "desk", "s3_endpoint", "threads", "memory", "commit_every", "private_urls"),
    *("spark_jars", "spark_options"),
)
PATIENCE_S: Final = 900
#: A JVM that lives for a minute has more from a quick start than from good machine code.
_QUICK: Final = "spark.driver.extraJavaOptions=-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"
TRACKERS: Final = (("cola", '"aurora cola"'), ("kite", "kitepay"), ("nova", "#novawear"))
#: Where and when a row was stored, which is not what was stored.
_STORING: Final = frozenset(
    {"imported_at", "ingest_seq", "source", "origin", "origin_offset", "key", "extra", "layout_version"}
)
#: Clocks of the machine, not of the stream, and what the lake was when an alert's posts were there.
_WALL: Final = frozenset({"created_wall", "lake_version"})


@dataclass(frozen=True)
class Way:
    """A choice of parts; the embedded ones by themselves."""

    engine: str = "duckdb"
    lake: str = "local"
    bus: str = "journal"
    desk: str = "sqlite"

    def __str__(self) -> str:
        return "-".join(getattr(self, part.name) for part in fields(self))


#: What can be chosen of each part. A choice is taken into the suite by its name here, and by a driver where it has one.
CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "engine": ("duckdb", "spark"),
    "lake": ("local", "s3"),
    "bus": ("journal", "kafka"),
    "desk": ("sqlite", "postgres"),
}


def every_way() -> list[Way]:
    """The full product, without the embedded one that all are compared with."""
    return [way for parts in itertools.product(*CHOICES.values()) if (way := Way(*parts)) != Way()]


@dataclass
class Places:
    """Where the parts of a way are. `server` gives one of the session's servers by the name of its fixture."""

    server: Callable[[str], Any]
    environment: dict[str, str] = field(default_factory=dict)
    """What every process of the way finds besides the settings (credentials)."""

    def settings(self, way: Way, home: Path) -> Settings:
        """Settings of a new home on that way: buckets, databases and topics are its own."""
        chosen: dict[str, Any] = {"threads": 1, "commit_every": 0.2, "private_urls": True}
        if way.lake == "s3":
            minio = self.server("minio")
            self.environment |= minio.environment()
            chosen |= {"lake": f"s3://{minio.new_bucket()}/lake", "s3_endpoint": minio.endpoint}
        if way.desk == "postgres":
            postgres = self.server("postgres")
            chosen["desk"] = postgres.url(postgres.new_database())
        if way.bus == "kafka":
            kafka = self.server("kafka")
            large = {"max.message.bytes": str(20 << 20)}
            chosen["bus"] = kafka.url(kafka.new_topic(2, large), **{"message.max.bytes": 17 << 20})
        if way.engine == "spark":
            chosen |= {"engine": "local[2]", "memory": 700, "spark_options": _QUICK}
            if way.bus == "kafka":
                chosen["spark_jars"] = str(built.jars("spark"))
        os.environ.update({name: value for name, value in self.environment.items() if name.startswith("AWS_")})
        return load_settings(home=home, **chosen)


Driver = Callable[[Settings, Path, Sequence[str], Mapping[str, str]], None]
"""Feeds a history through the product: settings, file, borders to be killed at, environment of its processes."""


def environment_of(settings: Settings, more: Mapping[str, str]) -> dict[str, str]:
    """The environment in which a process has these settings."""
    chosen = {f"GROUNDSWELL_{name.upper()}": str(getattr(settings, name)) for name in _CHOSEN}
    return {**os.environ, **more, **{name: value for name, value in chosen.items() if value}}


def by_replay(settings: Settings, history: Path, kills: Sequence[str], more: Mapping[str, str]) -> None:
    """By a replay into the bus, killed at each of `kills` (`border:occurrence`) and started again."""
    _run("tests.crash.replayer", settings, history, [("--at", border) for border in kills], more)


def by_streaming(settings: Settings, history: Path, kills: Sequence[str], more: Mapping[str, str]) -> None:
    """By a program that fills the bus and Structured Streaming that reads it, both killed and started again."""
    feeder = [("--feeder", "feeding:2")] if kills else []
    _run("tests.parity.on_spark", settings, history, [*feeder, *(("--at", border) for border in kills)], more)


def _run(
    program: str, settings: Settings, history: Path, kills: Sequence[tuple[str, str]], more: Mapping[str, str]
) -> None:
    command = [sys.executable, "-m", program, str(settings.home), str(history), *itertools.chain(*kills)]
    environment = environment_of(settings, more)
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=PATIENCE_S, cwd=ROOT, env=environment
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["last"] == 0, done.stderr
    assert [line.rpartition(" ")[2] for line in result["at"]] == ["-9"] * len(kills), (result, done.stderr)


#: How the history comes through a bus, by engine and bus.
DRIVERS: Final[dict[tuple[str, str], Driver]] = {
    ("duckdb", "journal"): by_replay,
    ("duckdb", "kafka"): by_replay,
    ("spark", "journal"): by_replay,
    ("spark", "kafka"): by_streaming,
}


@dataclass(frozen=True)
class Outcome:
    """What a way leaves behind."""

    posts: list[dict[str, Any]]
    refused: list[str]
    ledger: list[dict[str, Any]]
    alerts: dict[str, dict[str, Any]]
    series: list[dict[str, Any]]
    topics: set[str]


def go(way: Way, places: Places, home: Path, history: Path, kills: Sequence[str] = ()) -> Outcome:
    """Send the history along a way, with crashes on it, and see what is there in the end."""
    settings = places.settings(way, home)
    with open_desk(settings) as desk, desk.session() as session:
        for name, query in TRACKERS:
            add_tracker(session, name, query, 30.0, now_us=1)
    DRIVERS[way.engine, way.bus](settings, history, kills, places.environment)
    return outcome(settings)


def outcome(settings: Settings) -> Outcome:
    """What is in the lake and the desk."""
    lake = Lake.open(settings)
    posts = lake.read("posts", table_layout("posts").stored.names)
    posts = posts.sort_by([("key", "ascending")]).drop_columns(
        [name for name in posts.column_names if name in _STORING]
    )
    quarantine = lake.read("quarantine", ["raw", "reason"])
    pairs = zip(quarantine["reason"].to_pylist(), quarantine["raw"].to_pylist(), strict=True)
    with open_desk(settings) as desk, desk.reading() as session:
        alerts = {row["id"]: row for row in _rows(session, AlertRow)}
        series, topics = _rows(session, SeriesRow), _rows(session, TopicRow)
    return Outcome(
        posts.to_pylist(),
        sorted(f"{reason} {bytes(raw)!r}" for reason, raw in pairs),
        _ledger(lake),
        alerts,
        series,
        {str(row["label"]) for row in topics},
    )


def _ledger(lake: Lake) -> list[dict[str, Any]]:
    """Sums by quarter hour: what a source is called differs by the bus."""
    counts = ("received", "stored", "known", "rejected", "ignored")
    sums = lake.read("ledger").group_by(["quarter"]).aggregate([(name, "sum") for name in counts])
    rows: list[dict[str, Any]] = sums.sort_by("quarter").to_pylist()
    return rows


def _rows(session: Any, table: Any) -> list[dict[str, Any]]:
    names = [column.key for column in inspect(table).columns if column.key not in _WALL]
    found = session.scalars(select(table).order_by(*inspect(table).primary_key))
    return [{name: getattr(row, name) for name in names} for row in found]


def compare(found: Outcome, expected: Outcome, way: Way) -> None:
    """Equal posts, ledger, quarantine, windows, and alerts by id; topics, which depend on batch borders, overlap.

    Where the posts of an alert lie is said in offsets of the topic by Spark, and in records of the bus otherwise.
    """
    whole = _anywhere if way.engine == "spark" else dict
    assert len(found.posts) == len(expected.posts)
    for mine, theirs in zip(found.posts, expected.posts, strict=True):
        assert mine == theirs
    assert found.refused == expected.refused
    assert found.ledger == expected.ledger
    assert set(found.alerts) == set(expected.alerts)
    for name, alert in expected.alerts.items():
        assert whole(found.alerts[name]) == whole(alert)
    assert found.series == expected.series
    both, either = found.topics & expected.topics, found.topics | expected.topics
    assert not either or len(both) >= len(either) / 2, (sorted(found.topics), sorted(expected.topics))


def _anywhere(alert: Mapping[str, Any]) -> dict[str, Any]:
    """An alert without the places of its posts."""
    evidence = {name: value for name, value in alert["evidence"].items() if name != "span"}
    posts = [{name: value for name, value in post.items() if name != "origin"} for post in evidence["posts"]]
    return {**alert, "evidence": {**evidence, "posts": posts}}


def write_history(path: Path) -> Path:
    """A day of posts with events: duplicates, out of order, late, a quiet hour, rows that cannot be read."""
    from datetime import timedelta

    from groundswell.simulate import Event, EventKind, Scenario, write

    events = (
        Event(EventKind.CRISIS, timedelta(hours=14), timedelta(minutes=40), size=8.0, topic="aurora cola"),
        Event(EventKind.BOTS, timedelta(hours=19), timedelta(minutes=30), size=8.0, topic="kitepay"),
    )
    write(Scenario(posts=6_000, days=1, seed=11, events=events, dirt=0.01), path)
    lines = [line for line in path.read_bytes().splitlines(keepends=True) if not _in_quiet_hour(line)]
    again = lines[100:160]
    late = lines[2_000:2_040]
    rest = [*lines[:2_000], *lines[2_040:]]
    path.write_bytes(b"".join([*rest[1::2], *rest[::2], *late, *again, b'{"id": "cut short", \n', b"no JSON at all\n"]))
    return path


def _in_quiet_hour(line: bytes) -> bool:
    """Nobody wrote anything between five and six."""
    try:
        row = json.loads(line)
    except ValueError:
        return False
    values = row.values() if isinstance(row, dict) else ()
    return any(isinstance(value, str) and value[10:14] in {"T05:", " 05:"} for value in values)
