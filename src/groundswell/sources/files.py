"""Finding the files that a person means: paths, folders, globs, URLs and standard input."""

from __future__ import annotations

import glob
import os
import re
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, BinaryIO, Final

from groundswell.errors import NotFoundError, UnavailableError, UnknownChoiceError, UsageError
from groundswell.sources.databases import SCHEMES as DATABASES
from groundswell.sources.databases import Database, Question, find_database
from groundswell.sources.stored import Source, Stored

if TYPE_CHECKING:
    from groundswell.sources.tables import Rows

STDIN: Final = "-"
_NOWHERE: Final = Path(os.devnull)
_WEB: Final = ("http", "https")
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
#: A name and a password in an address, which nobody else is told.
_PASSWORD: Final = re.compile(r"^([a-z]+://)[^/@]*@", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """Something to read, mostly a file. `name` is what people and the lake call it.

    `kept` is false for a temporary copy. `inside` is what is read in place of the file at `path`: a member of an
    archive, an object of a store. `url`: it is still to be fetched. `table` opens a table that is not text (a
    sheet, Parquet), given the largest record in bytes. `database` is asked in place of any file. `refused` says why
    it is not read at all. `stamp` tells its states apart where size and time of change do not (a URL, a member).
    """

    path: Path
    name: str
    size: int
    mtime_ns: int
    kept: bool = True
    inside: Stored | None = None
    url: str | None = None
    table: Callable[[int], Rows] | None = None
    refused: str | None = None
    stamp: str | None = None
    database: Database | None = None

    @property
    def identity(self) -> str:
        """What tells this state of this file from another: name, size and time of change, or its stamp."""
        if self.database is not None:
            return self.database.identity
        if self.stamp is not None:
            return f"{self.name}|{self.stamp}"
        if self.inside is not None:
            return f"{self.name}|{self.inside.identity}"
        return f"{self.name}|{self.size}|{self.mtime_ns}"

    @property
    def stored(self) -> Source:
        """Where its bytes lie."""
        return self.path if self.inside is None else self.inside

    @property
    def is_plain(self) -> bool:
        """Whether its bytes lie in a local file of their own, at `path`."""
        elsewhere = (self.inside, self.url, self.table, self.refused, self.database)
        return all(place is None for place in elsewhere)


def find_files(
    paths: Sequence[str],
    tmp: Path,
    stdin: BinaryIO | None = None,
    *,
    question: Question | None = None,
    s3_endpoint: str = "",
) -> list[SourceFile]:
    """The files that `paths` name, each once, folders, globs and objects in name order; nothing is opened or fetched.

    A folder stands for all files in and under it, hidden ones left out. `-` is standard input, which is
    copied to `tmp` first, because its container is recognised by looking at it; the caller removes the copy.
    `question` is what databases are asked, `s3_endpoint` the address of an S3 server that is not Amazon's.

    Raises:
        NotFoundError: a path does not exist, a glob matches nothing, a folder has no files.
        UnknownChoiceError: a URL of a kind that is not read.
        UsageError: the question is for another kind of database, or there is none among the paths.
        UnavailableError: standard input cannot be copied, an S3 store cannot be listed.
    """
    found: dict[str, SourceFile] = {}
    asked = False
    for path in paths:
        if path == STDIN:
            found.setdefault(STDIN, _spool(stdin or sys.stdin.buffer, tmp))
        elif (scheme := _SCHEME.match(path)) is not None:
            for file in _of_scheme(scheme.group(1).lower(), path, question, s3_endpoint):
                found.setdefault(file.name, file)
                asked = asked or file.database is not None
        else:
            for name in _named(path):
                if name not in found:
                    found[name] = _source(name, tmp)
    if question and not asked:
        what = "--table, --sql, --collection, --filter and --cursor are for databases"
        hint = "name one, as sqlite:///posts.db, postgresql://user@host/db or mongodb://host/db"
        raise UsageError(what, where=", ".join(paths), hint=hint)
    return list(found.values())


def _of_scheme(scheme: str, url: str, question: Question | None, s3_endpoint: str) -> Iterator[SourceFile]:
    if scheme in DATABASES:
        database = find_database(url, question)
        yield SourceFile(_NOWHERE, database.name, 0, 0, database=database)
    elif scheme == "s3":
        from groundswell.sources.s3 import find_objects  # noqa: PLC0415 - only where there is an object

        for found in find_objects(url, s3_endpoint):
            yield SourceFile(_NOWHERE, found.name, found.size, 0, inside=found)
    elif scheme in _WEB:
        yield SourceFile(_NOWHERE, _PASSWORD.sub(r"\1", url), 0, 0, url=url)
    else:
        kind = "kind of URL"
        raise UnknownChoiceError(kind, scheme, (*_WEB, "s3", *DATABASES))


def _named(path: str) -> Iterator[str]:
    plain = os.path.expanduser(path)
    if os.path.isdir(plain):
        names = list(_under(os.path.abspath(plain)))
        if not names:
            what = "the folder holds no files"
            hint = "hidden files are left out; name a file to import it all the same"
            raise NotFoundError(what, where=path, hint=hint)
        yield from names
    elif os.path.exists(plain):
        yield os.path.abspath(plain)
    elif glob.has_magic(path):
        matches = sorted(glob.glob(plain, recursive=True))
        names = [name for match in matches for name in _files_of(os.path.abspath(match))]
        if not names:
            what = "no file matches"
            raise NotFoundError(what, where=path, hint="check the pattern; quote it so that the shell leaves it alone")
        yield from names
    else:
        what = "no such file or folder"
        raise NotFoundError(what, where=path, hint="check the path; `-` reads standard input")


def _files_of(match: str) -> Iterator[str]:
    if not os.path.isdir(match):
        yield match
        return
    with os.scandir(match) as entries:
        yield from sorted(entry.path for entry in entries if not entry.name.startswith(".") and entry.is_file())


def _under(folder: str) -> Iterator[str]:
    """Visible files in and under a folder, in name order."""
    with os.scandir(folder) as listed:
        entries = sorted((entry for entry in listed if not entry.name.startswith(".")), key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _under(entry.path)
        elif entry.is_file():
            yield entry.path


def _source(name: str, tmp: Path) -> SourceFile:
    known = os.stat(name)
    if not S_ISREG(known.st_mode):
        # A pipe of the shell (`<(…)`) can be read once only.
        with open(name, "rb") as pipe:
            return replace(_spool(pipe, tmp), name=name)
    return SourceFile(Path(name), name, known.st_size, known.st_mtime_ns)


def _spool(stream: BinaryIO, tmp: Path) -> SourceFile:
    copy = tmp / f"stdin-{secrets.token_hex(8)}"
    try:
        tmp.mkdir(parents=True, exist_ok=True)
        with copy.open("wb") as file:
            shutil.copyfileobj(stream, file, 1 << 20)
    except OSError as error:
        copy.unlink(missing_ok=True)
        what = f"cannot copy the stream ({error.strerror or error})"
        raise UnavailableError(what, where=copy, hint="free some space, or write it to a file and name that") from error
    stat = copy.stat()
    return SourceFile(copy, STDIN, stat.st_size, stat.st_mtime_ns, kept=False)
