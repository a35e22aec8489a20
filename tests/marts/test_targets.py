"""Rows written to databases, on real servers: once by their key, all or none, and read back as they were."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.services.servers import PASSWORD, Ferret, Postgres

from groundswell.errors import GroundswellError, UnavailableError, UnknownChoiceError, UsageError
from groundswell.marts.targets import Written, write_rows
from groundswell.sources.databases import Question, find_database
from groundswell.sources.sql import SqlRows

SCHEMA = pa.schema(
    [
        ("platform", pa.string()),
        ("post", pa.string()),
        ("text", pa.string()),
        ("at", pa.timestamp("us", "UTC")),
        ("likes", pa.int64()),
        ("share", pa.float64()),
        ("tags", pa.list_(pa.string())),
        ("places", pa.list_(pa.struct([("id", pa.string()), ("name", pa.string())]))),
        ("metrics", pa.map_(pa.string(), pa.int64())),
        ("verified", pa.bool_()),
        ("hash", pa.binary()),
    ]
)
KEY = ("platform", "post")


def row(number: int, **more: Any) -> dict[str, Any]:
    full = {
        "platform": "tiktok",
        "post": str(10**18 + number),
        "text": f'Grüße "{number}",\n;\\ \t#x' if number else "",
        "at": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=number),
        "likes": 2**53 + number,
        "share": 0.1,
        "tags": ["a,b", 'c"d'] if number else [],
        "places": [{"id": "1", "name": None}],
        "metrics": [("saves", 2**60)] if number else [],
        "verified": True,
        "hash": b"\x01\xff",
    }
    return full | more


def reader(rows: list[dict[str, Any]], schema: pa.Schema = SCHEMA) -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(schema, pa.Table.from_pylist(rows, schema).to_batches(max_chunksize=7))


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.service),
        pytest.param("mongodb", marks=pytest.mark.service),
    ]
)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/out.db"
    server: Postgres | Ferret = request.getfixturevalue(
        {"postgresql": "postgres", "mongodb": "ferretdb"}[request.param]
    )
    return server.url(server.new_database())


def outcome(written: Written) -> tuple[int, int, int, int]:
    return written.rows, written.inserted, written.updated, written.unchanged


def test_rows_are_written_once_and_brought_up_to_date(url: str) -> None:
    rows = [row(n) for n in range(30)]
    assert outcome(write_rows(url, "posts", reader(rows), KEY)) == (30, 30, 0, 0)
    assert outcome(write_rows(url, "posts", reader(rows), KEY)) == (30, 0, 0, 30)
    changed = [row(n, likes=5) if n < 3 else row(n) for n in range(31)]
    told: list[int] = []
    assert outcome(write_rows(url, "posts", reader(changed), KEY, told.append)) == (31, 1, 3, 27)
    assert told[-1] == 31


def test_of_two_rows_with_one_key_the_later_counts(url: str) -> None:
    write_rows(url, "posts", reader([row(1, likes=1), row(2), row(1, likes=3)]), KEY)
    write_rows(url, "posts", reader([row(9, likes=1), row(9, likes=4)]), KEY)
    found = {str(one["post"]): int(one["likes"]) for one in read_back(url)}
    assert found == {row(1)["post"]: 3, row(2)["post"]: row(2)["likes"], row(9)["post"]: 4}


def test_no_rows_make_an_empty_table(url: str) -> None:
    assert outcome(write_rows(url, "posts", reader([]), KEY)) == (0, 0, 0, 0)
    if not url.startswith("mongodb"):
        assert read_back(url) == []


def test_a_column_that_the_table_lacks_is_added(url: str) -> None:
    few = pa.schema([SCHEMA.field(name) for name in ("platform", "post", "likes")])
    write_rows(url, "posts", reader([row(1), row(2)], few), KEY)
    assert outcome(write_rows(url, "posts", reader([row(2)]), KEY)) == (1, 0, 1, 0)
    texts = {str(one["post"]): one.get("text") for one in read_back(url)}
    assert texts == {row(1)["post"]: None, row(2)["post"]: row(2)["text"]}


def test_a_key_of_one_column_is_a_key_too(url: str) -> None:
    schema = pa.schema([("hashtag", pa.string()), ("posts", pa.int64())])
    rows = [{"hashtag": f"tag {n}", "posts": n} for n in range(5)]
    assert outcome(write_rows(url, "tags", reader(rows, schema), "hashtag")) == (5, 5, 0, 0)
    assert outcome(write_rows(url, "tags", reader(rows, schema), "hashtag")) == (5, 0, 0, 5)


def read_back(url: str, table: str = "posts") -> list[dict[str, Any]]:
    """The rows as the sources read them."""
    question = Question(collection=table) if url.startswith("mongodb") else Question(table=table)
    answer = find_database(url, question).read(None, 1 << 24)
    if isinstance(answer, SqlRows):
        return [found for chunk in answer.chunks() for found in chunk.rows.to_pylist()]

    return [json.loads(line) for line in b"".join(answer.lines()).splitlines()]


def test_values_come_back_as_they_were(url: str) -> None:
    write_rows(url, "posts", reader([row(7)]), KEY)
    (found,) = read_back(url)
    assert found["text"] == row(7)["text"]
    assert int(found["likes"]) == 2**53 + 7
    assert datetime.fromisoformat(found["at"]) == row(7)["at"]
    assert found["hash"] == "01ff"
    if url.startswith("mongodb"):
        assert found["_id"] == f"tiktok:{row(7)['post']}"
        assert (found["tags"], found["metrics"]) == (row(7)["tags"], {"saves": 2**60})
        assert found["places"] == row(7)["places"]
    else:
        compact = {name: found[name].replace(", ", ",").replace(": ", ":") for name in ("tags", "metrics", "places")}
        assert compact == {
            "tags": '["a,b","c\\"d"]',
            "metrics": '{"saves":1152921504606846976}',
            "places": '[{"id":"1","name":null}]',
        }


def failing(rows: list[dict[str, Any]]) -> pa.RecordBatchReader:
    def batches() -> Iterator[pa.RecordBatch]:
        yield from reader(rows)
        message = "the lake went away"
        raise OSError(message)

    return pa.RecordBatchReader.from_batches(SCHEMA, batches())


def test_an_export_that_breaks_off_leaves_an_sql_database_as_it_was(url: str) -> None:
    if url.startswith("mongodb"):
        return
    write_rows(url, "posts", reader([row(1)]), KEY)
    with pytest.raises(OSError, match="went away"):
        write_rows(url, "posts", failing([row(n, likes=0) for n in range(20)]), KEY)
    assert [int(one["likes"]) for one in read_back(url)] == [row(1)["likes"]]


def test_a_nul_in_a_text_is_left_out_of_sql(url: str) -> None:
    if url.startswith("mongodb"):
        return
    nested = {"places": [{"id": "a\0b", "name": "\\u0000"}]}
    write_rows(url, "posts", reader([row(1, text="a\0b", **nested)]), KEY)
    (found,) = read_back(url)
    assert found["text"] == "ab"
    assert '"ab"' in found["places"]
    assert '"\\\\u0000"' in found["places"]


def test_a_key_that_is_no_column_lists_the_columns(url: str) -> None:
    with pytest.raises(UnknownChoiceError, match="Valid: at, hash"):
        write_rows(url, "posts", reader([row(1)]), "key")


def test_what_is_no_database_is_refused() -> None:
    with pytest.raises(UsageError, match="no address of a database"):
        write_rows("out.csv", "posts", reader([row(1)]), KEY)


@pytest.mark.service
def test_a_table_of_somebody_else_without_that_key_is_refused(postgres: Postgres) -> None:
    database = postgres.new_database()
    with postgres.connect(database) as connection:
        connection.execute("create table posts (platform text, post text)")
    with pytest.raises(UsageError, match="unique key on platform, post"):
        write_rows(postgres.url(database), "posts", reader([row(1)]), KEY)


@pytest.mark.service
@pytest.mark.parametrize("table", ["other.posts", 'odd "name"; drop'])
def test_names_are_names_whatever_is_in_them(table: str, postgres: Postgres) -> None:
    database = postgres.new_database()
    with postgres.connect(database) as connection:
        connection.execute("create schema other")
    assert write_rows(postgres.url(database), table, reader([row(1)]), KEY).inserted == 1


def test_a_folder_that_is_absent_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="cannot open the file"):
        write_rows(f"sqlite:///{tmp_path}/none/out.db", "posts", reader([row(1)]), KEY)


def test_a_file_that_another_writes_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groundswell.marts.target_sqlite._PATIENCE_S", 0.05)
    other = sqlite3.connect(tmp_path / "out.db", isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(UnavailableError, match="Nothing was written"):
        write_rows(f"sqlite:///{tmp_path}/out.db", "posts", reader([row(1)]), KEY)
    other.close()


@pytest.mark.service
def test_wrong_passwords_and_databases_are_told(postgres: Postgres) -> None:
    database = postgres.new_database()
    wrong: list[tuple[str, type[GroundswellError], str]] = [
        (postgres.url(database, "wrong secret"), UnavailableError, "PGPASSWORD"),
        (postgres.url("nowhere"), UnknownChoiceError, "no database `nowhere`"),
        ("mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=100", UnavailableError, "cannot be reached"),
    ]
    for url, kind, said in wrong:
        with pytest.raises(kind, match=said) as caught:
            write_rows(url, "posts", reader([row(1)]), KEY)
        assert not any(secret in str(caught.value) for secret in ("wrong secret", PASSWORD))
