"""What is said of a topic: its name, a sentence, a query that finds it, and the card with its evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from msgspec import structs

from groundswell.watch.copies import group_copies
from groundswell.watch.emerging.pool import Pool
from groundswell.watch.emerging.records import TopicRecord, TopicTerm
from groundswell.watch.words import characteristic_words

if TYPE_CHECKING:
    from groundswell.watch.emerging.hot import Held
    from groundswell.watch.emerging.state import Emerging, OpenTopic

#: Posts that are read for a card, and that it shows.
_READ: Final = 200
_SHOWN: Final = 8
#: Other posts that its words are compared with.
_PAST: Final = 400
#: Authors expected below which a ratio says nothing.
LEAST_EXPECTED: Final = 0.5
#: The words of a query that are no operators where they stand alone.
_OPERATORS: Final = frozenset({"and", "or", "not", "near"})
#: A tracker covers a topic whose posts it matches to this fraction.
_COVERS: Final = 0.2
_SPARK: Final = 24
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def told(record: TopicRecord, topic: OpenTopic, state: Emerging, held: Held | None) -> TopicRecord:
    """The record with everything that is said of it; its posts are read anew where they are given."""
    terms = sorted(topic.terms.values(), key=lambda term: (-term.return_days, -term.observed, term.term))
    body: dict[str, Any] = dict(record.body)
    reach, query = record.reach, record.query
    if held is not None:
        card, reach, query = _card(topic, state, held)
        body |= card
    lead = topic.terms[topic.lead].term
    body |= {
        "terms": [_term(term) for term in terms],
        "spark_s": state.block_us // 1_000_000,
        "spark": [count for _, count, _ in topic.points[-_SPARK:]],
        "windows": [{"start": _rfc3339(at), "count": n, "expected": expected} for at, n, expected in topic.points],
    }
    label = _label(lead, terms)
    record = structs.replace(record, label=label, reach=reach, query=query, body=body)
    return structs.replace(record, headline=_headline(record), detail=_detail(record, terms))


def _label(lead: str, terms: Sequence[TopicTerm]) -> str:
    """A hashtag of the topic, where the leading term is its word, else the leading term."""
    tag = f"#{lead}"
    return tag if any(term.term == tag for term in terms) else lead


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


def ratio_of(observed: int, expected: float) -> float | None:
    """Observed over expected; null where hardly anything was expected.

    >>> ratio_of(12, 4.0), ratio_of(12, 0.1)
    (3.0, None)
    """
    return None if expected < LEAST_EXPECTED else round(observed / expected, 3)


def _headline(record: TopicRecord) -> str:
    length = _duration(record.window_s)
    ratio = ratio_of(record.observed, record.expected)
    people = f"{record.observed:,} author" + ("" if record.observed == 1 else "s")
    if record.is_new:
        return f"{record.label} is new: {people} in {length}"
    if ratio is None:
        return f"{record.label}: {people} in {length}; usually there are almost none"
    return f"{record.label}: {people} in {length}, {ratio:.1f} times as many as usual"


def _detail(record: TopicRecord, terms: Sequence[TopicTerm]) -> str:
    own = {record.label, record.label.removeprefix("#")}
    others = [term.term for term in terms if term.term not in own and f"#{term.term}" not in own]
    parts = [f"with {', '.join(others[:4])}"] if others else []
    platforms = record.body.get("platforms", [])
    if platforms:
        parts.append(" and ".join(one["platform"] for one in platforms[:2]))
    copies = record.body.get("parameters", {}).get("copies_share", 0.0)
    if copies >= 0.3:
        parts.append(f"{copies:.0%} copies of one text".replace("%", " %"))
    parts.append("no tracker sees it" if not record.body.get("covered_by") else "a tracker sees it")
    return " · ".join(parts)


def _duration(seconds: int) -> str:
    return f"{seconds // 60} min" if seconds < 7_200 else f"{seconds / 3600:.1f} h".replace(".0 h", " h")


def _card(topic: OpenTopic, state: Emerging, held: Held) -> tuple[dict[str, Any], int | None, str]:
    """What the topic's kept posts say; the reach; the query."""
    by_term = {key: set(held.rows[key].tolist()) if key in held.rows else set() for key in sorted(topic.terms)}
    mine = np.array(sorted(set().union(*by_term.values())), np.int64)
    query = query_of([(topic.terms[key], rows) for key, rows in by_term.items()], topic.terms[topic.lead])
    identity = state.pool.column("identity")
    read = mine[np.argsort(identity[mine], kind="stable")][:_READ]
    posts = state.pool.posts.take(read).to_pylist()
    groups = group_copies([post["text"] for post in posts])
    authors = Counter(post["author"] for post in posts if post["author"])
    platforms = Counter(post["platform"] or "unknown" for post in posts)
    matched = Counter(number for post in posts for number in set(post["trackers"]))
    of = max(len(posts), 1)
    followers = {post["author"]: post["followers"] for post in posts if post["followers"] is not None}
    topic.posts = max(topic.posts, len(mine))
    scale = topic.posts / of
    card = {
        "platforms": [
            {"platform": name, "posts": round(count * scale), "share": round(count / of, 4)}
            for name, count in sorted(platforms.items(), key=lambda item: (-item[1], item[0]))
        ],
        "covered_by": [
            {"id": state.trackers[number], "share": round(count / of, 4)}
            for number, count in sorted(matched.items(), key=lambda item: (-item[1], item[0]))
            if count >= _COVERS * of
        ],
        "words": _words(posts, np.setdiff1d(held.closed, mine, assume_unique=True), state.pool, topic),
        "examples": [_post(posts, group, of, scale) for group in groups[:_SHOWN]],
        "top_authors": [
            {"key": name, "label": f"@{name}", "posts": round(count * scale), "share": round(count / of, 4)}
            for name, count in sorted(authors.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN]
        ],
        "parameters": {
            "posts_kept": len(mine),
            "posts_read": len(posts),
            "authors_read": len(authors),
            "copies_share": round(len(groups[0]) / of, 4) if groups and len(groups[0]) > 1 else 0.0,
            "terms_followed": state.terms.used,
        },
    }
    return card, sum(followers.values()) if followers else None, query


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


