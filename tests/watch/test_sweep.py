"""All windows of a history at once give what the watch gives window by window: to the last digit, for any stream."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from groundswell.bus import Journal
from groundswell.desk import open_desk
from groundswell.lake import Lake
from groundswell.query import parse
from groundswell.settings import Settings, load_settings
from groundswell.testing.streams import START, make_posts, run
from groundswell.watch.backtest import TRACKER, Asked
from groundswell.watch.backtest import run as backtested
from groundswell.watch.contract import DAY, HOUR, MINUTE, AlertRecord, SeriesPoint, TrackerSpec
from groundswell.watch.lakefeed import LakeFeed
from groundswell.watch.plan import params_of
from groundswell.watch.trackers import add_tracker

DAYS = 2


def stream(rate: float, seed: int, platforms: tuple[str, ...]) -> pa.Table:
    """Two days with a day's season, a burst of arms, an hour without anything, and a platform that comes later."""
    rng = np.random.default_rng(seed)
    offsets = np.sort(rng.integers(0, DAYS * DAY, round(rate * DAYS * 288)))
    offsets = offsets[rng.random(len(offsets)) < 0.6 + 0.4 * np.sin(2 * np.pi * offsets / DAY)]
    burst = DAY + 15 * HOUR + np.sort(rng.integers(0, 20 * MINUTE, round(6 * rate)))
    times = np.sort(np.concatenate((offsets, burst)))
    times = times[(times < DAY + 20 * HOUR) | (times >= DAY + 21 * HOUR)] + START
    arms = (rng.random(len(times)) < 0.3) | ((times >= burst[0] + START) & (times <= burst[-1] + START))
    names = np.array(platforms)[rng.integers(0, len(platforms), len(times))]
    names[times < START + 6 * HOUR] = platforms[0]
    authors = [f"u{n}" for n in (40 * rng.random(len(times)) ** 2).astype(int)]
    month = [f"{datetime.fromtimestamp(time / 1e6, UTC):%Y-%m}" for time in times.tolist()]
    return make_posts(
        times.tolist(),
        ["arm hurts" if arm else "leg" for arm in arms],
        authors=authors,
        platform=names.tolist(),
        month=month,
        followers=rng.integers(1, 5_000, len(times)).tolist(),
        likes=rng.integers(0, 50, len(times)).tolist(),
        observed_at=times.tolist(),
    )


def told(*values: object) -> tuple[object, ...]:
    return tuple(float(f"{value:.9g}") if isinstance(value, float) else value for value in values)


def point_of(point: SeriesPoint) -> tuple[object, ...]:
    return told(point.count, point.state, point.expected, point.lower, point.upper, point.p_value, point.return_days)


def alert_of(alert: AlertRecord) -> tuple[object, ...]:
    return told(
        *(alert.started_at, alert.opened_at, alert.closed_at, alert.signal, alert.window_s, alert.direction),
        *(alert.observed, alert.expected, alert.p_value, alert.return_days, alert.posts, alert.phase),
    )


