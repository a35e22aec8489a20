"""Levels of words from posts that are known already: what is usual is known before the first window closes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from groundswell.watch.contract import Terms
from groundswell.watch.emerging.candidates import BLOCKS, MOST
from groundswell.watch.emerging.flow import end_block, look_at_block, note_peaks, post_terms, turn_hour
from groundswell.watch.emerging.records import TopicParams
from groundswell.watch.emerging.state import NEVER, Emerging
from groundswell.watch.emerging.window import WindowTerms

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]


@dataclass
class Past:
    """Teaches `state`, which knows nothing yet, posts of the past in the order of their time, block by block."""

    state: Emerging
    window_us: int
    params: TopicParams

    def __post_init__(self) -> None:
        """Begin with windows of this length."""
        self.state.begin(self.window_us)
        self._block = WindowTerms()
        self._start = NEVER

    def add(self, terms: Terms, created_us: Ints, author: Hashes, identity: Hashes) -> None:
        """Learn posts no earlier than those before; `terms` by row as of `contract.Arrivals`, the others one a post."""
        numbers = self.state.serial + np.arange(len(author))
        self.state.serial += len(author)
        posts = post_terms(terms, author, identity, numbers)
        starts = created_us // self.state.block_us * self.state.block_us
        blocks, first = np.unique(starts, return_index=True)
        for start, rows in zip(blocks.tolist(), np.split(np.arange(len(author)), first[1:]), strict=True):
            self._go_on(start)
            self._block.add(posts, rows, self.params.window_terms, self.state.seed)

    def end(self, until_us: int) -> None:
        """Close all blocks that end by `until_us`, where the stream goes on."""
        if self._start != NEVER:
            self._go_on(until_us // self.state.block_us * self.state.block_us)

    def _go_on(self, start: int) -> None:
        """Close blocks up to that which begins at `start`; of those without posts as many as an hour has."""
        if self._start == NEVER:
            self._start = self.state.first_us = start
        block_us = self.state.block_us
        while self._start < start:
            self._close()
            self._block = WindowTerms()
            self._start = max(self._start + block_us, start - (BLOCKS + 1) * block_us)
        self.state.next_us = self._start

    def _close(self) -> None:
        state, terms, stream = self.state, self.state.terms, self.state.stream
        terms.take_window(self._block, self.params.candidates, stream.exposure, stream.block, state.seed)
        # The block as if all of it had come in its last window.
        n = terms.used
        terms.block[:n] = terms.now[:n]
        terms.ring[:, :n] = 0
        terms.ring[-1, :n] = np.minimum(terms.now[:n], MOST)
        stream.ring[:] = 0
        stream.ring[-1] = block = float(self._block.posts)
        rows = np.flatnonzero(end_block(state, block))
        if self._start - state.first_us >= self.params.warm_us:
            note_peaks(state, look_at_block(state, rows, block, ()))
        if stream.block % BLOCKS == 0:
            turn_hour(state, self._start + state.block_us)
