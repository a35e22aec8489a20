"""Instagram: post and reach tables, the Graph API, GraphQL nodes, the app's own API, CrowdTangle."""

from __future__ import annotations

from groundswell.platforms.instagram.api_v1 import API_V1
from groundswell.platforms.instagram.crowdtangle import CROWDTANGLE
from groundswell.platforms.instagram.graph_media import COMMENTS, MEDIA
from groundswell.platforms.instagram.graphql import GRAPHQL, NODE
from groundswell.platforms.instagram.post_table import POST_TABLE
from groundswell.platforms.instagram.reach import REACH
from groundswell.platforms.instagram.zeeschuimer import ITEMS as ZEESCHUIMER
from groundswell.platforms.instagram.zeeschuimer import NODES as ZEESCHUIMER_GRAPHQL

LAYOUTS = (POST_TABLE, REACH, MEDIA, COMMENTS, GRAPHQL, NODE, API_V1, CROWDTANGLE, ZEESCHUIMER, ZEESCHUIMER_GRAPHQL)

__all__ = [
    "API_V1",
    "COMMENTS",
    "CROWDTANGLE",
    "GRAPHQL",
    "LAYOUTS",
    "MEDIA",
    "NODE",
    "POST_TABLE",
    "REACH",
    "ZEESCHUIMER",
    "ZEESCHUIMER_GRAPHQL",
]
