"""Reading held rows of the quarantine again, through the layouts of today.

What is readable now is stored and its row marked `resolved`; the rest stays held. Posts first, marks
second: after a kill in between the next retry finds the posts known and sets the marks.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties

from groundswell.desk import Desk, leases
from groundswell.desk.clock import Clock, wall_us
from groundswell.errors import NotFoundError
from groundswell.importing.choice import Chooser, Options
from groundswell.importing.derive import Origin
from groundswell.importing.known import KeySet, keys_of, take_rows
from groundswell.importing.reading import Reader
from groundswell.importing.reads import Ignored, Posts
from groundswell.importing.refusals import decode
from groundswell.lake import Lake
from groundswell.lake.failures import told
from groundswell.sources.containers import Container
from groundswell.sources.encodings import recoded
from groundswell.sources.lines import Piece
from groundswell.sources.tables import TableReader

if TYPE_CHECKING:
    from groundswell.engines.contract import Engine
    from groundswell.platforms import Registry
    from groundswell.settings import Settings

LEASE = "lake"


@dataclass(frozen=True, slots=True)
class Retried:
    """What a retry did: rows looked at, stored, found to be known or no posts, and still held."""

    read: int
    stored: int
    known: int
    ignored: int
    held: int


def held_rows(lake: Lake, *, reason: str | None = None, origin: str | None = None, ids: Sequence[str] = ()) -> pa.Table:
    """Rows of the quarantine that are held, newest first; `ids` may be beginnings of ids."""
    rows = lake.read("quarantine", where={"state": "held", "reason": reason, "origin": origin})
    if ids:
        wanted = [any(id_.startswith(beginning) for beginning in ids) for id_ in rows["id"].to_pylist()]
        rows = rows.filter(pa.array(wanted, pa.bool_()))
    return rows.sort_by([("at", "descending"), ("origin", "ascending"), ("origin_offset", "ascending")])


def retry(  # noqa: PLR0913 - the parts of a home, and what is meant
    lake: Lake,
    desk: Desk,
    engine: Engine,
    settings: Settings,
    *,
    options: Options | None = None,
    reason: str | None = None,
    origin: str | None = None,
    ids: Sequence[str] = (),
    registry: Registry | None = None,
    now: Clock = wall_us,
) -> Retried:
    """Read the held rows that are meant again; `options` replace how they were read the first time.

    Raises:
        NotFoundError: `ids` were given and none of them is held.
        UnavailableError: the lake cannot be written.
        ConflictError: another process keeps the lake.
    """
    from groundswell.platforms.saved import registry_for  # noqa: PLC0415 - loads every layout

    with leases.hold(desk, LEASE, wait_s=3600) as held:
        rows = held_rows(lake, reason=reason, origin=origin, ids=ids)
        if ids and not rows.num_rows:
            what = "no held row with that id"
            raise NotFoundError(what, where=", ".join(ids), hint="`groundswell quarantine list` shows what is held")
        # The first 64 KB of an oversized record are not the record.
        whole = rows.filter(pc.equal(rows["raw_bytes"], pc.cast(pc.binary_length(rows["raw"]), pa.int64())))
        work = _Retry(lake, engine, registry or registry_for(settings), settings, options, now())
        resolved = work.run(whole, held)
        if resolved:
            mark_resolved(lake, resolved)
    return Retried(rows.num_rows, work.stored, work.known, work.ignored, rows.num_rows - len(resolved))


def mark_resolved(lake: Lake, ids: Sequence[str]) -> None:
    """Set the state of rows to `resolved`, in one commit."""
    table = lake.delta("quarantine")
    if table is None:
        return
    with told("update the quarantine", lake.path("quarantine")):
        (
            table.merge(
                pa.table({"id": pa.array(ids, pa.string())}),
                predicate="held.id = now.id",
                source_alias="now",
                target_alias="held",
                commit_properties=CommitProperties(custom_metadata={"resolved": str(len(ids))}),
            )
            .when_matched_update({"state": "'resolved'"})
            .execute()
        )


@dataclass
class _Retry:
    lake: Lake
    engine: Engine
    registry: Registry
    settings: Settings
    options: Options | None
    now_us: int
    stored: int = 0
    known: int = 0
    ignored: int = 0

    def run(self, rows: pa.Table, held: leases.Held) -> list[str]:
        """Store what is readable now; the ids of those rows."""
        resolved: list[str] = []
        keys = KeySet(keys_of(self.lake), self.lake.beside)
        with self.lake.appender("posts") as posts:
            for group in _groups(rows):
                resolved += self._group(group, keys, posts.write)
            held.renew()
            if self.stored:
                posts.commit()
        return resolved

    def _group(self, rows: pa.Table, keys: KeySet, write: Any) -> list[str]:
        hint = json.loads(rows["hint"][0].as_py() or "{}")
        chooser = Chooser.for_options(self.registry, self.options or Options.from_hint(hint, self.settings.tz))
        origin = Origin(rows["source"][0].as_py(), rows["origin"][0].as_py(), self.now_us)
        reader = Reader(self.engine, chooser, origin, self.settings.tmp_path)
        held = set(range(rows.num_rows))
        for read in self._table(rows, hint, reader) if "header" in hint else self._lines(rows, reader):
            if isinstance(read, Posts):
                new = keys.admit(read.rows)
                self.stored += int(new.sum())
                self.known += int((~new).sum())
                if new.any():
                    offsets = rows["origin_offset"].to_numpy()[read.numbers - 1]
                    position = read.rows.schema.get_field_index("origin_offset")
                    moved = read.rows.set_column(position, read.rows.schema.field(position), pa.array(offsets))
                    write(take_rows(moved, new))
                held -= set((read.numbers - 1).tolist())
            elif isinstance(read, Ignored):
                self.ignored += read.count
        return [rows["id"][at].as_py() for at in range(rows.num_rows) if at not in held]

    def _lines(self, rows: pa.Table, reader: Reader) -> list[Any]:
        raws = [bytes(raw).replace(b"\n", b" ") for raw in rows["raw"].to_pylist()]
        decoded = [record for raw in raws[:200] if (record := decode(raw)[0]) is not None]
        layout = reader.chooser.for_sample(decoded)
        path = self._spill(b"".join(raw + b"\n" for raw in raws))
        piece = Piece(path, 0, 1, spilled=True)
        try:
            return reader.read_piece_safely(piece, layout)
        finally:
            piece.remove()

    def _table(self, rows: pa.Table, hint: dict[str, Any], reader: Reader) -> Iterator[Any]:
        encoding = hint["encoding"]
        header = hint["header"].rstrip("\r\n").encode("utf-8", "surrogatepass")
        lines = [b"".join(recoded([bytes(raw)], encoding)) + b"\n" for raw in rows["raw"].to_pylist()]
        path = self._spill(b"".join([header, b"\n", *lines]))
        try:
            container = replace(Container.from_hint(hint), encoding="utf-8")
            table = TableReader(path, container, self.settings.max_record)
            layout = None
            for chunk in table.chunks():
                layout = layout or reader.chooser.for_sample(chunk.rows.slice(0, 200).to_pylist(), table.columns)
                yield from reader.read_rows(chunk, table, layout)
        finally:
            path.unlink(missing_ok=True)

    def _spill(self, content: bytes) -> Any:
        self.settings.tmp_path.mkdir(parents=True, exist_ok=True)
        path = self.settings.tmp_path / f"retry-{secrets.token_hex(8)}"
        path.write_bytes(content)
        return path


def _groups(rows: pa.Table) -> Iterator[pa.Table]:
    """Rows of one source, origin and hint."""
    if not rows.num_rows:
        return
    names = ["source", "origin", "hint"]
    labels = np.array(["\x1f".join(str(v) for v in row.values()) for row in rows.select(names).to_pylist()])
    for label in np.unique(labels):
        yield rows.filter(pa.array(labels == label))
