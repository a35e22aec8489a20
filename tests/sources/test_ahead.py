import threading
from collections.abc import Iterator

import pytest

from groundswell.sources.ahead import ahead, map_ahead


def test_items_keep_their_order() -> None:
    assert list(ahead(iter(range(1_000)), 3)) == list(range(1_000))


def test_what_the_maker_raises_is_raised_after_what_it_made() -> None:
    def broken() -> Iterator[int]:
        yield 1
        message = "no more"
        raise ValueError(message)

    items = ahead(broken(), 4)
    assert next(items) == 1
    with pytest.raises(ValueError, match="no more"):
        next(items)


def test_closing_early_ends_the_thread_and_closes_the_source() -> None:
    closed = threading.Event()

    def endless() -> Iterator[int]:
        try:
            number = 0
            while True:
                yield number
                number += 1
        finally:
            closed.set()

    items = ahead(endless(), 2)
    assert next(items) == 0
    items.close()
    assert closed.is_set()
    assert not any(thread.name == "ahead" for thread in threading.enumerate())


def test_results_keep_the_order_of_their_items() -> None:
    turns = [threading.Event() for _ in range(40)]

    def work(number: int) -> int:
        # Even ones wait for the one behind them, so that they end out of order.
        if number % 2:
            turns[number - 1].set()
        elif number < len(turns) - 1:
            turns[number].wait(60)
        return number * number

    assert list(map_ahead(work, range(40), 2)) == [number * number for number in range(40)]


def test_what_a_worker_raises_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        list(map_ahead(lambda number: 1 // number, [2, 1, 0], 2))
