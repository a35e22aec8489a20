"""The raw record behind a post."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter

from groundswell.web.raw_models import RawPost
from groundswell.web.routes.posts import PlatformName, PostId
from groundswell.web.services import ServicesOf

router = APIRouter(tags=["posts"])


@router.get("/posts/{platform}/{post_id:path}/raw")
def show_raw(services: ServicesOf, platform: PlatformName, post_id: PostId) -> RawPost:
    """The record that each observation of a post was read from, as it came in, where its raw content is kept."""
    from groundswell.importing.rawzone_post import records_behind  # noqa: PLC0415 - loads what an import needs

    post = f"{platform}:{post_id}"
    found = records_behind(services.lake, services.settings, post)
    return RawPost.model_validate({"post": post, "observations": [asdict(each) for each in found]})
