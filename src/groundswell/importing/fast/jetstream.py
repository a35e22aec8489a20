"""Events of Bluesky's Jetstream, as `groundswell.platforms.bluesky.jetstream` reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.engines.leaves import leaf_text
from groundswell.importing.fast.posts import FastLayout, FastPosts, Rest, listed, not_empty, nothing
from groundswell.importing.fast.spans import COUNTS, TEXTS, Bools, Made, Paths, Spans, member, plain, value
from groundswell.kernels.records import ABSENT, NULL
from groundswell.platforms.bluesky.common import SITE
from groundswell.platforms.bluesky.jetstream import RAW
from groundswell.schema import TEXTS as TEXT_LISTS
from groundswell.text.tags import fold_tags
from groundswell.text.times import EARLIEST_US, LATEST_US

_POST: Final = "app.bsky.feed.post"
_CREATE, _UPDATE, _DELETE = 1, 2, 3
_NONE: Final[dict[str, Any]] = {}
#: As in `groundswell.platforms.bluesky.common`.
_PLACE: Final = re.compile("^at://([^/]+)/app[.]bsky[.]feed[.]post/([^/]+)$")
_QUOTED: Final = re.compile('"uri"[ ]*:[ ]*"(at://[^"]+)"')
_RECORD: Final = "commit.record"
_TAG: Final = f"{_RECORD}.facets[].features[].tag"
_EMBED: Final = f"{_RECORD}.embed"
_LEAVES: Final = {
    "did": TEXTS,
    "time_us": COUNTS,
    "kind": TEXTS,
    "commit.operation": TEXTS,
    "commit.collection": TEXTS,
    "commit.rkey": TEXTS,
    f"{_RECORD}.text": TEXTS,
    f"{_RECORD}.createdAt": TEXTS,
    f"{_RECORD}.langs[]": TEXTS,
    f"{_RECORD}.tags[]": TEXTS,
    _TAG: TEXTS,
}
#: Of an embed only what is there decides what kind of post it is.
_THERE: Final = (
    *(f"{_EMBED}.images[]", f"{_EMBED}.media.images[]", f"{_EMBED}.images", f"{_EMBED}.video", f"{_EMBED}.media.video"),
    *(f"{_EMBED}.external.uri", f"{_EMBED}.media.external.uri"),
)
_URI: Final = f"{_RECORD}.facets[].features[].uri"
_PARENT, _ROOT, _CID = f"{_RECORD}.reply.parent.uri", f"{_RECORD}.reply.root.uri", "commit.cid"
_OWN, _BESIDE, _QUOTE = f"{_EMBED}.external.uri", f"{_EMBED}.media.external.uri", f"{_EMBED}.record"


def read(spans: Spans) -> FastPosts:
    """The posts; deletions, likes and news of accounts are no posts, and what is anything else is doubted."""
    post = spans["commit.collection"].are(_POST)
    operation = spans["commit.operation"].which("create", "update", "delete")
    made = (operation == _CREATE) | (operation == _UPDATE)
    did = spans["did"]
    named = did.is_text & (did.end > did.begin)
    seen, has_seen, odd = spans["time_us"].counts()
    in_time = has_seen & (seen >= EARLIEST_US) & (seen < LATEST_US)
    others = named & in_time & _is_no_post(spans, post, operation == _DELETE)
    rkey = spans["commit.rkey"]
    good = post & made & named & in_time & rkey.is_text & (rkey.end > rkey.begin)
    said, has_said, odd_said = spans[f"{_RECORD}.createdAt"].times()
    doubted = spans.doubted | odd | (~good & ~others) | (good & odd_said)
    given, odd_tags = _hashtags(spans)
    doubted |= odd_tags & good
    rows = np.flatnonzero(good & ~doubted)
    (uri, author, text), _ = spans.write(_of(spans.paths)[0], rows)
    return FastPosts(
        row=rows,
        doubted=doubted,
        post_id=uri,
        author_id=author,
        author_name=nothing(len(rows)),
        created=(np.minimum(said, seen)[rows], has_said[rows]),
        observed=(seen[rows], operation[rows] == _UPDATE),
        text=text,
        hashtags=fold_tags(given.take(pa.array(rows))),
        lang=_first_lang(spans).take(pa.array(rows)),
        kind=_kinds(spans).take(pa.array(rows)),
    )


def _is_no_post(spans: Spans, post: Bools, deleted: Bools) -> Bools:
    """Events that the layout ignores."""
    kind, collection = spans["kind"], spans["commit.collection"]
    other = collection.is_text & ~post
    news = kind.are("identity", "account") & (collection.kind == ABSENT)
    ignored: Bools = other | (post & deleted) | news
    return ignored


def _hashtags(spans: Spans) -> tuple[Any, Bools]:
    """Hashtags of facets, then those of `tags`, by record; and records with one that is blank."""
    (of_facets, facets), (of_tags, tags) = spans.items(_TAG), spans.items(f"{_RECORD}.tags[]")
    rows = np.concatenate((of_facets, of_tags))
    texts = pa.concat_arrays([facets.texts(), tags.texts()])
    order = np.argsort(rows, kind="stable")
    rows, texts = rows[order], texts.take(pa.array(order))
    blank = np.zeros(len(spans), np.bool_)
    bare = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(texts), ""), False).to_numpy(zero_copy_only=False)
    blank[rows[bare]] = True
    kept = texts.is_valid().to_numpy(zero_copy_only=False)
    rows, texts = rows[kept], texts.drop_null()
    has = np.zeros(len(spans), np.bool_)
    has[rows] = True
    return listed(rows, texts, has), blank


def _first_lang(spans: Spans) -> Any:
    rows, langs = spans.items(f"{_RECORD}.langs[]")
    distinct, first = np.unique(rows, return_index=True)
    at = np.full(len(spans), -1, np.int64)
    at[distinct] = first
    return not_empty(langs.texts().take(pa.array(at, mask=at < 0)))


def _kinds(spans: Spans) -> Any:
    def there(path: str) -> Bools:
        return spans[path].is_there

    own, media = (
        np.bincount(spans.items(f"{_EMBED}{part}.images[]")[0], minlength=len(spans)) for part in ("", ".media")
    )
    # An empty list of its own counts before that of the media beside a quote.
    images = np.where(spans[f"{_EMBED}.images"].kind > NULL, own, media)
    video = there(f"{_EMBED}.video") | there(f"{_EMBED}.media.video")
    link = there(f"{_EMBED}.external.uri") | there(f"{_EMBED}.media.external.uri")
    chosen = np.select([video, images > 1, images == 1, link], [0, 1, 2, 3], 4)
    return pa.array(["video", "carousel", "image", "link", "text"], pa.string()).take(pa.array(chosen))


def rest(records: Iterable[Mapping[str, Any]], posts: FastPosts) -> Rest:
    """Addresses, links and what a post answers or quotes."""
    urls, extras = [], []
    doubted = np.zeros(len(posts.row), np.bool_)
    for at, record in enumerate(records):
        commit = record["commit"]
        post = commit.get("record") or _NONE
        uris = [
            feature.get("uri")
            for facet in post.get("facets") or ()
            if facet
            for feature in facet.get("features") or ()
            if feature
        ]
        links = [leaf_text(uri) for uri in uris if uri is not None]
        embed = post.get("embed") or _NONE
        quoted = embed.get("record")
        quote = None if quoted is None else _QUOTED.search(leaf_text(quoted) or "")
        doubted[at] = any(not (link or "").strip() for link in links) or (quote is not None and "\\" in quote[1])
        urls.append(links or None)
        extras.append(_extra(post.get("reply") or _NONE, embed, quote and quote[1], commit.get("cid")))
    places = [_PLACE.search(uri) for uri in posts.post_id.to_pylist()]
    addresses = [place and f"{SITE}{place[1]}/post/{place[2]}" for place in places]
    columns = {"url": pa.array(addresses, pa.string()), "urls": pa.array(urls, TEXT_LISTS)}
    return Rest({**columns, "extra": pa.array(extras, pa.string())}, doubted)


def columns(spans: Spans, posts: FastPosts) -> Rest:
    """As `rest`, of many posts at once; those that quote another, and those with escapes in an address, are doubted.

    So are those with a link beside other media, which stands beside a quote: it would be written for all of them.
    """
    rows = posts.row
    (url, extra), doubted = spans.write(_of(spans.paths)[1], rows)
    doubted |= spans[_QUOTE].is_there[rows] | (spans[_BESIDE].is_there & ~spans[_OWN].is_there)[rows]
    of_uri, uris = spans.items(_URI)
    texts = uris.texts()
    blank = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(texts), ""), False).to_numpy(zero_copy_only=False)
    odd, has = np.zeros(len(spans), np.bool_), np.zeros(len(spans), np.bool_)
    odd[of_uri[blank]] = True
    kept = texts.is_valid().to_numpy(zero_copy_only=False)
    has[of_uri[kept]] = True
    links = listed(of_uri[kept], texts.drop_null(), has).take(pa.array(rows))
    return Rest({"url": url, "urls": links, "extra": extra}, doubted | odd[rows])


@cache
def _of(paths: Paths) -> tuple[Made, Made]:
    """Texts of a post: identity, author, text; then its address and the rest."""
    did, rkey = "did", "commit.rkey"
    mine = Made(paths, ["at://", value(did), f"/{_POST}/", value(rkey)], [value(did)], [value(f"{_RECORD}.text")])
    if _CID not in paths.single:
        return mine, mine
    rest = [member("reply_to", _PARENT), member("thread", _ROOT), member("link", _OWN), member("cid", _CID)]
    return mine, Made(paths, [f"{SITE}", plain(did), "/post/", plain(rkey)], rest)


def _extra(reply: Mapping[str, Any], embed: Mapping[str, Any], quoted: str | None, cid: Any) -> str | None:
    own = (embed.get("external") or _NONE).get("uri")
    beside = ((embed.get("media") or _NONE).get("external") or _NONE).get("uri")
    found = {
        "reply_to": leaf_text((reply.get("parent") or _NONE).get("uri")),
        "thread": leaf_text((reply.get("root") or _NONE).get("uri")),
        "quote_of": quoted,
        "link": leaf_text(beside if own is None else own),
        "cid": leaf_text(cid),
    }
    known = {name: value for name, value in found.items() if value}
    return msgspec.json.encode(known).decode() if known else None


JETSTREAM: Final = FastLayout(
    id="bluesky.jetstream",
    version=1,
    platform="bluesky",
    paths=Paths(RAW, _LEAVES, _THERE),
    read=read,
    rest=rest,
    every=Paths(RAW, {**_LEAVES, _URI: TEXTS}, (*_THERE, _PARENT, _ROOT, _CID, _QUOTE)),
    columns=columns,
)
