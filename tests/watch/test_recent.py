from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from groundswell.testing.streams import START, make_posts
from groundswell.watch import recent as recent_module
from groundswell.watch.arrivals import TableArrivals
from groundswell.watch.contract import Pairs
from groundswell.watch.recent import Recent, prune, remember, trim
from groundswell.watch.seen import Seen, hash_bytes, identities


def kept_after(
    order: np.ndarray[tuple[int], np.dtype[np.int64]], step: int, keep: int, *, pruned: bool = True
) -> list[tuple[int, str]]:
    posts = make_posts([START] * 50, ["a"] * 50, followers=[n % 7 for n in range(50)])
    recent, windows = Recent.empty(), np.full(50, START)
    matches = np.array([[True] * 50, [n % 2 == 0 for n in range(50)]])
    for begin in range(0, 50, step):
        rows = order[begin : begin + step]
        row, at = np.nonzero(matches[:, rows].T)
        recent = remember(recent, TableArrivals(posts.take(pa.array(rows))), Pairs(at, row), windows[rows][row], keep)
        recent = prune(recent, keep) if pruned else recent
    recent = prune(recent, keep)
    out = []
    for slot in (0, 1):
        mine, _ = recent.of(slot, START, START + 1)
        out += [(slot, post) for post in mine.column("post_id").to_pylist()]
    return out


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_which_posts_are_kept_does_not_depend_on_order_or_batches(seed: int) -> None:
    shuffled = np.random.default_rng(seed).permutation(50)
    first = kept_after(np.arange(50), 50, 10)
    assert kept_after(shuffled, 7, 10) == first
    assert len(first) == 20


def test_those_of_greatest_reach_are_kept() -> None:
    kept = {int(post) % 7 for slot, post in kept_after(np.arange(50), 50, 7) if slot == 0}
    assert kept == {6}


def test_a_post_is_known_by_platform_and_id_and_without_an_id_by_its_key() -> None:
    posts = make_posts([START] * 4, ["a"] * 4, ids=["1", "1", None, None], key=[b"p", b"q", b"r", b"r"])
    identity = identities(posts)
    assert identity[0] == identity[1]
    assert identity[2] == identity[3]
    elsewhere = identities(make_posts([START], ["a"], ids=["1"], platform=["tiktok"]))
    assert elsewhere[0] != identity[0]


def test_hashes_of_different_texts_differ_and_slices_hash_alike() -> None:
    texts = pa.array([str(n) for n in range(20_000)] + ["a" * n for n in range(1, 1500)] + ["", None], pa.string())
    hashes = hash_bytes(texts)
    assert len(np.unique(hashes)) == len(texts) - 1
    assert np.array_equal(hash_bytes(texts[500:600]), hashes[500:600])
    assert len(hash_bytes(pa.array([], pa.string()))) == 0


def test_seen_knows_what_a_set_knows() -> None:
    rng = np.random.default_rng(1)
    seen, known = Seen(), set()
    for n in range(60):
        most = 300 if n % 2 else 1 << 40  # few of so many are the same
        windows, hashes = rng.integers(0, 3, 40), rng.integers(0, most, 40).astype(np.uint64)
        new = seen.add(windows, hashes)
        for window, value, is_new in zip(windows.tolist(), hashes.tolist(), new.tolist(), strict=True):
            assert is_new == ((window, value) not in known)
            known.add((window, value))
    assert {(window, value) for window, runs in seen.runs.items() for run in runs for value in run.tolist()} == known
    assert all((np.diff(run) > 0).all() for runs in seen.runs.values() for run in runs)
    seen.forget(2)
    assert seen.runs.keys() == {2}


@pytest.mark.parametrize("looked_at", [1, 20, 10_000])
def test_what_a_post_must_surpass_changes_nothing_but_the_work(monkeypatch: pytest.MonkeyPatch, looked_at: int) -> None:
    first = kept_after(np.arange(50), 50, 5)
    monkeypatch.setattr(recent_module, "_LOOK_AT", looked_at)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(50)
        assert kept_after(order, 3, 5, pruned=False) == first


def test_a_post_that_cannot_stay_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_module, "_LOOK_AT", 1)
    posts = make_posts([START] * 40, ["a"] * 40, followers=list(range(40, 0, -1)))
    recent, all_of_one = Recent.empty(), np.zeros(20, dtype=np.int64)
    for begin in (0, 20):
        arrivals = TableArrivals(posts.slice(begin, 20))
        recent = remember(recent, arrivals, Pairs(all_of_one, np.arange(20)), np.full(20, START), 10)
    assert recent.posts.num_rows == 10
    assert len(trim(recent, START, 10).pairs.slot) == 10


def test_no_post_of_a_time_without_windows_has_all_columns() -> None:
    posts = make_posts([START] * 3, ["a"] * 3)
    pairs = Pairs(np.zeros(3, np.int64), np.arange(3))
    recent = remember(Recent.empty(), TableArrivals(posts), pairs, np.full(3, START), 10)
    none, identities_of = recent.of(0, START, START)
    assert none.num_rows == len(identities_of) == 0
    assert none.schema == recent.posts.schema
