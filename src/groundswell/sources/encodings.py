"""Text in whatever encoding as UTF-8, losing nothing: a byte that is no text is marked, and can be given back."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

import numpy as np

#: Name of the error handler by which a bad byte `b` becomes the lone surrogate U+DC00 + b, and back.
SET_ASIDE: Final = "groundswell-set-aside"
SAMPLE: Final = 256 << 10
#: Bytes after which the evidence for UTF-8 may be enough, and letters beyond ASCII that make it so.
_ENOUGH_BYTES: Final = 64 << 20
_ENOUGH_LETTERS: Final = 100_000
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: Encodings of old systems, which a guess names where there is little to go by.
_RARE: Final = (
    "mac_",
    "cp037",
    "cp4",
    "cp5",
    "cp7",
    "cp8",
    "cp1026",
    "cp1140",
    "cp1125",
    "cp1258",
    "hp_",
    "kz",
    "ptcp",
)
#: Runs of bytes beyond ASCII that make a text, and one that goes on a word.
_SOME: Final = 3
_IN_A_WORD: Final = re.compile(rb"[A-Za-z][\x80-\xff]")
_HIGH: Final = re.compile(rb"[\x80-\xff]+")
#: Bytes that are no letter in Windows-1252.
_LACKING: Final = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
#: Where, in four bytes, those of ASCII letters are zero.
_ZEROS: Final = (("utf-32-le", (1, 2, 3)), ("utf-32-be", (0, 1, 2)), ("utf-16-le", (1, 3)), ("utf-16-be", (0, 2)))
#: Windows-1252 reads every text that these read, with the quotes and dashes that people really use.
_WESTERN: Final = frozenset({"latin_1", "ascii", "utf_8", "iso8859_1", "cp1250", "cp1257", "cp775"})


def _set_aside(error: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(error, UnicodeDecodeError):
        return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end
    if isinstance(error, UnicodeEncodeError):
        codes = [ord(letter) - 0xDC00 for letter in error.object[error.start : error.end]]
        if all(0 <= code <= 0xFF for code in codes):
            return bytes(codes), error.end
    raise error


codecs.register_error(SET_ASIDE, _set_aside)


def encoding_by_bom(head: bytes) -> str | None:
    """The encoding that a byte order mark names; null without one."""
    return next((name for bom, name in _BOMS if head.startswith(bom)), None)


def encoding_by_zeros(head: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark, told by where the zero bytes of its ASCII letters stand; null if it is none.

    >>> encoding_by_zeros("id,text".encode("utf-16-le"))
    'utf-16-le'
    """
    codes = np.frombuffer(head[: len(head) // 4 * 4], np.uint8) == 0
    if len(codes) < 8 or not codes.any():
        return None
    shares = codes.reshape(-1, 4).mean(axis=0)
    many, few = 0.4, 0.1
    for name, zeros in (
        ("utf-32-le", (1, 2, 3)),
        ("utf-32-be", (0, 1, 2)),
        ("utf-16-le", (1, 3)),
        ("utf-16-be", (0, 2)),
    ):
        if all(shares[at] > many if at in zeros else shares[at] < few for at in range(4)):
            return name
    return None


def recoded(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The chunks as UTF-8 without a byte order mark; what is no text stays invalid, see `raw_text`."""
    if encoding == "utf-8":
        yield from chunks
    elif encoding == "utf-8-sig":
        first = True
        for chunk in chunks:
            yield chunk.removeprefix(codecs.BOM_UTF8) if first else chunk
            first = False
    else:
        decoder = codecs.getincrementaldecoder(encoding)(SET_ASIDE)
        begun = False
        for chunk in chain(chunks, (b"",)):
            text = decoder.decode(chunk, final=not chunk)
            if text and not begun:
                text, begun = text.removeprefix("\ufeff"), True
            if text:
                yield text.encode("utf-8", "surrogatepass")


def raw_text(data: bytes, encoding: str) -> str:
    """A part of what `recoded` gave as text, its bad bytes as lone surrogates."""
    return data.decode("utf-8", "surrogateescape" if encoding.startswith("utf-8") else "surrogatepass")


def raw_bytes(text: str, encoding: str) -> bytes:
    """The bytes of a `raw_text` as they stand in the file."""
    name = "utf-8" if encoding == "utf-8-sig" else encoding
    try:
        return text.encode(name, "surrogateescape" if name == "utf-8" else SET_ASIDE)
    except UnicodeEncodeError:
        return text.encode(name, "replace")


def text_encoding(chunks: Iterable[bytes], head: bytes) -> str:
    """UTF-8 if a text is (or is but for a few bad bytes), else what charset-normalizer makes of it."""
    good, bad, sample = _utf8_evidence(chunks)
    if good >= bad:
        return "utf-8"  # the rows with broken bytes, if any, are set aside
    from charset_normalizer import from_bytes  # noqa: PLC0415 - only files that are not UTF-8 need its tables

    usual = _usual(sample if len(sample) > 64 else head)
    best = from_bytes(usual).best()
    guess = best.encoding if best else "cp1252"
    if guess.startswith(("utf_16", "utf_32", "utf_7")):
        guess = "cp1252"  # with a mark or with zeros it would have been known by now
    is_western = guess in _WESTERN or (guess.startswith(_RARE) and _looks_western(usual))
    return "cp1252" if is_western else guess


def json_encoding(head: bytes) -> str:
    """The encoding of JSON without a byte order mark: UTF-8, as its standard says, unless what stands there is words.

    A letter behind an ASCII one, or several runs of letters, are words in another encoding; a single run of bytes that
    are no UTF-8 is a broken record.
    """
    if len(_HIGH.findall(head)) < _SOME and not _IN_A_WORD.search(head):
        return "utf-8"
    return text_encoding([head], head)


def _looks_western(sample: bytes) -> bool:
    """Whether the letters beyond ASCII stand alone among others, and where Windows-1252 has letters."""
    runs = _HIGH.findall(sample)
    high = b"".join(runs)
    short = sum(len(run) <= 2 for run in runs)
    return bool(runs) and short >= 0.85 * len(runs) and sum(byte >= 0xC0 for byte in high) >= 0.8 * len(high)


def _usual(sample: bytes) -> bytes:
    """A sample without the few lines that hold bytes which Windows-1252 lacks: one of them must not decide for all."""
    lines = sample.split(b"\n")
    usual = [line for line in lines if not _LACKING.search(line)]
    return b"\n".join(usual) if len(lines) > len(usual) >= 0.95 * len(lines) else sample


def _utf8_evidence(chunks: Iterable[bytes]) -> tuple[int, int, bytes]:
    """How many letters beyond ASCII are UTF-8, how many bytes are not, and some lines with such bytes."""
    good = bad = seen = 0
    sample = carry = b""
    for chunk in chain(chunks, (b"",)):
        seen += len(chunk)
        if chunk.isascii() and not carry and chunk:
            continue
        text, carry = _whole_letters(carry + chunk, final=not chunk)
        here_good, here_bad = _letters(text)
        good, bad = good + here_good, bad + here_bad
        if here_bad and len(sample) < SAMPLE:
            sample += b"\n".join(line for line in text.split(b"\n") if not line.isascii())[:SAMPLE]
        if seen > _ENOUGH_BYTES and good > _ENOUGH_LETTERS and bad < good / 1_000:
            break
    return good, bad, sample


def _whole_letters(data: bytes, *, final: bool) -> tuple[bytes, bytes]:
    """`data` up to the last whole letter, and what may be the beginning of another."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte < 0x80:
            break
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return (data, b"") if final or back >= length else (data[:-back], data[-back:])
    return data, b""


def _letters(data: bytes) -> tuple[int, int]:
    codes = np.frombuffer(data, np.uint8)
    try:
        data.decode()
    except UnicodeDecodeError:
        text = data.decode("utf-8", "surrogateescape")
        valid = text.encode("utf-8", "ignore").decode()
        return len(valid) - len(valid.encode("ascii", "ignore")), len(text) - len(valid)
    return int((codes >= 0xC0).sum()), 0
