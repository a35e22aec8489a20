"""What was injected, written beside the posts: the measure of every detector."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from groundswell.errors import UnreadableFileError


@dataclass(frozen=True, slots=True)
class EventTruth:
    """One injected event as it came out.

    `expected` is how many posts its query matches in the event's time without the event, `posts` how many the
    event itself made (below zero: that many are missing), both counts; `usual_per_window` and `peak_per_window`
    are expected matching posts per five minutes without the event and at its peak. `query` is null for what
    happens to the whole stream.
    """

    kind: str
    query: str | None
    topic: str | None
    start: datetime
    end: datetime
    size: float
    posts: int
    expected: float
    usual_per_window: float
    peak_per_window: float


@dataclass(frozen=True, slots=True)
class TopicTruth:
    """One topic: its query, mean matching posts per five minutes, and matching posts in all (events included)."""

    keyword: str
    query: str
    per_window: float
    posts: int


@dataclass(frozen=True, slots=True)
class Truth:
    """What a simulated file holds: `posts` records, of which `dirt` (by kind) were spoilt; bytes before compression."""

    posts: int
    seed: int
    start: datetime
    end: datetime
    total_bytes: int
    creators: int
    topics: tuple[TopicTruth, ...]
    events: tuple[EventTruth, ...]
    dirt: dict[str, int]

    def to_json(self) -> bytes:
        """The document that `FILE.truth.json` holds."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"

    @staticmethod
    def from_json(document: bytes) -> Truth:
        """The truth of such a document.

        Raises:
            UnreadableFileError: it is not one.
        """
        try:
            return msgspec.json.decode(document, type=Truth)
        except msgspec.MsgspecError as error:
            what = "not a simulator's truth"
            raise UnreadableFileError(what, hint=str(error)) from error
