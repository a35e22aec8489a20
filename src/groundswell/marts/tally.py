"""What one column holds, gathered batch by batch in bounded memory: missing values, frequent ones, their spread."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.marts.distribution import Distribution

#: Different values that are counted; beyond that the rare ones are forgotten, and `complete` is false.
MOST_VALUES: Final = 50_000
#: A value that is worth counting on comes this often among them.
_OFTEN: Final = 5
#: Numbers that are not whole are counted in millionths.
_PARTS: Final = 1_000_000
#: Quantiles that are shown.
QUANTILES: Final = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


@dataclass(slots=True)
class TopValues:
    """How often each value occurs. Without `complete` the counts are lower bounds.

    Values of which hardly one comes twice (ids, addresses) are not counted any further.
    """

    counts: dict[str, int] = field(default_factory=dict)
    complete: bool = True
    pointless: bool = False

    def add(self, values: pa.Array) -> None:
        """Count values; null is none."""
        if self.pointless:
            return
        for pair in pc.value_counts(values.drop_null()).to_pylist():
            name = str(pair["values"])
            self.counts[name] = self.counts.get(name, 0) + pair["counts"]
        if len(self.counts) > MOST_VALUES:
            self.complete = False
            kept = sorted(self.counts.items(), key=lambda one: -one[1])[: MOST_VALUES // 2]
            self.pointless = kept[0][1] < _OFTEN
            self.counts = {} if self.pointless else dict(kept)

    def top(self, most: int) -> list[tuple[str, int]]:
        """The most frequent values, then by name."""
        return sorted(self.counts.items(), key=lambda one: (-one[1], one[0]))[:most]


@dataclass(slots=True)
class Tally:
    """One column. Numbers have `numbers`; texts `values` and the distribution of their lengths; lists their items."""

    name: str
    type: pa.DataType
    rows: int = 0
    missing: int = 0
    negative: int = 0
    numbers: Distribution = field(default_factory=Distribution)
    values: TopValues = field(default_factory=TopValues)
    least: Any = None
    greatest: Any = None

    def __post_init__(self) -> None:
        if pa.types.is_floating(self.type):
            self.numbers.scale = _PARTS

    @property
    def kind(self) -> str:
        """`number`, `time`, `flag`, `text`, `list` or `map`."""
        if pa.types.is_timestamp(self.type):
            return "time"
        if pa.types.is_boolean(self.type):
            return "flag"
        if pa.types.is_map(self.type):
            return "map"
        if pa.types.is_list(self.type):
            return "list"
        return "text" if pa.types.is_string(self.type) else "number"

    def add(self, column: pa.Array) -> None:
        """Take in one batch of the column."""
        self.rows += len(column)
        self.missing += column.null_count
        held = column.drop_null()
        if len(held):
            _ADD[self.kind](self, held)

    def _numbers(self, held: pa.Array) -> None:
        values = held.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        self.negative += int((values < 0).sum())
        self.numbers.add(values[values >= 0])
        self._bounds(held)

    def _times(self, held: pa.Array) -> None:
        self.values.add(pc.strftime(held, "%Y-%m"))
        self._bounds(held)

    def _flags(self, held: pa.Array) -> None:
        self.values.add(held.cast(pa.string()))

    def _texts(self, held: pa.Array) -> None:
        self.numbers.add(pc.utf8_length(held).to_numpy(zero_copy_only=False))
        self.values.add(pc.utf8_slice_codeunits(held, 0, 200))

    def _lists(self, held: pa.Array) -> None:
        self.numbers.add(pc.list_value_length(held).to_numpy(zero_copy_only=False))
        items = pc.list_flatten(held)
        if pa.types.is_struct(items.type):
            items = pc.struct_field(items, "name")
        self.values.add(items)

    def _maps(self, held: pa.Array) -> None:
        self.numbers.add(np.diff(held.offsets.to_numpy(zero_copy_only=False)))
        self.values.add(held.keys)

    def _bounds(self, held: pa.Array) -> None:
        found = pc.min_max(held).as_py()
        self.least = found["min"] if self.least is None else min(self.least, found["min"])
        self.greatest = found["max"] if self.greatest is None else max(self.greatest, found["max"])

    def document(self, unit: str, top: int = 5) -> dict[str, Any]:
        """As JSON-ready values; null where a figure does not apply."""
        numeric = self.kind in {"number", "text", "list", "map"} and self.numbers.count
        found = self.numbers.quantiles(QUANTILES).tolist() if numeric else []
        # Of what has hardly a value twice (ids, addresses), the most frequent say nothing.
        telling = self.kind != "number" and self.values.counts
        return {
            "field": self.name,
            "type": self.kind,
            "unit": {"text": "characters", "list": "items", "map": "entries"}.get(self.kind, unit) or None,
            "rows": self.rows,
            "missing": self.missing,
            "missing_share": self.missing / self.rows if self.rows else None,
            "least": _plain(self.least),
            "greatest": _plain(self.greatest),
            "mean": self.numbers.mean if numeric else None,
            "quantiles": {f"p{round(q * 100):02d}": v for q, v in zip(QUANTILES, found, strict=True)} or None
            if numeric
            else None,
            "histogram": [{"low": a, "below": b, "count": n} for a, b, n in self.numbers.histogram()]
            if numeric
            else None,
            "distinct": len(self.values.counts) if telling and self.values.complete else None,
            "top": [{"value": v, "count": n} for v, n in self.values.top(top)] if telling else None,
            "top_complete": self.values.complete,
        }


_ADD: Final = {
    "number": Tally._numbers,
    "time": Tally._times,
    "flag": Tally._flags,
    "text": Tally._texts,
    "list": Tally._lists,
    "map": Tally._maps,
}


def _plain(value: Any) -> Any:
    return value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else value
