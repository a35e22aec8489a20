"""A change of what a metric means is known by its day, and told only where it is crossed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from groundswell.platforms.definitions import DEFINITIONS, crossed
from groundswell.schema import COUNTERS

BEFORE = datetime(2025, 3, 30, 23, 59, tzinfo=UTC)
AFTER = datetime(2025, 3, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("platforms", "metrics", "first", "last", "expected"),
    [
        (["youtube"], ["views"], BEFORE, AFTER, ["2025-03-31"]),
        (["youtube"], ["views"], AFTER, datetime(2026, 9, 1, tzinfo=UTC), ["2026-08-01"]),
        (["youtube"], COUNTERS, BEFORE, datetime(2027, 1, 1, tzinfo=UTC), ["2025-03-31", "2026-08-01"]),
        (["youtube"], ["views"], AFTER, datetime(2025, 4, 1, tzinfo=UTC), []),
        (["tiktok"], ["views"], BEFORE, AFTER, []),
        (["youtube"], ["likes"], BEFORE, AFTER, []),
        (["youtube"], ["views"], None, AFTER, []),
    ],
)
def test_only_what_lies_between(
    platforms: list[str], metrics: list[str], first: datetime | None, last: datetime, expected: list[str]
) -> None:
    assert [str(one.since) for one in crossed(platforms, metrics, first, last)] == expected


def test_each_says_what_changed_and_who_says_so() -> None:
    for one in DEFINITIONS:
        assert all((one.meaning, one.before, one.source, one.platform, one.metric))
        assert one.document()["since"] == one.since.isoformat()
    assert len({(one.platform, one.metric, one.since) for one in DEFINITIONS}) == len(DEFINITIONS)
