"""From terms that stand out to topics: what comes together is one, and a topic lives while one of its terms is rare."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

import numpy as np
from msgspec import structs

from groundswell.watch.emerging.candidates import BLOCKS
from groundswell.watch.emerging.hot import Floats, Held, Hot, Ints, Moment, hot_terms, rank_of
from groundswell.watch.emerging.levels import LEAST, share
from groundswell.watch.emerging.rarity import Look
from groundswell.watch.emerging.records import TopicParams, TopicPhase, TopicRecord
from groundswell.watch.emerging.state import Emerging, OpenTopic
from groundswell.watch.emerging.story import told
from groundswell.watch.emerging.wording import is_own

#: A term lies within another one if that holds this fraction of its posts.
_WITHIN: Final = 0.8
#: Terms that a topic has at most.
_MOST_TERMS: Final = 24
_MOST_POINTS: Final = 288
#: Topics whose card is made anew at the end of a block; the others keep theirs until the next.
_CARDS: Final = 4


def topic_id(lead: str, started_us: int) -> str:
    """Id of a topic: a hash of its first term and its start."""
    return blake2b(f"topic|{lead}|{started_us}".encode(), digest_size=16).hexdigest()


def update_topics(state: Emerging, seen: Look, days: Floats, moment: Moment, params: TopicParams) -> list[TopicRecord]:
    """Go on with open topics, open new ones and close what is over; those that changed, as they stand."""
    hot, held = hot_terms(state, seen, days, moment, params)
    changed: set[str] = set()
    cards: set[str] = set()
    rest = _proceed(state, hot, moment, changed)
    # What is news as a whole leads, a hashtag before its word; usual words that rise with it join.
    for one in sorted(rest, key=lambda one: (not one.is_own, -one.rank, one.term.kind != "hashtag", one.name)):
        topic = _belongs(state, one, held, params)
        if topic is None and _opens(one, params):
            topic = _open(state, one, moment)
            cards.add(topic.record.id)
        if topic is not None and (one.key in topic.terms or len(topic.terms) < _MOST_TERMS):
            if one.key not in topic.terms:
                cards.add(topic.record.id)
            _take_term(topic, one, moment)
            changed.add(topic.record.id)
    state.topics.sort(key=lambda topic: (topic.record.opened_at, topic.record.id))
    _note_points(state, moment, changed)
    closed = _close(state, moment, params)
    if moment.is_block:
        recent = moment.end - state.block_us
        due = [topic.record.id for topic in state.topics if topic.record.id in changed and topic.hot_us >= recent]
        turn = state.stream.block * _CARDS % max(len(due), 1)
        cards.update((due[turn:] + due[:turn])[:_CARDS])
    records = [_renew(state, topic, moment, held if topic.record.id in cards else None) for topic in state.topics
               if topic.record.id in changed]  # fmt: skip
    return [*closed, *records]


def _opens(one: Hot, params: TopicParams) -> bool:
    term = one.term
    enough = term.observed >= max(params.least_authors, params.least_ratio * term.expected)
    return one.goes_on and enough and term.return_days >= 1 / params.per_day


def _proceed(state: Emerging, hot: list[Hot], moment: Moment, changed: set[str]) -> list[Hot]:
    """Let terms of open topics take their window; those that belong to none are left."""
    of = {key: topic for topic in state.topics for key in topic.terms}
    rest = []
    for one in hot:
        topic = of.get(one.key)
        if topic is None:
            rest.append(one)
            continue
        _take_term(topic, one, moment)
        changed.add(topic.record.id)
    return rest


def _belongs(state: Emerging, one: Hot, held: Held, params: TopicParams) -> OpenTopic | None:
    """The open topic that the term comes with, by the posts of the window in which it stands out now.

    A term that is news itself shares most posts with the leading term, or with another one most on both sides, or has
    nearly all of its posts with a usual one that the topic makes rise; of one that is usual, the topic explains most of
    what is above the usual.
    """
    since = one.term.since_us
    mine = held.since(one.posts, since)
    for topic in state.topics:
        if not one.is_own:
            above = len(mine) * (1.0 - one.term.expected / one.term.observed)
            core = [key for key, term in topic.terms.items() if is_own(term)] or [topic.lead]
            its = np.unique(np.concatenate([held.of(key, since) for key in core]))
            if _common(its, mine) >= max(LEAST, params.together * above):
                return topic
            continue
        for key in (topic.lead, *(key for key in topic.terms if key != topic.lead)):
            its = held.of(key, since)
            both = _common(its, mine)
            if both < LEAST:
                continue
            if not is_own(topic.terms[key]) and key != topic.lead:
                if both >= _WITHIN * len(mine):
                    return topic
                continue
            shared = both / (min(len(its), len(mine)) if key == topic.lead else max(len(its), len(mine)))
            if shared >= params.together:
                return topic
    return None


def _common(first: Ints, second: Ints) -> int:
    return len(np.intersect1d(first, second, assume_unique=True))


def _open(state: Emerging, one: Hot, moment: Moment) -> OpenTopic:
    row = int(state.terms.find(np.array([one.key], np.uint64), state.seed)[0])
    points = _past_points(state, row, moment)
    since = one.term.since_us
    risen = (start for start, n, expected in points if start >= since and n > 2 * (expected or 0.0) + 0.5)
    started = next(risen, max(since, moment.end - state.block_us))
    record = TopicRecord(
        id=topic_id(one.name, started),
        label=one.name,
        phase="growing",
        started_at=started,
        opened_at=moment.end,
        updated_at=moment.end,
        closed_at=None,
        window_s=0,
        observed=0,
        expected=0.0,
        return_days=0.0,
        is_new=one.term.is_new,
        rank=0.0,
        authors=0,
        posts=0,
        reach=None,
        query="",
        headline="",
        detail="",
        body={},
    )
    now = int(state.terms.counts[row]) + int(sum(count for start, count, _ in points if start >= started))
    topic = OpenTopic(record, one.key, {}, moment.start, points, posts=now)
    state.topics.append(topic)
    return topic


def _past_points(state: Emerging, row: int, moment: Moment) -> list[tuple[int, int, float | None]]:
    """The closed blocks of the last hour of a term."""
    stream, terms = state.stream, state.terms
    level = float(share(terms.posts[row : row + 1], terms.exposure[row : row + 1])[0])
    end = moment.end // state.block_us * state.block_us
    points: list[tuple[int, int, float | None]] = []
    for back in range(min(BLOCKS, stream.block), 0, -1):
        place = (stream.block - back) % BLOCKS
        points.append(
            (end - back * state.block_us, int(terms.past[place, row]), round(level * float(stream.past[place]), 3))
        )
    return points


def _take_term(topic: OpenTopic, one: Hot, moment: Moment) -> None:
    """Note the window of one of the topic's terms, where it is its rarest so far."""
    if one.goes_on:
        topic.hot_us = moment.start
    before = topic.terms.get(one.key)
    new = one.term
    if before is None or (new.return_days, new.observed) > (before.return_days, before.observed):
        topic.terms[one.key] = new if before is None else structs.replace(new, since_us=before.since_us)
    record = topic.record
    lead = one.key == topic.lead
    authors = max(record.authors, one.authors)
    if lead and (new.return_days, new.observed) > (record.return_days, record.observed):
        record = structs.replace(
            record,
            observed=new.observed,
            expected=new.expected,
            return_days=new.return_days,
            window_s=(moment.end - new.since_us) // 1_000_000,
        )
    topic.record = structs.replace(record, authors=authors, rank=round(rank_of(record.return_days, authors), 4))


