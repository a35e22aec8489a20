"""`groundswell alerts`: what the watch has found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from groundswell.cli.app import Json, app, emit, output

if TYPE_CHECKING:
    from collections.abc import Sequence

verbs = typer.Typer(no_args_is_help=True, help="List alerts, and show one with its evidence.")
app.add_typer(verbs, name="alerts")


@verbs.command("list")
def list_(
    tracker: Annotated[str | None, typer.Option("--tracker", help="Only of this tracker (name or id).")] = None,
    open_only: Annotated[bool, typer.Option("--open", help="Only those that are not over.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most this many.")] = 50,
    json: Json = False,
) -> None:
    """Alerts, newest first."""
    from groundswell.desk import alerts, documents, open_desk, trackers
    from groundswell.settings import current_settings

    with open_desk(current_settings()) as desk, desk.reading() as session:
        of = None if tracker is None else trackers.find(session, tracker).id
        rows = alerts.listed(session, tracker_id=of, open_only=open_only, limit=limit)
        known = trackers.by_id(session)
        items = [documents.alert_summary(row, known[row.tracker_id]) for row in rows]
        still_open = alerts.open_count(session)
    if json:
        emit({"items": items, "open": still_open})
    elif not items:
        output.print("No alerts. `groundswell watch run` finds them.")
    else:
        output.print(summary_table(items))


@verbs.command()
def show(
    alert: Annotated[str, typer.Argument(help="The alert's id, or the beginning of it.")],
    json: Json = False,
) -> None:
    """One alert with its evidence: the counts, the posts and authors that drove it, the words that came with it."""
    from groundswell.desk import alerts, documents, open_desk
    from groundswell.desk.tables import TrackerRow
    from groundswell.settings import current_settings

    with open_desk(current_settings()) as desk, desk.reading() as session:
        row = alerts.get(session, alert)
        document = documents.alert(row, session.get_one(TrackerRow, row.tracker_id))
    if json:
        emit(document)
        return
    _show(document)


def summary_table(items: Sequence[dict[str, Any]]) -> Table:
    """Alerts as a table, one a row."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, side in (("id", "left"), ("started", "left"), ("tracker", "left"), ("phase", "left")):
        table.add_column(name, justify=side, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("posts", justify="right")
    table.add_column("usual", justify="right")
    table.add_column("what")
    for item in items:
        table.add_row(
            item["id"][:10],
            _time(item["started_at"]),
            Text(item["tracker_name"]),
            item["phase"],
            f"{item['observed']:,}",
            f"{item['expected']:.1f}",
            Text(item["headline"]),
        )
    return table


def _show(alert: dict[str, Any]) -> None:
    evidence = alert["evidence"]
    output.print(Text(alert["headline"], style="bold"))
    if alert["detail"]:
        output.print(Text(alert["detail"]))
    output.print(Text(f"\n{alert['tracker_name']}: {alert['query']}"))
    output.print(f"{_time(alert['started_at'])} to {_time(alert['closed_at']) or 'now'}, {alert['phase']}")
    output.print(
        f"strongest window {_time(evidence['window_start'])}: {evidence['observed']:,} posts, usual"
        f" {evidence['expected']:.1f} ({evidence['lower']:.0f} to {evidence['upper']:.0f}),"
        f" once in {evidence['return_days']:,.0f} days"
    )
    output.print(f"{evidence['posts_total']:,} posts by {evidence['authors_total']:,} authors\n")
    posts = Table("posts that drove it", "by", "at", "copies", box=None, pad_edge=False, header_style="bold")
    for post in evidence["posts"][:10]:
        text = " ".join((post["text"] or "").split())
        posts.add_row(Text(text[:100]), Text(post["author"] or ""), _time(post["created_at"]), f"{post['copies']:,}")
    output.print(posts)
    for title, key in (("authors", "authors"), ("hashtags", "hashtags"), ("sounds", "sounds")):
        if evidence[key]:
            found = ", ".join(f"{one['label']} ({one['posts']:,})" for one in evidence[key][:8])
            output.print(Text(f"{title}: {found}"))
    if evidence["words"]:
        output.print(Text("words: " + ", ".join(word["word"] for word in evidence["words"][:12])))
    for check in evidence["checks"]:
        value = "unknown" if check["value"] is None else f"{check['value']:.2f}"
        output.print(Text(f"  {check['label']}: {value}" + (f" ({check['note']})" if check["note"] else "")))


def _time(value: str | None) -> str:
    return "" if value is None else value[:16].replace("T", " ")
