"""Runs of keys: look-ups against a Python set, compiled and plain, in memory and mapped, in windows and whole."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell import kernels
from groundswell.lake import keyruns
from groundswell.lake.keyruns import KeyRun, in_file, mapped_run, merged, opened, ordered, put

#: Keys that share their first half, their bucket or their mark are the hard cases.
HIGH = st.one_of(st.integers(0, 3), st.integers(0, 3).map(lambda n: (n << 62) + n), st.integers(0, 2**64 - 1))
KEYS = st.lists(st.tuples(HIGH, st.integers(0, 2)), max_size=40)
Keys = list[tuple[int, int]]


@pytest.fixture(autouse=True)
def _unloaded() -> Iterator[None]:
    yield
    kernels.unload()


@pytest.fixture(autouse=True, scope="module")
def _narrow() -> Iterator[None]:
    """Windows and steps of a few keys."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keyruns, "_WINDOW", 2)
        patch.setattr(keyruns, "_MERGED", 1)
        patch.setattr(keyruns, "_STEP", 3)
        patch.setattr(keyruns, "_FEW", 2)
        yield


def run_of(keys: Keys) -> KeyRun:
    high, low = np.array(keys, np.uint64).reshape(-1, 2).T.copy()
    return KeyRun.of(high, low)


def known(run: KeyRun, keys: Keys) -> list[bool]:
    high, low = np.array(keys, np.uint64).reshape(-1, 2).T.copy()
    order = ordered(high)
    fresh = np.ones(len(keys), np.bool_)
    run.discard_known(high[order], low[order], fresh)
    found = np.empty(len(keys), np.bool_)
    found[order] = ~fresh
    return list(found.tolist())


@pytest.mark.parametrize("way", [kernels.load, kernels.unload])
@settings(max_examples=100, deadline=None)
@given(KEYS, KEYS, st.booleans(), st.integers(0, 50))
def test_a_run_knows_exactly_its_keys(
    way: Callable[[], None], held: Keys, others: Keys, on_disk: bool, kept: int
) -> None:
    way()
    run = run_of(held).kept(kept)
    if on_disk:
        run = mapped_run(run, Path(tempfile.gettempdir())).kept(kept)
    asked = held[::2] + others
    assert known(run, asked) == [key in set(held) for key in asked]


@settings(max_examples=100, deadline=None)
@given(st.lists(KEYS, min_size=1, max_size=5), st.integers(0, 4))
def test_merged_runs_hold_every_key_as_often_as_it_was_there(parts: list[Keys], number: int) -> None:
    folder = Path(tempfile.gettempdir())
    runs = [mapped_run(run_of(part), folder) for part in parts]
    whole = Counter(key for part in parts for key in part)
    joined = in_file(sum(run.keys for run in runs), merged(runs), folder)
    assert Counter(map(tuple, joined.pairs.tolist())) == whole
    assert known(joined, sorted(whole)) == [True] * len(whole)
    gone = parts[number % len(parts)]
    left = in_file(joined.keys - len(gone), merged([joined], [run_of(gone)]), folder)
    assert Counter(map(tuple, left.pairs.tolist())) == whole - Counter(gone)
    assert known(left, sorted(whole)) == [key in whole - Counter(gone) for key in sorted(whole)]


def test_a_file_names_the_data_files_and_is_known_to_be_whole(tmp_path: Path) -> None:
    run, path = run_of([(n << 50, n) for n in range(100)]), tmp_path / "one.keys"
    rows = {"part-1 of 2.parquet": 60, "ä.parquet": 40}
    with path.open("w+b") as out:
        put(out, run.keys, [run.pairs[:30], run.pairs[30:30], run.pairs[30:]], rows)
        found = opened(out)
    assert found is not None
    assert found[1] == rows
    for name in ("starts", "marks", "pairs"):
        assert np.array_equal(getattr(found[0], name), getattr(run, name))
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole + b"1", b"GSkeys01" + whole[8:], whole[:20], whole[:16] + b"\7" + whole[17:]):
        path.write_bytes(damaged)
        with path.open("rb") as file:
            assert opened(file) is None


def test_what_is_not_as_it_was_said_is_not_written(tmp_path: Path) -> None:
    run = run_of([(1, 1), (2, 2), (2, 2)])
    for count in (2, 4):
        with pytest.raises(ValueError, match="3 keys instead of"):
            in_file(count, [run.pairs], tmp_path)
    for gone in ([(3, 3)], [(1, 1), (1, 1)], [(1, 2)]):
        with pytest.raises(ValueError, match="not there"):
            list(merged([run], [run_of(gone)]))


@pytest.mark.parametrize("kept", [0, 1 << 19, 1 << 20])
def test_pages_that_a_look_up_read_are_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    for name, value in (("_WINDOW", 16), ("_STEP", 128), ("_FEW", 8)):
        monkeypatch.setattr(keyruns, name, value)
    pairs = np.random.default_rng(1).integers(0, 2**64 - 1, (2, 1 << 20), dtype=np.uint64)
    run = mapped_run(KeyRun.of(*pairs), tmp_path).kept(kept)
    before = _mapped_kib()
    some = ordered(pairs[0])[::16]
    fresh = np.ones(len(some), np.bool_)
    run.discard_known(pairs[0][some], pairs[1][some], fresh)
    assert not fresh.any()
    # Whole keys are 16 MiB; what stays is 2.5 bytes of each that may.
    assert (_mapped_kib() - before) << 10 < 2.5 * kept + (5 << 20)


def _mapped_kib() -> int:
    """Memory of this process that files are mapped to."""
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("there is no /proc here")
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("RssFile"))
