"""Seasons, exact totals, events where and as large as they were asked for."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from groundswell.errors import UsageError
from groundswell.simulate import Event, EventKind, Scenario, default_event, with_default_events
from groundswell.simulate.plan import UNIT_POSTS, make_plan, season

FORTNIGHT = Scenario(posts=400_000, days=14)


def with_event(kind: EventKind, size: float, topic: str | None = None) -> Scenario:
    event = Event(kind, timedelta(days=9, hours=14), timedelta(hours=1), size, topic)
    return Scenario(posts=400_000, days=14, events=(event,))


def test_the_counts_make_up_the_total_and_units_cover_every_slice_once() -> None:
    plan = make_plan(with_default_events(FORTNIGHT))
    assert plan.counts.sum() == 400_000
    assert plan.units[0] == 0
    assert plan.units[-1] == len(plan.counts)
    assert (np.diff(plan.units) > 0).all()
    sizes = np.add.reduceat(plan.counts.sum(axis=1), plan.units[:-1])
    assert sizes.max() < 2 * UNIT_POSTS


def test_a_day_and_a_week_have_their_rhythm() -> None:
    hours = np.arange(4 * 24, 11 * 24) * np.float64(3600)  # from Monday 1970-01-05
    level = season(hours)
    assert level.mean() == pytest.approx(1, abs=0.03)
    by_day = level.reshape(7, 24)
    assert by_day.max() > 2 * by_day.min()
    assert by_day[5].sum() > 1.05 * by_day[1].sum()


def test_noise_is_slow_and_small() -> None:
    plan = make_plan(FORTNIGHT)
    usual = season(FORTNIGHT.start.timestamp() + np.arange(len(plan.rates), dtype=np.float64) * plan.slice_s)
    ratio = plan.rates[:, 1] / usual
    ratio /= ratio.mean()
    assert 0.03 < ratio.std() < 0.15
    assert np.abs(np.diff(ratio)).max() < 0.03


def test_topics_come_at_the_rate_that_was_asked_for() -> None:
    scenario = Scenario(posts=400_000, days=14, rate=14)
    plan = make_plan(scenario)
    assert plan.counts[:, 1].sum() == pytest.approx(14 * 14 * 288, rel=0.02)
    assert scenario.topic_rates[0] == 14


def test_the_largest_topic_stays_below_sixty_posts_a_window_however_many_posts_there_are() -> None:
    assert max(Scenario(posts=50_000_000, days=1).topic_rates) == 60


@pytest.mark.parametrize("kind", [EventKind.CRISIS, EventKind.VIRAL, EventKind.BOTS, EventKind.BUILDUP])
def test_an_event_about_a_topic_peaks_at_its_size_and_only_in_its_time(kind: EventKind) -> None:
    plan = make_plan(with_event(kind, 5, "aurora cola"))
    (planned,) = plan.events
    assert planned.stream is not None
    inside = plan.rates[planned.first : planned.last, planned.stream]
    usual = plan.rates[planned.first : planned.last, 1].mean()
    assert inside.max() / usual == pytest.approx(4, rel=0.02)
    assert plan.counts[: planned.first, planned.stream].sum() == 0
    assert plan.counts[planned.last :, planned.stream].sum() == 0


def test_a_surge_lifts_everything_alike() -> None:
    plan, calm = make_plan(with_event(EventKind.SURGE, 2.5)), make_plan(FORTNIGHT)
    (planned,) = plan.events
    part = slice(planned.first, planned.last)
    assert plan.rates[part] == pytest.approx(2.5 * calm.rates[part])
    assert plan.rates[: planned.first] == pytest.approx(calm.rates[: planned.first])


def test_a_gap_is_empty() -> None:
    plan = make_plan(with_event(EventKind.GAP, 0))
    (planned,) = plan.events
    assert planned.last - planned.first == 60
    assert plan.counts[planned.first : planned.last].sum() == 0
    assert (plan.counts.sum(axis=1)[:: len(plan.counts) // 50] > 0).mean() > 0.9


def test_a_viral_event_begins_with_its_post() -> None:
    plan = make_plan(with_event(EventKind.VIRAL, 1.01, "#novawear"))
    (planned,) = plan.events
    assert plan.counts[planned.first, planned.stream] == 1


def test_events_that_need_more_posts_than_there_are_are_refused() -> None:
    with pytest.raises(UsageError, match="the events need"):
        make_plan(with_event(EventKind.CRISIS, 100_000, "aurora cola"))


def test_a_gap_over_everything_is_refused() -> None:
    scenario = Scenario(posts=10, days=1, events=(Event(EventKind.GAP, timedelta(0), timedelta(days=1)),))
    with pytest.raises(UsageError, match="gaps cover"):
        make_plan(scenario)


@pytest.mark.parametrize("days", [0.001, 0.3, 60.0, 400.0])
def test_default_events_fit_into_any_span(days: float) -> None:
    scenario = with_default_events(Scenario(posts=2000, days=days))
    assert make_plan(scenario).counts.sum() == 2000
    assert default_event(EventKind.BOTS, scenario) in scenario.events
