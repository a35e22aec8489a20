"""The people, sounds, hashtags and sentences of a scenario, as JSON fragments that posts are joined from.

Everything that many posts share is written as JSON once, into an Arrow array of bytes; a post then is a row of
indices into these arrays.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.simulate import lexicon
from groundswell.simulate.plan import Floats, Ints
from groundswell.simulate.scenario import EventKind, Scenario

#: Accounts that one wave of bots uses.
BOT_ACCOUNTS: Final = 40
TAG_SETS: Final = 48
IMAGES: Final = "https://p16.example.invalid"


@dataclass(frozen=True)
class Creators:
    """Who posts, sorted by community; the last ones are bots. All arrays have one element per creator.

    `reach` is the running sum of posting rates (without bots), `first` where each community begins.
    """

    author: pa.Array
    stats: pa.Array
    user_id: pa.Array
    handle: pa.Array
    community: Ints
    language: Ints
    followers: Floats
    reach: Floats
    first: Ints
    people: int


@dataclass(frozen=True)
class Span:
    """A run of fragments: `start` and `count`, arrays of any one shape."""

    start: Ints
    count: Ints

    def pick(self, where: Any, uniform: npt.NDArray[np.floating[Any]]) -> Ints:
        """One fragment of each run `where`, by a number from 0 to 1."""
        index: Ints = self.start[where] + (uniform * self.count[where]).astype(np.int64)
        return index


@dataclass(frozen=True)
class World:
    """What a scenario's posts are joined from.

    `words` are pieces of text (JSON-escaped, ending in a space). The spans index it: openings and remarks by
    language, nouns by community and language, mentions and complaints by topic and language, texts of bots and
    reactions to a star by event. `stars` are the creators whose posts go viral, by event. `tag_text` and
    `tag_info` are hashtag sets as text and as `challengeInfoList`; `tags` indexes them by community, then by
    topic, then by topic for complaints.
    """

    creators: Creators
    words: pa.Array
    openings: Span
    nouns: Span
    remarks: Span
    mentions: Span
    complaints: Span
    emoji: Span
    copies: Span
    bots: Span
    reactions: Span
    stars: Ints
    tag_text: pa.Array
    tag_info: pa.Array
    tags: Span
    sound_id: pa.Array
    sound: pa.Array
    sounds: int


def make_world(scenario: Scenario) -> World:
    """The world of a scenario; depends on its seed, topics, events and number of posts only."""
    rng = np.random.default_rng([scenario.seed, 2])
    waves = sum(event.kind is EventKind.BOTS for event in scenario.events)
    creators = _creators(rng, int(np.clip(scenario.posts // 20, 200, 40_000)), waves * BOT_ACCOUNTS)
    words = _Words()
    languages, communities = lexicon.LANGUAGES, lexicon.COMMUNITIES
    openings = words.add([[(*lang.openings, "")] for lang in languages])
    remarks = words.add([[(*lang.remarks, "")] for lang in languages])
    nouns = words.add([[com.nouns if lang.code == "en" else lang.nouns for lang in languages] for com in communities])
    spellings = [_spellings(topic.keyword) for topic in scenario.topics]
    mentions = words.add([[_about(lang.mentions, names) for lang in languages] for names in spellings])
    complaints = words.add([[_about(lang.complaints, names) for lang in languages] for names in spellings])
    emoji = words.add([[lexicon.EMOJI]])
    copies = words.add([[lexicon.COPIES]])
    bots = words.add([[_bot_texts(str(event.topic))] for event in scenario.events] or [[("",)]])
    stars = _stars(creators, scenario)
    handles = [creators.handle[int(star)].as_py().decode() for star in stars]
    reactions = words.add([[(f"#stitch with @{name}", f"#duet with @{name}")] for name in handles] or [[("",)]])
    tag_text, tag_info, tags = _tag_sets(rng, scenario)
    sounds = int(np.clip(scenario.posts // 60, 50, 8_000))
    sound_id, sound = _sounds(rng, sounds)
    return World(
        creators, words.array(), openings, nouns, remarks, mentions, complaints, emoji, copies, bots, reactions,
        stars, tag_text, tag_info, tags, sound_id, sound, sounds,
    )  # fmt: skip


class _Words:
    """Collects fragments and remembers where each run begins."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def add(self, runs: list[list[tuple[str, ...]]]) -> Span:
        start = np.zeros((len(runs), len(runs[0])), dtype=np.int64)
        count = np.zeros_like(start)
        for i, row in enumerate(runs):
            for j, texts in enumerate(row):
                start[i, j], count[i, j] = len(self._pieces), len(texts)
                self._pieces += [_escaped(text, place) for place, text in enumerate(texts)]
        return Span(start, count)

    def array(self) -> pa.Array:
        return pa.array(self._pieces, pa.binary())


