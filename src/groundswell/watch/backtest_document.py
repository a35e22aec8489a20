"""What a backtest found, as `groundswell backtest --json` and the REST API show it (`web.backtest_models.Backtest`)."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
from sqlalchemy.orm import Session

from groundswell.desk import alert_documents, alerts, open_desk, series, trackers
from groundswell.desk.clock import iso
from groundswell.query import parse
from groundswell.watch.alert_rows import write_alerts
from groundswell.watch.backtest import LEARN_DAYS, NAME, TRACKER, Tested, name_of
from groundswell.watch.closing import alert_of
from groundswell.watch.contract import DAY, SECOND, SeriesPoint, TrackerSpec
from groundswell.watch.frames import REALS, STATE_NUMBER
from groundswell.watch.rerun import Ended, Windows

if TYPE_CHECKING:
    from groundswell.settings import Settings

#: Episodes at the loosest promise that are shown, the rarest.
CANDIDATES: Final = 1_000
#: Windows that are drawn.
DRAWN: Final = 2_200
#: Posts expected in a window below which a ratio says nothing; as in `watch.evidence`.
_LEAST_EXPECTED: Final = 0.5
#: With less of a past than this a detector does not know its day and week yet, days.
_KNOWS_DAYS: Final = 14.0
_CHUNK: Final = 2_000
#: How far back a seasonal picture goes.
_PICTURE_US: Final = 30 * DAY


def document(settings: Settings, tested: Tested) -> dict[str, Any]:
    """Everything that was found."""
    asked, since_us = tested.asked, tested.since_us
    days = 0.0 if since_us is None else (tested.until_us - since_us) / DAY
    by_promise = [
        {
            "promise_days": promise,
            "needed_days": round(tested.needed_days(promise), 3),
            "alerts": len(found),
            "per_30_days": round(30 * len(found) / days, 3) if days else None,
        }
        for promise, found in sorted(tested.episodes.items())
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
        "reach_alerts": None if tested.told is None else len(tested.told),
        "alerts": _cards(settings, tested),
        "candidates": _candidates(tested),
        "series": _series(tested),
        "notes": _notes(tested, days),
        "seconds": round(tested.seconds, 3),
        "lake_version": tested.lake_version,
    }


def _cards(settings: Settings, tested: Tested) -> list[dict[str, Any]]:
    """The alerts of the asked promise as the desk would show them, from a desk of their own that is thrown away."""
    if not tested.alerts:
        return []
    settings.tmp_path.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.tmp_path, prefix="backtest-") as folder:
        own = settings.model_copy(update={"desk": f"sqlite:///{folder}/desk.sqlite"})
        with open_desk(own) as desk, desk.session() as session:
            row = trackers.add(session, NAME, tested.asked.query, tested.promise_days, now_us=0)
            row.name = name_of(tested.asked.query)
            for windows in tested.windows:
                if any(alert.window_s * SECOND == windows.window_us for alert in tested.alerts):
                    _write_windows(session, windows, min(alert.started_at for alert in tested.alerts))
            write_alerts(session, tested.alerts, trackers.by_id(session), tested.until_us)
            return [alert_documents.whole(session, one) for one in alerts.listed(session, limit=len(tested.alerts))]


def _write_windows(session: Session, windows: Windows, first_us: int) -> None:
    """What the seasonal pictures of alerts from `first_us` on show."""
    begin = int(np.searchsorted(windows.starts, first_us - _PICTURE_US))
    numbers = begin + np.flatnonzero(windows.scored[begin:])
    for some in (numbers[at : at + _CHUNK].tolist() for at in range(0, len(numbers), _CHUNK)):
        series.write(session, [msgspec.structs.asdict(windows.point(number, TRACKER)) for number in some])


def _candidates(tested: Tested) -> list[dict[str, Any]]:
    if not tested.episodes:
        return []
    tracker = TrackerSpec(TRACKER, 1, name_of(tested.asked.query), tested.asked.query, min(tested.episodes))
    found = [
        (one, alert_of(tracker, one.episode, one.at_us, tested.params)) for one in tested.episodes[min(tested.episodes)]
    ]
    rarest = sorted(found, key=lambda pair: -pair[1].return_days)[:CANDIDATES]
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
            "strictest": _strictest(one, tested),
        }
        for one, alert in sorted(rarest, key=lambda pair: -pair[1].started_at)
    ]


def _strictest(ended: Ended, tested: Tested) -> float:
    """The greatest promise with an alert in the time of this one."""
    begin, end = ended.episode.started_us, ended.at_us
    return max(
        promise
        for promise, found in tested.episodes.items()
        if promise == min(tested.episodes) or any(o.episode.started_us < end and o.at_us > begin for o in found)
    )


def _series(tested: Tested) -> dict[str, Any] | None:
    """The windows of the smallest size that fits, else of every few of the largest the rarest."""
    if tested.since_us is None:
        return None
    shown = [(one, int(np.searchsorted(one.starts, tested.since_us))) for one in tested.windows]
    # Windows that were not closed are not drawn: then those of a larger size are.
    shown = [(one, begin) for one, begin in shown if begin < len(one.starts) and one.scored[begin:].all()]
    if not shown:
        return None
    windows, begin = next(((one, begin) for one, begin in shown if len(one.starts) - begin <= DRAWN), shown[-1])
    every = -(-(len(windows.starts) - begin) // DRAWN)
    days = np.nan_to_num(windows.closed.reals[:, REALS.index("return_days")], nan=-1.0)
    numbers = [n + int(np.argmax(days[n : n + every])) for n in range(begin, len(windows.starts), every)]
    drawn = [windows.point(number, TRACKER) for number in numbers]
    return {
        "window_s": windows.window_us // SECOND,
        "every": every,
        "start": [iso(point.start) for point in drawn],
        **{name: [_unless_gap(point, name) for point in drawn] for name in ("count", "expected", "lower", "upper")},
        "state": [point.state for point in drawn],
    }


def _unless_gap(point: SeriesPoint, name: str) -> Any:
    return None if point.state == "gap" else getattr(point, name)


def _notes(tested: Tested, days: float) -> list[str]:
    if tested.since_us is None:
        where = f" on {', '.join(tested.asked.platforms)}" if tested.asked.platforms else ""
        until = (iso(tested.until_us) or "")[:10]
        span = f"in the {tested.asked.days + LEARN_DAYS:g} days before {until}"
        return [f"The lake has no posts{where} {span}: there is no history to test on."]
    notes = []
    if days < tested.asked.days - 0.01:
        notes.append(f"The lake reaches back {days:.1f} days, not {tested.asked.days:g}.")
    learned = tested.learned_us / DAY
    if learned < _KNOWS_DAYS:
        notes.append(
            f"Before the tested time the lake has {learned:.1f} days: until the detector knew the day and the week it"
            " was less sure than a tracker of today would be."
        )
    needed = tested.needed_days(tested.promise_days)
    if needed > tested.promise_days * 1.005:
        notes.append(
            f"With the desk's budget of {tested.params.budget:g} alerts a day over its {len(tested.others):,} other"
            f" trackers, a promise of {tested.promise_days:g} days is kept as one of {needed:.1f} days."
        )
    if tested.by_sight:
        notes.append(
            f"A test counts posts when they were posted; the tracker “{tested.by_sight[0]}” counts them when they were"
            " seen, so it may alert at other times."
        )
    gaps = _gaps(tested)
    if gaps >= 0.01:
        notes.append(f"{100 * gaps:.0f} % of the time nothing was collected; what happened then cannot be seen.")
    if tested.blind:
        notes.append(
            f"{tested.blind:,} posts match only by counters that were observed after their window had closed: a live"
            " watch would not have known them, so they do not count."
        )
    return notes


def _gaps(tested: Tested) -> float:
    """The fraction of the smallest windows in which nothing was collected."""
    base = tested.windows[0]
    mine = base.closed.state[int(np.searchsorted(base.starts, tested.since_us or 0)) :]
    return float((mine == STATE_NUMBER["gap"]).mean()) if len(mine) else 0.0
