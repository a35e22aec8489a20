"""TikTok posts as collectors store them, as `groundswell.platforms.tiktok.nested` reads them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.platforms.casts import EARLIEST_S, LATEST_S, MILLION
from groundswell.platforms.tiktok.nested import RAW
from groundswell.text.tags import fold_tags
from groundswell.watch.fast.posts import Count, FastLayout, FastPosts, count_of, listed, not_empty, nothing
from groundswell.watch.fast.spans import COUNTS, TEXTS, Bools, Paths, Spans, Values

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


NESTED: Final = FastLayout(
    id="tiktok.nested",
    version=1,
    platform="tiktok",
    paths=Paths(RAW, _LEAVES, ["challengeInfoList[]"]),
    read=read,
)
