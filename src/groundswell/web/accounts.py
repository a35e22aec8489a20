"""The ledger and the quarantine as the REST API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.dataset import dataset

from groundswell.bus import Journal
from groundswell.desk.clock import moment
from groundswell.lake import Lake
from groundswell.schema import TIMESTAMP
from groundswell.web.documents import micros_of
from groundswell.web.models import Connection, Ledger, LedgerRow, Quarantine, QuarantineRow

_COUNTS: Final = ("received", "stored", "known", "rejected", "ignored")
_SHOWN: Final = ("id", "at", "source", "origin", "row", "layout", "reason", "detail", "state")
#: Characters of a raw record that are shown.
_EXAMPLE: Final = 300


def read_ledger(lake: Lake, journal: Journal, source: str | None, since: datetime | None, limit: int) -> Ledger:
    """Sums by source and quarter hour, newest first, and the intervals in which sources were connected."""
    rows = lake.read("ledger", ["source", "quarter", *_COUNTS])
    if source is not None:
        rows = rows.filter(pc.equal(rows["source"], source))
    if since is not None:
        earliest = pa.scalar(micros_of(since), pa.int64()).cast(TIMESTAMP)
        rows = rows.filter(pc.greater_equal(rows["quarter"], earliest))
    sums = rows.group_by(["source", "quarter"]).aggregate([(name, "sum") for name in _COUNTS])
    newest = sums.sort_by([("quarter", "descending"), ("source", "ascending")]).slice(0, limit)
    items = [
        LedgerRow(source=row["source"], quarter=row["quarter"], **{name: row[f"{name}_sum"] for name in _COUNTS})
        for row in newest.to_pylist()
    ]
    connected = journal.connections(0 if since is None else micros_of(since))
    connections = [
        Connection(source=each.source, connected_from=moment(each.from_us), connected_to=moment(each.to_us))
        for each in connected
        if source is None or each.source == source
    ]
    return Ledger(items=items, connections=connections[-limit:])


def read_quarantine(lake: Lake, reason: str | None, limit: int) -> Quarantine:
    """Records set aside, newest first, and the number of those held per reason."""
    rows = lake.read("quarantine", _SHOWN)
    held = rows.filter(pc.equal(rows["state"], "held")).group_by("reason").aggregate([("reason", "count")])
    reasons = {row["reason"]: row["reason_count"] for row in held.sort_by([("reason_count", "descending")]).to_pylist()}
    if reason is not None:
        rows = rows.filter(pc.equal(rows["reason"], reason))
    newest = rows.sort_by([("at", "descending"), ("id", "ascending")]).slice(0, limit).to_pylist()
    examples = _examples(lake, [row["id"] for row in newest])
    items = [QuarantineRow(**row, example=examples.get(row["id"], "")) for row in newest]
    return Quarantine(items=items, reasons=reasons)


def _examples(lake: Lake, identities: Sequence[str]) -> dict[str, Any]:
    """The beginning of the raw bytes of these records, as text."""
    if not identities:
        return {}
    # Raw bytes may be large, so only those that are shown are read.
    files = lake.snapshot("quarantine").files
    shown = pc.field("id").isin(list(identities))
    raw = dataset([str(file) for file in files], format="parquet").to_table(columns=["id", "raw"], filter=shown)
    return {
        row["id"]: (row["raw"] or b"")[: 4 * _EXAMPLE].decode("utf-8", "replace")[:_EXAMPLE] for row in raw.to_pylist()
    }
