"""X (Twitter): the API v1.1 and v2, GraphQL and Zeeschuimer, snscrape, and the tables that go round."""

from __future__ import annotations

from groundswell.platforms.x.graphql import GRAPHQL, ZEESCHUIMER
from groundswell.platforms.x.sentiment140 import SENTIMENT140
from groundswell.platforms.x.snscrape import SNSCRAPE
from groundswell.platforms.x.table import TABLE
from groundswell.platforms.x.users import USERS
from groundswell.platforms.x.v1 import V1
from groundswell.platforms.x.v2 import V2

LAYOUTS = (V1, V2, USERS, GRAPHQL, ZEESCHUIMER, SNSCRAPE, TABLE, SENTIMENT140)

__all__ = ["LAYOUTS"]
