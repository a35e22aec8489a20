"""Facebook: tables of page posts with reactions by kind, CrowdTangle, the Graph API."""

from __future__ import annotations

from groundswell.platforms.facebook.crowdtangle import API as CROWDTANGLE_API
from groundswell.platforms.facebook.crowdtangle import CROWDTANGLE
from groundswell.platforms.facebook.graph_posts import COMMENTS as GRAPH_COMMENTS
from groundswell.platforms.facebook.graph_posts import POSTS as GRAPH_POSTS
from groundswell.platforms.facebook.live import LIVE

LAYOUTS = (LIVE, CROWDTANGLE, CROWDTANGLE_API, GRAPH_POSTS, GRAPH_COMMENTS)

__all__ = ["CROWDTANGLE", "CROWDTANGLE_API", "GRAPH_COMMENTS", "GRAPH_POSTS", "LAYOUTS", "LIVE"]
