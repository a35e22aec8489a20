"""The import gives the same posts, refusals and counts on DuckDB and on Spark, whatever stands in the files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from groundswell.desk import Desk, open_desk
from groundswell.engines import Engine
from groundswell.importing import Options, import_paths
from groundswell.lake import Lake
from groundswell.lake.reading import posts_table
from groundswell.platforms import Layout, registry
from groundswell.schema import POSTS
from groundswell.settings import Settings, load_settings
from groundswell.simulate import Scenario, with_default_events, write

pytestmark = [
    pytest.mark.spark,
    pytest.mark.service,
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]

#: When a row was written and where it stands in the lake may differ; nothing else may.
OWN = ["imported_at", "ingest_seq"]
#: More posts than one batch of either engine holds.
MANY = 18_000
#: Lines that are no records of the layout around them, or hold cells that cannot be read.
DIRT = (
    b"not json",
    b"[1, 2]",
    b'"text"',
    b"null",
    b"{}",
    b"",
    b"   ",
    b'{"itemInfos": {"id": "trunc',
    b'{"itemInfos": {"id": "a"}} {"itemInfos": {"id": "b"}}',
    b'{"itemInfos": {"id": "\xff\xfe"}}',
    b'{"itemInfos": {"id": "\\ud800", "text": "half a pair"}}',
    b'{"itemInfos": "text", "authorInfos": [], "musicInfos": null}',
    b'{"error": {"message": "Bad Request", "code": 400}}',
    b'{"nothing": "that anybody knows"}',
    b'{"a": ' * 2_000 + b"1" + b"}" * 2_000,
)


@dataclass(frozen=True)
class Home:
    """What an import by one engine needs, and what it left behind."""

    engine: Engine
    settings: Settings
    desk: Desk
    lake: Lake

    def import_(self, *paths: Path, **options: Any) -> dict[str, Any]:
        """The import's document without what the clock says."""
        found = import_paths(
            [str(path) for path in paths], Options(**options), self.lake, self.desk, self.engine, self.settings
        ).document()
        for part in [found, *found["files"]]:
            del part["seconds"]
        return found

    def posts(self, reader: Engine) -> list[dict[str, Any]]:
        """What the lake has, read by one engine whichever wrote it."""
        found = reader.run(posts_table(reader, self.lake)).read_all().cast(POSTS)
        rows: list[dict[str, Any]] = found.drop_columns(OWN).sort_by("key").to_pylist()
        return rows

    def refused(self) -> list[dict[str, Any]]:
        rows = self.lake.read("quarantine").drop_columns(["at"])
        found: list[dict[str, Any]] = rows.sort_by([("origin", "ascending"), ("row", "ascending")]).to_pylist()
        return found

    def ledger(self) -> Counter[tuple[str, str]]:
        sums: Counter[tuple[str, str]] = Counter()
        for row in self.lake.read("ledger").to_pylist():
            for name, value in row.items():
                if isinstance(value, int):
                    sums[row["source"], name] += value
        return sums


@pytest.fixture
def homes(duck: Engine, spark: Engine, tmp_path: Path) -> Iterator[tuple[Home, Home]]:
    """A home for each engine."""
    first, second = (load_settings(home=tmp_path / name, threads=2) for name in ("duck", "spark"))
    with open_desk(first) as desk, open_desk(second) as other:
        yield Home(duck, first, desk, Lake.open(first)), Home(spark, second, other, Lake.open(second))


def imported_alike(homes: tuple[Home, Home], *paths: Path, **options: Any) -> dict[str, Any]:
    """Import on both and compare everything that is left; the document."""
    duck, spark = (home.import_(*paths, **options) for home in homes)
    assert duck == spark
    assert homes[0].refused() == homes[1].refused()
    for one, other in zip(*(home.posts(homes[0].engine) for home in homes), strict=True):
        assert one == other
    assert homes[0].ledger() == homes[1].ledger()
    return duck


def test_simulated_posts_with_dirt(homes: tuple[Home, Home], tmp_path: Path) -> None:
    file = tmp_path / "simulated.ndjson"
    scenario = with_default_events(Scenario(posts=MANY, days=3, seed=11, dirt=0.02, long_line=300_000))
    write(scenario, file)
    document = imported_alike(homes, file)
    assert document["read"] == MANY
    assert document["rejected"] > 50
    assert any(row["extra"] and "unread" in json.loads(row["extra"]) for row in homes[1].posts(homes[0].engine))
    assert imported_alike(homes, file)["known"] == document["stored"] > 17_000


def test_malformed_lines_between_records(
    homes: tuple[Home, Home], tmp_path: Path, fixture_of: Callable[[Layout], list[dict[str, Any]]]
) -> None:
    records = [json.dumps(record).encode() for record in fixture_of(registry().get("tiktok.nested"))]
    file = tmp_path / "dirt [1]*.ndjson"
    file.write_bytes(b"\r\n".join([*records, *DIRT, *records]))
    document = imported_alike(homes, file)
    assert document["stored"] == document["known"] == len(records)
    assert {row["reason"] for row in homes[1].refused()} >= {"not JSON", "not a JSON object", "not valid UTF-8"}


@pytest.mark.parametrize("layout", registry().layouts, ids=lambda layout: layout.id)
def test_a_file_of_every_layout(
    layout: Layout,
    homes: tuple[Home, Home],
    tmp_path: Path,
    fixture_of: Callable[[Layout], list[dict[str, Any]]],
) -> None:
    records = fixture_of(layout)
    lines, document = tmp_path / "lines.ndjson", tmp_path / "document.json"
    lines.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    document.write_text(json.dumps({"items": records}, indent=1), encoding="utf-8")
    found = imported_alike(homes, lines, document)
    assert found["read"] >= len(records)


def test_a_table_with_broken_rows_and_a_map(homes: tuple[Home, Home], tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text(
        "nr;when;body;hearts;by\n"
        '1;2026-01-05 10:00:00;"first; with a separator\nand a line";5;ann\n'
        "2;05/13/2026;no such day;many;bob\n"
        "3;2026-01-05T11:00:00+02:00;;-4;\n"
        "4;2026-01-05 12:00;too;many;cells;here\n"
        ";;;;\n"
        "6;1767600000;été 日本 👍 #Tag @Someone https://example.org/a;1,5;Zoë\n",
        encoding="utf-8",
    )
    mapping = {"post_id": "nr", "created_at": "when", "text": "body", "likes": "hearts", "author_name": "by"}
    document = imported_alike(homes, file, mapping=mapping, platform="forum", tz="Europe/Paris")
    assert document["stored"] >= 3
    assert document["rejected"] >= 1


def test_a_lake_reads_the_same_whichever_engine_wrote_it(homes: tuple[Home, Home], tmp_path: Path) -> None:
    file = tmp_path / "simulated.ndjson"
    write(Scenario(posts=300, days=2, seed=3), file)
    assert imported_alike(homes, file)["stored"] == 300
    by_duck, by_spark = (homes[1].posts(home.engine) for home in homes)
    for one, other in zip(by_duck, by_spark, strict=True):
        assert one == other
