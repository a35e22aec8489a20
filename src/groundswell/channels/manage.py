"""Adding, changing, testing and showing channels, for the command line and the REST API alike."""

from __future__ import annotations

import math
import secrets
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from groundswell.channels.http import NotSentError
from groundswell.channels.kinds import LOCAL, TEMPLATES, Config, config_of, logins_of, secrets_of, target_of
from groundswell.channels.messages import SAMPLE, Message, link_of
from groundswell.channels.quiet import quiet_of
from groundswell.channels.secret import host_bound_to, is_set, variable_of
from groundswell.channels.send import Sending, preview, send
from groundswell.channels.templates import check_template
from groundswell.desk import channels, outbox, trackers
from groundswell.desk.channels import DEFAULT_AGE_S, DEFAULT_EVENTS, EVENTS, Rules
from groundswell.desk.clock import iso, wall_us
from groundswell.desk.tables import AlertRow, ChannelRow, OutboxRow, TrackerRow
from groundswell.errors import UnknownChoiceError, UsageError

if TYPE_CHECKING:
    from groundswell.settings import Settings

_HOUR: Final = 3600


@dataclass(frozen=True)
class Wish:
    """A channel as somebody wants it; trackers and `report_to` by name or id."""

    name: str
    kind: str
    settings: Mapping[str, Any]
    trackers: Sequence[str] | None = None
    least_days: float | None = None
    events: Sequence[str] = DEFAULT_EVENTS
    quiet: Mapping[str, Any] | None = None
    templates: Mapping[str, str | None] | None = None
    report_to: str | None = None
    max_age_hours: float = DEFAULT_AGE_S / _HOUR


def add_channel(session: Session, wish: Wish, *, replace: bool = False, now_us: int | None = None) -> ChannelRow:
    """Add a channel; with `replace` one of that name becomes as it is wished.

    Raises:
        UsageError: something of it is not valid.
        NotFoundError: a tracker or the channel to report to is not there.
        ConflictError: the name is in use.
    """
    name = wish.name.strip()
    if not name or len(name) > 200 or not name.isprintable():
        what = "a channel needs a name of 1 to 200 signs"
        raise UsageError(what, hint="for example: brand team")
    plain = msgspec.to_builtins(config_of(wish.kind, wish.settings))
    old = next((row for row in channels.listed(session) if row.id == channels.channel_id(name)), None)
    if replace and old is not None:
        channels.put(old, wish.kind, plain, _rules(session, wish, had=old.trackers or ()))
        session.flush()
        return old
    rules = _rules(session, wish)
    return channels.add(session, name, wish.kind, plain, rules, now_us=now_us)


def _rules(session: Session, wish: Wish, *, had: Sequence[str] = ()) -> Rules:
    """The wish as the desk has it. Trackers that the channel `had` may have been removed since."""
    own = channels.channel_id(wish.name)
    report_to = None if wish.report_to is None else channels.find(session, wish.report_to).id
    if report_to == own:
        what = "a channel that fails cannot report that itself"
        raise UsageError(what, hint="name another channel, or none")
    for event in wish.events:
        if event not in EVENTS:
            what = "event"
            raise UnknownChoiceError(what, event, EVENTS)
    if not wish.events:
        what = "a channel that is told of nothing"
        raise UsageError(what, hint=f"choose from: {', '.join(EVENTS)}")
    if wish.least_days is not None and not (math.isfinite(wish.least_days) and wish.least_days >= 0):
        what = f"not a number of days: {wish.least_days}"
        raise UsageError(what, hint="give 30 for alerts that come at most about once in 30 days")
    if not 0 <= wish.max_age_hours <= 24 * 3650:
        what = f"not an age: {wish.max_age_hours} hours"
        raise UsageError(what, hint="give 24, or 0 for alerts of any age")
    quiet = quiet_of(wish.quiet)
    return Rules(
        trackers=None
        if not wish.trackers
        else [each if each in had else trackers.find(session, each).id for each in wish.trackers],
        least_days=wish.least_days,
        events=[event for event in EVENTS if event in wish.events],
        quiet=None if quiet is None else msgspec.to_builtins(quiet),
        templates=_templates(wish.kind, wish.templates),
        report_to=report_to,
        max_age_s=round(wish.max_age_hours * _HOUR),
    )


