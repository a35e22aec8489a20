"""Where a table's header stands, whether it has one at all, and rows that are no records: its repetition, totals."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

#: Rows that are looked at.
LOOKED_AT: Final = 200
#: Lines that may stand above a header.
_ABOVE: Final = 30
_LONG: Final = 60
_WORDS: Final = 12
#: Blanks in what may be a sentence.
_SENTENCE: Final = 3

_NUMBER: Final = re.compile(r"[+-]?[$€£]?\d[\d.,\s]*(?:[eE][+-]?\d+)?\s*%?")
_TIME: Final = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([T\s]+\d{1,2}:\d{2}.*)?")
_YEAR: Final = re.compile(r"(19|20)\d\d")
_VALUE: Final = re.compile(r"https?://.*|@\w+|[\w.+-]+@[\w-]+\.[\w.]+|true|false|null|none|nan", re.IGNORECASE)
_NO_TEXT: Final = re.compile("[\ud800-\udfff]")
_PARTS: Final = re.compile(r"[^\W\d_]+")
_COMMON: Final = (
    "id ids text title body caption description content message tweet post video comment comments likes like "
    "shares share views view saves date time timestamp created published user username author name handle account "
    "channel url link permalink hashtag hashtags tags tag count followers following platform source type status "
    "lang language country region location retweets favorites favourites score rating label sentiment category "
    "value key index number duration length image images media shortcode reach impressions profile visits follows "
    "reactions verified claim download column unnamed music year month day hour "
)
_NAMES: Final = frozenset(_COMMON.split())
#: What the first cell of a row of sums says.
TOTALS: Final = (
    *("total", "totals", "grand total", "sum", "subtotal", "sub-total", "sub total", "average", "mean"),
    *("gesamt", "gesamtsumme", "summe", "total général", "totale", "suma", "suma total", "totaal", "toplam"),
    *("итого", "合計", "总计", "合计", "합계", "الإجمالي"),
)


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of a table. `above` rows stand above the header; `is_written` is false where there is none."""

    columns: list[str]
    above: int = 0
    is_written: bool = True


def find_header(rows: Sequence[Sequence[str]]) -> Header:
    """The header of a table of which `rows` are the first.

    Names are stripped and made unique; a column without a name is `column_N`, as are all where no row is a header.
    """
    filled = [row for row in rows[:LOOKED_AT] if row]
    if not filled:
        return Header([])
    width = _width(filled)
    above = _above(filled, width)
    first, body = filled[above], filled[above + 1 :]
    if _is_record(first, body, width):
        longest = max(width, len(first))
        return Header([f"column_{position}" for position in range(1, longest + 1)], above, is_written=False)
    return Header(unique_names(_widened(list(first), body, width)), above)


def unique_names(header: Sequence[str]) -> list[str]:
    """The names of a header's cells: stripped, each once (`a`, `a_2`), `column_N` where one is empty.

    What is no text in a name becomes the replacement character.

    >>> unique_names([" id ", "", "id", "caf" + chr(0xDCE9)])
    ['id', 'column_2', 'id_2', 'caf�']
    """
    names: list[str] = []
    seen: set[str] = set()
    for position, cell in enumerate(header, 1):
        name = _NO_TEXT.sub("\ufffd", cell).strip().lstrip("\ufeff").strip() or f"column_{position}"
        serial = 2
        unique = name
        while unique in seen:
            unique, serial = f"{name}_{serial}", serial + 1
        names.append(unique)
        seen.add(unique)
    return names


def _width(rows: Sequence[Sequence[str]]) -> int:
    widths = Counter(len(row) for row in rows)
    return max(widths.items(), key=lambda item: (item[1], item[0]))[0]


