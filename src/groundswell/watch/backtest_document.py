"""What a backtest found, as `groundswell backtest --json` and the REST API show it (`web.backtest_models.Backtest`)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from groundswell.desk import alert_documents, alerts, open_desk, series, trackers
from groundswell.desk.clock import iso
from groundswell.query import parse
from groundswell.watch.alert_rows import write_alerts
from groundswell.watch.contract import DAY, SECOND, AlertRecord, SeriesPoint

if TYPE_CHECKING:
    from groundswell.settings import Settings
    from groundswell.watch.backtest import Tested

#: Alerts that are shown with their card, the newest.
CARDS: Final = 200
#: Episodes at the loosest promise that are shown, the rarest.
CANDIDATES: Final = 1_000
#: Windows that are drawn.
DRAWN: Final = 2_200
#: Posts expected in a window below which a ratio says nothing; as in `watch.evidence`.
_LEAST_EXPECTED: Final = 0.5
#: With less of a past than this a detector does not know its day and week yet, days.
_KNOWS_DAYS: Final = 14.0
_CHUNK: Final = 2_000


def document(settings: Settings, tested: Tested) -> dict[str, Any]:
    """Everything that was found."""
    asked, since_us = tested.asked, tested.since_us
    days = 0.0 if since_us is None else (tested.until_us - since_us) / DAY
    by_promise = [
        {
            "promise_days": promise,
            "alerts": len(found),
            "per_30_days": round(30 * len(found) / days, 3) if days else None,
        }
        for promise, found in sorted(tested.alerts.items())
    ]
    return {
        "query": str(parse(asked.query)),
        "since": iso(since_us),
        "until": iso(tested.until_us),
        "days": round(days, 3),
        "learned_days": round(tested.learned_us / DAY, 3),
        "platforms": list(asked.platforms),
        "promise_days": tested.promise_days,
        "windows_s": [size // SECOND for size in tested.params.sizes],
        "posts": tested.posts,
        "stream_posts": tested.stream_posts,
        "blind_posts": tested.blind,
        "by_promise": by_promise,
        "alerts": _cards(settings, tested),
        "candidates": _candidates(tested),
        "series": _series(tested),
        "notes": _notes(tested, days),
        "seconds": round(tested.seconds, 3),
        "lake_version": tested.lake_version,
    }


def _cards(settings: Settings, tested: Tested) -> list[dict[str, Any]]:
    """The alerts of the asked promise as the desk would show them, from a desk of their own that is thrown away."""
    found = sorted(tested.alerts.get(tested.promise_days, {}).values(), key=lambda alert: alert.opened_at)
    if not found:
        return []
    settings.tmp_path.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.tmp_path, prefix="backtest-") as folder:
        own = settings.model_copy(update={"desk": f"sqlite:///{folder}/desk.sqlite"})
        with open_desk(own) as desk, desk.session() as session:
            row = trackers.add(session, tested.tracker_name, tested.asked.query, tested.promise_days, now_us=0)
            row.name = tested.asked.query[:200]
            sizes = {alert.window_s for alert in found}
            points = [msgspec.structs.asdict(p) for (size, _), p in tested.points.items() if size in sizes]
            for start in range(0, len(points), _CHUNK):
                series.write(session, points[start : start + _CHUNK])
            write_alerts(session, found, trackers.by_id(session), tested.until_us)
            return [alert_documents.whole(session, one) for one in alerts.listed(session, limit=CARDS)]


def _candidates(tested: Tested) -> list[dict[str, Any]]:
    if not tested.alerts:
        return []
    loosest = tested.alerts[min(tested.alerts)]
    rarest = sorted(loosest.values(), key=lambda alert: -alert.return_days)[:CANDIDATES]
    return [
        {
            "started_at": iso(alert.started_at),
            "opened_at": iso(alert.opened_at),
            "closed_at": iso(alert.closed_at),
            "direction": alert.direction,
            "signal": alert.signal,
            "window_s": alert.window_s,
            "observed": alert.observed,
            "expected": alert.expected,
            "ratio": alert.observed / alert.expected if alert.expected >= _LEAST_EXPECTED else None,
            "return_days": alert.return_days,
            "headline": alert.headline,
            "strictest": _strictest(alert, tested),
        }
        for alert in sorted(rarest, key=lambda alert: -alert.started_at)
    ]


def _strictest(alert: AlertRecord, tested: Tested) -> float:
    """The greatest promise with an alert in the time of this one."""
    end = alert.closed_at or tested.until_us
    return max(
        promise
        for promise, found in tested.alerts.items()
        if promise == min(tested.alerts) or any(_overlaps(other, alert.started_at, end) for other in found.values())
    )


def _overlaps(alert: AlertRecord, begin: int, end: int) -> bool:
    return alert.started_at < end and (alert.closed_at is None or alert.closed_at > begin)


def _series(tested: Tested) -> dict[str, Any] | None:
    """The windows of the smallest size that fits, else of every few of the largest the rarest."""
    sizes = sorted({size for size, _ in tested.points})
    if not sizes:
        return None
    by_size = {size: sorted(start for s, start in tested.points if s == size) for size in sizes}
    size = next((size for size in sizes if len(by_size[size]) <= DRAWN), sizes[-1])
    points = [tested.points[size, start] for start in by_size[size]]
    every = -(-len(points) // DRAWN)
    drawn = [max(points[n : n + every], key=_rarity) for n in range(0, len(points), every)]
    return {
        "window_s": size,
        "every": every,
        "start": [iso(point.start) for point in drawn],
        **{name: [_unless_gap(point, name) for point in drawn] for name in ("count", "expected", "lower", "upper")},
        "state": [point.state for point in drawn],
    }


def _rarity(point: SeriesPoint) -> float:
    return -1.0 if point.return_days is None else point.return_days


def _unless_gap(point: SeriesPoint, name: str) -> Any:
    return None if point.state == "gap" else getattr(point, name)


def _notes(tested: Tested, days: float) -> list[str]:
    if tested.since_us is None:
        where = f" on {', '.join(tested.asked.platforms)}" if tested.asked.platforms else ""
        return [f"The lake has no posts{where} from before {(iso(tested.until_us) or '')[:10]}: there is no history."]
    notes = []
    if days < tested.asked.days - 0.01:
        notes.append(f"The lake reaches back {days:.1f} days, not {tested.asked.days:g}.")
    learned = tested.learned_us / DAY
    if learned < _KNOWS_DAYS:
        notes.append(
            f"Before the tested time the lake has {learned:.1f} days: until the detector knew the day and the week it"
            " was less sure than a tracker of today would be."
        )
    gaps = _gaps(tested.points.values())
    if gaps >= 0.01:
        notes.append(f"{100 * gaps:.0f} % of the time nothing was collected; what happened then cannot be seen.")
    if tested.blind:
        notes.append(
            f"{tested.blind:,} posts match only by counters that were observed after their window had closed: a live"
            " watch would not have known them, so they do not count."
        )
    return notes


def _gaps(points: Iterable[SeriesPoint]) -> float:
    """The fraction of the smallest windows in which nothing was collected."""
    chosen = list(points)
    if not chosen:
        return 0.0
    least = min(point.window_s for point in chosen)
    mine = [point.state == "gap" for point in chosen if point.window_s == least]
    return sum(mine) / len(mine)
