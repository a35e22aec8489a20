"""An S3 store: its client, its objects as paths, and patience while it does not answer."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, TypeVar

from groundswell.errors import UsageError
from groundswell.stores import haste
from groundswell.stores.refusals import may_pass, reason

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.fs as pafs

log = logging.getLogger("groundswell.stores")

T = TypeVar("T")

_CONNECT_S: Final = 10
#: How long a store may be silent, seconds.
_SILENT_S: Final = 60
#: A store that has not answered once is most likely named wrongly: nobody wants to wait for long to hear it.
_FIRST_S: Final = 3.0
_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 5.0
_CHUNK: Final = 8 << 20
SCHEME: Final = "s3://"


def file_system(bucket: str, endpoint: str = "", attempts: int = 3) -> pafs.S3FileSystem:
    """The client of a store, whose keys are found as the AWS tools find them (environment, profile, role).

    Args:
        bucket: a bucket of Amazon's, to learn its region from where no variable names one.
        endpoint: address of the server, if it is not Amazon's.
        attempts: how often a request is tried, with growing pauses.

    Raises:
        OSError: the region of the bucket cannot be learned.
    """
    import pyarrow.fs as pafs  # noqa: PLC0415 - loads the client of S3

    region = _region()
    options = {
        "connect_timeout": _CONNECT_S,
        "request_timeout": _SILENT_S,
        "retry_strategy": pafs.AwsStandardS3RetryStrategy(max_attempts=attempts),
    }
    if endpoint:
        scheme, sign, host = endpoint.partition("://")
        host, scheme = (host, scheme) if sign else (endpoint, "https")
        return pafs.S3FileSystem(
            endpoint_override=host.rstrip("/"), scheme=scheme, region=region or "us-east-1", **options
        )
    return pafs.S3FileSystem(region=region or pafs.resolve_s3_region(bucket), **options)


def _region() -> str | None:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")


@dataclass(eq=False)
class Store:
    """One S3 store. Threads may share it; two with the same address are the same object."""

    endpoint: str
    patience_s: float
    """How long a store that answered before is waited for, seconds."""

    answered: bool = False
    _waiting: dict[int, str] = field(default_factory=dict, repr=False)
    """What threads are told that wait just now."""
    _clients: dict[str, pafs.S3FileSystem] = field(default_factory=dict, repr=False)
    _first: str = ""

    @classmethod
    def of(cls, endpoint: str = "", patience_s: float = 120.0) -> Store:
        """The store at an address; empty: Amazon's, or that of AWS_ENDPOINT_URL."""
        named = endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
        return _store(named.rstrip("/"), patience_s, _identity())

    def path(self, url: str) -> S3Path:
        """What an address such as `s3://bucket/prefix` names.

        Raises:
            UsageError: it names no bucket.
        """
        key = url.partition("://")[2].strip("/")
        if not key:
            what = "the address names no bucket"
            raise UsageError(what, where=url, hint="write s3://bucket/prefix")
        self._first = self._first or key.partition("/")[0]
        return S3Path(self, "/".join(part for part in key.split("/") if part))

    @property
    def trouble(self) -> str | None:
        """Why the store is waited for at this moment; null while it answers."""
        return next(iter([*self._waiting.values()]), None)

    @cached_property
    def files(self) -> pafs.S3FileSystem:
        """The client for reading: by itself it tries a request again for as long as the store is waited for."""
        return file_system(self._first, self.endpoint, _attempts(self.patience_s))

    @cached_property
    def asking(self) -> pafs.S3FileSystem:
        """The client for what `patiently` tries again."""
        return file_system(self._first, self.endpoint, 2)

    def silence(self, key: str, within_s: float) -> str | None:
        """Why the store gives no answer within so long; null where it answers, whatever it says. Asks for `key`."""
        found: list[str | None] = []

        def look() -> None:
            try:
                self.asking.get_file_info(key)
            except Exception as error:  # only whether there is an answer matters
                found.append(reason(error) if may_pass(error) else None)
            else:
                found.append(None)

        thread = threading.Thread(target=look, name="is the store there", daemon=True)
        thread.start()
        thread.join(within_s)
        return found[0] if found else f"no answer within {within_s:g} s"

    def options(self) -> dict[str, str]:
        """What the Delta library is told of the store; a commit is a put that fails if its number is taken."""
        options = {
            "conditional_put": "etag",
            "connect_timeout": f"{_CONNECT_S}s",
            "timeout": f"{_SILENT_S}s",
            # `patiently` waits, and says so.
            "max_retries": "2",
            "retry_timeout": "10s",
            # Keys of a profile or role also for a server that is not Amazon's.
            "AWS_FORCE_CREDENTIAL_LOAD": "true",
        }
        if self.endpoint:
            address = self.endpoint if "://" in self.endpoint else f"https://{self.endpoint}"
            options |= {"endpoint_url": address, "allow_http": "true", "region": _region() or "us-east-1"}
        elif region := _region():
            options["region"] = region
        else:
            options["region"] = str(self.asking.region)
        return options

    def patiently(self, what: str, action: Callable[[], T]) -> T:
        """Do `action`, again and again with growing pauses while the store does not answer or answers 5xx.

        The operator is told when it begins and when it is over. What `action` does must be the same done twice.

        Raises:
            OSError: what `action` raises, at once if it will not pass, else after the store's patience.
        """
        try:
            return self._patiently(what, action)
        finally:
            self._waiting.pop(threading.get_ident(), None)

    def _patiently(self, what: str, action: Callable[[], T]) -> T:
        begun, pause, tries = time.monotonic(), _PAUSE_S, 0
        stop = haste.ended()
        where = self.endpoint or "Amazon S3"
        while True:
            try:
                done = action()
            except Exception as error:  # the Delta library raises several kinds
                waited = time.monotonic() - begun
                limit = self.patience_s if self.answered else min(_FIRST_S, self.patience_s)
                limit = haste.at_most(limit)
                if not may_pass(error) or waited >= limit or stop.is_set():
                    raise
                tries += 1
                said = f"cannot {what}: {reason(error)} ({where})"
                self._waiting[threading.get_ident()] = f"{said}; it is tried again and again"
                if tries == 2:
                    log.warning("%s; trying again for %.0f s", said, limit)
                stop.wait(min(pause, max(limit - waited, 0.01)))
                pause = min(2 * pause, _LONGEST_PAUSE_S)
                continue
            self.answered = True
            if tries > 1:
                log.warning("the S3 store answers again after %.1f s", time.monotonic() - begun)
            return done


