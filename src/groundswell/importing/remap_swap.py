"""Exchanging the rows of one table: new ones come in for old ones of the same record, in one commit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.importing.fill import FillCounting
from groundswell.importing.known import KeySet, keys_of, take_rows
from groundswell.importing.remap_diff import ID_OF, TableChange
from groundswell.importing.remap_plan import Content, Meant, light_rows
from groundswell.lake import Appender, Lake
from groundswell.lake.failures import told
from groundswell.lake.rewriting import removals, with_partitions
from groundswell.lake.tables import table_layout
from groundswell.stores import Place, parquet

if TYPE_CHECKING:
    from groundswell.engines.contract import Engine

#: Content up to this size has its old rows in memory; those of a larger one are sorted by the engine, on disk.
SMALL: Final = 256 << 20
_ROWS: Final = 65_536

Mask = npt.NDArray[np.bool_]


class TableSwap:
    """The exchange in one table for one group of contents; without `counting` (of fields) nothing is written.

    Feed it, content by content: `begin`, `take` for each chunk of new rows, `end`. Then `commit`.
    """

    def __init__(
        self,
        lake: Lake,
        table: str,
        meant: Meant,
        contents: Sequence[Content],
        engine: Engine,
        counting: FillCounting | None,
    ) -> None:
        self.change = TableChange(table)
        self._lake = lake
        self._layout = table_layout(table)
        self._meant = meant
        self._engine = engine
        self._counting = counting
        self._appender: Appender | None = None
        self._gone: list[npt.NDArray[np.int64]] = []
        self._files = {
            file for file, rows in light_rows(lake, table) if any(content.holds(rows).any() for content in contents)
        }
        self._keys = KeySet(keys_of(lake, table, {file.name for file in self._files}), lake.beside)
        small = [content for content in contents if content.size <= SMALL]
        self._small = self._rows_of(small) if small else self._layout.schema.empty_table()
        self._remember_others(contents)
        self._content: Content | None = None
        self._held = _Held(table, self._layout.schema)
        self._coming: Iterator[pa.Table] = iter(())

    def begin(self, content: Content) -> None:
        """New rows of this content follow."""
        self._content = content
        if content.size <= SMALL:
            rows = take_rows(self._small, content.holds(self._small)).sort_by("origin_offset")
            self._coming = iter([rows])
        else:
            self._coming = self._sorted(content)
        self._held = _Held(self._layout.name, self._layout.schema)

    def take(self, rows: pa.Table) -> npt.NDArray[np.int64]:
        """New rows (all columns but the number) in place of the old ones of the same records.

        Returns:
            The places (origin_offset) of rows that could be read where no row was; those that are not known came in.
        """
        offsets = rows["origin_offset"].to_numpy()
        self._held.load(self._coming, int(offsets.max()))
        match = self._held.match(offsets, rows[ID_OF[self.change.table]])
        meant = self._held.meant(match, self._meant)
        old = match >= 0
        self._exchange(rows, match, old & meant)
        alone = take_rows(rows, ~old & self._mine(rows))
        if not alone.num_rows:
            return np.empty(0, np.int64)
        new = self._keys.admit(alone)
        self.change.added += int(new.sum())
        self._append(take_rows(alone, new))
        return np.asarray(alone["origin_offset"].to_numpy())

    def end(self, rejected: Sequence[int], produced: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """No more rows of this content come. `rejected` and `produced` are places of what else became of records.

        Returns:
            The places of old rows whose records are rejected now; they are gone.
        """
        self._held.load(self._coming, None)
        left = self._held.unmatched(self._meant)
        offsets = left["origin_offset"].to_numpy()
        refused = np.isin(offsets, np.asarray(rejected, np.int64))
        dropped = ~refused & np.isin(offsets, produced)
        self.change.rejected += int(refused.sum())
        self.change.dropped += int(dropped.sum())
        self.change.left += int((~refused & ~dropped).sum())
        self._gone.append(left["ingest_seq"].to_numpy()[refused | dropped])
        return np.asarray(offsets[refused])

    @property
    def changes(self) -> bool:
        """Whether there is something to commit."""
        return self._counting is not None and (self._appender is not None or any(len(part) for part in self._gone))

    def commit(self, txn: tuple[str, int]) -> None:
        """Exchange the rows, in one commit.

        Raises:
            UnavailableError: the disk is full or cannot be written; the table is as it was.
        """
        gone = np.concatenate(self._gone) if self._gone else np.empty(0, np.int64)
        with self._appender or self._lake.appender(self._layout.name) as appender:
            rewritten = [file for file in sorted(self._files) if self._copy(file, gone, appender)]
            table = self._lake.delta(self._layout.name)
            assert table is not None  # noqa: S101 - the appender is of it
            appender.remove(removals(table, self._lake.path(self._layout.name), rewritten))
            appender.commit(txn=txn, metadata={"remap": str(len(gone))})

    def abort(self) -> None:
        """Leave the table as it is."""
        if self._appender is not None:
            self._appender.abort()

    def _exchange(self, rows: pa.Table, match: npt.NDArray[np.int64], meant: Mask) -> None:
        new = take_rows(rows, meant)
        if not new.num_rows:
            return
        old = self._held.rows.take(pa.array(match[meant]))
        stays = self._keys.admit(new)
        self.change.known += int((~stays).sum())
        self._gone.append(old["ingest_seq"].to_numpy())
        new, old = take_rows(new, stays), take_rows(old, stays)
        if new.num_rows:
            self.change.compare(old, new)
            for name in ("imported_at", "ingest_seq"):
                new = _with(new, name, old[name])
            self._append(new)

    def _append(self, rows: pa.Table) -> None:
        if self._counting is None or not rows.num_rows:
            return
        if self._appender is None:
            self._appender = self._lake.appender(self._layout.name)
        self._appender.write(rows)
        self._counting.mixed(self._layout.name, rows, np.ones(rows.num_rows, np.bool_))

    def _mine(self, rows: pa.Table) -> Mask:
        """Rows of layouts that are meant: a named one does not bring in what others read."""
        names = rows["layout"].to_pylist()
        return np.fromiter((name in self._meant.layouts for name in names), np.bool_, len(names))

    def _copy(self, file: Place, gone: npt.NDArray[np.int64], appender: Appender) -> bool:
        """Write what stays of a file anew; false if all of it does, so that it can stay as it is."""
        with told(f"read the table `{self._layout.name}`", file):
            opened = parquet(file)
            numbers = opened.read(columns=["ingest_seq"])["ingest_seq"].to_numpy()
            if not np.isin(numbers, gone).any():
                return False
            for batch in opened.iter_batches(_ROWS):
                rows = self._whole(pa.Table.from_batches([batch]), file)
                appender.write(take_rows(rows, ~np.isin(rows["ingest_seq"].to_numpy(), gone)))
        return True

    def _whole(self, rows: pa.Table, file: Place) -> pa.Table:
        stored = self._layout.stored
        picked = rows.select(stored.names).cast(stored)
        return with_partitions(picked, file, self._layout.schema, self._layout.partition_by)

    def _rows_of(self, contents: Sequence[Content]) -> pa.Table:
        """The rows of some contents, in memory."""
        origins = pa.array(sorted({content.origin for content in contents}), pa.string())
        parts = [self._layout.schema.empty_table()]
        for file in sorted(self._files):
            with told(f"read the table `{self._layout.name}`", file):
                for batch in parquet(file).iter_batches(_ROWS):
                    rows = pa.Table.from_batches([batch])
                    parts.append(self._whole(rows.filter(pc.is_in(rows["origin"], value_set=origins)), file))
        return pa.concat_tables(parts)

    def _sorted(self, content: Content) -> Iterator[pa.Table]:
        """The rows of a large content by their place, sorted by the engine."""
        if not self._files:
            return
        table = self._engine.read_table(sorted(self._files), self._layout.schema)
        expression = table.filter(table.origin == content.origin, table.source == content.source)
        for batch in self._engine.run(expression.order_by("origin_offset", "ingest_seq")):
            rows = pa.Table.from_batches([batch]).cast(self._layout.schema)
            yield take_rows(rows, content.holds(rows))

    def _remember_others(self, contents: Sequence[Content]) -> None:
        """Know the keys of what stays in the files that may be rewritten: all but the rows that are meant."""
        names = ["platform", "month", "key"]
        for file in sorted(self._files):
            with told(f"read the table `{self._layout.name}`", file):
                for batch in parquet(file).iter_batches(
                    _ROWS, columns=["source", "origin", "imported_at", "layout", "layout_version", "key"]
                ):
                    rows = pa.Table.from_batches([batch])
                    meant = self._meant.rows(rows)
                    if meant.any():
                        meant &= np.logical_or.reduce([content.holds(rows) for content in contents])
                    others = take_rows(rows, ~meant)
                    if others.num_rows:
                        keys = others.select(["key"])
                        schema = pa.schema([self._layout.schema.field(name) for name in (*names[:2], "key")])
                        self._keys.admit(with_partitions(keys, file, schema, names[:2]))


def _with(rows: pa.Table, name: str, column: pa.ChunkedArray) -> pa.Table:
    at = rows.schema.get_field_index(name)
    return rows.append_column(name, column) if at < 0 else rows.set_column(at, rows.schema.field(at), column)


class _Held:
    """Old rows of a content in the order of their places, as far as they were needed, and which were matched."""

    def __init__(self, table: str, schema: pa.Schema) -> None:
        self.rows = schema.empty_table()
        self._id = ID_OF[table]
        self._offsets = np.empty(0, np.int64)
        self._used = np.empty(0, np.bool_)
        self._ended = False

    def load(self, coming: Iterator[pa.Table], upto: int | None) -> None:
        """Have all rows at places up to `upto` (null: all)."""
        more: list[pa.Table] = []
        last = int(self._offsets[-1]) if len(self._offsets) else -1
        while not self._ended and (upto is None or last <= upto):
            part = next(coming, None)
            if part is None:
                self._ended = True
            elif part.num_rows:
                more.append(part)
                last = int(part["origin_offset"][-1].as_py())
        if not more:
            return
        # Rows that were matched are not needed again.
        keep = ~self._used
        self.rows = pa.concat_tables([take_rows(self.rows, keep), *more]).combine_chunks()
        self._offsets = self.rows["origin_offset"].to_numpy()
        self._used = np.zeros(len(self._offsets), np.bool_)

    def match(self, offsets: npt.NDArray[np.int64], ids: pa.ChunkedArray) -> npt.NDArray[np.int64]:
        """For each new row the old row of the same record, -1 if there is none; of several that with the same id."""
        first = np.searchsorted(self._offsets, offsets, side="left")
        behind = np.searchsorted(self._offsets, offsets, side="right")
        found = np.where(behind > first, first, -1)
        counts = behind - first
        _, inverse, times = np.unique(offsets, return_inverse=True, return_counts=True)
        repeated = times[inverse] > 1
        hard = np.flatnonzero((counts > 1) | (repeated & (counts > 0)))
        if len(hard):
            found[hard] = self._by_id(hard, first, behind, ids)
        taken = found >= 0
        taken[taken] = ~self._used[found[taken]]
        found = np.where(taken, found, -1)
        self._used[found[found >= 0]] = True
        return found

    def _by_id(self, hard: Any, first: Any, behind: Any, ids: pa.ChunkedArray) -> list[int]:
        """A record that holds several rows: each new one goes to the old one of its id."""
        old_ids = self.rows[self._id]
        taken: set[int] = set()
        found = []
        for at in hard.tolist():
            free = [row for row in range(int(first[at]), int(behind[at])) if not self._used[row] and row not in taken]
            wanted = ids[at].as_py()
            same = [row for row in free if old_ids[row].as_py() == wanted]
            found.append((same or [-1])[0])
            taken.add(found[-1])
        return found

    def meant(self, match: npt.NDArray[np.int64], meant: Meant) -> Mask:
        """Which of the matched rows are meant."""
        mask = np.zeros(len(match), np.bool_)
        there = match >= 0
        if there.any():
            mask[there] = meant.rows(self.rows.take(pa.array(match[there])))
        return mask

    def unmatched(self, meant: Meant) -> pa.Table:
        """The rows that are meant and were not matched."""
        left = take_rows(self.rows, ~self._used) if self.rows.num_rows else self.rows
        return take_rows(left, meant.rows(left)) if left.num_rows else left
