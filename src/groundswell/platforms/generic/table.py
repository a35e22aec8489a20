"""Any table, or flat JSON, as posts: columns guessed by their names or named by a person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.errors import ConflictError, UnknownChoiceError
from groundswell.platforms import casts
from groundswell.platforms.generic.addresses import known_id
from groundswell.platforms.generic.columns import (
    COUNTED,
    TIMES,
    guess,
    is_enough,
    metrics_of,
    plain_name,
    platform_of,
)
from groundswell.platforms.generic.habits import (
    CountStyle,
    Habits,
    count_style,
    day_order,
    is_padded,
    is_parted,
    ordered_day,
    signed_count,
    styled_count,
)
from groundswell.platforms.generic.names import NAMES, TITLE
from groundswell.platforms.generic.nested import Path_, at, distinct, leaves_of, raw_of
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import any_of, handle, titled
from groundswell.platforms.written import links, listed, whole_id

if TYPE_CHECKING:
    import ibis.expr.types as ir

_PLAIN: Final = (
    *("url", "author_id", "lang", "region", "location"),
    *("music_id", "music_title", "music_author"),
)
#: Our kinds of posts by the names that tables give them, folded.
_KINDS: Final = {
    **dict.fromkeys(("photo", "image", "picture", "img", "graphimage", "photos", "bild", "foto"), "image"),
    **dict.fromkeys(
        ("video", "reel", "reels", "clip", "short", "shorts", "live", "igtv", "graphvideo", "native video"), "video"
    ),
    **dict.fromkeys(("carousel", "album", "sidecar", "graphsidecar", "carousel_album"), "carousel"),
    **dict.fromkeys(("status", "text", "self", "note", "tweet"), "text"),
    **dict.fromkeys(("link", "share", "article", "url"), "link"),
}
_X: Final = "^(twitter|x[.]com|x [(]twitter[)]|twitter/x)$"
#: Columns in which collectors say why they got no post, and what they write there of a post that they got.
_FAULTS: Final = frozenset(("error", "errordescription", "errormessage", "errorcode"))
_NO_FAULT: Final = ("false", "0", "none", "null", "nan", "[]", "{}")
#: Words in the name of a column in which -1 is a number like any other.
_VOTES: Final = frozenset(("score", "scores", "votes", "vote", "karma", "points", "ups", "downs", "upvotes"))
#: What is known of a post without having it.
_ADDRESSED: Final = frozenset(("post_id", "url", "platform", "kind", "observed_at"))
#: Cells of a column that are looked at to see how its numbers and days are written.
_EVIDENCE: Final = 20_000

Chosen = tuple[tuple[str, str], ...]
Samples = Iterable[Mapping[str, Any]]


def matches(record: Mapping[str, Any]) -> bool:
    """Whether a text can be guessed, an id or an address and something beside it, or several counters."""
    return is_enough(guess(list(leaves_of(list(record), [record])), [_flat(record)]))


def table(
    columns: Sequence[str],
    mapping: Mapping[str, str] | None = None,
    tz: str = "UTC",
    platform: str | None = None,
    samples: Samples = (),
    name: str = "table",
    habits: Habits | None = None,
) -> Layout:
    """The generic layout fitted to a table; the same arguments give the same object.

    Args:
        columns: the table's columns, or the keys of JSON objects.
        mapping: column by field of a post (or `title`); what it does not name is guessed, an empty column means none.
            Keys of objects in objects have dots between: `data.body.text`.
        tz: IANA zone of times that name none.
        platform: what to call the platform where no column says it.
        samples: rows, in which is seen how days and numbers are written, and which keys hold objects.
        name: what the layout is called.
        habits: how days and numbers are written, where it is known.

    Raises:
        UnknownChoiceError: a field or a column of `mapping` does not exist.
        ConflictError: neither a text nor an id is among the columns.
    """
    rows = list(samples)
    if not rows and habits is None:
        return _unsampled(tuple(columns), tuple(sorted((mapping or {}).items())), tz, platform, name)
    return _sampled(columns, mapping or {}, rows, (tz, platform, name), habits)


@lru_cache(maxsize=256)
def _unsampled(columns: tuple[str, ...], mapping: Chosen, tz: str, platform: str | None, name: str) -> Layout:
    return _sampled(columns, dict(mapping), [], (tz, platform, name), None)


def _sampled(
    columns: Sequence[str],
    mapping: Mapping[str, str],
    rows: Sequence[Mapping[str, Any]],
    said: tuple[str, str | None, str],
    habits: Habits | None,
) -> Layout:
    tz, platform, name = said
    paths = _with_named(leaves_of(columns, rows), columns, mapping.values())
    flat = [_flat(row) for row in rows] if any(len(path) > 1 for path in paths.values()) else rows
    chosen = _chosen(paths, dict(mapping), flat)
    free = [column for column in paths if column not in chosen.values()]
    habits = habits or _habits(chosen, flat, metrics_of(free, flat))
    of = platform or platform_of(paths, _texts_of(flat, chosen.get("url")))
    return _table(tuple(paths.items()), tuple(sorted(chosen.items())), habits, tz, (of, platform), name)


def _with_named(paths: dict[str, Path_], columns: Sequence[str], named: Iterable[str]) -> dict[str, Path_]:
    """The columns, and those that a person names by a path into an object that the samples did not show."""
    more: dict[str, Path_] = {}
    for column in named:
        top, dot, _ = column.partition(".")
        if dot and column not in paths and top in columns and top not in columns[columns.index(top) + 1 :]:
            more[column] = tuple(column.split("."))
    opened = {path[0] for path in more.values()}
    kept = {name: path for name, path in paths.items() if len(path) > 1 or path[0] not in opened}
    return kept | more


def _chosen(paths: Mapping[str, Path_], named: dict[str, str], rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    for field, column in named.items():
        if field not in NAMES:
            kind = "field"
            raise UnknownChoiceError(kind, field, NAMES)
        if column and column not in paths:
            kind = "column"
            raise UnknownChoiceError(kind, column, paths)
    free = [column for column in paths if column not in named.values()]
    chosen = {field: column for field, column in guess(free, rows).items() if field not in named}
    chosen |= {field: column for field, column in named.items() if column}
    if not is_enough(chosen) and not chosen.keys() & {"post_id", "url"} & named.keys():
        what = "no column looks like the text or the id of a post"
        raise ConflictError(what, where=", ".join(paths), hint="name one: --map text=COLUMN")
    return chosen


def _habits(chosen: Mapping[str, str], rows: Sequence[Mapping[str, Any]], metrics: Mapping[str, str]) -> Habits:
    """How the chosen columns, and those of further counters, write days and numbers."""
    times = {column: _texts_of(rows, column) for field, column in chosen.items() if field in TIMES}
    order = day_order(text for texts in times.values() for text in texts)
    parted = tuple(column for column, texts in times.items() if is_parted(texts))
    counted = (*(column for field, column in chosen.items() if field in COUNTED), *metrics.values())
    styles = {
        column: count_style(_texts_of(rows, column), not _VOTES.isdisjoint(plain_name(column).split("_")))
        for column in counted
    }
    unusual = tuple(sorted(((column, style) for column, style in styles.items() if not style.is_plain), key=str))
    return Habits(
        order, parted, unusual, tuple(sorted(metrics.items())), is_padded(_texts_of(rows, chosen.get("text")))
    )


def _texts_of(rows: Sequence[Mapping[str, Any]], column: str | None) -> list[str]:
    if column is None:
        return []
    return [str(value) for row in rows[:_EVIDENCE] if (value := row.get(column)) is not None and str(value).strip()]


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record's leaves by their dotted names."""
    out: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, Mapping) and value:
            for inner, leaf in _flat(value).items():
                out.setdefault(f"{key}.{inner}", leaf)
            out.setdefault(key, value)
        else:
            out[key] = value
    return out


