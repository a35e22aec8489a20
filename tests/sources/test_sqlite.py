"""SQLite files as sources: exact values as text, what is new by a column of any kinds, and nothing is written."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.errors import NotFoundError, UnavailableError, UnknownChoiceError, UsageError
from groundswell.sources.databases import Mark, Question, find_database
from groundswell.sources.sql import SqlDocuments, SqlRows

LIMIT = 1 << 20
VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5),
    st.binary(max_size=5),
)


def database(path: Path, rows: list[tuple[Any, ...]], columns: str = "id, text, at") -> str:
    """A file with a table `posts`; its address."""
    connection = sqlite3.connect(path)
    connection.execute(f"create table posts ({columns})")
    marks = ", ".join("?" for _ in columns.split(","))
    connection.executemany(f"insert into posts values ({marks})", rows)  # noqa: S608 - our own names
    connection.commit()
    connection.close()
    return f"sqlite:///{path}"


def ask(url: str, question: Question | None = None, after: Mark | None = None) -> SqlRows:
    answer = find_database(url, question).read(after, LIMIT)
    assert isinstance(answer, SqlRows)
    return answer


def rows_of(answer: SqlRows) -> list[dict[str, Any]]:
    return [row for chunk in answer.chunks() for row in chunk.rows.to_pylist()]


def test_whole_numbers_keep_all_digits_and_bytes_are_base64(tmp_path: Path) -> None:
    url = database(tmp_path / "a.db", [(2**63 - 1, "Grüße", 0.1), (1, b"\x00\xff", None)])
    assert rows_of(ask(url)) == [
        {"id": str(2**63 - 1), "text": "Grüße", "at": "0.1"},
        {"id": "1", "text": "AP8=", "at": None},
    ]


def test_text_that_is_not_utf_8_is_set_aside_with_its_bytes(tmp_path: Path) -> None:
    url = database(tmp_path / "a.db", [(1, "good", None)])
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.execute("insert into posts values (2, cast(x'61ff62' as text), null)")
    connection.commit()
    connection.close()
    (chunk,) = ask(url).chunks()
    assert chunk.numbers == [1]
    (bad,) = chunk.bad
    assert (bad.number, bad.reason) == (2, "not valid text")
    assert b'"text":"a\xffb"' in bad.raw


def test_a_row_over_the_limit_is_set_aside_by_its_length_and_hash(tmp_path: Path) -> None:
    url = database(tmp_path / "a.db", [(1, "x" * (LIMIT + 1), None), (2, "fine", None)])
    (chunk,) = ask(url).chunks()
    assert chunk.numbers == [2]
    (bad,) = chunk.bad
    assert bad.oversized is not None
    assert bad.oversized.length > LIMIT
    assert len(bad.raw) == 64 << 10


@settings(max_examples=60, deadline=None)
@given(st.lists(VALUES, max_size=20), st.lists(VALUES, max_size=20))
def test_what_is_new_by_a_column_of_any_kinds_is_read_once(
    tmp_path_factory: pytest.TempPathFactory, before: list[Any], later: list[Any]
) -> None:
    """What comes later and is not below what was seen is read; what is read again has no value or a greatest one."""
    path = tmp_path_factory.mktemp("kinds") / "a.db"
    url = database(path, list(enumerate(before)), "id, at")
    first = ask(url, Question(cursor="at"))
    assert len(rows_of(first)) == len(before)
    mark = first.mark
    assert mark is not None
    connection = sqlite3.connect(path)
    connection.executemany("insert into posts values (?, ?)", list(enumerate(later, len(before))))
    connection.commit()

    def greatest(kind: tuple[type, ...]) -> Any:
        return max((value for value in before if isinstance(value, kind)), key=_order, default=None)

    kinds: list[tuple[type, ...]] = [(int, float), (str,), (bytes,)]
    borders = {kind: greatest(kind) for kind in kinds}

    def is_read(value: Any) -> bool:
        kind = next((kind for kind in kinds if isinstance(value, kind)), None)
        return kind is None or borders[kind] is None or _order(value) >= _order(borders[kind])

    expected = {str(n) for n, value in enumerate([*before, *later]) if is_read(value)}
    assert {row["id"] for row in rows_of(ask(url, Question(cursor="at"), mark))} == expected


def _order(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


def test_a_column_of_json_objects_gives_documents(tmp_path: Path) -> None:
    url = database(tmp_path / "a.db", [('{"id": 1,\n "x": "é"}', 5), (None, 6)], "doc, at")
    answer = find_database(url, Question(cursor="at")).read(None, LIMIT)
    assert isinstance(answer, SqlDocuments)
    lines = b"".join(answer.lines()).splitlines()
    assert [json.loads(line) for line in lines] == [{"id": 1, "x": "é"}, None]
    assert answer.mark == Mark("at", {"number": "6"})


def test_columns_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    url = database(tmp_path / "a.db", [(1, "x", None)])
    answer = ask(url, Question(sql="select p.id, q.id from posts p join posts q on 1 -- joined;"))
    (names,) = {tuple(answer.columns)}
    assert len(set(names)) == 2


@pytest.mark.parametrize("query", ["delete from posts", "drop table posts", "select 1; delete from posts", "pragma x"])
def test_a_query_that_is_none_is_refused_and_changes_nothing(query: str, tmp_path: Path) -> None:
    url = database(tmp_path / "a.db", [(1, "x", None)])
    with pytest.raises(UsageError):
        ask(url, Question(sql=query))
    assert len(rows_of(ask(url))) == 1


def test_wrong_names_list_the_choices(tmp_path: Path) -> None:
    url = database(tmp_path / "a.db", [(1, "x", None)])
    for question, said in [
        (Question(table="post"), "Did you mean `posts`"),
        (Question(sql="select * from nope"), "Valid: posts"),
        (Question(table="posts", cursor="att"), "Valid: at, id, text"),
    ]:
        with pytest.raises(UnknownChoiceError, match=said):
            ask(url, question)
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.execute("create table authors (id)")
    connection.close()
    with pytest.raises(UsageError, match=r"which table.*authors, posts"):
        ask(url)


def test_a_file_that_is_absent_or_no_database_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello, this is no database" * 100)
    with pytest.raises(NotFoundError, match="no such SQLite file"):
        ask(f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(UnavailableError, match="not a database"):
        ask(f"sqlite:///{tmp_path}/a.txt")
    with pytest.raises(UsageError, match="names no file"):
        ask("sqlite://")


def test_a_damaged_file_gives_what_stands_before_the_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    url = database(path, [(n, "x" * 500, None) for n in range(5000)])
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 8192] = b"\xff" * 8192
    path.write_bytes(data)
    answer = ask(url)
    assert 0 < len(rows_of(answer)) < 5000
    assert "could not read on" in str(answer.failure)


def test_the_estimate_is_of_the_rows(tmp_path: Path) -> None:
    url = database(tmp_path / "a.db", [(n, "x", None) for n in range(50)])
    assert find_database(url).estimate() == 50
    assert find_database(url, Question(sql="select 1")).estimate() is None
