"""One request of a channel over HTTP: guarded, bounded in size and time, and its answer understood."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import httpx

from groundswell import __version__
from groundswell.channels.kinds import check_url
from groundswell.errors import GroundswellError, UsageError
from groundswell.sources.guard import check_host, client_for

#: Of one step (connecting, a piece of the answer) and of the whole exchange, seconds.
TIMEOUT: Final = httpx.Timeout(10.0, connect=5.0)
TOTAL_S: Final = 20.0
REDIRECTS: Final = 3
#: Of an answer, what is read.
MAX_ANSWER: Final = 16 << 10
#: The other side's wish to wait is heeded up to this long, seconds.
LONGEST_WAIT_S: Final = 3600.0
#: The message itself is wrong; the channel may take the next one.
_REFUSED: Final = frozenset({400, 413, 415, 422})
#: Redirects that keep method and body.
_KEPT: Final = frozenset({307, 308})
_SHOWN: Final = 200


class NotSentError(GroundswellError):
    """A message did not go; `refused`: this message never will, others may. `wait_s`: ask again after that."""

    status = 502

    def __init__(
        self, what: str, *, hint: str | None = None, refused: bool = False, wait_s: float | None = None
    ) -> None:
        super().__init__(what, hint=hint)
        self.refused = refused
        self.wait_s = wait_s


def post(url: str, content: bytes, headers: Mapping[str, str], *, private: bool) -> None:
    """Send `content`; returns when the other side has said that it has it (2xx).

    Errors name the host and no more of the address: the rest may be a secret.

    Raises:
        NotSentError: it has not; says why, and whether another try makes sense.
    """
    sent = {"Content-Type": "application/json", "User-Agent": f"groundswell/{__version__}", **headers}
    for _ in range(REDIRECTS + 1):
        try:
            moved = _once(url, content, sent, private=private)
        except UsageError as error:
            what = f"{_host(url)}: {error.what}"
            raise NotSentError(what, hint=error.hint) from error
        except httpx.TimeoutException as error:
            what = f"{_host(url)} did not answer in time"
            raise NotSentError(what) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            what = f"{_host(url)} cannot be reached ({_cause(error)})"
            raise NotSentError(what) from error
        if moved is None:
            return
        if urlsplit(url).scheme == "https" and urlsplit(moved).scheme != "https":
            what = f"{_host(url)} leads to an address without encryption"
            raise NotSentError(what, hint="give the address that it really has")
        if urlsplit(url)[:2] != urlsplit(moved)[:2]:
            # A login is meant for the one to whom it was given.
            sent.pop("Authorization", None)
        url = moved
    what = f"{_host(url)}: more than {REDIRECTS} redirects"
    raise NotSentError(what, hint="give the address that they end at")


def _once(url: str, content: bytes, headers: Mapping[str, str], *, private: bool) -> str | None:
    """Where the request is to go instead; null if it was taken."""
    parts = urlsplit(check_url(url))
    check_host(
        parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80), private=private
    )
    with (
        client_for(url, private=private, timeout=TIMEOUT, total_s=TOTAL_S) as client,
        client.stream("POST", url, content=content, headers=dict(headers)) as response,
    ):
        if response.status_code in _KEPT and "location" in response.headers:
            return urljoin(url, response.headers["location"])
        if response.is_success:
            # It has the message, whatever becomes of the rest of its answer.
            return None
        said = _beginning(response)
    what = f"{parts.hostname} says {response.status_code} {response.reason_phrase}".rstrip()
    if said:
        what += f": {said}"
    if response.is_redirect:
        raise NotSentError(what, hint="it has moved; give the address that it has now")
    raise NotSentError(what, refused=response.status_code in _REFUSED, wait_s=_wait(response, said))


def _beginning(response: httpx.Response) -> str:
    """The beginning of an answer as one line of plain text; no more of it is read than that takes."""
    got = b""
    for chunk in response.iter_raw(4096):
        got += chunk
        if len(got) >= MAX_ANSWER:
            break
    text = got[:MAX_ANSWER].decode(errors="replace")
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:_SHOWN]


def _wait(response: httpx.Response, said: str) -> float | None:
    """Seconds that the other side asks to be left alone; null if it says nothing."""
    asked = response.headers.get("retry-after", "").strip()
    seconds: float | None = None
    try:
        seconds = float(asked)
    except ValueError:
        if asked:
            seconds = _until(asked)
    if seconds is None and response.status_code == 429:
        seconds = _in_body(said)
    return None if seconds is None or not seconds >= 0 else min(seconds, LONGEST_WAIT_S)


def _until(date: str) -> float | None:
    try:
        return (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return None


def _in_body(said: str) -> float | None:
    try:
        answer: Any = json.loads(said)
        return float(answer["retry_after"])
    except (ValueError, KeyError, TypeError):
        return None


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "the address"
    except ValueError:
        return "the address"


def _cause(error: Exception) -> str:
    # What is wrong with the request itself is said with a piece of it, which may be a secret.
    from_outside = isinstance(error, (httpx.NetworkError, httpx.RemoteProtocolError, OSError))
    return (str(error) if from_outside else "") or type(error).__name__
