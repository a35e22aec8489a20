"""Posts: the "latest" view of a search that the platforms themselves do not give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query

from groundswell.query import parse
from groundswell.web.analysis_models import History, OutlierRule, Profile
from groundswell.web.models import Posts
from groundswell.web.search import Search, Sort
from groundswell.web.services import ServicesOf

router = APIRouter(tags=["posts"])
PlatformName = Annotated[str, Path(description="Platform of the post.", max_length=60)]
PostId = Annotated[str, Path(description="The platform's own id of the post.", max_length=500)]


@router.get("/posts")
def list_posts(
    services: ServicesOf,
    q: Annotated[str, Query(max_length=4000, description="Query; empty: every post. The docs have its grammar.")] = "",
    platform: Annotated[list[str] | None, Query(description="Only these platforms; may be repeated.")] = None,
    since: Annotated[datetime | None, Query(description="Posted at or after this time.")] = None,
    until: Annotated[datetime | None, Query(description="Posted before this time.")] = None,
    origin: Annotated[
        str | None, Query(max_length=4000, description="Only what came from this file, or from this archive.")
    ] = None,
    sort: Annotated[Sort, Query(description="What comes first.")] = "latest",
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
) -> Posts:
    """Posts that match, each by its latest observation."""
    return services.search.run(Search(q, tuple(platform or ()), since, until, sort, limit, origin))


@router.get("/posts/{platform}/{post_id:path}/history")
def show_history(services: ServicesOf, platform: PlatformName, post_id: PostId) -> History:
    """Every observation of one post: how its counters grew, where they stood at 24 hours, what they mean when."""
    from groundswell.marts.history import history  # noqa: PLC0415 - loads Ibis

    return History.model_validate(history(services.lake, post_id, platform).document())


@router.get("/profile")
def show_profile(
    services: ServicesOf,
    q: Annotated[str, Query(max_length=4000, description="Only posts that match; empty: every post.")] = "",
    platform: Annotated[list[str] | None, Query(description="Only these platforms; may be repeated.")] = None,
    rule: Annotated[OutlierRule, Query(description="How outliers are told from the others.")] = "robust_z",
) -> Profile:
    """What the fields of the matching posts hold: what is missing, how it is spread, what is unlikely, what stands out.

    It reads all of them, in a process of its own; the answer comes when that is done, and is kept until the lake
    changes. Nothing is removed: outliers are told with the rule that found them.
    """
    if q.strip():
        parse(q)
    return services.profiles.read(q.strip(), tuple(platform or ()), rule)
