"""What is known of the stream's terms between two steps, and how it is written down: plain arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from groundswell.errors import UnreadableFileError
from groundswell.watch.emerging.candidates import ARRAYS, BLOCKS, Candidates
from groundswell.watch.emerging.pool import Pool, pool_bytes, pool_of
from groundswell.watch.emerging.rarity import CLASSES, Tails
from groundswell.watch.emerging.records import TopicRecord, TopicTerm
from groundswell.watch.emerging.window import WIDTH, WindowTerms

Arrays = dict[str, npt.NDArray[Any]]

_VERSION: Final = 1
_BLOCK_US: Final = 300_000_000
#: Earlier than any event.
NEVER: Final = -(1 << 62)


class OpenTopic(msgspec.Struct):
    """A topic that is not over."""

    record: TopicRecord
    lead: int
    """Key of the term that it was opened with; its series is the topic's."""
    terms: dict[int, TopicTerm]
    """What belongs to it, by key."""
    hot_us: int
    """Start of the last window in which one of its terms was rare."""
    points: list[tuple[int, int, float | None]]
    """Closed blocks of its leading term: start, authors, expected."""
    posts: int = 0
    """Posts of the leading term since the topic began."""


@dataclass
class Stream:
    """The stream's posts, by window of a block, by closed block, and all that are older than an hour, discounted."""

    ring: npt.NDArray[np.float64]
    past: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(BLOCKS))
    exposure: float = 0.0
    block: int = 0
    """Number of closed blocks so far: the place of the next one in `past`."""


@dataclass
class Emerging:
    """The state. `window_us` is the length of a window; 0 until the first post."""

    seed: int = 0
    """Places hashes in tables; nothing that comes out depends on it."""
    window_us: int = 0
    first_us: int = NEVER
    """Start of the first window."""
    next_us: int = NEVER
    """Start of the window that closes next."""
    serial: int = 0
    """Posts counted so far: numbers them."""
    open: dict[int, WindowTerms] = field(default_factory=dict)
    """Windows that are not closed, by their start."""
    terms: Candidates = field(default_factory=lambda: Candidates(1))
    stream: Stream = field(default_factory=lambda: Stream(np.zeros(1)))
    tails: Tails = field(default_factory=Tails)
    pool: Pool = field(default_factory=Pool.empty)
    hot: npt.NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    """Keys of terms that stood out in the last closed window, sorted: posts that hold them are kept first."""
    topics: list[OpenTopic] = field(default_factory=list)
    trackers: list[str] = field(default_factory=list)
    """Ids of the trackers that kept posts matched, by their number in the pool."""

    @classmethod
    def empty(cls, seed: int = 0) -> Emerging:
        """Nothing known."""
        return cls(seed=seed)

    @property
    def block_us(self) -> int:
        """Length of a block: five minutes where windows divide them, else a window."""
        return _BLOCK_US if self.window_us and _BLOCK_US % self.window_us == 0 else self.window_us

    @property
    def nbytes(self) -> int:
        """Memory of the large arrays, bytes."""
        windows = sum(one.rows.nbytes + (0 if one.index is None else one.index.nbytes) for one in self.open.values())
        return self.terms.nbytes + windows + self.pool.nbytes

    def begin(self, window_us: int) -> None:
        """Begin anew with windows of this length."""
        self.window_us = window_us
        windows = self.block_us // window_us
        self.first_us = self.next_us = NEVER
        self.open, self.pool, self.topics = {}, Pool.empty(), []
        self.terms, self.stream, self.tails = Candidates(windows), Stream(np.zeros(windows)), Tails()


class _Document(msgspec.Struct):
    version: int
    seed: int
    window_us: int
    first_us: int
    next_us: int
    serial: int
    used: int
    floor: float
    turned_away: int
    exposure: float
    block: int
    days: float
    windows: list[tuple[int, int, int, int]]
    topics: list[OpenTopic]
    trackers: list[str]


def dump(state: Emerging) -> Arrays:
    """The state as arrays of one dimension, by name."""
    terms, stream = state.terms, state.stream
    windows = [(start, one.used, one.posts, one.dropped) for start, one in state.open.items()]
    document = _Document(
        _VERSION, state.seed, state.window_us, state.first_us, state.next_us, state.serial, terms.used, terms.floor,
        terms.turned_away, stream.exposure, stream.block, state.tails.days, windows, state.topics, state.trackers,
    )  # fmt: skip
    rows = [one.rows[: one.used].ravel() for one in state.open.values()]
    arrays: Arrays = {
        "document": np.frombuffer(msgspec.msgpack.encode(document), np.uint8),
        "windows": np.concatenate(rows) if rows else np.zeros(0, np.uint64),
        "stream_ring": stream.ring,
        "stream_past": stream.past,
        "tail_count": state.tails.count,
        "tail_excess": state.tails.excess,
        "hot": state.hot,
        "door": terms.door,
        "pool": pool_bytes(state.pool),
    }
    return arrays | {f"term_{name}": array[..., : terms.used].ravel() for name, array in terms.arrays()}


def load(arrays: Arrays) -> Emerging:
    """The state that `dump` wrote down.

    Raises:
        UnreadableFileError: it is of another version.
    """
    document = msgspec.msgpack.decode(arrays["document"].tobytes(), type=_Document)
    if document.version != _VERSION:
        what = f"emerging topics of version {document.version}, not {_VERSION}"
        raise UnreadableFileError(what, hint="remove the state of the watch to start it anew")
    state = Emerging(
        seed=document.seed,
        window_us=document.window_us,
        first_us=document.first_us,
        next_us=document.next_us,
        serial=document.serial,
        terms=_terms_of(arrays, document),
        stream=Stream(arrays["stream_ring"].copy(), arrays["stream_past"].copy(), document.exposure, document.block),
        tails=Tails(arrays["tail_count"].copy(), arrays["tail_excess"].copy(), document.days),
        pool=pool_of(arrays["pool"]),
        hot=arrays["hot"].copy(),
        topics=document.topics,
        trackers=document.trackers,
    )
    at = 0
    for start, used, posts, dropped in document.windows:
        rows = np.zeros((max(WindowTerms().rows.shape[0], _power(used)), WIDTH), np.uint64)
        rows[:used] = arrays["windows"][at : at + used * WIDTH].reshape(-1, WIDTH)
        state.open[start] = WindowTerms(rows, used, posts, dropped)
        at += used * WIDTH
    return state


def _terms_of(arrays: Arrays, document: _Document) -> Candidates:
    terms = Candidates(len(arrays["stream_ring"]), document.used, document.floor, document.turned_away)
    room = max(terms.room, _power(document.used))
    for name in ARRAYS:
        shape = getattr(terms, name).shape[:-1]
        whole = np.zeros((*shape, room), arrays[f"term_{name}"].dtype)
        whole[..., : document.used] = arrays[f"term_{name}"].reshape(*shape, document.used)
        setattr(terms, name, whole)
    terms.door = arrays["door"].copy()
    return terms


def _power(number: int) -> int:
    return 1 << max(0, number - 1).bit_length()


__all__ = ["CLASSES", "NEVER", "Emerging", "OpenTopic", "Stream", "dump", "load"]