@lru_cache(maxsize=256)
def _table(
    columns: tuple[tuple[str, Path_], ...],
    chosen: Chosen,
    habits: Habits,
    tz: str,
    platform: tuple[str, str | None],
    name: str,
) -> Layout:
    mapping = dict(chosen)
    ordered = {column: dict(columns)[column] for _, column in chosen} | dict(columns)
    paths = distinct(ordered)
    metrics = tuple(pair for pair in habits.metrics if pair[1] in paths and pair[1] not in mapping.values())
    taken = {*mapping.values(), *(column for _, column in metrics)}
    rest = [column for column in dict(columns) if column and column in paths and column not in taken]
    fields = {field: column for field, column in mapping.items() if column in paths}
    return Layout(
        platform="generic",
        name=name,
        version=4,
        shape=Shape.OBJECT if any(len(path) > 1 for path in paths.values()) else Shape.ROW,
        raw=raw_of(paths[column] for column in (*fields.values(), *(column for _, column in metrics), *rest)),
        matches=matches,
        posts=partial(_posts, _Reading(fields, paths, rest, metrics, habits, tz, platform[0])),
        description="any table or JSON with a text or an id; columns are guessed, or named by --map",
        parameters=MappingProxyType({"map": fields, "tz": tz, "platform": platform[1], "habits": habits}),
    )


