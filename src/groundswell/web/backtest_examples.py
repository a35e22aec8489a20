"""Examples of backtests, by the name of the document. Invented; each is valid by test."""

from __future__ import annotations

from typing import Any, Final

REQUEST: Final[dict[str, Any]] = {
    "query": '"side effects"',
    "days": 90,
    "until": None,
    "promise_days": 30,
    "platforms": [],
    "country": None,
    "reach_followers": None,
    "reach_share": None,
}
BACKTEST: Final[dict[str, Any]] = {
    "query": '"side effects"',
    "since": "2026-08-22T00:00:00Z",
    "until": "2026-11-20T00:00:00Z",
    "days": 90.0,
    "learned_days": 56.0,
    "platforms": [],
    "promise_days": 30.0,
    "windows_s": [60, 300, 900, 3600],
    "posts": 41_302,
    "stream_posts": 4_081_220,
    "blind_posts": 0,
    "by_promise": [
        {"promise_days": 1.0, "needed_days": 1.3, "alerts": 61, "per_30_days": 20.333},
        {"promise_days": 30.0, "needed_days": 36.2, "alerts": 4, "per_30_days": 1.333},
    ],
    "reach_alerts": None,
    "alerts": [],
    "candidates": [
        {
            "started_at": "2026-11-02T08:10:00Z",
            "opened_at": "2026-11-02T08:15:00Z",
            "closed_at": "2026-11-02T09:40:00Z",
            "direction": "burst",
            "signal": "posts",
            "window_s": 300,
            "observed": 63,
            "expected": 10.2,
            "ratio": 6.176,
            "return_days": 140.0,
            "headline": "“side effects” is mentioned 6.2 times as often as usual",
            "strictest": 90.0,
        }
    ],
    "series": {
        "window_s": 3600,
        "every": 1,
        "start": ["2026-11-02T08:00:00Z"],
        "count": [412],
        "expected": [121.4],
        "lower": [92.0],
        "upper": [153.0],
        "state": ["unusual"],
    },
    "notes": ["The lake reaches back 90.0 days, not 365."],
    "seconds": 11.4,
    "lake_version": 17,
}
JOB: Final[dict[str, Any]] = {
    "id": "5d1f0c3b9a7e2468",
    "state": "done",
    "request": REQUEST,
    "progress": 1.0,
    "doing": None,
    "error": None,
    "hint": None,
    "result": BACKTEST,
}
BACKTEST_EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "NewBacktest": REQUEST,
    "Backtest": BACKTEST,
    "BacktestJob": JOB,
    "BacktestJobs": {"items": [{**JOB, "result": None}]},
}
