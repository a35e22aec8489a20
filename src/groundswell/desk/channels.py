"""Channels: where people are told of alerts. What a kind of channel needs is checked by `channels.manage`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from groundswell.desk.clock import wall_us
from groundswell.desk.tables import ChannelRow, OutboxRow
from groundswell.errors import ConflictError, NotFoundError

EVENTS: Final = ("opened", "updated", "closed")
#: What a channel is told of unless it is said otherwise.
DEFAULT_EVENTS: Final = ("opened", "closed")
#: An alert whose last window ended longer ago than this is history, and nobody is woken for it.
DEFAULT_AGE_S: Final = 86_400
#: States in which a message still is to be sent.
PENDING: Final = ("waiting", "sending", "held")


@dataclass(frozen=True)
class Rules:
    """Which alerts go to a channel, when, in which words, and who learns that it fails."""

    trackers: Sequence[str] | None = None
    """Ids; None: all."""
    least_days: float | None = None
    events: Sequence[str] = DEFAULT_EVENTS
    quiet: Mapping[str, Any] | None = None
    templates: Mapping[str, str] | None = None
    report_to: str | None = None
    max_age_s: int = DEFAULT_AGE_S


def channel_id(name: str) -> str:
    """The id of a channel: a hash of its name."""
    return hashlib.blake2b(b"channel\n" + name.strip().casefold().encode(), digest_size=8).hexdigest()


def add(
    session: Session, name: str, kind: str, config: Mapping[str, Any], rules: Rules, *, now_us: int | None = None
) -> ChannelRow:
    """Add a channel; a name that was removed comes back.

    Raises:
        ConflictError: the name is in use.
    """
    row = session.get(ChannelRow, channel_id(name))
    if row is None:
        row = ChannelRow(id=channel_id(name))
        session.add(row)
    elif row.removed_at is None:
        what = f"a channel named `{row.name}` is there already ({row.kind})"
        hint = "choose another name, or change that channel: `groundswell channels add … --replace`"
        raise ConflictError(what, hint=hint, fields={"id": row.id})
    row.name, row.created_at, row.removed_at, row.paused_at = (
        name.strip(),
        wall_us() if now_us is None else now_us,
        None,
        None,
    )
    row.sent_at = None
    put(row, kind, config, rules)
    session.flush()
    return row


def put(row: ChannelRow, kind: str, config: Mapping[str, Any], rules: Rules) -> None:
    """Let a channel be as it is said now; what it failed with does not count any more."""
    row.kind, row.config = kind, dict(config)
    row.trackers = None if rules.trackers is None else list(rules.trackers)
    row.least_days, row.events = rules.least_days, list(rules.events)
    row.quiet = None if rules.quiet is None else dict(rules.quiet)
    row.templates = None if not rules.templates else dict(rules.templates)
    row.report_to, row.max_age_s = rules.report_to, rules.max_age_s
    well(row, None)


def rules_of(row: ChannelRow) -> Rules:
    """The rules of a channel as they stand."""
    return Rules(
        row.trackers, row.least_days, tuple(row.events), row.quiet, row.templates, row.report_to, row.max_age_s
    )


def find(session: Session, name: str) -> ChannelRow:
    """The channel of that name or id.

    Raises:
        NotFoundError: there is none; lists those that are there.
    """
    for key in (name, channel_id(name)):
        row = session.get(ChannelRow, key)
        if row is not None and row.removed_at is None:
            return row
    names = ", ".join(row.name for row in listed(session)[:20]) or "none yet"
    what = f"no channel `{name}`"
    raise NotFoundError(what, hint=f"there are: {names}")


def listed(session: Session) -> list[ChannelRow]:
    """All channels that are not removed, by name."""
    query = select(ChannelRow).where(ChannelRow.removed_at.is_(None)).order_by(func.lower(ChannelRow.name))
    return list(session.scalars(query))


def in_force(session: Session) -> list[ChannelRow]:
    """The channels that are told of what happens now: neither removed nor paused."""
    query = select(ChannelRow).where(ChannelRow.removed_at.is_(None), ChannelRow.paused_at.is_(None))
    return list(session.scalars(query.order_by(ChannelRow.id)))


def remove(session: Session, name: str, *, now_us: int | None = None) -> ChannelRow:
    """Send nothing on a channel any more; what waits for it is dropped.

    Raises:
        NotFoundError: there is none.
    """
    row = find(session, name)
    now_us = wall_us() if now_us is None else now_us
    row.removed_at = now_us
    waiting = (OutboxRow.channel_id == row.id, OutboxRow.state.in_(PENDING))
    session.execute(update(OutboxRow).where(*waiting).values(state="dropped", ended_at=now_us))
    session.execute(update(ChannelRow).where(ChannelRow.report_to == row.id).values(report_to=None))
    session.flush()
    return row


def pause(session: Session, name: str, *, paused: bool, now_us: int | None = None) -> ChannelRow:
    """Plan and send nothing for a while, or go on; what waited before is sent then.

    Raises:
        NotFoundError: there is none.
    """
    row = find(session, name)
    row.paused_at = (wall_us() if now_us is None else now_us) if paused else None
    row.retry_at = None
    session.flush()
    return row


def try_again(session: Session, identity: str) -> None:
    """Let what waits for a channel be tried at once: something has just gone well on it."""
    session.execute(update(ChannelRow).where(ChannelRow.id == identity).values(retry_at=None))


def well(row: ChannelRow, now_us: int | None) -> None:
    """A message went well at `now_us`, or (null) the channel begins anew: there is no trouble."""
    row.failures, row.trouble, row.trouble_since, row.retry_at = 0, None, None, None
    if now_us is not None:
        row.sent_at = now_us


def failed(row: ChannelRow, error: str, now_us: int, retry_at: int) -> None:
    """A try failed; the next is at `retry_at`."""
    row.failures += 1
    row.trouble, row.retry_at = error, retry_at
    if row.trouble_since is None:
        row.trouble_since = now_us


def failing(session: Session) -> list[ChannelRow]:
    """The channels in force whose last try failed, by name."""
    query = select(ChannelRow).where(ChannelRow.trouble_since.is_not(None), ChannelRow.removed_at.is_(None))
    return list(session.scalars(query.where(ChannelRow.paused_at.is_(None)).order_by(func.lower(ChannelRow.name))))
