"""How long a thread waits for a store at most, and what ends its waiting."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_MINE: Final = threading.local()


@contextmanager
def hurried(seconds: float) -> Iterator[None]:
    """Within the block this thread waits no longer than so for a store: somebody wants an answer now."""
    before = getattr(_MINE, "seconds", None)
    _MINE.seconds = seconds
    try:
        yield
    finally:
        _MINE.seconds = before


@contextmanager
def until(stop: threading.Event) -> Iterator[None]:
    """Within the block this thread gives up waiting for a store as soon as `stop` is set."""
    before = getattr(_MINE, "stop", None)
    _MINE.stop = stop
    try:
        yield
    finally:
        _MINE.stop = before


def at_most(seconds: float) -> float:
    """The lesser of `seconds` and what this thread was told."""
    return min(seconds, getattr(_MINE, "seconds", None) or seconds)


def ended() -> threading.Event:
    """Set when this thread is to wait no longer."""
    found: threading.Event | None = getattr(_MINE, "stop", None)
    return threading.Event() if found is None else found
