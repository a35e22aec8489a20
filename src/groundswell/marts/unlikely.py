"""Values that can hardly be true: each check says what it looks for, how often it was found, and where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.schema import COUNTERS

Mask = npt.NDArray[np.bool_]

#: A clock may be wrong by this much.
TOLERANCE: Final = timedelta(minutes=5)
#: Before this no platform of today had posts.
FIRST_POSTS: Final = datetime(2004, 1, 1, tzinfo=UTC)
LONGEST_S: Final = 12 * 3600.0
_EXAMPLES: Final = 3


@dataclass(frozen=True, slots=True)
class Check:
    """One check: `found` gives true for the rows that are unlikely (null counts as false)."""

    name: str
    meaning: str
    fields: tuple[str, ...]
    found: Callable[[pa.Table], Any]


def _more(one: str, other: str) -> Callable[[pa.Table], Any]:
    return lambda rows: pc.greater(rows[one], rows[other])


def _negative(rows: pa.Table) -> Any:
    mask: Any = pa.scalar(False)
    for name in (*COUNTERS, "followers", "following"):
        mask = pc.or_kleene(mask, pc.less(rows[name], 0))
    return mask


CHECKS: Final = (
    Check(
        "future",
        "created more than five minutes after it was imported",
        ("created_at", "imported_at"),
        lambda rows: pc.greater(pc.subtract(rows["created_at"], rows["imported_at"]), pa.scalar(TOLERANCE)),
    ),
    Check(
        "ancient",
        "created before 2004, when no platform of today had posts",
        ("created_at",),
        lambda rows: pc.less(rows["created_at"], pa.scalar(FIRST_POSTS, rows["created_at"].type)),
    ),
    Check(
        "negative age",
        "observed before it was created",
        ("created_at", "observed_at"),
        lambda rows: pc.greater(pc.subtract(rows["created_at"], rows["observed_at"]), pa.scalar(TOLERANCE)),
    ),
    Check(
        "author younger than post",
        "the account was made after the post",
        ("author_created_at", "created_at"),
        lambda rows: pc.greater(pc.subtract(rows["author_created_at"], rows["created_at"]), pa.scalar(TOLERANCE)),
    ),
    *(
        Check(f"{name} > views", f"more {name} than views", (name, "views"), _more(name, "views"))
        for name in ("likes", "comments", "shares", "saves")
    ),
    Check("negative count", "a counter below zero", (*COUNTERS, "followers", "following"), _negative),
    Check(
        "no words",
        "a text that is empty or blank (a missing one is null)",
        ("text",),
        lambda rows: pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(rows["text"])), 0),
    ),
    Check(
        "duration",
        "a length of zero or less, or of more than twelve hours",
        ("duration_s",),
        lambda rows: pc.or_(pc.less_equal(rows["duration_s"], 0), pc.greater(rows["duration_s"], LONGEST_S)),
    ),
    Check(
        "address",
        "an address that is none of the web",
        ("url",),
        lambda rows: pc.invert(pc.match_substring_regex(rows["url"], "^https?://")),
    ),
)


@dataclass(slots=True)
class Unlikely:
    """What one check has found so far."""

    check: Check
    count: int = 0
    examples: list[dict[str, Any]] = field(default_factory=list)

    def add(self, rows: pa.Table) -> None:
        """Look through more rows."""
        mask = self.check.found(rows)
        if isinstance(mask, pa.Scalar):
            return
        found = np.flatnonzero(_truth(mask))
        self.count += len(found)
        for row in found[: max(_EXAMPLES - len(self.examples), 0)].tolist():
            names = ("platform", "post_id", "origin", "origin_offset", *self.check.fields)
            self.examples.append({name: _plain(rows[name][row].as_py()) for name in names})

    def document(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "check": self.check.name,
            "meaning": self.check.meaning,
            "fields": list(self.check.fields),
            "count": self.count,
            "examples": self.examples,
        }


def _truth(values: Any) -> Mask:
    flat = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    mask: Mask = pc.fill_null(flat, False).to_numpy(zero_copy_only=False).astype(np.bool_)
    return mask


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value[:200] if isinstance(value, str) else value
