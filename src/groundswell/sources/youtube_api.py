"""Asking the YouTube Data API v3 through Google's own client, whose description of the API is packaged with it.

An answer is kept as it came. What went wrong is told by the reason that the API names, because one status (403) stands
for a spent quota, for asking too fast, and for comments that are switched off. The key is in no message.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import msgspec

from groundswell.errors import UnavailableError, UsageError

#: Units that a call of each method costs, by resource; what is not here costs 1.
#: https://developers.google.com/youtube/v3/determine_quota_cost
COSTS: Final[Mapping[str, int]] = {"search": 100}

_TIMEOUT_S: Final = 60
_EXTRA: Final = "pip install groundswell[youtube]"
_KEY_HINT: Final = "check the key in YOUTUBE_API_KEY and that the YouTube Data API v3 is switched on for its project"

#: Reasons of the API by what follows from them.
_SPENT: Final = frozenset(("quotaExceeded", "dailyLimitExceeded", "dailyLimitExceededUnreg"))
_TOO_FAST: Final = frozenset(("rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"))
_NOT_THERE: Final = frozenset(
    (
        *("commentsDisabled", "videoNotFound", "playlistNotFound", "channelNotFound", "commentNotFound"),
        *("playlistItemsNotAccessible", "channelForbidden", "videoForbidden", "processingFailure", "notFound"),
    )
)
_BAD_KEY: Final = frozenset(
    ("keyInvalid", "badRequest", "API_KEY_INVALID", "accessNotConfigured", "ipRefererBlocked", "keyExpired")
)


class Fault(StrEnum):
    """What follows from an answer that is an error."""

    AGAIN = "ask again later"
    SPENT = "nothing is left today"
    GONE = "what was asked for is not there"
    PAGE = "the page does not exist any more"
    STOP = "it cannot be asked for"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said: status, body, ETag, and the seconds after which it wants to be asked again."""

    status: int
    body: bytes
    etag: str | None = None
    retry_after: float | None = None

    @property
    def is_good(self) -> bool:
        """Whether it is what was asked for."""
        return self.status == 200

    @property
    def is_unchanged(self) -> bool:
        """Whether nothing changed since the ETag."""
        return self.status == 304

    def document(self) -> dict[str, Any]:
        """The body as an object; empty where it is none."""
        try:
            found = msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def reason(self) -> str:
        """The reason that an error names; empty if it names none."""
        error = self.document().get("error")
        if not isinstance(error, dict):
            return ""
        causes = error.get("errors")
        first = causes[0] if isinstance(causes, list) and causes and isinstance(causes[0], dict) else {}
        return str(first.get("reason") or error.get("status") or "")

    @property
    def message(self) -> str:
        """What an error says, with its reason."""
        error = self.document().get("error")
        said = error.get("message") if isinstance(error, dict) else None
        reason = f" ({self.reason})" if self.reason else ""
        return f"{said or f'status {self.status}'}{reason}"

    @property
    def fault(self) -> Fault:
        """What follows from the error."""
        reason = self.reason
        if reason in _SPENT:
            return Fault.SPENT
        if reason in _TOO_FAST or self.status == 429 or self.status >= 500:
            return Fault.AGAIN
        if reason == "invalidPageToken":
            return Fault.PAGE
        if reason in _NOT_THERE or self.status == 404:
            return Fault.GONE
        return Fault.STOP

    def error(self) -> UsageError | UnavailableError:
        """The error that a person is told."""
        what = f"YouTube refuses: {self.message}"
        if self.status == 400 and self.reason not in _BAD_KEY:
            return UsageError(what, hint="change what is asked for")
        return UnavailableError(what, hint=_KEY_HINT)


class NotReachedError(UnavailableError):
    """No answer came: no name, no connection, no time. `was_asked` says that the call may have arrived."""

    was_asked = False


class YouTubeApi:
    """The API under a key. `endpoint` replaces Google's address (tests). One thread at a time.

    Raises:
        UnavailableError: the extra `youtube` is not installed.
    """

    def __init__(self, key: str, endpoint: str = "", timeout_s: float = _TIMEOUT_S) -> None:
        try:
            discovery = importlib.import_module("googleapiclient.discovery")
            httplib2 = importlib.import_module("httplib2")
        except ImportError as error:
            what = "the YouTube collector needs google-api-python-client"
            raise UnavailableError(what, hint=_EXTRA) from error
        # It would write a refusal to the terminal by itself.
        logging.getLogger("googleapiclient").setLevel(logging.CRITICAL)
        self._failures = (httplib2.HttpLib2Error, OSError)
        self._http: Any = httplib2.Http(timeout=timeout_s)
        self._service: Any = discovery.build(
            "youtube",
            "v3",
            http=self._http,
            developerKey=key,
            static_discovery=True,
            cache_discovery=False,
            client_options={"api_endpoint": endpoint} if endpoint else None,
        )

    def get(self, resource: str, parameters: Mapping[str, Any], etag: str | None = None) -> Answer:
        """The answer to `RESOURCE.list`; a 304 where nothing changed since `etag`.

        Raises:
            NotReachedError: there was no answer.
        """
        request = getattr(self._service, resource)().list(**parameters)
        headers = {**request.headers, **({"if-none-match": etag} if etag else {})}
        try:
            response, body = self._http.request(request.uri, method="GET", headers=headers)
        except self._failures as error:
            what = f"YouTube cannot be reached ({type(error).__name__})"
            missed = NotReachedError(what, hint="check the network; the same command goes on from here")
            missed.was_asked = isinstance(error, TimeoutError)
            raise missed from None
        return Answer(response.status, body, _etag(response, body), _seconds(response.get("retry-after")))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def _etag(response: Mapping[str, str], body: bytes) -> str | None:
    found = response.get("etag")
    if found:
        return str(found)
    # The API also writes it into the answer, where a proxy leaves it alone.
    try:
        said = msgspec.json.decode(body, type=_Tagged).etag
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return said or None


class _Tagged(msgspec.Struct):
    etag: str = ""


def _seconds(written: str | None) -> float | None:
    """The seconds of a Retry-After; a date in it is left alone, the back-off is as good."""
    return float(written) if written and written.isascii() and written.isdigit() else None