def _templates(kind: str, given: Mapping[str, str | None] | None) -> dict[str, str] | None:
    said = {name: text for name, text in (given or {}).items() if text}
    for name, text in said.items():
        if name not in TEMPLATES[kind]:
            what = f"template of a channel of kind {kind}"
            raise UnknownChoiceError(what, name, TEMPLATES[kind])
        check_template(text, as_json=name == "body")
    return said or None


def refuse_local(kind: str) -> None:
    """Refuse what would let somebody beyond this machine's command line run programs or write files on it.

    Raises:
        UsageError: the kind acts on the machine itself.
    """
    if kind in LOCAL:
        what = f"a channel of kind {kind} can only be added at the command line of the machine that sends"
        raise UsageError(what, hint=f"there: groundswell channels add NAME {kind} …")


def refuse_unbound(kind: str, settings: Mapping[str, Any]) -> None:
    """Refuse what would let somebody beyond this machine's command line send themselves a login, or signed messages.

    Raises:
        UsageError: a secret that would be sent or signed with is not bound to the host that would get it.
    """
    for name, host in logins_of(config_of(kind, settings)):
        bound = host_bound_to(name)
        if bound is None or host not in (None, bound):
            what = f"the secret {name} may not be sent to {host or 'an address that is a secret'}"
            hint = f"set {variable_of(name)}_HOST={host or 'its host'} where the server runs, or use the command line"
            raise UsageError(what, hint=hint)


def document(row: ChannelRow, session: Session, counts: Mapping[str, Counter[str]] | None = None) -> dict[str, Any]:
    """A channel as `web.channel_models.Channel` says it: no secret, only names and whether this process has them."""
    config = config_of(row.kind, row.config)
    number = (outbox.counts(session) if counts is None else counts).get(row.id, Counter())
    reports = None if row.report_to is None else session.get(ChannelRow, row.report_to)
    return {
        "id": row.id,
        "name": row.name,
        "kind": row.kind,
        "target": target_of(config),
        "settings": settings_document(config),
        "secrets": [{"name": n, "variable": variable_of(n), "set": is_set(n)} for n in secrets_of(config)],
        "trackers": None if row.trackers is None else [_tracker(session, each) for each in row.trackers],
        "least_days": row.least_days,
        "events": list(row.events),
        "quiet": row.quiet,
        "templates": None if row.templates is None else {n: row.templates.get(n) for n in ("title", "text", "body")},
        "report_to": None if reports is None or reports.removed_at is not None else reports.name,
        "max_age_hours": row.max_age_s / _HOUR,
        "created_at": iso(row.created_at),
        "state": state_of(row),
        "failures": row.failures,
        "trouble": row.trouble,
        "trouble_since": iso(row.trouble_since),
        "retry_at": iso(row.retry_at),
        "sent_at": iso(row.sent_at),
        "waiting": number["waiting"] + number["sending"],
        "held": number["held"],
        "dead": number["dead"],
    }


def settings_document(config: Config) -> dict[str, Any]:
    """The settings of all kinds by name; null where a channel has none."""
    plain: dict[str, Any] = msgspec.to_builtins(config)
    return {name: plain.get(name) for name in SETTINGS}


#: Every setting that some kind has.
SETTINGS: Final = (
    *("url", "url_secret", "signing_secret", "bearer_secret"),
    *("host", "port", "tls", "sender", "to", "user", "password_secret"),
    *("argv", "timeout_s", "path"),
)


def _tracker(session: Session, identity: str) -> dict[str, str]:
    row = session.get(TrackerRow, identity)
    return {"id": identity, "name": identity if row is None else row.name}


def state_of(row: ChannelRow) -> str:
    """How a channel does: `works`, `fails`, `paused`, or `new` while nothing was sent on it."""
    if row.paused_at is not None:
        return "paused"
    if row.trouble_since is not None:
        return "fails"
    return "new" if row.sent_at is None else "works"