def _note_points(state: Emerging, moment: Moment, changed: set[str]) -> None:
    """Go on with the series of open topics."""
    if not state.topics:
        return
    rows = state.terms.find(np.array([topic.lead for topic in state.topics], np.uint64), state.seed).tolist()
    place = (state.stream.block - 1) % BLOCKS
    for topic, row in zip(state.topics, rows, strict=True):
        if row < 0:
            continue
        if topic.record.opened_at < moment.end:
            topic.posts += int(state.terms.counts[row])
        if moment.is_block and (not topic.points or topic.points[-1][0] < moment.end - state.block_us):
            level = float(share(state.terms.posts[row : row + 1], state.terms.exposure[row : row + 1])[0])
            expected = round(level * float(state.stream.past[place]), 3)
            topic.points.append((moment.end - state.block_us, int(state.terms.past[place, row]), expected))
            del topic.points[:-_MOST_POINTS]
        if moment.is_block:
            changed.add(topic.record.id)


def _close(state: Emerging, moment: Moment, params: TopicParams) -> list[TopicRecord]:
    """Close topics that are over, that last too long, or that are too many."""
    over = [topic for topic in state.topics if moment.end - topic.hot_us > params.calm_us]
    lasting = [topic for topic in state.topics if moment.end - topic.record.opened_at >= params.longest_us]
    for topic in lasting:
        _accept(state, topic)
    gone = {topic.record.id for topic in [*over, *lasting]}
    kept = [topic for topic in state.topics if topic.record.id not in gone]
    least = sorted(kept, key=lambda topic: (-topic.record.rank, topic.record.id))[params.most_open :]
    gone |= {topic.record.id for topic in least}
    closed = [topic for topic in state.topics if topic.record.id in gone]
    state.topics = [topic for topic in state.topics if topic.record.id not in gone]
    for topic in closed:
        topic.record = structs.replace(topic.record, closed_at=moment.end)
    return [_renew(state, topic, moment, None) for topic in closed]


def _accept(state: Emerging, topic: OpenTopic) -> None:
    """Take what a lasting topic's terms have now for usual."""
    rows = state.terms.find(np.array(sorted(topic.terms), np.uint64), state.seed)
    rows = rows[rows >= 0]
    stream = float(state.stream.past.sum())
    if stream > 0:
        state.terms.posts[rows] = state.terms.hour[rows] / stream * state.terms.exposure[rows]


def _phase(topic: OpenTopic, moment: Moment) -> TopicPhase:
    if topic.record.closed_at is not None:
        return "closed"
    counts = [count for _, count, _ in topic.points[-BLOCKS:]] or [0]
    if counts[-1] < 0.5 * max(counts):
        return "fading"
    return "growing" if counts[-1] >= max(counts) else "peak"


def _renew(state: Emerging, topic: OpenTopic, moment: Moment, held: Held | None) -> TopicRecord:
    """The topic's record as it stands; with what posts `held` say its card is made anew."""
    record = structs.replace(topic.record, phase=_phase(topic, moment), updated_at=moment.end)
    topic.record = structs.replace(told(record, topic, state, held), posts=topic.posts)
    return topic.record
