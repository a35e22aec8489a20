"""Records as they are found in the wild: cut off, of the wrong type, without parts, in the wrong encoding.

Only chatter is spoilt, so that the truth about topics and events stays exact.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import numpy as np
import pyarrow as pa

from groundswell.simulate.plan import Ints
from groundswell.simulate.posts import Unit, line_bytes
from groundswell.simulate.scenario import Scenario

BOM: Final = b"\xef\xbb\xbf"
_TIME: Final = re.compile(rb'"createTime": "\d+"')
_LIKES: Final = re.compile(rb'"diggCount": \d+, "shareCount"')
_PLAYS: Final = re.compile(rb'"playCount": \d+')
_TEXT: Final = re.compile(rb'"text": "')
_ITEM: Final = re.compile(rb'"itemInfos": \{.*\}, "musicInfos"')
_STATS: Final = re.compile(rb', "authorStats": \{.*?\}')


def _swap(pattern: re.Pattern[bytes], by: bytes) -> Callable[[bytes], bytes]:
    return lambda line: pattern.sub(lambda _: by, line, count=1)


#: What is done to a line (without its newline), by the name that the truth counts it under.
KINDS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "truncated": lambda line: line[: len(line) * 2 // 3],
    "time_as_words": _swap(_TIME, b'"createTime": "abc"'),
    "time_in_year_50000": _swap(_TIME, b'"createTime": "1515680000000"'),
    "count_as_text": _swap(_LIKES, b'"diggCount": "many", "shareCount"'),
    "count_as_object": _swap(_PLAYS, b'"playCount": {"value": 7}'),
    "count_negative": _swap(_LIKES, b'"diggCount": -5, "shareCount"'),
    "count_fraction": _swap(_PLAYS, b'"playCount": 12.5'),
    "count_nan": _swap(_PLAYS, b'"playCount": NaN'),
    "part_null": _swap(_ITEM, b'"itemInfos": null, "musicInfos"'),
    "part_missing": _swap(_STATS, b""),
    "invalid_utf8": _swap(_TEXT, b'"text": "caf\xe9 \xff '),
    "not_an_object": lambda _: b'["a", "list"]',
    "blank_line_before": lambda line: b"  \n" + line,
}


def long_line(line: bytes, size: int) -> bytes:
    """The same post with a text of about `size` bytes."""
    return _swap(_TEXT, b'"text": "' + b"long " * (size // 5))(line)


def spoil(scenario: Scenario, unit: Unit, number: int, low: int, high: int) -> tuple[list[bytes | memoryview], Ints]:
    """The lines `low` to `high` of a unit with their dirt, and what was done to each (-1: nothing).

    The second value has one element a line, a place in `KINDS`, or `len(KINDS)` for the scenario's long line.
    """
    rng = np.random.default_rng([scenario.seed, 4, number])
    chatter = np.flatnonzero(unit.stream == 0)
    done = np.full(len(unit.stream), -1, dtype=np.int64)
    share = min(1.0, scenario.dirt * len(done) / max(1, len(chatter)))
    rows = chatter[rng.random(len(chatter)) < share]
    done[rows] = rng.integers(0, len(KINDS), len(rows))
    if number == 0 and len(chatter):
        done[chatter[len(chatter) // 2]] = len(KINDS)
    data, borders = line_bytes(unit.lines)
    pieces: list[bytes | memoryview] = [BOM] if number == 0 and low == 0 else []
    at = int(borders[low])
    changes = list(KINDS.values())
    for row in np.flatnonzero(done[low:high] >= 0) + low:
        start, end = int(borders[row]), int(borders[row + 1])
        line = bytes(data[start : end - 1])
        kind = int(done[row])
        changed = changes[kind](line) if kind < len(changes) else long_line(line, scenario.long_line)
        pieces += [data[at:start], changed + b"\n"]
        at = end
    pieces.append(data[at : int(borders[high])])
    return pieces, done[low:high]


def clean(lines: pa.Array) -> memoryview:
    """The bytes of lines that nothing is done to."""
    return line_bytes(lines)[0]
