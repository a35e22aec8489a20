"""What rises: hashtags, sounds, musicians, challenges or creators, now against the comparable windows before.

The window of length W that ends at `until` is compared with up to `BEFORE` windows of the same length and the same
hours: the steps back are whole days (weeks, if the window is longer than that suggests), so that an evening is
compared with evenings. A post counts once, however often it was observed. Within a window an author is one *voice*,
however much they post; a post without a known author is a voice of its own. The rate of a key is its share of the
voices that use any key of that kind, so that a day on which everyone posts more, or more was collected, lets nothing
rise. `rising.py` says how sure a change of that rate is.

Order: by the lower end of the interval, which asks at once how much it rose and how sure that is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.errors import UsageError
from groundswell.marts.latest import newest_first, version_of
from groundswell.marts.observations import STAMP, author_identity, latest, post_identity
from groundswell.marts.parts import platform_of
from groundswell.marts.rising import rate_change
from groundswell.marts.wanted import Wanted
from groundswell.schema import POSTS, TIMESTAMP

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from groundswell.engines.contract import Engine
    from groundswell.lake import Lake

#: How many windows before are compared with, if the lake reaches that far.
BEFORE: Final = 7
#: Posts that a key needs in the last window to be considered.
LEAST_POSTS: Final = 3
_DAY: Final = timedelta(days=1)

TRENDS: Final = pa.schema(
    [
        pa.field("key", pa.string(), metadata={"meaning": "hashtag, musician, or id of the sound, challenge, creator"}),
        pa.field("label", pa.string(), metadata={"meaning": "what a person reads: title, name or handle"}),
        pa.field("platform", pa.string(), metadata={"meaning": "where its id belongs; null for what is not an id"}),
        pa.field("posts", pa.int64(), metadata={"meaning": "posts in the last window"}),
        pa.field("voices", pa.int64(), metadata={"meaning": "voices in the last window"}),
        pa.field("posts_before", pa.int64(), metadata={"meaning": "posts in all windows before"}),
        pa.field("voices_before", pa.int64(), metadata={"meaning": "voices in all windows before"}),
        pa.field("change", pa.float64(), metadata={"meaning": "rate now / rate before, median; null: nothing before"}),
        pa.field("lower", pa.float64(), metadata={"meaning": "2.5 % end of its interval"}),
        pa.field("upper", pa.float64(), metadata={"meaning": "97.5 % end of its interval"}),
        pa.field("sure", pa.float64(), metadata={"meaning": "probability that it rose", "unit": "fraction"}),
    ]
)


class By(StrEnum):
    """What may rise."""

    HASHTAG = "hashtag"
    SOUND = "sound"
    MUSICIAN = "musician"
    CHALLENGE = "challenge"
    CREATOR = "creator"


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of event time: after `start`, up to and with `end`."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Trends:
    """What rises (`TRENDS`, surest rise first) and what it was measured on."""

    rows: pa.Table
    windows: tuple[Window, ...]
    """The last window, then those before that hold posts, newest first."""

    posts: int
    """Posts with a key in the last window."""

    voices: int
    posts_before: int
    voices_before: int
    lake_version: int | None
    platforms: tuple[str, ...] = ()
    """Platforms whose posts were looked at."""


def comparable_windows(until: datetime, width: timedelta, before: int = BEFORE) -> tuple[Window, ...]:
    """The window that ends at `until` and `before` earlier ones at the same hours, newest first.

    >>> [w.end.day for w in comparable_windows(datetime(2026, 11, 20, tzinfo=UTC), timedelta(hours=6), 2)]
    [20, 19, 18]
    """
    step = _DAY * math.ceil(width / _DAY)
    try:
        return tuple(Window(until - k * step - width, until - k * step) for k in range(before + 1))
    except OverflowError:
        wrong = f"eight windows of {width} reach before the year 1"
        raise UsageError(wrong, hint="choose a shorter --window") from None


def key_counts(posts: ir.Table, by: By, windows: Sequence[Window], least: int = LEAST_POSTS) -> ir.Table:
    """Posts and voices of each key that has at least `least` posts in the first of `windows`.

    Columns: key, label, platform, posts, voices, posts_before, voices_before. `posts` may hold several
    observations of a post. Runs on every engine; order is not defined.
    """
    used = _KEYS[by](_in_windows(posts, windows))
    per_window = used.group_by("key", "platform", "window").aggregate(
        label=used["label"].max(), posts=used["post"].nunique(), voices=used["voice"].nunique()
    )
    last, earlier = per_window["window"] == 0, per_window["window"] > 0
    counts = per_window.group_by("key", "platform").aggregate(
        label=per_window["label"].max(),
        posts=per_window["posts"].sum(where=last).fill_null(0),
        voices=per_window["voices"].sum(where=last).fill_null(0),
        posts_before=per_window["posts"].sum(where=earlier).fill_null(0),
        voices_before=per_window["voices"].sum(where=earlier).fill_null(0),
    )
    return counts.filter(counts["posts"] >= least).select(TRENDS.names[:7])


def window_totals(posts: ir.Table, by: By, windows: Sequence[Window]) -> ir.Table:
    """Posts and voices that use any key, per window that has some: window (int64, 0 is the last), posts, voices."""
    used = _KEYS[by](_in_windows(posts, windows))
    return used.group_by("window").aggregate(posts=used["post"].nunique(), voices=used["voice"].nunique())


def newest_event(posts: ir.Table, now: datetime) -> ir.Table:
    """One row, one column `newest`: the latest creation time of a post that is not after `now`."""
    past = posts.filter(posts["created_at"] <= ibis.literal(now, STAMP))
    return past.aggregate(newest=past["created_at"].max())


def trends(
    engine: Engine,
    lake: Lake,
    by: By = By.HASHTAG,
    window: timedelta = _DAY,
    *,
    platforms: Sequence[str] = (),
    until: datetime | None = None,
    now: datetime | None = None,
    limit: int = 20,
) -> Trends:
    """What rises in the `window` up to `until` (default: the newest event in the lake that is not after `now`).

    Raises:
        UsageError: `limit` is below 1, or the windows reach before the year 1.
    """
    if limit < 1:
        wrong = f"limit {limit} is too small"
        raise UsageError(wrong, hint="ask for at least one row")
    end = until or _newest_in(engine, lake, platforms, now or datetime.now(UTC))
    if end is None:
        return Trends(TRENDS.empty_table(), (), 0, 0, 0, 0, version_of(lake.version("posts")))
    windows = comparable_windows(end, window)
    after_last = end + timedelta(microseconds=1)
    snapshot = lake.snapshot("posts", platforms=list(platforms) or None, since=windows[-1].start, until=after_last)
    posts = Wanted(platforms=platforms).of(engine.read_table(snapshot.files, POSTS))
    totals = engine.run(window_totals(posts, by, windows)).read_all()
    counts = engine.run(key_counts(posts, by, windows)).read_all()
    seen = {int(row["window"]): row for row in totals.to_pylist()}
    now_row = seen.get(0, {"posts": 0, "voices": 0})
    earlier = [seen[k] for k in seen if k > 0]
    voices_before = sum(int(row["voices"]) for row in earlier)
    return Trends(
        rows=score(counts, int(now_row["voices"]), voices_before, limit),
        windows=(windows[0], *(windows[k] for k in sorted(seen) if k > 0)),
        posts=int(now_row["posts"]),
        voices=int(now_row["voices"]),
        posts_before=sum(int(row["posts"]) for row in earlier),
        voices_before=voices_before,
        lake_version=version_of(snapshot.version),
        platforms=tuple(sorted({platform_of(file) for file in snapshot.files})),
    )


def score(counts: pa.Table, voices: int, voices_before: int, limit: int) -> pa.Table:
    """The `limit` keys of `counts` that rose most surely, as `TRENDS`; a pure function.

    Without a voice before, nothing is known about a change: it is null and the keys are ordered by voices.
    """
    empty = np.full(counts.num_rows, np.nan)
    columns = [empty, empty, empty, empty]
    if voices > 0 and voices_before > 0 and counts.num_rows:
        change = rate_change(counts["voices"].to_numpy(), counts["voices_before"].to_numpy(), voices, voices_before)
        columns = [change.ratio, change.lower, change.upper, change.sure]
    measures = [pa.array(values, pa.float64(), from_pandas=True) for values in columns]
    table = pa.Table.from_arrays([*(counts[name] for name in TRENDS.names[:7]), *measures], names=TRENDS.names)
    order = [("lower", "descending"), ("voices", "descending"), ("key", "ascending"), ("platform", "ascending")]
    return table.take(pc.sort_indices(table, order)).slice(0, limit).cast(TRENDS)


def _newest_in(engine: Engine, lake: Lake, platforms: Sequence[str], now: datetime) -> datetime | None:
    snapshot = lake.snapshot("posts", platforms=list(platforms) or None)
    for files in newest_first(snapshot.files):
        posts = Wanted(platforms=platforms).of(engine.read_table(files, POSTS))
        newest = engine.run(newest_event(posts, now)).read_all()["newest"].cast(TIMESTAMP)[0].as_py()
        if newest is not None:
            return newest if isinstance(newest, datetime) else None
    return None


def _in_windows(posts: ir.Table, windows: Sequence[Window]) -> ir.Table:
    """The latest observations of posts in `windows`, with the number of their window, their post and their voice."""
    created = posts["created_at"]
    inside = [(created > ibis.literal(w.start, STAMP)) & (created <= ibis.literal(w.end, STAMP)) for w in windows]
    number = ibis.cases(*((within, k) for k, within in enumerate(inside)), else_=None)
    chosen = latest(posts.filter(ibis.or_(*inside)).mutate(window=number.cast("int64")))
    post = chosen["platform"] + "\n" + post_identity(chosen)
    voice = (chosen["platform"] + "\n" + author_identity(chosen)).fill_null(post)
    return chosen.mutate(post=post, voice=voice)


def _by_hashtag(posts: ir.Table) -> ir.Table:
    tags = posts.select("window", "post", "voice", key=posts["hashtags"].unnest())
    return tags.mutate(label="#" + tags["key"], platform=ibis.null("string"))


def _by_sound(posts: ir.Table) -> ir.Table:
    known = posts.filter(posts["music_id"].notnull())
    title = known["music_title"].fill_null(known["music_id"])
    by = (ibis.literal(" · ") + known["music_author"]).fill_null("")
    return known.select("window", "post", "voice", "platform", key=known["music_id"], label=title + by)


def _by_musician(posts: ir.Table) -> ir.Table:
    known = posts.filter(posts["music_author"].notnull())
    name = known["music_author"]
    return known.select("window", "post", "voice", platform=ibis.null("string"), key=name.strip().lower(), label=name)


def _by_challenge(posts: ir.Table) -> ir.Table:
    opened = posts.select("window", "post", "voice", "platform", challenge=posts["challenges"].unnest())
    key = ibis.coalesce(opened["challenge"]["id"], opened["challenge"]["name"])
    named = opened.mutate(key=key, label=opened["challenge"]["name"].fill_null(key))
    return named.filter(named["key"].notnull()).drop("challenge")


def _by_creator(posts: ir.Table) -> ir.Table:
    """Each post of a creator is a voice here: what is asked is whether they post more."""
    known = posts.filter(author_identity(posts).notnull())
    key = author_identity(known)
    return known.select(
        "window", "post", "platform", voice=known["post"], key=key, label=known["author_name"].fill_null(key)
    )


_KEYS: Final[dict[By, Callable[[ir.Table], ir.Table]]] = {
    By.HASHTAG: _by_hashtag,
    By.SOUND: _by_sound,
    By.MUSICIAN: _by_musician,
    By.CHALLENGE: _by_challenge,
    By.CREATOR: _by_creator,
}
