"""How the people or programs behind a table write days and numbers, found in the cells of its columns.

**Days.** `3/4/2021` is a day of March or of April. A value that can be only one of them (`13/4/2021`) decides for the
whole table; if values of both kinds are there, the more frequent. If none decides, slashes are month first and dots
and dashes day first.

**Numbers.** `1,234` is a thousand and more where every comma of the column parts groups of three digits, and 1.234
where one does not (`0,5`); the same for points. `1.2K`, `3,4 Mio.` are read as they are written, 1,200 and 3,400,000 (a
platform has rounded them before). A number that is not whole then is no count. `-1`, where no
other number has a minus and the column is no score, is what scrapers write for a count that is hidden.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import ibis

from groundswell.platforms import casts

if TYPE_CHECKING:
    import ibis.expr.types as ir

_DAY: Final = re.compile(r"\s*(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?!\d)", re.ASCII)
_DAY_SQL: Final = "^[ \t]*([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4}|[0-9]{2})([^0-9].*)?$"
_CORE: Final = re.compile(r"\s*([-+]?)([\d.,'\u2019 \u00a0\u202f]*\d)\s*([^\W\d_]*)\.?\s*")
_GROUPS: Final = {
    ",": re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?"),
    ".": re.compile(r"\d{1,3}(\.\d{3})+(,\d+)?"),
    " ": re.compile(r"\d{1,3}([ \u00a0\u202f'\u2019]\d{3})+([.,]\d+)?"),
}
_GROUPS_SQL: Final = {
    ",": ("^[0-9]{1,3}(,[0-9]{3})+([^0-9,].*)?$", ","),
    ".": ("^[0-9]{1,3}([.][0-9]{3})+([^0-9.].*)?$", "[.]"),
    " ": ("^[0-9]{1,3}([ \u00a0\u202f'\u2019][0-9]{3})+([^0-9].*)?$", "[ \u00a0\u202f'\u2019]"),
}
#: Zeros of each sign of magnitude, folded.
_SUFFIXES: Final = {
    **dict.fromkeys(("k", "tsd", "mil", "тыс"), 3),
    **dict.fromkeys(("m", "mio", "mln", "млн"), 6),
    **dict.fromkeys(("b", "bn", "mrd", "млрд"), 9),
    **{"万": 4, "萬": 4, "만": 4, "億": 8, "亿": 8, "억": 8},
}
_SUFFIX_SQL: Final = "^([0-9]+)([.]([0-9]+))?[ \u00a0\u202f]*([^0-9., ]+)[.]?$"


_HIDDEN: Final = ("-1", "-1.0")


@dataclass(frozen=True, slots=True)
class CountStyle:
    """How a column writes counts: the sign between thousands (or none), that of decimals, magnitudes, minus."""

    thousands: str = ""
    decimal: str = "."
    suffixes: bool = False
    signed: bool = False
    hidden: bool = False
    """Whether `-1` says that the platform hides the count: no other number of the column has a minus."""

    @property
    def is_plain(self) -> bool:
        """Whether digits alone (or `12.0`) are all that is written."""
        return self == CountStyle()


@dataclass(frozen=True, slots=True)
class Habits:
    """What a sample showed: whether the day goes before the month, and the styles of columns that are not plain."""

    day_first: bool | None = None
    parted: tuple[str, ...] = ()
    """Columns whose days are to be put in order before they are read."""

    counts: tuple[tuple[str, CountStyle], ...] = ()
    metrics: tuple[tuple[str, str], ...] = ()
    """Further counters: their name and their column."""

    padded: bool = False
    """Whether texts stand between blanks that are not theirs."""

    def style_of(self, column: str) -> CountStyle:
        """The style of a column's counts."""
        return dict(self.counts).get(column, CountStyle())


def day_order(values: Iterable[str]) -> bool | None:
    """Whether days go before months in some written times; null where none of them is parted by `/`, `.` or `-`.

    >>> day_order(["3/4/2021", "13/4/2021"]), day_order(["3/4/2021"]), day_order(["2021-04-03"])
    (True, False, None)
    """
    votes = {True: 0, False: 0}
    signs: set[str] = set()
    for value in values:
        if (found := _DAY.match(value)) is None:
            continue
        first, sign, second = int(found[1]), found[2], int(found[3])
        signs.add(sign)
        if first > 12 >= second:
            votes[True] += 1
        elif second > 12 >= first:
            votes[False] += 1
    if not signs:
        return None
    if votes[True] == votes[False]:
        return "/" not in signs
    return votes[True] > votes[False]


