"""`groundswell alerts`: what the watch has found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.table import Table
from rich.text import Text

from groundswell.cli.app import Json, app, emit, output

if TYPE_CHECKING:
    from collections.abc import Sequence

#: A name in a table is shortened to this.
_NAME_WIDTH: Final = 30

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
    from groundswell.desk import alert_documents, alerts, open_desk
    from groundswell.settings import current_settings

    with open_desk(current_settings()) as desk, desk.reading() as session:
        document = alert_documents.whole(session, alerts.get(session, alert))
    if json:
        emit(document)
        return
    _show(document)


def summary_table(items: Sequence[dict[str, Any]]) -> Table:
    """Alerts as a table, one a row."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, side in (("id", "left"), ("started", "left"), ("tracker", "left"), ("phase", "left")):
        table.add_column(name, justify=side, no_wrap=True)  # type: ignore[arg-type]
    for name in ("posts", "usual", "change"):
        table.add_column(name, justify="right", no_wrap=True)
    for item in items:
        table.add_row(
            item["id"][:10],
            _time(item["started_at"]),
            Text(_shortened(item["tracker_name"], _NAME_WIDTH)),
            item["phase"],
            f"{item['observed']:,}",
            f"{item['expected']:.1f}",
            _change(item),
        )
    return table


def _change(item: dict[str, Any]) -> str:
    """How far the strongest window is from what is usual, in a few letters.

    >>> _change({"direction": "burst", "ratio": 4.51}), _change({"direction": "drop", "ratio": 0.12})
    ('4.5 times', 'down to 12 %')
    """
    ratio = item["ratio"]
    if ratio is None:
        return "usually none"
    return f"down to {100 * ratio:.0f} %" if item["direction"] == "drop" else f"{ratio:,.1f} times"


def _shortened(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _show(alert: dict[str, Any]) -> None:
    evidence = alert["evidence"]
    output.print(Text(alert["headline"], style="bold"))
    if alert["detail"]:
        output.print(Text(alert["detail"]))
    output.print(Text(f"\n{alert['tracker_name']}: {alert['query']}"))
    output.print(f"{_time(alert['started_at'])} to {_time(alert['closed_at']) or 'now'}, {alert['phase']}")
    output.print(
        f"strongest window {_time(evidence['window_start'])}: {_counted(evidence['observed'], 'post')}, usual"
        f" {evidence['expected']:.1f} ({evidence['lower']:.0f} to {evidence['upper']:.0f}),"
        f" once in {evidence['return_days']:,.0f} days"
    )
    output.print(f"{_counted(evidence['posts_total'], 'post')} by {_counted(evidence['authors_total'], 'author')}\n")
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
        note = f" ({check['note']})" if check["note"] else ""
        output.print(Text(f"  {check['label']}: {_with_unit(check['value'], check['unit'])}{note}"))


def _counted(number: int, what: str) -> str:
    """A number of things.

    >>> _counted(1, "author"), _counted(1200, "post")
    ('1 author', '1,200 posts')
    """
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _with_unit(value: float | None, unit: str) -> str:
    """The value of a check as people read it.

    >>> _with_unit(3.204, "ratio"), _with_unit(0.85, "fraction"), _with_unit(1440.0, "windows")
    ('3.2 times as usual', '85 %', '1,440 windows')
    """
    if value is None:
        return "unknown"
    if unit == "ratio":
        return f"{value:,.1f} times as usual"
    return f"{100 * value:.0f} %" if unit == "fraction" else f"{value:,.0f} {unit}"


def _time(value: str | None) -> str:
    return "" if value is None else value[:16].replace("T", " ")
