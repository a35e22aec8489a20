"""The next batch of the journal, read while the last one is stepped, so that all cores have something to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from groundswell.bus import Block, Connected
from groundswell.query import Matcher
from groundswell.telemetry import stage
from groundswell.watch.batches import Ways, arrivals_of
from groundswell.watch.contract import Arrivals
from groundswell.watch.plan import limits

if TYPE_CHECKING:
    from groundswell.engines.contract import Engine
    from groundswell.platforms import Registry
    from groundswell.settings import Settings


class Reader(Protocol):
    """What the loop asks of a bus: numbered blocks of records, and when the sources were connected."""

    def borders(self, after_block: int, max_records: int, max_bytes: int, max_span_us: int | None = None) -> int:
        """The last block of the next batch; `after_block` if there is none."""

    def between(self, first: int, last: int) -> Sequence[Block]:
        """The blocks of these numbers that are there."""

    def last_block(self) -> int:
        """Number of the newest block."""

    def connections(self, since_us: int = 0) -> Sequence[Connected]:
        """The intervals in which sources were connected that reach beyond a time."""

    def complete_until(self, now_us: int) -> int:
        """Time of receipt up to which everything is there: the clock of quiet windows goes no further."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What decides the posts of a batch: its blocks (numbers, first to last), its clock and the trackers' queries."""

    first_block: int
    last_block: int
    clock_us: int
    """While a batch is only expected: the clock before it, which what its blocks hold moves on."""
    matcher: Matcher

    def received(self, blocks: Sequence[Block]) -> Wanted:
        """The same once its blocks are there: the clock goes on to the last receipt."""
        clock_us = max([self.clock_us, *(block.received_to_us for block in blocks)])
        return Wanted(self.first_block, self.last_block, clock_us, self.matcher)

    def fits(self, other: Wanted) -> bool:
        """Whether the posts of the one are those of the other."""
        mine, its = ((each.first_block, each.last_block, each.clock_us) for each in (self, other))
        return mine == its and self.matcher is other.matcher


Parse = Callable[[Sequence[Block], Wanted], Arrivals]
"""The posts of some blocks."""


def parser(engine: Engine | None, registry: Registry, settings: Settings) -> Parse:
    """Reads posts by the compiled kernels and this engine, each part of a batch matched by the thread that reads it.

    The engine is null where nobody asks.
    """

    def parse(blocks: Sequence[Block], wanted: Wanted) -> Arrivals:
        assert engine is not None  # noqa: S101 - only who reads elsewhere goes without
        return arrivals_of(blocks, Ways(engine, registry, settings, wanted.clock_us, wanted.matcher))

    return parse


class ReadAhead:
    """Reads one batch ahead, in a thread of its own that ends with `close`.

    A batch that was read ahead is a guess. Who asks for one gets it only where it is the very same that reading now
    would give; else the guess is forgotten, and it is read here and now. What goes wrong while reading ahead is raised
    where the batch is asked for, and nowhere if it never is.
    """

    def __init__(self, journal: Reader, parse: Parse) -> None:
        """`parse` is called in both threads, though not at once."""
        self._journal = journal
        self._parse = parse
        self._worker: ThreadPoolExecutor | None = None
        self._guess: _Guess | None = None

    def go_on(self, done: Wanted, clock_us: int, max_span_us: int | None = None) -> None:
        """Begin to read the batch behind one that is about to be stepped, if it is whole; `clock_us` is its clock.

        What comes in meanwhile cannot make it longer then, and it is not the newest, so its clock does not depend on
        when it is done. Never more than one batch is held: an older guess is forgotten first.
        """
        self.forget()
        newest = self._journal.last_block()
        if newest <= done.last_block + 1:
            return
        last = self._journal.borders(done.last_block, *limits(), max_span_us)
        if last >= newest:
            return
        if self._worker is None:
            self._worker = ThreadPoolExecutor(1, thread_name_prefix="ahead")
        wanted = Wanted(done.last_block + 1, last, max(done.clock_us, clock_us), done.matcher)
        blocks: Future[Sequence[Block]] = Future()
        self._guess = _Guess(wanted, blocks, self._worker.submit(self._work, wanted, blocks))

    def blocks(self, first_block: int, last_block: int) -> Sequence[Block]:
        """The blocks of a batch, read ahead or now."""
        guess = self._guess
        if guess is not None and (guess.wanted.first_block, guess.wanted.last_block) == (first_block, last_block):
            if guess.blocks.exception() is not None:
                self._guess = None
            return guess.blocks.result()
        with stage("watch", "read"):
            return self._journal.between(first_block, last_block)

    def posts(self, blocks: Sequence[Block], wanted: Wanted) -> Arrivals:
        """The posts of a batch of these blocks, read ahead or now; what was read ahead is given away or forgotten."""
        guess = self._guess
        if not blocks or guess is None:
            return self._read(blocks, wanted)
        if guess.wanted.received(blocks).fits(wanted):
            self._guess = None
            return guess.posts.result()
        self.forget()
        return self._read(blocks, wanted)

    def forget(self) -> None:
        """Let go of what was read ahead, once it is."""
        guess, self._guess = self._guess, None
        if guess is not None:
            guess.posts.exception()  # waits; whoever asks for the batch meets it anew

    def close(self) -> None:
        """End the thread; what it read is forgotten."""
        self.forget()
        if self._worker is not None:
            self._worker.shutdown()
            self._worker = None

    def _work(self, wanted: Wanted, blocks: Future[Any]) -> Arrivals:
        try:
            with stage("watch", "read"):
                fetched = self._journal.between(wanted.first_block, wanted.last_block)
        except BaseException as error:
            blocks.set_exception(error)
            raise
        blocks.set_result(fetched)
        return self._read(fetched, wanted.received(fetched))

    def _read(self, blocks: Sequence[Block], wanted: Wanted) -> Arrivals:
        with stage("watch", "parse"):
            return self._parse(blocks, wanted)


@dataclass(frozen=True, slots=True)
class _Guess:
    wanted: Wanted
    blocks: Future[Sequence[Block]]
    posts: Future[Arrivals]
