"""Sentiment140, which has no header: rating, id, date, query, author, text.

Its dates are of the west coast of the United States (`Mon Apr 06 22:19:45 PDT 2009`) and are read there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import handle, resolved
from groundswell.platforms.x.common import status_url, whole

if TYPE_CHECKING:
    import ibis.expr.types as ir

COLUMNS: Final = tuple(f"column_{number}" for number in range(1, 7))
_NAMED: Final = ("target", "ids", "date", "flag", "user", "text")

_DATE: Final = re.compile(r"[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d [\d:]{8} (PDT|PST|UTC) \d{4}")


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the columns are those of the set: named as in its description, or nameless and filled like it."""
    if set(_NAMED) <= record.keys():
        return True
    if set(COLUMNS) != record.keys():
        return False
    rating, date = record["column_1"], record["column_3"]
    return rating in ("0", "2", "4") and isinstance(date, str) and _DATE.fullmatch(date) is not None


def posts(raw: ir.Table) -> ir.Table:
    """One post for each row; `extra.rating` is 0 (negative), 2 or 4 (positive)."""
    rating, post_id, date, query, author, text = (
        ibis.coalesce(raw[name], raw[named]) for name, named in zip(COLUMNS, _NAMED, strict=True)
    )
    pacific = casts.moment("date", date.re_replace(" P[DS]T ", " "), "America/Los_Angeles").value
    in_utc = casts.moment("date", date.replace(" UTC ", " ")).value
    when = ibis.cases((date.contains(" UTC "), in_utc), else_=pacific)
    by = handle(author)
    return casts.mapped(
        raw,
        {
            "platform": ibis.literal("x"),
            "post_id": whole(post_id),
            "url": status_url(by, whole(post_id)),
            "author_name": by,
            "created_at": casts.Cell("date", date, when),
            "text": resolved(casts.text(text)),
        },
        extra={"rating": rating, "query": query.nullif("NO_QUERY")},
        required=["post_id", "text"],
        reject_unread={"created_at": "the date is not a plausible time"},
    )


SENTIMENT140: Final = Layout(
    platform="x",
    name="sentiment140",
    version=1,
    shape=Shape.ROW,
    raw=dict.fromkeys((*COLUMNS, *_NAMED), "string"),
    matches=matches,
    posts=posts,
    description="the Sentiment140 set: rating, id, date, query, author, text, with or without a header",
)