@lru_cache(maxsize=64)
def _store(endpoint: str, patience_s: float, _identity: tuple[str, ...]) -> Store:
    return Store(endpoint, patience_s)


def _identity() -> tuple[str, ...]:
    """What credentials come from: with others a store is another."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION")
    return tuple(os.environ.get(name, "") for name in names)


def _attempts(patience_s: float) -> int:
    """How many tries last about so long: the client waits half of 2^n seconds on average, at most ten."""
    attempts, waited = 2, 0.5
    while waited < patience_s and attempts < 40:
        waited += min(2.0 ** (attempts - 1), 20.0) / 2
        attempts += 1
    return attempts


class S3Path:
    """A file or folder of a store, with the members of `pathlib.Path` that the lake uses."""

    __slots__ = ("_pure", "key", "store")

    def __init__(self, store: Store, key: str) -> None:
        """`key`: bucket and key, with a slash between."""
        self.store = store
        self.key = key
        self._pure = PurePosixPath(key)

    def __str__(self) -> str:
        return f"{SCHEME}{self.key}"

    def __repr__(self) -> str:
        return f"S3Path({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, S3Path) and self.key == other.key and self.store is other.store

    def __hash__(self) -> int:
        return hash(self.key)

    def __lt__(self, other: S3Path) -> bool:
        return self.key < other.key

    def __truediv__(self, part: str | PurePosixPath) -> S3Path:
        return S3Path(self.store, str(self._pure / part))

    @property
    def bucket(self) -> str:
        """The bucket."""
        return self._pure.parts[0]

    @property
    def name(self) -> str:
        """The last part."""
        return self._pure.name

    @property
    def parts(self) -> tuple[str, ...]:
        """All parts, the bucket first."""
        return self._pure.parts

    @property
    def parent(self) -> S3Path:
        """The folder that it is in."""
        return S3Path(self.store, str(self._pure.parent))

    def uri(self, scheme: str = "s3") -> str:
        """Its address by another scheme, such as Hadoop's `s3a`."""
        return f"{scheme}://{self.key}"

    def as_posix(self) -> str:
        """Bucket and key."""
        return self.key

    def joinpath(self, *parts: str) -> S3Path:
        """A place below it."""
        return S3Path(self.store, str(self._pure.joinpath(*parts)))

    def relative_to(self, folder: S3Path) -> PurePosixPath:
        """The way to it from a folder."""
        return self._pure.relative_to(folder._pure)

    def with_suffix(self, suffix: str) -> S3Path:
        """The same with another ending."""
        return S3Path(self.store, str(self._pure.with_suffix(suffix)))

    def mkdir(self, **_: object) -> None:
        """Folders of a store are there by themselves."""

    def open(self, mode: str = "rb") -> pa.NativeFile:
        """The object, to be read; any place of it is one request away."""
        assert mode == "rb"  # noqa: S101 - objects are written whole
        return self.store.files.open_input_file(self.key)

    def read_text(self) -> str:
        """The whole object as text."""

        def read() -> str:
            with self.store.asking.open_input_file(self.key) as file:
                return bytes(file.read()).decode()

        return self.store.patiently(f"read {self}", read)

    def stat(self) -> Size:
        """Its size.

        Raises:
            FileNotFoundError: there is no such object.
        """
        info = self._info()
        if not info.is_file:
            raise FileNotFoundError(2, "no such object", str(self))
        return Size(int(info.size))

    def exists(self) -> bool:
        """Whether there is such an object, or one below it."""
        import pyarrow.fs as pafs  # noqa: PLC0415 - loads the client of S3

        return self._info().type is not pafs.FileType.NotFound

    def is_dir(self) -> bool:
        """Whether there is something below it."""
        import pyarrow.fs as pafs  # noqa: PLC0415 - loads the client of S3

        return self._info().type is pafs.FileType.Directory

    def rglob(self, pattern: str) -> Iterator[S3Path]:
        """The objects below it whose last part fits a pattern."""
        for path, _ in self.sizes(pattern):
            yield path

    def sizes(self, pattern: str) -> list[tuple[S3Path, int]]:
        """The objects below it whose last part fits a pattern, with their sizes, by one listing."""
        import pyarrow.fs as pafs  # noqa: PLC0415 - loads the client of S3

        selector = pafs.FileSelector(self.key, allow_not_found=True, recursive=True)
        found = self.store.patiently(f"list {self}", lambda: self.store.asking.get_file_info(selector))
        files = [info for info in found if info.is_file and fnmatchcase(info.base_name, pattern)]
        return [(S3Path(self.store, info.path), int(info.size)) for info in files]

    def glob(self, pattern: str) -> Iterator[S3Path]:
        """No folder lies in a store by itself."""
        del pattern
        return iter(())

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove the object."""

        def remove() -> None:
            try:
                self.store.asking.delete_file(self.key)
            except FileNotFoundError:
                if not missing_ok:
                    raise

        self.store.patiently(f"remove {self}", remove)

    def put(self, local: Path) -> None:
        """Make a local file the object's content; nobody sees a part of it."""

        def send() -> None:
            with (
                local.open("rb") as file,
                self.store.asking.open_output_stream(self.key, compression=None) as out,
            ):
                while chunk := file.read(_CHUNK):
                    out.write(chunk)

        self.store.patiently(f"write {self}", send)

    def check_bucket(self) -> None:
        """Make sure that there is the bucket.

        Raises:
            OSError: there is not, or the store refuses to say.
        """
        import pyarrow.fs as pafs  # noqa: PLC0415 - loads the client of S3

        if self.store.asking.get_file_info(self.bucket).type is pafs.FileType.NotFound:
            what = "no such bucket"
            raise OSError(what)

    def _info(self) -> Any:
        return self.store.patiently(f"look at {self}", lambda: self.store.asking.get_file_info(self.key))


@dataclass(frozen=True, slots=True)
class Size:
    """What `stat` says of an object."""

    st_size: int
