"""Facebook: tables of page posts with reactions by kind, CrowdTangle, the Graph API."""

from __future__ import annotations

from groundswell.platforms.facebook.crowdtangle import API as CROWDTANGLE_API
from groundswell.platforms.facebook.crowdtangle import CROWDTANGLE
from groundswell.platforms.facebook.graph_posts import COMMENTS, POSTS
from groundswell.platforms.facebook.live import LIVE

LAYOUTS = (LIVE, CROWDTANGLE, CROWDTANGLE_API, POSTS, COMMENTS)

__all__ = ["COMMENTS", "CROWDTANGLE", "CROWDTANGLE_API", "LAYOUTS", "LIVE", "POSTS"]
