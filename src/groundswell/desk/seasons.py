"""A window beside its like: the same hours of the same weekday in earlier weeks, the same time on earlier days."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.orm import Session

from groundswell.desk.clock import iso
from groundswell.desk.tables import SeriesRow

#: Earlier weeks that are shown, as far as the desk keeps windows.
WEEKS: Final = 4
#: Earlier days at the same time.
DAYS: Final = (1, 2, 3, 4, 5, 6, 7, 14, 21, 28)
_DAY_US: Final = 86_400_000_000
_AT: Final = SeriesRow.__table__.c
#: Put together once: at the close of a window it is asked for each alert while people wait.
_LIKE: Final = select(_AT.start, _AT.count, _AT.late, _AT.expected, _AT.state).where(
    _AT.tracker_id == bindparam("tracker"),
    _AT.window_s == bindparam("size"),
    or_(
        _AT.start.in_([bindparam(f"place{day}") for day in range(len(DAYS))]),
        *(and_(_AT.start >= bindparam(f"from{ago}"), _AT.start < bindparam(f"until{ago}")) for ago in range(WEEKS + 1)),
    ),
)


def half_width(window_s: int) -> int:
    """Windows that are shown on either side: an hour, but not more than 30 and not fewer than 12.

    >>> half_width(60), half_width(300), half_width(3600)
    (30, 12, 12)
    """
    return max(12, min(30, 3600 // window_s))


def season_of(session: Session, tracker_id: str, window_s: int, start_us: int, until_us: int) -> dict[str, Any] | None:
    """The picture of the window that starts at `start_us` (`web.evidence_models.Season`); null without a past.

    Nothing from `until_us` on is shown, so that the picture does not depend on when it is made. Counts are those
    at which the windows were scored, without what came late.
    """
    width, half = window_s * 1_000_000, half_width(window_s)
    firsts = [start_us - weeks * 7 * _DAY_US - half * width for weeks in range(WEEKS + 1)]
    places = [start_us - days * _DAY_US for days in DAYS]
    span = (2 * half + 1) * width
    values: dict[str, Any] = {"tracker": tracker_id, "size": window_s}
    values |= {f"place{day}": at for day, at in enumerate(places)}
    for ago, first in enumerate(firsts):
        values |= {f"from{ago}": first, f"until{ago}": min(first + span, until_us)}
    found = {
        start: (count - late, expected)
        for start, count, late, expected, state in session.execute(_LIKE, values)
        if state != "gap"
    }
    if not any(start < start_us - _DAY_US // 2 for start in found):
        return None

    def count_at(at: int) -> int | None:
        return found[at][0] if at in found else None

    weeks: list[dict[str, Any]] = [
        {
            "weeks_ago": ago,
            "start": iso(first),
            "counts": [count_at(first + number * width) for number in range(2 * half + 1)],
        }
        for ago, first in enumerate(firsts)
    ]
    return {
        "window_s": window_s,
        "weeks": [week for week in weeks if any(count is not None for count in week["counts"])],
        "days": [
            {
                "days_ago": ago,
                "start": iso(at),
                "count": count_at(at),
                "expected": found[at][1] if at in found else None,
            }
            for ago, at in zip(DAYS, places, strict=True)
        ],
    }
