"""Messages: what is said of an alert, in words for people and as a document for programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from groundswell.channels import templates
from groundswell.channels.templates import Value, plain

#: What stands before the headline, by what happened.
_BEFORE: Final[Mapping[str, str]] = {"updated": "Still unusual: ", "closed": "Over: ", "test": "Test: "}
#: Alerts that the text of a digest names.
_NAMED: Final = 15


@dataclass(frozen=True)
class Message:
    """One message to one channel. `id` is the same each time that it is sent, `body` is what the outbox holds."""

    id: str
    event: str
    created_at: str
    """When it was planned, RFC 3339 UTC."""
    body: Mapping[str, Any]
    link: str | None = None
    """The page that it is about."""

    @property
    def alert(self) -> Mapping[str, Any]:
        """The alert; empty for a digest and for news of channels."""
        found: Mapping[str, Any] = self.body.get("alert") or {}
        return found

    @property
    def title(self) -> str:
        """One line."""
        if self.event == "digest":
            return f"{_counted(int(self.body['count']), 'alert')} in quiet hours"
        if self.event == "trouble":
            return f"The channel “{self.body['channel']}” does not work"
        if self.event == "recovered":
            return f"The channel “{self.body['channel']}” works again"
        also = "Also: " if self.alert.get("group") not in (None, self.alert.get("id")) else ""
        return _line(f"{_BEFORE.get(self.event, '')}{also}{self.alert.get('headline', '')}")

    @property
    def text(self) -> str:
        """What is behind the title, in a few lines."""
        if self.event == "digest":
            return "\n".join(self._digest())
        if self.event in ("trouble", "recovered"):
            return "\n".join(self._news())
        return "\n".join(self._lines())

    def _lines(self) -> list[str]:
        alert = self.alert
        rare = f"such a window comes about once in {plain(round(alert['return_days']))} days"
        found = [str(alert["detail"]), f"{alert['tracker_name']}: {alert['query']} ({alert['phase']}, {rare})"]
        for post in alert.get("top_posts", []):
            if post.get("text"):
                copies = int(post.get("copies") or 1)
                by = "".join(
                    (f" — {post['author']}" if post.get("author") else "", f", {copies:,} times" * (copies > 1))
                )
                found.append(f"“{post['text']}”{by}" + (f" {post['url']}" if post.get("url") else ""))
        for label, name in (("Words", "top_words"), ("Hashtags", "top_hashtags"), ("Authors", "top_authors")):
            if alert.get(name):
                found.append(f"{label}: {', '.join(alert[name])}")
        if self.link:
            found.append(self.link)
        return [line for line in found if line.strip()]

    def _digest(self) -> list[str]:
        alerts = self.body["alerts"]
        found = [f"{alert['headline']} ({alert['phase']})" for alert in alerts[:_NAMED]]
        more = int(self.body["count"]) - len(found)
        if more > 0:
            found.append(f"and {more:,} more")
        return [*found, *([self.link] if self.link else [])]

    def _news(self) -> list[str]:
        body = self.body
        if self.event == "recovered":
            return [f"It failed from {body['since']} to {body['until']}; what waited for it is being sent."]
        waiting = _counted(int(body["waiting"]), "message")
        return [f"{body['error']}", f"Since {body['since']}; {waiting} to be sent. It is tried again by itself."]

    @property
    def fields(self) -> dict[str, Value]:
        """The fields that templates may name (`templates.FIELDS`); null where a message has none."""
        alert = self.alert
        posts = alert.get("top_posts") or [{}]
        known: dict[str, Value] = {name: alert.get(name) for name in templates.FIELDS if name in alert}
        return {name: None for name in templates.FIELDS} | known | {
            "title": self.title,
            "text": self.text,
            "event": self.event,
            "id": self.id,
            "link": self.link,
            "alert": alert.get("id"),
            "tracker": alert.get("tracker_name"),
            "window_minutes": alert["window_s"] / 60 if "window_s" in alert else None,
            "words": _joined(alert.get("top_words")),
            "hashtags": _joined(alert.get("top_hashtags")),
            "top_authors": _joined(alert.get("top_authors")),
            "top_post": posts[0].get("text"),
            "top_post_url": posts[0].get("url"),
        }  # fmt: skip

    @property
    def document(self) -> dict[str, Any]:
        """The message for programs: body of a webhook, line of a file, input of a command."""
        return {
            "version": 1,
            "id": self.id,
            "event": self.event,
            "created_at": self.created_at,
            "title": self.title,
            "text": self.text,
            "link": self.link,
            "alert": self.body.get("alert"),
            "digest": dict(self.body) if self.event == "digest" else None,
            "channel": dict(self.body) if self.event in ("trouble", "recovered") else None,
        }

    def worded(
        self, words: Mapping[str, str] | None, quoted: Callable[[str], str] = lambda text: text
    ) -> tuple[str, str]:
        """Title and text by a channel's templates; a message that is about no alert is said in our own words.

        `quoted` makes harmless what is not of a template.
        """
        if not words or not self.alert:
            return quoted(self.title), quoted(self.text)
        title, text = words.get("title"), words.get("text")
        fields = {name: quoted(value) if isinstance(value, str) else value for name, value in self.fields.items()}
        return (
            quoted(self.title) if title is None else _line(templates.fill(title, fields)),
            quoted(self.text) if text is None else templates.fill(text, fields),
        )

    def payload(self, words: Mapping[str, str] | None) -> Any:
        """The document, or the body that a channel's template makes of the fields."""
        if not words or "body" not in words or not self.alert:
            return self.document
        return templates.fill_json(words["body"], self.fields)


def _line(text: str) -> str:
    return " ".join(text.split())


def _joined(names: Any) -> str | None:
    return ", ".join(names) if names else None


def _counted(number: int, what: str) -> str:
    """A number of things.

    >>> _counted(1, "alert"), _counted(1200, "message")
    ('1 alert', '1,200 messages')
    """
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def link_of(public_url: str, alert_id: str | None) -> str | None:
    """The page of an alert, or the page of all alerts; null where nobody said at which address people open it.

    >>> link_of("https://watch.example.org/", "a1"), link_of("", "a1")
    ('https://watch.example.org/alerts/a1', None)
    """
    if not public_url:
        return None
    return f"{public_url.rstrip('/')}/" + (f"alerts/{alert_id}" if alert_id else "")


#: What a test and a preview show: invented.
SAMPLE: Final[Mapping[str, Any]] = {
    "id": "0000000000000000",
    "tracker": "0000000000000000",
    "tracker_name": "Side effects",
    "query": '"side effects"',
    "signal": "posts",
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
    "window_s": 300,
    "group": None,
    "top_posts": [
        {
            "platform": "bluesky",
            "post_id": "3k2a",
            "url": "https://example.org/post/3k2a",
            "author": "maya.example",
            "followers": 3100,
            "created_at": "2026-11-20T08:11:04Z",
            "copies": 3,
            "text": "side effects of dose two #vaccine",
        }
    ],
    "top_authors": ["@maya.example"],
    "top_hashtags": ["#vaccine"],
    "top_words": ["dose", "fever"],
}
