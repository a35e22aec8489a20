"""Reading the posts of the next batch while the last one is worked on, so that all cores have something to do."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Final, TypeVar

T = TypeVar("T")
R = TypeVar("R")

#: Batches that are read ahead: one is worked on, one is ready, one is read.
DEPTH: Final = 2


def ahead(read: Callable[[T], R], batches: Iterable[T], depth: int = DEPTH) -> Iterator[R]:
    """`read` of each batch, in order, up to `depth` of them by a thread of its own before they are asked for.

    What `read` raises is raised where its batch is asked for. The thread takes the next batch from `batches` only when
    there is room, so no more than `depth` wait, and none is taken any more once the caller has gone away.

    >>> list(ahead(lambda batch: batch * 2, [1, 2, 3]))
    [2, 4, 6]
    """
    source = iter(batches)
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as worker:
        waiting: deque[Future[R]] = deque(worker.submit(read, batch) for batch in islice(source, depth))
        try:
            while waiting:
                done = waiting.popleft().result()
                waiting.extend(worker.submit(read, batch) for batch in islice(source, 1))
                yield done
        finally:
            for future in waiting:
                future.cancel()
