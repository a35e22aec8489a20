"""A field that falls raises a notice with what is there instead; one that is back closes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from groundswell.desk import Desk, drift_notices
from groundswell.importing import drift
from groundswell.importing.derive import DERIVED, Origin, derive
from groundswell.importing.fill import FillCounting, filled_in, metrics_in
from groundswell.lake import Lake
from groundswell.marts.fill import DAY_US, read_fill
from groundswell.platforms import registry
from groundswell.schema import METRICS, TEXTS, TIMESTAMP
from groundswell.settings import Settings

LAYOUT = registry().get("tiktok.nested")
DAY = 20_000 * DAY_US

Make = Callable[[int], Mapping[str, Any]]


@pytest.fixture
def lake(settings: Settings) -> Lake:
    return Lake.open(settings)


def record(number: int) -> dict[str, Any]:
    return {
        "authorInfos": {"userId": "7", "uniqueId": "somebody", "signature": "hello"},
        "itemInfos": {
            "id": str(number),
            "text": "a #tag",
            "createTime": "1700000000",
            "playCount": 12,
            "diggCount": 3,
            "isAd": False,
        },
        "authorStats": {"followerCount": 5, "heartCount": "70"},
    }


def renamed(number: int) -> dict[str, Any]:
    """The same with `playCount` under another name."""
    new = record(number)
    new["itemInfos"]["viewCount"] = new["itemInfos"].pop("playCount")
    return new


def retyped(number: int) -> dict[str, Any]:
    """The same with an object where the number was."""
    new = record(number)
    new["itemInfos"]["playCount"] = {"value": 12, "unit": "plays"}
    return new


def take_in(
    lake: Lake, settings: Settings, make: Make, count: int, at_us: int, *, version: int = 1, refused: int = 0
) -> None:
    """Count `count` made records as an import at that time would."""
    from groundswell.engines import open_engine

    settings.tmp_path.mkdir(parents=True, exist_ok=True)
    path = settings.tmp_path / "records.ndjson"
    records = [make(number) for number in range(count)]
    path.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in records))
    counting = FillCounting(lake, {LAYOUT.id: (version, "posts")})
    engine = open_engine(settings)
    try:
        mapped = pa.Table.from_batches(engine.map_json(path, LAYOUT))
    finally:
        engine.close()
    usable = mapped.filter(pa.compute.is_null(mapped["reject"]))
    rows = derive(usable, LAYOUT, Origin("import", "records.ndjson", at_us), np.arange(usable.num_rows))
    counting.sample(replace(LAYOUT, version=version), records)
    counting.derived(LAYOUT.id, version, "posts", rows, np.ones(rows.num_rows, np.bool_))
    if refused:
        held = pa.table(
            {
                "at": pa.array([at_us] * refused, pa.int64()).cast(TIMESTAMP),
                "layout": [LAYOUT.id] * refused,
                "detail": ["no post id"] * refused,
            }
        )
        counting.refused(held)
    counting.commit((f"import-{at_us}", 1))


def check(lake: Lake, desk: Desk, at_us: int) -> list[tuple[str, str]]:
    changed = drift.check_drift(lake, desk, now=lambda: at_us)
    return sorted((row.field, "open" if row.closed_at is None else "closed") for row in changed)


def test_a_renamed_key_raises_a_notice_that_names_the_new_one(lake: Lake, desk: Desk, settings: Settings) -> None:
    for day in range(3):
        take_in(lake, settings, record, 300, DAY + day * DAY_US)
        assert check(lake, desk, DAY + day * DAY_US) == []
    take_in(lake, settings, renamed, 300, DAY + 3 * DAY_US)
    assert check(lake, desk, DAY + 3 * DAY_US) == [("views", "open")]
    with desk.reading() as session:
        notice = drift_notices.listed(session)[0]
    assert (notice.share_before, notice.share_now, notice.records_now) == (1.0, 0.0, 300)
    assert notice.evidence["instead"][0]["key"] == "itemInfos.viewCount"
    assert notice.evidence["instead"][0]["examples"] == ["12"]


def test_a_key_that_changes_its_type_raises_a_notice_with_its_values(
    lake: Lake, desk: Desk, settings: Settings
) -> None:
    take_in(lake, settings, record, 300, DAY)
    take_in(lake, settings, retyped, 150, DAY + DAY_US)
    assert check(lake, desk, DAY + DAY_US) == [("views", "open")]
    with desk.reading() as session:
        evidence = drift_notices.listed(session)[0].evidence
    assert evidence["instead"][0]["key"] == "itemInfos.playCount as object"
    assert evidence["unread"] == ['playCount={"value":12,"unit":"plays"}']


def test_files_of_one_day_are_compared_with_each_other(lake: Lake, desk: Desk, settings: Settings) -> None:
    take_in(lake, settings, record, 300, DAY)
    take_in(lake, settings, renamed, 300, DAY + 60_000_000)
    assert check(lake, desk, DAY + 60_000_000) == [("views", "open")]


def test_a_part_of_the_records_is_enough(lake: Lake, desk: Desk, settings: Settings) -> None:
    take_in(lake, settings, record, 1_000, DAY)
    take_in(lake, settings, lambda n: renamed(n) if n % 2 else record(n), 1_000, DAY + DAY_US)
    assert check(lake, desk, DAY + DAY_US) == [("views", "open")]


def test_a_quiet_layout_raises_no_notice(lake: Lake, desk: Desk, settings: Settings) -> None:
    for day in range(5):
        take_in(lake, settings, record, 20, DAY + day * DAY_US)
    take_in(lake, settings, renamed, 20, DAY + 5 * DAY_US)
    assert check(lake, desk, DAY + 5 * DAY_US) == []
    with desk.reading() as session:
        assert drift_notices.listed(session) == []


def test_a_field_that_comes_and_goes_raises_no_notice(lake: Lake, desk: Desk, settings: Settings) -> None:
    for day in range(12):
        take_in(lake, settings, record if day % 3 else renamed, 200, DAY + day * DAY_US)
    with desk.reading() as session:
        before = len(drift_notices.listed(session))
    take_in(lake, settings, renamed, 200, DAY + 12 * DAY_US)
    assert check(lake, desk, DAY + 12 * DAY_US) == []
    assert before == 0


def test_a_check_that_is_done_again_changes_nothing(lake: Lake, desk: Desk, settings: Settings) -> None:
    take_in(lake, settings, record, 300, DAY)
    take_in(lake, settings, renamed, 300, DAY + DAY_US)
    check(lake, desk, DAY + DAY_US)
    assert check(lake, desk, DAY + DAY_US + 5) == []


def test_a_field_that_is_filled_again_closes_its_notice(lake: Lake, desk: Desk, settings: Settings) -> None:
    take_in(lake, settings, record, 300, DAY)
    take_in(lake, settings, renamed, 300, DAY + DAY_US)
    check(lake, desk, DAY + DAY_US)
    take_in(lake, settings, renamed, 300, DAY + 2 * DAY_US)
    assert check(lake, desk, DAY + 2 * DAY_US) == []
    take_in(lake, settings, record, 300, DAY + 3 * DAY_US)
    assert check(lake, desk, DAY + 3 * DAY_US) == [("views", "closed")]
    with desk.reading() as session:
        assert drift_notices.listed(session)[0].evidence["share_back"] == 1.0
    # What was taken in meanwhile is no part of the past: the same fall is told again.
    take_in(lake, settings, renamed, 300, DAY + 4 * DAY_US)
    assert check(lake, desk, DAY + 4 * DAY_US) == [("views", "open")]


def test_a_newer_version_that_reads_the_new_key_closes_it_on_the_same_day(
    lake: Lake, desk: Desk, settings: Settings
) -> None:
    take_in(lake, settings, record, 300, DAY)
    take_in(lake, settings, renamed, 300, DAY + DAY_US)
    check(lake, desk, DAY + DAY_US)
    take_in(lake, settings, record, 300, DAY + DAY_US + 1, version=2)
    assert check(lake, desk, DAY + DAY_US + 1) == [("views", "closed")]


def test_records_that_become_unusable_raise_a_notice(lake: Lake, desk: Desk, settings: Settings) -> None:
    take_in(lake, settings, record, 300, DAY)
    take_in(lake, settings, record, 20, DAY + DAY_US, refused=280)
    assert ("", "open") in check(lake, desk, DAY + DAY_US)
    with desk.reading() as session:
        assert drift_notices.listed(session)[0].evidence["unread"] == ["no post id"]


def test_an_import_that_is_repeated_counts_once(lake: Lake, desk: Desk, settings: Settings) -> None:
    take_in(lake, settings, record, 300, DAY)
    take_in(lake, settings, record, 300, DAY)
    assert read_fill(lake)[0].batches[0].stored == 300


def test_known_posts_are_not_counted(lake: Lake) -> None:
    counting = FillCounting(lake, {})
    rows = pa.table([pa.nulls(5, f.type) for f in DERIVED], schema=DERIVED)
    rows = rows.set_column(
        rows.schema.get_field_index("imported_at"), "imported_at", pa.array([1] * 5, pa.int64()).cast(TIMESTAMP)
    )
    counting.derived("a.b", 1, "posts", rows, np.zeros(5, np.bool_))
    counting.commit(("import-x", 1))
    assert read_fill(lake) == []


def test_folding_keeps_the_sums(lake: Lake, desk: Desk, settings: Settings) -> None:
    for minute in range(6):
        take_in(lake, settings, record, 50, DAY + minute * 60_000_000)
    saved = drift.fold(lake, DAY + 2 * DAY_US)
    assert saved > 0
    batches = read_fill(lake)[0].batches
    assert [batch.stored for batch in batches] == [300]
    assert batches[0].counts["field", "views"] == (300, 300)
    assert drift.fold(lake, DAY + 2 * DAY_US) == 0


def test_the_document_has_shares_and_unknown_keys(lake: Lake, desk: Desk, settings: Settings) -> None:
    take_in(lake, settings, record, 300, DAY)
    said = drift.document(lake, desk, LAYOUT.id)
    (layout,) = said["layouts"]
    shares = {entry["field"]: entry["share"] for entry in layout["fields"]}
    assert shares["views"] == 1.0
    assert shares["metrics.author_likes"] == 1.0
    assert {entry["key"] for entry in layout["unknown_keys"]} == {"authorInfos.signature", "itemInfos.isAd"}


def test_an_empty_list_is_no_value() -> None:
    column = pa.chunked_array([pa.array([["a"], [], None], TEXTS)])
    assert filled_in(column) == 1
    assert filled_in(column, np.array([False, True, True])) == 0


def test_lists_of_a_slice_are_those_of_its_rows() -> None:
    lists = pa.array([["a"], [], ["b", "c"], ["d"], []], pa.list_(pa.string()))
    column = pa.chunked_array([lists.slice(1, 3), lists.slice(0, 0), lists.slice(3)])
    assert filled_in(column) == 3
    assert filled_in(column, np.array([True, True, False, True, True])) == 2


@pytest.mark.parametrize(("start", "expected"), [(0, {"a": 2, "b": 1}), (1, {"a": 2, "b": 1}), (3, {"a": 1})])
def test_metrics_of_a_slice_are_those_of_its_rows(start: int, expected: dict[str, int]) -> None:
    column = pa.array([None, [("a", 1), ("b", 2)], [], [("a", 1)]], METRICS).slice(start)
    assert metrics_in(pa.chunked_array([column])) == expected
