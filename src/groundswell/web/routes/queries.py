"""The query language, for an editor: what a query means, where it is wrong, and which filters there are."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter

from groundswell.platforms import registry
from groundswell.query.check import check
from groundswell.query.fields import filters
from groundswell.web.query_models import CheckedQuery, QueryFilter, QueryFilters, QueryToCheck

router = APIRouter(tags=["queries"])


@router.post("/queries/check")
def check_query(request: QueryToCheck) -> CheckedQuery:
    """Whether a query parses, its normal form and parts, and what in it may surprise. Always answers 200."""
    found = check(request.query, for_tracker=request.for_tracker, platforms=_platforms())
    message = None if found.column is None else f"the query does not parse at column {found.column}"
    return CheckedQuery.model_validate({"ok": message is None, "message": message, **asdict(found)})


@router.get("/queries/filters")
def list_filters() -> QueryFilters:
    """The filters of the query language (`name:value`), for completion."""
    found = filters(platforms=_platforms())
    return QueryFilters(items=[QueryFilter.model_validate(asdict(each)) for each in found])


def _platforms() -> list[str]:
    """The platforms that have a layout of their own."""
    return sorted({layout.platform for layout in registry().layouts} - {"", "generic"})
