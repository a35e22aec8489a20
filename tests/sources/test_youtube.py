"""The collector against an API on this computer: units, pages, tags, refusals, interruptions."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from groundswell.bus import Journal
from groundswell.desk import Desk, quotas
from groundswell.errors import UnavailableError, UsageError
from groundswell.settings import Settings
from groundswell.sources.youtube import Collected, YouTubeCollector, pacific_day, renewal
from groundswell.sources.youtube_api import Answer, Fault, YouTubeApi
from groundswell.sources.youtube_tasks import Job
from groundswell.testing.youtube_api import KEY, LocalYouTube

NOON_US = 1_767_297_600_000_000  # 2026-01-01 20:00 UTC, noon in California
Collect = Callable[..., Collected]


@pytest.fixture
def journal(settings: Settings) -> Iterator[Journal]:
    with Journal(settings.journal_path) as journal:
        yield journal


class Rig:
    """An API, and collectors that ask it; `pauses` are what they would have waited."""

    def __init__(self, api: LocalYouTube, desk: Desk, journal: Journal) -> None:
        self.api, self.desk, self.journal = api, desk, journal
        self.pauses: list[float] = []
        self.now_us = NOON_US
        self.stop = threading.Event()
        self.end_while_waiting = False

    def collect(self, job: Job, limit: int = 10_000, key: str = KEY) -> Collected:
        client = YouTubeApi(key, self.api.address, timeout_s=5)
        collector = YouTubeCollector(
            job, client, self.desk, limit, now=lambda: self.now_us, wait=self._wait, jitter=lambda: 1.0
        )
        try:
            return collector.run(self.journal, self.stop)
        finally:
            client.close()

    def _wait(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        if self.end_while_waiting:
            self.stop.set()
        return self.stop.is_set()

    @property
    def records(self) -> list[dict[str, Any]]:
        """The answers in the journal."""
        return [json.loads(record) for block in self.journal.between(1, 10**6) for record in block.records]

    @property
    def asked(self) -> list[str]:
        return [call.resource for call in self.api.calls]

    @property
    def spent(self) -> int:
        with self.desk.reading() as session:
            return quotas.spent(session, "youtube", pacific_day(self.now_us))


@pytest.fixture
def rig(desk: Desk, journal: Journal) -> Iterator[Callable[..., Rig]]:
    with_servers: list[LocalYouTube] = []

    def make(**about: Any) -> Rig:
        api = LocalYouTube(**about)
        api.__enter__()
        with_servers.append(api)
        return Rig(api, desk, journal)

    yield make
    for api in with_servers:
        api.__exit__(None, None, None)


def test_a_search_is_read_to_its_end_and_every_video_asked_for_in_batches(rig: Callable[..., Rig]) -> None:
    with_120 = rig(videos=120)
    done = with_120.collect(Job(queries=("tea",)))
    assert (done.state, done.videos, done.requests) == ("done", 120, 6)
    assert with_120.asked == ["search", "videos", "search", "videos", "search", "videos"]
    assert [len(call.parameters["id"].split(",")) for call in with_120.api.calls if call.resource == "videos"] == [
        50,
        50,
        20,
    ]
    assert done.units == with_120.spent == 303
    assert sum(len(answer["items"]) for answer in with_120.records) == 240


def test_a_channel_is_found_by_its_handle_and_read_from_its_uploads(rig: Callable[..., Rig]) -> None:
    local = rig(videos=60)
    done = local.collect(Job(channels=("@local",), since="2026-01-20T00:00:00Z", most=55))
    assert local.asked == ["channels", "playlistItems", "playlistItems", "videos"]
    assert done.units == 4
    assert done.videos == len([n for n in range(60) if 28 - n % 28 >= 20])


def test_comments_come_with_the_replies_that_an_answer_leaves_out(rig: Callable[..., Rig]) -> None:
    local = rig(videos=1, comments=2)
    done = local.collect(Job(videos=(local.api.video_id(0),), comments=10, authors=True))
    assert local.asked == ["videos", "channels", "commentThreads", "comments", "comments"]
    assert (done.units, done.skipped) == (5, [])


def test_it_stops_before_the_limit_and_goes_on_the_next_day_where_it_was(rig: Callable[..., Rig]) -> None:
    local, job = rig(videos=120), Job(queries=("tea",))
    first = local.collect(job, limit=250)
    assert (first.state, first.units, local.spent) == ("out of units", 202, 202)
    again = local.collect(job, limit=250)
    assert (again.state, again.resumed, again.requests) == ("out of units", True, 0)
    local.now_us += 24 * 3600 * 1_000_000
    rest = local.collect(job, limit=250)
    assert (rest.state, rest.resumed, rest.units) == ("done", True, 101)
    assert local.asked == ["search", "videos", "search", "videos", "search", "videos"]
    assert sum(len(answer["items"]) for answer in local.records) == 240


def test_a_spent_quota_that_only_the_platform_knows_of_is_believed(rig: Callable[..., Rig]) -> None:
    local = rig(videos=120, limit=150)
    done = local.collect(Job(queries=("tea",)))
    assert (done.state, local.pauses, local.spent) == ("out of units", [], 10_000)
    assert local.collect(Job(queries=("coffee",))).requests == 0


def test_answers_that_did_not_change_are_not_taken_twice_but_cost_units(rig: Callable[..., Rig]) -> None:
    local, job = rig(videos=60), Job(queries=("tea",))
    local.collect(job)
    before = len(local.records)
    second = local.collect(job)
    assert (second.state, second.resumed, second.unchanged, second.units) == ("done", False, 4, 202)
    assert [call.status for call in local.api.calls[4:]] == [304] * 4
    assert len(local.records) == before
    local.api.views += 1
    third = local.collect(job)
    assert (third.unchanged, third.videos) == (2, 60)


@pytest.mark.parametrize(
    ("status", "reason"), [(503, "backendError"), (500, "x"), (429, "x"), (403, "rateLimitExceeded")]
)
def test_it_asks_again_after_ever_longer_pauses(rig: Callable[..., Rig], status: int, reason: str) -> None:
    local = rig()
    for _ in range(3):
        local.api.refuse("search", status, reason)
    done = local.collect(Job(queries=("tea",)))
    assert (done.state, done.retries, local.pauses) == ("done", 3, [1.0, 2.0, 4.0])


def test_it_waits_as_long_as_it_is_asked_to(rig: Callable[..., Rig]) -> None:
    local = rig()
    local.api.refuse("search", 429, "rateLimitExceeded", retry_after="17")
    assert local.collect(Job(queries=("tea",))).state == "done"
    assert local.pauses == [17.0]


def test_after_some_attempts_it_gives_up_and_the_next_run_goes_on(rig: Callable[..., Rig]) -> None:
    local, job = rig(videos=60), Job(queries=("tea",))
    for _ in range(7):
        local.api.refuse("videos", 503)
    with pytest.raises(UnavailableError, match="currently unavailable"):
        local.collect(job)
    done = local.collect(job)
    assert (done.state, done.resumed) == ("done", True)
    assert local.asked.count("search") == 2


@pytest.mark.parametrize("job", [Job(queries=("tea",)), Job(videos=("a" * 11,))])
def test_a_wrong_key_is_told_without_the_key(rig: Callable[..., Rig], job: Job) -> None:
    local = rig()
    with pytest.raises(UnavailableError) as told:
        local.collect(job, key="a-wrong-secret")
    assert "keyInvalid" in str(told.value)
    assert "YOUTUBE_API_KEY" in str(told.value)
    assert "a-wrong-secret" not in str(told.value) + repr(told.value) + str(told.value.fields)
    assert local.pauses == []


def test_an_api_that_is_not_there_is_told_without_the_key_and_costs_nothing(rig: Callable[..., Rig]) -> None:
    local = rig()
    local.api._server.server_close()
    with pytest.raises(UnavailableError, match="cannot be reached") as told:
        local.collect(Job(queries=("tea",)))
    assert KEY not in str(told.value) + repr(told.value.__cause__) + repr(told.value.__context__)
    assert (len(local.pauses), local.spent) == (6, 0)


def test_what_is_not_there_is_said_and_passed_over(rig: Callable[..., Rig]) -> None:
    local = rig(videos=3, comments=1, disabled=frozenset({"vid00000001"}), missing=frozenset({"vid00000002"}))
    done = local.collect(Job(queries=("tea",), channels=("@nobody",), comments=5))
    assert done.state == "done"
    assert [what for what, _ in done.skipped] == ["channel @nobody", "1 of the videos", "commentThreads of vid00000001"]
    assert "disabled comments" in done.skipped[2][1]


def test_a_wish_that_the_platform_does_not_understand_is_told(rig: Callable[..., Rig]) -> None:
    local = rig()
    local.api.refuse("search", 400, "invalidSearchFilter")
    with pytest.raises(UsageError, match="invalidSearchFilter"):
        local.collect(Job(queries=("tea",)))


def test_a_stopped_collection_goes_on_without_asking_twice(rig: Callable[..., Rig]) -> None:
    local, job = rig(videos=120), Job(queries=("tea",))
    local.api.refuse("videos", 503)
    local.end_while_waiting = True
    stopped = local.collect(job)
    assert (stopped.state, stopped.requests) == ("stopped", 2)
    local.stop.clear()
    local.end_while_waiting = False
    rest = local.collect(job)
    assert (rest.state, rest.resumed, rest.videos) == ("done", True, 120)
    assert local.asked.count("search") == 3


def test_a_collection_that_is_killed_repeats_only_the_request_under_way(rig: Callable[..., Rig]) -> None:
    local, job = rig(videos=120), Job(queries=("tea",))
    append = local.journal.append

    class KilledError(Exception):
        pass

    def killed(*arguments: Any, **more: Any) -> Any:
        if len(local.api.calls) == 4:
            raise KilledError
        return append(*arguments, **more)

    local.journal.append = killed  # type: ignore[method-assign]  # a kill at that place
    with pytest.raises(KilledError):
        local.collect(job)
    local.journal.append = append  # type: ignore[method-assign]  # a kill at that place
    local.collect(job)
    assert len(local.api.calls) == 7
    assert sum(len(answer["items"]) for answer in local.records) == 240


@pytest.mark.parametrize(
    ("status", "reason", "fault"),
    [
        (403, "quotaExceeded", Fault.SPENT),
        (403, "userRateLimitExceeded", Fault.AGAIN),
        (429, "", Fault.AGAIN),
        (502, "", Fault.AGAIN),
        (404, "videoNotFound", Fault.GONE),
        (400, "invalidPageToken", Fault.PAGE),
        (403, "forbidden", Fault.STOP),
    ],
)
def test_errors_are_told_apart_by_the_reason_that_the_api_names(status: int, reason: str, fault: Fault) -> None:
    body = json.dumps({"error": {"message": "m", "errors": [{"reason": reason}]}}).encode()
    assert Answer(status, body).fault is fault
    assert Answer(status, b"<html>").reason == ""


def test_units_renew_at_midnight_in_california() -> None:
    assert pacific_day(NOON_US) == "2026-01-01"
    assert pacific_day(NOON_US - 13 * 3600 * 1_000_000) == "2025-12-31"
    assert renewal(NOON_US).isoformat() == "2026-01-02T08:00:00+00:00"
