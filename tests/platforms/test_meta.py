"""Instagram, Facebook and Threads: ids, hidden counts, places, reactions, and the real tables that are at hand."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from groundswell.engines.duckdb import DuckEngine
from groundswell.platforms import Layout, Shape, registry
from groundswell.platforms.facebook import CROWDTANGLE, GRAPH_POSTS, LIVE
from groundswell.platforms.instagram import API_V1, GRAPHQL, MEDIA, NODE, POST_TABLE, REACH
from groundswell.schema import REJECT, UNREAD
from groundswell.settings import Settings

Rows = list[dict[str, Any]]
Read = Callable[[Rows, Layout], Rows]
FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "layouts"


@pytest.fixture
def engine(settings: Settings) -> Iterator[DuckEngine]:
    engine = DuckEngine(settings)
    yield engine
    engine.close()


@pytest.fixture
def read(engine: DuckEngine, tmp_path: Path) -> Read:
    def run(records: Rows, layout: Layout) -> Rows:
        if layout.shape is Shape.ROW:
            rows: Rows = table(engine, records, layout).to_pylist()
            return rows
        path = tmp_path / "records.ndjson"
        path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        rows = pa.Table.from_batches(engine.map_json(path, layout)).to_pylist()
        return rows

    return run


def table(engine: DuckEngine, rows: Rows, layout: Layout) -> pa.Table:
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: pa.array([row.get(name) or None for row in rows], pa.string()) for name in names}
    return pa.Table.from_batches(engine.map_rows(pa.table(columns), layout))


def fixture(layout: Layout) -> Rows:
    path = FIXTURES / f"{layout.id}.ndjson"
    if path.exists():
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    with path.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def total(posts: pa.Table, metric: str) -> int:
    return sum(dict(metrics or []).get(metric, 0) for metrics in posts["metrics"].to_pylist())


def test_the_reach_table_gives_impressions_by_source_and_no_views(data: Path, engine: DuckEngine) -> None:
    with (data / "instagram" / "reach.csv").open(encoding="utf-8", errors="replace", newline="") as file:
        rows = list(csv.DictReader(file))
    assert registry().recognise_sample(rows) is REACH
    posts = table(engine, rows, REACH)
    assert posts.num_rows == posts[REJECT].null_count == posts[UNREAD].null_count == 176
    assert posts["views"].null_count == posts["post_id"].null_count == 176
    assert posts["text"].to_pylist() == [row["Caption"] for row in rows]
    assert total(posts, "impressions") == sum(int(row["Impressions"]) for row in rows)
    assert total(posts, "impressions_from_home") == sum(int(row["From Home"]) for row in rows)
    assert pc.sum(posts["saves"]).as_py() == sum(int(row["Saves"]) for row in rows)
    assert posts["hashtags"][0].as_py()[:2] == ["finance", "money"]


def test_facebook_reactions_are_kept_by_kind(data: Path, engine: DuckEngine) -> None:
    with (data / "facebook" / "live.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert registry().recognise_sample(rows) is LIVE
    posts = table(engine, rows, LIVE)
    assert posts.num_rows == posts[REJECT].null_count == posts[UNREAD].null_count == 7050
    for column, metric in (("num_reactions", "reactions"), ("num_loves", "love"), ("num_angrys", "angry")):
        assert total(posts, metric) == sum(int(row[column]) for row in rows)
    assert pc.sum(posts["likes"]).as_py() == sum(int(row["num_likes"]) for row in rows)
    kinds = {"video": "video", "photo": "image", "link": "link", "status": "text"}
    assert posts["kind"].to_pylist() == [kinds[row["status_type"]] for row in rows]
    assert posts["created_at"][0].as_py() == datetime(2018, 4, 22, 6, tzinfo=UTC)
    assert posts["author_id"][0].as_py() == "246675545449582"


@pytest.mark.parametrize(
    ("written", "id_", "unread"),
    [
        ("1234567890", "1234567890", None),
        ("1234567890.0", "1234567890", None),
        ("1.2E+10", None, "owner_id=1.2E+10"),
        ("1,2E+10", None, "owner_id=1,2E+10"),
        ("17841405822304914.0", None, "owner_id=17841405822304914.0"),
        ("17841405822304914", "17841405822304914", None),
        ("", None, None),
        ("null", None, None),
    ],
)
def test_owner_ids_are_read_exactly_or_not_at_all(
    read: Read, written: str, id_: str | None, unread: str | None
) -> None:
    row = read([fixture(POST_TABLE)[0] | {"owner_id": written}], POST_TABLE)[0]
    assert row["author_id"] == id_
    assert row["unread"] == unread


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("{'id': '1', 'has_public_page': True, 'name': 'New York, New York', 'slug': 'ny'}", "New York, New York"),
        ("{'id': '1', 'name': \"L'Aquila\"}", "L'Aquila"),
        ("{'id': '1', 'name': 'L\\'Aquila'}", "L'Aquila"),
        ('{"id": "1", "name": "Köln"}', "Köln"),
        ("Paris, France", "Paris, France"),
        ("{'id': '1'}", None),
        ("nan", None),
        ("", None),
    ],
)
def test_a_place_may_be_the_text_of_a_dictionary(read: Read, written: str, place: str | None) -> None:
    assert read([fixture(POST_TABLE)[0] | {"location": written}], POST_TABLE)[0]["location"] == place


def test_the_post_table_takes_both_spellings_of_time_and_hidden_likes_are_unknown(read: Read) -> None:
    row = fixture(POST_TABLE)[0]
    spellings = ["1654041600", "1654041600.0", "1654041600000", "2022-06-01 00:00:00", "2022-06-01T00:00:00+00:00"]
    rows = read([row | {"created_at": spelling, "likes": "-1"} for spelling in spellings], POST_TABLE)
    assert {found["created_at"] for found in rows} == {datetime(2022, 6, 1, tzinfo=UTC)}
    assert {(found["likes"], found["unread"]) for found in rows} == {(None, None)}


def test_a_post_has_the_same_id_however_it_was_collected(read: Read) -> None:
    shortcode = "CxYz_1-a"
    rows = [
        (POST_TABLE, fixture(POST_TABLE)[0] | {"shortcode": shortcode}),
        (MEDIA, fixture(MEDIA)[0] | {"permalink": f"https://www.instagram.com/reel/{shortcode}/"}),
        (GRAPHQL, fixture(GRAPHQL)[0] | {"shortcode": shortcode}),
        (NODE, {"node": fixture(GRAPHQL)[0] | {"shortcode": shortcode}}),
        (API_V1, fixture(API_V1)[0] | {"code": shortcode}),
    ]
    assert {read([record], layout)[0]["post_id"] for layout, record in rows} == {shortcode}


def test_insights_stand_under_their_names_and_views_under_any_of_theirs(read: Read) -> None:
    first, second, third = read(fixture(MEDIA), MEDIA)
    assert (first["views"], dict(first["metrics"])) == (9, {"impressions": 700, "reach": 500})
    assert (second["views"], third["views"]) == (800, None)
    assert third["media_urls"] == ["https://media.example.invalid/c1.jpg", "https://media.example.invalid/c2.jpg"]


def test_counts_that_an_owner_hides_are_unknown(read: Read) -> None:
    item = fixture(API_V1)[0] | {"like_and_view_counts_disabled": True, "like_count": 3}
    found = read([item], API_V1)[0]
    assert (found["likes"], found["views"], found["comments"], found["unread"]) == (None, None, 3, None)


def test_an_advertisement_is_no_post(read: Read) -> None:
    assert API_V1.ignores is not None
    assert API_V1.ignores(fixture(API_V1)[0] | {"product_type": "ad"}) == "an advertisement in the feed"
    assert API_V1.ignores(fixture(API_V1)[0]) is None


def test_crowdtangle_names_posts_as_the_graph_api_does_and_times_have_their_zone(read: Read) -> None:
    first = read(fixture(CROWDTANGLE), CROWDTANGLE)[0]
    assert first["post_id"] == "161042861038324_858090351333568"
    assert first["created_at"] == datetime(2020, 4, 16, 13, 48, 29, tzinfo=UTC)
    assert dict(first["metrics"])["interactions"] == 1_972_048
    assert first["duration_s"] == 65.0
    graph = read([fixture(GRAPH_POSTS)[0] | {"id": first["post_id"]}], GRAPH_POSTS)[0]
    assert (graph["post_id"], graph["author_id"]) == (first["post_id"], "161")
