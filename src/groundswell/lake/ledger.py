"""Reading the ledger: what became of what was received."""

from __future__ import annotations

from typing import Any

from groundswell.lake.store import Lake

COUNTS = ("received", "stored", "known", "rejected", "ignored")


def quarters(lake: Lake, *, source: str | None = None) -> list[dict[str, Any]]:
    """Sums for each source, origin and quarter hour, newest first: quarter (UTC), source, origin and `COUNTS`."""
    rows = lake.read("ledger", where={"source": source})
    if not rows.num_rows:
        return []
    sums = rows.group_by(["quarter", "source", "origin"]).aggregate([(name, "sum") for name in COUNTS])
    sums = sums.sort_by([("quarter", "descending"), ("source", "ascending"), ("origin", "ascending")])
    named = sums.rename_columns({f"{name}_sum": name for name in COUNTS})
    found: list[dict[str, Any]] = named.select(["quarter", "source", "origin", *COUNTS]).to_pylist()
    return found
