"""Bluesky's stream from a server that speaks its protocol: nothing is lost, whatever ends and begins again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import zstandard
from tests.services.jetstream import FakeJetstream, jetstream, post
from tests.services.running import running as beside

from groundswell.bus import Journal, Kind
from groundswell.errors import UnavailableError, UsageError
from groundswell.lake import Lake
from groundswell.settings import load_settings
from groundswell.sources import jetstream as module
from groundswell.sources.jetstream import JetstreamSource
from groundswell.sources.jetstream_options import HOSTS, Options, read_options
from groundswell.watch.jobs import sources_of

Until = Callable[..., None]
SECOND = 1_000_000
LIMIT = 1 << 20
NOW = 1_763_812_800 * SECOND


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "home" / "journal.sqlite") as journal:
        yield journal


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_WAIT_S", 0.01)


def times(journal: Journal) -> list[int]:
    blocks = journal.read(0, 1 << 30, 1 << 40)
    return [json.loads(r)["time_us"] for block in blocks if block.kind == Kind.RECORDS for r in block.records]


def source(*servers: FakeJetstream, now: int = NOW, **more: Any) -> JetstreamSource:
    may_append = more.pop("may_append", lambda: True)
    options = Options(hosts=tuple(server.url for server in servers), **more)
    return JetstreamSource(options, LIMIT, may_append=may_append, now=lambda: now)


def running(source: JetstreamSource, journal: Journal) -> AbstractContextManager[None]:
    return beside(lambda stop: source.run(journal, stop))


def events(count: int, start: int = 0, step_us: int = SECOND // 10) -> list[dict[str, Any]]:
    """So many posts; the last one of a hundred is of now."""
    return [post(n, NOW - 100 * step_us + n * step_us) for n in range(start, start + count)]


def test_new_posts_arrive_in_order_with_the_place_behind_them(journal: Journal, until: Until) -> None:
    with jetstream() as server, running(source(server), journal):
        until(lambda: bool(server.asked), what="the connection")
        server.add(*events(100))
        until(lambda: len(times(journal)) == 100, what="a hundred events")
        assert times(journal) == [event["time_us"] for event in server.events]
        until(lambda: journal.position("bluesky") == json.dumps({"time_us": NOW - SECOND // 10}), what="the place")
    assert server.asked == [{"wantedCollections": ["app.bsky.feed.post"]}]


def test_a_connection_that_ends_is_gone_on_with_by_the_next_server(journal: Journal, until: Until) -> None:
    stream = events(300, step_us=SECOND // 2)
    with jetstream(cut_after=40) as first, jetstream(cut_after=70) as second:
        journal.append("bluesky", [], received_us=1, position=json.dumps({"time_us": stream[0]["time_us"]}))
        first.add(*stream)
        second.add(*stream)
        with running(source(first, second), journal):
            until(lambda: set(times(journal)) == {event["time_us"] for event in stream}, what="every event")
    # Each connection begins five seconds before what was there: ten events come twice each time.
    assert len(first.asked) + len(second.asked) >= 6
    assert len(times(journal)) <= 300 + 11 * (len(first.asked) + len(second.asked))
    assert abs(len(first.asked) - len(second.asked)) <= 1


def test_a_restart_goes_on_a_few_seconds_before_where_it_ended(journal: Journal, until: Until) -> None:
    with jetstream() as server:
        with running(source(server), journal):
            until(lambda: bool(server.asked))
            server.add(*events(50))
            until(lambda: len(times(journal)) == 50)
        server.add(*events(50, start=50))
        with running(source(server, rewind_s=1.0), journal):
            until(lambda: len(set(times(journal))) == 100, what="what came in the meantime")
    assert server.asked[1]["cursor"] == [str(server.events[49]["time_us"] - SECOND)]
    assert len(times(journal)) == 100 + 11


def test_compressed_frames_are_read_with_the_dictionary_and_another_one_is_said(
    journal: Journal, until: Until, tmp_path: Path
) -> None:
    samples: list[bytes | bytearray | memoryview[int]] = [json.dumps(event).encode() for event in events(500)]
    right, wrong = (zstandard.train_dictionary(size, samples) for size in (4096, 8192))
    (tmp_path / "right").write_bytes(right.as_bytes())
    (tmp_path / "wrong").write_bytes(wrong.as_bytes())
    with jetstream(dictionary=right) as server:
        with running(source(server, dictionary=tmp_path / "right"), journal):
            until(lambda: bool(server.asked))
            server.add(*events(100))
            until(lambda: len(times(journal)) == 100)
        assert server.asked[0]["compress"] == ["true"]
        failing = source(server, dictionary=tmp_path / "wrong")
        with pytest.raises(UsageError, match="dictionary=FILE"):
            failing.run(journal, threading.Event())
    (tmp_path / "no").write_bytes(b"")
    with pytest.raises((UsageError, UnavailableError)):
        source(server, dictionary=tmp_path / "gone")


def test_a_server_that_is_away_is_passed_over(journal: Journal, until: Until) -> None:
    with jetstream(refuse=503) as away, jetstream() as server:
        nobody = FakeJetstream(url="ws://127.0.0.1:1")
        with running(source(nobody, away, server), journal):
            until(lambda: bool(server.asked), what="the third server")
            server.add(*events(10))
            until(lambda: len(times(journal)) == 10)


def test_what_a_server_does_not_accept_is_said(journal: Journal) -> None:
    with jetstream(refuse=400) as server, pytest.raises(UsageError, match="invalid wantedCollection"):
        source(server).run(journal, threading.Event())


def test_what_was_played_back_counts_as_covered(journal: Journal, until: Until) -> None:
    stream = events(100, step_us=60 * SECOND)
    last = NOW - 90 * 60 * SECOND
    journal.append("bluesky", [], received_us=1, position=json.dumps({"time_us": last}))
    journal.connected("bluesky", last - SECOND, last)
    with jetstream() as server:
        server.add(*stream)
        with running(source(server), journal):
            until(lambda: len(times(journal)) >= 90)
            until(lambda: journal.connections()[-1].to_us == NOW, what="being up to date")
    (connection,) = journal.connections()
    assert (connection.from_us, connection.to_us) == (last - SECOND, NOW)


def test_what_a_server_has_not_any_more_is_a_hole(journal: Journal, until: Until) -> None:
    stream = events(100, step_us=60 * SECOND)
    last = stream[0]["time_us"]
    journal.append("bluesky", [], received_us=1, position=json.dumps({"time_us": last}))
    journal.connected("bluesky", last, last)
    with jetstream(kept_from_us=stream[60]["time_us"]) as server:
        server.add(*stream)
        with running(source(server), journal):
            until(lambda: journal.connections()[-1].to_us == NOW, what="being up to date")
    assert [(c.from_us, c.to_us) for c in journal.connections()] == [(last, last), (stream[60]["time_us"], NOW)]


def test_a_stream_in_which_nothing_happens_is_connected(journal: Journal, until: Until) -> None:
    with jetstream() as server, running(source(server), journal):
        until(lambda: bool(journal.connections()), what="the connection")
    assert journal.connections()[0].to_us == NOW


def test_while_the_watch_is_behind_nothing_is_read(journal: Journal, until: Until) -> None:
    room = threading.Event()
    with jetstream() as server, running(source(server, may_append=room.is_set), journal):
        until(lambda: bool(server.asked))
        server.add(*events(5_000, step_us=1))
        pause = threading.Event()
        pause.wait(0.5)
        assert times(journal) == []
        room.set()
        until(lambda: len(times(journal)) == 5_000, what="what waited")


def test_what_is_no_event_is_kept_and_what_is_too_large_is_described(journal: Journal, until: Until) -> None:
    with jetstream() as server, running(source(server), journal):
        until(lambda: bool(server.asked))
        far = {"kind": "commit", "time_us": NOW + 86_400 * SECOND}
        server.add({"kind": "heartbeat", "time_us": NOW}, far, {"time_us": NOW, "x": "y" * (LIMIT + 1)})
        until(lambda: len(journal.read(0, 100, 1 << 30)) >= 2)
        until(lambda: journal.position("bluesky") == json.dumps({"time_us": NOW}), what="a place that is not to come")
        kinds = {block.kind for block in journal.read(0, 100, 1 << 30)}
    assert kinds == {Kind.RECORDS, Kind.OVERSIZED}


def test_it_ends_at_once_also_while_a_server_does_not_answer(journal: Journal, until: Until) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        never = FakeJetstream(url=f"ws://127.0.0.1:{silent.getsockname()[1]}")
        with running(source(never), journal):
            began = time.monotonic()
        assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("bluesky?hosts=x", "no option of the source bluesky `hosts`"),
        ("bluesky?did=me.example", "not an account"),
        ("bluesky?rewind=soon", "not a time"),
        ("bluesky?dictionary=/nowhere", "no dictionary"),
        ("bluesky?collection=" + ",".join(f"a.b.c{n}" for n in range(101)), "too many"),
    ],
)
def test_options_that_mean_nothing_are_refused(spec: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_options(spec)
    assert said in str(raised.value)


def test_a_specification_names_servers_filters_and_a_source_of_its_own(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    assert [each.name for each in sources_of(["bluesky"], settings)] == ["bluesky"]
    options = read_options("bluesky?collection=app.bsky.feed.post,app.bsky.graph.*&did=did:plc:a&host=one.example")
    assert options.name.startswith("bluesky:")
    assert options.address("one.example", 5) == (
        "wss://one.example/subscribe?wantedCollections=app.bsky.feed.post&wantedCollections=app.bsky.graph.%2A"
        "&wantedDids=did%3Aplc%3Aa&cursor=5"
    )
    assert read_options("bluesky").hosts == HOSTS


@pytest.mark.service
def test_a_watch_on_the_stream_needs_nothing_else(tmp_path: Path, until: Until) -> None:
    with jetstream() as server:
        home = tmp_path / "home"
        command = [sys.executable, "-c", "from groundswell.cli import main; main()", "--home", str(home)]
        with subprocess.Popen(
            [*command, "watch", "run", "--source", f"bluesky?host={server.url}", "--json"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "GROUNDSWELL_COMMIT_EVERY": "1"},
        ) as process:
            until(lambda: bool(server.asked), seconds=60, what="the connection")
            now = time.time_ns() // 1000
            server.add(*(post(n, now - SECOND + n * 100, f"post {n}") for n in range(2_000)))
            settings = load_settings(home=home)
            until(lambda: Lake.open(settings).count() == 2_000, seconds=60, what="the posts in the lake")
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=60)
        assert json.loads(out)["records"] == 2_000