@dataclass(frozen=True)
class _Reading:
    """What an expression needs to know: the column of each field, where columns are, and how they are written."""

    chosen: Mapping[str, str]
    paths: Mapping[str, Path_]
    rest: Sequence[str]
    metrics: Sequence[tuple[str, str]]
    habits: Habits
    tz: str
    platform: str

    @property
    def columns(self) -> list[str]:
        """All columns that are read."""
        return [*self.chosen.values(), *(column for _, column in self.metrics), *self.rest]

    def cell(self, raw: ir.Table, column: str) -> ir.StringValue:
        """The text in a column."""
        return at(raw, self.paths[column])

    def text(self, raw: ir.Table, column: str) -> ir.StringValue:
        """A text as written, without the blanks that a whole column has around it."""
        cell = self.cell(raw, column)
        return casts.text(cell.strip() if self.habits.padded else cell)

    def style(self, field: str) -> CountStyle:
        """How the column of a counter writes numbers."""
        return self.habits.style_of(self.chosen[field])

    def read(self, raw: ir.Table, field: str) -> casts.Cell | ir.Value:
        """A field's value."""
        cell = self.cell(raw, self.chosen[field])
        if field in TIMES:
            known = self.habits.day_first
            plain = known is None or self.chosen[field] not in self.habits.parted
            written = cell if plain else ordered_day(cell, bool(known))
            return casts.Cell(field, cell, casts.moment(field, written, self.tz).value)
        if field in COUNTED:
            return styled_count(field, cell, self.style(field))
        if field == "text":
            return self.text(raw, self.chosen[field])
        return _READERS[field](field, cell)


