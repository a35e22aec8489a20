"""PostgreSQL as a source, on a real server: exact values, one state of the database, clear refusals."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from tests.services.servers import PASSWORD, Postgres, start_postgres

from groundswell.errors import GroundswellError, UnavailableError, UnknownChoiceError, UsageError
from groundswell.sources.databases import Mark, Question, find_database
from groundswell.sources.sql import SqlDocuments, SqlRows

pytestmark = pytest.mark.service

LIMIT = 1 << 20


def ask(url: str, question: Question, after: Mark | None = None) -> SqlRows:
    answer = find_database(url, question).read(after, LIMIT)
    assert isinstance(answer, SqlRows)
    return answer


def rows_of(answer: SqlRows) -> list[dict[str, Any]]:
    return [row for chunk in answer.chunks() for row in chunk.rows.to_pylist()]


@pytest.fixture
def database(postgres: Postgres) -> str:
    """An empty database of this test's own."""
    return postgres.new_database()


VALUES = {
    "int8": ("9223372036854775807", "9223372036854775807"),
    "numeric": ("12345678901234567890.120", "12345678901234567890.120"),
    "float8": ("0.1", "0.1"),
    "timestamptz": ("2026-01-01 12:00:00.25+05:30", "2026-01-01T06:30:00.25Z"),
    "timestamp": ("2026-01-01 12:00:00", "2026-01-01 12:00:00"),
    "date": ("2026-01-01", "2026-01-01"),
    "interval": ("1 hour 2 min", "PT1H2M"),
    "bool": ("yes", "true"),
    "bytea": ("\\x00ff", "AP8="),
    "json": ('{"n": 12345678901234567890}', '{"n": 12345678901234567890}'),
    "jsonb": ('[1,  "a"]', '[1, "a"]'),
    "text[]": ('{"a,b",NULL,"c\\"d"}', '["a,b",null,"c\\"d"]'),
    "int8[]": ("{{1,2},{3,9223372036854775807}}", "[[1,2],[3,9223372036854775807]]"),
    "float8[]": ("{0.5,NaN}", '[0.5,"NaN"]'),
    "timestamptz[]": ("{2026-01-01 00:00+00}", '["2026-01-01T00:00:00Z"]'),
    "mood": ("good", "good"),
    "mood[]": ("{good,bad}", '["good","bad"]'),
    "uuid": ("00000000-0000-0000-0000-000000000005", "00000000-0000-0000-0000-000000000005"),
    "text": ("", ""),
}


@pytest.mark.parametrize("kind", VALUES)
def test_a_value_comes_as_exact_text(kind: str, postgres: Postgres, database: str) -> None:
    written, read = VALUES[kind]
    with postgres.connect(database) as connection:
        connection.execute("create type mood as enum ('good', 'bad')")
        connection.execute(f"create table t (id int, value {kind})")
        connection.execute("insert into t values (1, %s), (2, null)", [written])
    rows = rows_of(ask(postgres.url(database), Question(table="t")))
    assert [row["value"] for row in rows] == [read, None]


def test_text_of_a_database_without_encoding_is_set_aside_where_it_is_not_utf_8(postgres: Postgres) -> None:
    with postgres.connect() as connection:
        connection.execute("drop database if exists loose")
        connection.execute("create database loose encoding 'SQL_ASCII' locale 'C' template template0")
    with postgres.connect("loose") as connection:
        connection.execute("set client_encoding = 'SQL_ASCII'")
        connection.execute(b"create table t (id int, value text)")
        connection.execute("insert into t values (1, 'Gr\u00fc\u00dfe')".encode())
        connection.execute(b"insert into t values (2, E'a\\xffb')")
    (chunk,) = ask(postgres.url("loose"), Question(table="t")).chunks()
    assert chunk.rows.to_pylist() == [{"id": "1", "value": "Grüße"}]
    assert [(bad.number, bad.reason) for bad in chunk.bad] == [(2, "not valid text")]


def fill(postgres: Postgres, database: str, numbers: range) -> None:
    with postgres.connect(database) as connection:
        connection.execute("create table if not exists posts (id int, at timestamptz)")
        statement = "insert into posts select n, timestamptz '2026-01-01 00:00+00' + n / 10 * interval '1 min'"
        connection.execute(statement + " from generate_series(%s::int, %s::int) n", [numbers.start, numbers.stop - 1])


def test_what_is_new_by_a_column_is_read_with_what_equals_the_greatest(postgres: Postgres, database: str) -> None:
    url, question = postgres.url(database), Question(table="posts", cursor="at")
    fill(postgres, database, range(95))
    first = ask(url, question)
    assert sorted(int(row["id"]) for row in rows_of(first)) == list(range(95))
    assert first.mark == Mark("at", {"value": "2026-01-01T00:09:00Z"})
    fill(postgres, database, range(95, 120))
    with postgres.connect(database) as connection:
        connection.execute("insert into posts values (-1, null)")
    second = ask(url, question, first.mark)
    assert sorted(int(row["id"]) for row in rows_of(second)) == [-1, *range(90, 120)]
    assert second.mark == Mark("at", {"value": "2026-01-01T00:11:00Z"})
    third = ask(url, question, second.mark)
    assert sorted(int(row["id"]) for row in rows_of(third)) == [-1, *range(110, 120)]