def _filled(row: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _above(rows: Sequence[Sequence[str]], width: int) -> int:
    """How many rows stand above the header: titles and notes of an export, which fill fewer cells."""
    if width < 3 or len(rows) < 3:
        return 0
    usual = sorted(_filled(row) for row in rows)[len(rows) // 2]
    enough = max(2, (usual + 1) // 2)
    if _filled(rows[0]) >= enough:
        return 0
    for at, row in enumerate(rows[:_ABOVE]):
        if len(row) == width and _filled(row) >= enough and (at == len(rows) - 1 or len(rows[at + 1]) == width):
            return at
    return 0


def _is_record(first: Sequence[str], body: Sequence[Sequence[str]], width: int) -> bool:
    """Whether the first row is a record like the others and no header."""
    cells = [cell.strip().lstrip("\ufeff").strip() for cell in first]
    known = sum(bool(_NAMES & set(_PARTS.findall(cell.lower().replace("_", " ")))) for cell in cells if len(cell) < 40)
    others = [row for row in body if list(row) != list(first) and len(row) == width]
    votes = [_vote(cell, [row[at] for row in others if at < len(row)]) for at, cell in enumerate(cells)]
    record, name = votes.count(-1), votes.count(1)
    if not others:
        return record > max(known, 0)
    return record > name and record > known / 2


def _vote(cell: str, column: Sequence[str]) -> int:
    """-1: the cell is like the column below it; 1: it is a name above it; 0: it may be either."""
    values = [value.strip() for value in column if value.strip()]
    if len(cell) > _LONG or cell.count(" ") >= _WORDS or _VALUE.fullmatch(cell):
        return -1
    if _YEAR.fullmatch(cell) or cell.endswith(("?", ":")):
        return 0
    if _is_measure(cell):
        return -1
    if values and sum(map(_is_measure, values)) >= 0.9 * len(values):
        return 1 if cell else 0
    blanks = sorted(value.count(" ") for value in values)
    is_sentence = cell.count(" ") >= _SENTENCE and bool(values) and blanks[len(values) // 2] >= _SENTENCE
    return -1 if is_sentence or (cell and cell in values) else 0


def _is_measure(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell) or _TIME.fullmatch(cell))


def _widened(header: list[str], body: Sequence[Sequence[str]], width: int) -> list[str]:
    """A header that lacks the name of a column that every row has: of row numbers (R), or behind a last delimiter."""
    if len(header) != width - 1 or not body:
        return header
    wide = [row for row in body if len(row) == width]
    if len(wide) < 0.95 * len(body):
        return header
    if all(not row[-1].strip() for row in wide):
        return [*header, ""]
    return ["row", *header] if len({row[0] for row in wide}) == len(wide) else header


class Oddities:
    """Tells rows that are no records: the header once more, and sums beneath the table."""

    HEADER: Final = "the header once more"
    TOTAL: Final = "a row of totals"

    def __init__(self, header: Header, rows: Sequence[Sequence[str]]) -> None:
        self._columns = header.columns if header.is_written else []
        sample = [row for row in rows if len(row) == len(header.columns) and _label(row) not in TOTALS]
        self._texts = [at for at in range(len(header.columns)) if _is_text([row[at] for row in sample])]

    def reason(self, row: Sequence[str]) -> str | None:
        """What a row is that is no record; null for a record."""
        if len(row) > 1 and self._columns and row[0].strip() == self._columns[0] and unique_names(row) == self._columns:
            return self.HEADER
        return self.TOTAL if _label(row) in TOTALS and self._is_total(row) else None

    def _is_total(self, row: Sequence[str]) -> bool:
        """Beside the label nothing but numbers, and a text that every record has is missing."""
        cells = [cell.strip() for cell in row]
        others = [cell for cell in cells if cell][1:]
        missing = any(at >= len(cells) or not cells[at] for at in self._texts)
        return bool(others) and missing and all(_NUMBER.fullmatch(cell) for cell in others)


def _label(row: Sequence[str]) -> str:
    """The first of the first cells that holds something."""
    return next((cell.strip() for cell in row[:3] if cell and not cell.isspace()), "").lower().rstrip(":")


def _is_text(values: Sequence[str]) -> bool:
    """Whether nearly every row has a text here."""
    given = [value for value in values if value.strip()]
    words = sum(not _NUMBER.fullmatch(value.strip()) for value in given)
    return len(values) > 1 and len(given) >= 0.9 * len(values) and words >= 0.8 * len(given)
