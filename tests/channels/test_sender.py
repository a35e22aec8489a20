"""The sender between the desk's outbox and a real receiver."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from groundswell.channels.messages import SAMPLE
from groundswell.channels.sender import REFUSALS, TOLD_AFTER, Sender
from groundswell.desk import Desk, channels, outbox
from groundswell.desk.channels import Rules
from groundswell.desk.tables import ChannelRow, OutboxRow
from groundswell.errors import ConflictError
from groundswell.settings import Settings, load_settings

SECOND = 1_000_000
NOON = 1_763_812_800 * SECOND  # 2025-11-22T12:00:00Z
NIGHT = NOON + 11 * 3600 * SECOND

Until = Callable[..., None]


class Clock:
    """A clock that moves only when it is told to."""

    def __init__(self, us: int = NOON) -> None:
        self.us = us

    def __call__(self) -> int:
        return self.us

    def move(self, seconds: float) -> None:
        self.us += round(seconds * SECOND)


class Anybody:
    """A lease that nobody takes over."""

    def guard(self, session: Session) -> None: ...


@pytest.fixture
def open_settings(settings: Settings) -> Settings:
    return load_settings(home=settings.home, private_urls=True, public_url="https://watch.example.org")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def add(desk: Desk, name: str, config: dict[str, Any], kind: str = "webhook", **rules: Any) -> str:
    with desk.session() as session:
        return channels.add(session, name, kind, config, Rules(**rules), now_us=NOON).id


def plan(desk: Desk, channel: str, *alerts: str, event: str = "opened", at: int = NOON) -> None:
    with desk.session() as session:
        for alert in alerts:
            body = {"alert": {**SAMPLE, "id": alert}}
            identity = outbox.message_id(channel, alert, event)
            outbox.add(session, channel, event, body, identity=identity, alert_id=alert, now_us=at)


def rows(desk: Desk) -> list[OutboxRow]:
    with desk.reading() as session:
        return outbox.listed(session)[::-1]


def states(desk: Desk) -> list[str]:
    return [row.state for row in rows(desk)]


def channel(desk: Desk, name: str = "ops") -> ChannelRow:
    with desk.reading() as session:
        return channels.find(session, name)


@pytest.fixture
def sender(open_settings: Settings, desk: Desk, clock: Clock) -> Sender:
    """One that a test moves on by `send_next`, with waits that are not shortened by chance."""
    return Sender(open_settings, desk, Anybody(), now=clock, chance=lambda: 1.0)


@contextmanager
def at_work(sender: Sender) -> Iterator[None]:
    sender.start()
    try:
        yield
    finally:
        sender.stop()


def test_what_waits_is_sent_in_order_and_once(desk: Desk, sender: Sender, receiver: Any, until: Until) -> None:
    where = add(desk, "ops", {"url": receiver.url})
    plan(desk, where, "a1", "a2", "a3")
    with at_work(sender):
        until(lambda: states(desk) == ["sent"] * 3, what="three messages sent")
    said = [json.loads(request.body) for request in receiver.requests]
    assert [each["alert"]["id"] for each in said] == ["a1", "a2", "a3"]
    assert said[0]["link"] == "https://watch.example.org/alerts/a1"
    assert [row.id for row in rows(desk)] == receiver.ids
    assert channel(desk).sent_at == NOON


def test_a_channel_that_is_away_is_tried_again_less_and_less_often(
    desk: Desk, sender: Sender, receiver: Any, clock: Clock
) -> None:
    where = add(desk, "ops", {"url": receiver.url})
    plan(desk, where, "a1", "a2")
    receiver.answer = lambda _: (503, {}, b"down for maintenance")
    waits = []
    for _ in range(12):
        assert not sender.send_next(where)
        row = channel(desk)
        assert row.retry_at is not None
        waits.append((row.retry_at - clock.us) / SECOND)
        assert not sender.send_next(where), "it was tried before its time"
        clock.us = row.retry_at
    assert waits[:5] == [5, 10, 20, 40, 80]
    assert max(waits) == waits[-1] == 1800
    assert (row.failures, row.trouble) == (12, "127.0.0.1 says 503 Service Unavailable: down for maintenance")
    # One message asks whether it is back; the others wait for it.
    assert set(receiver.ids) == {rows(desk)[0].id}
    receiver.answer = lambda _: (200, {}, b"")
    assert sender.send_next(where)
    assert sender.send_next(where)
    assert states(desk) == ["sent", "sent"]
    assert channel(desk).trouble is None


def test_the_wait_that_a_server_asks_for_is_kept(desk: Desk, sender: Sender, receiver: Any, clock: Clock) -> None:
    where = add(desk, "ops", {"url": receiver.url})
    plan(desk, where, "a1")
    receiver.answer = lambda _: (429, {"Retry-After": "90"}, b"")
    sender.send_next(where)
    assert channel(desk).retry_at == clock.us + 90 * SECOND


def test_chance_shortens_a_wait_by_up_to_half(open_settings: Settings, desk: Desk, receiver: Any, clock: Clock) -> None:
    where = add(desk, "ops", {"url": receiver.url})
    plan(desk, where, "a1")
    receiver.answer = lambda _: (500, {}, b"")
    Sender(open_settings, desk, Anybody(), now=clock, chance=lambda: 0.0).send_next(where)
    assert channel(desk).retry_at == clock.us + round(2.5 * SECOND)


def test_a_message_that_is_refused_for_what_it_is_lets_the_next_one_pass(
    desk: Desk, sender: Sender, receiver: Any, clock: Clock
) -> None:
    where = add(desk, "ops", {"url": receiver.url})
    plan(desk, where, "bad", "good")
    receiver.answer = lambda n: (422, {}, b"what is this") if n <= REFUSALS else (200, {}, b"")
    for _ in range(REFUSALS):
        sender.send_next(where)
        clock.move(3600)
    sender.send_next(where)
    assert states(desk) == ["dead", "sent"]
    assert rows(desk)[0].error == "127.0.0.1 says 422 Unprocessable Entity: what is this"


def test_a_slow_channel_holds_up_no_other(
    desk: Desk, open_settings: Settings, clock: Clock, receiver: Any, tmp_path: Path, until: Until
) -> None:
    let_go = threading.Event()

    def answer(_: int) -> tuple[int, dict[str, str], bytes]:
        let_go.wait(60)
        return 200, {}, b""

    receiver.answer = answer
    slow, quick = add(desk, "slow", {"url": receiver.url}), add(desk, "quick", {"path": str(tmp_path / "f")}, "file")
    plan(desk, slow, "a1")
    plan(desk, quick, "a1", "a2")
    with at_work(Sender(open_settings, desk, Anybody(), now=clock)):
        until(lambda: states(desk)[1:] == ["sent", "sent"], what="the quick channel")
        assert states(desk)[0] == "sending"
        let_go.set()
        until(lambda: states(desk) == ["sent"] * 3, what="the slow channel")


QUIET = {"start": "22:00", "end": "07:00", "tz": "UTC", "then": "digest"}


def test_quiet_hours_end_with_one_digest(desk: Desk, sender: Sender, receiver: Any, clock: Clock) -> None:
    where = add(desk, "ops", {"url": receiver.url}, quiet=QUIET)
    clock.us = NIGHT
    plan(desk, where, "a1", "a2", at=NIGHT)
    assert not sender.send_next(where)
    assert states(desk) == ["held", "held"]
    clock.move(8 * 3600 - 1)
    plan(desk, where, "a1", event="closed", at=clock.us)
    assert not sender.send_next(where)
    clock.move(1)
    assert sender.send_next(where)
    assert not sender.send_next(where)
    assert states(desk) == ["digested", "digested", "digested", "sent"]
    (request,) = receiver.requests
    said = json.loads(request.body)
    assert said["title"] == "2 alerts in quiet hours"
    assert {alert["id"] for alert in said["digest"]["alerts"]} == {"a1", "a2"}


def test_quiet_hours_may_drop_what_comes(desk: Desk, sender: Sender, receiver: Any, clock: Clock) -> None:
    where = add(desk, "ops", {"url": receiver.url}, quiet={**QUIET, "then": "drop"})
    clock.us = NIGHT
    plan(desk, where, "a1")
    sender.send_next(where)
    clock.move(10 * 3600)
    sender.send_next(where)
    assert (states(desk), receiver.requests) == (["dropped"], [])


def test_a_channel_that_fails_is_reported_on_another_and_so_is_its_return(
    desk: Desk, sender: Sender, receiver: Any, clock: Clock, tmp_path: Path
) -> None:
    notes = tmp_path / "notes.ndjson"
    backup = add(desk, "backup", {"path": str(notes)}, "file")
    where = add(desk, "ops", {"url": receiver.url}, report_to=backup)
    plan(desk, where, "a1", "a2")
    receiver.answer = lambda n: (500, {}, b"") if n <= TOLD_AFTER + 2 else (200, {}, b"")
    for _ in range(TOLD_AFTER + 3):
        sender.send_next(where)
        clock.move(3600)
    while sender.send_next(backup):
        pass
    trouble, recovered = [json.loads(line) for line in notes.read_text().splitlines()]
    assert (trouble["event"], trouble["channel"]["waiting"]) == ("trouble", 2)
    assert trouble["title"] == "The channel “ops” does not work"
    assert recovered["title"] == "The channel “ops” works again"


def test_what_could_not_be_sent_for_days_is_a_dead_letter(
    desk: Desk, open_settings: Settings, clock: Clock, receiver: Any, until: Until
) -> None:
    where = add(desk, "ops", {"url": receiver.url})
    plan(desk, where, "a1")
    receiver.answer = lambda _: (500, {}, b"")
    Sender(open_settings, desk, Anybody(), now=clock).send_next(where)
    clock.move(3 * 86_400 + 1)
    with at_work(Sender(open_settings, desk, Anybody(), now=clock)):
        until(lambda: states(desk) == ["dead"], what="the dead letter")
    assert rows(desk)[0].error == "127.0.0.1 says 500 Internal Server Error"
    with desk.session() as session:
        outbox.prune(session, clock.us + 1)
    assert rows(desk) == []


def test_a_sender_that_lost_its_lease_sends_and_notes_nothing(
    open_settings: Settings, desk: Desk, receiver: Any
) -> None:
    class Lost:
        def guard(self, session: Session) -> None:
            what = "the `watch` lease was taken over"
            raise ConflictError(what)

    where = add(desk, "ops", {"url": receiver.url})
    plan(desk, where, "a1")
    with pytest.raises(ConflictError):
        Sender(open_settings, desk, Lost()).send_next(where)
    assert (states(desk), receiver.requests) == (["waiting"], [])


def test_what_is_under_way_when_a_sender_is_followed_by_another_is_sent_once(
    open_settings: Settings, desk: Desk, sender: Sender, receiver: Any, until: Until
) -> None:
    let_go = threading.Event()

    def answer(_: int) -> tuple[int, dict[str, str], bytes]:
        let_go.wait(60)
        return 200, {}, b""

    class Replaced(Anybody):
        is_over = False

        def guard(self, session: Session) -> None:
            if self.is_over:
                what = "the `watch` lease was taken over"
                raise ConflictError(what)

    where = add(desk, "ops", {"url": receiver.url})
    plan(desk, where, "a1")
    receiver.answer = answer
    lease = Replaced()
    first = Sender(open_settings, desk, lease, now=lambda: NOON)
    first.start()
    until(lambda: len(receiver.requests) == 1, what="the message under way")
    lease.is_over = True
    first.stop(within_s=0)
    assert not sender.send_next(where)
    let_go.set()
    until(lambda: states(desk) == ["sent"], what="the note of it")
    assert not sender.send_next(where)
    assert len(receiver.requests) == 1


def test_a_claim_lasts_longer_than_the_program_may_take(desk: Desk, sender: Sender, clock: Clock) -> None:
    seen: list[int] = []
    where = add(desk, "pager", {"argv": [sys.executable, "-c", ""], "timeout_s": 600.0}, "command")
    plan(desk, where, "a1")
    sender._hook = lambda border: seen.append(rows(desk)[0].claimed_until or 0) if border == "claimed" else None
    assert sender.send_next(where)
    assert seen == [clock.us + 630 * SECOND]


def test_a_defect_is_trouble_and_leaves_no_message_claimed(
    desk: Desk, sender: Sender, receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_more: object) -> None:
        what = "a defect"
        raise RuntimeError(what)

    where = add(desk, "ops", {"url": receiver.url})
    plan(desk, where, "a1")
    monkeypatch.setattr("groundswell.channels.sender.send", broken)
    assert not sender.send_next(where)
    assert states(desk) == ["waiting"]
    assert channel(desk).trouble == "an unexpected error; the log has it"


def test_a_config_that_does_not_hold_any_more_is_trouble_and_not_a_crash(desk: Desk, sender: Sender) -> None:
    where = add(desk, "ops", {"path": "relative"}, "file")
    plan(desk, where, "a1")
    assert not sender.send_next(where)
    assert "absolute path" in (channel(desk).trouble or "")
    assert states(desk) == ["waiting"]