def query_of(terms: Sequence[tuple[TopicTerm, set[int]]], lead: TopicTerm) -> str:
    """A query for a topic: its leading term, and others that catch more of its posts and are rare without it.

    A word that is usual without the topic is asked for together with the leading term only.

    >>> new = TopicTerm("#novaleak", "hashtag", 40, 0.0, 90.0, True, 0)
    >>> old = TopicTerm("recall", "word", 30, 12.0, 9.0, False, 0)
    >>> query_of([(new, {1, 2, 3, 4}), (old, {3, 4, 5, 6})], new)
    '#novaleak'
    >>> query_of([(new, {1, 2, 3, 4}), (old, {3, 4, 5, 6})], old)
    'recall #novaleak OR #novaleak'
    """
    caught = next((posts for term, posts in terms if term.term == lead.term), set())
    own = [(term, posts) for term, posts in terms if term.term != lead.term and _is_own(term)]
    own.sort(key=lambda item: (-len(item[1]), item[0].kind != "hashtag", item[0].term))
    parts = [_asked(lead.term)]
    if not _is_own(lead) and own:
        parts = [f"{_asked(lead.term)} {_asked(own[0][0].term)}"]
        caught = caught & own[0][1]
    everything = set().union(*(posts for _, posts in terms)) if terms else set()
    for term, posts in own:
        if len(parts) < 3 and len(posts - caught) >= max(2, 0.1 * len(everything)):
            parts.append(_asked(term.term))
            caught = caught | posts
    return " OR ".join(parts)


def _is_own(term: TopicTerm) -> bool:
    return term.observed >= 4 * term.expected


def _asked(term: str) -> str:
    return f'"{term}"' if term.casefold() in _OPERATORS else term


def _rfc3339(at_us: int) -> str:
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat().replace("+00:00", "Z")


def _created(at_us: int | None) -> str | None:
    try:
        return None if at_us is None else _rfc3339(at_us)
    except OverflowError:
        return None
