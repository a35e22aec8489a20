"""A YouTube Data API on this computer: it pages, tags, counts units and refuses as the real one does.

```
with LocalYouTube(videos=120) as api:
    settings = load_settings(youtube_endpoint=api.address)
    api.refuse("videos", 503)
```
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

KEY: Final = "local-key-that-must-stay-secret"
_COSTS: Final = {"search": 100}
_CHANNEL: Final = "UC" + "0" * 21
_UPLOADS: Final = "UU" + "0" * 21
_MESSAGES: Final = {
    "quotaExceeded": "The request cannot be completed because you have exceeded your quota.",
    "rateLimitExceeded": "Rate Limit Exceeded",
    "commentsDisabled": "The video identified by the videoId parameter has disabled comments.",
    "videoNotFound": "The video identified by the videoId parameter could not be found.",
    "keyInvalid": "Bad Request",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call that came in: resource, parameters without the key, and whether it named an ETag."""

    resource: str
    parameters: Mapping[str, str]
    conditional: bool
    status: int


@dataclass
class LocalYouTube:
    """The API with `videos` videos of one channel, newest first, each with `comments` threads.

    Every thread has three replies of which an answer brings two along. `limit` are the units of a day; `calls` what
    came in. A context manager.
    """

    videos: int = 3
    comments: int = 0
    limit: int = 10_000
    disabled: frozenset[str] = frozenset()
    """Videos whose comments are switched off although they are counted."""

    missing: frozenset[str] = frozenset()
    """Videos that are found but not there any more."""

    calls: list[Call] = field(default_factory=list)
    spent: int = 0
    views: int = 1000
    _refusals: list[tuple[str, int, str, dict[str, str]]] = field(default_factory=list)

    def __enter__(self) -> LocalYouTube:
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def refuse(self, resource: str, status: int, reason: str = "backendError", **headers: str) -> None:
        """Answer the next call of a resource with an error; once."""
        self._refusals.append((resource, status, reason, {k.replace("_", "-"): v for k, v in headers.items()}))

    def video_id(self, number: int) -> str:
        """The id of the n-th video, from 0, the newest first."""
        return f"vid{number:08}"

    def answer(self, resource: str, asked: dict[str, str], etag: str | None) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers of the answer to a call."""
        if asked.pop("key", None) != KEY:
            return _error(400, "keyInvalid")
        for place, (of, status, reason, headers) in enumerate(self._refusals):
            if of == resource:
                del self._refusals[place]
                return (*_error(status, reason)[:2], headers)
        self.spent += _COSTS.get(resource, 1)
        if self.spent > self.limit:
            return _error(403, "quotaExceeded")
        found = getattr(self, f"_{resource}")(asked)
        if isinstance(found, str):
            return _error(404 if found == "videoNotFound" else 403, found)
        body = json.dumps(found, ensure_ascii=False).encode()
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if etag == tag:
            return 304, b"", {"etag": tag}
        return 200, body, {"etag": tag}

    def _paged(self, kind: str, items: list[Any], asked: Mapping[str, str]) -> dict[str, Any]:
        size, start = int(asked.get("maxResults", 5)), int(asked.get("pageToken", "P0")[1:])
        page: dict[str, Any] = {"kind": f"youtube#{kind}ListResponse", "items": items[start : start + size]}
        if start + size < len(items):
            page["nextPageToken"] = f"P{start + size}"
        return {**page, "pageInfo": {"totalResults": len(items), "resultsPerPage": size}}

    def _search(self, asked: Mapping[str, str]) -> dict[str, Any]:
        items = [
            {
                "kind": "youtube#searchResult",
                "id": {"kind": "youtube#video", "videoId": self.video_id(number)},
                "snippet": {**self._snippet(number), "title": f"{asked['q']} &amp; more {number}"},
            }
            for number in range(self.videos)
        ]
        return self._paged("search", items, asked)

    def _videos(self, asked: Mapping[str, str]) -> dict[str, Any]:
        wanted = [found for found in asked["id"].split(",") if found not in self.missing]
        items = [
            {
                "kind": "youtube#video",
                "id": found,
                "snippet": self._snippet(int(found[3:])),
                "contentDetails": {"duration": "PT1M1S"},
                "statistics": {"viewCount": str(self.views), "likeCount": "7", "commentCount": str(self.comments)},
            }
            for found in wanted
        ]
        return {"kind": "youtube#videoListResponse", "items": items}

    def _channels(self, asked: Mapping[str, str]) -> dict[str, Any]:
        known = asked.get("forHandle") in (None, "@local") and asked.get("id") in (None, _CHANNEL)
        channel = {
            "kind": "youtube#channel",
            "id": _CHANNEL,
            "snippet": {"title": "Local", "customUrl": "@local", "publishedAt": "2015-01-01T00:00:00Z"},
            "contentDetails": {"relatedPlaylists": {"uploads": _UPLOADS}},
            "statistics": {"viewCount": "9", "subscriberCount": "5", "hiddenSubscriberCount": False, "videoCount": "3"},
        }
        return {"kind": "youtube#channelListResponse", "items": [channel] if known else []}

    def _playlistItems(self, asked: Mapping[str, str]) -> dict[str, Any]:
        items = [
            {
                "kind": "youtube#playlistItem",
                "id": f"item{number}",
                "snippet": {**self._snippet(number), "playlistId": _UPLOADS},
                "contentDetails": {"videoId": self.video_id(number), "videoPublishedAt": self._time(number)},
            }
            for number in range(self.videos)
        ]
        return self._paged("playlistItem", items, asked)

    def _commentThreads(self, asked: Mapping[str, str]) -> dict[str, Any] | str:
        video = asked["videoId"]
        if video in self.disabled:
            return "commentsDisabled"
        items = [
            {
                "kind": "youtube#commentThread",
                "id": f"Ug{video}{number}",
                "snippet": {
                    "videoId": video,
                    "topLevelComment": _comment(f"Ug{video}{number}", video),
                    "totalReplyCount": 3,
                },
                "replies": {"comments": [_comment(f"Ug{video}{number}.{reply}", video) for reply in range(2)]},
            }
            for number in range(self.comments)
        ]
        return self._paged("commentThread", items, asked)

    def _comments(self, asked: Mapping[str, str]) -> dict[str, Any]:
        parent = asked["parentId"]
        return self._paged("comment", [_comment(f"{parent}.{reply}", None) for reply in range(3)], asked)

    def _snippet(self, number: int) -> dict[str, Any]:
        about = {"title": f"Film {number}", "description": "About #tea", "channelId": _CHANNEL}
        return {**about, "publishedAt": self._time(number), "channelTitle": "Local"}

    def _time(self, number: int) -> str:
        return f"2026-01-{28 - number % 28:02}T10:00:00Z"


class _Server(ThreadingHTTPServer):
    """Says nothing of a client that was killed."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Leave the connection."""


