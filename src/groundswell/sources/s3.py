"""Objects of an S3 store as files: one object, everything below a prefix, or a pattern."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from groundswell.errors import (
    GroundswellError,
    NotFoundError,
    UnavailableError,
    UnknownChoiceError,
    UnreadableFileError,
    UsageError,
)
from groundswell.sources.compression import CutShortError
from groundswell.stores import file_system

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.fs as pafs

#: Bytes that one request asks for.
_REQUEST: Final = 4 << 20
_MAGIC: Final = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class S3Object:
    """One object, read by ranges."""

    store: pafs.S3FileSystem = field(repr=False, compare=False)
    key: str
    """Bucket and key, with a slash between."""
    size: int

    @property
    def name(self) -> str:
        """Its address."""
        return f"s3://{self.key}"

    @cached_property
    def identity(self) -> str:
        """Length and ETag, which is asked for when it is first needed."""
        try:
            with self.store.open_input_stream(self.key, compression=None) as stream:
                tags = stream.metadata()
        except OSError:
            return f"{self.size}"  # told when it is opened
        return f"{self.size}|{tags.get('ETag', b'').decode()}"

    def open(self) -> BinaryIO:
        """The object from its start; any place is one request away.

        Raises:
            UnreadableFileError: the store refuses, or the object is gone.
        """
        try:
            ranges = self.store.open_input_file(self.key)
        except OSError as error:
            refusal = _refused(error, self.name)
            raise UnreadableFileError(refusal.what, where=self.name, hint=refusal.hint) from error
        # An ordinary buffered reader, but that its raw part is ours.
        return cast("BinaryIO", io.BufferedReader(_Ranges(ranges), _REQUEST))


class _Ranges(io.RawIOBase):
    """The bytes of an object; where the store no longer answers, the object counts as cut short."""

    def __init__(self, ranges: pa.NativeFile) -> None:
        self._ranges = ranges

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return int(self._ranges.tell())

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._ranges.seek(offset, whence))

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]  # a buffer that is written
        try:
            data = self._ranges.read(len(target))
        except OSError as error:
            hint = "what stands before is stored; import it again once the store answers"
            what = f"the S3 store stopped answering ({_short(error)})"
            raise CutShortError(what, self.tell(), hint) from error
        target[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._ranges.close()
        super().close()


def find_objects(url: str, endpoint: str = "") -> Iterator[S3Object]:
    """The objects that an address names, in the order of their keys.

    `s3://bucket/key` is one object, or all below it if there is none of that key; `*` and `?` stand for letters of
    one part of a key, `**` for any parts. Parts that begin with a dot are left out, as hidden files are.

    Args:
        url: an address that begins with `s3://`.
        endpoint: address of the server, if it is not Amazon's; credentials are found as the AWS tools find them.

    Raises:
        UsageError: the address names no bucket.
        NotFoundError: there is nothing there.
        UnavailableError: the store cannot be reached or refuses.
    """
    key = url.partition("://")[2].rstrip("/")
    bucket, _, rest = key.partition("/")
    if not bucket or _MAGIC.search(bucket):
        what = "the address names no bucket"
        raise UsageError(what, where=url, hint="write s3://bucket/prefix/*.ndjson")
    try:
        store = file_system(bucket, endpoint)
        found = _found(store, key, bucket, rest)
    except OSError as error:
        raise _refused(error, url) from error
    if not found:
        what = "no object matches" if _MAGIC.search(rest) else "no such object, and nothing below it"
        raise NotFoundError(what, where=url, hint="check bucket, key and pattern; quote a pattern for the shell")
    yield from found


def _found(store: pafs.S3FileSystem, key: str, bucket: str, rest: str) -> list[S3Object]:
    import pyarrow.fs as pafs  # noqa: PLC0415 - loads the client of S3

    at = store.get_file_info(key)
    if at.type is pafs.FileType.File:
        return [S3Object(store, key, int(at.size))]
    if at.type is pafs.FileType.NotFound and store.get_file_info(bucket).type is pafs.FileType.NotFound:
        kind = "bucket"
        raise UnknownChoiceError(kind, bucket, _buckets(store))
    pattern = None
    if at.type is pafs.FileType.NotFound:
        if not _MAGIC.search(rest):
            return []
        pattern = _pattern(key)
    fixed = key if pattern is None else key[: _first_magic(key)].rpartition("/")[0]
    selector = pafs.FileSelector(fixed, allow_not_found=True, recursive=True)
    objects = [
        S3Object(store, info.path, int(info.size))
        for info in store.get_file_info(selector)
        if info.type is pafs.FileType.File
        and not any(part.startswith(".") for part in info.path[len(fixed) :].split("/"))
        and (pattern is None or pattern.fullmatch(info.path))
    ]
    return sorted(objects, key=lambda one: one.key)


def _buckets(store: pafs.S3FileSystem) -> list[str]:
    import pyarrow.fs as pafs  # noqa: PLC0415 - loads the client of S3

    try:
        return [info.path for info in store.get_file_info(pafs.FileSelector(""))]
    except OSError:
        return []  # who may read a bucket need not be allowed to list them


def _first_magic(key: str) -> int:
    found = _MAGIC.search(key)
    return found.start() if found else len(key)


def _pattern(key: str) -> re.Pattern[str]:
    """A pattern of keys as a regular expression.

    >>> bool(_pattern("b/**/x*.gz").fullmatch("b/2026/11/x1.gz")), bool(_pattern("b/*.gz").fullmatch("b/c/x.gz"))
    (True, False)
    """
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]+\])", key)
    return re.compile(
        "".join(
            parts.get(piece) or (re.sub(r"^\[!", "[^", piece) if _is_set(piece) else re.escape(piece))
            for piece in pieces
        )
    )


def _is_set(piece: str) -> bool:
    return len(piece) > 2 and piece.startswith("[") and piece.endswith("]")


def _refused(error: OSError, where: str) -> GroundswellError:
    message = _short(error)
    if any(
        word in str(error) for word in ("ACCESS_DENIED", "INVALID_ACCESS_KEY_ID", "SIGNATURE", "CREDENTIALS", "403")
    ):
        what = f"the S3 store does not let us in ({message})"
        hint = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
        return UnavailableError(what, where=where, hint=hint)
    what = f"the S3 store cannot be reached ({message})"
    return UnavailableError(what, where=where, hint="check the network, and GROUNDSWELL_S3_ENDPOINT if it is your own")


def _short(error: OSError) -> str:
    """What the store's client says, without its report of every request."""
    text = " ".join(str(error).split())
    found = re.search(r"AWS Error ([A-Z_]+)", text)
    return found.group(1).lower().replace("_", " ") if found else text[:200]
