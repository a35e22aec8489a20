"""The repositories of the desk: trackers, runs, tokens, alerts, series, changes, checkpoints."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from groundswell.desk import Desk, alert_life, alerts, changes, checkpoints, documents, runs, series, tokens, trackers
from groundswell.errors import ConflictError, NotFoundError, UnknownChoiceError


def alert(alert_id: str, tracker: str, started: int = 0, **more: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": alert_id,
        "tracker_id": tracker,
        "tracker_version": 1,
        "signal": "volume",
        "window_s": 300,
        "direction": "burst",
        "phase": "growing",
        "started_at": started,
        "opened_at": started + 300,
        "updated_at": started + 300,
        "closed_at": None,
        "observed": 20,
        "expected": 4.0,
        "lower": 1.0,
        "upper": 9.0,
        "p_value": 1e-7,
        "return_days": 90.0,
        "posts": 20,
        "headline": "5x as usual\nonce in 90 days",
        "evidence": {"authors_total": 3},
        "verdict": None,
        "created_wall": 1,
    }
    return row | more


def window(tracker: str, start: int, count: int = 1) -> dict[str, Any]:
    return {
        "tracker_id": tracker,
        "window_s": 300,
        "start": start,
        "count": count,
        "expected": None,
        "lower": None,
        "upper": None,
        "p_value": None,
        "return_days": None,
        "platform_ratio": None,
        "state": "learning",
        "late": 0,
    }


def test_a_tracker_is_found_by_name_and_by_id(desk: Desk) -> None:
    with desk.session() as session:
        row = trackers.add(session, "Side effects", '"side effects"', 30.0)
        assert trackers.find(session, "side EFFECTS") is row
        assert trackers.find(session, row.id) is row


def test_a_name_in_use_is_refused_and_one_that_was_removed_comes_back_as_a_new_version(desk: Desk) -> None:
    with desk.session() as session:
        first = trackers.add(session, "Shoes", "shoe*", 30.0)
        with pytest.raises(ConflictError, match="Shoes"):
            trackers.add(session, "shoes", "boots", 30.0)
        trackers.remove(session, "Shoes")
        with pytest.raises(NotFoundError):
            trackers.find(session, "Shoes")
        again = trackers.add(session, "Shoes", "boots", 30.0)
        assert (again.id, again.version, again.removed_at) == (first.id, 2, None)


def test_another_query_is_a_new_version_and_the_same_is_not(desk: Desk) -> None:
    with desk.session() as session:
        trackers.add(session, "Shoes", "shoe*", 30.0)
        assert trackers.change(session, "Shoes", "shoe*").version == 1
        assert trackers.change(session, "Shoes", "boots").version == 2


def test_every_change_of_a_tracker_gives_another_edition_whoever_makes_it(desk: Desk) -> None:
    met = []

    def note() -> None:
        with desk.reading() as session:
            met.append(trackers.edition(session))

    note()
    with desk.session() as session:
        trackers.add(session, "Shoes", "shoe*", 30.0)
    note()
    with desk.session() as session:
        trackers.change(session, "Shoes", promise_days=10.0)
    note()
    with desk.session() as session:
        session.execute(text("UPDATE trackers SET snoozed_until = 1"))
    note()
    with desk.session() as session:
        trackers.remove(session, "Shoes")
    note()
    assert met == sorted(set(met))
    note()
    assert met[-1] == met[-2]


def test_an_unknown_tracker_lists_those_that_are_there(desk: Desk) -> None:
    with desk.session() as session:
        trackers.add(session, "Shoes", "shoe*", 30.0)
        with pytest.raises(NotFoundError, match="Shoes"):
            trackers.find(session, "Hats")


def test_a_run_is_unfinished_until_it_is_finished(desk: Desk) -> None:
    with desk.session() as session:
        run = runs.start(session, "import", "a.csv")
        found = runs.unfinished(session, "import", "a.csv")
        assert found is not None
        assert found.id == run.id
        assert runs.unfinished(session, "import", "b.csv") is None
        runs.finish(session, run.id, {"stored": 3})
        assert runs.unfinished(session, "import", "a.csv") is None
        assert runs.get(session, run.id).summary == {"stored": 3}


def test_a_token_is_found_by_its_secret_until_it_is_revoked(desk: Desk) -> None:
    with desk.session() as session:
        assert not tokens.any_active(session)
        secret, row = tokens.create(session, "laptop")
        assert secret.encode() not in row.digest
        found = tokens.find(session, secret)
        assert found is not None
        assert found.id == row.id
        assert tokens.find(session, secret + "x") is None
        tokens.revoke(session, row.id)
        assert tokens.find(session, secret) is None
        assert not tokens.any_active(session)


def test_writing_an_alert_again_keeps_the_verdict_and_the_first_wall_time(desk: Desk) -> None:
    with desk.session() as session:
        tracker = trackers.add(session, "Shoes", "shoe*", 30.0).id
        alerts.write(session, [alert("a1b2c3", tracker)])
        alert_life.judge(session, "a1b2c3", "real")
    with desk.session() as session:
        alerts.write(session, [alert("a1b2c3", tracker, phase="closed", closed_at=9, created_wall=2)])
    with desk.reading() as session:
        row = alerts.get(session, "a1b2")
        assert (row.verdict, row.created_wall, row.phase, row.closed_at) == ("real", 1, "closed", 9)
        assert alerts.open_count(session) == 0


def test_an_unknown_verdict_lists_the_choices(desk: Desk) -> None:
    with desk.session() as session, pytest.raises(UnknownChoiceError, match="false, known, real"):
        alert_life.judge(session, "x", "maybe")


def test_alerts_are_listed_newest_first_in_pages(desk: Desk) -> None:
    with desk.session() as session:
        tracker = trackers.add(session, "Shoes", "shoe*", 30.0).id
        alerts.write(session, [alert(f"id{n}", tracker, started=n // 2) for n in range(6)])
        first = alerts.listed(session, limit=4)
        rest = alerts.listed(session, before=(first[-1].started_at, first[-1].id))
        assert [row.id for row in first + rest] == ["id5", "id4", "id3", "id2", "id1", "id0"]
        assert alerts.open_by_tracker(session) == {tracker: "id5"}


def test_windows_are_replaced_by_a_revision(desk: Desk) -> None:
    with desk.session() as session:
        series.write(session, [window("t", 0), window("t", 300), window("u", 300)])
        series.write(session, [window("t", 300, count=5)])
        assert [row.count for row in series.of_tracker(session, "t", 300)] == [1, 5]
        assert series.latest(session, 300)["t"].count == 5


def test_old_windows_are_pruned(desk: Desk) -> None:
    day = 86_400_000_000
    with desk.session() as session:
        series.write(session, [window("t", n * day) for n in range(5)])
        assert series.prune(session, 300, 4 * day, keep=2 * 288) == 2
        assert len(series.of_tracker(session, "t", 300)) == 3


def test_changes_are_read_after_a_number_and_pruned(desk: Desk) -> None:
    with desk.session() as session:
        for n in range(5):
            changes.append(session, "window", "", {"t": {"count": n}})
        assert [row.seq for row in changes.after(session, 3)] == [4, 5]
        assert changes.document(changes.after(session, 4)[0])["windows"] == {"t": {"count": 4}}
        assert changes.prune(session, keep=2) == 3
        assert (changes.first_seq(session), changes.last_seq(session)) == (4, 5)


def test_a_plan_waits_until_a_checkpoint_covers_it(desk: Desk) -> None:
    with desk.session() as session:
        for number in (1, 2, 3):
            checkpoints.plan(session, number, first_block=number, last_block=number, clock_us=0, trackers=[("t", 1)])
        checkpoints.put(session, "watch", block=2, batch=2, generation=4)
        checkpoints.drop_plans(session, 2)
        assert [plan.number for plan in checkpoints.plans_after(session, 2)] == [3]
        assert checkpoints.plans_after(session, 2)[0].trackers == [["t", 1]]
        checkpoints.plan(session, 4, first_block=4, last_block=4, clock_us=0, trackers=[("t", 1), ("u", 2)])
        checkpoints.drop_plans(session, 3)
        assert checkpoints.plans_after(session, 0)[0].trackers == [["t", 1], ["u", 2]]
        found = checkpoints.get(session, "watch")
        assert found is not None
        assert (found.batch, found.generation) == (2, 4)


def test_documents_split_the_headline_from_its_detail(desk: Desk) -> None:
    with desk.session() as session:
        tracker = trackers.add(session, "Shoes", "shoe*", 30.0)
        alerts.write(session, [alert("a1b2c3", tracker.id)])
        document = documents.alert_summary(alerts.get(session, "a1b2c3"), tracker)
    assert (document["headline"], document["detail"]) == ("5x as usual", "once in 90 days")
    assert (document["ratio"], document["authors"]) == (5.0, 3)
