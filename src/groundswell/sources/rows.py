"""One row of a table at a time, by Python's own parser: what is doubtful is read here, or told to be broken."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from groundswell.sources.dialect import BLANKS, Dialect
from groundswell.sources.encodings import raw_text

_NUMBER: Final = re.compile(r"\s*[+-]?\d[\d.,]*\s*")


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a row, and where it ends (its line end included). No cells: a blank line."""

    cells: list[str]
    end: int


@dataclass(frozen=True, slots=True)
class Broken:
    """A line in which a quote begins that is never closed, or closes where it cannot; and where the line ends."""

    end: int


class RowParser:
    """Reads rows from a block of text (see `encodings.recoded`)."""

    def __init__(self, dialect: Dialect, encoding: str) -> None:
        self.width = 0
        self._dialect = dialect
        self._encoding = encoding
        self._newline = dialect.newline.encode()
        self._regular = _regular(dialect)
        self._numeric: list[int] = []

    def learn(self, rows: Sequence[Sequence[str]], width: int) -> None:
        """Learn from some rows which columns hold numbers, which tells a row within quotes from text."""
        self.width = width
        whole = [row for row in rows if len(row) == width]
        self._numeric = [
            at for at in range(width) if len(whole) > 1 and all(_NUMBER.fullmatch(row[at]) for row in whole)
        ]

    def line_end(self, block: bytes, start: int) -> int | None:
        """Where the line that begins at `start` ends, its line end included; null if it does not end here."""
        end = block.find(self._newline, start)
        return None if end < 0 else end + 1

    def next(self, block: bytes, start: int, *, final: bool) -> Row | Broken | None:
        """The row that begins at `start`; null if it does not end in this block and more is to come."""
        lines = _Lines(self, block, start, final)
        try:
            cells = next(iter(self._dialect.rows(lines)), [])
        except _MoreError:
            return None
        except csv.Error:
            return Broken(lines.first_end)
        if lines.end == lines.first_end and not (final and lines.end == len(block) and self._is_open(block[start:])):
            return Row(cells, lines.end)
        text = self.text(block[start : lines.end])
        if self._regular.fullmatch(text) is None or self._holds_rows(text):
            return Broken(lines.first_end)
        return Row(cells, lines.end)

    def _is_open(self, row: bytes) -> bool:
        """Whether the last row of a table ends within quotes, which the parser does not say."""
        try:
            next(iter(self._dialect.rows([self.text(row)], strict=True)), None)
        except csv.Error as error:
            return "unexpected end" in str(error)
        return False

    def text(self, data: bytes) -> str:
        """Bytes of a block as text."""
        return raw_text(data, self._encoding)

    def swallows(self, row: bytes) -> bool:
        """Whether most lines within a row are rows themselves, so that its quote was never meant to go on."""
        return self._holds_rows(self.text(row))

    def _holds_rows(self, text: str) -> bool:
        """Whether most lines within a row are rows themselves: as many fields, and numbers where numbers belong."""
        first, *others = [line for line in text.split(self._dialect.newline) if line.strip()]
        delimiter, quote = self._dialect.delimiter, self._dialect.quote or '"'
        if first.startswith(quote):
            others = others[:-1]  # behind the end of the first field stand all the others
        if self.width < 2 or not others or not (self._numeric or self.width > 4):
            return False
        split = [line.rstrip("\r").split(delimiter) for line in others]
        like = sum(
            len(cells) == self.width and all(_NUMBER.fullmatch(cells[at]) for at in self._numeric) for cells in split
        )
        return 2 * like > len(others)


class _MoreError(Exception):
    """The row goes on behind the block."""


class _Lines:
    """Lines of a block as text, one after another; notes where the first and the last taken one end."""

    def __init__(self, parser: RowParser, block: bytes, start: int, final: bool) -> None:
        self.first_end = start
        self.end = start
        self._parser = parser
        self._start = start
        self._block = block
        self._final = final

    def __iter__(self) -> Iterator[str]:
        while self.end < len(self._block):
            end = self._parser.line_end(self._block, self.end)
            if end is None:
                if not self._final:
                    raise _MoreError
                end = len(self._block)
            line = self._parser.text(self._block[self.end : end])
            self.first_end = end if self.end == self._start else self.first_end
            self.end = end
            yield line
        if not self._final:
            raise _MoreError


def _regular(dialect: Dialect) -> re.Pattern[str]:
    """Matches a row whose quotes stand only where they belong."""
    if dialect.delimiter == BLANKS or dialect.quote is None:
        return re.compile(r".*", re.DOTALL)
    delimiter, quote = re.escape(dialect.delimiter), re.escape(dialect.quote)
    lead = " *+" if dialect.skip_blanks else ""
    inner = rf"[^{quote}\\]++|\\.|{quote}{quote}" if dialect.escape else rf"[^{quote}]++|{quote}{quote}"
    ends = r"\r\n" if dialect.newline == "\r" else r"\n"
    # Behind a closed quote more may stand (`"a"|"b"`), but not behind one that went over lines.
    near = rf"[^{quote}\\{ends}]++|\\.|{quote}{quote}" if dialect.escape else rf"[^{quote}{ends}]++|{quote}{quote}"
    bare = rf"[^{delimiter}{quote}{ends}][^{delimiter}{ends}]*+"
    cell = rf"(?:{lead}{quote}(?:{near})*+{quote}[^{delimiter}{ends}]*+|{lead}{quote}(?:{inner})*+{quote}|{bare}|)"
    return re.compile(rf"{cell}(?:{delimiter}{cell})*+[\r\n]*", re.DOTALL)
