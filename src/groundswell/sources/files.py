"""Finding the files that a person means: paths, folders, globs and standard input."""

from __future__ import annotations

import glob
import secrets
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from groundswell.errors import NotFoundError, UnavailableError

STDIN: Final = "-"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to read. `name` is what people and the lake call it; `kept` is false for a copy of stdin."""

    path: Path
    name: str
    size: int
    mtime_ns: int
    kept: bool = True

    @property
    def identity(self) -> str:
        """What tells this state of this file from another: path, size and time of change."""
        return f"{self.name}|{self.size}|{self.mtime_ns}"


def find_files(paths: Sequence[str], tmp: Path, stdin: BinaryIO | None = None) -> list[SourceFile]:
    """The files that `paths` name, each once, folders and globs in name order.

    A folder stands for all files in and under it, hidden ones left out. `-` is standard input, which is
    copied to `tmp` first, because its container is recognised by looking at it; the caller removes the copy.

    Raises:
        NotFoundError: a path does not exist, a glob matches nothing, a folder has no files.
        UnavailableError: standard input cannot be copied.
    """
    found: dict[str, SourceFile] = {}
    for path in paths:
        if path == STDIN:
            found.setdefault(STDIN, _spool(stdin or sys.stdin.buffer, tmp))
            continue
        for file in _named(path):
            found.setdefault(str(file), _source(file))
    return list(found.values())


def _named(path: str) -> Iterator[Path]:
    plain = Path(path).expanduser()
    if plain.is_dir():
        yield from _under(plain)
    elif plain.exists():
        yield plain.absolute()
    elif glob.has_magic(path):
        matches = sorted(glob.glob(str(plain), recursive=True))
        files = [file for match in matches for file in _files_of(Path(match))]
        if not files:
            what = "no file matches"
            raise NotFoundError(what, where=path, hint="check the pattern; quote it so that the shell leaves it alone")
        yield from files
    else:
        what = "no such file or folder"
        raise NotFoundError(what, where=path, hint="check the path; `-` reads standard input")


def _files_of(match: Path) -> list[Path]:
    if match.is_dir():
        return [file.absolute() for file in sorted(match.iterdir()) if _is_visible_file(file)]
    return [match.absolute()]


def _under(folder: Path) -> list[Path]:
    files = [
        file.absolute()
        for file in sorted(folder.rglob("*"))
        if _is_visible_file(file) and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    ]
    if not files:
        what = "the folder holds no files"
        raise NotFoundError(what, where=folder, hint="hidden files are left out; name a file to import it all the same")
    return files


def _is_visible_file(file: Path) -> bool:
    return file.is_file() and not file.name.startswith(".")


def _source(path: Path) -> SourceFile:
    stat = path.stat()
    return SourceFile(path, str(path), stat.st_size, stat.st_mtime_ns)


def _spool(stream: BinaryIO, tmp: Path) -> SourceFile:
    copy = tmp / f"stdin-{secrets.token_hex(8)}"
    try:
        tmp.mkdir(parents=True, exist_ok=True)
        with copy.open("wb") as file:
            shutil.copyfileobj(stream, file, 1 << 20)
    except OSError as error:
        copy.unlink(missing_ok=True)
        what = f"cannot copy standard input ({error.strerror or error})"
        raise UnavailableError(what, where=copy, hint="free some space, or write it to a file and name that") from error
    stat = copy.stat()
    return SourceFile(copy, STDIN, stat.st_size, stat.st_mtime_ns, kept=False)
