"""All observations of one post: how its counters grew, how far it was at 24 hours, and what they meant meanwhile."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.errors import NotFoundError, UsageError
from groundswell.marts.course import AGE_H, course_of, velocities
from groundswell.marts.export import documents
from groundswell.marts.latest import version_of
from groundswell.marts.parts import data_files, micros
from groundswell.marts.places import places_of
from groundswell.platforms.definitions import Definition, crossed
from groundswell.schema import COUNTERS, POSTS

if TYPE_CHECKING:
    from groundswell.lake import Lake

_HEAD: Final = ("platform", "post_id", "url", "author_id", "author_name", "created_at", "text", "kind")
_EACH: Final = (
    "observed_at",
    "imported_at",
    *COUNTERS,
    "followers",
    "following",
    "layout",
    "origin",
    "origin_offset",
    "ingest_seq",
)


@dataclass(frozen=True, slots=True)
class History:
    """One post and its observations (`observations`: `_EACH`, by time, those without one first)."""

    post: dict[str, Any]
    observations: pa.Table
    velocity: dict[str, list[float | None]]
    """For each counter, the growth per hour from the observation before."""

    at_24h: dict[str, float | None]
    why_not: dict[str, str]
    """For each counter without a value at 24 hours, why."""

    half_life_h: dict[str, float | None]
    definitions: tuple[Definition, ...]
    """Changes of what a counter means that the observations cross."""

    lake_version: int | None

    def document(self) -> dict[str, Any]:
        """As JSON-ready values, one object an observation."""
        items = list(documents(self.observations))
        for number, item in enumerate(items):
            item["velocity"] = {name: self.velocity[name][number] for name in COUNTERS}
        return {
            **self.post,
            "observations": items,
            "at_24h": self.at_24h,
            "why_not": self.why_not,
            "half_life_h": self.half_life_h,
            "definitions": [one.document() for one in self.definitions],
            "lake_version": self.lake_version,
        }


def history(lake: Lake, post: str, platform: str | None = None) -> History:
    """Everything that was seen of the post with this id (or URL, or `platform/id`).

    Raises:
        NotFoundError: no such post is stored.
        UsageError: several platforms have a post of this id.
    """
    given = post.strip()
    if platform is None and "://" not in given and given.count("/") == 1:
        platform, given = given.split("/")
    rows, version = _observations(lake, given, platform)
    found = pc.unique(rows["platform"]).to_pylist()
    if not found:
        what = "no such post in the lake"
        raise NotFoundError(what, where=post, hint="`groundswell posts QUERY --json` shows ids as `post_id`")
    if len(found) > 1:
        what = f"posts of several platforms have the id {post}"
        raise UsageError(what, hint=f"add --platform: {', '.join(sorted(found))}")
    return _history(_in_order(rows), version)


def id_in_address(url: str) -> str:
    """The id of a post as its address has it: `v` of the query, or the last part of the path.

    >>> id_in_address("https://www.youtube.com/watch?v=a-b&t=3"), id_in_address("https://x.example/@a/video/7/?lang=en")
    ('a-b', '7')
    """
    parts = urlsplit(url)
    named = parse_qs(parts.query).get("v")
    return named[0] if named else parts.path.rstrip("/").rsplit("/", 1)[-1]


def _observations(lake: Lake, post: str, platform: str | None) -> tuple[pa.Table, int]:
    files, version = data_files(lake, (platform,) if platform else ())
    identity = id_in_address(post) if "://" in post else post
    names = list(dict.fromkeys((*_HEAD, *_EACH)))
    schema = pa.schema([POSTS.field(name) for name in names])
    with ThreadPoolExecutor(os.cpu_count() or 1, "history") as pool:
        places = list(places_of(files, platform, [identity], pool))
    parts = [files[p.part.file].read(p.part.group, names).take(pa.array(p.rows)) for p in places]
    return pa.concat_tables([schema.empty_table(), *parts]), version


def _in_order(rows: pa.Table) -> pa.Table:
    """By time of observation, those without one first; then as they were stored."""
    keys = [("observed_at", "ascending", "at_start"), ("ingest_seq", "ascending", "at_start")]
    return rows.take(pc.sort_indices(rows, keys))


def _history(rows: pa.Table, version: int) -> History:
    last = rows.slice(rows.num_rows - 1)
    head = next(documents(last.select(_HEAD)))
    created: datetime | None = last["created_at"][0].as_py()
    seen = rows["observed_at"]
    timed = pc.is_valid(seen).to_numpy().astype(np.bool_)
    moments = pc.fill_null(seen.cast(pa.int64()), 0).to_numpy().astype(np.int64)
    velocity: dict[str, list[float | None]] = {}
    at_24h: dict[str, float | None] = {}
    why_not: dict[str, str] = {}
    half_life: dict[str, float | None] = {}
    for name in COUNTERS:
        values = rows[name].cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        growth = np.full(len(values), np.nan)
        growth[timed] = velocities(moments[timed], values[timed])
        velocity[name] = [None if np.isnan(one) else round(float(one), 3) for one in growth]
        course = course_of(moments[timed], values[timed], micros(created))
        at_24h[name] = _rounded(course.at(AGE_H))
        half_life[name] = _rounded(course.half_life())
        if at_24h[name] is None:
            unknown = bool(np.isnan(values).all())
            why_not[name] = "never known" if unknown else (course.why_not_at(AGE_H) or "not observed")
    moments_seen = [moment for moment in seen.to_pylist() if moment is not None]
    first = min(moments_seen) if moments_seen else None
    changes = crossed([head["platform"]], COUNTERS, first, max(moments_seen) if moments_seen else None)
    return History(head, rows.select(_EACH), velocity, at_24h, why_not, half_life, changes, version_of(version))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
