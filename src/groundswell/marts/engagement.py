"""Engagement: what people did with a post, for each time that it was seen.

engagement = (likes + comments + shares + saves, as far as they are known) / views,
or / followers of the author where the post has no views. It is a fraction, not percent; null where none of the
four is known, or where neither views nor followers are known and above zero. A platform that shows fewer of the
four counts gives smaller values, so compare posts within a platform only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: What a person does with a post; seeing it is not among them.
ACTIONS: Final = ("likes", "comments", "shares", "saves")
#: Columns that engagement is made of.
BASES: Final = (*ACTIONS, "views", "followers")


def interactions(posts: ir.Table) -> ir.IntegerValue:
    """Sum of those of `ACTIONS` that are known; null where none is."""
    known = ibis.or_(*(posts[name].notnull() for name in ACTIONS))
    total = sum((posts[name].fill_null(0) for name in ACTIONS[1:]), posts[ACTIONS[0]].fill_null(0))
    return ibis.ifelse(known, total, ibis.null("int64"))


def engagement(posts: ir.Table) -> ir.FloatingValue:
    """Interactions per view, or per follower where the post has no views (float64, fraction, nullable)."""
    base = _base(posts)
    usable = ibis.ifelse(base > 0, base, ibis.null("int64"))
    return interactions(posts).cast("float64") / usable.cast("float64")


def engagement_values(posts: pa.Table) -> npt.NDArray[np.float64]:
    """`engagement` of Arrow rows with the columns `BASES`, as float64; minus infinity where it is null."""
    done = np.zeros(posts.num_rows)
    known = np.zeros(posts.num_rows, np.bool_)
    for name in ACTIONS:
        done += pc.fill_null(posts[name], 0).to_numpy()
        known |= pc.is_valid(posts[name]).to_numpy()
    base = pc.fill_null(pc.coalesce(posts["views"], posts["followers"]), 0).to_numpy().astype(np.float64)
    known &= base > 0
    out: npt.NDArray[np.float64] = np.divide(done, base, out=np.full(posts.num_rows, -np.inf), where=known)
    return out


def engagement_per(posts: ir.Table) -> ir.StringValue:
    """What `engagement` divides by: `view`, `follower`, or null where engagement is null."""
    unit = ibis.ifelse(posts["views"].notnull(), "view", "follower")
    return ibis.ifelse(engagement(posts).notnull(), unit, ibis.null("string"))


def _base(posts: ir.Table) -> ir.IntegerValue:
    return ibis.coalesce(posts["views"], posts["followers"])
