"""How many posts each stream makes in each slice of time: seasons, noise, topics and events.

A stream is the chatter (number 0), a topic (1 … T), or an injected event about a topic (T + 1 …). The counts are
drawn once for the whole scenario, so that units can be made in any order and by any number of workers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from groundswell.errors import UsageError
from groundswell.simulate.scenario import STREAM_WIDE, WINDOW_S, Event, EventKind, Scenario

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Posts made at a time: enough for the kernels, little enough that a few units fit in the cache and in memory.
UNIT_POSTS: Final = 8192
_SLICES_S: Final = (60, 30, 10, 5, 1)
#: Hours from UTC and the fraction of the creators who live there.
_ZONES: Final = ((-5, 0.24), (-3, 0.12), (0, 0.10), (1, 0.16), (3, 0.08), (5.5, 0.10), (7, 0.10), (9, 0.10))
#: Activity by local hour, from midnight; the mean is 1.
_DAY: Final = (0.65, 0.40, 0.25, 0.18, 0.18, 0.28, 0.50, 0.75, 0.85, 0.85, 0.90, 1.00,
               1.15, 1.10, 1.05, 1.15, 1.25, 1.35, 1.50, 1.75, 1.95, 1.95, 1.60, 1.05)  # fmt: skip
#: Activity by local weekday, from Monday.
_WEEK: Final = (0.94, 0.95, 0.97, 0.98, 1.02, 1.08, 1.06)
_STREAM_NOISE: Final = 0.05
_TOPIC_NOISE: Final = 0.08


@dataclass(frozen=True)
class PlannedEvent:
    """An event on the grid of slices: `[first, last)`, and its stream (None: the whole stream)."""

    event: Event
    first: int
    last: int
    stream: int | None


@dataclass(frozen=True)
class Plan:
    """Counts by slice and stream, and how they came about.

    `counts` and `rates` have shape (slices, streams): posts drawn, and posts expected. `units` are borders in
    slices: unit i makes the slices `units[i]` to `units[i + 1]`. `before` are posts before each slice.
    """

    slice_s: int
    span_s: int
    counts: Ints
    rates: Floats
    units: Ints
    before: Ints
    events: tuple[PlannedEvent, ...]

    def length(self, slices: Ints) -> Ints:
        """Seconds that each slice lasts (the last one of a scenario may be short)."""
        return np.minimum(self.slice_s, self.span_s - slices * self.slice_s)


def season(seconds: Floats) -> Floats:
    """Activity at `seconds` since 1970 UTC, from a mixture of time zones; the mean over a week is about 1.

    >>> night, evening = season(np.array([4 * 3600.0, 19 * 3600.0]))
    >>> bool(night < evening)
    True
    """
    level = np.zeros_like(seconds)
    hours = np.arange(25)
    day = np.array([*_DAY, _DAY[0]])
    for offset, share in _ZONES:
        local = seconds + offset * 3600
        weekday = ((local // 86_400).astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
        level += share * np.interp(local % 86_400 / 3600, hours, day) * np.array(_WEEK)[weekday]
    return level


def make_plan(scenario: Scenario) -> Plan:
    """Draw the counts of a scenario.

    Raises:
        UsageError: the events need more posts than the scenario has.
    """
    span = int(scenario.span.total_seconds())
    step = _slice_seconds(scenario.posts, span)
    slices = -(-span // step)
    rng = np.random.default_rng([scenario.seed, 1])
    seconds = np.arange(slices, dtype=np.float64) * step
    length = np.minimum(step, span - seconds)
    level = season(scenario.start.timestamp() + seconds + length / 2) * _noise(rng, seconds, _STREAM_NOISE)
    level *= length / np.average(level, weights=length)
    events = _on_grid(scenario, step, slices)

    topics = len(scenario.topics)
    usual = np.empty((slices, 1 + topics))
    for number, rate in enumerate(scenario.topic_rates):
        usual[:, 1 + number] = rate / WINDOW_S * level * _noise(rng, seconds, _TOPIC_NOISE)
    chatter = scenario.posts / span * level - usual[:, 1:].sum(axis=1)
    usual[:, 0] = np.maximum(chatter, 0.02 * level * scenario.posts / span)

    extra = np.zeros((slices, sum(planned.stream is not None for planned in events)))
    for planned in events:
        if planned.stream is not None:
            shape = _shape(planned.event.kind, planned.last - planned.first)
            about = usual[planned.first : planned.last, 1 + scenario.topic_number(str(planned.event.topic))]
            extra[planned.first : planned.last, planned.stream - 1 - topics] = (
                (planned.event.size - 1) * shape * about.mean()
            )
    rates = np.concatenate([usual, extra], axis=1)
    everything = np.ones(slices)
    for planned in events:
        if planned.stream is None:
            everything[planned.first : planned.last] *= 0 if planned.event.kind is EventKind.GAP else planned.event.size
    rates *= everything[:, None]
    counts = _draw(rng, rates, scenario.posts, 1 + topics)
    _seed_virals(events, counts)
    each = counts.sum(axis=1)
    before = np.cumsum(each) - each
    borders = np.flatnonzero(np.diff(before // UNIT_POSTS)) + 1
    units = np.concatenate([[0], borders, [slices]]).astype(np.int64)
    return Plan(step, span, counts, rates, units, before, events)


def expected_without(plan: Plan, planned: PlannedEvent, topic: int | None) -> float:
    """Posts that would have come in the event's time without it: of the topic, or of the whole stream."""
    part = plan.rates[planned.first : planned.last]
    if topic is not None:
        return float(part[:, 1 + topic].sum())
    if planned.event.kind is EventKind.GAP:
        width = planned.last - planned.first
        around = [plan.rates[max(0, planned.first - width) : planned.first], plan.rates[planned.last :][:width]]
        means = [block.sum(axis=1).mean() for block in around if len(block)]
        return float(np.mean(means) * width) if means else 0.0
    return float(part.sum() / planned.event.size)


