"""What runs until it is told to stop, in a thread for the length of a block."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def running(work: Callable[[threading.Event], object]) -> Iterator[None]:
    """Do `work` meanwhile; it gets the event that ends it. What it raises is raised behind the block."""
    stop = threading.Event()
    failure: list[BaseException] = []

    def begin() -> None:
        try:
            work(stop)
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=begin)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if failure:
        raise failure[0]
