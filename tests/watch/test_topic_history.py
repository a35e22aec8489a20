"""What topics are taught of all words from the lake, and topics in the steps of the watch."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from groundswell.errors import UnavailableError
from groundswell.lake import Lake
from groundswell.settings import Settings
from groundswell.testing.streams import START, make_posts, tracker
from groundswell.watch import topic_history as module
from groundswell.watch.arrivals import TableArrivals
from groundswell.watch.contract import HOUR, MINUTE, WatchBatch, WatchParams
from groundswell.watch.emerging import flow as topics
from groundswell.watch.emerging.records import TopicRecord
from groundswell.watch.emerging.state import Emerging
from groundswell.watch.flow import dump_state, load_state, step
from groundswell.watch.history import StoppedError
from groundswell.watch.state import WatchState
from groundswell.watch.topic_history import teach_topics

PARAMS = WatchParams()
WORDS = ("tea", "bikes", "rain", "dogs", "pasta", "trains", "songs", "maps")
LEAK = tracker("leak", "photos")


@pytest.fixture
def never() -> threading.Event:
    return threading.Event()


def posts_of(first_us: int, minutes: int, *, first: int, leak_from: int | None = None) -> pa.Table:
    """Ten posts a minute of two usual words each; from minute `leak_from` on four of them speak of something new."""
    rng = np.random.default_rng(first + 1)
    times = np.sort(rng.integers(0, minutes * MINUTE, minutes * 10)) + first_us
    texts = [" ".join(rng.choice(WORDS, 2)) for _ in times]
    tags: list[list[str]] = [[] for _ in times]
    for number, time in enumerate(times.tolist()):
        if leak_from is not None and time >= first_us + leak_from * MINUTE and number % 5 < 2:
            texts[number], tags[number] = "photos of #novaleak", ["novaleak"]
    numbers = range(first, first + len(times))
    month = [str(np.datetime64(int(time), "us").astype("datetime64[M]")) for time in times]
    authors = [f"u{number % 97}" for number in numbers]
    ids = [str(number) for number in numbers]
    return make_posts(times.tolist(), texts, ids=ids, authors=authors, first_record=first, hashtags=tags, month=month)


@pytest.fixture
def lake(settings: Settings) -> Lake:
    lake = Lake.open(settings)
    past = posts_of(START - 8 * HOUR, 8 * 60, first=0).drop_columns(["record", "received_us"])
    lake.append("posts", past)
    # Seen a second time: it counts once.
    lake.append("posts", past.slice(0, 1_000))
    return lake


def watched(state: WatchState, posts: pa.Table, batch: int = 150) -> tuple[WatchState, dict[str, TopicRecord]]:
    told: dict[str, TopicRecord] = {}
    for begin in range(0, posts.num_rows, batch):
        part = posts.slice(begin, batch)
        clock = int(part.column("received_us")[-1].as_py())
        state, output = step(state, WatchBatch(TableArrivals(part), clock), [LEAK], PARAMS)
        told |= {topic.id: topic for topic in output.topics}
    return state, told


def test_what_the_lake_knows_is_usual_and_what_it_does_not_is_a_topic_at_once(
    lake: Lake, never: threading.Event, tmp_path: Path
) -> None:
    state = WatchState.empty()
    state.topics = teach_topics(state.topics, START, PARAMS, lake=lake, stop=never)
    assert state.topics.stream.past.sum() == pytest.approx(600, rel=0.1)
    stream = posts_of(START, 45, first=100_000, leak_from=20)
    state, early = watched(state, stream.slice(0, 180))
    dump_state(state, tmp_path / "state")
    _, told = watched(load_state(tmp_path / "state"), stream.slice(180))
    assert early == {}
    (topic,) = told.values()
    assert topic.label == "#novaleak"
    assert topic.opened_at <= START + 30 * MINUTE
    assert topic.body["covered_by"] == [{"id": "leak", "share": 1.0}]
    assert WORDS[0] not in {term["term"] for term in topic.body["terms"]}


def test_the_same_lake_teaches_the_same(lake: Lake, never: threading.Event) -> None:
    first, second = (
        topics.dump(teach_topics(Emerging.empty(3), START, PARAMS, lake=lake, stop=never)) for _ in range(2)
    )
    assert {name: array.tolist() for name, array in first.items()} == {
        name: array.tolist() for name, array in second.items()
    }


def test_a_lake_without_a_past_is_no_trouble(settings: Settings, never: threading.Event) -> None:
    state = teach_topics(Emerging.empty(3), START, PARAMS, lake=Lake.open(settings), stop=never)
    assert state.window_us == PARAMS.base_us
    assert state.terms.used == 0


def test_a_lake_that_cannot_be_read_is_said_and_topics_start_without_it(
    lake: Lake, never: threading.Event, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        what = "the disk is gone"
        raise UnavailableError(what)

    monkeypatch.setattr(module, "_read", broken)
    with caplog.at_level(logging.WARNING, "groundswell.watch"):
        state = teach_topics(Emerging.empty(3), START, PARAMS, lake=lake, stop=never)
    assert "topics start without a past: the disk is gone" in caplog.text
    assert (state.terms.used, state.seed) == (0, 3)


def test_teaching_ends_when_the_watch_is_to_stop(lake: Lake) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(StoppedError):
        teach_topics(Emerging.empty(3), START, PARAMS, lake=lake, stop=stop)
