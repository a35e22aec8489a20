"""The card of an alert made again, from the lake and from what was kept with the alert; and whether it is the same.

Kept are: the posts by identity and record, the tracker's query and past, what the detector expected and its rows
before the strongest window. Read again are the posts, from whatever files of the lake hold them today: their row
numbers stay when files are joined. Counted, ranked and scored again is everything that the card says of posts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.desk.clock import moment
from groundswell.query import parse
from groundswell.schema import POSTS
from groundswell.watch.contract import Hashes, Ints
from groundswell.watch.evidence import COURSE, collect
from groundswell.watch.frozen import Frozen, thaw
from groundswell.watch.recent import kept_columns
from groundswell.watch.seen import identities

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from groundswell.desk.tables import AlertCaseRow, AlertRow
    from groundswell.engines.contract import Engine
    from groundswell.lake import Lake

#: Parts of the card that the posts say nothing of: what the watch saw, and the desk's earlier weeks.
NOT_OF_POSTS: Final = (*COURSE, "season")
#: Where a post was read from differs where it was in the lake already when it came.
_PLACE: Final = "origin"
#: Posts that are gone, and differences, that are listed.
LISTED: Final = 100
#: The origin of what came through the journal.
_JOURNAL: Final = "journal"
_LEFT_OUT: Final = ("metrics", "extra", "challenges", "media_urls")


@dataclass(frozen=True)
class _Found:
    """Rows of the lake for the posts of a case: one each, in the order of their identity."""

    posts: pa.Table
    at: Ints
    """Position of each row's post among those of the case."""
    more: int
    version: int


def recompute(alert: AlertRow, case: AlertCaseRow | None, lake: Lake, engine: Engine) -> dict[str, Any]:
    """Make the card again (`web.alert_models.Recomputed`). Reads the newest version of the lake.

    Raises:
        UnavailableError: the lake cannot be read.
        QuerySyntaxError: the tracker's query of that time does not parse any more.
    """
    frozen = None if case is None else thaw(case.data)
    if case is None or frozen is None:
        why = "this card was frozen by another version of Groundswell, without what it was made of"
        return _document(alert, "not possible", why)
    known, records = frozen.posts()
    found = _find(frozen, known, records, case.lake_seq, lake, engine)
    missing = len(known) - len(found.at)
    gone = _gone(alert, frozen, np.setdiff1d(np.arange(len(known)), found.at))
    numbers = pc.min_max(found.posts.column("ingest_seq"))
    facts: dict[str, Any] = {
        "lake_version": found.version if found.version >= 0 else None,
        "frozen_lake_version": case.lake_version,
        "span": [numbers["min"].as_py(), numbers["max"].as_py()] if len(found.at) else [],
        "posts_frozen": len(known),
        "posts_found": len(found.at),
        "more": found.more,
    }
    if missing and case.lake_version is None:
        why = f"{missing:,} of {len(known):,} posts are not in the lake yet; it follows the stream by up to a minute"
        return _document(alert, "not in the lake yet", why, **facts)
    evidence = json.loads(json.dumps(collect(frozen.case(kept_columns(found.posts), known[found.at]))))
    for name in NOT_OF_POSTS:
        evidence[name] = alert.evidence.get(name)
    differences = list(_differences(alert.evidence, evidence, ""))[:LISTED]
    made: dict[str, Any] = {**facts, "differences": differences, "evidence": evidence, "gone": gone}
    if missing:
        why = f"{missing:,} of {len(known):,} posts are not in the lake any more"
        return _document(alert, "posts gone", why, **made)
    if differences:
        why = f"all {len(known):,} posts are there, and {len(differences)} places of the card come out otherwise"
        return _document(alert, "different", why, **made)
    return _document(alert, "equal", f"the same card comes out of the same {len(known):,} posts", **made)


def _document(alert: AlertRow, state: str, detail: str, **more: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "lake_version": None,
        "frozen_lake_version": None,
        "span": [],
        "posts_frozen": 0,
        "posts_found": 0,
        "gone": [],
        "more": None,
        "differences": [],
        "evidence": None,
    }
    return {"alert": alert.id, "state": state, "detail": detail, **empty, **more}


def _find(frozen: Frozen, known: Hashes, records: Ints, lake_seq: int | None, lake: Lake, engine: Engine) -> _Found:
    """The rows that the card was made of; first by the time of the posts, then anywhere if some are missing."""
    rows, version = _rows(frozen, lake, engine, dated=True)
    chosen = _choose(rows, known, records, lake_seq)
    if (chosen < 0).any():
        everywhere, version = _rows(frozen, lake, engine, dated=False)
        if everywhere.num_rows > rows.num_rows:
            rows, chosen = everywhere, _choose(everywhere, known, records, lake_seq)
    at = np.flatnonzero(chosen >= 0)
    posts = rows.take(pa.array(chosen[at])).append_column("record", _records(records[at]))
    others = np.setdiff1d(identities(rows), known)
    return _Found(posts, at, len(others), version)


