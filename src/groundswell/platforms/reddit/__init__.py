"""Reddit: posts and comments of the API, of Pushshift, and of tables with their names."""

from __future__ import annotations

from groundswell.platforms.reddit.comments import COMMENTS
from groundswell.platforms.reddit.posts import POSTS

LAYOUTS = (POSTS, COMMENTS)

__all__ = ["LAYOUTS"]
