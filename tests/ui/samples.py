"""Rows as the runner would write them: an alert with everything that a card can have, and an emerging topic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from groundswell.desk.tables import TrackerRow

SECOND: Final = 1_000_000
WINDOW_S: Final = 300
STEP: Final = WINDOW_S * SECOND


def iso(micros: int) -> str:
    """The moment as the API writes it."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)).isoformat().replace("+00:00", "Z")


def alert_row(
    of: TrackerRow, start: int, windows: Sequence[dict[str, Any]], posts: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """An alert that has just opened in the window from `start`."""
    numbers = {"observed": 126, "expected": 20.0, "lower": 11.0, "upper": 31.0, "p_value": 3e-9, "return_days": 140.0}
    return {
        **numbers,
        "id": f"a{of.id[:8]}{start}",
        "tracker_id": of.id,
        "tracker_version": 1,
        "signal": "posts",
        "window_s": WINDOW_S,
        "direction": "burst",
        "phase": "growing",
        "started_at": start,
        "opened_at": start + STEP,
        "updated_at": start + STEP,
        "closed_at": None,
        "posts": 126,
        "headline": f"“{of.name}” is mentioned 6.3 times as often as usual",
        "evidence": _evidence(numbers, start, windows, posts),
        "verdict": None,
        "created_wall": start + STEP,
    }


def _evidence(
    numbers: dict[str, Any], start: int, windows: Sequence[dict[str, Any]], posts: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    checks = [
        ("without_top_author", "Without the top author", 5.1, "ratio"),
        ("copies_once", "Copies counted once", 4.8, "ratio"),
        ("against_platform", "Against the whole stream", 5.7, "ratio"),
        ("authors_seen_before", "Authors seen before", 0.62, "fraction"),
        ("coverage", "Data complete", 1.0, "fraction"),
    ]
    remains = [
        ("all", "As counted", 126.0, 6.3, 140.0, True),
        ("without_top_author", "Without the top author", 102.0, 5.1, 96.0, True),
        ("copies_once", "Copies counted once", 96.0, 4.8, 71.0, True),
        ("both", "Both", 60.0, 3.0, 9.0, False),
    ]
    return {
        **numbers,
        "ratio": 6.3,
        "window_start": windows[-1]["start"],
        "window_s": WINDOW_S,
        "windows": list(windows),
        "posts": list(posts),
        "authors": [_driver("mila", "@dr.mila", 19, 0.18, 0.01)],
        "hashtags": [_driver("sideeffects", "#sideeffects", 47, 0.44, None)],
        "sounds": [],
        "domains": [_driver("agency.example", "agency.example", 31, 0.29, 0.02)],
        "languages": [_driver("en", "en", 88, 0.83, 0.71), _driver("de", "de", 12, 0.11, 0.2)],
        "copies": [{"key": "c1", "text": "my arm after dose two", "posts": 22, "authors": 21, "share": 0.21}],
        "known_posts": {"author": 126, "hashtags": 80, "sound": 0, "domains": 31, "lang": 100, "text": 126},
        "words": [{"word": "agency", "posts": 30, "log_odds": 2.1, "z": 5.5}],
        "checks": [
            {"name": name, "label": label, "value": value, "unit": unit, "note": None}
            for name, label, value, unit in checks
        ],
        "remains": [
            {"name": name, "label": label, "observed": seen, "ratio": ratio, "return_days": days, "holds": holds}
            for name, label, seen, ratio, days, holds in remains
        ],
        "newcomers": {"authors": 104, "known": 64, "new": 40, "usual_posts": 8100.0, "posts_of_new": 0.41},
        "accounts": [_ages(), _followers()],
        "coverage": {"windows": 61, "covered": 57, "learning": 0, "macro": 0, "gaps": [windows[0]["start"]]},
        "season": _season(start),
        "course": [{"at": iso(start + STEP), "phase": "growing"}],
        "authors_total": 104,
        "posts_total": 126,
        "expected_total": 20.0,
        "span": [10, 310],
        "parameters": {"window_us": STEP},
    }


def _driver(key: str, label: str, posts: int, share: float, usual: float | None) -> dict[str, Any]:
    return {"key": key, "label": label, "posts": posts, "share": share, "usual_share": usual}


def _bars(edges: Sequence[float | None], counts: Sequence[int]) -> list[dict[str, Any]]:
    pairs = zip(edges[:-1], edges[1:], counts, strict=True)
    return [{"low": low, "high": high, "count": count} for low, high, count in pairs]


def _ages() -> dict[str, Any]:
    bars = _bars([0, 30, 365, 1825, None], [9, 12, 40, 31])
    shown = {"label": "Age of the account", "unit": "days", "bars": bars}
    return {"name": "account_age", **shown, "known": 92, "unknown": 12, "median": 1204.0}


def _followers() -> dict[str, Any]:
    bars = _bars([0, 100, 1000, 10_000, 100_000, None], [21, 40, 28, 11, 4])
    shown = {"label": "Followers", "unit": "followers", "bars": bars}
    return {"name": "followers", **shown, "known": 104, "unknown": 0, "median": 480.0}


def _season(start: int) -> dict[str, Any]:
    day = 86_400 * SECOND
    weeks = []
    for week in range(5):
        counts: list[int | None] = [20 + (number * 7 + week * 5) % 9 for number in range(24)]
        if week == 3:
            counts[:12] = [None] * 12
        counts.append(126 if week == 0 else 22)
        weeks.append({"weeks_ago": week, "start": iso(start - 24 * STEP - 7 * week * day), "counts": counts})
    days = [
        {"days_ago": ago, "start": iso(start - ago * day), "count": None if ago == 3 else 18 + ago, "expected": 20.0}
        for ago in range(1, 8)
    ]
    return {"window_s": WINDOW_S, "weeks": weeks, "days": days}


def topic_row(label: str, start: int, *, rank: float = 5.0, trackers: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """A topic that rises since `start`."""
    term = {"term": label, "kind": "hashtag" if label.startswith("#") else "word", "observed": 58, "expected": 0.01}
    also = {**term, "term": f"{label}hack", "observed": 31}
    rest = {"ratio": None, "is_new": True, "return_days": 41.5, "since": iso(start)}
    spark = [0] * 16 + [1, 0, 2, 5, 14, 30, 44, 58]
    return {
        "id": sha256(f"{label} {start}".encode()).hexdigest()[:32],
        "label": label,
        "phase": "growing",
        "started_at": start,
        "opened_at": start + STEP,
        "updated_at": start + 2 * STEP,
        "closed_at": None,
        "window_s": WINDOW_S,
        "observed": 58,
        "expected": 0.01,
        "return_days": 41.5,
        "is_new": True,
        "rank": rank,
        "authors": 58,
        "posts": 74,
        "reach": 181_200,
        "query": label,
        "headline": f"{label} is new: 58 authors in 5 min",
        "detail": "with leak, photos",
        "body": {
            "terms": [{**term, **rest}, {**also, **rest}],
            "platforms": [{"platform": "tiktok", "posts": 60, "share": 0.81}],
            "spark": spark,
            "spark_s": 300,
            "windows": [
                {"start": iso(start - (20 - number) * STEP), "count": count, "expected": 0.01}
                for number, count in enumerate(spark)
            ],
            "words": [{"word": "photos", "posts": 30, "log_odds": 2.1, "z": 5.5}],
            "examples": [],
            "top_authors": [_driver("mila", "@dr.mila", 19, 0.18, None)],
            "parameters": {"window_us": STEP},
            "covered_by": list(trackers),
        },
    }
