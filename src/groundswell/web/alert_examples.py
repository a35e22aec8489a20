"""Examples of alerts and their cards that the OpenAPI document shows. Invented figures; each is valid by test."""

from __future__ import annotations

from typing import Any, Final

from groundswell.channels.messages import SAMPLE

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
_SHARED: Final = (
    *("tracker_name", "query", "signal", "direction", "phase", "started_at", "opened_at", "updated_at", "closed_at"),
    *("observed", "expected", "ratio", "return_days", "p_value", "posts", "authors", "headline", "detail", "verdict"),
)
ALERT_SUMMARY: Final[dict[str, Any]] = {
    "id": "9b1d3e5f70a2c4e6",
    "tracker": "4f2a9c0d51be7a36",
    **{name: SAMPLE[name] for name in _SHARED},
    "verdict_note": None,
    "acknowledged_at": "2026-11-20T08:19:40Z",
    "acknowledged_by": "Maya",
    "snoozed_until": None,
    "comments": 1,
    "group": None,
    "members": [],
}
PRECISION: Final[dict[str, Any]] = {
    "tracker": "4f2a9c0d51be7a36",
    "name": "Side effects",
    "promise_days": 30.0,
    "days": 90.0,
    "alerts": 7,
    "alerts_per_day": 0.07778,
    "promised_per_day": 0.03333,
    "false_per_day": 0.01111,
    "verdicts": {"real": 4, "false": 1, "known": 1, "none": 1},
    "judged": 6,
    "precision": 0.8333,
    "low": 0.4365,
    "high": 0.9699,
}
SIMILAR: Final[dict[str, Any]] = {
    "id": "77aa0c1b2d3e4f50",
    "headline": "“Side effects” is mentioned 4.1 times as often as usual",
    "started_at": "2026-10-02T17:40:00Z",
    "closed_at": "2026-10-02T20:15:00Z",
    "minutes": 155.0,
    "direction": "burst",
    "signal": "posts",
    "ratio": 4.1,
    "return_days": 61.0,
    "posts": 214,
    "verdict": "known",
    "verdict_note": "the agency's press conference",
    "likeness": 0.62,
    "shared": ["#vaccine", "dose"],
}
EVIDENCE: Final[dict[str, Any]] = {
    "signal": "posts",
    "voices": [
        {
            "signal": "posts",
            "label": "posts",
            "kind": "count",
            "window_s": 300,
            "window_start": "2026-11-20T08:10:00Z",
            "direction": "burst",
            "observed": 63.0,
            "expected": 10.2,
            "lower": 4.0,
            "upper": 18.0,
            "p_value": 2.5e-05,
            "return_days": 140.0,
            "rarity": 2.1,
        }
    ],
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
    "domains": [{"key": "news.example", "label": "news.example", "posts": 9, "share": 0.17, "usual_share": 0.0}],
    "languages": [{"key": "en", "label": "en", "posts": 60, "share": 0.97, "usual_share": 0.9}],
    "copies": [
        {
            "key": "tiktok:7301234567890123456",
            "text": "side effects of dose two #vaccine",
            "posts": 3,
            "authors": 3,
            "share": 0.05,
        }
    ],
    "known_posts": {"author": 63, "hashtags": 40, "sound": 0, "domains": 9, "lang": 61, "text": 63},
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
    "remains": [
        {
            "name": "without_top_author",
            "label": "Without the top author",
            "observed": 60,
            "ratio": 5.882,
            "return_days": 121.0,
            "holds": True,
        }
    ],
    "newcomers": {"authors": 58, "known": 12, "new": 46, "usual_posts": 9120.0, "posts_of_new": 0.78},
    "accounts": [
        {
            "name": "followers",
            "label": "Followers of the authors",
            "unit": "followers",
            "bars": [{"low": 0.0, "high": 100.0, "count": 31}, {"low": 100.0, "high": None, "count": 20}],
            "known": 51,
            "unknown": 7,
            "median": 84.0,
        }
    ],
    "coverage": {"windows": 288, "covered": 286, "learning": 0, "macro": 1, "gaps": ["2026-11-20T02:10:00Z"]},
    "season": {
        "window_s": 300,
        "weeks": [{"weeks_ago": 1, "start": "2026-11-13T07:10:00Z", "counts": [9, 12, None, 10]}],
        "days": [{"days_ago": 1, "start": "2026-11-19T08:10:00Z", "count": 11, "expected": 9.8}],
    },
    "course": [{"at": "2026-11-20T08:15:00Z", "phase": "growing"}],
    "authors_total": 58,
    "posts_total": 63,
    "expected_total": 10.2,
    "span": [2401, 2500],
    "parameters": {"window_s": 300, "promise_days": 30.0},
}
ALERT_EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "AlertSummary": ALERT_SUMMARY,
    "Alert": {
        **ALERT_SUMMARY,
        "evidence": EVIDENCE,
        "events": [{"at": "2026-11-20T08:19:40Z", "who": "Maya", "kind": "acknowledged"}],
        "similar": [SIMILAR],
        "lake_version": 17,
    },
    "Evidence": EVIDENCE,
    "Alerts": {"items": [ALERT_SUMMARY], "open": 1, "next": None},
    "AlertChange": {"acknowledged": True, "by": "Maya"},
    "NewComment": {"text": "The ministry's site is down, that is why.", "by": "Maya"},
    "Precision": {
        "since": "2026-08-22T08:15:00Z",
        "until": "2026-11-20T08:15:00Z",
        "all": {**PRECISION, "tracker": None, "name": "all trackers", "promise_days": None},
        "trackers": [PRECISION],
    },
    "Recomputed": {
        "alert": "9b1d3e5f70a2c4e6",
        "state": "equal",
        "detail": "the same card comes out of the same 63 posts",
        "lake_version": 21,
        "frozen_lake_version": 17,
        "span": [90_211, 90_310],
        "posts_frozen": 63,
        "posts_found": 63,
        "gone": [],
        "more": 0,
        "differences": [],
        "evidence": EVIDENCE,
    },
    "VerdictRequest": {"verdict": "real", "note": "recall announced at 09:00", "by": "Maya"},
}
