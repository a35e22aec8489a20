"""The card of a topic: its terms, series, example posts, authors, platforms and words."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from msgspec import structs

from groundswell.watch.copies import group_copies
from groundswell.watch.emerging.pool import Pool
from groundswell.watch.emerging.records import TopicRecord, TopicTerm
from groundswell.watch.emerging.wording import Said, detail, headline, is_own, name_of, ratio_of
from groundswell.watch.words import characteristic_words

if TYPE_CHECKING:
    from groundswell.watch.emerging.hot import Held
    from groundswell.watch.emerging.state import Emerging, OpenTopic

#: Posts that are read for a card, and that it shows.
_READ: Final = 200
_SHOWN: Final = 8
#: Other posts that its words are compared with.
_PAST: Final = 400
#: A tracker covers a topic whose posts it matches to this fraction.
_COVERS: Final = 0.2
_SPARK: Final = 24
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def told(record: TopicRecord, topic: OpenTopic, state: Emerging, held: Held | None) -> TopicRecord:
    """The record with everything that is said of it; its posts are read anew where they are given."""
    terms = sorted(topic.terms.values(), key=lambda term: (-term.return_days, -term.observed, term.term))
    if held is not None:
        record = _with_card(record, topic, state, held)
    body = record.body | {
        "terms": [_term(term) for term in terms],
        "spark_s": state.block_us // 1_000_000,
        "spark": [count for _, count, _ in topic.points[-_SPARK:]],
        "windows": [{"start": _rfc3339(at), "count": n, "expected": expected} for at, n, expected in topic.points],
    }
    record = structs.replace(record, body=body)
    return structs.replace(record, headline=headline(record), detail=detail(record, terms))


def _term(term: TopicTerm) -> dict[str, Any]:
    return {
        "term": term.term,
        "kind": term.kind,
        "observed": term.observed,
        "expected": term.expected,
        "ratio": ratio_of(term.observed, term.expected),
        "is_new": term.is_new,
        "return_days": term.return_days,
        "since": _rfc3339(term.since_us),
    }


def _with_card(record: TopicRecord, topic: OpenTopic, state: Emerging, held: Held) -> TopicRecord:
    """Name, query and card, from the kept posts that hold a term of the topic's own (else the leading one)."""
    own = [key for key in sorted(topic.terms) if is_own(topic.terms[key])] or [topic.lead]
    lead, none = held.of(topic.lead, record.started_at), held.closed[:0]
    # Posts that another topic leads are its own, even if a word like "duet" is news in both.
    theirs = [held.of(other.lead, record.started_at) for other in state.topics if other is not topic]
    others = np.setdiff1d(np.concatenate([none, *theirs]), lead)
    rows = {key: np.setdiff1d(held.of(key, record.started_at), others) for key in own}
    said = [Said(topic.terms[key], frozenset(rows[key].tolist())) for key in own if is_own(topic.terms[key])]
    mine = np.unique(np.concatenate(list(rows.values())))
    read = mine[np.argsort(state.pool.column("identity")[mine], kind="stable")][:_READ]
    posts = state.pool.posts.take(read).to_pylist()
    groups = group_copies([post["text"] for post in posts])
    typical = [posts[at]["text"] or "" for group in groups for at in group]
    name = name_of(said, topic.terms[topic.lead], typical)
    followers = {post["author"]: post["followers"] for post in posts if post["followers"] is not None}
    topic.posts = max(topic.posts, len(mine))
    card = _counted(posts, topic.posts, state) | {
        "words": _words(posts, np.setdiff1d(held.closed, mine, assume_unique=True), state.pool, topic),
        "examples": [_post(posts, group, len(posts), topic.posts / len(posts)) for group in groups[:_SHOWN]],
        "parameters": {
            "posts_kept": len(mine),
            "posts_read": len(posts),
            "authors_read": len({post["author"] for post in posts if post["author"]}),
            "copies_share": round(len(groups[0]) / len(posts), 4) if groups and len(groups[0]) > 1 else 0.0,
            "terms_followed": state.terms.used,
        },
    }
    reach = sum(followers.values()) if followers else None
    return structs.replace(record, label=name.label, query=name.query, reach=reach, body=record.body | card)


def _counted(posts: list[dict[str, Any]], all_posts: int, state: Emerging) -> dict[str, Any]:
    """Platforms, trackers and authors of the posts that were read, scaled to all posts of the topic."""
    of = max(len(posts), 1)
    authors = Counter(post["author"] for post in posts if post["author"])
    platforms = Counter(post["platform"] or "unknown" for post in posts)
    matched = Counter(number for post in posts for number in set(post["trackers"]))
    scale = all_posts / of
    return {
        "platforms": [
            {"platform": name, "posts": round(count * scale), "share": round(count / of, 4)}
            for name, count in sorted(platforms.items(), key=lambda item: (-item[1], item[0]))
        ],
        "covered_by": [
            {"id": state.trackers[number], "share": round(count / of, 4)}
            for number, count in sorted(matched.items(), key=lambda item: (-item[1], item[0]))
            if count >= _COVERS * of
        ],
        "top_authors": [
            {"key": name, "label": f"@{name}", "posts": round(count * scale), "share": round(count / of, 4)}
            for name, count in sorted(authors.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN]
        ],
    }


def _post(posts: list[dict[str, Any]], group: list[int], of: int, scale: float) -> dict[str, Any]:
    """One post of a group of copies: that of greatest reach, then the earliest."""

    def order(post: dict[str, Any]) -> tuple[int, int, int]:
        return (-(post["followers"] or post["views"] or 0), post["created_us"] or 0, post["record"] or 0)

    post = min((posts[at] for at in group), key=order)
    return {
        **{name: post[name] for name in ("post_id", "url", "author", "followers", "likes", "views", "origin")},
        "platform": post["platform"] or "unknown",
        "created_at": _created(post["created_us"]),
        "text": post["text"][:500] if post["text"] else post["text"],
        "copies": max(1, round(len(group) * scale)),
        "share": round(len(group) / of, 4),
    }


def _words(posts: list[dict[str, Any]], others: Any, pool: Pool, topic: OpenTopic) -> list[dict[str, Any]]:
    """Words of the topic's posts that are not in `others` of the same hour."""
    others = others[np.argsort(pool.column("identity")[others], kind="stable")][:_PAST]
    now: Counter[str] = Counter()
    for post in posts:
        now.update({word for word in post["words"] if word and not word.startswith("#")})
    past: Counter[str] = Counter()
    for words in pool.posts.column("words").take(others).to_pylist():
        past.update({word for word in words if word and not word.startswith("#")})
    own = frozenset(term.term.removeprefix("#") for term in topic.terms.values())
    return characteristic_words(now, past, float(len(others)), own)


def _rfc3339(at_us: int) -> str:
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat().replace("+00:00", "Z")


def _created(at_us: int | None) -> str | None:
    try:
        return None if at_us is None else _rfc3339(at_us)
    except OverflowError:
        return None
