"""TikTok posts as collectors store them, as `groundswell.platforms.tiktok.nested` reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.engines.cells import read_texts
from groundswell.engines.leaves import leaf_text
from groundswell.importing.fast.posts import Count, FastLayout, FastPosts, Rest, count_of, listed, not_empty, nothing
from groundswell.importing.fast.spans import COUNTS, TEXTS, Bools, Paths, Spans, Values
from groundswell.platforms.casts import EARLIEST_S, LATEST_S, MILLION
from groundswell.platforms.tiktok.nested import RAW, SITE
from groundswell.schema import CHALLENGES, METRICS
from groundswell.schema import TEXTS as TEXT_LISTS
from groundswell.text.tags import fold_tags

_COUNTS: Final = {
    "views": "itemInfos.playCount",
    "likes": "itemInfos.diggCount",
    "comments": "itemInfos.commentCount",
    "shares": "itemInfos.shareCount",
    "saves": "itemInfos.collectCount",
    "followers": "authorStats.followerCount",
}
_NAME: Final = "challengeInfoList[].challengeName"
_LEAVES: Final = {
    **dict.fromkeys(("itemInfos.id", "itemInfos.text", "itemInfos.authorId", _NAME), TEXTS),
    **dict.fromkeys(("authorInfos.userId", "authorInfos.uniqueId"), TEXTS),
    **dict.fromkeys((*_COUNTS.values(), "itemInfos.createTime"), COUNTS),
}


def read(spans: Spans) -> FastPosts:
    """The posts; a record without an id, or with a count that is no plain number, is doubted."""
    post_id = spans["itemInfos.id"]
    created, odd = _created(spans["itemInfos.createTime"])
    doubted = spans.doubted | ~(post_id.is_text & (post_id.end > post_id.begin)) | odd
    for path in _COUNTS.values():
        doubted |= spans[path].counts()[2]
    rows = np.flatnonzero(~doubted)
    name = not_empty(spans["authorInfos.uniqueId"].take(rows).texts())
    author = not_empty(_either(spans["authorInfos.userId"].take(rows), spans["itemInfos.authorId"].take(rows)))
    return FastPosts(
        row=rows,
        doubted=doubted,
        post_id=post_id.take(rows).texts(),
        author_id=author,
        author_name=name,
        created=(created[0][rows], created[1][rows]),
        observed=(np.zeros(len(rows), np.int64), np.zeros(len(rows), np.bool_)),
        text=spans["itemInfos.text"].take(rows).texts(),
        hashtags=fold_tags(_challenges(spans).take(pa.array(rows))),
        lang=nothing(len(rows)),
        kind=pa.repeat(pa.scalar("video"), len(rows)),
        counts={column: count_of(spans[path], rows)[0] for column, path in _COUNTS.items()},
    )


def _either(first: Values, second: Values) -> Any:
    return pc.coalesce(first.texts(), second.texts())


def _created(values: Values) -> tuple[Count, Bools]:
    """Times of epochs in seconds or milliseconds, and where something else stands."""
    number, known, odd = values.counts()
    seconds = known & (number >= EARLIEST_S) & (number < LATEST_S)
    millis = known & (number >= EARLIEST_S * 1000) & (number < LATEST_S * 1000)
    micros = np.where(seconds, number, 0) * MILLION + np.where(millis, number, 0) * 1000
    return (micros, seconds | millis), odd | (known & ~seconds & ~millis)


def _challenges(spans: Spans) -> Any:
    """The names of the challenges by record; null where a record lists none."""
    has = np.zeros(len(spans), np.bool_)
    has[spans.items("challengeInfoList[]")[0]] = True
    rows, names = spans.items(_NAME)
    return listed(rows, names.texts(), has)


def rest(records: Iterable[Mapping[str, Any]], posts: FastPosts) -> Rest:
    """Address, challenges, sound, media, and the author's other counts."""
    parts, challenges = [], []
    for record in records:
        parts.append(tuple(record.get(n) or {} for n in ("itemInfos", "authorInfos", "musicInfos", "authorStats")))
        challenges.append(_listed(record.get("challengeInfoList")))
    named = [(author.get("uniqueId"), item.get("id")) for item, author, _, _ in parts]
    sounds = [_sound(music, item) for item, _, music, _ in parts]
    cells, doubted = _cells(parts)
    columns = {
        "url": pa.array([f"{SITE}{name}/video/{post}" if name is not None else None for name, post in named]),
        "challenges": pa.array(challenges, CHALLENGES),
        "media_urls": pa.array([_media(item.get("video") or {}) for item, _, _, _ in parts], TEXT_LISTS),
        "metrics": pa.array(_metrics(cells.pop("author_likes"), cells.pop("author_posts")), METRICS),
    }
    names = ("music_id", "music_title", "music_author")
    columns |= {name: pa.array([sound[at] for sound in sounds], pa.string()) for at, name in enumerate(names)}
    return Rest({**columns, **cells}, doubted)


def _cells(parts: Sequence[tuple[Mapping[str, Any], ...]]) -> tuple[dict[str, pa.Array], Bools]:
    """Numbers and flags as the engines' kernel reads them, and rows with one that it cannot read."""
    texts: dict[str, tuple[Any, list[Any]]] = {
        "duration_s": (
            pa.float64(),
            [((i.get("video") or {}).get("videoMeta") or {}).get("duration") for i, *_ in parts],
        ),
        "following": (pa.int64(), [stats.get("followingCount") for *_, stats in parts]),
        "verified": (pa.bool_(), [author.get("verified") for _, author, *_ in parts]),
        "author_likes": (pa.int64(), [_first(stats.get("heartCount"), stats.get("heart")) for *_, stats in parts]),
        "author_posts": (pa.int64(), [stats.get("videoCount") for *_, stats in parts]),
    }
    doubted = np.zeros(len(parts), np.bool_)
    columns = {}
    for name, (kind, written) in texts.items():
        columns[name], unread = read_texts(pa.array(map(leaf_text, written), pa.string()), kind)
        doubted[[row for row, _ in unread]] = True
    return columns, doubted


def _metrics(likes: pa.Array, posts: pa.Array) -> list[list[tuple[str, int]] | None]:
    pairs = zip(likes.to_pylist(), posts.to_pylist(), strict=True)
    named = (zip(("author_likes", "author_posts"), pair, strict=True) for pair in pairs)
    return [[(name, value) for name, value in each if value is not None] or None for each in named]


def _listed(challenges: Sequence[Mapping[str, Any] | None] | None) -> list[dict[str, Any]] | None:
    if not challenges:
        return None
    named = [one or {} for one in challenges]
    return [{"id": leaf_text(one.get("challengeId")), "name": one.get("challengeName")} for one in named]


def _sound(music: Mapping[str, Any], item: Mapping[str, Any]) -> tuple[str | None, ...]:
    sound = _first(music.get("musicId"), item.get("musicId"))
    return tuple(leaf_text(value) or None for value in (sound, music.get("musicName"), music.get("authorName")))


def _media(video: Mapping[str, Any]) -> list[str | None] | None:
    urls, url = video.get("urls"), leaf_text(video.get("url"))
    return [leaf_text(each) for each in urls] if urls is not None else [url] if url else None


def _first(one: Any, other: Any) -> Any:
    return other if one is None else one


NESTED: Final = FastLayout(
    id="tiktok.nested",
    version=1,
    platform="tiktok",
    paths=Paths(RAW, _LEAVES, ["challengeInfoList[]"]),
    read=read,
    rest=rest,
)
