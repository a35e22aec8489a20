"""Files behind http(s) addresses: fetched into a temporary file, guarded, tried again, resumed where the server can."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import httpx

from groundswell.errors import UnavailableError, UnreadableFileError, UsageError
from groundswell.sources.guard import check_host, client_for, shown
from groundswell.sources.stored import Limits

TIMEOUT: Final = httpx.Timeout(30.0, connect=10.0)
REDIRECTS: Final = 5
TRIES: Final = 5
#: Longest wait that a server's `Retry-After` is heeded for, seconds.
_LONGEST_WAIT: Final = 120.0
_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
#: Of the free disk, what a download leaves.
_LEAVE: Final = 256 << 20


class _TryAgainError(Exception):
    """What went wrong may pass."""

    def __init__(self, what: str, wait: float | None = None) -> None:
        super().__init__(what)
        self.wait = wait


def fetch(url: str, target: Path, limits: Limits, sleep: Callable[[float], None] = time.sleep) -> str:
    """Fetch `url` into the file `target`; what tells this state of it from another (ETag, time of change, or a hash).

    Raises:
        UsageError: the address is not public, which only `GROUNDSWELL_PRIVATE_URLS` allows.
        UnreadableFileError: the server refuses it, or it is over `limits.download`.
        UnavailableError: the server cannot be reached after several tries, or the disk is too small.
    """
    work = _Fetch(url, target, limits)
    for attempt in range(TRIES):
        try:
            return work.run()
        except (_TryAgainError, httpx.TransportError) as error:
            reason = str(error) or type(error).__name__
            if attempt == TRIES - 1:
                what = f"cannot be fetched after {TRIES} tries ({reason})"
                raise UnavailableError(what, where=shown(url), hint="check the address and try later") from error
            wait = error.wait if isinstance(error, _TryAgainError) else None
            sleep(min(wait if wait is not None else 0.5 * 2**attempt, _LONGEST_WAIT))
        except OSError as error:
            what = f"cannot be kept while it is fetched ({error.strerror or error})"
            raise UnavailableError(what, where=target.parent, hint="free some space") from error
    raise AssertionError  # the last try returns or raises


@dataclass
class _Fetch:
    """One address, over several tries."""

    url: str
    target: Path
    limits: Limits
    etag: str | None = None
    done: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def run(self) -> str:
        """Fetch what is not there yet, following redirects."""
        url = self.url
        for _ in range(REDIRECTS + 1):
            _check(url, self.limits)
            with (
                client_for(url, private=self.limits.private, timeout=TIMEOUT) as client,
                client.stream("GET", url, headers=self._headers()) as response,
            ):
                if response.status_code in _MOVED and "location" in response.headers:
                    url = urljoin(url, response.headers["location"])
                    continue
                return self._take(response)
        what = f"more than {REDIRECTS} redirects"
        raise UnreadableFileError(what, where=shown(self.url), hint="give the address that they end at")

    def _headers(self) -> dict[str, str]:
        # Bytes as they lie there: a packed file must not be unpacked on the way.
        headers = {"Accept-Encoding": "identity", "User-Agent": "groundswell"}
        if self.done and self.etag:
            headers |= {"Range": f"bytes={self.done}-", "If-Range": self.etag}
        return headers

    def _take(self, response: httpx.Response) -> str:
        status = response.status_code
        if status in _AGAIN:
            what = f"the server says {status} {response.reason_phrase}"
            raise _TryAgainError(what, _wait(response.headers.get("retry-after")))
        if status not in (200, 206):
            what = f"the server says {status} {response.reason_phrase}"
            hint = "check the address; files behind a login are downloaded first and then imported"
            raise UnreadableFileError(what, where=shown(self.url), hint=hint)
        if status == 200:
            self.done, self.digest = 0, hashlib.sha256()
        tag = response.headers.get("etag", "")
        self.etag = tag if tag and not tag.startswith("W/") else None
        expected = self._expected(response)
        with self.target.open("ab" if self.done else "wb") as file:
            for chunk in response.iter_raw():
                file.write(chunk)
                self.digest.update(chunk)
                self.done += len(chunk)
                self._small_enough(self.done)
        if expected is not None and self.done < expected:
            what = f"the connection ended after {self.done:,} of {expected:,} bytes"
            raise _TryAgainError(what)
        state = tag or response.headers.get("last-modified") or self.digest.hexdigest()[:32]
        return f"{state}|{self.done}"

    def _expected(self, response: httpx.Response) -> int | None:
        """Bytes of the whole file as the server says them, after a look at what is allowed and at the disk."""
        said = response.headers.get("content-length", "")
        if not said.isdigit():
            return None
        expected = self.done + int(said)
        self._small_enough(expected)
        free = shutil.disk_usage(self.target.parent).free
        if int(said) > free - _LEAVE:
            what = f"{int(said):,} bytes are to be fetched, and {free:,} are free"
            raise UnavailableError(what, where=self.target.parent, hint="free some space")
        return expected

    def _small_enough(self, size: int) -> None:
        if size > self.limits.download:
            what = f"refused: it is over the limit of {self.limits.download:,} bytes"
            raise UnreadableFileError(what, where=shown(self.url), hint="raise GROUNDSWELL_MAX_DOWNLOAD")


def _check(url: str, limits: Limits) -> None:
    """That a URL is of the web and its host's addresses are all public."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        what = "not an http or https address"
        raise UnreadableFileError(what, where=shown(url), hint="give the address of the file itself")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        check_host(parts.scheme, parts.hostname, port, private=limits.private)
    except UsageError as error:
        raise UsageError(error.what, where=shown(url), hint=error.hint) from error
    except OSError as error:
        raise _TryAgainError(str(error)) from error


def _wait(said: str | None) -> float | None:
    return float(said) if said is not None and said.isdigit() else None
