"""A web server that keeps what is posted to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.services.listening import QuietHandler, listening

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Request:
    """What was posted; headers by their lower-case names."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A web server; `answer` says what the n-th request (from 1) is told."""

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    answer: Callable[[int], Answer] = lambda _number: (200, {}, b"ok")

    @property
    def ids(self) -> list[str]:
        """The messages' ids, as they came."""
        return [request.headers["webhook-id"] for request in self.requests]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that listens for the length of the block."""
    found = Receiver()

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.requests.append(Request(self.path, headers, body))
            status, more, said = found.answer(len(found.requests))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(said)), **more}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said)

    with listening(Handler) as address:
        found.url = f"{address}/hooks/T0/secret-path"
        yield found
