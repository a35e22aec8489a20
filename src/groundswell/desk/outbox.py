"""The outbox: what channels are to be told, planned in the transaction that commits the alert.

A message's id is a hash of what it says to whom. So the same thing is planned once, however often a batch is done
again, and what is sent twice (its process was killed between the sending and the note of it) has the same id twice.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from groundswell.desk import channels, documents, leases
from groundswell.desk.clock import iso
from groundswell.desk.tables import AlertRow, ChannelRow, OutboxRow, TrackerRow
from groundswell.errors import ConflictError, NotFoundError

STATES: Final = ("waiting", "sending", "sent", "held", "digested", "superseded", "dropped", "dead")
#: An update is worth a message when the alert is so many times rarer than what was last said.
RARER: Final = 10.0
#: Of the evidence, what a message carries.
_POSTS: Final = 3
_NAMES: Final = 5
_WORDS: Final = 8
_TEXT: Final = 280
#: Alerts that one digest lists.
DIGEST_ALERTS: Final = 50


@dataclass(frozen=True, slots=True)
class Before:
    """What the desk knew of an alert before this transaction."""

    phase: str
    is_open: bool


def known(session: Session, ids: Iterable[str]) -> dict[str, Before]:
    """What the desk knows of alerts, by id; to be asked before they are written."""
    wanted = list(ids)
    if not wanted:
        return {}
    columns = select(AlertRow.id, AlertRow.phase, AlertRow.closed_at).where(AlertRow.id.in_(wanted))
    return {alert: Before(phase, closed is None) for alert, phase, closed in session.execute(columns)}


def enqueue(session: Session, before: Before | None, after: AlertRow, tracker: TrackerRow, now_us: int) -> int:
    """Plan the messages that the change of an alert is worth, in the caller's transaction.

    `before` is what `known` said of it; null: the alert is new.

    Returns:
        How many messages were planned.
    """
    snoozed_until = getattr(tracker, "snoozed_until", None)
    if snoozed_until is not None and now_us < snoozed_until:
        return 0
    count = 0
    for channel in channels.in_force(session):
        if not _wants(channel, after, now_us):
            continue
        for event in _events(session, channel, before, after):
            mark = str(after.updated_at) if event == "updated" else ""
            identity = message_id(channel.id, after.id, event, mark)
            body = {"alert": alert_body(after, tracker)}
            count += add(session, channel.id, event, body, identity=identity, alert_id=after.id, now_us=now_us)
    return count


def message_id(*parts: str) -> str:
    """The id of a message: a hash of the channel and of what it says.

    >>> message_id("c", "a", "opened") == message_id("c", "a", "opened"), len(message_id("c"))
    (True, 32)
    """
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


def _wants(channel: ChannelRow, alert: AlertRow, now_us: int) -> bool:
    if channel.trackers is not None and alert.tracker_id not in channel.trackers:
        return False
    if channel.least_days is not None and alert.return_days < channel.least_days:
        return False
    return not channel.max_age_s or alert.updated_at >= now_us - channel.max_age_s * 1_000_000


def _events(session: Session, channel: ChannelRow, before: Before | None, after: AlertRow) -> list[str]:
    last = _last_told(session, channel.id, after.id)
    told = last is not None or (before is not None and "opened" not in channel.events)
    if after.closed_at is not None:
        if before is not None and not before.is_open:
            found = []
        else:
            # One that began and ended between two commits is told in both messages, as with a commit in between.
            found = ["opened", "closed"] if before is None else ["closed"]
    elif not told:
        # Rare enough only now, or a channel that is newer than the alert.
        found = ["opened"]
    elif before is not None and _has_changed(before, last, after):
        found = ["updated"]
    else:
        found = []
    return [event for event in found if event in channel.events]


def _has_changed(before: Before, last: OutboxRow | None, after: AlertRow) -> bool:
    if getattr(after, "acknowledged_at", None) is not None:
        return False  # somebody sees to it
    if before.phase != after.phase:
        return True
    said = None if last is None else last.body.get("alert", {}).get("return_days")
    return said is not None and after.return_days >= RARER * float(said)


def _last_told(session: Session, channel_id: str, alert_id: str) -> OutboxRow | None:
    query = select(OutboxRow).where(OutboxRow.channel_id == channel_id, OutboxRow.alert_id == alert_id)
    return session.scalars(query.order_by(OutboxRow.seq.desc()).limit(1)).first()


def alert_body(alert: AlertRow, tracker: TrackerRow) -> dict[str, Any]:
    """What a message says of an alert; it stays as it is, so that the same id never says two things."""
    evidence = alert.evidence or {}
    return {
        **documents.alert_summary(alert, tracker),
        "window_s": alert.window_s,
        "group": getattr(alert, "group_id", None),
        "top_posts": [_post(post) for post in evidence.get("posts", [])[:_POSTS]],
        "top_authors": _labels(evidence.get("authors")),
        "top_hashtags": _labels(evidence.get("hashtags")),
        "top_words": [str(word["word"]) for word in evidence.get("words", [])[:_WORDS]],
    }


def _post(post: Mapping[str, Any]) -> dict[str, Any]:
    text = " ".join(str(post.get("text") or "").split())
    names = ("platform", "post_id", "url", "author", "followers", "created_at", "copies")
    short = text if len(text) <= _TEXT else f"{text[: _TEXT - 1]}…"
    return {**{name: post.get(name) for name in names}, "text": short or None}


def _labels(drivers: object) -> list[str]:
    return [str(driver["label"]) for driver in drivers[:_NAMES]] if isinstance(drivers, list) else []


def add(
    session: Session,
    channel_id: str,
    event: str,
    body: Mapping[str, Any],
    *,
    identity: str,
    now_us: int,
    alert_id: str | None = None,
) -> bool:
    """Put a message into the outbox; false if one of that id is there already.

    Updates of the same alert that have not been sent yet are superseded by it.
    """
    if session.scalar(select(OutboxRow.seq).where(OutboxRow.id == identity)) is not None:
        return False
    if alert_id is not None:
        old = (OutboxRow.alert_id == alert_id, OutboxRow.channel_id == channel_id, OutboxRow.event == "updated")
        still = OutboxRow.state.in_(("waiting", "held"))
        session.execute(update(OutboxRow).where(*old, still).values(state="superseded", ended_at=now_us))
    row = OutboxRow(
        id=identity,
        channel_id=channel_id,
        alert_id=alert_id,
        event=event,
        state="waiting",
        body=dict(body),
        created_at=now_us,
        attempts=0,
    )
    session.add(row)
    session.flush()
    return True


def has_work(session: Session, channel_id: str) -> set[str]:
    """In which of the states in which messages still are to be sent a channel has some."""
    query = select(OutboxRow.state).where(OutboxRow.channel_id == channel_id, OutboxRow.state.in_(channels.PENDING))
    return set(session.scalars(query.distinct()))


def claim(session: Session, channel_id: str, now_us: int, lease_us: int) -> OutboxRow | None:
    """Take the next message of a channel for this process to send; null if there is none, or it is being sent.

    A claim of this process counts too: a sender that was stopped may still be at it in a thread of its own.

    A message whose process is gone, or has had it for longer than its claim, is taken over: it may be sent twice, with
    the same id.
    """
    query = select(OutboxRow).where(OutboxRow.channel_id == channel_id, OutboxRow.state.in_(("waiting", "sending")))
    row = session.scalars(query.order_by(OutboxRow.seq).limit(1).with_for_update()).first()
    if row is None:
        return None
    if row.state == "sending" and row.claimed_by is not None:
        is_late = row.claimed_until is not None and row.claimed_until <= now_us
        if not is_late and not leases.is_dead(row.claimed_by):
            return None
    row.state, row.claimed_by, row.claimed_until = "sending", leases.this_process(), now_us + lease_us
    row.attempts, row.tried_at = row.attempts + 1, now_us
    session.flush()
    return row


def settle(session: Session, seq: int, state: str, now_us: int, error: str | None = None) -> bool:
    """Note what became of a message that this process claimed; false if another process has taken it over."""
    row = session.get(OutboxRow, seq, with_for_update=True)
    if row is None or row.state != "sending" or row.claimed_by != leases.this_process():
        return False
    row.state, row.error, row.claimed_by, row.claimed_until = state, error, None, None
    row.ended_at = None if state in channels.PENDING else now_us
    session.flush()
    return True


def hold(session: Session, channel_id: str, state: str, now_us: int) -> int:
    """Set the waiting messages about alerts aside in quiet hours: `held` for a digest, or `dropped`; how many."""
    waiting = (OutboxRow.channel_id == channel_id, OutboxRow.state == "waiting", OutboxRow.alert_id.is_not(None))
    ended = now_us if state == "dropped" else None
    done = session.execute(update(OutboxRow).where(*waiting).values(state=state, ended_at=ended))
    return int(getattr(done, "rowcount", 0))


def digest(session: Session, channel_id: str, now_us: int) -> OutboxRow | None:
    """One message for all that was held back; null where nothing was."""
    query = select(OutboxRow).where(OutboxRow.channel_id == channel_id, OutboxRow.state == "held")
    rows = list(session.scalars(query.order_by(OutboxRow.seq)))
    if not rows:
        return None
    newest: dict[str, dict[str, Any]] = {}
    for row in rows:
        alert = row.body["alert"]
        newest[alert["id"]] = alert
    body = {
        "since": iso(rows[0].created_at),
        "until": iso(now_us),
        "count": len(newest),
        "alerts": sorted(newest.values(), key=lambda alert: -float(alert["return_days"]))[:DIGEST_ALERTS],
    }
    identity = message_id(channel_id, "digest", rows[0].id)
    add(session, channel_id, "digest", body, identity=identity, now_us=now_us)
    for row in rows:
        row.state, row.digest_id, row.ended_at = "digested", identity, now_us
    session.flush()
    return session.scalars(select(OutboxRow).where(OutboxRow.id == identity)).one()


def bury(session: Session, older_than_us: int, now_us: int) -> int:
    """Give up messages that were planned before `older_than_us` and never went: dead letters; how many."""
    old = (OutboxRow.state == "waiting", OutboxRow.created_at < older_than_us)
    done = session.execute(update(OutboxRow).where(*old).values(state="dead", ended_at=now_us))
    return int(getattr(done, "rowcount", 0))


def prune(session: Session, older_than_us: int) -> int:
    """Remove messages that came to their end before `older_than_us`; how many."""
    done = session.execute(delete(OutboxRow).where(OutboxRow.ended_at < older_than_us))
    return int(getattr(done, "rowcount", 0))


def revive(session: Session, message: str, *, now_us: int) -> OutboxRow:
    """Let a dead letter or a dropped message wait again.

    Raises:
        NotFoundError: there is no such message.
        ConflictError: it is neither, or its channel is gone.
    """
    row = get(session, message)
    channel = session.get_one(ChannelRow, row.channel_id)
    if row.state not in ("dead", "dropped") or channel.removed_at is not None:
        what = f"message `{row.id}` is {row.state}" if channel.removed_at is None else "its channel was removed"
        raise ConflictError(what, hint="only dead and dropped messages of a channel that is there can be sent again")
    row.state, row.attempts, row.error, row.created_at, row.ended_at = "waiting", 0, None, now_us, None
    channel.retry_at = None
    session.flush()
    return row


def get(session: Session, message: str) -> OutboxRow:
    """The message of that id, or of a unique beginning of it (at least 4 characters).

    Raises:
        NotFoundError: there is none.
    """
    if len(message) >= 4:
        query = select(OutboxRow).where(OutboxRow.id.startswith(message, autoescape=True)).limit(2)
        found = list(session.scalars(query))
        if len(found) == 1:
            return found[0]
    what = f"no message `{message}`"
    raise NotFoundError(what, hint="`groundswell channels outbox` shows the ids")


def listed(
    session: Session,
    *,
    channel_id: str | None = None,
    state: str | None = None,
    alert_id: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[OutboxRow]:
    """Messages, newest first; `before` is the number of the last one that was seen."""
    query = select(OutboxRow).order_by(OutboxRow.seq.desc()).limit(limit)
    for column, value in (
        (OutboxRow.channel_id, channel_id),
        (OutboxRow.state, state),
        (OutboxRow.alert_id, alert_id),
    ):
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(OutboxRow.seq < before)
    return list(session.scalars(query))


def counts(session: Session) -> dict[str, Counter[str]]:
    """How many messages of each channel are in each state."""
    query = select(OutboxRow.channel_id, OutboxRow.state, func.count()).group_by(OutboxRow.channel_id, OutboxRow.state)
    found: dict[str, Counter[str]] = {}
    for channel, state, number in session.execute(query):
        found.setdefault(channel, Counter())[state] = number
    return found


def pending(session: Session) -> int:
    """How many messages still are to be sent."""
    return session.scalar(select(func.count()).select_from(OutboxRow).where(OutboxRow.state.in_(channels.PENDING))) or 0