def _escaped(text: str, place: int) -> bytes:
    """A piece of text inside a JSON string; every eighth one is pure ASCII, as some collectors write it."""
    return json.dumps(text, ensure_ascii=place % 8 == 7)[1:-1].encode() + (b" " if text else b"")


def _spellings(keyword: str) -> tuple[str, ...]:
    return (keyword,) * 3 + (keyword.title() if keyword[0] != "#" else keyword, keyword.upper())


def _about(lines: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(line.replace("{k}", name) for line in lines for name in names)


def _bot_texts(keyword: str) -> tuple[str, ...]:
    text = f"I doubled my money with {keyword} in one day, free bonus with the code in my bio, hurry"
    return (text,) * 6 + (text + "!!", text.replace("hurry", "only today"))


def _creators(rng: np.random.Generator, people: int, bots: int) -> Creators:
    total = people + bots
    shares = np.array([community.share for community in lexicon.COMMUNITIES])
    community = np.sort(rng.choice(len(shares), people, p=shares / shares.sum()))
    community = np.concatenate([community, np.zeros(bots, dtype=np.int64)])
    speech = np.array([language.share for language in lexicon.LANGUAGES])
    language = rng.choice(len(speech), total, p=speech / speech.sum())
    # A lognormal body with a Pareto tail: most have some hundred followers, a few have tens of millions.
    followers = np.exp(rng.normal(6.4, 1.6, total))
    tail = rng.random(total) < 0.04
    followers[tail] = 20_000 * (1 + rng.pareto(0.9, int(tail.sum())))
    followers = np.minimum(followers, 9e7).astype(np.int64)
    followers[people:] = rng.integers(0, 13, bots)
    rate = np.exp(rng.normal(0, 1.1, people))
    videos = np.concatenate([(rate * 40).astype(np.int64) + 1, rng.integers(1, 4, bots)])
    hearts = (followers * np.exp(rng.normal(2.2, 0.9, total))).astype(np.int64)
    numbers = rng.permutation(total) * 7_368_787 % 10**9  # 7368787 is prime: distinct numbers stay distinct
    user_id = [str(6_500_000_000_000_000_000 + int(n) * 1_000_003) for n in numbers]
    handles = [_handle(int(n), people <= i) for i, n in enumerate(numbers)]
    first = np.searchsorted(community[:people], np.arange(len(shares) + 1))
    return Creators(
        author=pa.array(
            [_author(u, h, int(f)) for u, h, f in zip(user_id, handles, followers, strict=True)], pa.binary()
        ),
        stats=pa.array(
            [
                b'{"followingCount": %d, "followerCount": %d, "heartCount": "%d", "videoCount": %d, "diggCount": %d}'
                % (20 + f % 911, f, h, v, h % 9973)
                for f, h, v in zip(followers.tolist(), hearts.tolist(), videos.tolist(), strict=True)
            ],
            pa.binary(),
        ),
        user_id=pa.array([u.encode() for u in user_id], pa.binary()),
        handle=pa.array([h.encode() for h in handles], pa.binary()),
        community=community, language=language, followers=followers.astype(np.float64),
        reach=np.concatenate([[0.0], np.cumsum(rate)]), first=first.astype(np.int64), people=people,
    )  # fmt: skip


def _handle(number: int, bot: bool) -> str:
    if bot:
        return f"user{number:09d}"
    syllables = lexicon.SYLLABLES
    word = "".join(syllables[number // 16**k % 16] for k in range(3))
    return f"{word}.{number // 4096:x}"


def _author(user_id: str, handle: str, followers: int) -> bytes:
    face = f"{IMAGES}/avatar/{int(user_id):x}"
    return json.dumps(
        {
            "secUid": f"MS4wLjABAAAA{handle}",
            "userId": user_id,
            "uniqueId": handle,
            "nickName": handle.split(".", maxsplit=1)[0].title(),
            "signature": lexicon.SIGNATURES[int(user_id) % len(lexicon.SIGNATURES)],
            "verified": followers > 1_000_000,
            "covers": [f"{face}~100x100.jpeg"],
            "coversMedium": [f"{face}~720x720.jpeg"],
            "coversLarger": [f"{face}~1080x1080.jpeg"],
            "isSecret": False,
            "secret": False,
            "relation": -1,
            "roomId": "",
        },
        ensure_ascii=False,
    ).encode()


def _stars(creators: Creators, scenario: Scenario) -> Ints:
    """For each event, the creator with the most followers in its topic's community."""
    stars = np.zeros(len(scenario.events), dtype=np.int64)
    for number, event in enumerate(scenario.events):
        community = 0 if event.topic is None else scenario.topics[scenario.topic_number(event.topic)].community
        first, last = creators.first[community], creators.first[community + 1]
        stars[number] = first + int(np.argmax(creators.followers[first:last])) if last > first else 0
    return stars


def _tag_sets(rng: np.random.Generator, scenario: Scenario) -> tuple[pa.Array, pa.Array, Span]:
    """Hashtag sets by community, topic and crisis: as text, as challenges, and where each run begins."""
    texts: list[bytes] = []
    infos: list[bytes] = []
    starts: list[int] = []
    for community in lexicon.COMMUNITIES:
        starts.append(len(texts))
        for size in range(TAG_SETS):
            _append_tags(texts, infos, _some_tags(rng, community.tags, size % 6))
    for prefix in ("", "boycott"):
        for topic in scenario.topics:
            own = topic.keyword.replace(" ", "").removeprefix("#")
            starts.append(len(texts))
            for size in range(TAG_SETS):
                others = _some_tags(rng, lexicon.COMMUNITIES[topic.community].tags, size % 4)
                always = prefix or topic.keyword[0] == "#"
                _append_tags(texts, infos, [prefix + own, *others] if always or size % 3 == 0 else others)
    start = np.array(starts, dtype=np.int64)
    return pa.array(texts, pa.binary()), pa.array(infos, pa.binary()), Span(start, np.full_like(start, TAG_SETS))


def _some_tags(rng: np.random.Generator, own: tuple[str, ...], size: int) -> list[str]:
    pool = [*own, *lexicon.COMMON_TAGS]
    weight = np.concatenate([1 / np.arange(1, len(own) + 1), 0.7 / np.arange(1, len(lexicon.COMMON_TAGS) + 1)])
    return [str(tag) for tag in rng.choice(pool, size, replace=False, p=weight / weight.sum())]


def _append_tags(texts: list[bytes], infos: list[bytes], tags: list[str]) -> None:
    texts.append(json.dumps(" ".join(f"#{tag}" for tag in tags), ensure_ascii=False)[1:-1].encode())
    infos.append(json.dumps([_challenge(tag) for tag in tags], ensure_ascii=False).encode())


def _challenge(tag: str) -> dict[str, object]:
    number = int.from_bytes(tag.encode()[:6].ljust(6, b"\x07"), "big")
    return {
        "challengeId": str(10_000 + number), "challengeName": tag, "isCommerce": False, "text": "",
        "covers": [], "coversMedium": [], "coversLarger": [], "splitTitle": "",
    }  # fmt: skip


def _sounds(rng: np.random.Generator, sounds: int) -> tuple[pa.Array, pa.Array]:
    ids = [str(6_800_000_000_000_000_000 + int(n) * 999_983) for n in rng.permutation(sounds)]
    pick = rng.integers(0, len(lexicon.SOUND_WORDS), (sounds, 4))
    original = rng.random(sounds) < 0.3
    fragments = []
    for number, (sound, row) in enumerate(zip(ids, pick.tolist(), strict=True)):
        word = [lexicon.SOUND_WORDS[place] for place in row]
        cover = f"{IMAGES}/sound/{int(sound):x}"
        document = {
            "musicId": sound,
            "musicName": f"original sound - {word[2]}" if original[number] else f"{word[0]} {word[1]}",
            "authorName": f"{word[2]} {word[3]}",
            "original": bool(original[number]) if number % 3 else "",
            "playUrl": [f"https://s16.example.invalid/{sound}.mp3"],
            "covers": [f"{cover}_100x100.jpeg"],
            "coversMedium": [f"{cover}_200x200.jpeg"],
            "coversLarger": [f"{cover}_720x720.jpeg"],
        }
        fragments.append(json.dumps(document).encode())
    return pa.array([sound.encode() for sound in ids], pa.binary()), pa.array(fragments, pa.binary())


def text_of(numbers: Ints) -> pa.Array:
    """Integers as decimal digits (bytes)."""
    return pc.cast(pc.cast(pa.array(numbers), pa.string()), pa.binary())
