"""What the disk and the Delta library report, as sentences that a person can act on."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from deltalake.exceptions import DeltaError

from groundswell.errors import UnavailableError
from groundswell.stores import Place
from groundswell.stores.refusals import refused

_FULL: Final = ("no space left", "os error 28", "quota exceeded")
_FORBIDDEN: Final = ("permission denied", "read-only file system", "not permitted", "not a directory")


@contextmanager
def told(what: str, where: Place) -> Iterator[None]:
    """Turn a failure of the disk or store under `where` inside the block into an `UnavailableError`.

    Raises:
        UnavailableError: the disk is full, the folder cannot be written, the store refuses or does not answer, or the
            table is damaged.
    """
    try:
        yield
    except (OSError, DeltaError) as error:
        raise unavailable(error, what, where) from error


def unavailable(error: Exception, what: str, where: Place) -> UnavailableError:
    """The sentence for one failure."""
    if not isinstance(where, Path):
        return refused(error, what, where, answered=where.store.answered)
    text = str(error).lower()
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT) or any(part in text for part in _FULL):
        return UnavailableError(
            f"cannot {what}: the disk is full",
            where=where,
            hint="free some space (or set GROUNDSWELL_LAKE to another disk) and run it again; nothing was half-written",
        )
    if number in (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOTDIR) or any(part in text for part in _FORBIDDEN):
        return UnavailableError(
            f"cannot {what}: the folder is not writable",
            where=where,
            hint="change its owner or permissions, or set GROUNDSWELL_LAKE to another folder",
        )
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return UnavailableError(
        f"cannot {what} ({first})", where=where, hint="`groundswell doctor` checks the lake and its disk"
    )
