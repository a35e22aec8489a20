"""Which column of an unknown table is which field: names in several languages and spellings, checked by samples."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from groundswell.platforms.generic.habits import is_count
from groundswell.platforms.generic.names import NAMES, TITLE
from groundswell.text.characters import fold_text
from groundswell.text.times import read_time

COUNTED: Final = ("likes", "shares", "comments", "views", "saves", "followers", "following")
TIMES: Final = ("created_at", "observed_at", "author_created_at")
#: Counters without a column of their own are known by a word in their name.
_METRIC_WORDS: Final = frozenset(
    (
        *(
            "reach",
            "impressions",
            "impression",
            "clicks",
            "reactions",
            "quotes",
            "dislikes",
            "downloads",
            "interactions",
        ),
        *(
            "engagement",
            "engagements",
            "engaged",
            "consumers",
            "consumptions",
            "visits",
            "follows",
            "love",
            "wow",
            "haha",
        ),
        *("sad", "angry", "care", "upvotes", "downvotes", "awards", "crossposts", "reposts", "forwards"),
    )
)
#: What may stand before or behind the name of a counter (`Total likes`, `Views (n)`).
_BEFORE: Final = (
    "total",
    "number_of",
    "number",
    "numbr",
    "no_of",
    "num_of",
    "nb_of",
    "count_of",
    "num",
    "nb",
    "n",
    "post",
    "tweet",
    "video",
)
_BEHIND: Final = ("n", "count", "total", "number", "num", "no", "nb")
#: Columns whose name says what platform the table is of.
_OF_X: Final = frozenset(
    (
        "retweets",
        "retweet_count",
        "retweetcount",
        "is_retweet",
        "tweet",
        "tweet_id",
        "tweetid",
        "tweet_text",
        "tweet_url",
    )
)
#: Objects that hold what belongs to the post itself: `stats.likes` is as good as `likes`.
_CONTAINERS: Final = frozenset(
    (
        "stats",
        "statistics",
        "metrics",
        "public_metrics",
        "counts",
        "engagement",
        "post",
        "data",
        "attributes",
        "content",
    )
)
#: Hosts of posts, and the platform of each.
_HOSTS: Final = {
    "tiktok.com": "tiktok",
    "douyin.com": "douyin",
    "youtube.com": "youtube",
    "youtu.be": "youtube",
    "instagram.com": "instagram",
    "facebook.com": "facebook",
    "fb.watch": "facebook",
    "twitter.com": "x",
    "x.com": "x",
    "reddit.com": "reddit",
    "redd.it": "reddit",
    "bsky.app": "bluesky",
    "threads.net": "threads",
    "threads.com": "threads",
    "t.me": "telegram",
    "linkedin.com": "linkedin",
    "pinterest.com": "pinterest",
    "vk.com": "vk",
    "weibo.com": "weibo",
    "truthsocial.com": "truthsocial",
    "gab.com": "gab",
    "9gag.com": "9gag",
    "imgur.com": "imgur",
    "tumblr.com": "tumblr",
}
_HOST: Final = re.compile(r"https?://(?:[a-z0-9-]+\.)*?([a-z0-9-]+\.[a-z]+)(?:[/?#:]|$)", re.IGNORECASE)
_OWN_NAMES: Final = {
    "tiktok_url": "tiktok",
    "author_forwarded_from_name": "telegram",
    "subreddit": "reddit",
    "tweet_id": "x",
}
#: The share of addresses that must be of one platform to say what the table is of.
_MOSTLY: Final = 0.9
_CAPITAL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_HEADERLESS: Final = re.compile(r"column_\d+")
_WORDS: Final = 3
_DAY_FIRST: Final = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})(?!\d)", re.ASCII)
_NUMBER: Final = re.compile(r"[-+]?\d[\d.,' ]*(e[-+]?\d+)?", re.ASCII | re.IGNORECASE)


@lru_cache(maxsize=4096)
def plain_name(column: str) -> str:
    """A column's name folded, without accents, with `_` for everything between letters and digits.

    >>> plain_name(" Retweet-Count ")
    'retweet_count'
    """
    bare = "".join(c for c in unicodedata.normalize("NFD", fold_text(column)) if not unicodedata.combining(c))
    return re.sub(r"[\W_]+", "_", bare).strip("_")


#: What makes an id alone worth keeping.
_WITH_ID: Final = (*COUNTED, "created_at", "author_name", "author_id", "url", "hashtags", TITLE)
#: `NAMES` as `guess` compares them: a stream asks for each record of a sample.
_PLAIN: Final = {field: tuple(plain_name(name) for name in names.split()) for field, names in NAMES.items()}
_COMPACT: Final = {field: tuple(name.replace("_", "") for name in names) for field, names in _PLAIN.items()}
#: Columns of a comment: one that names what it answers to as well is known by its own id.
_COMMENT: Final = "commentid"
_COUNTER_NAMES: Final = frozenset(name for field in COUNTED for name in _PLAIN[field])


def guess(columns: Sequence[str], samples: Iterable[Mapping[str, Any]] = ()) -> dict[str, str]:
    """The column of each field that can be guessed; each column at most once.

    Where `samples` (rows as mappings) show something in a column, it must be readable as the field in one of them.
    Of a table without names of columns (`column_1`) only the text is guessed, as the column with the longest ones.

    >>> guess(["Tweet ID", "Text", "Favorites", "mood"])
    {'post_id': 'Tweet ID', 'text': 'Text', 'likes': 'Favorites'}
    """
    rows = list(samples)
    if columns and all(_HEADERLESS.fullmatch(column) for column in columns):
        return _wordiest(columns, rows)
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(plain_name(column).replace("_", ""), column)
    for column in columns:
        for name in _other_names(column):
            by_name.setdefault(name.replace("_", ""), column)
    found: dict[str, str] = {}
    taken: set[str] = set()
    for field, names in _COMPACT.items():
        for name in (_COMMENT, *names) if field == "post_id" else names:
            candidate = by_name.get(name)
            if candidate is not None and candidate not in taken and _fits(field, candidate, rows):
                found[field] = candidate
                taken.add(candidate)
                break
    if "text" not in found and TITLE in found:
        found["text"] = found.pop(TITLE)
    return found


def _other_names(column: str) -> Iterator[str]:
    """What a column could be called as well: without the object that it is in, without a word for a number."""
    holder, dot, rest = column.partition(".")
    if dot and plain_name(holder) in _CONTAINERS:
        yield plain_name(rest)
    name = plain_name(_CAPITAL.sub("_", column))
    for word in _BEFORE:
        if name.startswith(f"{word}_") and name.removeprefix(f"{word}_") in _COUNTER_NAMES:
            yield name.removeprefix(f"{word}_")
    for word in _BEHIND:
        if name.endswith(f"_{word}") and name.removesuffix(f"_{word}") in _COUNTER_NAMES:
            yield name.removesuffix(f"_{word}")


def metrics_of(columns: Iterable[str], rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The columns that are counters by a word in their name and by what stands in them, by their plain name.

    >>> metrics_of(["Lifetime Post Total Reach", "reach of thought"], [{"Lifetime Post Total Reach": 5}])
    {'lifetime_post_total_reach': 'Lifetime Post Total Reach'}
    """
    found: dict[str, str] = {}
    for column in columns:
        name = plain_name(column)
        shown = [] if _METRIC_WORDS.isdisjoint(name.split("_")) else _shown(column, rows)
        if shown and all(map(_is_count, shown)):
            found.setdefault(name, column)
    return found


