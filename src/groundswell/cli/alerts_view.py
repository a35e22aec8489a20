"""Alerts as people read them in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from groundswell.cli.app import output

#: A name in a table is shortened to this.
_NAME_WIDTH: Final = 30


def summary_table(items: Sequence[dict[str, Any]]) -> Table:
    """Alerts as a table, one a row."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("id", "started", "tracker", "phase"):
        table.add_column(name, no_wrap=True)
    for name in ("posts", "usual", "change"):
        table.add_column(name, justify="right", no_wrap=True)
    for item in items:
        table.add_row(
            item["id"][:10],
            _time(item["started_at"]),
            Text(_shortened(item["tracker_name"], _NAME_WIDTH) + _others(item)),
            _phase(item),
            f"{item['observed']:,}",
            f"{item['expected']:.1f}",
            _change(item),
        )
    return table


def _others(item: dict[str, Any]) -> str:
    """How many alerts tell the same story.

    >>> _others({"members": [{}]})
    ' +1'
    """
    return f" +{len(item['members'])}" if item["members"] else ""


def _phase(item: dict[str, Any]) -> str:
    """The phase, and what people said of it.

    >>> _phase({"phase": "peak", "verdict": None, "acknowledged_at": "2026-01-01T00:00:00Z"})
    'peak, seen'
    """
    said = item["verdict"] or ("seen" if item["acknowledged_at"] else None)
    return item["phase"] if said is None else f"{item['phase']}, {said}"


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


def show(alert: dict[str, Any]) -> None:
    """One alert with its card and its life (`web.alert_models.Alert`)."""
    evidence = alert["evidence"]
    output.print(Text(alert["headline"], style="bold"))
    if alert["detail"]:
        output.print(Text(alert["detail"]))
    output.print(Text(f"\n{alert['tracker_name']}: {alert['query']}"))
    output.print(f"{_time(alert['started_at'])} to {_time(alert['closed_at']) or 'now'}, {alert['phase']}")
    if evidence["window_s"]:
        output.print(
            f"strongest window {_time(evidence['window_start'])}: {_counted(evidence['observed'], 'post')}, usual"
            f" {evidence['expected']:.1f} ({evidence['lower']:.0f} to {evidence['upper']:.0f}),"
            f" once in {_days(evidence['return_days'])}"
        )
    for voice in evidence.get("voices") or ():
        if voice["window_s"]:
            output.print(Text(f"  {_voice(voice)}"))
    output.print(f"{_counted(evidence['posts_total'], 'post')} by {_counted(evidence['authors_total'], 'author')}\n")
    posts = Table("posts that drove it", "by", "at", "copies", box=None, pad_edge=False, header_style="bold")
    for post in evidence["posts"][:10]:
        text = " ".join((post["text"] or "").split())
        posts.add_row(Text(text[:100]), Text(post["author"] or ""), _time(post["created_at"]), f"{post['copies']:,}")
    output.print(posts)
    for title in ("authors", "hashtags", "sounds", "domains", "languages"):
        if evidence.get(title):
            found = ", ".join(f"{one['label']} ({one['posts']:,})" for one in evidence[title][:8])
            output.print(Text(f"{title}: {found}"))
    if evidence["words"]:
        output.print(Text("words: " + ", ".join(word["word"] for word in evidence["words"][:12])))
    for check in evidence["checks"]:
        note = f" ({check['note']})" if check["note"] else ""
        output.print(Text(f"  {check['label']}: {_with_unit(check['value'], check['unit'])}{note}"))

    _show_remains(evidence)
    _show_people(evidence)
    _show_life(alert)


def _show_remains(evidence: dict[str, Any]) -> None:
    if not evidence.get("remains"):
        return
    table = Table("strongest window", box=None, pad_edge=False, header_style="bold")
    for name in ("posts", "change", "once in"):
        table.add_column(name, justify="right")
    table.add_column("holds")
    for line in evidence["remains"]:
        days, holds = line["return_days"], line["holds"]
        table.add_row(
            line["label"],
            f"{line['observed']:,}",
            "" if line["ratio"] is None else f"{line['ratio']:,.1f} times",
            "" if days is None else _days(days),
            "" if holds is None else ("yes" if holds else "no"),
        )
    output.print()
    output.print(table)


