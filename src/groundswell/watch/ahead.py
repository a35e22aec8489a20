"""The next batches of the journal, read while one is stepped, so that all cores have something to do."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from groundswell.bus import Block, Connected
from groundswell.query import Matcher
from groundswell.telemetry import stage
from groundswell.watch.batches import Ways, arrivals_of
from groundswell.watch.contract import Arrivals
from groundswell.watch.plan import limits

if TYPE_CHECKING:
    from groundswell.engines.contract import Engine
    from groundswell.importing.handover import Handover
    from groundswell.platforms import Registry
    from groundswell.settings import Settings


#: Batches that are read ahead, at most. Two smaller ones would take the same memory, and more of the processor's time.
DEPTH: Final = 1


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


def parser(engine: Engine | None, registry: Registry, settings: Settings, handover: Handover | None = None) -> Parse:
    """Reads posts by the compiled kernels and this engine, each part of a batch matched by the thread that reads it.

    The engine is null where nobody asks. `handover` gets whole rows where the lake writer can take them from there.
    """

    def parse(blocks: Sequence[Block], wanted: Wanted) -> Arrivals:
        assert engine is not None  # noqa: S101 - only who reads elsewhere goes without
        return arrivals_of(blocks, Ways(engine, registry, settings, wanted.clock_us, wanted.matcher, handover))

    return parse


class ReadAhead:
    """Reads some batches ahead, in threads of its own that end with `close`.

    A batch that was read ahead is a guess. Who asks for one gets it only where it is the very same that reading now
    would give; else it is forgotten with all that follow, and read here and now. What goes wrong while reading ahead is
    raised where the batch is asked for, and nowhere if it never is.
    """

    def __init__(self, journal: Reader, parse: Parse) -> None:
        """`parse` is called in several threads at once."""
        self._journal = journal
        self._parse = parse
        self._workers: ThreadPoolExecutor | None = None
        self._guesses: deque[_Guess] = deque()

    def go_on(self, done: Wanted, clock_us: int, max_span_us: int | None = None) -> None:
        """Begin to read what is behind a batch that is about to be stepped, as far as it is whole.

        `clock_us` is the clock before it. What comes in meanwhile cannot make a whole batch longer, and it is not the
        newest, so its clock does not depend on when it is done. Never more than `DEPTH` batches are held.
        """
        first = self._guesses[0].wanted if self._guesses else None
        if first is not None and (first.first_block != done.last_block + 1 or first.matcher is not done.matcher):
            self.forget()
        newest, clock_us = self._journal.last_block(), max(done.clock_us, clock_us)
        while len(self._guesses) < DEPTH:
            before = self._guesses[-1] if self._guesses else None
            at = done.last_block if before is None else before.wanted.last_block
            if newest <= at + 1:
                return
            last = self._journal.borders(at, *limits(), max_span_us)
            if last >= newest:
                return
            if self._workers is None:
                self._workers = ThreadPoolExecutor(DEPTH, thread_name_prefix="ahead")
            wanted, fetched = Wanted(at + 1, last, clock_us, done.matcher), Future[_Fetched]()
            clock = None if before is None else before.fetched
            self._guesses.append(_Guess(wanted, fetched, self._workers.submit(self._work, wanted, clock, fetched)))

    def blocks(self, first_block: int, last_block: int) -> Sequence[Block]:
        """The blocks of a batch, read ahead or now."""
        guess = self._guesses[0] if self._guesses else None
        if guess is not None and (guess.wanted.first_block, guess.wanted.last_block) == (first_block, last_block):
            error = guess.fetched.exception()
            if error is not None:
                self.forget()
                raise error
            return guess.fetched.result().blocks
        with stage("watch", "read"):
            return self._journal.between(first_block, last_block)

    def posts(self, blocks: Sequence[Block], wanted: Wanted) -> Arrivals:
        """The posts of a batch of these blocks, read ahead or now; what was read ahead is given away or forgotten."""
        guess = self._guesses[0] if self._guesses else None
        if not blocks or guess is None:
            return self._read(blocks, wanted)
        if guess.fetched.exception() is None and guess.fetched.result().wanted.fits(wanted):
            self._guesses.popleft()
            return guess.posts.result()
        self.forget()
        return self._read(blocks, wanted)

    def forget(self) -> None:
        """Let go of what was read ahead, once it is."""
        while self._guesses:
            self._guesses.popleft().posts.exception()  # waits; whoever asks for the batch meets it anew

    def close(self) -> None:
        """End the threads; what they read is forgotten."""
        self.forget()
        if self._workers is not None:
            self._workers.shutdown()
            self._workers = None

    def _work(self, wanted: Wanted, before: Future[_Fetched] | None, fetched: Future[_Fetched]) -> Arrivals:
        try:
            with stage("watch", "read"):
                blocks = self._journal.between(wanted.first_block, wanted.last_block)
            if before is not None:  # its clock goes on with the one before it, whose blocks were asked for first
                wanted = replace(wanted, clock_us=max(wanted.clock_us, before.result().wanted.clock_us))
            wanted = wanted.received(blocks)
        except BaseException as error:
            fetched.set_exception(error)
            raise
        fetched.set_result(_Fetched(wanted, blocks))
        return self._read(blocks, wanted)

    def _read(self, blocks: Sequence[Block], wanted: Wanted) -> Arrivals:
        with stage("watch", "parse"):
            return self._parse(blocks, wanted)


@dataclass(frozen=True, slots=True)
class _Fetched:
    """The blocks of a batch, and the batch with its clock."""

    wanted: Wanted
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class _Guess:
    wanted: Wanted
    fetched: Future[_Fetched]
    posts: Future[Arrivals]
