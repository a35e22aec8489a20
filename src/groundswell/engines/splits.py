"""A file of lines cut into pieces at line ends, each with the number of its first record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SPLIT_BYTES: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Split:
    """Some whole lines of a file: bytes `start` to `end`, whose first non-blank line is record `first`."""

    start: int
    end: int
    first: int


def split_lines(path: Path, size: int = SPLIT_BYTES) -> Iterator[Split]:
    """Pieces of about `size` bytes that cover the file, in order."""
    start = end = first = count = 0
    with path.open("rb") as file:
        for line in file:
            end += len(line)
            count += not line.isspace()
            if end - start >= size:
                yield Split(start, end, first)
                start, first = end, count
    if end > start:
        yield Split(start, end, first)


def records_of(path: Path, split: Split) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each non-blank line of a piece."""
    number = split.first
    with path.open("rb") as file:
        file.seek(split.start)
        left = split.end - split.start
        for line in file:
            if left <= 0:
                return
            left -= len(line)
            if not line.isspace():
                yield number, line
                number += 1
