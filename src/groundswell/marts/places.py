"""Where the observations of a post lie: found by the text index, or by reading the ids of files that have none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.lake.terms import iter_groups
from groundswell.marts.parts import DataFile, identities
from groundswell.text.terms import Kind, term_hash

Ints = npt.NDArray[np.int64]

_ONE: Final = np.uint64(1)


class Part(NamedTuple):
    """A row group: the place of its file in the list of files, and its number in the file."""

    file: int
    group: int


class Places(NamedTuple):
    """Rows of one part, and which of the sought posts each of them observes."""

    part: Part
    rows: Ints
    posts: Ints


def places_of(
    files: Sequence[DataFile],
    platform: str | None,
    posts: Sequence[str],
    pool: Executor,
    known: Mapping[int, Part] | None = None,
) -> Iterator[Places]:
    """Every row that observes one of `posts` (identities, see `identities`) on `platform` (null: on any).

    `known` names, for some posts by their place in `posts`, a part that is known to hold them: it is left out
    where the index says that it holds the post only once.
    """
    sought = pa.array(posts, pa.string())
    parts = list(_parts(files, platform, posts, known or {}))

    def look(part: Part) -> Places:
        found = pc.index_in(identities(files[part.file], part.group), value_set=sought)
        rows = np.flatnonzero(pc.is_valid(found).to_numpy(zero_copy_only=False))
        return Places(part, rows, found.take(pa.array(rows)).cast(pa.int64()).to_numpy(zero_copy_only=False))

    return (places for places in pool.map(look, parts) if len(places.rows))


def _parts(
    files: Sequence[DataFile], platform: str | None, posts: Sequence[str], known: Mapping[int, Part]
) -> Iterable[Part]:
    hashes = np.array([term_hash(Kind.POST, post) for post in posts], np.uint32)
    repeated = np.array([term_hash(Kind.REPEATED, post) for post in posts], np.uint32)
    for number, file in enumerate(files):
        if platform is not None and file.platform != platform:
            continue
        if file.index is None:
            yield from (Part(number, group) for group in range(len(file.groups)))
            continue
        masks = file.index.find_all(hashes)
        own = _own(known, number, len(posts))
        if own.any():
            masks &= ~(own & ~file.index.find_all(repeated))
        for group in iter_groups(int(np.bitwise_or.reduce(masks, initial=np.uint64(0)))):
            yield Part(number, group)


def _own(known: Mapping[int, Part], file: int, count: int) -> npt.NDArray[np.uint64]:
    """For each post, the bit of the part of `file` that is known to hold it."""
    own = np.zeros(count, np.uint64)
    for post, part in known.items():
        if part.file == file:
            own[post] = _ONE << np.uint64(part.group)
    return own
