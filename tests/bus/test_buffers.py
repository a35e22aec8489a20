"""Memory that is used again."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from groundswell.bus.buffers import STEP, Buffers, Bytes


def _place(array: Bytes) -> int:
    return int(array.__array_interface__["data"][0])


def test_memory_that_nobody_holds_is_used_again() -> None:
    buffers = Buffers()
    first = buffers.take(STEP + 1)
    place = _place(first)
    del first
    assert buffers.free == 2 * STEP
    again = buffers.take(2 * STEP)
    assert _place(again) == place
    assert again.flags.writeable


def test_memory_is_not_used_again_while_anything_is_left_of_it() -> None:
    keep: list[Callable[[Bytes], object]] = [
        lambda array: array[3:9],
        lambda array: array[3:][1:].reshape(-1, 1).T,
        lambda array: array.data.toreadonly()[7:],
        lambda array: np.frombuffer(array.data[8:64], np.int64),
        lambda array: pa.py_buffer(array).slice(9),
        lambda array: pa.array(array[16:]),
    ]
    buffers = Buffers()
    for part_of in keep:
        part = part_of(buffers.take(STEP))
        gc.collect()
        assert buffers.free == 0
        del part
        assert buffers.free == STEP
        buffers._free.clear()


def test_no_more_than_its_share_of_free_memory_is_kept() -> None:
    buffers = Buffers(kept=2 * STEP)
    loans = [buffers.take(STEP) for _ in range(5)]
    del loans
    assert buffers.free == 2 * STEP
    assert len(buffers.take(10)) == 10


def test_threads_never_get_the_same_memory() -> None:
    buffers, wrong = Buffers(), list[int]()

    def work(mark: int) -> None:
        for _ in range(200):
            mine = buffers.take(STEP)
            mine[:: STEP // 8] = mark
            if not (mine[:: STEP // 8] == mark).all():
                wrong.append(mark)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