def documents(session: Session) -> list[dict[str, Any]]:
    """All channels, those that fail first, then by name."""
    counts = outbox.counts(session)
    rows = sorted(channels.listed(session), key=lambda row: state_of(row) != "fails")
    return [document(row, session, counts) for row in rows]


def message_document(row: OutboxRow, names: Mapping[str, str]) -> dict[str, Any]:
    """A message of the outbox (`web.channel_models.OutboxMessage`); `names` of channels by id."""
    said = Message(row.id, row.event, iso(row.created_at) or "", row.body)
    return {
        "id": row.id,
        "seq": row.seq,
        "channel": row.channel_id,
        "channel_name": names.get(row.channel_id, row.channel_id),
        "alert": row.alert_id,
        "event": row.event,
        "state": row.state,
        "title": said.title,
        "created_at": iso(row.created_at),
        "attempts": row.attempts,
        "tried_at": iso(row.tried_at),
        "ended_at": iso(row.ended_at),
        "error": row.error,
        "digest": row.digest_id,
    }


def outbox_document(session: Session, rows: Sequence[OutboxRow], limit: int) -> dict[str, Any]:
    """Up to `limit` messages (`web.channel_models.Outbox`); a further row says that there is another page."""
    names = {row.id: row.name for row in session.scalars(select(ChannelRow))}
    total: Counter[str] = Counter()
    for each in outbox.counts(session).values():
        total += each
    return {
        "items": [message_document(row, names) for row in rows[:limit]],
        "counts": {state: total[state] for state in outbox.STATES},
        "next": str(rows[limit - 1].seq) if len(rows) > limit else None,
    }


def try_channel(row: ChannelRow, settings: Settings) -> dict[str, Any]:
    """Send a test on a channel from this process, now; what came of it (`web.channel_models.SentTest`)."""
    at = iso(wall_us()) or ""
    link = link_of(settings.public_url, None)
    message = Message(secrets.token_hex(16), "test", at, {"alert": dict(SAMPLE)}, link)
    began = time.monotonic()
    problem: NotSentError | None = None
    try:
        how = Sending(private=settings.private_urls)
        send(config_of(row.kind, row.config), message, row.templates, how)
    except NotSentError as error:
        problem = error
    return {
        "channel": row.id,
        "name": row.name,
        "ok": problem is None,
        "message": message.id,
        "error": None if problem is None else problem.what,
        "hint": None if problem is None else problem.hint,
        "seconds": round(time.monotonic() - began, 3),
    }


def show_message(
    kind: str,
    said: Mapping[str, Any],
    words: Mapping[str, str | None] | None,
    settings: Settings,
    alert: AlertRow | None = None,
    tracker: TrackerRow | None = None,
) -> dict[str, Any]:
    """What a channel would send of an alert (of an invented one without), as `web.channel_models.ChannelPreview`."""
    given = {name: value for name, value in said.items() if value}
    # A webhook has one address.
    example = {name: value for name, value in _EXAMPLES[kind].items() if name != "url" or "url_secret" not in given}
    config = config_of(kind, example | given)
    body = dict(SAMPLE) if alert is None or tracker is None else outbox.alert_body(alert, tracker)
    link = link_of(settings.public_url, None if alert is None else alert.id)
    message = Message("0" * 32, "opened", str(body["opened_at"]), {"alert": body}, link)
    return {"kind": kind, "text": preview(config, message, _templates(kind, words))}


#: Settings that a preview fills in where nothing was said yet.
_EXAMPLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "webhook": {"url": "https://example.org/hook"},
    "slack": {"url_secret": "SLACK"},
    "discord": {"url_secret": "DISCORD"},
    "email": {"host": "smtp.example.org", "sender": "groundswell@example.org", "to": ["team@example.org"]},
    "command": {"argv": ["/usr/bin/true"]},
    "file": {"path": "/var/log/alerts.ndjson"},
    "kafka": {"url": "kafka://broker.example.org:9092/alerts"},
}
