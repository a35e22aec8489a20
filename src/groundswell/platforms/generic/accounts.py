"""Tables of accounts that are of no platform's own layout (rankings of influencers, statistics of channels): authors.

A row is an account and no post where it has a name and an audience, something that only an account has (how many
posts it made, what it says about itself, averages over its posts), and nothing that only a post has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.errors import ConflictError
from groundswell.platforms import casts
from groundswell.platforms.generic.addresses import is_of_a_post
from groundswell.platforms.generic.columns import plain_name, platform_of
from groundswell.platforms.generic.habits import (
    CountStyle,
    Habits,
    count_style,
    day_order,
    is_count,
    is_parted,
    ordered_day,
    styled_count,
)
from groundswell.platforms.generic.names import NAMES
from groundswell.platforms.generic.nested import Path_, at, distinct, leaves_of, raw_of
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import handle
from groundswell.platforms.written import whole_id

if TYPE_CHECKING:
    import ibis.expr.types as ir

NAME: Final = "accounts"
#: Names of columns by field of an author, the likeliest first, as `NAMES` has them for posts.
ACCOUNT_NAMES: Final[Mapping[str, str]] = {
    "author_id": "author_id user_id userid channel_id account_id profile_id page_id owner_id id uid",
    "author_name": (
        "username user_name screen_name handle unique_id insta_name influencer_insta_name instagram_username "
        "channel_info youtuber_name youtuber tiktoker_name tiktoker influencer influencer_name streamer creator "
        "creator_name channel_name channel account account_name profile_name page_name author_name author user"
    ),
    "display_name": "full_name fullname display_name nickname instagram_name tiktok_name name channel_title title",
    "url": "url link profile_url profile_link channel_url account_url page_url permalink",
    "text": "biography bio about description signature profile_description user_description channel_description",
    "created_at": (
        "account_created account_created_at author_created_at user_created user_created_at joined joined_at "
        "join_date date_joined channel_created created_at created published_at"
    ),
    "observed_at": NAMES["observed_at"],
    "followers": f"{NAMES['followers']} subscribers_count total_followers total_subscribers nb_followers n_followers",
    "following": f"{NAMES['following']} followings friends followees",
    "posts": (
        "posts posts_count post_count num_posts media_count uploads upload_count video_count videos_count videos "
        "total_videos total_posts tweets tweet_count tweets_count statuses statuses_count nb_posts n_posts"
    ),
    "likes": "total_likes likes_total likes_received hearts heart_count heart total_hearts likes likes_count",
    "views": (
        "total_views video_views channel_views views_total view_count views_count views total_video_views "
        "lifetime_views"
    ),
    "verified": NAMES["verified"],
    "lang": NAMES["lang"],
    "region": NAMES["region"],
}
COUNTED: Final = ("followers", "following", "posts", "likes", "views")
_TIMES: Final = ("created_at", "observed_at")
_NAMED: Final = ("author_id", "author_name", "display_name")
#: Words in the names of further columns that only a table of accounts has.
_EVIDENT: Final = frozenset(("avg", "average", "mean", "influence", "audience", "engagement"))
#: Names that a post's column and an account's share, so that they tell nothing.
_SHARED: Final = frozenset(
    (
        *("id", "uid", "type", "picture", "date", "datum", "data", "fecha", "created_date"),
        *(name for names in ACCOUNT_NAMES.values() for name in names.split()),
    )
)


def _of_posts(*fields: str) -> frozenset[str]:
    """Names of columns that a post has in these fields and an account has not."""
    return frozenset(name.replace("_", "") for field in fields for name in NAMES[field].split() if name not in _SHARED)


_POSTS_ALONE: Final = _of_posts(
    *("post_id", "text", "created_at", "hashtags", "mentions"),
    *("media_urls", "url", "kind", "duration_s", "music_id"),
)
_COUNTS_OF_POSTS: Final = _of_posts("shares", "comments", "saves")
#: Words in the names of columns that tell the platform.
_PLATFORMS: Final = {
    **dict.fromkeys(("youtuber", "youtube", "uploads", "subscribers", "subscriber"), "youtube"),
    **dict.fromkeys(("tiktoker", "tiktok", "hearts", "heart"), "tiktok"),
    **dict.fromkeys(("insta", "instagram"), "instagram"),
    **dict.fromkeys(("tweets", "tweet", "twitter", "statuses"), "x"),
}
#: Cells of a column that are looked at.
_ROWS: Final = 20_000
#: Digits that numbers of rows have at most.
_SHORT: Final = 6

Rows = Sequence[Mapping[str, Any]]
Chosen = tuple[tuple[str, str], ...]


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the record has a name, an audience, something that only an account has, and nothing of a post."""
    paths = leaves_of(list(record), [record])
    flat = {name: _leaf(record, path) for name, path in paths.items()}
    chosen = chosen_of(flat, [flat])
    return is_account(chosen, flat) and not is_of_a_post(str(flat.get(chosen.get("url", ""))))