def _comment(comment: str, video: str | None) -> dict[str, Any]:
    said = {"textOriginal": f"said {comment}", "textDisplay": "said", "likeCount": 0, "authorDisplayName": "@person"}
    snippet = {**said, "publishedAt": "2026-01-03T10:00:00Z", "updatedAt": "2026-01-03T10:00:00Z"}
    return {"kind": "youtube#comment", "id": comment, "snippet": {**snippet, **({"videoId": video} if video else {})}}


def _error(status: int, reason: str) -> tuple[int, bytes, dict[str, str]]:
    message = _MESSAGES.get(reason, "The service is currently unavailable.")
    causes = [{"message": message, "domain": "youtube.quota", "reason": reason}]
    return status, json.dumps({"error": {"code": status, "message": message, "errors": causes}}).encode(), {}


def _handler(api: LocalYouTube) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            resource = parts.path.rpartition("/")[2]
            asked = {name: values[0] for name, values in parse_qs(parts.query).items() if name != "alt"}
            etag = self.headers.get("if-none-match")
            status, body, headers = api.answer(resource, asked, etag)
            api.calls.append(Call(resource, asked, etag is not None, status))
            self.send_response(status)
            for name, value in {
                "content-type": "application/json",
                **headers,
                "content-length": str(len(body)),
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    return Handler
