"""What stands in the cells of a table on the terminal: text that cannot steer it, times and counts."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from rich.text import Text

#: Control characters could move the cursor, and these marks turn the reading order of what follows.
_UNSAFE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")
#: Shown where a value is not known (en dash).
NONE: Final = "\N{EN DASH}"


def plain(text: str | None, most: int | None = None) -> Text:
    r"""One line of `text` as it is, without control characters; cut to `most` characters.

    >>> str(plain("a\x1b[31m b", most=4))
    'a [3…'
    """
    if text is None:
        return Text(NONE, style="dim")
    line = _UNSAFE.sub(" ", text).strip()
    return Text(line if most is None or len(line) <= most else line[:most].rstrip() + "…")


def clipped(text: str | None, width: int) -> Text:
    """`plain` text that takes at most `width` columns of the terminal, where a Chinese sign or an emoji takes two."""
    line = plain(text, most=4 * width)
    line.truncate(width, overflow="ellipsis")
    return line


def ratio(value: float) -> str:
    """A ratio with two digits, without an exponent.

    >>> ratio(0.876), ratio(1.0), ratio(12.3), ratio(3521.4)
    ('0.88', '1.0', '12', '3,521')
    """
    return f"{value:.2f}" if value < 0.995 else f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"


def many(value: int, one: str) -> str:
    """A count with its noun.

    >>> many(1, "voice"), many(2000, "post")
    ('1 voice', '2,000 posts')
    """
    return f"{value:,} {one}" + ("" if value == 1 else "s")


def count(value: int | None) -> str:
    """A count with thousands separators; a dash where it is not known.

    >>> count(1234567), count(None) == NONE
    ('1,234,567', True)
    """
    return NONE if value is None else f"{value:,}"


def moment(value: datetime | None) -> str:
    """A time in the zone of this computer, to the minute."""
    return NONE if value is None else value.astimezone().strftime("%Y-%m-%d %H:%M")


def percent(value: float | None) -> str:
    """A fraction as percent with two digits.

    >>> percent(0.0123), percent(12.5)
    ('1.2 %', '1250 %')
    """
    if value is None:
        return NONE
    return f"{value * 100:.0f} %" if value >= 0.1 else f"{value * 100:.2g} %"
