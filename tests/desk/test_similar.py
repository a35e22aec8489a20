"""Earlier alerts that are like one, and how they ended."""

from __future__ import annotations

from typing import Any

from tests.desk.test_alert_life import NOW, alert

from groundswell.desk import Desk, alerts, trackers
from groundswell.desk.similar import similar_alerts

DAY = 86_400_000_000


def card(*words: str, authors: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "posts_total": 10,
        "words": [{"word": word, "posts": 8} for word in words],
        "authors": [{"key": name, "posts": 5} for name in authors],
    }


def test_the_most_alike_come_first_with_their_end_and_what_they_share(desk: Desk) -> None:
    with desk.session() as session:
        tracker = trackers.add(session, "Shoes", "shoe*", 10.0).id
        other = trackers.add(session, "Boots", "boot*", 10.0).id
        old = {"closed_at": NOW, "phase": "closed", "verdict": "known", "verdict_note": "the sale"}
        alerts.write(
            session,
            [
                alert("now", tracker, NOW, evidence=card("sale", "queue", authors=("ann",))),
                alert("same", tracker, NOW - 9 * DAY, evidence=card("sale", "queue", authors=("ann",))),
                alert("half", tracker, NOW - DAY, evidence=card("sale", "fire")),
                alert("none", tracker, NOW - DAY, evidence=card("election")),
                alert("drop", tracker, NOW - DAY, direction="drop", evidence=card("sale")),
                alert("later", tracker, NOW + DAY, evidence=card("sale", "queue")),
                alert("boot", other, NOW - DAY, evidence=card("sale", "queue")),
            ],
        )
        same = alerts.get(session, "same")
        for name, value in old.items():
            setattr(same, name, value)
    with desk.reading() as session:
        found = similar_alerts(session, alerts.get(session, "now"))
        drops = similar_alerts(session, alerts.get(session, "drop"))
    assert [one["id"] for one in found] == ["same", "half"]
    assert (found[0]["likeness"], found[0]["verdict"], found[0]["verdict_note"]) == (1.0, "known", "the sale")
    assert (found[0]["minutes"], found[1]["minutes"]) == (5.0, None)
    assert found[0]["shared"] == ["queue", "sale", "@ann"]
    assert found[1]["shared"] == ["sale"]
    assert drops == []