def _slice_seconds(posts: int, span: int) -> int:
    if span > 60 * 86_400 and posts / span * 300 <= UNIT_POSTS / 2:
        return 300
    fine = (step for step in _SLICES_S if span / step >= 500 and posts / span * step <= UNIT_POSTS / 2)
    return next(fine, 1)


def _noise(rng: np.random.Generator, seconds: Floats, sigma: float) -> Floats:
    """A factor that wanders about 1: independent normal logarithms every half hour, joined by lines."""
    knots = np.arange(0, seconds[-1] + 3600, 1800)
    factor: Floats = np.exp(np.interp(seconds, knots, rng.normal(0, sigma, len(knots))))
    return factor


def _on_grid(scenario: Scenario, step: int, slices: int) -> tuple[PlannedEvent, ...]:
    planned = []
    stream = 1 + len(scenario.topics)
    for event in scenario.events:
        first = min(slices - 1, round(event.start.total_seconds() / step))
        last = min(slices, first + max(1, round(event.duration.total_seconds() / step)))
        wide = event.kind in STREAM_WIDE
        planned.append(PlannedEvent(event, first, last, None if wide else stream))
        stream += not wide
    return tuple(planned)


def _shape(kind: EventKind, slices: int) -> Floats:
    """How an event runs from its start to its end; the peak is 1."""
    x = (np.arange(slices) + 0.5) / slices
    match kind:
        case EventKind.CRISIS:  # a steep rise, a plateau, a slow end
            shape = np.minimum(1, x / 0.12) * np.minimum(1, (1 - x) / 0.4)
        case EventKind.VIRAL:  # spreads, then is forgotten
            shape = x / 0.2 * np.exp(1 - x / 0.2)
        case EventKind.BUILDUP:  # grows by a constant factor, then stops
            shape = np.expm1(3 * np.minimum(x / 0.9, 1)) / np.expm1(3) * np.minimum(1, (1 - x) / 0.1)
        case _:
            shape = np.ones(slices)
    return np.asarray(shape / shape.max(), dtype=np.float64)


def _draw(rng: np.random.Generator, rates: Floats, posts: int, usual: int) -> Ints:
    """Counts with exactly `posts` in all: topics and events are Poisson, the chatter takes up the rest."""
    injected = rates[:, usual:].sum()
    if injected > posts / 2:
        what = f"the events need {injected:,.0f} of {posts:,} posts"
        raise UsageError(what, hint="make them smaller or shorter, or give more --posts")
    counts = np.zeros(rates.shape, dtype=np.int64)
    if not rates.sum():
        what = "gaps cover the whole simulated time"
        raise UsageError(what, hint="make them shorter")
    counts[:, 1:] = rng.poisson(rates[:, 1:])
    left = posts - int(counts.sum())
    chatter = rates[:, 0] / rates[:, 0].sum()
    if left < 0:  # only where there are a handful of posts
        flat = rates.ravel() / rates.sum()
        return rng.multinomial(posts, flat).reshape(rates.shape)
    counts[:, 0] = rng.multinomial(left, chatter)
    return counts


def _seed_virals(events: tuple[PlannedEvent, ...], counts: Ints) -> None:
    """Let a viral event begin with a post: one of the chatter becomes the one that all react to."""
    for planned in events:
        if planned.event.kind is EventKind.VIRAL and planned.stream is not None:
            here = counts[planned.first]
            if not here[planned.stream] and here[0]:
                here[0] -= 1
                here[planned.stream] += 1