def test_rows_are_of_one_moment_whatever_is_written_meanwhile(postgres: Postgres, database: str) -> None:
    fill(postgres, database, range(30_000))
    answer = ask(postgres.url(database), Question(table="posts", cursor="id"))
    chunks = answer.chunks()
    count = next(chunks).rows.num_rows
    fill(postgres, database, range(30_000, 30_100))
    with postgres.connect(database) as connection:
        connection.execute("delete from posts where id = 29999")
    assert count + sum(chunk.rows.num_rows for chunk in chunks) == 30_000


def test_a_column_of_json_objects_gives_documents(postgres: Postgres, database: str) -> None:
    with postgres.connect(database) as connection:
        connection.execute("create table raw (at int, doc json)")
        connection.execute("""insert into raw values (1, '{"a": 1,\n "b": 2}'), (2, null)""")
    answer = find_database(postgres.url(database), Question(table="raw", cursor="at")).read(None, LIMIT)
    assert isinstance(answer, SqlDocuments)
    assert b"".join(answer.lines()) == b'{"a": 1,  "b": 2}\nnull\n'


def test_tables_are_found_in_schemas_and_in_any_case(postgres: Postgres, database: str) -> None:
    with postgres.connect(database) as connection:
        connection.execute('create schema "My"; create table "My"."Odd Name" (id int)')
        connection.execute("create table plain (id int); create view seen as select 1 as id")
    url = postgres.url(database)
    for table in ("My.Odd Name", "plain", "PLAIN", "public.plain", "seen"):
        with closing(ask(url, Question(table=table))) as answer:
            assert answer.columns == ["id"]
    with pytest.raises(UnknownChoiceError, match=r"Valid: My\.Odd Name, plain, seen"):
        ask(url, Question(table="nothing"))
    with pytest.raises(UsageError, match="which table"):
        ask(url, Question())


@pytest.mark.parametrize(
    "query",
    ["delete from posts", "with gone as (delete from posts returning *) select * from gone", "create table x()"],
)
def test_a_query_that_writes_is_refused(query: str, postgres: Postgres, database: str) -> None:
    fill(postgres, database, range(5))
    with pytest.raises(UsageError, match="cannot do this"):
        ask(postgres.url(database), Question(sql=query))
    assert len(rows_of(ask(postgres.url(database), Question(table="posts")))) == 5


def test_a_query_may_hold_what_it_likes(postgres: Postgres, database: str) -> None:
    fill(postgres, database, range(3))
    query = "select id as \"a %s {} b\", '%d' as c from posts where id >= 1 -- the end;"
    assert rows_of(ask(postgres.url(database), Question(sql=query)))[0] == {"a %s {} b": "1", "c": "%d"}


def test_wrong_columns_databases_passwords_and_hosts_are_told_without_the_password(
    postgres: Postgres, database: str
) -> None:
    fill(postgres, database, range(5))
    posts = Question(table="posts")
    wrong: list[tuple[str, Question, type[GroundswellError], str]] = [
        (postgres.url(database), Question(table="posts", cursor="att"), UnknownChoiceError, "Valid: at, id"),
        (postgres.url("nowhere"), posts, UnknownChoiceError, "no database `nowhere`.*postgres"),
        (postgres.url(database, "wrong secret"), posts, UnavailableError, "PGPASSWORD"),
        (postgres.url(database, None), posts, UnavailableError, "PGPASSWORD"),
        ("postgresql://me:secret@127.0.0.1:1/x", posts, UnavailableError, "cannot be reached"),
        ("postgresql://me:sec%zzret@127.0.0.1:1/x", posts, UsageError, "no PostgreSQL address"),
    ]
    for url, question, kind, said in wrong:
        with pytest.raises(kind, match=said) as caught:
            ask(url, question)
        assert not any(secret in str(caught.value) for secret in ("secret", "sec%zzret", PASSWORD))


def test_the_password_may_come_from_the_environment(
    postgres: Postgres, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(postgres, database, range(5))
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert len(rows_of(ask(postgres.url(database, None), Question(table="posts")))) == 5


def test_a_server_that_goes_away_leaves_what_was_read() -> None:
    with start_postgres() as own:
        database = own.new_database()
        fill(own, database, range(50_000))
        answer = ask(own.url(database), Question(table="posts", cursor="id"))
        chunks = answer.chunks()
        first = next(chunks)
        own.process.kill()
        rows = first.rows.num_rows + sum(chunk.rows.num_rows for chunk in chunks)
    assert 0 < rows < 50_000
    assert "connection to PostgreSQL broke" in str(answer.failure)
    assert answer.mark == Mark("id", {"value": str(rows - 1)})


def test_the_estimate_is_the_planners(postgres: Postgres, database: str) -> None:
    fill(postgres, database, range(2_000))
    with postgres.connect(database) as connection:
        connection.execute("analyze posts")
    assert find_database(postgres.url(database), Question(table="posts")).estimate() == 2_000
    assert find_database(postgres.url(database), Question(sql="select 1 as x")).estimate() == 1
