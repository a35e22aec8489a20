"""`groundswell alerts`: what the watch has found, what people did about it, and how often it was right."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from groundswell.cli.app import Json, app, emit, messages, output

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

verbs = typer.Typer(no_args_is_help=True, help="List alerts, show one with its card, and say what it was.")
app.add_typer(verbs, name="alerts")

Id = Annotated[str, typer.Argument(help="The alert's id, or the beginning of it.")]
By = Annotated[str | None, typer.Option("--by", help="Who says so; otherwise the name of the account.")]


@verbs.command("list")
def list_(
    tracker: Annotated[str | None, typer.Option("--tracker", help="Only of this tracker (name or id).")] = None,
    open_only: Annotated[bool, typer.Option("--open", help="Only those that are not over.")] = False,
    grouped: Annotated[bool, typer.Option("--grouped", help="One line for alerts with mostly the same posts.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most this many.")] = 50,
    json: Json = False,
) -> None:
    """Alerts, newest first."""
    from groundswell.cli.alerts_view import summary_table
    from groundswell.desk import alert_documents, alerts, open_desk, trackers
    from groundswell.settings import current_settings

    with open_desk(current_settings()) as desk, desk.reading() as session:
        of = None if tracker is None else trackers.find(session, tracker).id
        state: alerts.AlertState = "open" if open_only else "all"
        rows = alerts.page(session, state=state, tracker_id=of, grouped=grouped, limit=limit)
        items = alert_documents.summaries(session, rows, with_members=grouped)
        still_open = alerts.open_count(session)
    if json:
        emit({"items": items, "open": still_open})
    elif not items:
        output.print("No alerts. `groundswell watch run` finds them.")
    else:
        output.print(summary_table(items))


@verbs.command()
def show(
    alert: Id,
    again: Annotated[
        bool, typer.Option("--recompute", help="Make the card again from the lake, and say whether it is the same.")
    ] = False,
    json: Json = False,
) -> None:
    """One alert with its card: the counts, who and what drove it, what remains without them, and its life."""
    from groundswell.cli import alerts_view
    from groundswell.desk import alert_documents, alerts, open_desk
    from groundswell.settings import current_settings

    with open_desk(current_settings()) as desk, desk.reading() as session:
        document = alert_documents.whole(session, alerts.get(session, alert))
    document["recomputed"] = _recomputed(document["id"]) if again else None
    if json:
        emit(document)
        return
    alerts_view.show(document)
    if again:
        alerts_view.show_recomputed(document["recomputed"])


def _recomputed(alert: str) -> dict[str, Any]:
    from groundswell.desk import alert_cases, alerts, open_desk
    from groundswell.engines import open_engine
    from groundswell.lake import Lake
    from groundswell.settings import current_settings
    from groundswell.watch.recompute import recompute

    settings = current_settings()
    with open_desk(settings) as desk, desk.reading() as session:
        row, case = alerts.get(session, alert), alert_cases.get(session, alert)
    engine = open_engine(settings)
    try:
        return recompute(row, case, Lake.open(settings), engine)
    finally:
        engine.close()


@verbs.command()
def ack(
    alert: Id,
    undo: Annotated[bool, typer.Option("--undo", help="Nobody looks after it any more.")] = False,
    by: By = None,
    json: Json = False,
) -> None:
    """Acknowledge an alert: somebody looks after it."""
    from groundswell.desk import alert_life

    def do(session: Session) -> None:
        alert_life.acknowledge(session, alert, who=by or _account(), on=not undo)

    _done(alert, do, "nobody looks after it" if undo else "acknowledged", json=json)


@verbs.command()
def snooze(
    alert: Id,
    span: Annotated[str, typer.Option("--for", metavar="SPAN", help="For how long: 90m, 4h, 2d.")] = "4h",
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Until this time instead: 2026-11-01T12:30.")
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="It may speak again.")] = False,
    by: By = None,
    json: Json = False,
) -> None:
    """Let the alert's tracker be quiet: it watches on, but its channels are told nothing until then."""
    from datetime import timedelta

    from groundswell.desk import alert_life
    from groundswell.desk.clock import iso, moment, wall_us
    from groundswell.marts.period import parse_moment, parse_span
    from groundswell.settings import current_settings

    now = moment(wall_us())
    end = parse_moment(until, now=now, tz=current_settings().tz) if until else now + parse_span(span)
    until_us = None if off else (end - moment(0)) // timedelta(microseconds=1)

    def do(session: Session) -> None:
        alert_life.snooze(session, alert, until_us, who=by or _account())

    said = "its tracker may speak again" if until_us is None else f"its tracker is quiet until {iso(until_us)}"
    _done(alert, do, said, json=json)


@verbs.command()
def comment(
    alert: Id,
    text: Annotated[str, typer.Argument(help="What you want to say.")],
    by: By = None,
    json: Json = False,
) -> None:
    """Write something under an alert."""
    from groundswell.desk import alert_life

    _done(alert, lambda session: alert_life.comment(session, alert, text, who=by or _account()), "noted", json=json)


@verbs.command()
def verdict(
    alert: Id,
    what: Annotated[str, typer.Argument(help="real, false, known, or none to take it back.", metavar="VERDICT")],
    note: Annotated[str | None, typer.Option("--note", help="Why.")] = None,
    by: By = None,
    json: Json = False,
) -> None:
    """Say what the alert turned out to be: real, false, or a known event."""
    from groundswell.desk import alert_life, alerts
    from groundswell.errors import UnknownChoiceError

    if what not in (*alerts.VERDICTS, "none"):
        kind = "verdict"
        raise UnknownChoiceError(kind, what, (*alerts.VERDICTS, "none"))
    chosen = None if what == "none" else what

    def do(session: Session) -> None:
        alert_life.judge(session, alert, chosen, note=note, who=by or _account())

    _done(alert, do, "no verdict" if chosen is None else chosen, json=json)


@verbs.command()
def report(
    days: Annotated[float, typer.Option("--days", min=0.01, max=3660, help="How far back, by event time.")] = 90.0,
    tracker: Annotated[str | None, typer.Option("--tracker", help="Only this tracker (name or id).")] = None,
    json: Json = False,
) -> None:
    """How often alerts were worth it, by the verdicts given, and how many there were a day against the promise."""
    from groundswell.cli.alerts_view import precision_table
    from groundswell.desk import open_desk, precision, trackers
    from groundswell.desk.clock import wall_us
    from groundswell.settings import current_settings

    with open_desk(current_settings()) as desk, desk.reading() as session:
        of = None if tracker is None else trackers.find(session, tracker).id
        newest = precision.newest_us(session)
        until = wall_us() if newest is None else newest + 1
        document = precision.report(session, until - round(days * 86_400_000_000), until, of)
    if json:
        emit(document)
    elif not document["trackers"]:
        output.print("Nothing is watched.")
    else:
        output.print(precision_table(document))


def _done(alert: str, do: Callable[[Session], object], said: str, *, json: bool) -> None:
    """Do it, tell every page, and print the alert as it is then."""
    from groundswell.desk import alert_documents, alerts, changes, open_desk
    from groundswell.settings import current_settings

    with open_desk(current_settings()) as desk, desk.session() as session:
        row = alerts.get(session, alert)
        do(session)
        changes.append(session, "alert", row.id, alert_documents.summaries(session, [row])[0])
        document = alert_documents.whole(session, row)
    document["recomputed"] = None
    if json:
        emit(document)
    else:
        messages.print(f"{document['id'][:10]}: {said}", markup=False, highlight=False)


def _account() -> str | None:
    """The name of the account that runs this; null where it has none."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return None
