"""Examples that the OpenAPI document shows, by the name of the document. Invented figures; each is valid by test."""

from __future__ import annotations

from typing import Any, Final

from groundswell.web.alert_examples import ALERT_EXAMPLES, WINDOW

TRACKER: Final[dict[str, Any]] = {
    "id": "4f2a9c0d51be7a36",
    "name": "Side effects",
    "query": '"side effects"',
    "version": 1,
    "promise_days": 30.0,
    "country": "FR",
    "reach_followers": 500_000,
    "reach_share": None,
    "count_by": "created_at",
    "created_at": "2026-11-01T09:00:00Z",
    "last": WINDOW,
    "open_alert": "9b1d3e5f70a2c4e6",
}
POST: Final[dict[str, Any]] = {
    "platform": "tiktok",
    "post_id": "7301234567890123456",
    "url": "https://www.tiktok.com/@maya/video/7301234567890123456",
    "author_name": "maya",
    "created_at": "2026-11-20T08:11:04Z",
    "observed_at": "2026-11-20T08:11:09Z",
    "text": "side effects of dose two #vaccine",
    "lang": "en",
    "kind": "video",
    "hashtags": ["vaccine"],
    "views": 1520,
    "likes": 88,
    "comments": 12,
    "shares": 4,
    "saves": None,
    "followers": 3100,
    "engagement": 0.0684,
    "engagement_per": "view",
    "music_title": None,
    "layout": "tiktok.nested",
    "origin": "journal:push",
}
STATUS: Final[dict[str, Any]] = {
    "runner": "here",
    "posts_per_s": 412.5,
    "newest_event_at": "2026-11-20T08:15:02Z",
    "watermark": "2026-11-20T08:14:02Z",
    "clock": "2026-11-20T08:15:03Z",
    "late_by_s": 0.8,
    "window_s": 300,
    "windows_s": [60, 300, 900, 3600],
    "budget_per_day": 5.0,
    "promise_days": 30.0,
    "trackers": 12,
    "open_alerts": 1,
    "posts_total": 1204331,
    "sources": [
        {
            "name": "push",
            "kind": "push",
            "connected": True,
            "records_per_s": 412.5,
            "newest_event_at": "2026-11-20T08:15:02Z",
        }
    ],
    "channels_failing": ["Brand team"],
    "messages_waiting": 2,
    "bus": "journal",
    "readers": [
        {"reader": "watch", "behind": 120, "late_s": 0.2},
        {"reader": "lake", "behind": 8_240, "late_s": 18.4},
    ],
    "bus_trouble": None,
    "lake_trouble": None,
    "partitions": [],
    "seq": 4821,
}
EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "Window": WINDOW,
    "Tracker": TRACKER,
    "Trackers": {"items": [TRACKER]},
    "NewTracker": {"name": "Side effects", "query": '"side effects"', "promise_days": 30, "country": "FR"},
    "ChangedTracker": {"promise_days": 14, "reach_followers": 500_000},
    "Series": {"tracker": "4f2a9c0d51be7a36", "window_s": 300, "posts": 63, "items": [WINDOW]},
    "AllSeries": {
        "window_s": 300,
        "since": "2026-11-19T20:15:00Z",
        "until": "2026-11-20T08:15:00Z",
        "items": [{"tracker": "4f2a9c0d51be7a36", "window_s": 300, "posts": 63, "items": [WINDOW]}],
    },
    "Multiples": {
        "window_s": 300,
        "windows": 144,
        "until": "2026-11-20T08:15:00Z",
        "items": [
            {
                "tracker": "4f2a9c0d51be7a36",
                "posts": 73,
                "first": "2026-11-20T08:05:00Z",
                "steps": [0, 1],
                "counts": [10, 63],
                "lower": [4.0, 4.0],
                "upper": [18.0, 18.0],
                "states": "ux",
                "last": WINDOW,
            }
        ],
    },
    **ALERT_EXAMPLES,
    "Post": POST,
    "Posts": {"items": [POST], "query": '"side effects"', "limit": 50, "seconds": 0.041, "lake_version": 17},
    "Received": {"received": 100, "first": 2401, "last": 2500},
    "Status": STATUS,
    "Health": {
        "status": "ok",
        "version": "0.1.0",
        "parts": [{"name": "desk", "ok": True, "detail": "12 trackers"}],
    },
    "Change": {
        "seq": 4821,
        "kind": "window",
        "at": "2026-11-20T08:16:00Z",
        "subject": "2026-11-20T08:10:00Z",
        "windows": {"4f2a9c0d51be7a36": WINDOW},
        "alert": None,
        "tracker": None,
        "status": None,
    },
    "Problem": {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "no such tracker: side-effects",
        "instance": "/api/v1/trackers/side-effects/series",
        "hint": "`GET /api/v1/trackers` lists them",
        "errors": None,
    },
}
