"""MongoDB as a source, on a server of its protocol: what is new by a field, and lost connections taken up again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from tests.services.servers import Ferret, start_ferretdb

from groundswell.errors import UnavailableError, UnknownChoiceError, UsageError
from groundswell.sources.databases import Address, Mark, Question, find_database
from groundswell.sources.mongo import Collection, Documents

pytestmark = pytest.mark.service

LIMIT = 1 << 20


def ask(url: str, question: Question, after: Mark | None = None) -> Documents:
    answer = find_database(url, question).read(after, LIMIT)
    assert isinstance(answer, Documents)
    return answer


def documents_of(answer: Documents) -> list[dict[str, Any]]:
    return [json.loads(line) for line in b"".join(answer.lines()).splitlines()]


@pytest.fixture
def database(ferretdb: Ferret) -> str:
    """The name of an empty database of this test's own."""
    return ferretdb.new_database()


def put(server: Ferret, database: str, documents: list[dict[str, Any]]) -> None:
    with server.client() as client:
        client[database]["videos"].insert_many(documents)


def test_documents_come_as_plain_json_in_the_order_of_their_ids(ferretdb: Ferret, database: str) -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    put(ferretdb, database, [{"_id": n, "views": bson.Int64(2**62 + n), "at": at} for n in (3, 1, 2)])
    assert documents_of(ask(ferretdb.url(database), Question(collection="videos"))) == [
        {"_id": n, "views": 2**62 + n, "at": "2026-01-02T00:00:00Z"} for n in (1, 2, 3)
    ]


def test_a_filter_chooses_documents_by_extended_json(ferretdb: Ferret, database: str) -> None:
    put(ferretdb, database, [{"_id": n, "at": datetime(2026, 1, n, tzinfo=UTC)} for n in range(1, 10)])
    wanted = '{"at": {"$gte": {"$date": "2026-01-08T00:00:00Z"}}}'
    answer = ask(ferretdb.url(database), Question(collection="videos", filter=wanted))
    assert [found["_id"] for found in documents_of(answer)] == [8, 9]


def test_what_is_new_by_a_field_of_any_kinds_is_read(ferretdb: Ferret, database: str) -> None:
    url, question = ferretdb.url(database), Question(collection="videos", cursor="at")
    day = datetime(2026, 1, 1, tzinfo=UTC)
    put(ferretdb, database, [{"_id": "number", "at": 5}, {"_id": "old", "at": 4}, {"_id": "text", "at": "m"}])
    put(ferretdb, database, [{"_id": "day", "at": day}, {"_id": "none"}, {"_id": "null", "at": None}])
    first = ask(url, question)
    assert len(documents_of(first)) == 6
    assert first.mark == Mark("at", {"number": "5", "string": "m", "date": "2026-01-01T00:00:00Z"})
    put(ferretdb, database, [{"_id": "5.5", "at": 5.5}, {"_id": "low", "at": 1}, {"_id": "z", "at": "z"}])
    put(ferretdb, database, [{"_id": "id", "at": bson.ObjectId()}, {"_id": "yes", "at": True}])
    second = ask(url, question, first.mark)
    read = {found["_id"] for found in documents_of(second)}
    assert read == {"number", "text", "day", "none", "null", "5.5", "z", "id", "yes"}
    third = ask(url, question, second.mark)
    assert {found["_id"] for found in documents_of(third)} == {"day", "none", "null", "5.5", "z", "id", "yes"}


def test_a_lost_connection_is_taken_up_where_it_was() -> None:
    """Killed in the middle and started again by whoever waits: every document comes, and comes once."""
    with start_ferretdb() as own:
        database = own.new_database()
        put(own, database, [{"_id": n, "group": n // 700, "text": "x" * 1_000} for n in range(3_500)])
        for cursor in (None, "group"):
            waits: list[float] = []

            def restart(seconds: float, waits: list[float] = waits) -> None:
                waits.append(seconds)
                own.process.start()

            url = own.url(database) + "?serverSelectionTimeoutMS=300"
            question = Question(collection="videos", cursor=cursor)
            answer = Collection(Address.parse(url), question, restart).read(None, LIMIT)
            lines = answer.lines()
            first = next(lines)
            own.process.kill()
            read = [json.loads(line)["_id"] for line in (first + b"".join(lines)).splitlines()]
            assert sorted(read) == list(range(3_500))
            assert waits
            assert answer.failure is None


def test_a_server_that_stays_away_leaves_what_was_read() -> None:
    with start_ferretdb() as own:
        database = own.new_database()
        put(own, database, [{"_id": n, "text": "x" * 1_000} for n in range(3_500)])
        url = own.url(database) + "?serverSelectionTimeoutMS=200"
        waits: list[float] = []
        question = Question(collection="videos", cursor="_id")
        answer = Collection(Address.parse(url), question, waits.append).read(None, LIMIT)
        lines = answer.lines()
        first = next(lines)
        own.process.kill()
        read = len((first + b"".join(lines)).splitlines())
    assert 0 < read < 3_500
    assert waits == [1.0, 2.0, 4.0]
    assert f"was lost after {read:,} documents" in str(answer.failure)
    assert answer.mark == Mark("_id", {"number": str(read - 1)})


def test_wrong_names_list_the_choices(ferretdb: Ferret, database: str) -> None:
    put(ferretdb, database, [{"_id": 1, "likes": 5}])
    url = ferretdb.url(database)
    with pytest.raises(UnknownChoiceError, match="Did you mean `videos`"):
        ask(url, Question(collection="video"))
    with pytest.raises(UnknownChoiceError, match="Valid: _id, likes"):
        ask(url, Question(collection="videos", cursor="like"))
    with pytest.raises(UsageError, match="collections: videos"):
        ask(url, Question())
    with pytest.raises(UsageError, match=rf"which database\?.*{database}"):
        ask(ferretdb.url(""), Question(collection="videos"))


@pytest.mark.parametrize("wanted", ["{a", "[]", '{"at": {"$date": "soon"}}', '{"a": {"$nothing": 1}}'])
def test_a_filter_that_is_none_is_refused(wanted: str, ferretdb: Ferret, database: str) -> None:
    put(ferretdb, database, [{"_id": 1}])
    with pytest.raises(UsageError):
        documents_of(ask(ferretdb.url(database), Question(collection="videos", filter=wanted)))


def test_wrong_passwords_and_hosts_are_told_without_the_password(ferretdb: Ferret, database: str) -> None:
    put(ferretdb, database, [{"_id": 1}])
    videos = Question(collection="videos")
    for url, kind in [
        (f"mongodb://me:secret@127.0.0.1:{ferretdb.port}/{database}", UnavailableError),
        ("mongodb://me:secret@127.0.0.1:1/x?serverSelectionTimeoutMS=200", UnavailableError),
        ("mongodb://me:sec/ret@127.0.0.1:1/x", UsageError),
    ]:
        with pytest.raises(kind) as caught:
            ask(url, videos)
        assert "secret" not in str(caught.value)
        assert "sec/ret" not in str(caught.value)


def test_the_estimate_is_of_what_is_asked(ferretdb: Ferret, database: str) -> None:
    put(ferretdb, database, [{"_id": n} for n in range(20)])
    url = ferretdb.url(database)
    assert find_database(url, Question(collection="videos")).estimate() == 20
    assert find_database(url, Question(collection="videos", filter='{"_id": {"$lt": 5}}')).estimate() == 5
    assert find_database(url, Question(collection="videos")).estimate(Mark("_id", {"number": "18"})) == 2
