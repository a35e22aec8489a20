"""The compiled matcher over a batch: from columns to the arrays of its kernel, and back to pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.kernels.lookups import NO, UNKNOWN, YES, Fields, Found, Lists, Words, hash_words
from groundswell.kernels.matching import find_in_lists, find_in_words, run
from groundswell.query.ast import TEXT_FIELDS
from groundswell.query.masks import Matches, leaf_mask
from groundswell.query.program import CODED_FIELDS, Compiled
from groundswell.text.hashing import hash_bytes, hash_table
from groundswell.text.terms import text_buffers
from groundswell.text.tokens import HashedWords, read_hashed

#: Pairs for which there is room at first, by post.
_PAIRS: Final = 4


@dataclass(frozen=True)
class Batch:
    """What queries look at in n posts."""

    words: Words
    tags: Lists
    mentions: Lists
    authors: Lists
    """The handle of who wrote it, lower-case; none where it is not known."""
    fields: Fields

    def __len__(self) -> int:
        return len(self.words.rows) - 1


def pairs_of(compiled: Compiled, batch: Batch) -> tuple[Matches, npt.NDArray[np.bool_]]:
    """Which query matches which post, and of each pair whether that is sure: else something is `UNKNOWN` in `batch`."""
    queries, table = len(compiled.program.starts) - 1, hash_table()
    found = Found(
        *find_in_words(compiled.words, batch.words, table),
        *find_in_lists(compiled.tags, batch.tags, table),
        *find_in_lists(compiled.mentions, batch.mentions, table),
        *find_in_lists(compiled.authors, batch.authors, table),
    )
    room = _PAIRS * len(batch) + 2 * queries + 2
    parts: list[tuple[Any, Any, Any]] = []
    done = 0
    while done < len(batch) and queries:
        slots, rows, truths = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.uint8)
        made, done = run(compiled.program, found, batch.fields, done, slots, rows, truths)
        parts.append((slots[:made], rows[:made], truths[:made]))
    if not parts:
        return Matches(np.zeros(0, np.int64), np.zeros(0, np.int64)), np.zeros(0, np.bool_)
    slot, row, truth = parts[0] if len(parts) == 1 else (np.concatenate(each) for each in zip(*parts, strict=True))
    return Matches(slot, row), truth == YES


def match_table(compiled: Compiled, posts: pa.Table) -> Matches:
    """Which query matches which row of a posts table."""
    pairs, _ = pairs_of(compiled, batch_of(compiled, posts))
    return pairs


def batch_of(compiled: Compiled, posts: pa.Table) -> Batch:
    """What the queries look at in a posts table; nothing is unknown in it."""
    rows = posts.num_rows
    needs = compiled.needs
    authors = pc.utf8_lower(_flat(posts, "author_name")) if needs & {"authors"} else pa.nulls(rows, pa.string())
    return Batch(
        words_of(*text_buffers(_flat(posts, "tokens"))),
        lists_of(_flat(posts, "hashtags")) if needs & {"hashtags"} else no_lists(rows),
        lists_of(_flat(posts, "mentions")) if needs & {"mentions"} else no_lists(rows),
        singles_of(authors),
        _fields(compiled, posts),
    )


def words_of(data: npt.NDArray[np.uint8], bounds: npt.NDArray[np.int32]) -> Words:
    """The words of texts `" word word "`, given by their bytes and borders."""
    room = int(bounds[-1] - bounds[0]) // 2 + 1
    hashes, begins, ends = np.empty(room, np.uint64), np.empty(room, np.int32), np.empty(room, np.int32)
    rows = np.empty(len(bounds), np.int32)
    data, bounds = fixed(data), fixed(bounds)
    found = hash_words(data, bounds, hash_table(), hashes, begins, ends, rows)
    return Words(data, hashes[:found], begins[:found], ends[:found], rows)


def words_in(texts: Any) -> tuple[Words, HashedWords]:
    """The words of texts as they were written, and what else was seen in them."""
    read = read_hashed(texts, hash_table())
    return Words(fixed(read.data), read.hashes, read.begins, read.ends, read.rows), read


def lists_of(lists: Any) -> Lists:
    """A column of lists of texts; null is empty."""
    sizes = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    data, ends = text_buffers(lists.flatten())
    return Lists(fixed(data), fixed(ends), fixed(_borders(sizes)))


def singles_of(texts: Any) -> Lists:
    """A column of texts, each a list of one; null is none."""
    data, ends = text_buffers(texts.drop_null())
    return Lists(fixed(data), fixed(ends), fixed(_borders(pc.is_valid(texts).to_numpy(zero_copy_only=False))))


def no_lists(rows: int) -> Lists:
    """Empty lists for so many posts."""
    return Lists(fixed(np.zeros(0, np.uint8)), fixed(np.zeros(1, np.int32)), fixed(np.zeros(rows + 1, np.int32)))


def fixed(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The array as one that cannot be written, which to the kernels is a type of its own."""
    if values.flags.writeable:
        values = values.view()
        values.setflags(write=False)
    return values


