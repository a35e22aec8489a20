"""Posts: the "latest" view of a search that the platforms themselves do not give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from groundswell.web.models import Posts
from groundswell.web.search import Search, Sort
from groundswell.web.services import ServicesOf

router = APIRouter(tags=["posts"])


@router.get("/posts")
def list_posts(
    services: ServicesOf,
    q: Annotated[str, Query(max_length=4000, description="Query; empty: every post. The docs have its grammar.")] = "",
    platform: Annotated[list[str] | None, Query(description="Only these platforms; may be repeated.")] = None,
    since: Annotated[datetime | None, Query(description="Posted at or after this time.")] = None,
    until: Annotated[datetime | None, Query(description="Posted before this time.")] = None,
    sort: Annotated[Sort, Query(description="What comes first.")] = "latest",
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
) -> Posts:
    """Posts that match, each by its latest observation."""
    return services.search.run(
        Search(query=q, platforms=tuple(platform or ()), since=since, until=until, sort=sort, limit=limit)
    )
