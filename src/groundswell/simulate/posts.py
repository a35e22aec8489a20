"""One unit of posts: indices into the world are drawn, and joined to lines of JSON by Arrow's string kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.simulate import lexicon
from groundswell.simulate.plan import Floats, Ints, Plan
from groundswell.simulate.scenario import EventKind, Scenario
from groundswell.simulate.world import BOT_ACCOUNTS, World, text_of

#: Of the posts about a topic, the fraction made in the community that the topic belongs to.
_AT_HOME: Final = 0.6
#: Of the chatter, the fraction that is word for word what others posted.
_COPIED: Final = 0.1
_MEDIA: Final = "https://p16.example.invalid"


@dataclass(frozen=True)
class Unit:
    """Lines of JSON in event-time order, each ending in a newline.

    `lines` is an Arrow array of bytes, `second` the event time (seconds since 1970 UTC) and `stream` what each
    post is of (see `plan`), arrays of the same length.
    """

    lines: pa.Array
    second: Ints
    stream: Ints


@dataclass
class _Draft:
    """Indices of one unit's posts, one element a post."""

    second: Ints
    stream: Ints
    creator: Ints
    opening: Ints
    body: Ints
    remark: Ints
    emoji: Ints
    tags: Ints
    sound: Ints
    views: Floats


def make_unit(scenario: Scenario, plan: Plan, world: World, number: int) -> Unit:
    """Unit `number` of a scenario; depends on nothing else, so units can be made in any order."""
    first, last = int(plan.units[number]), int(plan.units[number + 1])
    rng = np.random.default_rng([scenario.seed, 3, number])
    second, stream = _times(scenario, plan, rng, first, last)
    draft = _usual(scenario, world, rng, second, stream)
    for place, planned in enumerate(plan.events):
        if planned.stream is not None:
            rows = np.flatnonzero(stream == planned.stream)
            if len(rows):
                _inject(scenario, world, rng, draft, place, rows)
                if planned.event.kind is EventKind.VIRAL and first <= planned.first < last:
                    _lead(world, draft, place, int(rows[0]))
    lines = _join(scenario, world, rng, draft, int(plan.before[first]))
    return Unit(lines, second, stream)


def _times(scenario: Scenario, plan: Plan, rng: np.random.Generator, first: int, last: int) -> tuple[Ints, Ints]:
    counts = plan.counts[first:last]
    cells = np.repeat(np.arange(counts.size), counts.ravel())
    slices = first + cells // counts.shape[1]
    stream = cells % counts.shape[1]
    seconds = slices * plan.slice_s + rng.random(len(cells)) * plan.length(slices)
    order = np.argsort(seconds)
    return int(scenario.start.timestamp()) + seconds[order].astype(np.int64), stream[order]


def _usual(scenario: Scenario, world: World, rng: np.random.Generator, second: Ints, stream: Ints) -> _Draft:
    """What is always posted: chatter of the communities, and topics as people usually talk about them."""
    n = len(second)
    topics = scenario.topics
    about = np.clip(stream - 1, 0, max(0, len(topics) - 1))
    topical = (stream > 0) & (stream <= len(topics))
    homes = np.array([topic.community for topic in topics] or [0])[about]
    people = world.creators
    creator = _authors(world, rng, np.where(topical & (rng.random(n) < _AT_HOME), homes, -1))
    language, community = people.language[creator], people.community[creator]
    u = rng.random((8, n), dtype=np.float32)
    empty = np.full(n, world.emoji.start[0, 0])
    body = world.nouns.pick((community, language), u[0])
    opening = world.openings.pick((language, 0), u[1])
    remark = world.remarks.pick((language, 0), u[2])
    tags = world.tags.pick(community, u[3] ** 2)
    copied = u[4] < _COPIED
    body = np.where(copied, world.copies.pick((0, 0), u[0] ** 2), body)
    opening, remark = np.where(copied, empty, opening), np.where(copied, empty, remark)
    emoji = np.where(copied, empty, world.emoji.pick((0, 0), u[7]))
    tags = np.where(copied, world.tags.start[0], tags)  # the first set of a community is empty
    if topics:
        body = np.where(topical, world.mentions.pick((about, language), u[0]), body)
        opening = np.where(topical & (u[4] < 0.6), empty, opening)
        tags = np.where(topical, world.tags.pick(len(lexicon.COMMUNITIES) + about, u[3]), tags)
    # Log-uniform ranks follow Zipf's law; each community has its own favourites.
    rank = np.exp(u[5] * np.log(world.sounds + 1)).astype(np.int64) - 1
    sound = (rank + np.where(u[6] < 0.5, community * 997, 0)) % world.sounds
    views = np.exp(0.75 * np.log(people.followers[creator] + 30) + 1 + 1.4 * rng.standard_normal(n))
    return _Draft(second, stream, creator, opening, body, remark, emoji, tags, sound, views)


