"""A stage tells its length and its failure to whoever listens, and nothing where nobody does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from groundswell.telemetry import count, each, is_heard, level, stage, stages
from groundswell.telemetry.stages import Fact

BROKEN = "broken"


class Ear:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def begin(self, part: str, name: str) -> object:
        self.told.append(("begin", part, name))
        return len(self.told)

    def end(
        self,
        begun: object,
        part: str,
        name: str,
        seconds: float,
        facts: dict[str, Fact],
        error: BaseException | None,
    ) -> None:
        assert seconds >= 0
        self.told.append(("end", begun, part, name, dict(facts), type(error).__name__))

    def count(self, name: str, amount: float, labels: tuple[str, ...]) -> None:
        self.told.append(("count", name, amount, labels))

    def level(self, name: str, value: float, labels: tuple[str, ...]) -> None:
        self.told.append(("level", name, value, labels))


@pytest.fixture
def ear() -> Iterator[Ear]:
    one = Ear()
    stages.listen(one)
    stages.listen(one)
    yield one
    stages.leave(one)


def test_a_stage_is_told_once_with_what_was_noted_later(ear: Ear) -> None:
    with stage("watch", "step", records=3) as step:
        step.note(alerts=1)
    assert ear.told == [
        ("begin", "watch", "step"),
        ("end", 1, "watch", "step", {"records": 3, "alerts": 1}, "NoneType"),
    ]


def test_a_failure_goes_on_and_is_told(ear: Ear) -> None:
    with pytest.raises(ValueError, match="broken"), stage("lake", "commit"):
        raise ValueError(BROKEN)
    assert ear.told[-1][-1] == "ValueError"


def test_stages_end_in_the_reverse_order_of_their_beginning(ear: Ear) -> None:
    with stage("a", "outer"), stage("a", "inner"):
        pass
    assert [(what[0], what[-3] if what[0] == "end" else what[-1]) for what in ear.told] == [
        ("begin", "outer"),
        ("begin", "inner"),
        ("end", "inner"),
        ("end", "outer"),
    ]


def test_each_item_is_a_stage_and_so_is_the_end(ear: Ear) -> None:
    assert list(each("import", "read", iter("ab"))) == ["a", "b"]
    assert sum(what[0] == "end" for what in ear.told) == 3


def test_counts_and_levels_are_told_with_their_labels(ear: Ear) -> None:
    count("records_done", 5, "watch")
    level("kafka_lag", 7, "posts", "0")
    assert ear.told == [("count", "records_done", 5, ("watch",)), ("level", "kafka_lag", 7, ("posts", "0"))]


def test_a_listener_that_comes_or_goes_in_the_middle_of_a_stage_hears_none_of_it_or_all() -> None:
    late, early = Ear(), Ear()
    stages.listen(early)
    with stage("a", "b"):
        stages.listen(late)
        stages.leave(early)
    stages.leave(late)
    assert [what[0] for what in early.told] == ["begin", "end"]
    assert late.told == []


def test_where_nobody_listens_all_stages_are_the_same_object() -> None:
    assert not is_heard()
    assert stage("a", "b") is stage("c", "d", records=1)
