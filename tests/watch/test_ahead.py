"""Batches that are read while the last one is worked on."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from groundswell.watch.ahead import ahead


def test_batches_come_in_order_and_each_once() -> None:
    assert list(ahead(str, range(20), 3)) == [str(n) for n in range(20)]
    assert list(ahead(str, [])) == []


def test_the_next_batch_is_read_while_one_is_worked_on() -> None:
    read = [threading.Event() for _ in range(4)]

    def note(n: int) -> int:
        read[n].set()
        return n

    for n in ahead(note, range(4), 1):
        assert n == 3 or read[n + 1].wait(10)


def test_no_more_are_taken_than_there_is_room_for() -> None:
    taken: list[int] = []

    def batches() -> Iterator[int]:
        for n in range(100):
            taken.append(n)
            yield n

    reader = ahead(lambda n: n, batches(), 2)
    assert next(reader) == 0
    reader.close()  # type: ignore[attr-defined]
    assert len(taken) <= 4


def test_what_goes_wrong_is_raised_where_its_batch_is_asked_for() -> None:
    reader = ahead(lambda n: 1 // n, [1, 0, 1], 2)
    assert next(reader) == 1
    with pytest.raises(ZeroDivisionError):
        next(reader)