def _authors(world: World, rng: np.random.Generator, home: Ints) -> Ints:
    """Creators by how much they post; of the community `home` where it is not negative."""
    people = world.creators
    low = np.where(home >= 0, people.reach[people.first[home]], 0.0)
    high = np.where(home >= 0, people.reach[people.first[home + 1]], people.reach[-1])
    at = low + rng.random(len(home)) * (high - low)
    found: Ints = np.clip(np.searchsorted(people.reach, at, side="right") - 1, 0, people.people - 1)
    return found


def _inject(scenario: Scenario, world: World, rng: np.random.Generator, draft: _Draft, place: int, rows: Ints) -> None:
    """Turn the posts `rows` into posts of event number `place`."""
    event = scenario.events[place]
    topic = scenario.topic_number(str(event.topic))
    people, n, empty = world.creators, len(rows), int(world.emoji.start[0, 0])
    u = rng.random((4, n))
    if event.kind is EventKind.BOTS:
        wave = sum(other.kind is EventKind.BOTS for other in scenario.events[:place])
        creator = people.people + wave * BOT_ACCOUNTS + (u[0] * BOT_ACCOUNTS).astype(np.int64)
    else:
        creator = (u[0] * people.people).astype(np.int64)
    draft.creator[rows] = creator
    language = people.language[creator]
    tags: Ints = np.full(n, len(lexicon.COMMUNITIES) + topic)
    complaint = len(scenario.topics)
    draft.body[rows] = world.mentions.pick((topic, language), u[1])
    draft.opening[rows] = empty
    match event.kind:
        case EventKind.CRISIS:
            draft.body[rows] = world.complaints.pick((topic, language), u[1])
            draft.remark[rows] = empty
            tags = tags + np.where(u[2] < 0.5, complaint, 0)
        case EventKind.VIRAL:
            draft.opening[rows] = world.reactions.pick((place, 0), u[2])
            draft.sound[rows] = 17 % world.sounds
        case EventKind.BOTS:
            draft.body[rows] = world.bots.pick((place, 0), u[1])
            draft.remark[rows] = draft.emoji[rows] = empty
            draft.sound[rows] = 29 % world.sounds
            draft.views[rows] = np.exp(2 + rng.standard_normal(n))
    draft.tags[rows] = world.tags.pick(tags, u[3])


def _lead(world: World, draft: _Draft, place: int, row: int) -> None:
    """Make `row` the post that the others react to: by a star, seen by many more than follow them."""
    draft.creator[row] = world.stars[place]
    draft.opening[row] = world.emoji.start[0, 0]
    draft.views[row] = 4 * world.creators.followers[world.stars[place]] + 10_000


