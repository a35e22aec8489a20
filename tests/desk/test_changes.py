"""Many changes at once are numbered like one after the other."""

from __future__ import annotations

from groundswell.desk import Desk, changes


def test_many_changes_are_numbered_in_their_order_behind_those_before(desk: Desk) -> None:
    with desk.session() as session:
        first = changes.append(session, "alert", "a", {"n": 0}, now_us=1).seq
        changes.append_all(session, "alert", [(f"b{n}", {"n": n, "text": "é"}) for n in range(1, 30)], now_us=2)
        changes.append_all(session, "alert", [], now_us=3)
    with desk.reading() as session:
        rows = changes.after(session, first)
    assert [row.seq for row in rows] == list(range(first + 1, first + 30))
    assert [(row.subject, row.body, row.at, row.kind) for row in rows] == [
        (f"b{n}", {"n": n, "text": "é"}, 2, "alert") for n in range(1, 30)
    ]