def coded(compiled: Compiled, columns: Sequence[Any], rows: int) -> tuple[Any, Any]:
    """Codes and truth table of the coded fields; `columns` are lower-case texts, in the order of `CODED_FIELDS`.

    A field that no query asks for may be null altogether.
    """
    encoded = [column.dictionary_encode() for column in columns]
    width = max(len(each.dictionary) for each in encoded) + 1
    codes = np.stack([_codes(each, width, rows) for each in encoded])
    truth = np.zeros((max(len(compiled.coded), 1), width), np.uint8)
    for number, leaf in enumerate(compiled.coded):
        values = encoded[CODED_FIELDS.index(leaf.field)].dictionary
        hits = np.asarray(pc.equal(values, leaf.value).to_numpy(zero_copy_only=False))
        if leaf.field == "lang":
            hits = hits | np.asarray(pc.starts_with(values, f"{leaf.value}-").to_numpy(zero_copy_only=False))
        truth[number, : len(hits)] = np.where(hits, YES, NO)
    return codes, truth


def _fields(compiled: Compiled, posts: pa.Table) -> Fields:
    rows = posts.num_rows
    numbers = np.zeros((max(len(compiled.numbers), 1), rows), np.int64)
    known = np.zeros((max(len(compiled.numbers), 1), rows), np.uint8)
    for number, name in enumerate(compiled.numbers):
        column = _flat(posts, name)
        numbers[number] = pc.fill_null(column, 0).to_numpy(zero_copy_only=False)
        known[number] = np.where(pc.is_valid(column).to_numpy(zero_copy_only=False), YES, NO)
    asked = {leaf.field for leaf in compiled.coded}
    columns = [
        pc.utf8_lower(_flat(posts, TEXT_FIELDS[name])) if name in asked else pa.nulls(rows, pa.string())
        for name in CODED_FIELDS
    ]
    given = np.zeros((max(len(compiled.given), 1), rows), np.uint8)
    for number, leaf in enumerate(compiled.given):
        given[number] = np.where(leaf_mask(leaf, posts), YES, NO)
    return Fields(numbers, known, *coded(compiled, columns, rows), given)


def _codes(encoded: Any, width: int, rows: int) -> npt.NDArray[np.int32]:
    codes = pc.fill_null(encoded.indices, width - 1).to_numpy(zero_copy_only=False)
    return np.asarray(codes, np.int32).reshape(rows)


def _borders(sizes: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)


def _flat(posts: pa.Table, column: str) -> Any:
    values = posts.column(column)
    return values.chunk(0) if values.num_chunks == 1 else values.combine_chunks()


__all__ = ["UNKNOWN", "Batch", "batch_of", "hash_bytes", "match_table", "pairs_of", "words_of"]
