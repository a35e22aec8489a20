"""`groundswell topics`: what people start to talk about, whether a tracker asks for it or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.table import Table
from rich.text import Text

from groundswell.cli.app import Json, app, emit, output

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Columns of a terminal that shows all columns of the table.
_WIDE: Final = 110


@app.command()
def topics(
    topic: Annotated[
        str | None, typer.Argument(help="Only this one, with its posts: its id, or the beginning of it.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", help="Not over before: a date, a time, or a span before now (2d, 6h)."),
    ] = None,
    platform: Annotated[str | None, typer.Option("--platform", help="Only those seen on this platform.")] = None,
    open_only: Annotated[bool, typer.Option("--open", help="Only those that are not over.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most this many.")] = 20,
    json: Json = False,
) -> None:
    """Emerging topics: hashtags and words that rise without a tracker for them, with what came with them.

    Open ones first, by rarity times reach, then those that are over. With `--json` every topic has its series, terms,
    example posts, authors, and a query for a tracker of it.
    """
    from groundswell.desk import open_desk
    from groundswell.desk import topics as desk_topics
    from groundswell.settings import current_settings

    settings = current_settings()
    since_us = None if since is None else _micros(since, settings.tz)
    with open_desk(settings) as desk, desk.reading() as session:
        if topic is not None:
            rows = [desk_topics.get(session, topic)]
        else:
            rows, _ = desk_topics.page(
                session,
                state="open" if open_only else "all",
                platform=platform,
                since_us=since_us,
                limit=limit,
            )
        names = desk_topics.tracker_names(session)
        items = [desk_topics.whole(row, names) for row in rows]
        still_open = desk_topics.open_count(session)
    if json:
        emit({"items": items, "open": still_open})
    elif topic is not None:
        _show(items[0])
    elif not items:
        output.print("No topics. `groundswell watch run` finds them, once it knows a few hours of the stream.")
    else:
        output.print(_table(items))


def _micros(since: str, tz: str) -> int:
    from datetime import UTC, datetime

    from groundswell.marts.period import parse_moment

    return round(parse_moment(since, now=datetime.now(UTC), tz=tz).timestamp() * 1e6)


def _table(items: Sequence[dict[str, Any]]) -> Table:
    """Topics as a table, one a row; a narrow terminal has no room for what they come with."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    is_wide = output.width >= _WIDE
    longest = max(len(item["label"]) for item in items)
    for name, width in (
        ("id", 8),
        ("topic", min(longest, 30 if is_wide else 18)),
        ("since", 16 if is_wide else 11),
        ("phase", 7),
    ):
        table.add_column(name, no_wrap=True, min_width=width)
    for name in ("authors", "usual", "once in", *(["posts"] if is_wide else [])):
        table.add_column(name, justify="right", no_wrap=True, min_width=9 if name == "once in" else len(name))
    for name in ["with", "seen by"] if is_wide else []:
        table.add_column(name, overflow="ellipsis", no_wrap=True)
    for item in items:
        others = [term["term"] for term in item["terms"] if term["term"] != item["label"]]
        company = (
            f"{item['posts']:,}",
            Text(", ".join(others[:4])),
            Text(", ".join(one["name"] for one in item["covered_by"]) or "-"),
        )
        table.add_row(
            item["id"][:8],
            Text(item["label"][:30]),
            _time(item["started_at"])[0 if is_wide else 5 :],
            item["phase"],
            f"{item['observed']:,}",
            "new" if item["is_new"] else f"{item['expected']:.1f}",
            _span(item["return_days"]),
            *(company if is_wide else ()),
        )
    return table


def _show(topic: dict[str, Any]) -> None:
    output.print(Text(topic["headline"], style="bold"))
    output.print(Text(topic["detail"]))
    output.print(f"\n{_time(topic['started_at'])} to {_time(topic['closed_at']) or 'now'}, {topic['phase']}")
    output.print(
        f"{topic['posts']:,} posts, {topic['authors']:,} authors an hour; something so rare is seen"
        f" once in {_span(topic['return_days'])}\n"
    )
    terms = Table("term", "authors", "usual", "since", box=None, pad_edge=False, header_style="bold")
    for term in topic["terms"]:
        usual = "new" if term["is_new"] else f"{term['expected']:.1f}"
        terms.add_row(Text(term["term"]), f"{term['observed']:,}", usual, _time(term["since"]))
    output.print(terms)
    posts = Table("\nposts", "\nby", "\nat", "\ncopies", box=None, pad_edge=False, header_style="bold")
    for post in topic["examples"]:
        text = " ".join((post["text"] or "").split())
        posts.add_row(Text(text[:100]), Text(post["author"] or ""), _time(post["created_at"]), f"{post['copies']:,}")
    output.print(posts)
    if topic["words"]:
        output.print(Text("\nwords: " + ", ".join(word["word"] for word in topic["words"])))
    platforms = ", ".join(f"{one['platform']} {100 * one['share']:.0f} %" for one in topic["platforms"])
    output.print(Text(f"platforms: {platforms}"))
    seen = ", ".join(f"{one['name']} ({100 * one['share']:.0f} %)" for one in topic["covered_by"])
    output.print(Text(f"seen by: {seen or 'no tracker'}"))
    output.print(Text(f"\nto watch it: groundswell watch add {_quoted(topic['label'])} {_quoted(topic['query'])}"))


def _quoted(text: str) -> str:
    """A word of a shell command.

    >>> _quoted("#novaleak"), _quoted("novaleak")
    ("'#novaleak'", 'novaleak')
    """
    import shlex

    return shlex.quote(text)


def _span(days: float) -> str:
    """A length of time as people say it.

    >>> _span(0.3), _span(12.4), _span(800)
    ('7 hours', '12 days', '2 years')
    """
    if days < 2:
        hours = max(1, round(24 * days))
        return f"{hours} hour" + ("" if hours == 1 else "s")
    return f"{days:.0f} days" if days < 730 else f"{days / 365:.0f} years"


def _time(value: str | None) -> str:
    return "" if value is None else value[:16].replace("T", " ")
