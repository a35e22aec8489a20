"""What the clients of S3 say when something goes wrong, in words that a person can act on."""

from __future__ import annotations

import re
from typing import Final

from groundswell.errors import UnavailableError

#: Marks of an error that may pass: no connection, a time-out, or an answer of the server about itself.
_PASSING: Final = re.compile(
    r"\b(?:500|502|503|504|429)\b|slow.?down|service.?unavailable|internal.?(?:error|failure)|request.?timeout|"
    r"timed? ?out|network.?connection|connection|error sending request|throttl|dns error|curlcode|bad gateway|"
    r"incomplete ?(?:body|message)|broken pipe",
    re.IGNORECASE,
)
_REFUSED: Final = re.compile(
    r"access.?denied|forbidden|\b403\b|\b401\b|signature|invalid.?access.?key|credentials|privileges|token",
    re.IGNORECASE,
)
_NO_BUCKET: Final = re.compile(r"no.?such.?bucket|bucket does not exist", re.IGNORECASE)
_STATUS: Final = re.compile(r"\b([45]\d\d [A-Z][A-Za-z ]+[A-Za-z])")
_ANSI: Final = re.compile(r"\x1b\[\d+m|↳")


class StoreLostError(UnavailableError):
    """A store that answered before was away for longer than it is waited for.

    What was not committed is not there. Whoever works step by step may begin at the last one that was.
    """


def may_pass(error: BaseException) -> bool:
    """Whether what failed may work by itself a little later.

    >>> may_pass(OSError("Server returned non-2xx status code: 503 Service Unavailable"))
    True
    >>> may_pass(OSError("AWS Error ACCESS_DENIED during HeadObject operation"))
    False
    """
    if isinstance(error, (FileNotFoundError, PermissionError)):
        return False
    text = _ANSI.sub("", str(error))
    return not _REFUSED.search(text) and not _NO_BUCKET.search(text) and bool(_PASSING.search(text))


def reason(error: BaseException) -> str:
    r"""What a client says, without its report of every request.

    >>> reason(OSError("Error performing PUT http://x/y\n Server returned non-2xx status code\n 503 Slow Down\n"))
    'it answers 503 Slow Down'
    """
    text = _ANSI.sub("", str(error))
    if _NO_BUCKET.search(text):
        return "there is no such bucket"
    if found := re.search(r"AWS Error ([A-Z_]+)", text):
        return str(found.group(1)).lower().replace("_", " ")
    if found := _STATUS.search(text):
        return f"it answers {found.group(1)}"
    if "refused" in text.lower():
        return "connection refused"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else type(error).__name__


def refused(error: BaseException, what: str, where: object, *, answered: bool = False) -> UnavailableError:
    """The sentence for a failure at a place of a store; `answered`: it did so before."""
    text, why = _ANSI.sub("", str(error)), reason(error)
    if _NO_BUCKET.search(text):
        bucket = str(where).partition("://")[2].partition("/")[0]
        return UnavailableError(
            f"cannot {what}: there is no bucket `{bucket}`",
            where=str(where),
            hint="create it, or name another one in GROUNDSWELL_LAKE",
        )
    if _REFUSED.search(text):
        return UnavailableError(
            f"cannot {what}: the S3 store does not let us in ({why})",
            where=str(where),
            hint="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, of somebody who may list, read, "
            "write and delete there",
        )
    if may_pass(error):
        kind = StoreLostError if answered else UnavailableError
        return kind(
            f"cannot {what}: the S3 store cannot be reached ({why})",
            where=str(where),
            hint="check the network, and GROUNDSWELL_S3_ENDPOINT if it is your own",
        )
    return UnavailableError(f"cannot {what} ({why})", where=str(where), hint="`groundswell doctor` checks the lake")
