"""What kind of file begins like this: data as it is, something that holds files, or something that is not read."""

from __future__ import annotations

import zipfile
from enum import StrEnum
from typing import Final

from groundswell.sources.compression import Compression, compression_of, head_of
from groundswell.sources.stored import DEFAULT_LIMITS, Limits, Source, open_source

#: Bytes of a file that are looked at.
HEAD: Final = 4_096
_USTAR_AT: Final = 257
_TAR_BLOCK: Final = 512


class Kind(StrEnum):
    """What a file is before its records are looked at."""

    ITSELF = "itself"
    ZIP = "zip"
    TAR = "tar"
    WORKBOOK = "workbook"
    PARQUET = "parquet"
    REFUSED = "refused"


_READ: Final = "NDJSON, JSON, CSV, TSV, Parquet and XLSX are read, also in .gz, .zst, .bz2, .xz, .zip and .tar"
_SAVE: Final = "save it as .xlsx without a password, or as .csv"
_PICKLE: Final = "which can run code and is never loaded; write it as Parquet or CSV"
_OTHERS: Final = (
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; pack it as .zip or .tar.zst"),
    (b"Rar!\x1a\x07", "a RAR archive; pack it as .zip or .tar.zst"),
    (b"\x04\x22\x4d\x18", "lz4 data; pack it with zstd or gzip"),
    (b"\x1f\x9d", "data packed by `compress`; pack it with zstd or gzip"),
    (b"version https://git-lfs.github.com/spec/", "a pointer of Git LFS, not the data; fetch it with `git lfs pull`"),
    (b"%PDF-", "a PDF; export the table behind it as CSV"),
    (b"SQLite format 3\0", "an SQLite database; import it as sqlite:///PATH with --table or --sql"),
    (b"PARE", "an encrypted Parquet file; write it without encryption"),
    (b"ARROW1\0\0", "an Arrow file; write it as Parquet"),
    (b"FEA1", "a Feather file; write it as Parquet"),
    (b"ORC", "an ORC file; write it as Parquet"),
    (b"Obj\x01", "an Avro file; write it as Parquet or NDJSON"),
    (b"\x89HDF\r\n", "an HDF5 file; write it as Parquet"),
    (b"$FL2", "an SPSS file; export it as CSV"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", f"an old or encrypted Office file (.xls); {_SAVE}"),
    *((b"\x80" + bytes([version]), f"a Python pickle, {_PICKLE}") for version in (2, 3, 4, 5)),
)
_PAGES: Final = (b"<!doctype html", b"<html", b"<head", b"<body")
_OFFICE: Final = {
    "word/": "a Word document; save its table as .xlsx or .csv",
    "ppt/": "a presentation; export the table behind it as .csv",
}


def may_unfold(head: bytes) -> bool:
    """Whether a file that begins with `head` (512 bytes are enough) may hold others, or is refused.

    >>> may_unfold(b'{"id": 1}')
    False
    """
    if compression_of(head) is not Compression.NONE:
        return True
    return kind_of(head)[0] is not Kind.ITSELF


def look(source: Source, limits: Limits = DEFAULT_LIMITS) -> tuple[Kind, Compression, str]:
    """The kind of a file, how it is packed, and, of one that is refused, why.

    Raises:
        OSError: it cannot be opened.
    """
    with open_source(source) as file:
        head = file.read(HEAD)
    compression = compression_of(head)
    if compression is not Compression.NONE:
        head = head_of(source, HEAD, limits)
    kind, why = kind_of(head)
    return kind, compression, why


def kind_of(head: bytes) -> tuple[Kind, str]:
    """The kind of what begins with `head`, and, of what is refused, why. A zip archive may still be a workbook."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Kind.ZIP, ""
    if head.startswith(b"PAR1"):
        return Kind.PARQUET, ""
    if _is_tar(head):
        return Kind.TAR, ""
    why = _refusal(head)
    return (Kind.ITSELF if why is None else Kind.REFUSED), why or ""


def _refusal(head: bytes) -> str | None:
    for magic, what in _OTHERS:
        # A short mark may be the beginning of a text.
        if head.startswith(magic) and (len(magic) > 3 or b"\0" in head):
            return what
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:64].lower()
    if start.startswith(_PAGES):
        return "a web page, not data; the address may ask for a login: download the file itself"
    return f"XML; {_READ}" if start.startswith(b"<?xml") else None


def _is_tar(head: bytes) -> bool:
    if head[_USTAR_AT : _USTAR_AT + 5] == b"ustar":
        return True
    # A tar of before 1988 has no mark: its first block holds its own checksum.
    block = head[:_TAR_BLOCK]
    if len(block) < _TAR_BLOCK or not block[0] or b"\0" not in block[:100]:
        return False
    said = block[148:156].strip(b" \0")
    if not said or not said.isdigit():
        return False
    return int(said, 8) == sum(block[:148]) + 8 * 32 + sum(block[156:]) if not said.strip(b"01234567") else False


def office_kind(archive: zipfile.ZipFile) -> tuple[Kind, str]:
    """Whether a zip archive is a workbook, a document of another kind (and why it is refused), or an archive."""
    names = archive.namelist()
    if "[Content_Types].xml" in names:
        if any(name.startswith("xl/worksheets/") for name in names):
            return Kind.WORKBOOK, ""
        if "xl/workbook.bin" in names:
            return Kind.REFUSED, "a binary workbook (.xlsb); save it as .xlsx"
        for folder, why in _OFFICE.items():
            if any(name.startswith(folder) for name in names):
                return Kind.REFUSED, why
    if "mimetype" in names and "content.xml" in names:
        return Kind.REFUSED, "an OpenDocument file; save its sheets as .xlsx or .csv"
    return Kind.ZIP, ""
