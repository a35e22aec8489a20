"""What a form for each kind of channel asks, as data: the page draws it, and the documentation lists it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from groundswell.channels.kinds import KINDS, LOCAL, TEMPLATES
from groundswell.channels.messages import SAMPLE, Message
from groundswell.channels.templates import FIELDS, plain
from groundswell.desk.channels import EVENTS

#: Label, form, example and help of every setting.
_SETTINGS: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "url": ("Address", "text", "https://example.org/hook", "where the JSON goes; not for a secret address"),
    "url_secret": ("Secret with the address", "secret", "SLACK", "name of the secret that is the webhook's address"),
    "signing_secret": ("Secret to sign with", "secret", "SIGN", "signs every message (Standard Webhooks, HMAC-SHA256)"),
    "bearer_secret": ("Secret of the login", "secret", "TOKEN", "is sent as Authorization: Bearer …"),
    "host": ("Mail server", "text", "smtp.example.org", "name or address of the SMTP server"),
    "sender": ("From", "text", "groundswell@example.org", "address of the sender"),
    "to": ("To", "list", "team@example.org", "addresses of the receivers"),
    "port": ("Port", "number", "587", "587 for starttls, 465 for tls, 25 for none unless you say another"),
    "tls": ("Encryption", "choice", "starttls", "how the connection is encrypted"),
    "user": ("User", "text", "groundswell", "where the server wants a login"),
    "password_secret": ("Secret of the password", "secret", "MAIL", "name of the secret that is the password"),
    "argv": ("Program", "list", "/usr/local/bin/page-me", "program and arguments; it gets JSON on standard input"),
    "timeout_s": ("Time limit", "number", "30", "seconds after which it is ended"),
    "path": ("File", "text", "/var/log/alerts.ndjson", "each message is appended as a line of JSON"),
}
_CHOICES: Final[Mapping[str, list[str]]] = {"tls": ["starttls", "tls", "none"]}
_LABELS: Final[Mapping[str, str]] = {
    "webhook": "Webhook",
    "slack": "Slack",
    "discord": "Discord",
    "email": "E-mail",
    "command": "Command",
    "file": "File",
    "kafka": "Kafka",
}
_TEMPLATES: Final[Mapping[str, str]] = {"title": "$title", "text": "$text", "body": ""}


def forms() -> dict[str, Any]:
    """Kinds with their settings, events, and the fields that templates may name (`web.channel_models.ChannelKinds`)."""
    sample = Message("0" * 32, "opened", "2026-11-20T08:15:02Z", {"alert": dict(SAMPLE)}).fields
    return {
        "items": [_kind(kind) for kind in KINDS],
        "events": list(EVENTS),
        "fields": [
            {"name": name, "meaning": meaning, "example": plain(sample[name])} for name, meaning in FIELDS.items()
        ],
    }


def _kind(kind: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "label": _LABELS[kind],
        "meaning": (KINDS[kind].__doc__ or "").strip(),
        "local": kind in LOCAL,
        "settings": [_setting(field.name, required=field.required) for field in msgspec.structs.fields(KINDS[kind])],
        "templates": [{"name": name, "usual": _TEMPLATES[name]} for name in TEMPLATES[kind]],
    }


def _setting(name: str, *, required: bool) -> dict[str, Any]:
    label, form, example, meaning = _SETTINGS[name]
    return {
        "name": name,
        "label": label,
        "form": form,
        "required": required,
        "example": example,
        "meaning": meaning,
        "choices": _CHOICES.get(name),
    }
