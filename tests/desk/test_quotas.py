"""Units of a day, and answers that were had."""

from __future__ import annotations

from groundswell.desk import Desk, quotas

SERVICE, DAY = "youtube", "2026-11-21"


def test_units_are_taken_until_the_limit_and_never_beyond(desk: Desk) -> None:
    with desk.session() as session:
        assert quotas.take(session, SERVICE, DAY, 100, 250)
        assert quotas.take(session, SERVICE, DAY, 100, 250)
        assert not quotas.take(session, SERVICE, DAY, 100, 250)
        assert quotas.take(session, SERVICE, DAY, 50, 250)
        assert quotas.spent(session, SERVICE, DAY) == 250
    with desk.reading() as session:
        assert quotas.spent(session, SERVICE, DAY) == 250
        assert quotas.spent(session, SERVICE, "2026-11-22") == 0


def test_a_platform_that_says_nothing_is_left_is_believed(desk: Desk) -> None:
    with desk.session() as session:
        quotas.exhaust(session, SERVICE, DAY, 10_000)
        assert not quotas.take(session, SERVICE, DAY, 1, 10_000)


def test_an_answer_is_kept_under_its_request_and_forgotten_with_age(desk: Desk) -> None:
    with desk.session() as session:
        assert quotas.answer(session, "r") is None
        quotas.keep_answer(session, "r", '"e1"', {"next": "t"}, now_us=1)
        quotas.keep_answer(session, "r", '"e2"', {"next": None}, now_us=5)
        assert quotas.answer(session, "r") == ('"e2"', {"next": None})
        quotas.forget_answers(session, 6)
        session.expire_all()
        assert quotas.answer(session, "r") is None
