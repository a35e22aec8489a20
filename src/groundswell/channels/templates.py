"""Templates: text with `$field` in it, and nothing that could be run.

A template names fields of a message and may say no more than them: no expressions, no attributes, no loops. In the
body of a webhook, which is JSON, the fields stand inside its texts; a text that is one field alone becomes its value,
so that `"$observed"` is a number and `"posts: $observed"` a text.
"""

from __future__ import annotations

import json
import string
from collections.abc import Iterable, Mapping
from typing import Any, Final

from groundswell.errors import UnknownChoiceError, UsageError

Value = str | int | float | bool | None

#: What the fields mean; the same for all channels.
FIELDS: Final[Mapping[str, str]] = {
    "title": "one line: the headline, with what happened to the alert before it",
    "text": "the message in a few lines, as it is sent without a template",
    "event": "opened, updated, closed, digest, test, trouble or recovered",
    "id": "id of the message; the same message sent again has the same id",
    "alert": "id of the alert",
    "link": "the alert's page, if GROUNDSWELL_PUBLIC_URL is set",
    "headline": "what is unusual, in a sentence",
    "detail": "the counts behind it",
    "tracker": "name of the tracker",
    "query": "what it watches",
    "signal": "what is unusual: posts, authors, reach …",
    "direction": "burst or drop",
    "phase": "growing, peak, fading or closed",
    "observed": "posts in the strongest window",
    "expected": "posts that were expected in it",
    "ratio": "observed by expected",
    "return_days": "such a window comes about once in so many days",
    "window_minutes": "length of the window",
    "posts": "posts of the whole episode",
    "authors": "authors of the whole episode",
    "started_at": "start of the first unusual window, UTC",
    "updated_at": "end of the last window that is known, UTC",
    "closed_at": "when it was over, UTC",
    "words": "words that came with it",
    "hashtags": "hashtags that drive it",
    "top_authors": "authors who drive it",
    "top_post": "text of the post that drives it most",
    "top_post_url": "where that post is",
}
#: What stands for a value that is not known.
UNKNOWN: Final = "unknown"
LONGEST: Final = 10_000


class _Template(string.Template):
    """`$name` and `${name}`; `$$` is a dollar."""

    idpattern = r"(?a:[a-z][a-z0-9_]*)"
    flags = 0  # type: ignore[assignment] # names are lower-case, so that $US stays what it is: wrong, and said


def check_template(text: str, *, as_json: bool = False) -> str:
    """The same template, once it is known to be valid.

    Raises:
        UsageError: it is too long, a `$` begins no field, or it should be JSON and is none.
        UnknownChoiceError: a field that messages do not have.
    """
    if len(text) > LONGEST:
        what = f"a template of {len(text):,} characters"
        raise UsageError(what, hint=f"at most {LONGEST:,} are taken")
    if not as_json:
        _check_fields(text)
        return text
    try:
        body = json.loads(text)
    except ValueError as error:
        what = f"the body is not JSON ({error})"
        hint = 'write the fields inside texts: {"summary": "$headline", "posts": "$observed"}'
        raise UsageError(what, hint=hint) from error
    for part in _texts(body):
        _check_fields(part)
    return text


def _check_fields(text: str) -> None:
    template = _Template(text)
    if not template.is_valid():
        what = f"a $ that begins no field: `{text[:80]}`"
        raise UsageError(what, hint=f"write $$ for a dollar; fields: {', '.join(FIELDS)}")
    for name in template.get_identifiers():
        if name not in FIELDS:
            kind = "field"
            raise UnknownChoiceError(kind, name, FIELDS)


def _texts(body: object) -> Iterable[str]:
    match body:
        case str():
            yield body
        case dict():
            for value in body.values():
                yield from _texts(value)
        case list():
            for value in body:
                yield from _texts(value)
        case _:
            return


def fill(text: str, fields: Mapping[str, Value]) -> str:
    """The text with the fields' values in it.

    >>> fill("$$5: $headline, $ratio times", {"headline": "Up", "ratio": 4.0})
    '$5: Up, 4 times'
    """
    return _Template(text).substitute({name: plain(fields.get(name)) for name in FIELDS})


def fill_json(text: str, fields: Mapping[str, Value]) -> Any:
    """The JSON value with the fields' values in its texts.

    >>> fill_json('{"n": "$observed", "t": "n=$observed", "to": ["$closed_at"]}', {"observed": 12, "closed_at": None})
    {'n': 12, 't': 'n=12', 'to': [None]}
    """
    return _filled(json.loads(text), fields)


def _filled(part: Any, fields: Mapping[str, Value]) -> Any:
    match part:
        case str():
            alone = part.removeprefix("$").strip("{}") if part.startswith("$") else ""
            return (
                fields.get(alone) if alone in FIELDS and part in (f"${alone}", f"${{{alone}}}") else fill(part, fields)
            )
        case dict():
            return {key: _filled(value, fields) for key, value in part.items()}
        case list():
            return [_filled(value, fields) for value in part]
        case _:
            return part


def plain(value: Value) -> str:
    """A value as people read it.

    >>> plain(None), plain(12345), plain(6.176), plain(0.034), plain(40.0)
    ('unknown', '12,345', '6.2', '0.034', '40')
    """
    if value is None:
        return UNKNOWN
    if isinstance(value, (bool, str)):
        return str(value)
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 1 else f"{value:.2g}"
