"""Why an alert was raised, as one document that validates as `groundswell.web.models.Evidence`.

Deterministic: the same posts, windows and past give the same document, whatever the order of the posts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np
import pyarrow as pa

from groundswell.watch import accounts
from groundswell.watch.contract import Hashes, SeriesPoint, TrackerSpec, WatchParams
from groundswell.watch.copies import group_copies
from groundswell.watch.drivers import Row, Shares, known_posts, rank, shortened, top_author
from groundswell.watch.episodes import Episode, Voice
from groundswell.watch.headlines import LEAST_EXPECTED, detail, headline, ratio_of
from groundswell.watch.profiles import Past, Profile, words_of
from groundswell.watch.remains import remains
from groundswell.watch.signals import SIGNALS
from groundswell.watch.words import characteristic_words

__all__ = ["COURSE", "READ", "Case", "collect", "detail", "go_on", "headline", "ratio_of", "rfc3339", "window_document"]

#: Version of the card: what it says and how.
CARD_VERSION: Final = 2
#: Posts of an episode that are read for its drivers: a fair sample if there are more.
READ: Final = 1_500
_TIMES: Final = "\u00d7"
SHOWN_POSTS: Final = 12
#: Gaps that are named.
_GAPS: Final = 50
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _no_identities() -> Hashes:
    return np.zeros(0, dtype=np.uint64)


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
    identities: Hashes = field(default_factory=_no_identities)
    """Identity of each of the posts."""
    needed_days: float | None = None
    """Return period that opens an alert; null: the tracker's promise."""

    @cached_property
    def rows(self) -> list[Row]:
        """The posts that are read."""
        rows: list[Row] = self.posts.slice(0, READ).to_pylist()
        return rows

    @cached_property
    def past(self) -> Past:
        """What the profile knows of them."""
        return Past.of(self.profile, self.rows)


@lru_cache(maxsize=8192)
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


def window_document(point: SeriesPoint, start: str | None = None) -> dict[str, Any]:
    """A window as `web.models.Window` without what came late: as it was when it was scored.

    `start` is `rfc3339(point.start)`, where the caller has it already.
    """
    return {
        "start": rfc3339(point.start) if start is None else start,
        "count": point.count - point.late,
        "expected": point.expected,
        "lower": point.lower,
        "upper": point.upper,
        "return_days": point.return_days,
        "platform_ratio": point.platform_ratio,
        "state": point.state,
        "late": 0,
    }


def _post_documents(rows: list[Row], groups: list[list[int]], shares: Shares) -> list[Row]:
    """One post a group of copies, the one of greatest reach; largest groups first, then greatest reach."""
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
            "text": shortened(row["text"]),
            "likes": row["likes"],
            "views": row["views"],
            "copies": max(1, round(copies * shares.scale)),
            "share": shares.of(copies, 0.0 if shares.burst else None),
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


def _checks(case: Case, rows: list[Row], groups: list[list[int]], past: Past) -> list[Row]:
    episode, read = case.episode, max(len(rows), 1)
    rare = episode.expected < LEAST_EXPECTED * episode.windows
    ratio = None if rare else episode.posts / episode.expected
    why = "usually almost none" if rare else None
    loudest = top_author(rows)
    top = sum(row["author"] == loudest for row in rows) if loudest is not None else 0
    authors = {row["author"] for row in rows if row["author"]}
    known = [author for author in authors if author in past.authors]
    covered = [point for point in case.windows if point.state != "gap"]

    def part(fraction: float) -> float | None:
        return None if ratio is None else ratio * fraction

    rise = max(episode.platform_rise, 1.0)
    return [
        _check("without_top_author", "Without the top author", part(1 - top / read) if authors else None, "ratio", why),
        _check("copies_once", "Copies counted once", part(len(groups) / read) if rows else None, "ratio", why),
        _check("against_platform", f"Against everything else ({rise:.1f}{_TIMES})", part(1 / rise), "ratio", why),
        _check(
            "authors_seen_before",
            "Authors seen before",
            len(known) / len(authors) if authors and past.posts else None,
            "fraction",
            None if past.posts else "no earlier posts to compare with",
        ),
        _check("coverage", "Data complete", len(covered) / max(len(case.windows), 1), "fraction"),
        _check("history", "Learned from", float(case.learned_windows), "windows"),
    ]