def is_enough(found: Container[str]) -> bool:
    """Whether some guessed fields make a post: a text, an id or an address and something beside it, or counters."""
    counters = sum(field in found for field in COUNTED)
    if "text" in found or TITLE in found:
        return True
    if "post_id" in found:
        return any(field in found for field in _WITH_ID)
    if "url" in found:
        return counters > 0 or "created_at" in found
    return counters > 2 or (counters > 1 and any(field in found for field in ("created_at", "kind", "author_name")))


def platform_of(columns: Iterable[str], addresses: Iterable[str] = (), default: str = "unknown") -> str:
    """The platform that the columns' names or the posts' addresses give away, else `default`.

    >>> platform_of(["text", "url"], ["https://www.tiktok.com/@a/video/1"]), platform_of(["text"])
    ('tiktok', 'unknown')
    """
    names = {plain_name(column) for column in columns}
    if _OF_X & names:
        return "x"
    own = next((platform for name, platform in _OWN_NAMES.items() if name in names), None)
    if own is not None:
        return own
    found = [_HOSTS.get(match[1].lower()) if (match := _HOST.match(text.strip())) else None for text in addresses]
    if not found:
        return default
    winner, count = Counter(found).most_common(1)[0]
    return winner if winner is not None and count >= _MOSTLY * len(found) else default


def why_not(columns: Sequence[str], samples: Iterable[Mapping[str, Any]] = ()) -> str:
    """Why a table or a record is none of posts: what its columns are, and what to do.

    >>> why_not(["timestamp", "value"], [{"timestamp": "2015-02-26 21:42:53", "value": "104"}])
    'a series of numbers over time, not posts: columns timestamp, value'
    """
    rows = list(samples)
    listed = ", ".join(columns)[:200]
    shown = {column: _shown(column, rows) for column in columns}
    times = [column for column, values in shown.items() if values and all(_is_time(value) for value in values)]
    numbers = [column for column, values in shown.items() if values and all(_is_number(value) for value in values)]
    if times and numbers and len(set(times) | set(numbers)) == len(columns):
        return f"a series of numbers over time, not posts: columns {listed}"
    return f"no text and no id of a post among the columns {listed}; name one: --map text=COLUMN"


def _wordiest(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The column whose texts have the most words, if they have some on average."""
    sizes = {}
    for column in columns:
        shown = _shown(column, rows)
        sizes[column] = sum(len(str(value).split()) for value in shown) / max(len(shown), 1)
    best = max(sizes, key=lambda column: sizes[column])
    return {"text": best} if sizes[best] >= _WORDS else {}


def _shown(column: str, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    return [value for row in rows if (value := row.get(column)) is not None and str(value).strip()]


def _is_time(value: Any) -> bool:
    if isinstance(value, list | dict):
        return False
    text = str(value)
    return read_time(text) is not None or read_time(_DAY_FIRST.sub(r"\2/\1/\3", text)) is not None


def _is_number(value: Any) -> bool:
    text = str(value).strip().rstrip("%")
    return not isinstance(value, list | dict) and _NUMBER.fullmatch(text) is not None


def _is_count(value: Any) -> bool:
    return not isinstance(value, list | dict) and is_count(str(value))


def _fits(field: str, column: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    shown = _shown(column, rows)
    if not shown:
        return True
    if field in ("text", TITLE):
        return any(isinstance(value, str) and not _is_number(value) for value in shown)
    readable: Callable[[Any], object] | None = None
    if field in COUNTED:
        readable = _is_count
    elif field in TIMES:
        readable = _is_time
    if readable is not None:
        return any(map(readable, shown))
    return field in ("hashtags", "mentions", "urls", "media_urls") or not all(
        isinstance(value, list | dict) for value in shown
    )
