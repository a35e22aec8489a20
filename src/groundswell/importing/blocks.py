"""Records of a stream: one block of raw records becomes posts, by the same layouts and kernels as a file."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.importing.choice import SAMPLE, Chooser, Options
from groundswell.importing.derive import DERIVED_OF, Origin
from groundswell.importing.reading import Reader
from groundswell.importing.reads import Ignored, Posts, Reached
from groundswell.importing.refusals import Rejection, decode, quarantine_rows
from groundswell.kernels import loaded_live
from groundswell.schema import QUARANTINE
from groundswell.sources.lines import Numbers, Piece

if TYPE_CHECKING:
    from groundswell.engines.contract import Engine
    from groundswell.importing.handover import Made
    from groundswell.platforms import Registry
    from groundswell.platforms.layout import Layout
    from groundswell.settings import Settings

#: A post may be this much newer than its receipt (clocks differ), microseconds.
FUTURE_US: Final = 300_000_000
_EMPTY: Final = "an empty record"
_FUTURE: Final = "created more than 5 minutes after it was received"

#: What `normalise` gives for each table: `DERIVED_OF` it, and the index of the record in the block.
NORMALISED_OF: Final = {name: schema.append(pa.field("record", pa.int64())) for name, schema in DERIVED_OF.items()}
NORMALISED: Final = NORMALISED_OF["posts"]
_NONE_REJECTED: Final = QUARANTINE.empty_table()


@dataclass(frozen=True, slots=True)
class Frame:
    """`length` bytes of joined records from `begin` on, as they came: one zstd frame with a checksum."""

    packed: bytes
    begin: int
    length: int


@dataclass(frozen=True)
class RawBlock:
    """Raw records of one source. `numbers` are their global numbers, `received_us` the receive times (µs)."""

    records: Sequence[bytes]
    source: str
    origin: str
    numbers: Numbers
    received_us: Numbers | None
    hint: Mapping[str, Any] | None
    imported_us: int
    sample: Sequence[bytes] | None = None
    """Records by which the layout is chosen; null: the first of the block."""
    frames: Sequence[Frame] = ()
    """Whole records of the block that came packed, in order; not all need to have."""
    made: Made | None = None
    """Rows that somebody made of the records already."""

    def take(self, rows: Numbers) -> RawBlock:
        """Some of the records, in their order."""
        records = [self.records[row] for row in rows.tolist()]
        received = None if self.received_us is None else np.asarray(self.received_us)[rows]
        numbers = np.asarray(self.numbers)[rows]
        return replace(self, records=records, numbers=numbers, received_us=received, frames=(), made=None)


@dataclass(frozen=True)
class Normalised:
    """What became of a block: rows of each table (in record order), rows for quarantine, and what is no post.

    A record that holds others (an answer) gives several, each of them counted.
    """

    posts: pa.Table
    rejected: pa.Table
    ignored: dict[str, int]
    ignored_records: list[int]
    """The index in the block of each ignored record."""

    others: dict[str, pa.Table]
    """Rows of the other tables, where there are any: authors, comments."""

    def behind(self, posts: pa.Table, rows: Numbers) -> Normalised:
        """All of a block of which these are the records `rows`, and `posts` those of the others."""

        def moved(table: pa.Table) -> pa.Table:
            at = table.schema.get_field_index("record")
            return table.set_column(at, "record", pa.array(rows[table["record"].to_numpy()], pa.int64()))

        both = posts if not self.posts.num_rows else pa.concat_tables([posts, moved(self.posts)])
        ordered = both if both is posts else both.take(pc.array_sort_indices(both["record"].combine_chunks()))
        others = {name: moved(table) for name, table in self.others.items()}
        ignored = rows[np.asarray(self.ignored_records, np.int64)].tolist()
        return Normalised(ordered, _lines_of(self.rejected, rows), self.ignored, ignored, others)


def _lines_of(rejected: pa.Table, rows: Numbers) -> pa.Table:
    """Quarantine rows whose line among the records `rows` becomes that among all."""
    if not rejected.num_rows:
        return rejected
    line = rejected["row"].to_numpy()
    by_number = pc.is_in(rejected["reason"], value_set=pa.array([_FUTURE, _EMPTY])).to_numpy()
    told = np.where(by_number, line, rows[np.where(by_number, 1, line) - 1] + 1)
    place = rejected.schema.get_field_index("row")
    return rejected.set_column(place, rejected.schema.field(place), pa.array(told, rejected["row"].type))


def normalise(block: RawBlock, engine: Engine, registry: Registry, settings: Settings) -> Normalised:
    """Posts of a block of records, whatever layouts they are of.

    Every record is in exactly one of the three outputs; `posts` have `NORMALISED` columns (all of `posts` but
    `ingest_seq`, and `record`), `rejected` those of the quarantine.

    Raises:
        UnknownChoiceError: the hint names a layout, field or column that does not exist.
    """
    if block.made is not None and not len(block.made.left):
        return Normalised(block.made.imported(block.imported_us), _NONE_REJECTED, {}, [], {})
    options = Options.from_hint(block.hint, settings.tz)
    chooser = Chooser.for_options(registry, options)
    layout, quick = _quickly(block, chooser)
    if quick is None:
        return _ordinarily(block, layout, engine, chooser, settings)
    posts, left = quick
    if not len(left):
        return Normalised(posts, _NONE_REJECTED, {}, [], {})
    rest = _ordinarily(block.take(left), layout, engine, chooser, settings)
    return rest.behind(posts, left)


def _quickly(block: RawBlock, chooser: Chooser) -> tuple[Layout | None, tuple[pa.Table, Numbers] | None]:
    """The layout of a block, and what compiled kernels made of it, where they are loaded: rows and the records left."""
    if block.made is not None:
        return block.made.layout, (block.made.imported(block.imported_us), block.made.left)
    layout = _chosen(chooser, block.records if block.sample is None else block.sample)
    if layout is None or block.received_us is None or loaded_live() is None:
        return layout, None
    from groundswell.importing.fast.rows import read_records  # noqa: PLC0415 - loads Numba

    origin = Origin(block.source, block.origin, block.imported_us)
    numbers = np.asarray(block.numbers, dtype=np.int64)
    read = read_records(block.records, layout, origin, numbers, np.asarray(block.received_us), FUTURE_US)
    return layout, None if read is None else (read.posts.cast(NORMALISED), read.left)


def _ordinarily(
    block: RawBlock, layout: Layout | None, engine: Engine, chooser: Chooser, settings: Settings
) -> Normalised:
    """What an engine makes of a block."""
    origin = Origin(block.source, block.origin, block.imported_us)
    reader = Reader(engine, chooser, origin, settings.tmp_path, block.received_us)
    found: dict[str, list[pa.Table]] = {"posts": []}
    refused = [_blank(block, at) for at, record in enumerate(block.records) if not record.strip()]
    ignored: Counter[str] = Counter()
    ignored_records: list[int] = []
    settings.tmp_path.mkdir(parents=True, exist_ok=True)
    path = settings.tmp_path / f"block-{secrets.token_hex(8)}.ndjson"
    piece = Piece(path, 0, 1, spilled=True, offsets=np.asarray(block.numbers, dtype=np.int64))
    try:
        path.write_bytes(b"".join(record.replace(b"\n", b" ") + b"\n" for record in block.records))
        for read in reader.read_piece_safely(piece, layout):
            if isinstance(read, Posts):
                rows = read.rows.append_column("record", pa.array(read.numbers - 1, pa.int64()))
                found.setdefault(read.layout.table, []).append(rows)
            elif isinstance(read, Ignored):
                ignored[read.reason] += read.count
                ignored_records += [number - 1 for number in read.numbers]
            elif not isinstance(read, Reached):
                refused += read
    finally:
        piece.remove()
    tables: dict[str, pa.Table] = {}
    for name, rows in found.items():
        tables[name], ahead = _set_aside_future(_joined(rows, NORMALISED_OF[name]), block)
        refused += ahead
    hint = Options.from_hint(block.hint, settings.tz).to_hint(settings.tz)
    rejected = quarantine_rows(refused, origin, hint) if refused else _NONE_REJECTED
    return Normalised(tables.pop("posts"), rejected, dict(ignored), ignored_records, tables)


def layout_of(
    records: Sequence[bytes], hint: Mapping[str, Any] | None, registry: Registry, settings: Settings
) -> Layout | None:
    """The layout that `normalise` chooses for records that begin so.

    Raises:
        UnknownChoiceError: the hint names a layout, field or column that does not exist.
    """
    return _chosen(Chooser.for_options(registry, Options.from_hint(hint, settings.tz)), records)


def _chosen(chooser: Chooser, records: Sequence[bytes]) -> Layout | None:
    decoded = (decode(record)[0] for record in records[:SAMPLE])
    return chooser.for_sample([record for record in decoded if record is not None])


def _joined(rows: list[pa.Table], schema: pa.Schema) -> pa.Table:
    """Rows in the order of their records."""
    if not rows:
        return schema.empty_table()
    return pa.concat_tables(rows).sort_by("record") if len(rows) > 1 else rows[0]


def _set_aside_future(posts: pa.Table, block: RawBlock) -> tuple[pa.Table, list[Rejection]]:
    """Posts without those that claim to be made well after they were received: such a time is not true."""
    if block.received_us is None or posts.num_rows == 0:
        return posts, []
    index = posts["record"].to_numpy()
    made = posts["created_at"].cast(pa.int64()).fill_null(0).to_numpy()
    ahead = made > np.asarray(block.received_us)[index] + FUTURE_US
    if not ahead.any():
        return posts, []
    refused = []
    for row in posts.filter(pa.array(ahead)).select(["record", "created_at", "platform", "layout"]).to_pylist():
        number = int(block.numbers[row["record"]])
        detail = f"created_at {row['created_at'].isoformat()}"
        raw = bytes(block.records[row["record"]])
        refused.append(Rejection(number, number, _FUTURE, detail, raw, row["platform"], row["layout"]))
    return posts.filter(pa.array(~ahead)), refused


def _blank(block: RawBlock, at: int) -> Rejection:
    number = int(block.numbers[at])
    return Rejection(number, number, _EMPTY, "nothing but white space", bytes(block.records[at]))
