from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from groundswell.errors import NotFoundError
from groundswell.importing import Options
from groundswell.importing.retry import Retried, held_rows, retry


def again(workshop: Any, **arguments: Any) -> Retried:
    return retry(workshop.lake, workshop.desk, workshop.engine, workshop.settings, **arguments)


@pytest.fixture
def held(workshop: Any, tmp_path: Path) -> Any:
    lines = [{"foo": n, "bar": f"words {n}"} for n in range(3)]
    (tmp_path / "a.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines) + "broken\n")
    workshop.import_(tmp_path / "a.ndjson")
    (tmp_path / "b.csv").write_text('foo,bar\n1,"some\nwords"\n2,more\n')
    workshop.import_(tmp_path / "b.csv")
    return workshop


def test_what_is_not_readable_today_stays_held(held: Any) -> None:
    before = len(held_rows(held.lake))
    done = again(held)
    assert (done.stored, done.held) == (0, before)


def test_a_map_makes_held_lines_readable(held: Any, tmp_path: Path) -> None:
    origin = str(tmp_path / "a.ndjson")
    options = Options(mapping={"text": "bar", "post_id": "foo"})
    done = again(held, origin=origin, options=options)
    assert done == Retried(read=4, stored=3, known=0, ignored=0, held=1)
    assert [row["text"] for row in held.posts("text")] == ["words 0", "words 1", "words 2"]
    assert held.posts("origin_offset")[1]["origin_offset"] == len('{"foo": 0, "bar": "words 0"}\n')
    states = {row["raw"][:6]: row["state"] for row in held.quarantine() if row["origin"] == origin}
    assert states == {b'{"foo"': "resolved", b"broken": "held"}
    assert again(held, origin=origin, options=options).read == 1


def test_a_map_makes_held_table_rows_readable(held: Any, tmp_path: Path) -> None:
    done = again(held, origin=str(tmp_path / "b.csv"), options=Options(mapping={"text": "bar"}))
    assert (done.stored, done.held) == (2, 0)
    assert [row["text"] for row in held.posts("text")] == ["some\nwords", "more"]


def test_a_kill_before_the_marks_stores_nothing_twice(
    held: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    arguments = {"origin": str(tmp_path / "a.ndjson"), "options": Options(mapping={"text": "bar", "post_id": "foo"})}
    with monkeypatch.context() as patch:
        patch.setattr("groundswell.importing.retry.mark_resolved", die)
        with pytest.raises(KeyboardInterrupt):
            again(held, **arguments)
    done = again(held, **arguments)
    assert (done.stored, done.known, held.lake.count()) == (0, 3, 3)


def test_an_id_that_is_not_held_is_said(held: Any) -> None:
    with pytest.raises(NotFoundError, match="no held row"):
        again(held, ids=["nope"])


def test_a_retry_means_the_columns_that_were_guessed(workshop: Any, tmp_path: Path) -> None:
    records = [
        {"id": "1", "text": "a", "created_at": "2026-11-20T08:11:04Z"},
        {"id": "9", "text": "x", "created_at": "soon"},
    ]
    file = tmp_path / "a.ndjson"
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    assert workshop.import_(file)["rejected"] == 1
    assert again(workshop) == Retried(read=1, stored=0, known=0, ignored=0, held=1)