def _posts(reading: _Reading, raw: ir.Table) -> ir.Table:
    """One post for each row; columns that are no field of a post are in `extra`."""
    chosen = reading.chosen
    columns = {field: reading.read(raw, field) for field in chosen if field != TITLE}
    if TITLE in chosen:
        title = reading.text(raw, chosen[TITLE])
        columns["text"] = titled(title, reading.text(raw, chosen["text"])) if "text" in chosen else title
    columns["platform"] = (
        ibis.coalesce(columns["platform"], reading.platform)
        if "platform" in columns
        else ibis.literal(reading.platform)
    )
    if "url" in chosen and not chosen.keys() & {"text", TITLE, "post_id", "kind"}:
        columns["kind"] = ibis.literal("link")
    time = {"created_at": f"{chosen['created_at']} is not a plausible time"} if "created_at" in chosen else {}
    # A score of votes may be negative, which no counter of a post is: it is a metric, too.
    metrics = [
        styled_count(name, reading.cell(raw, column), reading.habits.style_of(column))
        for name, column in reading.metrics
    ]
    for field in COUNTED:
        if field in chosen and reading.style(field).signed:
            cell, style = reading.cell(raw, chosen[field]), reading.style(field)
            metrics.append(signed_count(plain_name(chosen[field]), cell, style))
            positive = ibis.cases((~cell.strip().re_search("^-[0-9]"), cell))
            columns[field] = styled_count(field, positive, style)
    extra = {column: casts.text(reading.cell(raw, column).strip()) for column in reading.rest}
    if "kind" in chosen:
        written = reading.cell(raw, chosen["kind"]).strip()
        extra[chosen["kind"]] = ibis.cases((kind_of(written).isnull() & (written != ""), written))
    rejects = _errors(reading, raw)
    known = [field for field in ("post_id", "text", "url") if field in columns]
    if "url" in chosen:
        own = columns.get("post_id")
        assert own is None or isinstance(own, casts.Cell)  # noqa: S101 - as its reader gives it
        columns["post_id"] = known_id(own, reading.cell(raw, chosen["url"]), reading.platform)
    elif "post_id" not in columns and known != ["text"]:
        columns["post_id"] = _of_the_row(reading, raw)
    return casts.mapped(
        raw,
        columns,
        metrics=metrics,
        extra=extra,
        rejects=rejects,
        required=known or [field for field in COUNTED if field in columns],
        reject_unread=time,
    )


def _errors(reading: _Reading, raw: ir.Table) -> list[tuple[ir.BooleanValue, str | ir.StringValue]]:
    """Rejects rows in which a collector says why it got no post (`url`, `error`): nothing but that stands in them."""
    columns = [column for column in reading.rest if plain_name(column).replace("_", "") in _FAULTS]
    if not columns:
        return []
    said = any_of(*(reading.cell(raw, column).strip() for column in columns))
    fault = ibis.cases((~said.lower().isin(_NO_FAULT), said))
    told = [column for field, column in reading.chosen.items() if field not in _ADDRESSED]
    return [(fault.notnull() & _blank(reading, raw, told), "an error answer of the platform: " + fault)]


def _blank(reading: _Reading, raw: ir.Table, columns: Sequence[str]) -> ir.BooleanValue:
    if not columns:
        return ibis.literal(True)
    return any_of(*(reading.cell(raw, column).strip() for column in columns)).isnull()


def _of_the_row(reading: _Reading, raw: ir.Table) -> ir.StringValue:
    """An id for a row that has none, no address and no text: the same row has the same, and no two rows share one."""
    cells = [ibis.coalesce(reading.cell(raw, column), "\x1e") for column in reading.columns]
    return "row-" + ibis.literal("\x1f").join(cells).hexdigest("md5")


Reader = Callable[[str, "ir.StringValue"], "casts.Cell | ir.Value"]


def kind_of(raw: ir.StringValue) -> ir.StringValue:
    """One of our kinds; null where the text is none of their names."""
    name = raw.strip().lower()
    by_kind: dict[str, list[str]] = {}
    for theirs, ours in _KINDS.items():
        by_kind.setdefault(ours, []).append(theirs)
    return ibis.cases(*((name.isin(names), ours) for ours, names in by_kind.items()))


def _platform(_field: str, raw: ir.StringValue) -> ir.StringValue:
    name = raw.strip().lower().nullif("")
    return ibis.cases((name.re_search(_X), "x"), else_=name)


_READERS: Final[Mapping[str, Reader]] = {
    "post_id": whole_id,
    "author_name": lambda _field, raw: handle(raw),
    "platform": _platform,
    "kind": lambda _field, raw: kind_of(raw),
    "duration_s": casts.number,
    "verified": casts.boolean,
    **dict.fromkeys(_PLAIN, lambda _field, raw: raw.strip().nullif("")),
    "hashtags": lambda _field, raw: listed(raw),
    "mentions": lambda _field, raw: listed(raw.lower()),
    **dict.fromkeys(("urls", "media_urls"), lambda _field, raw: links(raw)),
}

#: What the registry holds: the layout for tables that use the first name of each field.
TABLE: Final = table(tuple(names.split()[0] for names in NAMES.values()))
