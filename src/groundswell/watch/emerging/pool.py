"""Posts of the last hour that topics are shown with: examples, what comes together, who, where, and which trackers.

Of each window at most `keep_posts` are kept. Where the stream has no more, that is all of them. Where it has more,
posts with a term that stood out in the last closed window come first (some of each such term, so that none crowds out
the others), then those of least identity: which are kept then depends on where batches end.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc

from groundswell.watch.emerging.window import among
from groundswell.watch.recent import KEPT, SOURCES, kept_columns

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

#: Texts are shown, not searched.
_MOST_TEXT: Final = 1_000
#: Of each term that stands out so many posts of a batch are kept first.
OF_EACH: Final = 16
#: The place of posts without such a term.
LAST: Final = 1_000
_LEFT_OUT: Final = ("tokens", "hashtags", "domains")

_SHOWN: Final = [field for field in KEPT if field.name not in _LEFT_OUT]
#: Columns of posts that those are made of.
SHOWN_SOURCES: Final = tuple(name for name in SOURCES if name not in {"tokens", "hashtags", "urls"})
POOLED: Final = pa.schema(
    [
        *_SHOWN,
        ("window", pa.int64()),
        ("identity", pa.uint64()),
        ("place", pa.int32()),
        ("keys", pa.list_(pa.uint64())),
        ("words", pa.list_(pa.string())),
        ("trackers", pa.list_(pa.int32())),
    ]
)


@dataclass(frozen=True)
class Pool:
    """Kept posts, a table of the columns `POOLED`."""

    posts: pa.Table

    @classmethod
    def empty(cls) -> Pool:
        """Nothing kept."""
        return cls(POOLED.empty_table())

    @property
    def nbytes(self) -> int:
        """Memory of the posts, bytes."""
        return int(self.posts.nbytes)

    def column(self, name: str) -> npt.NDArray[Any]:
        """A column of numbers."""
        return np.asarray(self.posts.column(name).to_numpy())

    def since(self, start: int) -> Pool:
        """The posts of the window `start` and later ones."""
        if self.posts.num_rows == 0:
            return self
        return Pool(self.posts.filter(pc.greater_equal(self.posts.column("window"), start)).combine_chunks())

    @cached_property
    def _held(self) -> tuple[Hashes, Ints]:
        """Key of each term of each post, and the post's row."""
        held = self.posts.column("keys").combine_chunks()
        keys: Hashes = pc.list_flatten(held).to_numpy(zero_copy_only=False)
        return keys, pc.list_parent_indices(held).to_numpy(zero_copy_only=False).astype(np.int64)

    def with_terms(self, keys: Hashes, until: int, seed: int) -> tuple[dict[int, Ints], dict[int, str]]:
        """Rows of the posts that hold each of `keys` (ascending), and the words of those that are held.

        Only of windows up to `until`: posts of later ones may have come, or not, with the same batch.
        """
        held, of = self._held
        at = np.flatnonzero(among(held, keys, seed))
        at = at[self.column("window")[of[at]] <= until]
        order = np.argsort(held[at], kind="stable")
        found, first = np.unique(held[at][order], return_index=True)
        rows = {key: part for key, part in zip(found.tolist(), np.split(of[at][order], first[1:]), strict=False)}
        words = pc.list_flatten(self.posts.column("words").combine_chunks())
        names = words.take(pa.array(at[order][first])).to_pylist()
        return rows, {key: name for key, name in zip(found.tolist(), names, strict=True) if name}

    def wanted(self, window: Ints, place: Ints, identity: Hashes, most: int) -> Ints:
        """Which of some new posts `keep` would keep; ascending."""
        starts, held = np.unique(window), self.column("window")
        mine = np.flatnonzero(np.isin(held, starts))
        rows = np.arange(len(window))
        if len(rows) + len(mine) <= most:
            return rows
        held, held_place, held_identity = held[mine], self.column("place")[mine], self.column("identity")[mine]
        for start, count in zip(*np.unique(held, return_counts=True), strict=True):
            if count >= most:  # what comes after the last one that is kept is most of what comes
                here = held == start
                last = held_place[here].max()
                who = held_identity[here & (held_place == last)].max()
                before = (place[rows] < last) | ((place[rows] == last) & (identity[rows] < who))
                rows = rows[before | (window[rows] != start)]
        places = np.concatenate((held_place, place[rows]))
        identities = np.concatenate((held_identity, identity[rows]))
        best = first_of_each(np.concatenate((held, window[rows])), places, identities, most) - len(mine)
        return rows[best[best >= 0]]

    def keep(self, new: pa.Table, most: int) -> Pool:
        """These posts and `new` ones, at most `most` of each window."""
        if new.num_rows == 0:
            return self
        # Only posts of the same windows may have to go; of an hour's those before them are not copied.
        same = np.flatnonzero(np.isin(self.column("window"), np.unique(new.column("window"))))
        first = int(same[0]) if len(same) else self.posts.num_rows
        rest = pa.concat_tables([self.posts.slice(first), new]).combine_chunks()  # taken of one piece is quicker
        window, place, identity = (rest.column(name).to_numpy() for name in ("window", "place", "identity"))
        if np.unique(window, return_counts=True)[1].max() > most:
            rest = rest.take(pa.array(first_of_each(window, place, identity, most)))
        return Pool(pa.concat_tables([self.posts.slice(0, first), rest]) if first else rest)

    def joined(self) -> Pool:
        """The same in one piece, of which single posts are taken quicker."""
        return self if self.posts.column(0).num_chunks <= 1 else Pool(self.posts.combine_chunks())


def first_of_each(window: Ints, place: Ints, identity: Hashes, most: int) -> Ints:
    """Rows of the first `most` posts of each window by place, then identity; ascending.

    >>> first_of_each(np.array([1, 1, 1, 2]), np.array([5, 0, 5, 9]), np.array([3, 4, 2, 1], np.uint64), 2).tolist()
    [1, 2, 3]
    """
    order = np.lexsort((identity, place, window))
    sorted_windows = window[order]
    starts = np.searchsorted(sorted_windows, sorted_windows, side="left")
    kept: Ints = np.sort(order[np.arange(len(order)) - starts < most])
    return kept


@dataclass(frozen=True)
class Picked:
    """Posts of a batch that are to be kept: rows of the batch, and what `POOLED` has of them besides `KEPT`."""

    rows: Ints
    window: Ints
    identity: Hashes
    place: npt.NDArray[np.int32]
    keys: Any
    words: Any
    trackers: Any


def pooled(posts: pa.Table, picked: Picked) -> pa.Table:
    """The posts that were picked, as `POOLED`."""
    kept = kept_columns(posts, pa.schema(_SHOWN))
    text = pc.utf8_slice_codeunits(kept.column("text").combine_chunks(), 0, _MOST_TEXT)
    columns = [text if field.name == "text" else kept.column(field.name) for field in _SHOWN]
    columns += [
        pa.array(picked.window, pa.int64()),
        pa.array(picked.identity, pa.uint64()),
        pa.array(picked.place, pa.int32()),
        picked.keys,
        picked.words,
        picked.trackers,
    ]
    return pa.table(columns, schema=POOLED)


def pool_bytes(pool: Pool) -> npt.NDArray[np.uint8]:
    """The pool as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, POOLED, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(pool.joined().posts)
    return np.frombuffer(sink.getvalue(), np.uint8)


def pool_of(data: npt.NDArray[np.uint8]) -> Pool:
    """The pool that `pool_bytes` wrote down."""
    with pa.ipc.open_stream(pa.py_buffer(data.tobytes())) as reader:
        return Pool(reader.read_all().combine_chunks())