def _rows(frozen: Frozen, lake: Lake, engine: Engine, *, dated: bool) -> tuple[pa.Table, int]:
    """Observations that the query matches in the time of the episode: by `created_at`, or else by `observed_at`."""
    import ibis  # noqa: PLC0415 - a slow import that only queries need

    episode = frozen.episode
    since = moment(min(episode.started_us, episode.peak.start))
    until = moment(max(episode.end_us, episode.peak.start + episode.window_us) + 1)
    snapshot = lake.snapshot("posts", since=since if dated else None, until=until if dated else None)
    posts = engine.read_table(snapshot.files, POSTS)
    stamp = "timestamp('UTC', 6)"
    time: ir.TimestampColumn = posts.created_at if dated else ibis.coalesce(posts.observed_at, posts.imported_at)
    inside = (time >= ibis.literal(since, type=stamp)) & (time < ibis.literal(until, type=stamp))
    if not dated:
        # A post without a time counts when it is received, which may be a little later than the window's posts.
        inside = posts.created_at.isnull() | inside
    names = [name for name in POSTS.names if name not in _LEFT_OUT]
    wanted = posts.filter(parse(frozen.tracker.query).to_ibis(posts) & inside)
    table = engine.run(wanted.select(names)).read_all()
    whole = [table.column(f.name) if f.name in names else pa.nulls(len(table), f.type) for f in POSTS]
    return pa.Table.from_arrays(
        [_cast(column, f.type) for column, f in zip(whole, POSTS, strict=True)], schema=POSTS
    ), (snapshot.version)


def _cast(column: Any, kind: pa.DataType) -> Any:
    return column if column.type == kind else column.cast(kind)


def _choose(rows: pa.Table, known: Hashes, records: Ints, lake_seq: int | None) -> Ints:
    """For each post of the card the position of its row, -1 for none: that of its record, else the earliest one."""
    mine = identities(rows) if rows.num_rows else known[:0]
    candidates = np.flatnonzero(np.isin(mine, known))
    few = rows.take(pa.array(candidates)).select(["origin", "origin_offset", "ingest_seq"]).to_pylist()
    by_record: dict[tuple[int, int], int] = {}
    earliest: dict[int, tuple[bool, int, int]] = {}
    for at, row in zip(candidates.tolist(), few, strict=True):
        identity, number = int(mine[at]), row["ingest_seq"]
        if row["origin"] == _JOURNAL and row["origin_offset"] is not None:
            by_record[identity, row["origin_offset"]] = at
        # What was stored after the card is taken only where nothing else is left of the post.
        place = (lake_seq is not None and number > lake_seq, number, at)
        earliest[identity] = min(place, earliest.get(identity, place))
    chosen = [
        by_record.get((identity, record), earliest.get(identity, (False, 0, -1))[2])
        for identity, record in zip(known.tolist(), records.tolist(), strict=True)
    ]
    return np.array(chosen, dtype=np.int64)


def _records(records: Ints) -> pa.Array:
    return pa.array(records, pa.int64(), mask=records < 0)


def _gone(alert: AlertRow, frozen: Frozen, missing: Ints) -> list[dict[str, Any]]:
    """The posts that are not there; those that the card shows by name, the others by their record."""
    known, records = frozen.posts()
    shown = {
        int(identity): post
        for post in alert.evidence.get("posts", ())
        if post["post_id"] is not None
        for identity in identities(_named(post["platform"], post["post_id"]))
    }
    out = []
    for at in missing.tolist():
        post: Mapping[str, Any] = shown.get(int(known[at]), {})
        named = {name: post.get(name) for name in ("platform", "post_id", "url")}
        out.append({**named, "record": int(records[at]) if records[at] >= 0 else None})
    return sorted(out, key=lambda row: (row["post_id"] is None, row["record"] or 0))[:LISTED]


def _named(platform: str, post_id: str) -> pa.Table:
    key = pa.nulls(1, pa.binary())
    return pa.table({"platform": pa.array([platform]), "post_id": pa.array([post_id]), "key": key})


def _differences(frozen: Any, now: Any, where: str) -> Iterator[dict[str, Any]]:
    """Where two documents differ; what an older card did not have is no difference."""
    if isinstance(frozen, Mapping) and isinstance(now, Mapping):
        for name in frozen:
            if name != _PLACE:
                yield from _differences(frozen[name], now.get(name), f"{where}.{name}" if where else name)
    elif isinstance(frozen, list) and isinstance(now, list) and len(frozen) == len(now):
        for at, (left, right) in enumerate(zip(frozen, now, strict=True)):
            yield from _differences(left, right, f"{where}[{at}]")
    elif frozen != now:
        yield {"where": where, "frozen": frozen, "now": now}
