"""Examples of channels and their outbox, by the name of the document. Invented; each is valid by test."""

from __future__ import annotations

from typing import Any, Final

SETTINGS: Final[dict[str, Any]] = {
    "url": "https://example.org/hook",
    "url_secret": None,
    "signing_secret": "SIGN",
    "bearer_secret": None,
    "host": None,
    "port": None,
    "tls": None,
    "sender": None,
    "to": None,
    "user": None,
    "password_secret": None,
    "argv": None,
    "timeout_s": None,
    "path": None,
}
QUIET: Final[dict[str, Any]] = {
    "start": "22:00",
    "end": "07:00",
    "tz": "Europe/Berlin",
    "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    "then": "digest",
}
CHANNEL: Final[dict[str, Any]] = {
    "id": "5be1c7a90d2f4e83",
    "name": "Brand team",
    "kind": "webhook",
    "target": "https://example.org/hook",
    "settings": SETTINGS,
    "secrets": [{"name": "SIGN", "variable": "GROUNDSWELL_SECRET_SIGN", "set": True}],
    "trackers": [{"id": "4f2a9c0d51be7a36", "name": "Side effects"}],
    "least_days": 30.0,
    "events": ["opened", "closed"],
    "quiet": QUIET,
    "templates": None,
    "report_to": "Operations",
    "max_age_hours": 24.0,
    "created_at": "2026-11-01T09:00:00Z",
    "state": "fails",
    "failures": 4,
    "trouble": "example.org says 503 Service Unavailable",
    "trouble_since": "2026-11-20T08:15:03Z",
    "retry_at": "2026-11-20T08:16:31Z",
    "sent_at": "2026-11-19T17:02:11Z",
    "waiting": 2,
    "held": 0,
    "dead": 0,
}
MESSAGE: Final[dict[str, Any]] = {
    "id": "c2f1a09be47d3358c2f1a09be47d3358",
    "seq": 117,
    "channel": "5be1c7a90d2f4e83",
    "channel_name": "Brand team",
    "alert": "9b1d3e5f70a2c4e6",
    "event": "opened",
    "state": "waiting",
    "title": "“Side effects” is mentioned 6.2 times as often as usual",
    "created_at": "2026-11-20T08:15:02Z",
    "attempts": 4,
    "tried_at": "2026-11-20T08:15:44Z",
    "ended_at": None,
    "error": "example.org says 503 Service Unavailable",
    "digest": None,
}
_COUNTS: Final = {"waiting": 2, "sending": 0, "sent": 115, "held": 0, "digested": 0, "superseded": 0, "dropped": 0}

CHANNEL_EXAMPLES: Final[dict[str, Any]] = {
    "Channel": CHANNEL,
    "Channels": {"items": [CHANNEL]},
    "NewChannel": {
        "name": "Brand team",
        "kind": "slack",
        "settings": {"url_secret": "SLACK"},
        "trackers": ["Side effects"],
        "least_days": 30.0,
        "quiet": {"start": "22:00", "end": "07:00", "tz": "Europe/Berlin", "then": "digest"},
    },
    "ChangedChannel": {"events": ["opened", "updated", "closed"], "templates": {"text": "$headline\n$link"}},
    "SentTest": {
        "channel": "5be1c7a90d2f4e83",
        "name": "Brand team",
        "ok": False,
        "message": "0d3c9a1e5f7b24680d3c9a1e5f7b2468",
        "error": "example.org says 503 Service Unavailable",
        "hint": None,
        "seconds": 0.214,
    },
    "ChannelPreviewRequest": {"kind": "slack", "templates": {"text": "*$headline*\n$top_post"}},
    "ChannelPreview": {
        "kind": "slack",
        "text": '{\n  "text": "*“Side effects” is mentioned 6.2 times …*"\n}',
    },
    "OutboxMessage": MESSAGE,
    "Outbox": {"items": [MESSAGE], "counts": {**_COUNTS, "dead": 0}, "next": None},
    "ChannelKinds": {
        "items": [
            {
                "kind": "slack",
                "label": "Slack",
                "meaning": "An incoming webhook as Slack has it; its address is a secret.",
                "local": False,
                "settings": [
                    {
                        "name": "url_secret",
                        "label": "Secret with the address",
                        "form": "secret",
                        "required": True,
                        "example": "SLACK",
                        "meaning": "name of the secret that is the webhook's address",
                        "choices": None,
                    }
                ],
                "templates": [{"name": "text", "usual": "$text"}],
            }
        ],
        "events": ["opened", "updated", "closed"],
        "fields": [{"name": "headline", "meaning": "what is unusual, in a sentence", "example": "…"}],
    },
}
