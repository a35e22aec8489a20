"""The body of a push: read with a limit, decompressed with a limit, split into raw records. Nothing is decoded."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec
import zstandard
from starlette.requests import Request

from groundswell.bus.joined import JoinedRecords, plain_bounds
from groundswell.errors import UsageError
from groundswell.web.problems import TooLargeError

#: Largest body, bytes, as sent and after decompression.
MAX_BODY: Final = 64 << 20
_LINES: Final = frozenset({f"application/{kind}" for kind in ("x-ndjson", "ndjson", "jsonl", "x-jsonlines")})
#: Compressed bytes that are fed at once: three of them may be a run of 128 KiB, so what comes out is bounded.
_PIECE: Final = 1 << 10
_MARK: Final = b"\xef\xbb\xbf"
#: Bytes of lines from which on it is quicker to look at all of them at once.
_WORTH: Final = 8 << 10
#: A body larger than this is worked on beside the event loop.
_LARGE: Final = 1 << 18


async def read_records(request: Request, max_record: int) -> Sequence[bytes]:
    """The raw records of a request: an array's elements, one object, or the lines that are not blank.

    Raises:
        TooLargeError: the body or a record is too large; nothing of it is taken.
        UsageError: the body is empty, its encoding unknown or broken, or not the JSON that its type promises.
    """
    body = await _read_body(request)
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if len(body) > _LARGE:
        return await asyncio.to_thread(_records_of, body, encoding, kind, max_record)
    return _records_of(body, encoding, kind, max_record)


def _records_of(body: bytes, encoding: str, kind: str, max_record: int) -> Sequence[bytes]:
    plain = decompress(body, encoding)
    records = _as_they_stand(plain, kind) or split_records(plain, kind)
    if not records:
        what = "the request holds no record"
        raise UsageError(what, hint="send JSON objects, one a line, or an array of them")
    longest = records.longest if isinstance(records, JoinedRecords) else max(map(len, records))
    if longest > max_record:
        number = next(i for i, record in enumerate(records, 1) if len(record) > max_record)
        what = f"record {number} has {len(records[number - 1]):,} bytes; at most {max_record:,} are taken"
        raise TooLargeError(what, hint="GROUNDSWELL_MAX_RECORD sets the limit; nothing of this request was taken")
    return records


async def _read_body(request: Request) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > MAX_BODY:
        what = "the request"
        raise _too_large(what)
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY:
            what = "the request"
            raise _too_large(what)
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def decompress(body: bytes, encoding: str) -> bytes:
    """The body as it was before `Content-Encoding`.

    >>> decompress(b"{}", "identity")
    b'{}'

    Raises:
        UsageError: the encoding is unknown, or the data is broken or ends too early.
        TooLargeError: more than `MAX_BODY` bytes come out.
    """
    if encoding in {"identity", ""}:
        return body
    if encoding == "gzip":
        return _inflate(body, lambda: zlib.decompressobj(wbits=31), "gzip", zlib.error)
    if encoding == "zstd":
        return _inflate(body, _start_zstd, "zstd", zstandard.ZstdError)
    what = f"no content encoding `{encoding}`"
    raise UsageError(what, hint="valid: gzip, zstd, identity")


class _Inflater(Protocol):
    """What zlib and zstandard share; each inflates one member (frame)."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def _start_zstd() -> _Inflater:
    inflater: _Inflater = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
    return inflater


def _inflate(body: bytes, start: Callable[[], _Inflater], name: str, broken: type[Exception]) -> bytes:
    """Every member of `body`, one after the other."""
    plain = bytearray()
    inflater = start()
    try:
        for at in range(0, len(body), _PIECE):
            rest = body[at : at + _PIECE]
            while rest:
                if inflater.eof:
                    inflater = start()
                plain += inflater.decompress(rest)
                rest = inflater.unused_data if inflater.eof else b""
                if len(plain) > MAX_BODY:
                    what = f"what the {name} data holds"
                    raise _too_large(what)
    except broken as error:
        what = f"the {name} data is broken ({error})"
        raise UsageError(what) from error
    if not inflater.eof:
        what = f"the {name} data ends too early"
        raise UsageError(what, hint="send the whole of it")
    return bytes(plain)


def _too_large(what: str) -> TooLargeError:
    return TooLargeError(f"{what} is larger than {MAX_BODY >> 20} MiB", hint="send fewer records a request")


def split_records(body: bytes, kind: str) -> list[bytes]:
    r"""Raw records of a body of media type `kind`; they hold no line break.

    >>> split_records(b'{"a": 1}\n\n{"a": 2}\r\n', "application/x-ndjson")
    [b'{"a": 1}', b'{"a": 2}']
    >>> split_records(b'[{"a":\n 1}, {"a": 2}]', "application/json")
    [b'{"a":  1}', b'{"a": 2}']

    Raises:
        UsageError: the body should be one JSON document and is none.
    """
    body = body.removeprefix(_MARK)
    if _is_lines(body, kind):
        return _lines(body)
    opening = body[:64].lstrip()[:1]
    if not body.strip():
        return []
    try:
        if opening == b"[":
            raws = msgspec.json.decode(body, type=list[msgspec.Raw])
        else:
            raws = [msgspec.json.decode(body, type=msgspec.Raw)]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        hint = "send one JSON document, or one object a line as application/x-ndjson"
        what = f"the body is not JSON ({error})"
        raise UsageError(what, hint=hint) from error
    return [_one_line(memoryview(raw).tobytes()) for raw in raws]


def _as_they_stand(body: bytes, kind: str) -> JoinedRecords | None:
    """The lines of a body of some size, if each is a record as it is; what `split_records` would give of it."""
    if len(body) < _WORTH or not _is_lines(body, kind) or body.startswith(_MARK):
        return None
    if not body.endswith(b"\n"):
        body += b"\n"
    bounds = None if b"\r" in body else plain_bounds(body)
    return None if bounds is None else JoinedRecords(body, bounds)


def _is_lines(body: bytes, kind: str) -> bool:
    return kind in _LINES or (kind != "application/json" and body[:64].lstrip()[:1] != b"[")


def _lines(body: bytes) -> list[bytes]:
    if b"\r" in body:
        # Inside JSON a carriage return is only ever white space.
        body = body.replace(b"\r", b" ")
    return [stripped for line in body.split(b"\n") if (stripped := line.strip())]


def _one_line(record: bytes) -> bytes:
    return record.replace(b"\n", b" ").replace(b"\r", b" ").strip()
