"""What a card is made of besides its posts, kept with the alert: from it and the lake the card can be made again.

Posts are kept as their identities and records only; the lake has the rest. Versioned plain data (MessagePack, packed
with zstd), never a pickle; some tens of kilobytes.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import zstandard

from groundswell.watch.contract import Hashes, Ints, SeriesPoint, TrackerSpec, WatchParams
from groundswell.watch.episodes import Episode
from groundswell.watch.evidence import Case
from groundswell.watch.profiles import Past

VERSION: Final = 1
_LEVEL: Final = 3
#: No case unpacks to more.
_LARGEST: Final = 64 << 20


class Frozen(msgspec.Struct):
    """The case of an alert without its posts."""

    version: int
    tracker: TrackerSpec
    episode: Episode
    windows: list[SeriesPoint]
    past: Past
    own_words: list[str]
    params: WatchParams
    learned_windows: int
    needed_days: float | None
    identities: bytes
    """One of each post, little-endian, in the order of the posts."""
    records: bytes
    """Number of each post's journal record, -1 for none."""

    def posts(self) -> tuple[Hashes, Ints]:
        """Identity and record of each post."""
        return np.frombuffer(self.identities, dtype="<u8"), np.frombuffer(self.records, dtype="<i8")

    def case(self, posts: pa.Table, identities: Hashes) -> Case:
        """The case again, with posts (rows as `recent.KEPT`) in the order in which they were kept."""
        return Case(
            tracker=self.tracker,
            episode=self.episode,
            windows=self.windows,
            posts=posts,
            profile=self.past,
            own_words=frozenset(self.own_words),
            params=self.params,
            learned_windows=self.learned_windows,
            identities=identities,
            needed_days=self.needed_days,
        )


def freeze(case: Case) -> bytes:
    """The case without its posts, packed."""
    records = case.posts.column("record").fill_null(-1).to_numpy()
    frozen = Frozen(
        version=VERSION,
        tracker=case.tracker,
        episode=msgspec.structs.replace(case.episode, evidence={}, case=b""),
        windows=[_as_scored(point) for point in case.windows],
        past=case.past,
        own_words=sorted(case.own_words),
        params=case.params,
        learned_windows=case.learned_windows,
        needed_days=case.needed_days,
        identities=case.identities.astype("<u8").tobytes(),
        records=records.astype("<i8").tobytes(),
    )
    return zstandard.ZstdCompressor(level=_LEVEL).compress(msgspec.msgpack.encode(frozen))


def _as_scored(point: SeriesPoint) -> SeriesPoint:
    """The window without what came late: when that is known depends on where batches end."""
    return msgspec.structs.replace(point, count=point.count - point.late, late=0)


def thaw(data: bytes) -> Frozen | None:
    """What `freeze` packed; null if it is of a version that this Groundswell does not know."""
    try:
        body = zstandard.ZstdDecompressor().decompress(data, max_output_size=_LARGEST)
        frozen = msgspec.msgpack.decode(body, type=Frozen)
    except (zstandard.ZstdError, msgspec.DecodeError):
        return None
    return frozen if frozen.version == VERSION else None
