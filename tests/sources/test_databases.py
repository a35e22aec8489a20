"""Addresses of databases: nobody but the driver sees a password, and a question fits its database."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.errors import UsageError
from groundswell.sources.databases import Address, Mark, Question, find_database, is_database, named

SECRET = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=4, max_size=20)


@given(SECRET)
def test_a_quoted_password_is_in_nothing_that_is_shown(secret: str) -> None:
    password = f"pw-{quote(secret, safe='')}-pw"
    address = Address.parse(f"postgresql://me:{password}@db.example:5432/social?sslmode=require")
    assert address.shown == "postgresql://me@db.example:5432/social"
    assert password not in repr(address)
    assert password not in address.without_secrets(f"invalid token in {password} and {address.url}")


@pytest.mark.parametrize("password", ["p@ss", "p/ss", "a:b:c", "que?stion", "a@b/c?d", "a?b=c"])
def test_an_unquoted_password_is_not_shown_either(password: str) -> None:
    address = Address.parse(f"mongodb://me:{password}@host/db")
    assert address.shown == "mongodb://me@host/db"
    assert password not in address.without_secrets(f"cannot parse {password}")


def test_a_password_among_the_parameters_is_not_shown() -> None:
    address = Address.parse("postgresql://host/db?user=me&password=hid%20den")
    assert address.shown == "postgresql://host/db"
    assert address.without_secrets("no hid den, no hid%20den") == "no ***, no ***"


def test_an_at_sign_in_a_parameter_ends_no_login() -> None:
    assert Address.parse("postgresql://host/db?user=me@corp").shown == "postgresql://host/db"


def test_several_hosts_and_none_are_addresses_too() -> None:
    assert Address.parse("mongodb://a:1,b:2/db?replicaSet=x").shown == "mongodb://a:1,b:2/db"
    assert Address.parse("sqlite:///a b.db").shown == "sqlite:///a b.db"


def test_paths_and_web_addresses_are_no_databases() -> None:
    assert is_database("postgresql://host/db")
    assert is_database("SQLite:///x.db")
    assert not any(map(is_database, ["posts.csv", "https://host/x.db", "/a/sqlite:x", "s3://bucket/key"]))


def test_a_long_query_is_shortened_in_the_name_and_whole_in_the_identity() -> None:
    query = f"select {', '.join(f'column_{n}' for n in range(100))} from posts"  # noqa: S608 - our own names
    database = find_database("postgresql://me:secret@host/db", Question(sql=query))
    assert len(database.name) < 200
    assert query in database.identity
    assert "secret" not in database.name + database.identity


def test_a_name_without_a_question_is_the_address() -> None:
    assert named(Address.parse("sqlite:///x.db"), "") == "sqlite:///x.db"


@pytest.mark.parametrize(
    ("url", "question", "said"),
    [
        ("mongodb://h/d", Question(table="posts"), "--table cannot be asked of MongoDB"),
        ("sqlite:///x.db", Question(collection="posts"), "--collection cannot be asked of an SQL database"),
        ("postgresql://h/d", Question(filter="{}"), "--filter cannot be asked"),
        ("postgresql://h/d", Question(table="a", sql="select 1"), "two things"),
    ],
)
def test_a_question_for_another_kind_of_database_is_refused(url: str, question: Question, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        find_database(url, question)


def test_a_mark_survives_its_document() -> None:
    mark = Mark("at", {"date": "2026-01-01T00:00:00Z", "number": "12"})
    assert Mark.from_document(mark.document()) == mark
