"""Examples of what came in, by the name of the document. Invented figures; each is valid by test."""

from __future__ import annotations

from typing import Any, Final

COUNTS: Final[dict[str, Any]] = {"received": 371000, "stored": 370950, "known": 41, "rejected": 6, "ignored": 3}
SOURCE: Final[dict[str, Any]] = {
    "name": "push",
    "kind": "stream",
    "files": None,
    "last_received_at": "2026-11-20T08:15:03Z",
    "last_day": COUNTS,
    "total": {"received": 9104211, "stored": 9101300, "known": 2870, "rejected": 38, "ignored": 3},
    "connected": True,
    "connected_since": "2026-11-20T06:00:00Z",
    "records_per_s": 411.7,
    "waiting": 1204,
    "lag_s": 2.9,
}
QUARANTINED: Final[dict[str, Any]] = {
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
_SHARE: Final[dict[str, Any]] = {"name": "not JSON", "rows": 1, "newest_at": "2026-11-20T08:02:11Z", "example": "{oops"}
OPTIONS: Final[dict[str, Any]] = {"layout": None, "platform": None, "tz": "Europe/Paris", "map": {"text": "body"}}
PREVIEW: Final[dict[str, Any]] = {
    "container": {"form": "table", "compression": None, "encoding": "utf-8", "delimiter": ","},
    "parts": 1,
    "rows": 200,
    "estimated_rows": 40949,
    "layouts": [
        {
            "layout": "generic.table",
            "platform": "generic",
            "description": "any table or flat JSON with a text or an id",
            "table": "posts",
            "rows": 200,
            "rejected": 1,
            "ignored": 0,
            "reasons": {"when is not a plausible time": 1},
        }
    ],
    "mappable": True,
    "columns": [
        {"column": "body", "field": "text", "filled": 0.995, "unreadable": 0, "examples": ["side effects of dose two"]}
    ],
    "fields": [
        {"table": "posts", "field": "text", "column": "body", "filled": 0.995, "examples": ["side effects of dose two"]}
    ],
    "choices": ["text", "created_at", "likes"],
    "habits": ["when: day before month"],
    "notes": [],
}
RESULT: Final[dict[str, Any]] = {
    "read": 40949,
    "stored": 40881,
    "known": 48,
    "rejected": 20,
    "ignored": 0,
    "seconds": 1.8,
    "bytes": 14200331,
    "files": 1,
    "layouts": [
        {
            "layout": "generic.table",
            "platform": "generic",
            "read": 40949,
            "stored": 40881,
            "known": 48,
            "rejected": 20,
            "ignored": 0,
        }
    ],
    "reasons": [{"reason": "when is not a plausible time", "rows": 20, "example": "line 88: 7,soon,…"}],
    "failed": [],
}
IMPORT: Final[dict[str, Any]] = {
    "id": "5b1f0a9c77de4e21",
    "kind": "upload",
    "name": "posts.csv",
    "origin": "uploads/1f2e3d4c/posts.csv",
    "state": "done",
    "at": "2026-11-20T08:02:11Z",
    "finished_at": "2026-11-20T08:02:58Z",
    "bytes": 14200331,
    "options": OPTIONS,
    "preview": PREVIEW,
    "progress": None,
    "result": RESULT,
    "error": None,
    "hint": None,
}
_DEFINITION: Final[dict[str, Any]] = {
    "platform": "youtube",
    "metric": "views",
    "since": "2026-08-01",
    "precision": "month",
    "applies_to": "all posts",
    "meaning": "each start of a video",
    "before": "a view of at least some seconds",
    "source": "YouTube Help",
}
HISTORY: Final[dict[str, Any]] = {
    "platform": "youtube",
    "post_id": "dQw4w9WgXcQ",
    "url": "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
    "author_id": "UC1",
    "author_name": "latenightclips",
    "created_at": "2026-07-30T18:00:00Z",
    "text": "What the agency really said",
    "kind": "video",
    "observations": [
        {
            "observed_at": "2026-08-01T18:00:00Z",
            "imported_at": "2026-08-01T18:02:00Z",
            "views": 96000,
            "likes": 1200,
            "comments": None,
            "shares": None,
            "saves": None,
            "followers": 412000,
            "following": None,
            "layout": "youtube.videos_list",
            "origin": "/data/videos.json",
            "origin_offset": 0,
            "ingest_seq": 4711,
            "velocity": {"views": None, "likes": None},
        }
    ],
    "at_24h": {"views": None, "likes": None},
    "why_not": {"views": "first seen later than that", "likes": "first seen later than that"},
    "half_life_h": {"views": None, "likes": None},
    "definitions": [_DEFINITION],
    "lake_version": 17,
}
PROFILE: Final[dict[str, Any]] = {
    "rows": 40949,
    "platforms": {"youtube": 40949},
    "first": "2017-11-14T00:00:00Z",
    "last": "2018-06-14T00:00:00Z",
    "fields": [
        {
            "field": "views",
            "type": "number",
            "unit": "count",
            "rows": 40949,
            "missing": 12,
            "missing_share": 0.0003,
            "least": 549,
            "greatest": 225211923,
            "mean": 2360784.6,
            "quantiles": {"p01": 2301.0, "p50": 681861.0, "p99": 31350000.0},
            "histogram": [{"low": 0.0, "below": 1000000.0, "count": 24000}],
            "distinct": None,
            "top": None,
            "top_complete": True,
        }
    ],
    "unlikely": [
        {
            "check": "more_likes_than_views",
            "meaning": "a post has more likes than views",
            "fields": ["likes", "views"],
            "count": 3,
            "examples": [{"post_id": "a1", "likes": 12, "views": 3}],
        }
    ],
    "outliers": [
        {
            "platform": "youtube",
            "metric": "views",
            "rule": "robust_z",
            "limit": 3.5,
            "lower": 120.0,
            "upper": 98000000.0,
            "centre": 13.4,
            "spread": 1.4,
            "values": 40937,
            "low": 0,
            "high": 61,
            "why_none": None,
            "examples": [{"post_id": "b2", "value": 225211923}],
        }
    ],
    "definitions": [_DEFINITION],
    "lake_version": 17,
}
_NEW_KEY: Final[dict[str, Any]] = {
    "key": "itemInfos.shareTotal",
    "share": 0.997,
    "before": 0.0,
    "examples": ["412", "18"],
}
DRIFT: Final[dict[str, Any]] = {
    "notices": [
        {
            "id": "7d21c0",
            "state": "open",
            "layout": "tiktok.nested",
            "layout_version": 2,
            "field": "shares",
            "opened_at": "2026-11-20T13:20:00Z",
            "since": "2026-11-20T13:10:00Z",
            "closed_at": None,
            "share_before": 0.998,
            "records_before": 412000,
            "share_now": 0.003,
            "records_now": 9120,
            "p_value": 1e-300,
            "instead": [_NEW_KEY],
            "unread": [],
            "share_back": None,
        }
    ],
    "layouts": [
        {
            "layout": "tiktok.nested",
            "layout_version": 2,
            "at": "2026-11-20T13:20:00Z",
            "records": 9120,
            "usable": 9118,
            "fields": [{"field": "shares", "share": 0.003, "records": 9120, "before": 0.998, "records_before": 412000}],
            "unknown_keys": [_NEW_KEY],
        }
    ],
}

DATA_EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "RawPost": {
        "post": "tiktok:7591949610858485896",
        "observations": [
            {
                "platform": "tiktok",
                "post_id": "7591949610858485896",
                "key": "5f0c6a1d2b3e4f5061728394a5b6c7d8",
                "source": "import",
                "origin": "/data/posts.ndjson",
                "origin_offset": 7577146,
                "layout": "tiktok.nested",
                "layout_version": 1,
                "imported_at": "2026-11-20T08:15:03Z",
                "observed_at": None,
                "form": "ndjson",
                "text": '{\n  "itemInfos": {\n    "id": "7591949610858485896"\n  }\n}',
                "why": None,
            }
        ],
    },
    "Counts": COUNTS,
    "Source": SOURCE,
    "Sources": {
        "items": [SOURCE],
        "posts": 10412904,
        "authors": 204112,
        "comments": 0,
        "bytes": 9805221334,
        "held": 38,
    },
    "Inflow": {
        "since": "2026-11-20T06:00:00Z",
        "until": "2026-11-20T08:00:00Z",
        "step_s": 3600,
        "items": [
            {
                "source": "push",
                "kind": "stream",
                "slots": [
                    {"start": "2026-11-20T06:00:00Z", "counts": COUNTS, "state": "data", "connected": 1.0},
                    {
                        "start": "2026-11-20T07:00:00Z",
                        "counts": {"received": 0, "stored": 0, "known": 0, "rejected": 0, "ignored": 0},
                        "state": "gap",
                        "connected": 0.0,
                    },
                ],
            }
        ],
    },
    "Ledger": {
        "items": [{"source": "push", "quarter": "2026-11-20T08:00:00Z", **COUNTS}],
        "connections": [
            {
                "source": "push",
                "connected_from": "2026-11-20T06:00:00Z",
                "connected_to": "2026-11-20T08:15:03Z",
            }
        ],
    },
    "Quarantine": {
        "items": [QUARANTINED],
        "held": 1,
        "reasons": {"not JSON": 1},
        "by_reason": [_SHARE],
        "by_origin": [{**_SHARE, "name": "journal:push"}],
        "by_layout": [{**_SHARE, "name": None}],
    },
    "QuarantineRecord": {
        **QUARANTINED,
        "raw": "{oops",
        "raw_bytes": 5,
        "raw_sha256": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
        "whole": True,
    },
    "RetryRequest": {"reason": "not JSON"},
    "Retried": {"read": 12, "stored": 9, "known": 0, "ignored": 0, "held": 3},
    "ImportOptions": OPTIONS,
    "Preview": PREVIEW,
    "Import": IMPORT,
    "Imports": {"items": [IMPORT], "max_upload": 21474836480},
    "NewLayout": {"name": "agency-export", "map": {"text": "body", "likes": ""}, "platform": "x", "tz": None},
    "Drift": DRIFT,
    "History": HISTORY,
    "Profile": PROFILE,
    "Layouts": {
        "items": [
            {
                "id": "youtube.trending_csv",
                "platform": "youtube",
                "name": "trending_csv",
                "version": 1,
                "table": "posts",
                "description": "rows of the trending tables",
            }
        ]
    },
}
