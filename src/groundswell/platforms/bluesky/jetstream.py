"""Events of Bluesky's Jetstream: new and edited posts; likes, follows, deletions and news of accounts are ignored.

An edited post is a further observation, seen at the event's time; a new one says nothing of when it was seen, so that
the same event from two servers is the same post.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis

from groundswell.platforms import casts
from groundswell.platforms.bluesky.common import NO_TIME, RECORD, post_url, record_columns, record_extra
from groundswell.platforms.layout import Layout, Shape
from groundswell.platforms.parts import other_than

if TYPE_CHECKING:
    import ibis.expr.types as ir

_POST: Final = "app.bsky.feed.post"

RAW: Final = {
    "did": "string",
    "time_us": "string",
    "kind": "string",
    "commit": f"struct<operation: string, collection: string, rkey: string, cid: string, record: {RECORD}>",
}

#: What the records of other collections are.
_COLLECTIONS: Final = {
    "app.bsky.feed.like": "a like",
    "app.bsky.feed.repost": "a repost",
    "app.bsky.feed.threadgate": "a rule for replies",
    "app.bsky.feed.postgate": "a rule for quotes",
    "app.bsky.feed.generator": "a feed",
    "app.bsky.graph.follow": "a follow",
    "app.bsky.graph.block": "a block",
    "app.bsky.graph.list": "a list",
    "app.bsky.graph.listitem": "an entry of a list",
    "app.bsky.graph.listblock": "a block of a list",
    "app.bsky.graph.starterpack": "a starter pack",
    "app.bsky.actor.profile": "a profile",
}
_KINDS: Final = {"identity": "news of an identity", "account": "news of an account"}


def matches(record: Mapping[str, Any]) -> bool:
    """Whether the record is a commit of a post."""
    commit = record.get("commit")
    return "did" in record and isinstance(commit, Mapping) and commit.get("collection") == _POST


def ignores(record: Mapping[str, Any]) -> str | None:
    """What an event is if it is no new or edited post."""
    if "did" not in record or "time_us" not in record:
        return None
    kind, commit = record.get("kind"), record.get("commit")
    if isinstance(kind, str) and kind in _KINDS:
        return _KINDS[kind]
    if not isinstance(commit, Mapping):
        return None
    collection = commit.get("collection")
    if commit.get("operation") == "delete":
        return "a deletion"
    if not isinstance(collection, str) or collection == _POST:
        return None
    return _COLLECTIONS.get(collection, "a record that is no post")


def posts(raw: ir.Table) -> ir.Table:
    """One post for each event; its id is the `at://` address."""
    commit = raw.commit
    uri = "at://" + raw.did + "/" + commit.collection + "/" + commit.rkey
    seen = casts.moment("time_us", raw.time_us)
    columns = record_columns(commit.record, seen)
    edited = commit.operation == "update"
    columns |= {
        "post_id": uri,
        "url": post_url(uri),
        "author_id": raw.did.nullif(""),
        "observed_at": casts.moment("time_us", ibis.cases((edited, raw.time_us))),
    }
    return casts.mapped(
        raw,
        columns,
        extra={**record_extra(commit.record), "cid": commit.cid.nullif("")},
        rejects=[
            (other_than(commit.collection, _POST), "a record that is no post"),
            ((commit.operation == "delete").fill_null(False), "a deletion"),
        ],
        required=["post_id"],
        reject_unread={"created_at": NO_TIME},
    )


JETSTREAM: Final = Layout(
    platform="bluesky",
    name="jetstream",
    version=1,
    shape=Shape.OBJECT,
    raw=RAW,
    matches=matches,
    posts=posts,
    description="events of Bluesky's Jetstream with commits of app.bsky.feed.post",
    ignores=ignores,
)
