from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from tests.services.listening import QuietHandler, listening

from groundswell.errors import UnavailableError, UnreadableFileError, UsageError
from groundswell.sources.compression import content
from groundswell.sources.files import find_files
from groundswell.sources.remote import TRIES, fetch
from groundswell.sources.stored import Limits
from groundswell.sources.unfold import unfold

DATA = b"".join(b'{"id": "%d"}\n' % n for n in range(50_000))
OPEN = Limits(private=True)

Answer = Callable[[BaseHTTPRequestHandler, int], None]


@dataclass
class Site:
    """A web server whose answers a test decides; `asked` has the headers of each request."""

    url: str = ""
    answer: Answer = lambda handler, _number: given(handler, DATA)
    asked: list[dict[str, str]] = field(default_factory=list)


def given(
    handler: BaseHTTPRequestHandler, data: bytes, status: int = 200, length: int | None = None, **headers: str
) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(data) if length is None else length))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(data)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            site.asked.append(dict(self.headers.items()))
            site.answer(self, len(site.asked))

    with listening(Handler) as address:
        site.url = f"{address}/posts.ndjson"
        yield site


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def get(tmp_path: Path, waits: list[float]) -> Callable[..., str]:
    return lambda site, limits=OPEN: fetch(site.url, tmp_path / "copy", limits, waits.append)


def test_a_file_is_fetched_and_its_state_told_by_its_tag(site: Site, get: Callable[..., str], tmp_path: Path) -> None:
    site.answer = lambda handler, _: given(handler, DATA, ETag='"v1"')
    assert get(site) == f'"v1"|{len(DATA)}'
    assert (tmp_path / "copy").read_bytes() == DATA
    site.answer = lambda handler, _: given(handler, DATA, Last_Modified="Sat, 21 Nov 2026 10:00:00 GMT")
    assert get(site).startswith("Sat, 21 Nov")
    site.answer = lambda handler, _: given(handler, DATA)
    assert get(site) == get(site)


def test_an_address_that_is_not_public_is_refused(site: Site, tmp_path: Path) -> None:
    for url in (site.url, site.url.replace("127.0.0.1", "localhost"), "http://[::1]/x", "http://169.254.169.254/x"):
        with pytest.raises(UsageError, match="not a public address"):
            fetch(url, tmp_path / "copy", Limits(), lambda _: None)
    assert site.asked == []


def test_a_redirect_to_an_address_that_is_not_of_the_web_is_refused(site: Site, get: Callable[..., str]) -> None:
    site.answer = lambda handler, _: given(handler, b"", 302, Location="file:///etc/passwd")
    with pytest.raises(UnreadableFileError, match="not an http or https address"):
        get(site)


def test_redirects_are_followed_but_not_for_ever(site: Site, get: Callable[..., str]) -> None:
    site.answer = lambda handler, n: given(handler, b"", 302, Location="/next") if n < 4 else given(handler, DATA)
    assert get(site).endswith(f"|{len(DATA)}")
    site.answer = lambda handler, _: given(handler, b"", 302, Location="/round")
    with pytest.raises(UnreadableFileError, match="more than 5 redirects"):
        get(site)


def test_a_server_that_is_busy_is_asked_again(site: Site, get: Callable[..., str], waits: list[float]) -> None:
    site.answer = lambda handler, n: given(handler, b"", 503, Retry_After="7") if n == 1 else (
        given(handler, b"", 500) if n == 2 else given(handler, DATA))  # fmt: skip
    assert get(site).endswith(f"|{len(DATA)}")
    assert waits == [7.0, 1.0]


def test_a_connection_that_ends_is_taken_up_where_it_was(site: Site, get: Callable[..., str], tmp_path: Path) -> None:
    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        if number == 1:
            given(handler, DATA[:100_000], length=len(DATA), ETag='"v1"')
        else:
            begin = int(site.asked[-1]["Range"].removeprefix("bytes=").rstrip("-"))
            given(handler, DATA[begin:], 206, ETag='"v1"')

    site.answer = answer
    get(site)
    assert (tmp_path / "copy").read_bytes() == DATA
    assert site.asked[1]["If-Range"] == '"v1"'


def test_a_server_that_stays_away_is_given_up(site: Site, get: Callable[..., str], waits: list[float]) -> None:
    site.answer = lambda handler, _: given(handler, b"", 503)
    with pytest.raises(UnavailableError, match=f"after {TRIES} tries"):
        get(site)
    assert len(waits) == TRIES - 1


def test_what_the_server_refuses_is_said_at_once(site: Site, get: Callable[..., str], waits: list[float]) -> None:
    site.answer = lambda handler, _: given(handler, b"", 403)
    with pytest.raises(UnreadableFileError, match="403"):
        get(site)
    assert waits == []


@pytest.mark.parametrize("says", [True, False])
def test_a_file_over_the_limit_is_refused(says: bool, site: Site, get: Callable[..., str]) -> None:
    def endless(handler: BaseHTTPRequestHandler, _number: int) -> None:
        handler.send_response(200)
        if says:
            handler.send_header("Content-Length", str(10**12))
        handler.end_headers()
        try:
            for _ in range(10_000):
                handler.wfile.write(bytes(100_000))
        except OSError:
            pass

    site.answer = endless
    with pytest.raises(UnreadableFileError, match="over the limit"):
        get(site, Limits(private=True, download=1_000_000))


def test_a_url_is_read_like_a_file_and_its_copy_removed(site: Site, tmp_path: Path) -> None:
    site.answer = lambda handler, _: given(handler, gzip.compress(DATA), ETag='"v1"')
    (file,) = find_files([site.url], tmp_path)
    for part in unfold(file, OPEN, tmp_path / "tmp"):
        assert part.name == site.url
        assert part.identity.startswith(f'{site.url}|"v1"')
        assert b"".join(content(part.stored)) == DATA
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_url_that_cannot_be_fetched_says_why(site: Site, tmp_path: Path) -> None:
    (file,) = find_files([site.url], tmp_path)
    (part,) = unfold(file, Limits(), tmp_path / "tmp")
    assert "not a public address" in str(part.refused)


def test_a_password_in_an_address_is_not_shown(site: Site, tmp_path: Path) -> None:
    (file,) = find_files([site.url.replace("http://", "http://me:secret@")], tmp_path)
    (part,) = unfold(file, Limits(), tmp_path / "tmp")
    assert "secret" not in f"{part.name} {part.refused} {part.identity}"
