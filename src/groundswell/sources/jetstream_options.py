"""What is wanted of Bluesky's Jetstream: the specification of the source `bluesky`, and the address it leads to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlencode

import zstandard

from groundswell.errors import UnavailableError, UnknownChoiceError, UsageError

NAME: Final = "bluesky"
#: Public servers; each gives the same stream, numbered by time.
HOSTS: Final = tuple(f"jetstream{n}.us-{side}.bsky.network" for side in ("east", "west") for n in (1, 2))
POSTS: Final = "app.bsky.feed.post"
OPTIONS: Final = ("host", "collection", "did", "dictionary", "rewind")


@dataclass(frozen=True)
class Options:
    """What is wanted of the stream. `hosts` may begin with `ws://` or `wss://`; `wss://` if they do not."""

    hosts: tuple[str, ...] = HOSTS
    collections: tuple[str, ...] = (POSTS,)
    dids: tuple[str, ...] = ()
    dictionary: Path | None = None
    """File of the dictionary with which the servers compress; None: not compressed."""
    rewind_s: float = 5.0

    @property
    def name(self) -> str:
        """Name of the source; another choice of events is another source, with a place of its own."""
        if (self.collections, self.dids) == ((POSTS,), ()):
            return NAME
        chosen = "\n".join((*sorted(self.collections), "", *sorted(self.dids)))
        return f"{NAME}:{hashlib.blake2b(chosen.encode(), digest_size=4).hexdigest()}"

    def address(self, host: str, cursor_us: int | None) -> str:
        """Where to connect; from a time on, or (null) from now."""
        asked = [("wantedCollections", each) for each in self.collections] + [
            ("wantedDids", each) for each in self.dids
        ]
        if self.dictionary is not None:
            asked.append(("compress", "true"))
        if cursor_us is not None:
            asked.append(("cursor", str(cursor_us)))
        base = host if "://" in host else f"wss://{host}"
        return f"{base.rstrip('/')}/subscribe?{urlencode(asked)}"


def read_options(spec: str) -> Options:
    """The options of a specification: `bluesky`, `bluesky?collection=app.bsky.feed.post&did=did:plc:…`.

    >>> read_options("bluesky?host=ws://127.0.0.1:6008&rewind=1").hosts
    ('ws://127.0.0.1:6008',)

    Raises:
        UsageError: an option is unknown or not valid.
    """
    _, _, query = spec.partition("?")
    given = parse_qs(query, keep_blank_values=True)
    for name in given:
        if name not in OPTIONS:
            kind = "option of the source bluesky"
            raise UnknownChoiceError(kind, name, OPTIONS)

    def listed(name: str, usual: tuple[str, ...]) -> tuple[str, ...]:
        values = [value.strip() for text in given.get(name, []) for value in text.split(",")]
        return tuple(dict.fromkeys(value for value in values if value)) or usual

    dids = listed("did", ())
    wrong = next((did for did in dids if not did.startswith("did:")), None)
    if wrong is not None:
        what = f"not an account: `{wrong}`"
        raise UsageError(what, hint="give its DID, for example did=did:plc:z72i7hdynmk6r22z27h6tvur")
    if len(dids) > 10_000 or len(listed("collection", ())) > 100:
        what = "too many accounts or collections"
        raise UsageError(what, hint="at most 10,000 accounts and 100 collections are taken")
    dictionary = given.get("dictionary", [""])[-1]
    if dictionary and not Path(dictionary).expanduser().is_file():
        what = "no dictionary"
        raise UsageError(what, where=dictionary, hint="it is the file zstd_dictionary of Jetstream's source code")
    return Options(
        hosts=listed("host", HOSTS),
        collections=listed("collection", (POSTS,)),
        dids=dids,
        dictionary=Path(dictionary).expanduser() if dictionary else None,
        rewind_s=_seconds(given.get("rewind", ["5"])[-1]),
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        what = f"not a time to go back: `{text}`"
        raise UsageError(what, hint="give seconds from 0 to 3600: rewind=5")
    return seconds


def load_dictionary(path: Path) -> zstandard.ZstdCompressionDict:
    """The dictionary in a file.

    Raises:
        UnavailableError: the file cannot be read.
        UsageError: it is no dictionary.
    """
    try:
        return zstandard.ZstdCompressionDict(path.read_bytes())
    except OSError as error:
        what = f"the dictionary cannot be read ({error.strerror})"
        raise UnavailableError(what, where=path, hint="check its path and permissions") from error
    except (ValueError, zstandard.ZstdError) as error:
        what = f"this is not a dictionary of zstd ({error})"
        raise UsageError(what, where=path, hint="it is the file zstd_dictionary of Jetstream's source code") from error
