"""What a file holds: NDJSON, one JSON document, or a table; in which encoding. The content decides."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

import msgspec

from groundswell.sources.compression import Compression, CutShortError, content, file_compression, head_of, name_of
from groundswell.sources.dialect import Dialect, find_dialect
from groundswell.sources.documents import RECORD_KEYS
from groundswell.sources.encodings import (
    encoding_by_bom,
    encoding_by_zeros,
    json_encoding,
    raw_text,
    recoded,
    text_encoding,
)
from groundswell.sources.stored import DEFAULT_LIMITS, Limits, Source

SAMPLE: Final = 256 << 10
#: A first line longer than this is looked at only up to here to tell a document from NDJSON.
_LONGEST_LOOK: Final = 4 << 20
_WHITE: Final = b" \t\r\n"
#: A document whose first record begins in its first line.
_OPENED: Final = re.compile(rb'\{\s*(?:"(?:[^"\\]|\\.)*"\s*:\s*\{\s*)*"(?:[^"\\]|\\.)*"\s*:\s*\[\s*\{')
_WRAPPER: Final = re.compile(rb'"(?:' + "|".join(sorted(RECORD_KEYS)).encode() + rb')"\s*:\s*\[')
_JSON_NAMES: Final = (".json", ".ndjson", ".jsonl", ".geojson")
#: What may stand before JSON: comments, an assignment (`window.YTD.tweets.part0 = `), a guard against scripts.
_BEFORE: Final = re.compile(
    rb"""(?:\s*(?://[^\n]*\n|/\*.*?\*/|\#[^\n]*\n))*\s*
         (?:(?:var\s|let\s|const\s)?\s*[A-Za-z_$][\w.$]*(?:\[[^\]\n]*\][\w.$]*)*\s*=\s*
           |[A-Za-z_$][\w.$]*\(\s*|\)\]\}',?\s*|(?:while\(1\)|for\(;;\));\s*)?(?=[{\[])""",
    re.DOTALL | re.VERBOSE,
)
_AFTER_COMMA: Final = re.compile(rb"\},(?=[ \t\r]*\n)")
_OPEN_END: Final = re.compile(rb"(?:\}|\},[ \t\r]*)\Z")
_CONTROL: Final = bytes(code for code in range(32) if code not in (0x01, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1B, 0x1F))
#: Letters in a line of text that is broken by hand or by an editor.
_WRAPPED: Final = 130
#: Of the first bytes of a text, at most this share are no letters.
_NO_TEXT: Final = 0.02


class Form(StrEnum):
    """How the records stand in a file."""

    EMPTY = "empty"
    NDJSON = "ndjson"
    JSON = "json"
    TABLE = "table"
    TEXT = "text"
    """Running text: neither JSON nor a table."""

    BINARY = "binary"


@dataclass(frozen=True, slots=True)
class Container:
    """What a file holds. `encoding` is a Python codec; `delimiter` (and `dialect`) are set for a table.

    `before`: bytes of the text before the JSON begins (a comment, an assignment). `commas`: the lines of NDJSON end
    in commas. `sequence`: JSON objects one after another without lines of their own. `has_header`: whether the
    first row of a table is its header, where that is known.
    """

    form: Form
    compression: Compression
    encoding: str = "utf-8"
    delimiter: str | None = None
    dialect: Dialect | None = None
    before: int = 0
    commas: bool = False
    sequence: bool = False
    has_header: bool | None = None

    @property
    def is_raw(self) -> bool:
        """Whether the bytes of the file are its text: UTF-8, not packed, nothing to be left out."""
        return self.compression is Compression.NONE and self.encoding == "utf-8" and not self.before and not self.commas

    def hint(self, header: str) -> dict[str, Any]:
        """What a retry needs besides the raw bytes of a row."""
        said: dict[str, Any] = {"header": header, "delimiter": self.delimiter, "encoding": self.encoding}
        dialect = self.dialect
        if dialect is not None and (dialect.quote, dialect.escape, dialect.skip_blanks) != ('"', None, False):
            said["dialect"] = {"quote": dialect.quote, "escape": dialect.escape, "skip_blanks": dialect.skip_blanks}
        return said

    @classmethod
    def from_hint(cls, hint: dict[str, Any]) -> Container:
        """A table of the rows that a hint was kept for, the header above them."""
        encoding = "utf-8" if hint["encoding"] == "utf-8-sig" else hint["encoding"]
        delimiter = hint["delimiter"] or ","
        dialect = Dialect(delimiter=delimiter, **hint.get("dialect", {}))
        return cls(Form.TABLE, Compression.NONE, encoding, delimiter, dialect, has_header=True)


