"""A server that speaks Jetstream's protocol: events numbered by time, played back from a cursor, then as they come."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import zstandard
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve


def post(number: int, time_us: int, text: str = "hello") -> dict[str, Any]:
    """An event with a new post, in the form in which the stream has it."""
    seconds, micros = divmod(time_us, 1_000_000)
    created = f"{_iso(seconds)}.{micros // 1000:03}Z"
    record = {"$type": "app.bsky.feed.post", "createdAt": created, "langs": ["en"], "text": text}
    commit = {"rev": "3l", "operation": "create", "collection": "app.bsky.feed.post", "rkey": f"3l{number:06}"}
    return {
        "did": f"did:plc:user{number % 50}",
        "time_us": time_us,
        "kind": "commit",
        "commit": {**commit, "record": record, "cid": f"bafy{number}"},
    }


def _iso(seconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@dataclass
class FakeJetstream:
    """What the server has and does; `asked` are the queries of its connections."""

    url: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    kept_from_us: int = 0
    """Older events are not played back."""
    cut_after: int | None = None
    """Each connection ends after so many events."""
    refuse: int | None = None
    """Status with which connections are refused."""
    dictionary: zstandard.ZstdCompressionDict | None = None
    sent: int = 0
    closed: threading.Event = field(default_factory=threading.Event)

    def add(self, *events: dict[str, Any]) -> None:
        self.events.extend(events)

    def answer(self, connection: ServerConnection, request: Request) -> Response | None:
        if self.refuse is None:
            return None
        return connection.respond(self.refuse, "invalid wantedCollection\n")

    def follow(self, connection: ServerConnection) -> None:
        query = parse_qs(urlsplit(connection.request.path if connection.request else "").query)
        self.asked.append(query)
        pack: Callable[[bytes], bytes] | None = None
        if query.get("compress") == ["true"] and self.dictionary is not None:
            pack = zstandard.ZstdCompressor(dict_data=self.dictionary, write_content_size=False).compress
        cursor = int(query["cursor"][0]) if "cursor" in query else None
        at = len(self.events) if cursor is None else 0
        floor = max(cursor or 0, self.kept_from_us)
        count = 0
        try:
            while not self.closed.is_set():
                for event in self.events[at:]:
                    at += 1
                    if event["time_us"] < floor:
                        continue
                    data = json.dumps(event).encode()
                    connection.send(data.decode() if pack is None else pack(data))
                    self.sent += 1
                    count += 1
                    if self.cut_after is not None and count >= self.cut_after:
                        return
                self.closed.wait(0.01)
        except ConnectionClosed:
            return


@contextmanager
def jetstream(**options: Any) -> Iterator[FakeJetstream]:
    """A server that runs for the length of the block."""
    found = FakeJetstream(**options)
    server: Server = serve(found.follow, "127.0.0.1", 0, process_request=found.answer, compression=None)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    found.url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
    try:
        yield found
    finally:
        found.closed.set()
        server.shutdown()
        thread.join()
