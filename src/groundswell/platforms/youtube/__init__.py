"""YouTube: the trending tables of Kaggle, and videos as the Data API gives them."""

from __future__ import annotations

from groundswell.platforms.youtube.trending_csv import TRENDING
from groundswell.platforms.youtube.videos_list import VIDEOS

LAYOUTS = (TRENDING, VIDEOS)

__all__ = ["LAYOUTS", "TRENDING", "VIDEOS"]