@pytest.mark.parametrize(
    ("rate", "platforms", "windows"),
    [
        (15.0, ("x",), "60,300,900,3600"),
        (40.0, ("x", "y", "z"), "300,3600"),
        (0.8, ("x",), "60,300,3600"),
    ],
    ids=["dense", "platforms", "thin"],
)
def test_a_sweep_gives_every_window_and_alert_of_the_live_watch(
    settings: Settings, rate: float, platforms: tuple[str, ...], windows: str
) -> None:
    posts = stream(rate, 7, platforms)
    own = load_settings(home=settings.home, windows=windows, window=300, promise=3.0)
    params = params_of(own)
    Lake.open(own).append("posts", posts.drop_columns(["record", "received_us"]))
    tracker = TrackerSpec(TRACKER, 1, "arm", "arm", 3.0)
    end = (int(posts["received_us"][-1].as_py()) // HOUR + 1) * HOUR + params.lateness_us + params.quiet_us
    _, live = run(posts, list(range(0, posts.num_rows, 500)), [tracker], params, end_clock=end)
    tested = backtested(own, Asked("arm", days=30, promise_days=3.0))
    for windows_of_size in tested.windows:
        size = windows_of_size.window_us // 1_000_000
        mine = {
            int(start): windows_of_size.point(number, TRACKER)
            for number, start in enumerate(windows_of_size.starts)
            if windows_of_size.scored[number]
        }
        theirs = {start: point for (_, length, start), point in live.points.items() if length == size}
        assert len(theirs.keys() - mine.keys()) <= 3600 // size, "only windows of the end may be left out"
        for start, point in mine.items():
            assert point_of(point) == point_of(theirs[start]), (size, start)
    last = max(int(one.starts[-1]) for one in tested.windows)
    assert [alert_of(one) for one in tested.alerts] == [
        alert_of(one) for one in live.alerts.values() if one.started_at < last - 2 * HOUR
    ]


def test_a_backtest_knows_holes_the_budget_and_the_rule_of_reach_as_the_live_watch(
    settings: Settings,
) -> None:
    posts, hole = stream(40.0, 5, ("x", "y")), (START + DAY + 6 * HOUR, START + DAY + 6 * HOUR + 38 * MINUTE)
    times = posts["received_us"].to_numpy()
    posts = posts.filter(pa.array((times < hole[0]) | (times >= hole[1])))
    own = load_settings(home=settings.home, windows="300,900,3600", window=300, promise=2.0, budget=0.5)
    params = params_of(own)
    Lake.open(own).append("posts", posts.drop_columns(["record", "received_us"]))
    end = START + DAYS * DAY + HOUR
    # In the hour without posts somebody was connected: that is no hole.
    connected = [(START - HOUR, hole[0] - 7), (hole[1] + 11, START + DAY + 12 * HOUR), (START + DAY + 12 * HOUR, end)]
    with open_desk(own) as desk, desk.session() as session, Journal(own.journal_path) as journal:
        for number, span in enumerate(connected):
            journal.connected(f"source {number}", *span)
        add_tracker(session, "legs", "leg", 1.0)
        add_tracker(session, "the same", "arm", 9.0)
    mine = TrackerSpec(TRACKER, 1, "arm", "arm", 2.0, reach_followers=4_995, reach_share=0.002)
    other = TrackerSpec("legs", 1, "legs", "leg", 1.0)
    _, live = run(posts, list(range(0, posts.num_rows, 900)), [mine, other], params, end_clock=end, covered=connected)
    tested = backtested(own, Asked("arm", 30, promise_days=2.0, reach_followers=4_995, reach_share=0.002))
    assert tested.needed_days(2.0) == pytest.approx(2.0 * (1 / 2 + 1 / 1) / 0.5)
    quiet = START + DAY + 20 * HOUR
    for windows_of_size in tested.windows:
        for number in np.flatnonzero(windows_of_size.scored).tolist():
            point = windows_of_size.point(number, TRACKER)
            theirs = live.points[TRACKER, windows_of_size.window_us // 1_000_000, point.start]
            assert point_of(point) == point_of(theirs), (windows_of_size.window_us, point.start)
            if hole[0] <= point.start < hole[1] - MINUTE:
                assert point.state == "gap"
            assert point.state != "gap" or not quiet <= point.start < quiet + HOUR
    told = [one for one in live.alerts.values() if one.tracker_id == TRACKER and one.opened_at < tested.until_us]
    assert len(tested.told or ()) == sum(one.window_s == 0 for one in told) > 1
    found = {one.id: one for one in tested.alerts}
    for one in told[-len(found) :]:
        assert alert_of(found[one.id]) == alert_of(one)
        assert found[one.id].headline == one.headline
        assert found[one.id].evidence["remains"] == one.evidence["remains"]


def test_a_portion_divides_no_window_and_holds_what_matches(settings: Settings) -> None:
    posts = stream(40.0, 3, ("x",))
    own = load_settings(home=settings.home, windows="60,300,3600", window=300)
    lake = Lake.open(own)
    lake.append("posts", posts.drop_columns(["record", "received_us"]))
    feed = LakeFeed(lake, [parse("arm")], params_of(own), START - DAY, START + DAYS * DAY)
    with ThreadPoolExecutor(2) as pool:
        times = [portion.arrivals.event_us for portion in feed.portions(pool) if len(portion.arrivals)]
    arms = np.array([text.startswith("arm") for text in posts["text"].to_pylist()])
    assert np.concatenate(times).tolist() == posts["received_us"].to_numpy()[arms].tolist()
    for before, after in pairwise(times):
        assert before[-1] // HOUR < after[0] // HOUR
    assert feed.volumes.totals.sum() == posts.num_rows
