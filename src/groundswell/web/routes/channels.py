"""Channels: where people are told of alerts; and the outbox of what they are told."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy.orm import Session

from groundswell.channels import manage
from groundswell.channels.forms import forms
from groundswell.channels.manage import Wish
from groundswell.desk import alerts, channels, outbox
from groundswell.desk.tables import ChannelRow, TrackerRow
from groundswell.errors import UsageError
from groundswell.web.channel_models import (
    ChangedChannel,
    Channel,
    ChannelKinds,
    ChannelPreview,
    ChannelPreviewRequest,
    ChannelRules,
    Channels,
    MessageState,
    NewChannel,
    Outbox,
    OutboxMessage,
    SentTest,
)
from groundswell.web.services import ServicesOf

router = APIRouter(prefix="/channels", tags=["channels"])
ChannelId = Annotated[str, Path(description="Id or name of the channel.", max_length=200)]
MessageId = Annotated[str, Path(description="Id of the message.", max_length=32)]


@router.get("")
def list_channels(services: ServicesOf) -> Channels:
    """All channels and how they do, those that fail first, then by name."""
    with services.desk.reading() as session:
        return Channels.model_validate({"items": manage.documents(session)})


@router.post("", status_code=201)
def add_channel(services: ServicesOf, request: NewChannel) -> Channel:
    """Add a channel. Alerts that open or change from now on are sent on it.

    Secrets are named, never sent: put them into the environment of the server (`GROUNDSWELL_SECRET_…`).
    """
    manage.refuse_local(request.kind)
    manage.refuse_unbound(request.kind, _settings(request))
    with services.desk.session() as session:
        row = manage.add_channel(session, _wish(request.name, request.kind, _settings(request), request))
        document = _document(session, row)
    services.tell()
    return document


@router.get("/kinds")
def list_channel_kinds() -> ChannelKinds:
    """What kinds there are, what each needs to know, and the fields that templates may name."""
    return ChannelKinds.model_validate(forms())


@router.post("/preview")
def preview_channel(services: ServicesOf, request: ChannelPreviewRequest) -> ChannelPreview:
    """What would be sent with these words, of an alert or of an invented one. Nothing is sent."""
    words = None if request.templates is None else request.templates.model_dump(exclude_none=True)
    said = _settings(request)
    with services.desk.reading() as session:
        alert = None if request.alert is None else alerts.get(session, request.alert)
        tracker = None if alert is None else session.get_one(TrackerRow, alert.tracker_id)
        shown = manage.show_message(request.kind, said, words, services.settings, alert, tracker)
    return ChannelPreview.model_validate(shown)


@router.get("/outbox")
def list_outbox(
    services: ServicesOf,
    channel: Annotated[str | None, Query(description="Only this channel: its id or name.")] = None,
    state: Annotated[MessageState | None, Query(description="Only messages in this state.")] = None,
    alert: Annotated[str | None, Query(max_length=32, description="Only messages about this alert.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str | None, Query(max_length=100, description="`next` of the page before.")] = None,
) -> Outbox:
    """Messages to channels, newest first: what was sent, what waits and why."""
    before = _number(cursor)
    with services.desk.reading() as session:
        of = None if channel is None else channels.find(session, channel).id
        found = outbox.listed(session, channel_id=of, state=state, alert_id=alert, before=before, limit=limit + 1)
        return Outbox.model_validate(manage.outbox_document(session, found, limit))


@router.post("/outbox/{message}/retry")
def retry_message(services: ServicesOf, message: MessageId) -> OutboxMessage:
    """Let a message that was given up or dropped be sent again, with the same id."""
    with services.desk.session() as session:
        row = outbox.revive(session, message, now_us=services.now())
        document = manage.message_document(row, {row.channel_id: session.get_one(ChannelRow, row.channel_id).name})
    services.tell()
    return OutboxMessage.model_validate(document)


@router.get("/{channel}")
def show_channel(services: ServicesOf, channel: ChannelId) -> Channel:
    """One channel and how it does."""
    with services.desk.reading() as session:
        return _document(session, channels.find(session, channel))


@router.put("/{channel}")
def change_channel(services: ServicesOf, channel: ChannelId, request: ChangedChannel) -> Channel:
    """Let a channel be as it is said here; what it failed with does not count any more.

    Where commands and files lead can only be changed at the command line of the machine that sends.
    """
    with services.desk.session() as session:
        row = channels.find(session, channel)
        said = row.config
        if request.settings is not None:
            manage.refuse_local(row.kind)
            said = _settings(request)
            manage.refuse_unbound(row.kind, said)
        row = manage.add_channel(session, _wish(row.name, row.kind, said, request), replace=True)
        document = _document(session, row)
    services.tell()
    return document


@router.delete("/{channel}", status_code=204)
def remove_channel(services: ServicesOf, channel: ChannelId) -> Response:
    """Send nothing on it any more; what waits for it is dropped."""
    with services.desk.session() as session:
        channels.remove(session, channel, now_us=services.now())
    services.tell()
    return Response(status_code=204)


@router.post("/{channel}/test")
def test_channel(services: ServicesOf, channel: ChannelId) -> SentTest:
    """Send a test message now, with the secrets that this server has, and say what came of it."""
    with services.desk.reading() as session:
        row = channels.find(session, channel)
    found = manage.try_channel(row, services.settings)
    if found["ok"]:
        with services.desk.session() as session:
            channels.try_again(session, row.id)
        services.tell()
    return SentTest.model_validate(found)


@router.post("/{channel}/pause")
def pause_channel(services: ServicesOf, channel: ChannelId) -> Channel:
    """Plan and send nothing on it for a while."""
    return _pause(services, channel, paused=True)


@router.post("/{channel}/resume")
def resume_channel(services: ServicesOf, channel: ChannelId) -> Channel:
    """Go on with a channel that was paused, or try one that fails at once."""
    return _pause(services, channel, paused=False)


def _pause(services: ServicesOf, channel: str, *, paused: bool) -> Channel:
    with services.desk.session() as session:
        document = _document(session, channels.pause(session, channel, paused=paused, now_us=services.now()))
    services.tell()
    return document


def _document(session: Session, row: ChannelRow) -> Channel:
    return Channel.model_validate(manage.document(row, session))


def _settings(request: NewChannel | ChangedChannel | ChannelPreviewRequest) -> dict[str, Any]:
    return {} if request.settings is None else request.settings.model_dump(exclude_none=True)


def _wish(name: str, kind: str, settings: dict[str, Any], rules: ChannelRules) -> Wish:
    return Wish(
        name=name,
        kind=kind,
        settings=settings,
        trackers=rules.trackers,
        least_days=rules.least_days,
        events=rules.events,
        quiet=None if rules.quiet is None else rules.quiet.model_dump(exclude_none=True),
        templates=None if rules.templates is None else rules.templates.model_dump(exclude_none=True),
        report_to=rules.report_to,
        max_age_hours=rules.max_age_hours,
    )


def _number(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        what = f"no page `{cursor}`"
        raise UsageError(what, hint="give `next` of the page before")
    return int(cursor)
