"""What can be asked for, and what is refused with a reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from groundswell.errors import UnknownChoiceError, UnreadableFileError, UsageError
from groundswell.simulate import Event, EventKind, Scenario, Truth
from groundswell.simulate.spec import parse_duration, with_events

DAY = Scenario(posts=1000, days=1)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"posts": 0}, "0 posts"),
        ({"days": 0}, "0 days"),
        ({"days": -1}, "-1 days"),
        ({"seed": -1}, "seed -1"),
        ({"dirt": 0.7}, "dirt 0.7"),
        ({"rate": -3}, "rate -3"),
        ({"start": datetime(1969, 1, 1, tzinfo=UTC)}, "1969"),
        ({"start": datetime(2037, 12, 31, 12, tzinfo=UTC)}, "cannot be simulated"),
    ],
)
def test_a_number_out_of_range_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Scenario(**{"posts": 10, "days": 1, **wrong})


def test_a_rate_that_needs_more_posts_is_refused() -> None:
    with pytest.raises(UsageError, match="needs more than"):
        _ = Scenario(posts=1000, days=1, rate=50).topic_rates


def test_a_start_without_a_zone_is_in_utc() -> None:
    assert Scenario(posts=1, days=1, start=datetime(2026, 3, 1)).start == datetime(2026, 3, 1, tzinfo=UTC)  # noqa: DTZ001 - without a zone is what is tested


@pytest.mark.parametrize(
    ("event", "says"),
    [
        (Event(EventKind.CRISIS, timedelta(hours=23), timedelta(hours=2), 4, "kitepay"), "not inside"),
        (Event(EventKind.CRISIS, timedelta(hours=1), timedelta(hours=2), 4, "pepsi"), "no topic `pepsi`"),
        (Event(EventKind.CRISIS, timedelta(hours=1), timedelta(hours=2), 4), "no topic"),
        (Event(EventKind.SURGE, timedelta(hours=1), timedelta(hours=2), 4, "kitepay"), "a surge has no topic"),
        (Event(EventKind.BOTS, timedelta(hours=1), timedelta(hours=2), 0.5, "kitepay"), "not a rise"),
    ],
)
def test_an_event_that_cannot_be_is_refused(event: Event, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Scenario(posts=1000, days=1, events=(event,))


def test_events_are_listed_as_people_write_them() -> None:
    made = with_events(DAY, "gap, crisis:14h:45m:5.5:kitepay, viral:2h30m:1h").events
    assert made[0].kind is EventKind.GAP
    assert made[1] == Event(EventKind.CRISIS, timedelta(hours=14), timedelta(minutes=45), 5.5, "kitepay")
    assert made[2].start == timedelta(minutes=150)
    assert made[2].topic == "#novawear"
    assert with_events(DAY, "none").events == ()
    assert len(with_events(DAY, "all").events) == 6


@pytest.mark.parametrize("wrong", ["crisis:1h", "crisis:x:1h", "crisis:1h:1h:big", "crisis:1h:1h:5:kitepay:more", ""])
def test_an_event_that_is_not_understood_is_refused(wrong: str) -> None:
    with pytest.raises(UsageError):
        with_events(DAY, wrong)


def test_an_unknown_kind_names_the_valid_ones() -> None:
    with pytest.raises(UnknownChoiceError, match="Did you mean `crisis`"):
        with_events(DAY, "crissis")


def test_lengths_of_time() -> None:
    assert parse_duration("1d12h5m7s") == timedelta(days=1, hours=12, minutes=5, seconds=7)
    for wrong in ("", "12", "-3h", "1w", "1h 2m"):
        with pytest.raises(UsageError, match="length of time"):
            parse_duration(wrong)


@pytest.mark.parametrize("document", [b"", b"{}", b"[1]", b"\xff"])
def test_a_document_that_is_no_truth_is_told(document: bytes) -> None:
    with pytest.raises(UnreadableFileError):
        Truth.from_json(document)