def detect(source: Source, limits: Limits = DEFAULT_LIMITS) -> Container:
    """Recognise the container of a file from its content.

    Where the content alone leaves it open (text that is neither JSON nor a table of several columns), the
    name decides: `x.ndjson` with garbage in it is NDJSON with bad lines.
    """
    compression = file_compression(source)
    head = head_of(source, SAMPLE, limits)
    if not head.strip(_WHITE + b"\xef\xbb\xbf"):
        return Container(Form.EMPTY if len(head) < SAMPLE else Form.BINARY, compression)
    encoding = encoding_by_bom(head) or encoding_by_zeros(head[:4096])
    plain = encoding in (None, "utf-8-sig")
    text = b"".join(recoded([head], encoding or "utf-8"))
    if _is_binary(text if not plain else head):
        return Container(Form.BINARY, compression)
    start, before = _json_start(text)
    if encoding is None and not head.isascii() and (start or _is_named_json(source)):
        encoding = json_encoding(head)
    if start.startswith(b"{"):
        return _of_objects(source, start, Container(Form.NDJSON, compression, encoding or "utf-8", before=before))
    if start.startswith(b"["):
        return Container(Form.JSON, compression, encoding or "utf-8", before=before)
    if _has_json_line(text.lstrip(_WHITE)) or _is_named_json(source):
        return Container(Form.NDJSON, compression, encoding or "utf-8")
    return _table(source, compression, head, encoding, limits)


def text(source: Source, container: Container, start: int = 0) -> Iterator[bytes]:
    """The text of a file as UTF-8 in chunks, of the same length as it is: what is left out becomes blanks.

    `start` is a place in the content (a byte order mark counts), or in its text where that is not UTF-8.

    Raises:
        CutShortError: after everything that could be read.
    """
    bom = 3 if container.encoding == "utf-8-sig" else 0
    if not start:
        chunks = recoded(content(source), container.encoding)
        start = bom
    elif container.encoding.startswith("utf-8"):
        chunks = content(source, start)
    else:
        chunks = _skipped(recoded(content(source), container.encoding), start)
    if container.before > start - bom:
        chunks = _blanked(chunks, container.before - (start - bom))
    return _without_commas(chunks) if container.commas else chunks


def _skipped(chunks: Iterator[bytes], start: int) -> Iterator[bytes]:
    for chunk in chunks:
        if start < len(chunk):
            yield chunk[start:]
        start = max(0, start - len(chunk))


def _blanked(chunks: Iterator[bytes], before: int) -> Iterator[bytes]:
    for chunk in chunks:
        taken = min(before, len(chunk))
        before -= taken
        yield b" " * taken + chunk[taken:] if taken else chunk


def _without_commas(chunks: Iterator[bytes]) -> Iterator[bytes]:
    carry = b""
    for chunk in chunks:
        whole = carry + chunk
        carry = found.group() if (found := _OPEN_END.search(whole, max(0, len(whole) - 256))) else b""
        whole = whole[: len(whole) - len(carry)]
        yield _AFTER_COMMA.sub(b"} ", whole)
    if carry:
        yield carry.replace(b",", b" ")


def _is_binary(head: bytes) -> bool:
    start = head[:4096]
    if b"\0" in start and start.lstrip(_WHITE).startswith((b"{", b"[")):
        return False
    return len(start) - len(start.translate(None, _CONTROL)) > _NO_TEXT * len(start)


def _json_start(head: bytes) -> tuple[bytes, int]:
    """The JSON that a text begins with, and how many bytes stand before it; empty if it does not."""
    begun = head.lstrip(_WHITE)
    if begun.startswith((b"{", b"[")):
        return begun, 0
    found = _BEFORE.match(head[:_LONGEST_LOOK])
    if found is None or not _begins_json(head[found.end() : found.end() + 100]):
        return b"", 0
    return head[found.end() :], found.end()


