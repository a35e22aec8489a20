from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from groundswell.errors import UnreadableFileError
from groundswell.testing.counts import PER_DAY, quiet_counts
from groundswell.testing.streams import START, make_posts, tracker
from groundswell.watch import warm
from groundswell.watch.arrivals import TableArrivals
from groundswell.watch.contract import DAY, HOUR, MINUTE, WatchBatch, WatchParams
from groundswell.watch.flow import dump_state, load_state, step, warm_start
from groundswell.watch.pastcounts import count_stream
from groundswell.watch.state import WatchState
from groundswell.watch.warm import History, teach_counted, teach_posts, warm_start_all
from groundswell.watch.windows import NEVER

PARAMS = WatchParams()


def history(name: str, days: int = 8, rate: float = 10.0) -> History:
    counts = quiet_counts(rate, None, 1, days, np.random.default_rng(1)).astype(np.int64)
    return History(tracker(name, "arm"), counts[:, 1], counts[:, 0], START - days * DAY)


def test_a_warm_tracker_is_scored_from_its_first_whole_window() -> None:
    past = history("arm")
    state = warm_start(WatchState.empty(), past.tracker, past.counts, past.totals, past.first_window_us, PARAMS)
    rng = np.random.default_rng(2)
    times = np.sort(rng.integers(0, HOUR, 5000 * 12)) + START
    texts = ["arm" if n % 500 == 0 else "b" for n in range(len(times))]
    posts = make_posts(times.tolist(), texts)
    state, output = step(state, WatchBatch(TableArrivals(posts), int(times[-1])), [past.tracker], PARAMS)
    scored = [point for point in output.points if point.state != "gap"]
    assert {point.state for point in scored} == {"usual"}
    assert all(point.expected is not None and 1 < point.expected < 30 for point in scored)
    assert len(state.points(0, PARAMS.window_us)) == PARAMS.ring


def test_trackers_taught_together_know_what_each_knows_alone() -> None:
    past = [history("a"), history("b", days=5, rate=3.0)]
    together = warm_start_all(WatchState.empty(), past, PARAMS)
    alone = warm_start_all(WatchState.empty(), past[:1], PARAMS)
    assert together.frames[0].detectors["posts"].level_posts[1] == pytest.approx(
        alone.frames[0].detectors["posts"].level_posts[1]
    )
    assert together.keys == [("a", 1), ("b", 1)]
    assert together.frames[0].detectors["posts"].seen.tolist() == [8 * PER_DAY, 8 * PER_DAY, 5 * PER_DAY]


def test_many_trackers_taught_in_groups_know_what_they_know_one_by_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    params = WatchParams(windows_us=(5 * MINUTE, HOUR))
    rng = np.random.default_rng(4)
    trackers = [tracker(f"t{number:02}", "arm") for number in range(40)]
    counted = count_stream(START, rng.poisson(300.0, 3 * DAY // params.base_us), len(trackers), params)
    rates = rng.uniform(0.5, 20.0, len(trackers))
    for one in counted:
        one.posts[:, 1:] = rng.poisson(rates, (len(one.starts), len(trackers)))
        for values in one.signals.values():
            values[:] = np.where(one.posts[:, 1:] >= 10, rng.uniform(0.1, 0.9, values.shape), np.nan)
    begun = np.full(len(trackers) + 1, NEVER)
    begun[7] = START + DAY
    for together in (1, 16, 100):
        monkeypatch.setattr(warm, "_TOGETHER", together)
        state = teach_counted(WatchState.empty(), trackers, counted, begun, params)
        dump_state(state, tmp_path / str(together))
        assert len(state.frames[0].points(39, "t39")) == params.ring
        assert all(known.seen[40] for known in state.frames[1].detectors.values())
        assert all(known.core[40].any() for known in state.frames[1].levels.values())
    assert (tmp_path / "1").read_bytes() == (tmp_path / "16").read_bytes() == (tmp_path / "100").read_bytes()


def test_a_stream_that_knows_more_is_not_taught_less() -> None:
    state = warm_start_all(WatchState.empty(), [history("a", days=8)], PARAMS)
    state = warm_start_all(state, [history("b", days=2)], PARAMS)
    assert state.frames[0].detectors["posts"].seen[0] == 8 * PER_DAY
    assert state.keys == [("a", 1), ("b", 1)]


def test_a_tracker_learns_what_its_posts_are_like() -> None:
    past = history("arm")
    state = warm_start_all(WatchState.empty(), [past], PARAMS)
    state = teach_posts(state, past.tracker, make_posts([START] * 200, ["arm day"] * 200))
    profile = state.series[0].profile
    assert profile.posts == 200
    assert profile.words == {"arm": 200.0, "day": 200.0}
    assert len(profile.authors) == 97


def test_a_snapshot_holds_everything(tmp_path: Path) -> None:
    state = warm_start_all(WatchState.empty(), [history("arm")], PARAMS)
    path, again = tmp_path / "a.arrow", tmp_path / "b.arrow"
    dump_state(state, path)
    dump_state(load_state(path), again)
    assert path.read_bytes() == again.read_bytes()


@pytest.mark.parametrize("content", [b"", b"nonsense"])
def test_what_is_no_snapshot_is_refused_with_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "watch.arrow"
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match="start the watch anew"):
        load_state(path)
