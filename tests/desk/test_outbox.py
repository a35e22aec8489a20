"""Messages are planned with the alert, once each, for the channels that want them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from groundswell.desk import Desk, alerts, channels, outbox, trackers
from groundswell.desk.channels import Rules
from groundswell.desk.tables import AlertRow, OutboxRow, TrackerRow
from groundswell.errors import ConflictError, NotFoundError

MINUTE = 60_000_000
NOW = 1_700_000_000_000_000
DAY = 86_400_000_000

Commit = Callable[..., list[str]]


@pytest.fixture
def tracker(desk: Desk) -> TrackerRow:
    with desk.session() as session:
        return trackers.add(session, "Side effects", '"side effects"', 30.0, now_us=1)


@pytest.fixture
def commit(desk: Desk, tracker: TrackerRow) -> Commit:
    """Writes an alert as the runner does; the events of the messages that were planned, oldest first."""

    def write(**more: Any) -> list[str]:
        row: dict[str, Any] = {
            "id": "a1",
            "tracker_id": tracker.id,
            "tracker_version": 1,
            "signal": "posts",
            "window_s": 300,
            "direction": "burst",
            "phase": "growing",
            "started_at": NOW - 10 * MINUTE,
            "opened_at": NOW - 5 * MINUTE,
            "updated_at": NOW - 5 * MINUTE,
            "closed_at": None,
            "observed": 40,
            "expected": 4.0,
            "lower": 1.0,
            "upper": 9.0,
            "p_value": 1e-7,
            "return_days": 90.0,
            "posts": 40,
            "headline": "10 times as often as usual\n40 posts in 5 minutes",
            "evidence": {"authors_total": 3, "posts": [{"text": "a\nb", "author": "maya", "url": None}]},
            "verdict": None,
            "created_wall": NOW,
        } | more
        with desk.session() as session:
            seen = max((message.seq for message in outbox.listed(session)), default=0)
            before = outbox.known(session, [row["id"]])
            alerts.write(session, [row])
            stored = session.get_one(AlertRow, row["id"], populate_existing=True)
            outbox.enqueue(session, before.get(row["id"]), stored, session.get_one(TrackerRow, tracker.id), NOW)
            return [message.event for message in reversed(outbox.listed(session)) if message.seq > seen]

    return write


def channel(desk: Desk, name: str = "ops", **rules: Any) -> str:
    with desk.session() as session:
        return channels.add(session, name, "file", {"path": "/tmp/alerts"}, Rules(**rules), now_us=1).id  # noqa: S108 - a name; nothing is written there


def test_an_episode_is_told_when_it_opens_changes_and_closes(desk: Desk, commit: Commit) -> None:
    channel(desk, events=("opened", "updated", "closed"))
    assert commit() == ["opened"]
    assert commit(posts=50) == []
    assert commit(phase="peak", updated_at=NOW - 4 * MINUTE) == ["updated"]
    assert commit(phase="peak", return_days=5_000.0, updated_at=NOW - 3 * MINUTE) == ["updated"]
    assert commit(phase="closed", closed_at=NOW, updated_at=NOW) == ["closed"]
    assert commit(phase="closed", closed_at=NOW, updated_at=NOW) == []


def test_an_update_that_was_not_sent_is_superseded_by_what_came_after(desk: Desk, commit: Commit) -> None:
    channel(desk, events=("opened", "updated", "closed"))
    commit()
    commit(phase="peak", updated_at=NOW - 4 * MINUTE)
    commit(phase="closed", closed_at=NOW, updated_at=NOW)
    with desk.reading() as session:
        states = {message.event: message.state for message in outbox.listed(session)}
    assert states == {"opened": "waiting", "updated": "superseded", "closed": "waiting"}


def test_an_episode_that_began_and_ended_between_two_commits_is_told_as_with_one_in_between(
    desk: Desk, commit: Commit
) -> None:
    channel(desk)
    assert commit(phase="closed", closed_at=NOW, updated_at=NOW) == ["opened", "closed"]


def test_a_message_carries_what_the_alert_was_when_it_was_planned(desk: Desk, commit: Commit) -> None:
    channel(desk)
    commit()
    commit(posts=99, headline="else")
    with desk.reading() as session:
        (message,) = outbox.listed(session)
    said = message.body["alert"]
    assert (said["posts"], said["headline"], said["tracker_name"]) == (40, "10 times as often as usual", "Side effects")
    assert said["top_posts"][0]["text"] == "a b"


def test_rules_say_which_alerts_go_where(desk: Desk, commit: Commit, tracker: TrackerRow) -> None:
    channel(desk, "rare", least_days=365.0)
    channel(desk, "others", trackers=("0000",))
    channel(desk, "this", trackers=(tracker.id,), events=("closed",))
    assert commit() == []
    # Rare enough only now: to that channel it opens now.
    assert commit(return_days=400.0) == ["opened"]
    assert sorted(commit(return_days=400.0, phase="closed", closed_at=NOW, updated_at=NOW)) == ["closed", "closed"]


def test_history_wakes_nobody_unless_the_channel_wants_any_age(desk: Desk, commit: Commit) -> None:
    channel(desk, "live")
    channel(desk, "all", max_age_s=0)
    assert commit(updated_at=NOW - 2 * DAY, started_at=NOW - 2 * DAY) == ["opened"]


def test_a_channel_that_is_paused_or_removed_is_told_nothing(desk: Desk, commit: Commit) -> None:
    channel(desk, "paused")
    channel(desk, "gone")
    with desk.session() as session:
        channels.pause(session, "paused", paused=True)
        channels.remove(session, "gone")
    assert commit() == []


def test_a_channel_that_came_later_hears_of_an_alert_that_is_open(desk: Desk, commit: Commit) -> None:
    assert commit() == []
    channel(desk)
    assert commit(posts=60) == ["opened"]


def claimed(session: Session, where: str, now: int = NOW) -> OutboxRow:
    row = outbox.claim(session, where, now, MINUTE)
    assert row is not None
    return row


def test_messages_are_claimed_in_order_and_settled_by_who_claimed_them(
    desk: Desk, commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = channel(desk)
    commit(phase="closed", closed_at=NOW, updated_at=NOW)
    with desk.session() as session:
        first = claimed(session, where)
        assert (first.event, first.attempts) == ("opened", 1)
        assert outbox.claim(session, where, NOW, MINUTE) is None, "a thread of this process is at it"
        monkeypatch.setattr("groundswell.desk.leases.this_process", lambda: "elsewhere:1:2")
        assert outbox.claim(session, where, NOW, MINUTE) is None
        assert not outbox.settle(session, first.seq, "sent", NOW)
        # The claim is over: whoever asks may send it, with the same id.
        again = claimed(session, where, NOW + 2 * MINUTE)
        assert (again.id, again.attempts) == (first.id, 2)
        assert outbox.settle(session, first.seq, "sent", NOW)
        assert claimed(session, where).event == "closed"


def test_what_quiet_hours_held_back_is_one_message_afterwards(desk: Desk, commit: Commit) -> None:
    where = channel(desk)
    commit()
    commit(id="a2", return_days=900.0)
    commit(phase="closed", closed_at=NOW, updated_at=NOW)
    with desk.session() as session:
        assert outbox.hold(session, where, "held", NOW) == 3
        message = outbox.digest(session, where, NOW + 1)
        assert message is not None
        assert [alert["id"] for alert in message.body["alerts"]] == ["a2", "a1"]
        assert message.body["alerts"][1]["phase"] == "closed"
        assert outbox.digest(session, where, NOW + 2) is None
        assert claimed(session, where).event == "digest"
        assert outbox.counts(session)[where]["digested"] == 3


def test_what_never_went_is_a_dead_letter_that_can_be_sent_again(desk: Desk, commit: Commit) -> None:
    where = channel(desk)
    commit()
    with desk.session() as session:
        assert outbox.bury(session, NOW + 1, NOW + 3 * DAY) == 1
        assert outbox.claim(session, where, NOW, MINUTE) is None
        message = outbox.revive(session, outbox.listed(session)[0].id, now_us=NOW + 3 * DAY)
        assert claimed(session, where).id == message.id
        with pytest.raises(ConflictError, match="sending"):
            outbox.revive(session, message.id, now_us=NOW)
        with pytest.raises(NotFoundError):
            outbox.get(session, "feed")


def test_a_removed_channel_drops_what_waits_and_a_name_is_used_once(desk: Desk, commit: Commit) -> None:
    where = channel(desk)
    with pytest.raises(ConflictError, match="ops"):
        channel(desk)
    commit()
    with desk.session() as session:
        channels.remove(session, "ops", now_us=NOW)
        assert outbox.counts(session)[where] == {"dropped": 1}
        with pytest.raises(NotFoundError, match="none yet"):
            channels.find(session, "ops")
    assert channel(desk) == where
    # It is the same channel again, and has been told of this alert's opening.
    assert commit(posts=70) == []
