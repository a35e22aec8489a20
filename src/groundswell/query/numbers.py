"""Counts as people write them in a query: `>10k`, `1,000+`, `100..500`."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, cast

from groundswell.query.ast import All, Compare, Operator

_NUMBER: Final = r"(\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)([kKmMbB]?)"
_ONE: Final = re.compile(rf"(>=|=>|<=|=<|≥|≤|>|<|=)?{_NUMBER}(\+?)")
_RANGE: Final = re.compile(rf"(?:{_NUMBER})?(?:\.\.\.?|…)(?:{_NUMBER})?|{_NUMBER}[-–—]{_NUMBER}")
_SCALE: Final = {"": 1, "k": 1_000, "m": 1_000_000, "b": 1_000_000_000}
_MEANT: Final[dict[str, Operator]] = {"=>": ">=", "=<": "<=", "≥": ">=", "≤": "<=", "": "="}
#: More than this no column can hold.
GREATEST: Final = 2**63 - 1

#: How a query says that a field is compared with a number without a colon: `likes>100`.
COMPARED: Final = re.compile(r"([A-Za-z]+)((?:[<>≥≤]|=)=?\d.*)")


def read_count(field: str, text: str) -> Compare | All | str:
    """The comparison that `text` means for `field`, or what was expected instead.

    >>> str(read_count("likes", ">1.5k")), str(read_count("likes", "10..20")), str(read_count("likes", "2k+"))
    ('likes:>1500', 'likes:>=10 likes:<=20', 'likes:>=2000')
    """
    one = _ONE.fullmatch(text)
    both = _RANGE.fullmatch(text)
    if one is not None:
        written, digits, scale, plus = one.groups()
        number = _number(digits, scale)
        operator = _MEANT.get(written or "", cast(Operator, written))
        operator = ">=" if plus and operator == "=" else operator
        return "a whole number" if number is None else Compare(field, operator, number)
    if both is None or not any(both.groups()):
        return f"a number after `{field}:`, such as >1000, <=5k or 100..500"
    return _between(field, *(both.groups()[:4] if both.group(5) is None else both.groups()[4:]))


def _between(field: str, first: str, first_scale: str, last: str, last_scale: str) -> Compare | All | str:
    least = _number(first, first_scale) if first else 0
    most = _number(last, last_scale) if last else GREATEST
    if least is None or most is None:
        return "a whole number"
    if not first or not last:
        return Compare(field, ">=", least) if first else Compare(field, "<=", most)
    if least > most:
        return "the smaller number first"
    return All((Compare(field, ">=", least), Compare(field, "<=", most)))


def _number(digits: str, scale: str) -> int | None:
    """The count; null where it is not whole."""
    # Decimal, because 1.1 * 1000 is 1100.0000000000002 as a float.
    value = Decimal(digits.replace(",", "")) * _SCALE[scale.lower()]
    return min(int(value), GREATEST) if value == int(value) else None
