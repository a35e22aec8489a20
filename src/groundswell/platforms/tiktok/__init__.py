"""TikTok: what collectors, scrapers, the web and mobile APIs and the Research API give, and the claims table."""

from __future__ import annotations

from groundswell.platforms.tiktok.api import API, EMBEDDED
from groundswell.platforms.tiktok.aweme import AWEME
from groundswell.platforms.tiktok.claims import CLAIMS
from groundswell.platforms.tiktok.comments import COMMENTS
from groundswell.platforms.tiktok.nested import NESTED
from groundswell.platforms.tiktok.research import COMMENTS as RESEARCH_COMMENTS
from groundswell.platforms.tiktok.research import TABLE as RESEARCH_TABLE
from groundswell.platforms.tiktok.research import USER as RESEARCH_USER
from groundswell.platforms.tiktok.research import VIDEOS as RESEARCH_VIDEOS
from groundswell.platforms.tiktok.scraper import SCRAPER
from groundswell.platforms.tiktok.tables import TABLES
from groundswell.platforms.tiktok.user_info import USER_INFO
from groundswell.platforms.tiktok.zeeschuimer import COMMENTS as ZEESCHUIMER_COMMENTS
from groundswell.platforms.tiktok.zeeschuimer import EMBEDDED as ZEESCHUIMER_EMBEDDED
from groundswell.platforms.tiktok.zeeschuimer import ITEMS as ZEESCHUIMER
from groundswell.platforms.tiktok.zeeschuimer import MOBILE as ZEESCHUIMER_AWEME

LAYOUTS = (
    *(NESTED, API, EMBEDDED, AWEME, SCRAPER, CLAIMS, TABLES, COMMENTS, USER_INFO),
    *(RESEARCH_VIDEOS, RESEARCH_TABLE, RESEARCH_COMMENTS, RESEARCH_USER),
    *(ZEESCHUIMER, ZEESCHUIMER_EMBEDDED, ZEESCHUIMER_AWEME, ZEESCHUIMER_COMMENTS),
)

__all__ = [
    "API",
    "AWEME",
    "CLAIMS",
    "COMMENTS",
    "EMBEDDED",
    "LAYOUTS",
    "NESTED",
    "RESEARCH_COMMENTS",
    "RESEARCH_TABLE",
    "RESEARCH_USER",
    "RESEARCH_VIDEOS",
    "SCRAPER",
    "TABLES",
    "USER_INFO",
    "ZEESCHUIMER",
    "ZEESCHUIMER_AWEME",
    "ZEESCHUIMER_COMMENTS",
    "ZEESCHUIMER_EMBEDDED",
]
