"""Why an alert was raised, as one document that validates as `groundswell.web.models.Evidence`.

Deterministic: the same posts, windows and past give the same document.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pyarrow as pa

from groundswell.watch.contract import MINUTE, SeriesPoint, TrackerSpec, WatchParams
from groundswell.watch.copies import group_copies
from groundswell.watch.episodes import Episode
from groundswell.watch.profiles import Profile, words_of
from groundswell.watch.words import characteristic_words

DETECTOR_VERSION: Final = 1
#: Posts of an episode that are read for its drivers: a fair sample if there are more.
READ: Final = 1_500
SHOWN: Final = 8
#: Posts expected per window below which a ratio says nothing.
LEAST_EXPECTED: Final = 0.5
_TIMES: Final = "\u00d7"
SHOWN_POSTS: Final = 12
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """What an alert's evidence is made of."""

    tracker: TrackerSpec
    episode: Episode
    windows: Sequence[SeriesPoint]
    """The tracker's closed windows before and in the episode, oldest first."""
    posts: pa.Table
    """Kept posts of the episode (rows as `recent.KEPT`) in the order of their identity."""
    profile: Profile
    own_words: frozenset[str]
    params: WatchParams
    learned_windows: int


def rfc3339(at_us: int) -> str:
    """An instant as RFC 3339 in UTC.

    >>> rfc3339(1_500_000)
    '1970-01-01T00:00:01.500000Z'
    """
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat().replace("+00:00", "Z")


def _created(at_us: int | None) -> str | None:
    # A time that the calendar does not have (year 50000) is kept in the raw record and shown as unknown.
    try:
        return None if at_us is None else rfc3339(at_us)
    except OverflowError:
        return None


def window_document(point: SeriesPoint) -> dict[str, Any]:
    """A window as `web.models.Window` without what came late: as it was when it was scored."""
    return {
        "start": rfc3339(point.start),
        "count": point.count - point.late,
        "expected": point.expected,
        "lower": point.lower,
        "upper": point.upper,
        "return_days": point.return_days,
        "platform_ratio": point.platform_ratio,
        "state": point.state,
        "late": 0,
    }


