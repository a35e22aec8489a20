"""What is usual for each term, and which terms are above it: one pass over all rows at each closed window.

A term's level is its share of what the stream posts, learned from blocks that are an hour old, so that a rise does not
teach itself; its spread is what its blocks vary more than chance would. The plain functions define what the compiled
`pass_window` and `pass_block` do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from groundswell.kernels import loaded
from groundswell.watch.emerging.candidates import BLOCKS, MOST, Candidates

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.uint8]

_DAY: Final = 86_400_000_000
#: Posts that every term is taken to have had (Jeffreys' prior of a Poisson rate).
PRIOR_POSTS: Final = 0.5
#: Memory of a level where posts are plenty, and of one that has hardly any.
_HALF_LIFE: Final = _DAY
_LONGEST: Final = 14 * _DAY
_PLENTY: Final = 150.0
#: A block teaches the level at most so many standard deviations above it.
_CLIP: Final = 4.0
_SPREAD_CLIP: Final = 6.0
_SPREAD_HALF_LIFE: Final = 7 * _DAY
#: Extra variation of a term of which nothing is known, and what that is worth.
_PRIOR_SPREAD: Final = 0.1
_PRIOR_WEIGHT: Final = 100.0
#: Terms at least so many standard deviations and authors above what is usual are looked at closely.
_LOOK: Final = 3.0
#: Posts from which on a level is known well enough to measure a spread around it.
_KNOWN: Final = 10.0
LEAST: Final = 3


@dataclass(frozen=True)
class Memory:
    """What is kept of sums from block to block."""

    long: float
    short: float
    spread: float

    @classmethod
    def of(cls, block_us: int) -> Memory:
        """For blocks of this length."""
        return cls(*(2.0 ** (-block_us / life) for life in (_LONGEST, _HALF_LIFE, _SPREAD_HALF_LIFE)))


def variation(posts: Floats, spread_sum: Floats, spread_weight: Floats) -> Floats:
    """Variance of a term's counts beyond chance, over the square of its mean: its spread, and its unknown level."""
    spread = (spread_sum + _PRIOR_SPREAD * _PRIOR_WEIGHT) / (spread_weight + _PRIOR_WEIGHT)
    return np.maximum(spread, 0.0) + 1.0 / (posts + PRIOR_POSTS)


def share(posts: Floats, exposure: Floats) -> Floats:
    """A term's part of what the stream posts."""
    return (posts + PRIOR_POSTS) / (exposure + 1.0)


def pass_window(terms: Candidates, at: int, window: float, block: float) -> Flags:
    """Take `now` into the window number `at` of its block; which terms are to be looked at.

    `window` and `block` are the stream's posts in the window and in the last windows that make a block.
    """
    kernel, n = loaded(), terms.used
    flags = np.zeros(n, np.uint8)
    if kernel is not None:
        kernel.pass_window(
            terms.now, terms.ring[at], terms.block, terms.posts, terms.exposure,
            terms.spread_sum, terms.spread_weight, terms.muted, window, block, flags,
        )  # fmt: skip
        return flags
    now, held = terms.now[:n], terms.ring[at, :n]
    terms.block[:n] += now - held
    held[:] = now
    level = share(terms.posts[:n], terms.exposure[:n])
    extra = variation(terms.posts[:n], terms.spread_sum[:n], terms.spread_weight[:n])
    for counts, stream in ((now, window), (terms.block[:n], block)):
        flags |= _stands_out(counts.astype(np.float64), level * stream, extra)
    flags[terms.muted[:n] != 0] = 0
    return flags


def _stands_out(counts: Floats, expected: Floats, extra: Floats) -> Flags:
    reach = _LOOK * np.sqrt(expected + extra * expected * expected)
    return ((counts >= LEAST) & (counts >= expected + reach)).astype(np.uint8)


def pass_block(terms: Candidates, at: int, stream: Floats, memory: Memory) -> Flags:
    """Take the closed block into place `at` of the hour; what stood there, an hour old, teaches. As `pass_window`.

    `stream` are the stream's posts: in this block, the last three, the last `BLOCKS`, and the block that was there.
    """
    kernel, n = loaded(), terms.used
    flags = np.zeros(n, np.uint8)
    second, third = terms.past[at - 1], terms.past[at - 2]
    if kernel is not None:
        kernel.pass_block(
            terms.block, terms.hour, terms.past[at], second, third, terms.posts, terms.exposure, terms.spread_sum,
            terms.spread_weight, terms.muted, stream, np.array([memory.long, memory.short, memory.spread]), flags,
        )  # fmt: skip
        return flags
    block, old = np.minimum(terms.block[:n], MOST), terms.past[at, :n].copy()
    terms.hour[:n] += block - old
    terms.past[at, :n] = block
    level = share(terms.posts[:n], terms.exposure[:n])
    extra = variation(terms.posts[:n], terms.spread_sum[:n], terms.spread_weight[:n])
    quarter = block.astype(np.float64) + second[:n] + third[:n]
    flags |= _stands_out(quarter, level * stream[1], extra)
    flags |= _stands_out(terms.hour[:n].astype(np.float64), level * stream[2], extra)
    flags[terms.muted[:n] != 0] = 0
    _learn(terms, block.astype(np.float64), old.astype(np.float64), level, extra, stream, memory)
    return flags


def _learn(
    terms: Candidates, block: Floats, old: Floats, level: Floats, extra: Floats, stream: Floats, memory: Memory
) -> None:
    n = terms.used
    posts = terms.posts[:n]
    then = level * stream[3]
    most = then + _CLIP * np.sqrt(then + extra * then * then) + LEAST
    keep = np.where(posts > _PLENTY, memory.short, memory.long)
    expected = level * stream[0]
    # A block in which hardly anything was expected says nothing of the spread, nor does a level that is not known.
    known = (expected >= LEAST) & (posts >= _KNOWN)
    bound = expected + _SPREAD_CLIP * np.sqrt(expected + extra * expected * expected) + LEAST
    off = np.minimum(block, bound) - expected
    usual = np.where(known, expected, 1.0)
    single = (off * off - usual) / (usual * usual) - 1.0 / (posts + PRIOR_POSTS)
    root = usual / (1.0 + 0.1 * usual)
    weight = root * root
    for array, new in ((terms.spread_sum, weight * single), (terms.spread_weight, weight)):
        array[:n] = np.where(known, memory.spread * array[:n] + new, array[:n])
    terms.posts[:n] = keep * posts + np.minimum(old, most)
    terms.exposure[:n] = keep * terms.exposure[:n] + stream[3]


__all__ = ["BLOCKS", "LEAST", "Memory", "pass_block", "pass_window", "share", "variation"]
