"""How a table is written as text: delimiter, quote, escape and line end, found out by trying which fits best."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

DELIMITERS: Final = (",", "\t", ";", "|", "^", "~", "\x1f", "\x01")
#: Columns set apart by two or more blanks.
BLANKS: Final = "  "
_SEPARATOR_LINE: Final = re.compile(r"""^\ufeff?["']?sep=(.)["']?\r?\n""", re.IGNORECASE)
_RUNS: Final = re.compile(r" {2,}")
_LINES: Final = 200
#: What stands in for a line end within a line while it is parsed.
_HELD_CR: Final = "\udc0d"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How rows are cut into fields. `quote` null: quotes are letters like others; `newline` is LF or CR."""

    delimiter: str = ","
    quote: str | None = '"'
    escape: str | None = None
    skip_blanks: bool = False
    newline: str = "\n"
    #: Whether the first line only names the delimiter (`sep=;`).
    names_separator: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether a quick reader reads it as `rows` does."""
        return self.escape is None and not self.skip_blanks and len(self.delimiter) == 1

    def options(self) -> dict[str, Any]:
        """For `csv.reader`."""
        return {
            "delimiter": self.delimiter[0],
            "quotechar": self.quote,
            "quoting": csv.QUOTE_NONE if self.quote is None else csv.QUOTE_MINIMAL,
            "escapechar": self.escape,
            "skipinitialspace": self.skip_blanks,
        }

    def rows(self, lines: Iterable[str], *, strict: bool = False) -> Iterable[list[str]]:
        """The rows of some lines."""
        if self.delimiter == BLANKS:
            return ([*_RUNS.split(line.strip())] if line.strip() else [] for line in lines)
        return _cells(csv.reader(map(self._held, lines), strict=strict, **self.options()))

    def _held(self, line: str) -> str:
        """A line in which nothing but its end looks like one, and only escapes of quotes are escapes."""
        if self.escape is not None and "\\" in line:
            line = re.sub(r'\\(?![\\"\'])', r"\\\\", line)
        body = line.rstrip("\r\n")
        if self.newline == "\n" and "\r" in body:
            return body.replace("\r", _HELD_CR) + line[len(body) :]
        return line


def _cells(rows: Iterable[list[str]]) -> Iterable[list[str]]:
    for row in rows:
        yield [cell.replace(_HELD_CR, "\r") for cell in row] if any(_HELD_CR in cell for cell in row) else row


@dataclass(frozen=True, slots=True)
class _Fit:
    """How well a dialect cuts a sample: rows, the most common width, the share of rows that have it, broken rows."""

    dialect: Dialect
    width: int
    share: float
    broken: int
    quoted: int
    score: float


def find_dialect(sample: str) -> Dialect:
    """The dialect in which the first lines of a table are most evenly cut into most fields."""
    said = _SEPARATOR_LINE.match(sample)
    ends = "\r" if "\n" not in sample and "\r" in sample else "\n"
    base = Dialect(newline=ends, names_separator=said is not None)
    lines = list(islice(split_lines(sample[said.end() :] if said else sample, ends), _LINES))
    delimiters: Sequence[str] = (said.group(1),) if said else DELIMITERS
    fits = [fit for name in delimiters for fit in _fits(lines, replace(base, delimiter=name))]
    best = max(fits, key=lambda fit: fit.score, default=None)
    if best is None or best.width < 2:
        blanks = _fit(lines, replace(base, delimiter=BLANKS, quote=None))
        if blanks is not None and blanks.width > 1 and blanks.share > 0.9 and len(lines) > 2:
            return blanks.dialect
        plain = replace(base, delimiter=delimiters[0] if said else ",")
        return _quoting(lines, plain)
    return best.dialect


def split_lines(text: str, newline: str) -> Iterable[str]:
    """The lines of a text with their ends."""
    at = 0
    while (end := text.find(newline, at)) >= 0:
        yield text[at : end + 1]
        at = end + 1
    if at < len(text):
        yield text[at:]


def _fits(lines: list[str], dialect: Dialect) -> list[_Fit]:
    # A line may be a part of a row, a title above the table, or blank.
    if 3 * sum(dialect.delimiter in line for line in lines) < len(lines):
        return []
    chosen = _quoting(lines, dialect)
    fit = _fit(lines, chosen)
    return [] if fit is None or fit.width < 2 else [fit]


def _quoting(lines: list[str], dialect: Dialect) -> Dialect:
    """How the fields are quoted, given the delimiter."""
    usual = _fit(lines, dialect)
    if usual is None:
        return dialect
    best = usual
    if any('\\"' in line for line in lines):
        best = _better(best, _fit(lines, replace(dialect, escape="\\")))
    if any(f'{dialect.delimiter} "' in line for line in lines):
        best = _better(best, _fit(lines, replace(dialect, skip_blanks=True)))
    if not usual.quoted and any("'" in line for line in lines):
        single = _fit(lines, replace(dialect, quote="'"))
        if single is not None and single.quoted >= len(lines) and single.share >= usual.share and not single.broken:
            best = single
    bare = _fit(lines, replace(dialect, quote=None))
    if bare is not None and best.broken > best.quoted / 5 and bare.share >= max(0.99, best.share):
        best = bare
    return best.dialect


def _better(old: _Fit, new: _Fit | None) -> _Fit:
    if new is None:
        return old
    return new if (new.broken, -new.share) < (old.broken, -old.share) else old


def _fit(lines: list[str], dialect: Dialect) -> _Fit | None:
    """Try a dialect on whole lines; a row that is broken is passed over, and counted."""
    rows, broken = _try(lines, dialect)
    widths = Counter(len(row) for row in rows)
    if not widths:
        return None
    width, agreeing = max(widths.items(), key=lambda item: (item[1], item[0]))
    share = agreeing / (sum(widths.values()) + broken)
    quoted = sum(_quoted(line, dialect) for line in lines) if dialect.quote is not None else 0
    # A first line of another width is no header, unless it stands above one.
    score = share * width if len(rows[0]) >= width else share * max(width / 2, min(width, len(rows[0])))
    return _Fit(dialect, width, share, broken, quoted, score)


def _try(lines: list[str], dialect: Dialect) -> tuple[list[list[str]], int]:
    rows: list[list[str]] = []
    broken = at = 0
    while at < len(lines):
        taken: list[str] = []
        try:
            for row in dialect.rows(_taking(lines[at:], taken), strict=True):
                if row:
                    rows.append(row)
                at += len(taken)
                taken.clear()
            at = len(lines)
        except csv.Error:
            # The end of the sample may stand within quotes; a row that takes few lines to break is broken.
            if len(taken) < len(lines) - at or len(taken) == 1:
                broken += 1
            elif not any(len(row) > 1 for row in rows) or len(taken) > 50:
                broken += len(taken) // 2
            else:
                break
            at += 1
    return rows, broken


def _taking(lines: Iterable[str], taken: list[str]) -> Iterable[str]:
    for line in lines:
        taken.append(line)
        yield line


def _quoted(line: str, dialect: Dialect) -> int:
    """How many fields of a line are wholly in quotes."""
    quote, cells = dialect.quote or '"', line.rstrip("\r\n").split(dialect.delimiter)
    return sum(len(cell) > 1 and cell[0] == quote == cell[-1] for cell in cells)
