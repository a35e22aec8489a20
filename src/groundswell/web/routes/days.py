"""What is worked out once a day: statistics, and what rose."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query

from groundswell.desk import day_marts
from groundswell.desk.clock import moment
from groundswell.desk.day_tables import DayMartRow
from groundswell.errors import NotFoundError
from groundswell.web.day_models import Day, DayLine, Days, DaySummary, DayTrends, TrendKind
from groundswell.web.services import ServicesOf

router = APIRouter(prefix="/days", tags=["days"])


@router.get("")
def list_days(services: ServicesOf, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Days:
    """The dates of which something was worked out, newest first; `groundswell daily` and a scheduler do it."""
    with services.desk.reading() as session:
        found = {on: day_marts.of_date(session, on) for on in day_marts.dates(session, limit)}
        return Days(items=[_line(on, marts) for on, marts in found.items()])


@router.get("/{date}")
def show_day(
    services: ServicesOf,
    on: Annotated[date, Path(alias="date", description="The date, UTC, as 2026-11-19.")],
    by: Annotated[TrendKind | None, Query(description="Only trends of this kind.")] = None,
    limit: Annotated[int, Query(ge=1, le=50, description="Most trends of each kind.")] = 20,
) -> Day:
    """What was worked out of a date: statistics; trending hashtags, sounds, musicians, challenges and creators."""
    with services.desk.reading() as session:
        marts = day_marts.of_date(session, on)
        if not marts:
            what = f"nothing was worked out of {on}"
            raise NotFoundError(what, hint=f"`groundswell daily --date {on}` does it now")
        summary = marts.get("summary")
        last = max(marts.values(), key=lambda row: row.made_at)
        return Day(
            date=on,
            made_at=moment(last.made_at),
            lake_version=last.lake_version,
            summary=None if summary is None else DaySummary.model_validate(summary.body),
            trends=[
                _trends(row, limit)
                for name, row in marts.items()
                if name.startswith("trends.") and by in {None, name.removeprefix("trends.")}
            ],
        )


def _trends(row: DayMartRow, limit: int) -> DayTrends:
    chosen = {name: row.body[name] for name in DayTrends.model_fields}
    return DayTrends.model_validate(chosen | {"items": chosen["items"][:limit]})


def _line(on: date, marts: dict[str, DayMartRow]) -> DayLine:
    summary = marts.get("summary")
    made = max(row.made_at for row in marts.values())
    return DayLine(date=on, posts=None if summary is None else summary.body["posts"], made_at=moment(made))
