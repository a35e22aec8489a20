"""Earlier alerts of the same tracker that are like one, and how they ended."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from groundswell.desk.clock import iso
from groundswell.desk.documents import ratio
from groundswell.desk.tables import AlertRow

#: Earlier alerts that are looked at, the newest.
LOOKED_AT: Final = 60
SHOWN: Final = 5
#: Below this likeness two bursts have nothing in common.
LEAST: Final = 0.1
_MINUTE_US: Final = 60_000_000
#: What is compared, and with which sign it is shown.
_PARTS: Final = {"words": "{}", "hashtags": "#{}", "authors": "@{}", "domains": "{}", "sounds": "{}"}


def similar_alerts(session: Session, row: AlertRow) -> list[dict[str, Any]]:
    """The most similar earlier alerts of the tracker (`web.alert_models.SimilarAlert`), the most alike first.

    Likeness is the cosine between the shares of posts with each word, hashtag, author, link and sound of the two
    cards. A drop has no posts to compare: its like are the latest drops.
    """
    query = (
        select(AlertRow)
        .where(
            AlertRow.tracker_id == row.tracker_id,
            AlertRow.direction == row.direction,
            AlertRow.id != row.id,
            (AlertRow.started_at < row.started_at),
        )
        .order_by(AlertRow.started_at.desc(), AlertRow.id)
        .limit(LOOKED_AT)
    )
    mine = _features(row.evidence)
    ranked = []
    for other in session.scalars(query):
        theirs = _features(other.evidence)
        likeness = cosine(mine, theirs)
        if likeness >= LEAST or row.direction == "drop":
            ranked.append((-likeness, -other.started_at, other, _shared(mine, theirs)))
    ranked.sort(key=lambda each: each[:2])
    return [_document(other, -minus, shared) for minus, _, other, shared in ranked[:SHOWN]]


def _features(evidence: Mapping[str, Any]) -> dict[str, float]:
    total = max(float(evidence.get("posts_total") or 0), 1.0)
    return {
        label.format(one.get("key", one.get("word"))): min(float(one["posts"]) / total, 1.0)
        for part, label in _PARTS.items()
        for one in evidence.get(part) or ()
    }


def cosine(first: Mapping[str, float], second: Mapping[str, float]) -> float:
    """Cosine between two sparse vectors of numbers ≥ 0; 0 where one is empty.

    >>> cosine({"a": 1.0, "b": 1.0}, {"b": 2.0})
    0.7071
    """
    product = sum(weight * second[key] for key, weight in first.items() if key in second)
    if not product:
        return 0.0
    lengths = [math.sqrt(sum(weight**2 for weight in each.values())) for each in (first, second)]
    return round(product / (lengths[0] * lengths[1]), 4)


def _shared(first: Mapping[str, float], second: Mapping[str, float]) -> list[str]:
    both = [(-weight * second[key], key) for key, weight in first.items() if second.get(key, 0.0) * weight > 0]
    return [key for _, key in sorted(both)[:5]]


def _document(row: AlertRow, likeness: float, shared: list[str]) -> dict[str, Any]:
    over = row.closed_at is not None
    return {
        "id": row.id,
        "headline": row.headline.partition("\n")[0],
        "started_at": iso(row.started_at),
        "closed_at": iso(row.closed_at),
        "minutes": round((row.updated_at - row.started_at) / _MINUTE_US, 1) if over else None,
        "direction": row.direction,
        "signal": row.signal,
        "ratio": ratio(row),
        "return_days": row.return_days,
        "posts": row.posts,
        "verdict": row.verdict,
        "verdict_note": row.verdict_note,
        "likeness": likeness,
        "shared": shared,
    }