def collect(case: Case) -> dict[str, Any]:
    """The evidence of an episode as it stands."""
    episode, peak = case.episode, case.episode.peak
    rows, past = case.rows, case.past
    groups = group_copies([row["text"] for row in rows])
    shares = Shares(episode.posts, episode.expected, episode.direction == "burst", past, len(rows))
    records = [row for row in case.posts.column("record").to_pylist() if row is not None]
    words: Counter[str] = Counter()
    for row in rows:
        words.update(words_of(row["tokens"]))
    return {
        "signal": episode.lead.signal,
        "voices": [_voice(voice) for voice in episode.voices],
        "observed": peak.count,
        "expected": peak.expected or 0.0,
        "lower": peak.lower or 0.0,
        "upper": peak.upper or 0.0,
        "ratio": ratio_of(peak),
        "p_value": episode.least_p,
        "return_days": episode.longest_return,
        "window_start": rfc3339(peak.start),
        "window_s": episode.window_us // 1_000_000,
        "posts": _post_documents(rows, groups, shares),
        **_drivers(rows, shares, past),
        "copies": shares.copies(rows, groups),
        "known_posts": known_posts(rows),
        "words": characteristic_words(words, past.words, past.posts, case.own_words, past_words=past.words_all),
        "checks": _checks(case, rows, groups, past),
        "remains": remains(episode, rows, groups, case.params, case.needed_days or case.tracker.promise_days),
        "newcomers": accounts.newcomers(rows, past),
        "accounts": accounts.profiles(rows),
        "authors_total": len({author for author in case.posts.column("author").to_pylist() if author}),
        "posts_total": episode.posts,
        "expected_total": round(episode.expected, 4),
        "span": [min(records), max(records)] if records else [],
        "parameters": {
            "card": CARD_VERSION,
            "promise_days": case.tracker.promise_days,
            "query": case.tracker.query,
            "version": case.tracker.version,
            "posts_kept": case.posts.num_rows,
            "posts_read": len(rows),
            "copies_share": round(len(groups[0]) / len(rows), 4) if rows and len(groups[0]) > 1 else 0.0,
            "span_s": (episode.end_us - episode.started_us) // 1_000_000,
            **case.params.document(),
        },
        **_course(case.windows, episode),
    }


def _voice(voice: Voice) -> Row:
    """What one signal says (`web.evidence_models.Voice`)."""
    signal = SIGNALS[voice.signal]
    return {
        "signal": voice.signal,
        "label": signal.label,
        "kind": signal.kind,
        "window_s": voice.window_us // 1_000_000,
        "window_start": rfc3339(voice.start),
        "direction": voice.direction,
        **{name: getattr(voice, name) for name in ("observed", "expected", "lower", "upper", "p_value", "return_days")},
        "rarity": round(voice.rarity, 3),
    }


def _drivers(rows: Sequence[Row], shares: Shares, past: Past) -> dict[str, list[Row]]:
    def single(name: str) -> list[str]:
        return [row[name] for row in rows if row[name]]

    def several(name: str) -> list[str]:
        return [key for row in rows for key in set(row[name] or ())]

    return {
        "authors": shares.drivers(single("author"), past.authors, "@{}"),
        "hashtags": shares.drivers(several("hashtags"), past.hashtags, "#{}"),
        "sounds": shares.drivers(single("sound"), past.sounds, "{}"),
        "domains": shares.drivers(several("domains"), past.domains, "{}"),
        "languages": shares.drivers(single("lang"), past.languages, "{}"),
    }


def go_on(evidence: Mapping[str, Any], windows: Sequence[SeriesPoint], episode: Episode) -> dict[str, Any]:
    """The evidence of an episode after a window that was not unusual: only its windows and its course are new."""
    return {**evidence, **_course(windows, episode)}


#: What `go_on` renews; it is what the watch saw, not what the posts say.
COURSE: Final = ("windows", "coverage", "course")


def _course(windows: Sequence[SeriesPoint], episode: Episode) -> dict[str, Any]:
    states = Counter(point.state for point in windows)
    gaps = [point.start for point in windows if point.state == "gap"]
    return {
        "windows": [window_document(point) for point in windows],
        "coverage": {
            "windows": len(windows),
            "covered": len(windows) - states["gap"],
            "learning": states["learning"],
            "macro": states["macro"],
            "gaps": [rfc3339(start) for start in gaps[-_GAPS:]],
        },
        "course": [{"at": rfc3339(at), "phase": phase} for at, phase in episode.course],
    }
