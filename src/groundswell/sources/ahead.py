"""Making things ahead: a thread of its own prepares what comes next while the last one is still being used."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

#: How long a full queue is waited for before asking whether anybody still wants what is in it, in seconds.
_PATIENCE: Final = 0.1


class _End(Generic[T]):
    """What a maker puts last: nothing more comes, for this reason."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def ahead(items: Iterator[T], depth: int) -> Generator[T]:
    """The same items in the same order, made by a thread up to `depth` ahead of their use.

    Worth while where making and using both leave the interpreter (Arrow, NumPy, files). What the maker raises
    is raised at its place; closing the generator ends the thread before it returns, and closes `items`.

    >>> list(ahead(iter("abc"), 2))
    ['a', 'b', 'c']
    """
    made: queue.Queue[T | _End[T]] = queue.Queue(maxsize=depth)
    unwanted = threading.Event()

    def put(item: T | _End[T]) -> None:
        while not unwanted.is_set():
            try:
                made.put(item, timeout=_PATIENCE)
            except queue.Full:
                continue
            return

    def make() -> None:
        error: BaseException | None = None
        try:
            for item in items:
                put(item)
                if unwanted.is_set():
                    break
        except BaseException as raised:
            error = raised
        finally:
            if isinstance(items, Generator):
                items.close()
        put(_End(error))

    maker = threading.Thread(target=make, name="ahead", daemon=True)
    maker.start()
    try:
        while not isinstance(item := made.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        unwanted.set()
        maker.join()


def map_ahead(function: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """`function` of each item in order, worked out by `workers` threads a little ahead of its use.

    Items are taken in the caller's thread, at most two more of them than there are workers.

    >>> list(map_ahead(str.upper, "abc", 2))
    ['A', 'B', 'C']
    """
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="map-ahead") as pool:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > workers + 1:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
