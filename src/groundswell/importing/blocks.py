"""Records of a stream: one block of raw records becomes posts, by the same layouts and kernels as a file."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from groundswell.importing.choice import SAMPLE, Chooser, Options
from groundswell.importing.derive import DERIVED, Origin
from groundswell.importing.reading import Ignored, Posts, Reader
from groundswell.importing.refusals import Rejection, decode, quarantine_rows
from groundswell.schema import QUARANTINE
from groundswell.sources.lines import Numbers, Piece

if TYPE_CHECKING:
    from groundswell.engines.contract import Engine
    from groundswell.platforms import Registry
    from groundswell.settings import Settings

#: A post may be this much newer than its receipt (clocks differ), microseconds.
FUTURE_US: Final = 300_000_000
_FUTURE: Final = "created more than 5 minutes after it was received"

#: What `normalise` gives for posts: `DERIVED` and the index of the record in the block.
NORMALISED = DERIVED.append(pa.field("record", pa.int64()))


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


@dataclass(frozen=True)
class Normalised:
    """What became of a block: posts (in record order), rejected rows for quarantine, and what is no post."""

    posts: pa.Table
    rejected: pa.Table
    ignored: dict[str, int]


def normalise(block: RawBlock, engine: Engine, registry: Registry, settings: Settings) -> Normalised:
    """Posts of a block of records, whatever layouts they are of.

    Every record is in exactly one of the three outputs; `posts` have `NORMALISED` columns (all of `posts` but
    `ingest_seq`, and `record`), `rejected` those of the quarantine.

    Raises:
        UnknownChoiceError: the hint names a layout, field or column that does not exist.
    """
    options = Options.from_hint(block.hint, settings.tz)
    chooser = Chooser.for_options(registry, options)
    origin = Origin(block.source, block.origin, block.imported_us)
    reader = Reader(engine, chooser, origin, settings.tmp_path, block.received_us)
    decoded = (decode(record)[0] for record in block.records[:SAMPLE])
    layout = chooser.for_sample([record for record in decoded if record is not None])
    posts: list[pa.Table] = []
    refused = [_blank(block, at) for at, record in enumerate(block.records) if not record.strip()]
    ignored: Counter[str] = Counter()
    settings.tmp_path.mkdir(parents=True, exist_ok=True)
    path = settings.tmp_path / f"block-{secrets.token_hex(8)}.ndjson"
    piece = Piece(path, 0, 1, spilled=True, offsets=np.asarray(block.numbers, dtype=np.int64))
    try:
        path.write_bytes(b"".join(record.replace(b"\n", b" ") + b"\n" for record in block.records))
        for read in reader.read_piece_safely(piece, layout):
            if isinstance(read, Posts):
                posts.append(read.rows.append_column("record", pa.array(read.numbers - 1, pa.int64())))
            elif isinstance(read, Ignored):
                ignored[read.reason] += read.count
            else:
                refused += read
    finally:
        piece.remove()
    table = pa.concat_tables(posts) if posts else NORMALISED.empty_table()
    table, ahead = _set_aside_future(table, block)
    refused += ahead
    hint = options.to_hint(settings.tz)
    rejected = quarantine_rows(refused, origin, hint) if refused else QUARANTINE.empty_table()
    return Normalised(table.sort_by("record") if len(posts) > 1 else table, rejected, dict(ignored))


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
    return Rejection(number, number, "an empty record", "nothing but white space", bytes(block.records[at]))