class _Shares:
    """Turns counts in the posts that were read into shares of the episode's excess."""

    def __init__(self, case: Case, read: int) -> None:
        self.scale = case.episode.posts / read if read else 0.0
        self.expected = case.episode.expected
        self.excess = max(case.episode.posts - case.episode.expected, 1.0)
        self.past = case.profile.posts
        self.all = max(case.episode.posts, 1)
        self.burst = case.episode.direction == "burst"

    def of(self, count: int, usual: float | None) -> float:
        posts = count * self.scale
        if not self.burst:
            return round(min(posts / self.all, 1.0), 4)
        return round(min(max((posts - self.expected * (usual or 0.0)) / self.excess, 0.0), 1.0), 4)

    def usual(self, past: Mapping[str, float], key: str) -> float | None:
        return round(past.get(key, 0.0) / self.past, 4) if self.past else None

    def drivers(self, keys: Iterable[str], past: Mapping[str, float], label: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for key, count in Counter(keys).items():
            usual = self.usual(past, key)
            rows.append(
                {
                    "key": key,
                    "label": label.format(key),
                    "posts": round(count * self.scale),
                    "share": self.of(count, usual),
                    "usual_share": usual,
                }
            )
        return sorted(rows, key=lambda row: (-row["share"], -row["posts"], row["key"]))[:SHOWN]


def _post_documents(rows: list[dict[str, Any]], groups: list[list[int]], shares: _Shares) -> list[dict[str, Any]]:
    """One post a group of copies, the one of greatest reach; largest groups first, then greatest reach."""

    def rank(row: dict[str, Any]) -> tuple[int, int]:
        return (-(row["followers"] or row["views"] or 0), row["record"] or 0)

    best = sorted(
        ((len(group), min((rows[at] for at in group), key=rank)) for group in groups),
        key=lambda item: (-item[0], rank(item[1])),
    )
    return [
        {
            "platform": row["platform"] or "unknown",
            "post_id": row["post_id"],
            "url": row["url"],
            "author": row["author"],
            "followers": row["followers"],
            "created_at": _created(row["created_us"]),
            "text": row["text"][:500] if row["text"] else row["text"],
            "likes": row["likes"],
            "views": row["views"],
            "copies": max(1, round(copies * shares.scale)),
            "share": shares.of(copies, None),
            "origin": row["origin"],
        }
        for copies, row in best[:SHOWN_POSTS]
    ]


def _check(name: str, label: str, value: float | None, unit: str, note: str | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "label": label,
        "value": None if value is None else round(value, 3),
        "unit": unit,
        "note": note,
    }


def _checks(case: Case, rows: list[dict[str, Any]], groups: list[list[int]]) -> list[dict[str, Any]]:
    episode, read = case.episode, max(len(rows), 1)
    rare = episode.expected < LEAST_EXPECTED * episode.windows
    ratio = None if rare else episode.posts / episode.expected
    why = "usually almost none" if rare else None
    authors = Counter(row["author"] for row in rows if row["author"])
    top = authors.most_common(1)[0][1] if authors else 0
    known = [author for author in authors if author in case.profile.authors]
    covered = [point for point in case.windows if point.state != "gap"]

    def part(fraction: float) -> float | None:
        return None if ratio is None else ratio * fraction

    rise = max(episode.platform_rise, 1.0)
    past = case.profile.posts
    return [
        _check("without_top_author", "Without the top author", part(1 - top / read) if authors else None, "ratio", why),
        _check("copies_once", "Copies counted once", part(len(groups) / read) if rows else None, "ratio", why),
        _check("against_platform", f"Against everything else ({rise:.1f}{_TIMES})", part(1 / rise), "ratio", why),
        _check(
            "authors_seen_before",
            "Authors seen before",
            len(known) / len(authors) if authors and past else None,
            "fraction",
            None if past else "no earlier posts to compare with",
        ),
        _check("coverage", "Data complete", len(covered) / max(len(case.windows), 1), "fraction"),
        _check("history", "Learned from", float(case.learned_windows), "windows"),
    ]


def collect(case: Case) -> dict[str, Any]:
    """The evidence of an episode as it stands."""
    read = case.posts.slice(0, READ)
    rows = read.to_pylist()
    groups = group_copies([row["text"] for row in rows])
    shares = _Shares(case, len(rows))
    peak, episode, profile = case.episode.peak, case.episode, case.profile
    records = [row for row in case.posts.column("record").to_pylist() if row is not None]
    words: Counter[str] = Counter()
    for row in rows:
        words.update(words_of(row["tokens"]))
    authors = [row["author"] for row in rows if row["author"]]
    return {
        "observed": peak.count,
        "expected": peak.expected or 0.0,
        "lower": peak.lower or 0.0,
        "upper": peak.upper or 0.0,
        "ratio": ratio_of(peak),
        "p_value": episode.least_p,
        "return_days": episode.longest_return,
        "window_start": rfc3339(peak.start),
        "window_s": case.params.window_us // 1_000_000,
        "windows": [window_document(point) for point in case.windows],
        "posts": _post_documents(rows, groups, shares),
        "authors": shares.drivers(authors, profile.authors, "@{}"),
        "hashtags": shares.drivers((t for row in rows for t in set(row["hashtags"] or ())), profile.hashtags, "#{}"),
        "sounds": shares.drivers((row["sound"] for row in rows if row["sound"]), profile.sounds, "{}"),
        "words": characteristic_words(words, profile.words, profile.posts, case.own_words),
        "checks": _checks(case, rows, groups),
        "authors_total": len({author for author in case.posts.column("author").to_pylist() if author}),
        "posts_total": episode.posts,
        "span": [min(records), max(records)] if records else [],
        "parameters": {
            "detector": DETECTOR_VERSION,
            "promise_days": case.tracker.promise_days,
            "query": case.tracker.query,
            "version": case.tracker.version,
            "posts_kept": case.posts.num_rows,
            "posts_read": len(rows),
            "copies_share": round(len(groups[0]) / len(rows), 4) if rows and len(groups[0]) > 1 else 0.0,
            "span_s": (episode.last_unusual_us + case.params.window_us - episode.started_us) // 1_000_000,
            **case.params.document(),
        },
    }


def ratio_of(point: SeriesPoint) -> float | None:
    """Count over expectation; None where almost nothing was expected."""
    if point.expected is None or point.expected < LEAST_EXPECTED:
        return None
    return round(point.count / point.expected, 3)


def headline(name: str, episode: Episode, params: WatchParams) -> str:
    """What happened, in one sentence."""
    peak, ratio = episode.peak, ratio_of(episode.peak)
    length = _duration(params.window_us)
    if episode.direction == "drop":
        share = 100 * peak.count / (peak.expected or 1.0)
        return f"“{name}” is down to {share:.0f} % of what is usual"
    if ratio is None:
        posts = f"{peak.count:,} post" + ("" if peak.count == 1 else "s")
        return f"“{name}” is in {posts} in {length}; usually there are almost none"
    return f"“{name}” is mentioned {ratio:.1f} times as often as usual"


def detail(evidence: Mapping[str, Any]) -> str:
    """How much, for how long, by whom: the line below the headline, from the evidence alone."""
    parts = [
        f"{evidence['posts_total']:,} posts in {_duration(evidence['parameters']['span_s'] * 1_000_000)}",
        f"{evidence['authors_total']:,} author" + ("" if evidence["authors_total"] == 1 else "s"),
    ]
    copies = float(evidence["parameters"]["copies_share"])
    top = max(evidence["authors"], key=lambda row: row["posts"], default=None)
    top_share = top["posts"] / max(evidence["posts_total"], 1) if top else 0.0
    if copies >= 0.3:
        parts.append(f"{copies:.0%} copies of one text".replace("%", " %"))
    elif top is not None and top_share >= 0.2:
        parts.append(f"{top['label']} wrote {top_share:.0%}".replace("%", " %"))
    elif evidence["authors_total"]:
        parts.append("nobody dominates")
    return " · ".join(parts)


def _duration(length_us: int) -> str:
    minutes = length_us / MINUTE
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h".replace(".0 h", " h")
