"""The same fixture on every choice of engine, lake, bus and desk leaves the same behind, with a crash on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.parity.way import Outcome, Places, Way, compare, every_way, go

pytestmark = pytest.mark.service

#: The lake writer dies behind an append, the watch in its commit.
CRASHES = ("after append:2", "committing:1")


def _marked(way: Way) -> Any:
    return pytest.param(way, id=str(way), marks=[pytest.mark.spark] if way.engine == "spark" else [])


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
    compare(go(way, places, tmp_path / "home", history, CRASHES), embedded, way)


@pytest.mark.slow
@pytest.mark.spark
@pytest.mark.timeout(600)
def test_spark_with_all_other_parts_leaves_the_same_behind(
    places: Places, embedded: Outcome, history: Path, tmp_path: Path
) -> None:
    way = Way(engine="spark", lake="s3", bus="kafka", desk="postgres")
    compare(go(way, places, tmp_path / "home", history, CRASHES[1:]), embedded, way)


@pytest.mark.soak
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("way", [_marked(way) for way in every_way()])
def test_every_way_leaves_the_same_behind(
    way: Way, places: Places, embedded: Outcome, history: Path, tmp_path: Path
) -> None:
    compare(go(way, places, tmp_path / "home", history, CRASHES), embedded, way)
