"""Any table, or flat JSON, as posts: columns guessed by their names or named by a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.errors import ConflictError, UnknownChoiceError
from groundswell.platforms import casts
from groundswell.platforms.generic.columns import COUNTED, NAMES, TIMES, TITLE, guess, platform_of
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.youtube.trending_csv import titled

if TYPE_CHECKING:
    import ibis.expr.types as ir

_LISTS: Final = ("hashtags", "mentions", "urls", "media_urls")
_PLAIN: Final = (
    *("url", "author_id", "lang", "region", "location", "kind"),
    *("music_id", "music_title", "music_author"),
)
#: What makes an id alone worth keeping.
_WITH_ID: Final = (*COUNTED, "created_at", "author_name", "author_id", "url", "hashtags", TITLE)
#: An id that a spreadsheet has rounded.
_ROUNDED: Final = "^[0-9]([.,][0-9]+)?[eE][+]?[0-9]+$"
_X: Final = "^(twitter|x[.]com|x [(]twitter[)]|twitter/x)$"

Chosen = tuple[tuple[str, str], ...]


def matches(record: Mapping[str, Any]) -> bool:
    """Whether a text can be guessed, or an id and something beside it."""
    found = guess(list(record), [record])
    return "text" in found or ("post_id" in found and any(field in found for field in _WITH_ID))


def table(
    columns: Sequence[str], mapping: Mapping[str, str] | None = None, tz: str = "UTC", platform: str | None = None
) -> Layout:
    """The generic layout fitted to a table; the same arguments give the same object.

    Args:
        columns: the table's columns, or the keys of flat JSON objects.
        mapping: column by field of a post (or `title`); what it does not name is guessed.
        tz: IANA zone of times that name none.
        platform: what to call the platform where no column says it.

    Raises:
        UnknownChoiceError: a field or a column of `mapping` does not exist.
        ConflictError: neither a text nor an id is among the columns.
    """
    return _table(tuple(columns), tuple(sorted((mapping or {}).items())), tz, platform)


@lru_cache(maxsize=256)
def _table(columns: tuple[str, ...], mapping: Chosen, tz: str, platform: str | None) -> Layout:
    named = dict(mapping)
    for field, column in named.items():
        if field not in NAMES:
            kind = "field"
            raise UnknownChoiceError(kind, field, NAMES)
        if column not in columns:
            kind = "column"
            raise UnknownChoiceError(kind, column, columns)
    free = [column for column in columns if column not in named.values()]
    chosen = {field: column for field, column in guess(free).items() if field not in named} | named
    if not chosen.keys() & {"text", TITLE, "post_id"}:
        what = "no column looks like the text or the id of a post"
        raise ConflictError(what, where=", ".join(columns), hint="name one: --map text=COLUMN")
    rest = tuple(column for column in columns if column and column not in chosen.values())
    return Layout(
        platform="generic",
        name="table",
        version=1,
        shape=Shape.ROW,
        raw=dict.fromkeys((*chosen.values(), *rest), "string"),
        matches=matches,
        posts=partial(_posts, chosen, rest, tz, platform or platform_of(columns)),
        description="any table or flat JSON with a text or an id; columns are guessed, or named by --map",
        parameters=MappingProxyType({"map": chosen, "tz": tz, "platform": platform}),
    )


def _posts(chosen: Mapping[str, str], rest: Sequence[str], tz: str, platform: str, raw: ir.Table) -> ir.Table:
    """One post for each row; columns that are no field of a post are in `extra`."""
    columns: dict[str, casts.Cell | ir.Value] = {
        field: _READERS[field](field, raw[column], tz) for field, column in chosen.items() if field != TITLE
    }
    if TITLE in chosen:
        title = raw[chosen[TITLE]]
        columns["text"] = titled(title, raw[chosen["text"]]) if "text" in chosen else casts.text(title)
    columns["platform"] = (
        ibis.coalesce(columns["platform"], platform) if "platform" in columns else ibis.literal(platform)
    )
    time = {"created_at": f"{chosen['created_at']} is not a plausible time"} if "created_at" in chosen else {}
    return casts.mapped(
        raw,
        columns,
        extra={column: casts.text(raw[column]) for column in rest},
        required=[field for field in ("post_id", "text") if field in columns],
        reject_unread=time,
    )


Reader = Callable[[str, "ir.StringValue", str], "casts.Cell | ir.Value"]


def _post_id(field: str, raw: ir.StringValue, _tz: str) -> casts.Cell:
    written = raw.strip().nullif("")
    whole = ibis.cases(
        (written.re_search(_ROUNDED), ibis.null("string")),
        (written.re_search("^[0-9]+[.]0+$"), written.re_replace("[.]0+$", "")),
        else_=written,
    )
    return casts.Cell(field, raw, whole)


def _text(_field: str, raw: ir.StringValue, _tz: str) -> ir.StringValue:
    return casts.text(raw)


def _plain(_field: str, raw: ir.StringValue, _tz: str) -> ir.StringValue:
    return raw.strip().nullif("")


def _author_name(_field: str, raw: ir.StringValue, _tz: str) -> ir.StringValue:
    name = raw.strip()
    return ibis.cases((name.startswith("@"), name.substr(1)), else_=name).nullif("")


def _platform(_field: str, raw: ir.StringValue, _tz: str) -> ir.StringValue:
    name = raw.strip().lower().nullif("")
    return ibis.cases((name.re_search(_X), "x"), else_=name)


def _texts(field: str, raw: ir.StringValue, _tz: str) -> ir.ArrayValue:
    """A list as Python, JSON or people write it (`['a', 'b']`, `#a #b`, `a, b`): nothing in it holds a blank."""
    bare = raw.re_replace("[\\[\\]'\"<>]", "")
    between = "[,;|#@ \t\r\n]+" if field in ("hashtags", "mentions") else "[,;|]?[ \t\r\n]+"
    listed = bare.re_replace(between, " ").strip()
    return ibis.cases((listed != "", listed.split(" ")))


def _count(field: str, raw: ir.StringValue, _tz: str) -> casts.Cell:
    return casts.integer(field, raw)


_READERS: Final[Mapping[str, Reader]] = {
    "post_id": _post_id,
    "text": _text,
    "author_name": _author_name,
    "platform": _platform,
    "duration_s": lambda field, raw, _tz: casts.number(field, raw),
    "verified": lambda field, raw, _tz: casts.boolean(field, raw),
    **dict.fromkeys(_PLAIN, _plain),
    **dict.fromkeys(_LISTS, _texts),
    **dict.fromkeys(COUNTED, _count),
    **dict.fromkeys(TIMES, casts.moment),
}

#: What the registry holds: the layout for tables that use the first name of each field.
TABLE: Final = table(tuple(names.split()[0] for names in NAMES.values()))
