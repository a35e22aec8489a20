"""Reading the posts of the next batch while the last one is worked on, so that all cores have something to do."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Final, TypeVar

T = TypeVar("T")
R = TypeVar("R")

#: Batches that are read ahead: one is worked on, one is ready, one is read.
DEPTH: Final = 2


def ahead(read: Callable[[T], R], batches: Iterable[T], depth: int = DEPTH) -> Iterator[R]:
    """`read` of each batch, in order, up to `depth` of them by a thread of its own before they are asked for.

    What `read` or `batches` raise is raised where their batch is asked for. The thread takes the next batch only when
    there is room, so no more than `depth` wait, and none is taken any more once the caller has gone away.

    >>> list(ahead(lambda batch: batch * 2, [1, 2, 3]))
    [2, 4, 6]
    """
    source = iter(batches)

    def take() -> list[R]:
        return [read(batch) for batch in islice(source, 1)]

    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as worker:
        waiting = deque(worker.submit(take) for _ in range(depth))
        try:
            while done := waiting.popleft().result():
                waiting.append(worker.submit(take))
                yield done[0]
        finally:
            for future in waiting:
                future.cancel()
