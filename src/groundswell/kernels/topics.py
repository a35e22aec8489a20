"""The loops of emerging topics; the plain twins, which define them, are in `groundswell.watch.emerging`.

Hashes are placed in tables by a secret seed, so that nobody can choose words that all meet in one place. What comes out
does not depend on it.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Ints = NDArray[np.int64]
Places = NDArray[np.int32]
Floats = NDArray[np.float64]

_COUNT: Final = np.uint64((1 << 32) - 1)
_HALF: Final = np.uint64(32)
_MOST_TERMS: Final = 256
_ONE: Final = np.uint64(1)
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)
_LOW6: Final = np.uint64(63)
_64: Final = np.uint64(64)


@njit(nogil=True, cache=True, inline="always")
def _place(key: Any, seed: Any, mask: Any) -> Any:
    mixed = (key ^ seed) * _ODD
    mixed ^= mixed >> np.uint64(32)
    mixed *= seed | _ONE
    return np.int64(mixed >> np.uint64(29)) & mask


@njit(nogil=True, cache=True, boundscheck=False)
def place_terms(table: Hashes, used: int, index: Places, seed: np.uint64) -> None:
    """Put the keys of the first `used` rows of a table (n, 4) into an empty `index` (a power of two, twice as long)."""
    mask = np.int64(len(index) - 1)
    for row in range(used):
        at = _place(table[row, 0], seed, mask)
        while index[at] != 0:
            at = (at + 1) & mask
        index[at] = row + 1


@njit(nogil=True, cache=True, boundscheck=False)
def count_terms(  # noqa: PLR0913, PLR0917 - arrays of a compiled loop
    bounds: Ints, keys: Hashes, authors: Hashes, marks: NDArray[np.uint32], rows: Ints,
    first: int, table: Hashes, used: int, index: Places, seed: np.uint64,
) -> tuple[int, int]:  # fmt: skip
    """As `count_plain` of `groundswell.watch.emerging.window`."""
    mask = np.int64(len(index) - 1)
    room = len(table)
    for number in range(first, len(rows)):
        row = rows[number]
        end = bounds[row + 1]
        start = max(bounds[row], end - _MOST_TERMS)
        if used + end - start > room:
            return number, used
        author = authors[row]
        mark = np.uint64(marks[row]) << _HALF
        bit = _ONE << (author & _LOW6)
        half = 2 if author & _64 == 0 else 3
        for i in range(start, end):
            key = keys[i]
            at = _place(key, seed, mask)
            while True:
                place: Any = np.int64(index[at]) - 1
                if place < 0:
                    place = used
                    used += 1
                    index[at] = place + 1
                    table[place, 0] = key
                    table[place, 1] = np.uint64(0)
                    table[place, 2] = np.uint64(0)
                    table[place, 3] = np.uint64(0)
                    break
                if table[place, 0] == key:
                    break
                at = (at + 1) & mask
            packed = table[place, 1]
            if (packed >> _HALF) << _HALF == mark:
                continue
            count = min((packed & _COUNT) + _ONE, _COUNT)
            table[place, 1] = mark | count
            table[place, half] |= bit
    return len(rows), used


@njit(nogil=True, cache=True, boundscheck=False)
def place_keys(keys: Hashes, first: int, last: int, index: Places, seed: np.uint64) -> None:
    """Put `keys[first:last]`, which are not there yet, into `index`."""
    mask = np.int64(len(index) - 1)
    for row in range(first, last):
        at = _place(keys[row], seed, mask)
        while index[at] != 0:
            at = (at + 1) & mask
        index[at] = row + 1


@njit(nogil=True, cache=True, boundscheck=False)
def find_keys(wanted: Hashes, keys: Hashes, index: Places, seed: np.uint64, out: Ints) -> None:
    """Row of each wanted key in `keys`, -1 where it is not there."""
    mask = np.int64(len(index) - 1)
    for i in range(len(wanted)):
        key = wanted[i]
        at = _place(key, seed, mask)
        found = np.int64(-1)
        while index[at] != 0:
            row = np.int64(index[at]) - 1
            if keys[row] == key:
                found = row
                break
            at = (at + 1) & mask
        out[i] = found


@njit(nogil=True, cache=True, boundscheck=False)
def mark_known(keys: Hashes, wanted: Hashes, index: Places, seed: np.uint64, out: NDArray[np.bool_]) -> None:
    """Which of `keys` are among the `wanted` that stand in `index`."""
    mask = np.int64(len(index) - 1)
    for i in range(len(keys)):
        key = keys[i]
        at = _place(key, seed, mask)
        found = False
        while index[at] != 0:
            if wanted[index[at] - 1] == key:
                found = True
                break
            at = (at + 1) & mask
        out[i] = found


@njit(nogil=True, cache=True, inline="always")
def _variation(posts: float, spread_sum: float, spread_weight: float) -> float:
    spread = (spread_sum + 0.1 * 100.0) / (spread_weight + 100.0)
    return max(spread, 0.0) + 1.0 / (posts + 0.5)


@njit(nogil=True, cache=True, inline="always")
def _stands_out(count: float, expected: float, extra: float) -> bool:
    return bool(count >= expected + 3.0 * np.sqrt(expected + extra * expected * expected))


@njit(nogil=True, cache=True, boundscheck=False)
def pass_window(  # noqa: PLR0913, PLR0917 - arrays of a compiled loop
    now: NDArray[np.uint32], held: NDArray[np.uint16], block: NDArray[np.uint32], posts: Floats, exposure: Floats,
    spread_sum: Floats, spread_weight: Floats, muted: NDArray[np.uint8], window_stream: float, block_stream: float,
    flags: NDArray[np.uint8],
) -> None:  # fmt: skip
    """As `groundswell.watch.emerging.levels.pass_window`."""
    for i in range(len(flags)):
        value = now[i]
        total = block[i] + value - held[i]
        block[i] = total
        held[i] = value
        if total < 3 or muted[i] != 0:
            continue
        level = (posts[i] + 0.5) / (exposure[i] + 1.0)
        extra = _variation(posts[i], spread_sum[i], spread_weight[i])
        if (value >= 3 and _stands_out(float(value), level * window_stream, extra)) or _stands_out(
            float(total), level * block_stream, extra
        ):
            flags[i] = 1


@njit(nogil=True, cache=True, boundscheck=False)
def pass_block(  # noqa: PLR0913, PLR0917 - arrays of a compiled loop
    block: NDArray[np.uint32], hour: NDArray[np.uint32], third: NDArray[np.uint16], second: NDArray[np.uint16],
    first: NDArray[np.uint16], posts: Floats, exposure: Floats, spread_sum: Floats, spread_weight: Floats,
    muted: NDArray[np.uint8], stream: Floats, memory: Floats, flags: NDArray[np.uint8],
) -> None:  # fmt: skip
    """As `groundswell.watch.emerging.levels.pass_block`; `third` is the place that the block takes."""
    for i in range(len(flags)):
        value: Any = min(np.int64(block[i]), 65_535)
        old = np.int64(third[i])
        total = np.int64(hour[i]) + value - old
        hour[i] = total
        third[i] = value
        known = posts[i]
        level = (known + 0.5) / (exposure[i] + 1.0)
        extra = _variation(known, spread_sum[i], spread_weight[i])
        if muted[i] == 0 and total >= 3:
            quarter = value + np.int64(second[i]) + np.int64(first[i])
            if (quarter >= 3 and _stands_out(float(quarter), level * stream[1], extra)) or _stands_out(
                float(total), level * stream[2], extra
            ):
                flags[i] = 1
        expected = level * stream[0]
        if expected >= 3.0 and known >= 10.0:
            bound = expected + 6.0 * np.sqrt(expected + extra * expected * expected) + 3.0
            off = min(float(value), bound) - expected
            single = (off * off - expected) / (expected * expected) - 1.0 / (known + 0.5)
            root = expected / (1.0 + 0.1 * expected)
            weight = root * root
            spread_sum[i] = memory[2] * spread_sum[i] + weight * single
            spread_weight[i] = memory[2] * spread_weight[i] + weight
        keep = memory[1] if known > 150.0 else memory[0]
        taught = 0.0
        if old > 0:
            then = level * stream[3]
            taught = min(float(old), then + 4.0 * np.sqrt(then + extra * then * then) + 3.0)
        posts[i] = keep * known + taught
        exposure[i] = keep * exposure[i] + stream[3]


def warm_topics() -> None:
    """Run every kernel of this file once on arrays as they will come."""
    seed, one, index = np.uint64(1), np.ones(1, np.uint64), np.zeros(4, np.int32)
    rows, table = np.zeros(1, np.int64), np.zeros((2, 4), np.uint64)
    count_terms(np.array([0, 1]), one, one, np.ones(1, np.uint32), rows, 0, table, 0, index, seed)
    place_terms(table, 0, index, seed)
    place_keys(one, 0, 0, index, seed)
    find_keys(one, one, index, seed, rows)
    mark_known(one, one, index, seed, np.zeros(1, np.bool_))
    floats, wide, narrow, flags = np.zeros(1), np.zeros(1, np.uint32), np.zeros(1, np.uint16), np.zeros(1, np.uint8)
    pass_window(wide, narrow, wide, floats, floats, floats, floats, flags, 0.0, 0.0, flags)
    pass_block(
        wide, wide, narrow, narrow, narrow, floats, floats, floats, floats, flags, np.zeros(4), np.ones(3), flags
    )