def _begins_json(start: bytes) -> bool:
    return re.match(rb'\{\s*["}]|\[\s*[\[{"\]\d-]', start) is not None


def _of_objects(source: Source, start: bytes, found: Container) -> Container:
    """NDJSON, one document, or objects one after another, for a text that begins with `{`."""
    first, newline, _ = start.partition(b"\n")
    if not newline and len(start) >= SAMPLE // 2 and found.encoding in ("utf-8", "utf-8-sig") and not found.before:
        start = head_of(source, _LONGEST_LOOK).lstrip(_WHITE + b"\xef\xbb\xbf")
        first, newline, _ = start.partition(b"\n")
    line = first.rstrip(_WHITE)
    rest = start[len(first) + 1 :]
    document = replace(found, form=Form.JSON)
    if not newline:
        # One line: a document if it holds others under a known key, which the splitter finds out.
        if _another_follows(start):
            return replace(document, sequence=True)
        return document if len(start) < SAMPLE or _WRAPPER.search(start) else found
    if _is_object(line):
        return found if rest.strip(_WHITE) else document
    if line.endswith(b",") and _is_object(line[:-1]):
        return replace(found, commas=True)
    opened = _OPENED.match(line) and any(line.rstrip(_WHITE).endswith(b"},") for line in rest.split(b"\n")[:200])
    if not opened and line[-1:] not in (b"[", b"{", b":") and _has_json_line(rest):
        return replace(found, commas=_has_comma_lines(start))
    return replace(document, sequence=_another_follows(start))


def _another_follows(start: bytes) -> bool:
    try:
        text = start.decode("utf-8", "replace")
        value, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and text[end:].lstrip(" \t\r\n,").startswith("{")


def _has_json_line(text: bytes) -> bool:
    lines = text.split(b"\n")
    return any(line.startswith(b"{") and _is_object(line.rstrip(b", \t\r")) for line in lines[:200])


def _has_comma_lines(text: bytes) -> bool:
    lines = [line.rstrip(_WHITE) for line in text.split(b"\n")[:200] if line.startswith(b"{")]
    return 2 * sum(line.endswith(b"},") for line in lines) > len(lines)


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(line), dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _is_named_json(source: Source) -> bool:
    return name_of(source).endswith(_JSON_NAMES)


def _table(source: Source, compression: Compression, head: bytes, encoding: str | None, limits: Limits) -> Container:
    known = encoding or text_encoding(_tolerant(source, limits), head)
    sample = raw_text(b"".join(recoded([head], known)), known)
    if len(head) >= SAMPLE:
        sample = sample[: max(sample.rfind("\n"), sample.rfind("\r")) + 1] or sample
    if _is_running_text(name_of(source), sample):
        return Container(Form.TEXT, compression, known)
    dialect = find_dialect(sample)
    return Container(Form.TABLE, compression, known, dialect.delimiter, dialect)


def _is_running_text(name: str, sample: str) -> bool:
    """Whether a text is prose: lines broken near one width, paragraphs apart, its commas those of sentences."""
    if name.endswith((".md", ".rst", ".html", ".py", ".tex")):
        return True
    lines = [line.rstrip() for line in sample.splitlines()[:400]]
    filled = [line for line in lines if line]
    if len(filled) < 3 or "\t" in sample:
        return False
    blank = len(lines) - len(filled)
    cuts = [line.count(",") + line.count(";") for line in filled]
    spaced = sum(line.count(", ") + line.count("; ") + line.endswith((",", ";")) for line in filled)
    is_even = max(map(cuts.count, set(cuts))) > 0.6 * len(cuts) and cuts[0] > 0
    is_wrapped = max(map(len, filled)) <= _WRAPPED and sum(line.count(" ") for line in filled) > 5 * len(filled)
    return is_wrapped and blank > 0.04 * len(lines) and not is_even and spaced >= 0.8 * sum(cuts)


def _tolerant(source: Source, limits: Limits) -> Iterator[bytes]:
    try:
        yield from content(source, 0, limits)
    except CutShortError:
        return
