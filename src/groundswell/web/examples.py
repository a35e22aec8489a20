"""Examples that the OpenAPI document shows, by the name of the document. Invented figures; each is valid by test."""

from __future__ import annotations

from typing import Any, Final

WINDOW: Final[dict[str, Any]] = {
    "start": "2026-11-20T08:10:00Z",
    "count": 63,
    "expected": 10.2,
    "lower": 4.0,
    "upper": 18.0,
    "return_days": 140.0,
    "platform_ratio": 1.04,
    "state": "unusual",
    "late": 0,
}
TRACKER: Final[dict[str, Any]] = {
    "id": "4f2a9c0d51be7a36",
    "name": "Side effects",
    "query": '"side effects"',
    "version": 1,
    "promise_days": 30.0,
    "created_at": "2026-11-01T09:00:00Z",
    "last": WINDOW,
    "open_alert": "9b1d3e5f70a2c4e6",
}
ALERT_SUMMARY: Final[dict[str, Any]] = {
    "id": "9b1d3e5f70a2c4e6",
    "tracker": "4f2a9c0d51be7a36",
    "tracker_name": "Side effects",
    "query": '"side effects"',
    "signal": "volume",
    "direction": "burst",
    "phase": "growing",
    "started_at": "2026-11-20T08:10:00Z",
    "opened_at": "2026-11-20T08:15:00Z",
    "updated_at": "2026-11-20T08:15:00Z",
    "closed_at": None,
    "observed": 63,
    "expected": 10.2,
    "ratio": 6.176,
    "return_days": 140.0,
    "p_value": 2.5e-05,
    "posts": 63,
    "authors": 58,
    "headline": "“Side effects” is mentioned 6.2 times as often as usual",
    "detail": "63 posts in 5 minutes; usual at this hour: 4 to 18",
    "verdict": None,
}
EVIDENCE: Final[dict[str, Any]] = {
    "observed": 63,
    "expected": 10.2,
    "lower": 4.0,
    "upper": 18.0,
    "ratio": 6.176,
    "p_value": 2.5e-05,
    "return_days": 140.0,
    "window_start": "2026-11-20T08:10:00Z",
    "window_s": 300,
    "windows": [WINDOW],
    "posts": [
        {
            "platform": "tiktok",
            "post_id": "7301234567890123456",
            "url": "https://www.tiktok.com/@maya/video/7301234567890123456",
            "author": "maya",
            "followers": 3100,
            "created_at": "2026-11-20T08:11:04Z",
            "text": "side effects of dose two #vaccine",
            "likes": 88,
            "views": 1520,
            "copies": 3,
            "share": 0.05,
            "origin": "push, record 2417",
        }
    ],
    "authors": [{"key": "maya", "label": "@maya", "posts": 3, "share": 0.06, "usual_share": 0.01}],
    "hashtags": [{"key": "vaccine", "label": "#vaccine", "posts": 31, "share": 0.59, "usual_share": 0.2}],
    "sounds": [],
    "words": [{"word": "dose", "posts": 40, "log_odds": 1.9, "z": 5.2}],
    "checks": [
        {
            "name": "without_top_author",
            "label": "Without the most active author",
            "value": 5.9,
            "unit": "ratio",
            "note": None,
        }
    ],
    "authors_total": 58,
    "posts_total": 63,
    "span": [2401, 2500],
    "parameters": {"window_s": 300, "promise_days": 30.0},
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
    "seq": 4821,
}
EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "Window": WINDOW,
    "Tracker": TRACKER,
    "Trackers": {"items": [TRACKER]},
    "NewTracker": {"name": "Side effects", "query": '"side effects"', "promise_days": 30},
    "Series": {"tracker": "4f2a9c0d51be7a36", "window_s": 300, "posts": 63, "items": [WINDOW]},
    "AllSeries": {
        "window_s": 300,
        "since": "2026-11-19T20:15:00Z",
        "until": "2026-11-20T08:15:00Z",
        "items": [{"tracker": "4f2a9c0d51be7a36", "window_s": 300, "posts": 63, "items": [WINDOW]}],
    },
    "AlertSummary": ALERT_SUMMARY,
    "Alert": {**ALERT_SUMMARY, "evidence": EVIDENCE},
    "Evidence": EVIDENCE,
    "Alerts": {"items": [ALERT_SUMMARY], "open": 1, "next": None},
    "VerdictRequest": {"verdict": "real"},
    "Post": POST,
    "Posts": {"items": [POST], "query": '"side effects"', "limit": 50, "seconds": 0.041, "lake_version": 17},
    "Received": {"received": 100, "first": 2401, "last": 2500},
    "Ledger": {
        "items": [
            {
                "source": "push",
                "quarter": "2026-11-20T08:00:00Z",
                "received": 371000,
                "stored": 370950,
                "known": 41,
                "rejected": 6,
                "ignored": 3,
            }
        ],
        "connections": [
            {
                "source": "push",
                "connected_from": "2026-11-20T06:00:00Z",
                "connected_to": "2026-11-20T08:15:03Z",
            }
        ],
    },
    "Quarantine": {
        "items": [
            {
                "id": "0f3c5d7e9a1b",
                "at": "2026-11-20T08:02:11Z",
                "source": "push",
                "origin": "journal:push",
                "row": 120884,
                "layout": None,
                "reason": "not JSON",
                "detail": "not JSON: `{oops`",
                "example": "{oops",
                "state": "held",
            }
        ],
        "reasons": {"not JSON": 1},
    },
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