def _counters(scenario: Scenario, rng: np.random.Generator, draft: _Draft) -> tuple[Ints, Ints, Ints, Ints]:
    """Likes, shares, plays and comments, as known when the post was observed; they only grow with its age."""
    n = len(draft.second)
    noise = rng.standard_normal((4, n))
    if scenario.observed_after is None:
        age: Any = np.maximum((scenario.observed_at or scenario.end).timestamp() - draft.second, 0)
    else:
        age = scenario.observed_after.total_seconds()
    known = -np.expm1(-age / (64_800 * np.exp(0.6 * noise[0])))
    likes = draft.views * np.minimum(0.08 * np.exp(0.5 * noise[1]), 0.5)
    comments = likes * 0.03 * np.exp(0.7 * noise[2])
    shares = likes * 0.04 * np.exp(0.8 * noise[3])
    counters = [(value * known).astype(np.int64) for value in (likes, shares, draft.views, comments)]
    return counters[0], counters[1], counters[2], counters[3]


def _join(scenario: Scenario, world: World, rng: np.random.Generator, draft: _Draft, before: int) -> pa.Array:
    """The lines: constants, shared fragments and digits, joined by one kernel."""
    n = len(draft.second)
    # Seconds in the upper half, and in the lower one a number that no other post has (the factor is odd).
    low = ((before + np.arange(n, dtype=np.uint64)) * np.uint64(2_654_435_761) + np.uint64(scenario.seed)) % 2**32
    post_id = text_of((draft.second << 32) | low.astype(np.int64))
    duration = text_of(np.exp(1.6 + 2.6 * rng.random(n)).astype(np.int64))
    likes, shares, plays, comments = (text_of(values) for values in _counters(scenario, rng, draft))
    people, creator, sound = world.creators, pa.array(draft.creator), pa.array(draft.sound)
    words = (world.words.take(pa.array(part)) for part in (draft.opening, draft.body, draft.remark, draft.emoji))
    tags = pa.array(draft.tags)
    pieces = [
        '{"authorInfos": ', people.author.take(creator), ', "challengeInfoList": ', world.tag_info.take(tags),
        ', "itemInfos": {"id": "', post_id, '", "text": "', *words, world.tag_text.take(tags),
        '", "stitchEnabled": true, "shareEnabled": true, "createTime": "', text_of(draft.second),
        '", "authorId": "', people.user_id.take(creator), '", "musicId": "', world.sound_id.take(sound),
        f'", "covers": ["{_MEDIA}/cover/', post_id, f'.jpeg"], "coversOrigin": ["{_MEDIA}/origin/', post_id,
        f'.jpeg"], "shareCover": ["", "{_MEDIA}/play/', post_id, f'.jpeg", "{_MEDIA}/share/', post_id,
        f'.jpeg"], "coversDynamic": ["{_MEDIA}/moving/', post_id, f'"], "video": {{"urls": ["{_MEDIA}/video/',
        post_id, '/"], "videoMeta": {"width": 576, "height": 1024, "ratio": 11, "duration": ', duration,
        '}}, "diggCount": ', likes, ', "shareCount": ', shares, ', "playCount": ', plays, ', "commentCount": ',
        comments, ', "isOriginal": false, "isOfficial": false, "isActivityItem": false, "secret": false, '
        '"forFriend": false, '
        '"vl1": false, "warnInfo": [], "liked": false, "commentStatus": 0, "showNotPass": false, "isAd": false, '
        '"itemMute": false}, "musicInfos": ', world.sound.take(sound), ', "authorStats": ', people.stats.take(creator),
        "}\n",
    ]  # fmt: skip
    columns = [pa.scalar(piece.encode(), pa.binary()) if isinstance(piece, str) else piece for piece in pieces]
    return pc.binary_join_element_wise(*columns, pa.scalar(b"", pa.binary()))


def line_bytes(lines: pa.Array) -> tuple[memoryview, npt.NDArray[np.int32]]:
    """The bytes of all lines, one after the other, and the borders between them (length + 1), without a copy."""
    _, offsets, data = lines.buffers()
    borders = np.frombuffer(offsets, dtype=np.int32)[lines.offset : lines.offset + len(lines) + 1]
    return memoryview(data)[int(borders[0]) : int(borders[-1])], borders - borders[0]
