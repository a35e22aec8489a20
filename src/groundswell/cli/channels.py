"""`groundswell channels`: where people are told of alerts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from groundswell.cli.app import Json, app, emit, messages, output

if TYPE_CHECKING:
    from groundswell.desk import Desk
    from groundswell.settings import Settings

verbs = typer.Typer(no_args_is_help=True, help="Tell people of alerts: webhook, Slack, Discord, e-mail, command, file.")
app.add_typer(verbs, name="channels")

Name = Annotated[str, typer.Argument(help="The channel's name or id.")]
_SECRET = "Name of a secret: SLACK stands for the variable GROUNDSWELL_SECRET_SLACK."  # noqa: S105 - a help text


@verbs.command()
def add(  # noqa: PLR0917 - Typer's options
    name: Annotated[str, typer.Argument(help="A name of your choice.")],
    kind: Annotated[str, typer.Argument(help="webhook, slack, discord, email, command, file or kafka.")],
    program: Annotated[list[str] | None, typer.Argument(help="Of a command: -- /path/to/program ARGUMENTS.")] = None,
    url: Annotated[
        str | None,
        typer.Option("--url", help="Of a webhook: its address, if no secret; of kafka: kafka://host:9092/topic."),
    ] = None,
    url_secret: Annotated[str | None, typer.Option("--url-secret", help=f"The address. {_SECRET}")] = None,
    signing_secret: Annotated[str | None, typer.Option("--signing-secret", help=f"Signs messages. {_SECRET}")] = None,
    bearer_secret: Annotated[str | None, typer.Option("--bearer-secret", help=f"A login. {_SECRET}")] = None,
    host: Annotated[str | None, typer.Option("--host", help="Of e-mail: the SMTP server.")] = None,
    port: Annotated[int | None, typer.Option("--port", min=1, max=65_535, help="587, 465 or 25 by --tls.")] = None,
    tls: Annotated[str | None, typer.Option("--tls", help="starttls, tls or none.", show_default="starttls")] = None,
    sender: Annotated[str | None, typer.Option("--from", help="Of e-mail: the sender's address.")] = None,
    to: Annotated[list[str] | None, typer.Option("--to", help="Of e-mail: a receiver; may be repeated.")] = None,
    user: Annotated[str | None, typer.Option("--user", help="Of e-mail: the login's name.")] = None,
    password_secret: Annotated[str | None, typer.Option("--password-secret", help=f"Its password. {_SECRET}")] = None,
    path: Annotated[Path | None, typer.Option("--path", help="Of a file: where a line of JSON is appended.")] = None,
    timeout: Annotated[float | None, typer.Option("--timeout", help="Of a command: seconds that it may take.")] = None,
    tracker: Annotated[list[str] | None, typer.Option("--tracker", help="Only this tracker; may be repeated.")] = None,
    least_days: Annotated[
        float | None, typer.Option("--least-days", min=0, help="Only alerts that come once in so many days or less.")
    ] = None,
    event: Annotated[
        list[str] | None, typer.Option("--event", help="opened, updated, closed; may be repeated.", show_default=False)
    ] = None,
    quiet: Annotated[str | None, typer.Option("--quiet", help="Hours to keep still: 22:00-07:00.")] = None,
    quiet_tz: Annotated[str | None, typer.Option("--quiet-tz", help="Their time zone.", show_default="--tz's")] = None,
    quiet_days: Annotated[str | None, typer.Option("--quiet-days", help="On which they begin: mon,tue,…")] = None,
    quiet_then: Annotated[
        str | None,
        typer.Option("--quiet-then", help="digest: one message afterwards; drop.", show_default="digest"),
    ] = None,
    title: Annotated[str | None, typer.Option("--title", help="Template of the title: $headline …")] = None,
    text: Annotated[str | None, typer.Option("--text", help="Template of the text: $headline, $link …")] = None,
    body: Annotated[Path | None, typer.Option("--body", help="File with a template of the whole JSON body.")] = None,
    report_to: Annotated[str | None, typer.Option("--report-to", help="Channel that is told if this fails.")] = None,
    max_age: Annotated[
        float, typer.Option("--max-age", min=0, help="Hours; older alerts are not sent (0: of any age).")
    ] = 24.0,
    replace: Annotated[bool, typer.Option("--replace", help="Change the channel of that name.")] = False,
    json: Json = False,
) -> None:
    """Add a channel. Secrets are never given here: put them into the environment and give their names.

    `groundswell channels add team slack --url-secret SLACK --quiet 22:00-07:00` sends what the address in
    GROUNDSWELL_SECRET_SLACK takes. Messages go out wherever the watch runs (`serve`, `watch run`).
    """
    import msgspec

    from groundswell.channels.manage import Wish, add_channel, document
    from groundswell.channels.quiet import read_quiet
    from groundswell.desk.channels import DEFAULT_EVENTS
    from groundswell.errors import UsageError

    settings, desk = _opened()
    if quiet is None and (quiet_tz, quiet_days, quiet_then) != (None, None, None):
        what = "quiet hours without their hours"
        raise UsageError(what, hint="give them too: --quiet 22:00-07:00")
    hours = (
        None if quiet is None else read_quiet(quiet, quiet_tz or settings.tz, _then(quiet_then or "digest"), quiet_days)
    )
    said = {
        "url": url,
        "url_secret": url_secret,
        "signing_secret": signing_secret,
        "bearer_secret": bearer_secret,
        "host": host,
        "port": port,
        "tls": tls,
        "sender": sender,
        "to": to,
        "user": user,
        "password_secret": password_secret,
        "argv": program,
        "timeout_s": timeout,
        "path": None if path is None else str(path.expanduser().absolute()),
    }
    wish = Wish(
        name=name,
        kind=kind,
        settings=said,
        trackers=tracker,
        least_days=least_days,
        events=event or DEFAULT_EVENTS,
        quiet=None if hours is None else msgspec.to_builtins(hours),
        templates={"title": title, "text": text, "body": None if body is None else _content(body)},
        report_to=report_to,
        max_age_hours=max_age,
    )
    with desk, desk.session() as session:
        found = document(add_channel(session, wish, replace=replace), session)
    if json:
        emit(found)
        return
    messages.print(Text(f"alerts go to {found['name']}: {found['target']}"), soft_wrap=True)
    _warn_of_secrets(found)
    messages.print(Text(f"`groundswell channels test '{found['name']}'` sends a test"), style="dim", soft_wrap=True)


def _then(said: str) -> Any:
    from groundswell.errors import UnknownChoiceError

    if said not in ("digest", "drop"):
        kind = "way to end quiet hours"
        raise UnknownChoiceError(kind, said, ("digest", "drop"))
    return said


def _content(path: Path) -> str:
    from groundswell.errors import UsageError

    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        what = f"the template cannot be read ({getattr(error, 'strerror', None) or 'not text'})"
        raise UsageError(what, where=path, hint="give the path of a file with JSON in it") from error


def _opened() -> tuple[Settings, Desk]:
    from groundswell.desk import open_desk
    from groundswell.settings import current_settings

    settings = current_settings()
    return settings, open_desk(settings)


def _warn_of_secrets(found: dict[str, Any]) -> None:
    for secret in found["secrets"]:
        if not secret["set"]:
            messages.print(Text(f"not set here: {secret['variable']}"), style="yellow", soft_wrap=True)


@verbs.command("list")
def list_(json: Json = False) -> None:
    """All channels and how they do, those that fail first."""
    from groundswell.channels.manage import documents

    _, desk = _opened()
    with desk, desk.reading() as session:
        items = documents(session)
    if json:
        emit({"items": items})
        return
    if not items:
        output.print("No channels. `groundswell channels add NAME KIND` begins.")
        return
    table = Table("name", "kind", "state", "to", "alerts", "waiting", "dead", box=None, pad_edge=False)
    for each in items:
        wanted = "all" if each["trackers"] is None else ", ".join(one["name"] for one in each["trackers"])
        rare = "" if each["least_days"] is None else f", once in {each['least_days']:g} days"
        counts = (f"{each['waiting'] + each['held']:,}", f"{each['dead']:,}")
        table.add_row(
            Text(each["name"]), each["kind"], each["state"], Text(each["target"]), Text(wanted + rare), *counts
        )
    output.print(table)
    for each in items:
        if each["trouble"]:
            messages.print(Text(f"{each['name']}: {each['trouble']}"), style="yellow", soft_wrap=True)
        _warn_of_secrets(each)


@verbs.command("test")
def try_(name: Name, json: Json = False) -> None:
    """Send a test message now, with the secrets of this process, and say what came of it."""
    from groundswell.channels.manage import try_channel
    from groundswell.desk import channels

    settings, desk = _opened()
    with desk:
        with desk.reading() as session:
            row = channels.find(session, name)
        found = try_channel(row, settings)
        if found["ok"]:
            with desk.session() as session:
                channels.try_again(session, row.id)
    if json:
        emit(found)
    elif found["ok"]:
        messages.print(Text(f"{found['name']} has taken a test message ({found['seconds']:.1f} s)"), soft_wrap=True)
    else:
        messages.print(Text(f"{found['name']}: {found['error']}"), style="red", soft_wrap=True)
        if found["hint"]:
            messages.print(Text(f"  {found['hint']}"), soft_wrap=True)
    if not found["ok"]:
        raise typer.Exit(1)


@verbs.command()
def preview(
    name: Name,
    alert: Annotated[str | None, typer.Option("--alert", help="Id of an alert; without it an invented one.")] = None,
    json: Json = False,
) -> None:
    """Show what would be sent on a channel. Nothing is sent."""
    from groundswell.channels.manage import show_message
    from groundswell.desk import alerts, channels
    from groundswell.desk.tables import TrackerRow

    settings, desk = _opened()
    with desk, desk.reading() as session:
        row = channels.find(session, name)
        about = None if alert is None else alerts.get(session, alert)
        tracker = None if about is None else session.get_one(TrackerRow, about.tracker_id)
        found = show_message(row.kind, row.config, row.templates, settings, about, tracker)
    if json:
        emit(found)
    else:
        output.print(Text(found["text"]), soft_wrap=True)


@verbs.command()
def remove(name: Name, json: Json = False) -> None:
    """Send nothing on a channel any more; what waits for it is dropped."""
    from groundswell.channels.manage import document
    from groundswell.desk import channels

    _, desk = _opened()
    with desk, desk.session() as session:
        found = document(channels.remove(session, name), session)
    _say(found, f"{found['name']} is removed", json)


@verbs.command()
def pause(name: Name, json: Json = False) -> None:
    """Plan and send nothing on a channel for a while."""
    found = _pause(name, paused=True)
    _say(found, f"{found['name']} keeps still", json)


@verbs.command()
def resume(name: Name, json: Json = False) -> None:
    """Go on with a channel that was paused, or try one that fails at once."""
    found = _pause(name, paused=False)
    _say(found, f"{found['name']} goes on", json)


def _pause(name: str, *, paused: bool) -> dict[str, Any]:
    from groundswell.channels.manage import document
    from groundswell.desk import channels

    _, desk = _opened()
    with desk, desk.session() as session:
        return document(channels.pause(session, name, paused=paused), session)


def _say(found: dict[str, Any], text: str, as_json: bool) -> None:
    if as_json:
        emit(found)
    else:
        messages.print(Text(text), soft_wrap=True)


@verbs.command()
def outbox(
    channel: Annotated[str | None, typer.Option("--channel", help="Only this channel (name or id).")] = None,
    state: Annotated[str | None, typer.Option("--state", help="Only in this state: waiting, sent, dead …")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most this many.")] = 50,
    json: Json = False,
) -> None:
    """Messages to channels, newest first: what was sent, what waits and why."""
    from groundswell.channels.manage import outbox_document
    from groundswell.desk import channels
    from groundswell.desk import outbox as box
    from groundswell.errors import UnknownChoiceError

    if state is not None and state not in box.STATES:
        kind = "state of a message"
        raise UnknownChoiceError(kind, state, box.STATES)
    _, desk = _opened()
    with desk, desk.reading() as session:
        of = None if channel is None else channels.find(session, channel).id
        rows = box.listed(session, channel_id=of, state=state, limit=limit + 1)
        found = outbox_document(session, rows, limit)
    if json:
        emit(found)
        return
    if not found["items"]:
        output.print("No messages.")
        return
    table = Table("id", "at", "channel", "event", "state", "tries", "title", box=None, pad_edge=False)
    for each in found["items"]:
        title = each["title"] if not each["error"] else f"{each['title']} ({each['error']})"
        at = each["created_at"][:16].replace("T", " ")
        table.add_row(
            *(each["id"][:10], at, Text(each["channel_name"]), each["event"], each["state"]),
            *(str(each["attempts"]), Text(title)),
        )
    output.print(table)


@verbs.command()
def retry(
    message: Annotated[str, typer.Argument(help="Id of the message, or the beginning of it.")],
    json: Json = False,
) -> None:
    """Let a message that was given up or dropped be sent again, with the same id."""
    from groundswell.channels.manage import message_document
    from groundswell.desk import outbox as box
    from groundswell.desk.clock import wall_us
    from groundswell.desk.tables import ChannelRow

    _, desk = _opened()
    with desk, desk.session() as session:
        row = box.revive(session, message, now_us=wall_us())
        found = message_document(row, {row.channel_id: session.get_one(ChannelRow, row.channel_id).name})
    _say(found, f"message {row.id[:10]} waits to be sent", json)
