"""YouTube: the Data API's answers, the trending tables of Kaggle, flat tables of videos, and yt-dlp."""

from __future__ import annotations

from groundswell.platforms.youtube.channels_list import CHANNELS, FOUND_CHANNELS
from groundswell.platforms.youtube.comments import COMMENT_ROWS, COMMENTS, THREADS
from groundswell.platforms.youtube.search_list import PLAYLIST_ITEMS, SEARCH
from groundswell.platforms.youtube.trending_csv import TRENDING
from groundswell.platforms.youtube.videos_list import VIDEOS
from groundswell.platforms.youtube.videos_table import VIDEO_ROWS
from groundswell.platforms.youtube.yt_dlp import INFO, INFO_COMMENTS

LAYOUTS = (
    TRENDING,
    VIDEOS,
    VIDEO_ROWS,
    SEARCH,
    PLAYLIST_ITEMS,
    CHANNELS,
    FOUND_CHANNELS,
    THREADS,
    COMMENTS,
    COMMENT_ROWS,
    INFO,
    INFO_COMMENTS,
)

__all__ = ["LAYOUTS", "TRENDING", "VIDEOS"]