def is_padded(values: Sequence[str]) -> bool:
    """Whether nearly all of some texts have blanks before or behind them.

    >>> is_padded([" a ", " b "]), is_padded(["a ", "b"])
    (True, False)
    """
    padded = sum(value != value.strip() for value in values)
    return bool(values) and padded >= 0.9 * len(values)


def is_parted(values: Iterable[str]) -> bool:
    """Whether one of some written times has a day and a month with a sign between."""
    return any(_DAY.match(value) for value in values)


def is_count(value: str) -> bool:
    """Whether a cell can be a count in some style.

    >>> [is_count(text) for text in ("12", "1.234", "3,4 Mio.", "-5", "many", "2021-01-01")]
    [True, True, True, True, False, False]
    """
    found = _CORE.fullmatch(value)
    return found is not None and (not found[3] or found[3].casefold() in _SUFFIXES)


def count_style(values: Iterable[str], votes: bool = False) -> CountStyle:
    """How some cells write counts; plain where they give nothing to go by.

    Where the column is of `votes` (a score), -1 is one like any other; elsewhere scrapers write it for what is hidden.

    >>> count_style(["1,234", "17"]).thousands, count_style(["1,234", "0,5"]).decimal, count_style(["1.2K"]).suffixes
    (',', ',', True)
    """
    cores: list[str] = []
    suffixes = signed = hidden = False
    for value in values:
        if (found := _CORE.fullmatch(value)) is None:
            continue
        if found[3] and found[3].casefold() not in _SUFFIXES:
            continue
        cores.append(found[2])
        suffixes |= bool(found[3])
        below = found[1] == "-"
        hidden |= below
        signed |= below and (votes or found[2] not in ("1", "1.0"))
    thousands = next((sign for sign in (",", ".", " ") if _parts_groups(cores, sign)), "")
    decimal = "," if thousands == "." or (thousands != "," and any("," in core for core in cores)) else "."
    return CountStyle(thousands, decimal, suffixes, signed, hidden and not signed)


def _parts_groups(cores: Sequence[str], sign: str) -> bool:
    """Whether `sign` stands in some of the numbers, and wherever it does it parts groups of three digits."""
    signs = " \u00a0\u202f'\u2019" if sign == " " else sign
    those = [core for core in cores if any(one in core for one in signs)]
    return bool(those) and all(_GROUPS[sign].fullmatch(core) for core in those)


def ordered_day(raw: ir.StringValue, day_first: bool) -> ir.StringValue:
    """A written time with the month first and slashes between; any other text as it is."""
    first, second, year, rest = (raw.re_extract(_DAY_SQL, group) for group in (1, 2, 3, 4))
    month, day = (second, first) if day_first else (first, second)
    return ibis.cases((raw.re_search(_DAY_SQL), month + "/" + day + "/" + year + rest), else_=raw)


def styled_count(field: str, raw: ir.StringValue, style: CountStyle) -> casts.Cell:
    """A count in the style of its column; negative ones and what is no whole number are unread."""
    if style.hidden:
        raw = ibis.cases((~raw.strip().isin(_HIDDEN), raw))
        style = replace(style, hidden=False)
    if style.is_plain or style == CountStyle(signed=True):
        return casts.integer(field, raw)
    return casts.Cell(field, raw, _whole(raw.strip(), style))


def signed_count(field: str, raw: ir.StringValue, style: CountStyle) -> casts.Cell:
    """The same with a minus before it (a score of votes)."""
    bare = raw.strip()
    minus = bare.startswith("-")
    value = _whole(ibis.cases((minus, bare.substr(1)), else_=bare), style)
    return casts.Cell(field, raw, ibis.cases((minus, -value), else_=value))


def _whole(bare: ir.StringValue, style: CountStyle) -> ir.IntegerValue:
    text = bare
    if style.thousands:
        pattern, signs = _GROUPS_SQL[style.thousands]
        text = ibis.cases((text.re_search(pattern), text.re_replace(signs, "")), else_=text)
    if style.decimal == ",":
        text = ibis.cases((~text.re_search("[0-9][.][0-9]"), text.replace(",", ".")), else_=ibis.null("string"))
    plain = casts.integer("", text).value
    if not style.suffixes:
        return plain
    whole, fraction, sign = (text.re_extract(_SUFFIX_SQL, group) for group in (1, 3, 4))
    folded = sign.lower()
    by_zeros: dict[int, list[str]] = {}
    for name, zeros in _SUFFIXES.items():
        by_zeros.setdefault(zeros, []).append(name)
    grown = ibis.cases(
        *(
            (folded.isin(names) & (fraction.length() <= zeros), (whole + fraction.rpad(zeros, "0")).try_cast("int64"))
            for zeros, names in by_zeros.items()
        )
    )
    return ibis.coalesce(plain, grown)
