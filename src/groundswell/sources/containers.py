"""What a file holds: NDJSON, one JSON document, or a table; in which encoding. The content decides."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Final

import msgspec

from groundswell.sources.compression import Compression, CutShortError, content, file_compression
from groundswell.sources.documents import RECORD_KEYS

SAMPLE: Final = 256 << 10
#: A first line longer than this is looked at only up to here to tell a document from NDJSON.
_LONGEST_LOOK: Final = 4 << 20
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DELIMITERS: Final = (",", "\t", ";", "|")
_WHITE: Final = b" \t\r\n"
_WRAPPER: Final = re.compile(rb'"(?:' + "|".join(sorted(RECORD_KEYS)).encode() + rb')"\s*:\s*\[')
_WESTERN: Final = frozenset({"latin_1", "ascii", "utf_8", "iso8859_1", "cp1250", "cp1257", "cp775"})
_JSON_NAMES: Final = (".json", ".ndjson", ".jsonl", ".geojson")


class Form(StrEnum):
    """How the records stand in a file."""

    EMPTY = "empty"
    NDJSON = "ndjson"
    JSON = "json"
    TABLE = "table"
    BINARY = "binary"


@dataclass(frozen=True, slots=True)
class Container:
    """What a file holds. `encoding` is a Python codec; `delimiter` is set for a table."""

    form: Form
    compression: Compression
    encoding: str = "utf-8"
    delimiter: str | None = None


def detect(path: Path) -> Container:
    """Recognise the container of a file from its content.

    Where the content alone leaves it open (text that is neither JSON nor a table of several columns), the
    name decides: `x.ndjson` with garbage in it is NDJSON with bad lines.
    """
    compression = file_compression(path)
    head = _head(path, SAMPLE)
    if not head.strip(_WHITE + b"\xef\xbb\xbf"):
        return Container(Form.EMPTY if len(head) < SAMPLE else Form.BINARY, compression)
    encoding = encoding_by_bom(head)
    if encoding is None and b"\0" in head[:4096] and not head.lstrip(_WHITE).startswith((b"{", b"[")):
        return Container(Form.BINARY, compression)
    text = head.decode(encoding, "replace").encode() if encoding else head
    start = text.lstrip(_WHITE)
    encoding = encoding or "utf-8"
    if start.startswith(b"{"):
        return Container(_object_form(path, start, encoding), compression, encoding)
    if start.startswith(b"["):
        return Container(Form.JSON, compression, encoding)
    if _has_json_line(start) or _is_named_json(path):
        return Container(Form.NDJSON, compression, encoding)
    table_encoding = encoding if encoding != "utf-8" else _text_encoding(path, head)
    sample = head.decode(table_encoding, "replace")
    return Container(Form.TABLE, compression, table_encoding, _delimiter(sample))


def encoding_by_bom(head: bytes) -> str | None:
    """The encoding that a byte order mark names; null without one."""
    return next((name for bom, name in _BOMS if head.startswith(bom)), None)


def _head(path: Path, size: int) -> bytes:
    parts: list[bytes] = []
    have = 0
    try:
        for chunk in content(path):
            parts.append(chunk)
            have += len(chunk)
            if have >= size:
                break
    except CutShortError:
        pass  # told when the file is read; what there is says what it holds
    return b"".join(parts)[:size]


def _object_form(path: Path, start: bytes, encoding: str) -> Form:
    """NDJSON or one document, for a text that begins with `{`."""
    first, newline, _ = start.partition(b"\n")
    if not newline and len(start) >= SAMPLE // 2 and encoding in ("utf-8", "utf-8-sig"):
        start = _head(path, _LONGEST_LOOK).lstrip(_WHITE + b"\xef\xbb\xbf")
        first, newline, _ = start.partition(b"\n")
    if not newline:
        # One line: a document if it holds others under a known key, which the splitter finds out.
        return Form.JSON if len(start) < SAMPLE or _WRAPPER.search(start) else Form.NDJSON
    if _is_object(first):
        rest = start[len(first) :].lstrip(_WHITE)
        return Form.NDJSON if rest else Form.JSON
    return Form.NDJSON if _has_json_line(start) else Form.JSON


def _has_json_line(text: bytes) -> bool:
    lines = text.split(b"\n")
    return any(line.startswith(b"{") and _is_object(line) for line in lines[:200])


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(line), dict)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def _is_named_json(path: Path) -> bool:
    name = path.name.lower()
    for suffix in (".gz", ".zst"):
        name = name.removesuffix(suffix)
    return name.endswith(_JSON_NAMES)


def _text_encoding(path: Path, head: bytes) -> str:
    """UTF-8 if the whole file is (or is but for a few bad bytes), else what charset-normalizer makes of it."""
    good, bad, sample = _utf8_evidence(_tolerant(path))
    if good >= bad:
        return "utf-8"  # the rows with broken bytes, if any, are set aside
    from charset_normalizer import from_bytes  # noqa: PLC0415 - only files that are not UTF-8 need its tables

    best = from_bytes(sample if len(sample) > 64 else head).best()
    guess = best.encoding if best else "cp1252"
    # Windows-1252 reads every text that ISO 8859-1 reads, with the quotes and dashes that people really use.
    return "cp1252" if guess in _WESTERN else guess


def _tolerant(path: Path) -> Iterator[bytes]:
    try:
        yield from content(path)
    except CutShortError:
        return


def _utf8_evidence(chunks: Iterable[bytes]) -> tuple[int, int, bytes]:
    """How many letters beyond ASCII are UTF-8, how many bytes are not, and some lines with such bytes."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    good = bad = 0
    sample = b""
    for chunk in chain(chunks, (b"",)):
        text = decoder.decode(chunk, final=not chunk)
        if text.isascii():
            continue
        valid = text.encode("utf-8", "ignore").decode()
        good += len(valid) - len(valid.encode("ascii", "ignore"))
        bad += len(text) - len(valid)
        if len(text) > len(valid) and len(sample) < SAMPLE:
            lines = text.encode("utf-8", "surrogateescape").split(b"\n")
            sample += b"\n".join(line for line in lines if not line.isascii())[:SAMPLE]
    return good, bad, sample


def _delimiter(sample: str) -> str:
    """The separator that cuts the first lines most evenly into most fields; a comma if none does."""
    lines = sample.splitlines()[:50]
    if len(sample) >= SAMPLE // 4:
        lines = lines[:-1] or lines
    best, best_score = ",", 0.0
    for delimiter in _DELIMITERS:
        widths = Counter(len(row) for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter) if row)
        if not widths:
            continue
        header = next(csv.reader(lines[:1], delimiter=delimiter), [])
        width, agreeing = widths.most_common(1)[0]
        score = agreeing / sum(widths.values()) * min(width, len(header))
        if width > 1 and score > best_score:
            best, best_score = delimiter, score
    return best