def _show_people(evidence: dict[str, Any]) -> None:
    people = evidence.get("newcomers")
    if people is not None:
        past = "" if people["usual_posts"] else " (no earlier posts to compare with)"
        output.print(f"\nauthors: {people['new']:,} new, {people['known']:,} seen before{past}")
    for one in evidence.get("accounts") or ():
        if one["median"] is not None:
            of = f"of {one['known']:,} known, {one['unknown']:,} unknown"
            output.print(f"{one['label'].lower()}: half have at least {one['median']:,.0f} {one['unit']} ({of})")


def _show_life(alert: dict[str, Any]) -> None:
    for other in alert["members"]:
        output.print(Text(f"same posts: {other['tracker_name']}, {other['id'][:10]}"))
    for like in alert["similar"]:
        end = like["verdict"] or "no verdict"
        note = f", {like['verdict_note']}" if like["verdict_note"] else ""
        output.print(Text(f"like {_time(like['started_at'])} ({like['likeness']:.0%}): {end}{note}"))
    for event in alert["events"]:
        more = " ".join(part for part in (event["verdict"], _time(event["until"]), event["text"]) if part)
        output.print(Text(f"{_time(event['at'])} {event['who']}: {event['kind']} {more}".rstrip()))


def show_recomputed(document: dict[str, Any]) -> None:
    """Say whether the card that was made again is the frozen one."""
    output.print(Text(f"\nmade again: {document['state']}", style="bold"))
    output.print(Text(document["detail"]))
    for post in document["gone"][:10]:
        known = post["url"] or post["post_id"] or f"journal record {post['record']}"
        output.print(Text(f"  gone: {known}"))
    for line in document["differences"][:20]:
        output.print(Text(f"  {line['where']}: {line['frozen']} is now {line['now']}"[:200]))


def precision_table(document: dict[str, Any]) -> Table:
    """The report on verdicts as a table, one tracker a row."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("tracker", no_wrap=True, max_width=_NAME_WIDTH)
    for name in ("alerts", "real", "known", "false", "none", "not false", "95 %", "a day", "promised"):
        table.add_column(name, justify="right", no_wrap=True)
    lines = document["trackers"]
    for line in [*lines, document["all"]] if len(lines) > 1 else lines:
        verdicts = line["verdicts"]
        judged = line["precision"] is not None
        table.add_row(
            Text(_shortened(line["name"], _NAME_WIDTH)),
            f"{line['alerts']:,}",
            *(f"{verdicts[name]:,}" for name in ("real", "known", "false", "none")),
            f"{line['precision']:.0%} of {line['judged']}" if judged else "",
            f"{line['low']:.0%} to {line['high']:.0%}" if judged else "",
            "" if line["alerts_per_day"] is None else f"{line['alerts_per_day']:.3f}",
            f"{line['promised_per_day']:.3f}",
        )
    return table


def _voice(voice: dict[str, Any]) -> str:
    """What one signal says, in a line.

    >>> plain = {"window_s": 900, "observed": 40.0, "expected": 9.04, "return_days": 60.0}
    >>> _voice({**plain, "label": "distinct authors", "kind": "count"})
    'distinct authors in 15 min: 40, usual 9.0, once in 60 days'
    >>> _voice({**plain, "label": "share of the top author", "kind": "share", "observed": 0.6, "expected": 0.05})
    'share of the top author in 15 min: 60 %, usual 5 %, once in 60 days'
    """
    if voice["kind"] == "share":
        numbers = f"{100 * voice['observed']:.0f} %, usual {100 * voice['expected']:.0f} %"
    else:
        numbers = f"{voice['observed']:,.0f}, usual {voice['expected']:,.1f}"
    return f"{voice['label']} in {voice['window_s'] // 60} min: {numbers}, once in {_days(voice['return_days'])}"


def _days(days: float) -> str:
    """A return period as people read it.

    >>> _days(412.3), _days(0.01), _days(365_000.0)
    ('412 days', '14 minutes', 'over 1,000 years')
    """
    if days >= 365_000:
        return "over 1,000 years"
    if days >= 2:
        return f"{days:,.0f} days"
    return f"{days * 24:.0f} hours" if days >= 1 / 12 else f"{days * 1440:.0f} minutes"


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
