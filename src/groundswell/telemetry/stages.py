"""Stages: named pieces of work whose length and failures are told to whoever listens."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Final, Protocol, Self, TypeVar

T = TypeVar("T")

Fact = str | int | float | bool
"""What may be said of a stage: a count, a name."""


class Listener(Protocol):
    """Is told of every stage, count and level of this process; called from any thread, and must never raise."""

    def begin(self, part: str, name: str) -> object:
        """A stage begins; what this gives is handed back to `end`."""
        ...

    def end(
        self,
        begun: object,
        part: str,
        name: str,
        seconds: float,
        facts: dict[str, Fact],
        error: BaseException | None,
    ) -> None:
        """A stage has ended, with an error or without."""
        ...

    def count(self, name: str, amount: float, labels: tuple[str, ...]) -> None:
        """So many more of something."""
        ...

    def level(self, name: str, value: float, labels: tuple[str, ...]) -> None:
        """How much of something there is now."""
        ...


_listeners: tuple[Listener, ...] = ()


def listen(listener: Listener) -> None:
    """Tell `listener` of everything from now on; twice is once."""
    global _listeners  # noqa: PLW0603 - what is said of a process is one for the process
    if listener not in _listeners:
        _listeners = (*_listeners, listener)


def leave(listener: Listener) -> None:
    """Tell `listener` nothing more."""
    global _listeners  # noqa: PLW0603 - as above
    _listeners = tuple(one for one in _listeners if one is not listener)


def is_heard() -> bool:
    """Whether anybody listens; for what costs something only to be told."""
    return bool(_listeners)


class Stage:
    """One piece of work; use it with `with`."""

    __slots__ = ("_begun", "_facts", "_opened", "_told", "name", "part")

    def __init__(self, part: str, name: str, facts: dict[str, Fact]) -> None:
        self.part = part
        self.name = name
        self._facts = facts

    def note(self, **facts: Fact) -> None:
        """Say something that is only known later."""
        self._facts.update(facts)

    def __enter__(self) -> Self:
        self._told = _listeners
        self._opened = [one.begin(self.part, self.name) for one in self._told]
        self._begun = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds = time.perf_counter() - self._begun
        # In the reverse order, as they were begun around each other.
        for one, begun in zip(reversed(self._told), reversed(self._opened), strict=True):
            one.end(begun, self.part, self.name, seconds, self._facts, error)


class _Unheard(Stage):
    """The stage that nobody listens to; one for all."""

    __slots__ = ()

    def note(self, **facts: Fact) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


_UNHEARD: Final = _Unheard("", "", {})


class _End:
    """What an iterator gives after its last item."""


_END: Final = _End()


def stage(part: str, name: str, /, **facts: Fact) -> Stage:
    """A piece of work of a part of the product, such as `stage("watch", "step", records=500)`.

    `part` and `name` come from a small fixed set (they are labels of metrics); what differs from one time to the next
    belongs into `facts`, which only traces show.

    >>> with stage("watch", "step") as step:
    ...     step.note(records=500)
    """
    return Stage(part, name, facts) if _listeners else _UNHEARD


def each(part: str, name: str, items: Iterable[T]) -> Iterator[T]:
    """The items, each of whose making is a stage.

    >>> list(each("import", "read", [1, 2]))
    [1, 2]
    """
    if not _listeners:
        yield from items
        return
    left = iter(items)
    while True:
        with stage(part, name):
            item = next(left, _END)
        if isinstance(item, _End):
            return
        yield item


def count(name: str, amount: float = 1, *labels: str) -> None:
    """Add to a counter of `metrics.COUNTERS`, with its labels in their order."""
    for one in _listeners:
        one.count(name, amount, labels)


def level(name: str, value: float, *labels: str) -> None:
    """Set a gauge of `metrics.GAUGES`, with its labels in their order."""
    for one in _listeners:
        one.level(name, value, labels)