def is_account(chosen: Mapping[str, str], columns: Iterable[str]) -> bool:
    """Whether columns are those of an account, by the fields that were found among them.

    >>> columns = ["Youtuber", "subscribers", "uploads", "Country"]
    >>> is_account(chosen_of(columns), columns), is_account(chosen_of(["user", "followers"]), ["user", "followers"])
    (True, False)
    """
    if "followers" not in chosen or not any(field in chosen for field in _NAMED):
        return False
    names = {column: plain_name(column) for column in columns}
    compact = {name.replace("_", "") for name in names.values()}
    counts_posts = "posts" in chosen
    if not compact.isdisjoint(_POSTS_ALONE) or not (counts_posts or compact.isdisjoint(_COUNTS_OF_POSTS)):
        return False
    words = {word for column, name in names.items() if column not in chosen.values() for word in name.split("_")}
    averages = not words.isdisjoint(_EVIDENT)
    if names.get(chosen.get("display_name", "")) == "title":
        published = names.get(chosen.get("created_at", "")) == "published_at"
        return counts_posts and "likes" not in chosen and not published
    if "likes" in chosen:
        return counts_posts  # a rate of engagement stands beside the likes of a post, too
    says = "text" in chosen and names[chosen["text"]] != "description"
    return counts_posts or averages or says or "following" in chosen


def chosen_of(columns: Iterable[str], rows: Rows = ()) -> dict[str, str]:
    """The column of each field of an author that can be told by its name; each column at most once.

    >>> chosen_of(["username", "full_name", "followers", "media_count"])
    {'author_name': 'username', 'display_name': 'full_name', 'followers': 'followers', 'posts': 'media_count'}
    """
    by_name: dict[str, str] = {}
    for column in columns:
        for name in _names_of(column):
            by_name.setdefault(name, column)
    found: dict[str, str] = {}
    for field, names in _COMPACT.items():
        for name in names:
            candidate = by_name.get(name)
            if candidate is not None and candidate not in found.values() and _fits(field, candidate, rows):
                found[field] = candidate
                break
    return found


_COMPACT: Final = {
    field: tuple(plain_name(name).replace("_", "") for name in names.split()) for field, names in ACCOUNT_NAMES.items()
}


def _names_of(column: str) -> Iterator[str]:
    """What a column may be called: by its whole name, and by that of its leaf in an object."""
    yield plain_name(column).replace("_", "")
    if "." in column:
        yield plain_name(column.rpartition(".")[2]).replace("_", "")


def _fits(field: str, column: str, rows: Rows) -> bool:
    shown = [text for text in _texts_of(rows, column) if text.strip()]
    if field in COUNTED:
        return not shown or any(is_count(text) for text in shown)
    if field in ("author_name", "display_name", "text"):
        return not shown or not all(is_count(text) for text in shown)
    # A table's `id` may be the number of its row.
    return field != "author_id" or plain_name(column) not in ("id", "uid") or not shown or max(map(len, shown)) > _SHORT


def _texts_of(rows: Rows, column: str) -> list[str]:
    return [
        str(value)
        for row in rows[:_ROWS]
        if (value := row.get(column)) is not None and not isinstance(value, list | dict)
    ]


