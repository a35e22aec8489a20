r"""Posts that never were, with a known truth: for the demo, the tests and the benchmarks.

>>> from groundswell.simulate import Scenario, blocks
>>> b"".join(blocks(Scenario(posts=3, days=1, seed=7))).count(b"\n")
3
"""

from groundswell.simulate.output import Progress, blocks, describe, write
from groundswell.simulate.scenario import (
    TOPICS,
    Event,
    EventKind,
    Scenario,
    Topic,
    default_event,
    with_default_events,
)
from groundswell.simulate.truth import EventTruth, TopicTruth, Truth

__all__ = [
    "TOPICS",
    "Event",
    "EventKind",
    "EventTruth",
    "Progress",
    "Scenario",
    "Topic",
    "TopicTruth",
    "Truth",
    "blocks",
    "default_event",
    "describe",
    "with_default_events",
    "write",
]
