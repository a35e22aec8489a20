"""Which rows of the lake are the same post, and which of them is its latest observation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ibis

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: Name of the column that says which post a row observes; unique within a platform.
POST: Final = "post_identity"
#: Ibis type of a time literal that is compared with a time of a post.
STAMP: Final = "timestamp('UTC', 6)"


def post_identity(posts: ir.Table) -> ir.StringValue:
    """The post's id, or its author, time and text where it has none; never null. Unique within a platform."""
    content = ibis.literal("")
    for part in (author_identity(posts), posts["created_at"].cast("string"), posts["text"]):
        content = content + "\n" + part.fill_null("")
    return posts["post_id"].fill_null(content)


def author_identity(posts: ir.Table) -> ir.StringValue:
    """The author's id, or handle where there is none; null where neither is known. Unique within a platform."""
    return ibis.coalesce(posts["author_id"], posts["author_name"])


def latest_rows(posts: ir.Table) -> ir.Table:
    """The `ingest_seq` of the latest observation of each post (one column), by `observed_at`, then `ingest_seq`.

    An observation without a time of its own counts as the oldest: one with a time says when it was true.
    """
    return _latest_numbers(posts, post_identity(posts))


def latest(posts: ir.Table) -> ir.Table:
    """The rows of `posts` that are the latest observation of their post, all columns."""
    return posts.semi_join(latest_rows(posts), "ingest_seq")


def latest_by(table: ir.Table, identity: ir.StringValue) -> ir.Table:
    """As `latest`, for any table of observations: what `identity` and `platform` name is one thing."""
    return table.semi_join(_latest_numbers(table, identity), "ingest_seq")


def _latest_numbers(table: ir.Table, identity: ir.StringValue) -> ir.Table:
    thin = table.select("platform", "observed_at", "ingest_seq", **{POST: identity})
    newest_first = ibis.window(
        group_by=["platform", POST],
        order_by=[ibis.desc(thin["observed_at"], nulls_first=False), ibis.desc(thin["ingest_seq"])],
    )
    ranked = thin.mutate(age=ibis.row_number().over(newest_first))
    return ranked.filter(ranked["age"] == 0).select("ingest_seq")
