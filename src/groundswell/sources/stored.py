"""Where bytes lie: a local file, or something that can be opened like one. And how much of it is taken at most."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

if TYPE_CHECKING:
    from groundswell.settings import Settings

MiB: Final = 1 << 20
GiB: Final = 1 << 30


class Stored(Protocol):
    """Bytes that can be read from their start, again and again: a member of an archive, an object of a store."""

    @property
    def name(self) -> str:
        """What people call it; its end may say what it holds (`a.zip::b.ndjson`)."""
        ...

    @property
    def size(self) -> int:
        """Bytes as they lie there."""
        ...

    @property
    def identity(self) -> str:
        """What tells this state of it from another."""
        ...

    def open(self) -> BinaryIO:
        """The bytes from the start; `seekable()` of what it gives says whether any place is quickly reached."""
        ...


Source = Path | Stored


def open_source(source: Source) -> BinaryIO:
    """The bytes of a source from their start."""
    return source.open("rb") if isinstance(source, Path) else source.open()


def size_of(source: Source) -> int:
    """Bytes of a source as they lie there."""
    return source.stat().st_size if isinstance(source, Path) else source.size


@dataclass(frozen=True, slots=True)
class Limits:
    """What is refused, so that a file made to hurt does not: each has a setting of the same name.

    `ratio`: how many times its packed size a file may unpack to, beyond the first `floor` bytes; `unpacked`: bytes
    that one archive may unpack to; `members`: files in it; `depth`: archives within archives; `columns` of a
    table; `download`: bytes of a URL; `private`: URLs may name addresses that are not public.
    """

    ratio: int = 250
    floor: int = 64 * MiB
    unpacked: int = 1 << 40
    members: int = 1_000_000
    depth: int = 3
    columns: int = 2_000
    download: int = 64 * GiB
    private: bool = False

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The limits that the settings name."""
        return cls(
            ratio=settings.max_ratio,
            unpacked=settings.max_unpacked * MiB,
            members=settings.max_members,
            columns=settings.max_columns,
            download=settings.max_download * MiB,
            private=settings.private_urls,
        )


#: What is refused where no settings are at hand.
DEFAULT_LIMITS: Final = Limits()
