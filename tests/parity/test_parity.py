"""The same fixture on every choice of engine, lake, bus and desk leaves the same behind, with a crash on the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.parity.way import Outcome, Places, Way, compare, every_way, go, skip_unless_known

pytestmark = pytest.mark.service

#: The lake writer dies behind an append, the watch in its commit.
CRASHES = ("after append:2", "committing:1")


def test_the_embedded_way_has_something_to_compare(embedded: Outcome) -> None:
    assert len(embedded.alerts) >= 2
    assert len(embedded.posts) > 5_000
    assert len(embedded.refused) >= 2
    assert sum(row["received_sum"] for row in embedded.ledger) > len(embedded.posts)
    assert len(embedded.series) > 20


@pytest.mark.slow
@pytest.mark.parametrize("way", [Way(lake="s3", bus="kafka", desk="postgres")], ids=str)
def test_other_parts_leave_the_same_behind(
    way: Way, places: Places, embedded: Outcome, history: Path, tmp_path: Path
) -> None:
    compare(go(way, places, tmp_path / "home", history, CRASHES), embedded)


@pytest.mark.soak
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("way", every_way(), ids=str)
def test_every_way_leaves_the_same_behind(
    way: Way, places: Places, embedded: Outcome, history: Path, tmp_path: Path
) -> None:
    skip_unless_known(way)
    compare(go(way, places, tmp_path / "home", history, CRASHES), embedded)