def _leaf(record: Mapping[str, Any], path: Path_) -> Any:
    value: Any = record
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def fitted(
    columns: Sequence[str],
    samples: Iterable[Mapping[str, Any]] = (),
    tz: str = "UTC",
    platform: str | None = None,
    habits: Habits | None = None,
) -> Layout:
    """The layout for a table of accounts with these columns; the same arguments give the same object.

    Raises:
        ConflictError: no column names an account.
    """
    rows = list(samples)
    paths = distinct(leaves_of(columns, rows))
    flat = [{name: _leaf(row, path) for name, path in paths.items()} for row in rows]
    chosen = chosen_of(paths, flat)
    if not any(field in chosen for field in _NAMED):
        what = "no column looks like the name of an account"
        raise ConflictError(what, where=", ".join(paths), hint="it is read as posts with --layout generic.table")
    habits = habits or _habits(chosen, flat)
    url = chosen.get("url")
    of = platform or platform_of((), _texts_of(flat, url) if url else (), _told_by(paths))
    return _fitted(tuple(paths.items()), tuple(sorted(chosen.items())), habits, tz, (of, platform))


def joined(layout: Layout, columns: Sequence[str]) -> Layout:
    """A fitted layout over more columns."""
    said = layout.parameters
    return fitted(columns, (), said["tz"], said["platform"], said["habits"])


def _told_by(columns: Iterable[str]) -> str:
    words = [word for column in columns for word in plain_name(column).split("_")]
    return next((_PLATFORMS[word] for word in words if word in _PLATFORMS), "unknown")


def _habits(chosen: Mapping[str, str], rows: Rows) -> Habits:
    times = {chosen[field]: _texts_of(rows, chosen[field]) for field in _TIMES if field in chosen}
    styles = {chosen[field]: count_style(_texts_of(rows, chosen[field])) for field in COUNTED if field in chosen}
    return Habits(
        day_order(text for texts in times.values() for text in texts),
        tuple(column for column, texts in times.items() if is_parted(texts)),
        tuple(sorted(((column, style) for column, style in styles.items() if not style.is_plain), key=str)),
    )


@lru_cache(maxsize=256)
def _fitted(
    columns: tuple[tuple[str, Path_], ...], chosen: Chosen, habits: Habits, tz: str, platform: tuple[str, str | None]
) -> Layout:
    paths, fields = dict(columns), dict(chosen)
    rest = [column for column in paths if column and column not in fields.values()]
    return Layout(
        platform="generic",
        name=NAME,
        version=1,
        shape=Shape.OBJECT if any(len(path) > 1 for path in paths.values()) else Shape.ROW,
        raw=raw_of(paths[column] for column in (*fields.values(), *rest)),
        matches=matches,
        posts=partial(_authors, _Reading(fields, paths, rest, habits, tz, platform[0])),
        description="any table or JSON of accounts: a name, an audience, and what only an account has",
        parameters=MappingProxyType({"fields": fields, "tz": tz, "platform": platform[1], "habits": habits}),
        table="authors",
    )


@dataclass(frozen=True)
class _Reading:
    """What the expression needs to know: the column of each field, where columns are, and how they are written."""

    chosen: Mapping[str, str]
    paths: Mapping[str, Path_]
    rest: Sequence[str]
    habits: Habits
    tz: str
    platform: str

    def cell(self, raw: ir.Table, column: str) -> ir.StringValue:
        """The text in a column."""
        return at(raw, self.paths[column])

    def read(self, raw: ir.Table, field: str) -> casts.Cell | ir.Value:
        """A field's value."""
        column = self.chosen[field]
        cell = self.cell(raw, column)
        if field in _TIMES:
            parted = self.habits.day_first is not None and column in self.habits.parted
            written = ordered_day(cell, bool(self.habits.day_first)) if parted else cell
            return casts.Cell(field, cell, casts.moment(field, written, self.tz).value)
        if field in COUNTED:
            style: CountStyle = self.habits.style_of(column)
            return styled_count(field, cell, style)
        if field == "author_id":
            return whole_id(field, cell)
        if field == "verified":
            return casts.boolean(field, cell)
        return handle(cell) if field == "author_name" else casts.text(cell.strip())


def _authors(reading: _Reading, raw: ir.Table) -> ir.Table:
    """One author for each row; columns that are no field of an author are in `extra`."""
    columns = {field: reading.read(raw, field) for field in reading.chosen}
    return casts.mapped(
        raw,
        columns | {"platform": ibis.literal(reading.platform)},
        extra={column: casts.text(reading.cell(raw, column).strip()) for column in reading.rest},
        required=[field for field in _NAMED if field in columns],
    )


#: What the registry holds: the layout for tables that use the first name of each field.
ACCOUNTS: Final = fitted(tuple(names.split()[0] for names in ACCOUNT_NAMES.values()))
