from __future__ import annotations

import numpy as np
import pytest

from groundswell.testing.counts import PER_DAY, Floats, quiet_counts
from groundswell.watch.contract import DAY, HOUR, MINUTE
from groundswell.watch.series import detect, news, sizes_of

START = 20_003 * DAY
STEP = 5 * MINUTE


def times(rows: int, step: int = STEP) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return START + np.arange(rows, dtype=np.int64) * step


@pytest.fixture(scope="module")
def quiet() -> Floats:
    return quiet_counts(20.0, None, 1, 14, np.random.default_rng(3))[:, 1]


def test_a_burst_opens_one_alert_on_its_first_rows(quiet: Floats) -> None:
    counts = quiet.copy()
    at = 12 * PER_DAY + 40
    counts[at : at + 6] *= 8
    found = detect(times(len(counts)), counts, 30.0)
    opened = [one.row for one in found.alerts]
    assert [row for row in opened if at <= row < at + 60] == [opened[-1]]
    assert at <= opened[-1] <= at + 1
    assert found.alerts[-1].episode.direction == "burst"
    assert np.argmax(found.score[at - 100 : at + 100]) in range(100, 112)


def test_a_slow_rise_is_seen_by_the_larger_windows(quiet: Floats) -> None:
    counts = quiet.copy()
    at = 12 * PER_DAY + 60
    counts[at : at + 48] = np.round(counts[at : at + 48] * 1.8)
    found = detect(times(len(counts)), counts, 30.0)
    assert any(at <= one.row < at + 48 and one.episode.lead.window_us > STEP for one in found.alerts)


def test_a_drop_is_found(quiet: Floats) -> None:
    counts = quiet.copy()
    at = 12 * PER_DAY + 130
    counts[at : at + 12] = 0
    found = detect(times(len(counts)), counts, 30.0)
    assert any(at <= one.row < at + 12 and one.episode.direction == "drop" for one in found.alerts)


def test_no_row_is_judged_by_what_comes_after_it(quiet: Floats) -> None:
    whole = detect(times(len(quiet)), quiet, 30.0)
    half = detect(times(len(quiet) // 2), quiet[: len(quiet) // 2], 30.0)
    for name in ("score", "expected", "upper", "return_days"):
        np.testing.assert_array_equal(getattr(whole, name)[: len(quiet) // 2], getattr(half, name))


def test_rows_without_a_count_are_neither_scored_nor_learned_from(quiet: Floats) -> None:
    holes = quiet.copy()
    holes[1_000:1_200] = np.nan
    found = detect(times(len(holes)), holes, 30.0)
    assert np.isnan(found.return_days[1_000:1_200]).all()
    assert (found.score[1_000:1_200] == 0).all()
    gone = np.delete(np.arange(len(holes)), slice(1_000, 1_200))
    without = detect(times(len(holes))[gone], holes[gone], 30.0)
    np.testing.assert_array_equal(found.return_days[gone], without.return_days)


@pytest.mark.parametrize("rows", [0, 1, 2, 20])
def test_a_short_series_is_no_news(rows: int) -> None:
    found = detect(times(rows), np.full(rows, 5.0), 30.0)
    assert (found.score == 0).all()
    assert np.isnan(found.return_days).all()
    assert found.alerts == []


@pytest.mark.parametrize(("step", "days"), [(MINUTE, 4), (HOUR, 40), (DAY, 400)])
def test_other_steps_work_as_well(step: int, days: int) -> None:
    rows = days * DAY // step
    counts = np.random.default_rng(5).poisson(50.0, rows).astype(float)
    counts[rows - 2] = 400
    found = detect(times(rows, step), counts, 30.0)
    assert rows - 2 in [one.row for one in found.alerts]
    assert len(found.alerts) <= 1 + 2 * days / 30


def test_an_even_series_is_known_to_be_even() -> None:
    rng = np.random.default_rng(6)
    counts = 1_000.0 + np.round(rng.normal(0, 8, 20 * PER_DAY))
    counts[-5] = 1_080
    found = detect(times(len(counts)), counts, 30.0)
    assert len(counts) - 5 in [one.row for one in found.alerts]
    assert (found.upper - found.lower)[-1] < 80


def test_holidays_of_a_country_are_like_sundays() -> None:
    rng = np.random.default_rng(7)
    day = np.arange(120 * PER_DAY) // PER_DAY
    first = 20_454 * DAY  # 2026-01-01, a Thursday
    weekday = (first // DAY + day + 3) % 7
    mean = np.where(weekday == 6, 10.0, 40.0)
    easter = (day == 92) | (day == 95)  # Good Friday and Easter Monday
    counts = rng.poisson(np.where(easter, 10.0, mean)).astype(float)
    at = first + np.arange(len(counts), dtype=np.int64) * STEP
    plain, german = (detect(at, counts, 30.0, country=country) for country in (None, "DE"))
    on = np.flatnonzero(easter)
    assert np.nanmedian(german.expected[on]) < 0.6 * np.nanmedian(plain.expected[on])
    early = 92 * PER_DAY + np.arange(36, 60)
    assert np.nanmax(german.return_days[early]) < 30 < np.nanmax(plain.return_days[early])


def test_sizes_are_those_of_the_watch_where_they_fit() -> None:
    assert [size // MINUTE for size in sizes_of(MINUTE)] == [1, 5, 15, 60]
    assert [size // DAY for size in sizes_of(DAY)] == [1, 7]


def test_a_development_is_one_peak_of_the_score() -> None:
    days = np.array([0.01, 10.0, 5.0, 40.0, 0.01, 30.0, 0.01, 0.01, 0.01, 0.01, 20.0])
    assert news(days, 1.0, 3).nonzero()[0].tolist() == [1, 3, 10]


def test_a_burst_between_two_windows_is_found_while_it_lasts() -> None:
    rng = np.random.default_rng(9)
    counts = rng.poisson(10.0 * rng.gamma(10.0, 0.1, 14 * PER_DAY)).astype(float)
    at = 12 * PER_DAY + 97  # fifteen minutes that begin five minutes after the clock's
    counts[at : at + 3] = 28.0
    found = detect(times(len(counts)), counts, 30.0)
    opened = [one for one in found.alerts if at <= one.row < at + 3]
    assert [(one.row - at, one.episode.lead.window_us) for one in opened] == [(2, 3 * STEP)]
    assert opened[0].episode.started_us == times(len(counts))[at]
