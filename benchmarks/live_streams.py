"""Events like those of Bluesky's Jetstream, about 1 KB each, and trackers for them; for `live_throughput.py`."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

START_US = 1_764_000_000_000_000
#: Different texts; posts repeat them with other ids, authors and times.
TEXTS = 60_000
BRANDS = 30_000
#: Of so many posts one names a brand, and so many of these are about the one that bursts, in its time.
NAMING = 0.06
BURST = 0.3
#: The brand that bursts does so from here to there (fractions of the file).
BURST_FROM, BURST_TO = 0.70, 0.85
EMOJI = "😀🔥❤👍🎉😂🙏✨"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
SYLLABLES = [a + b for a in "bcdfghklmnprstvz" for b in "aeiou"]
#: Share of posts by script: Latin, Japanese, Cyrillic, Arabic, Thai.
SCRIPTS = (("en", 0.60), ("ja", 0.16), ("ru", 0.10), ("ar", 0.08), ("th", 0.06))


def brands(chance: random.Random) -> list[str]:
    """Names that nobody else uses."""
    names: dict[str, None] = {}
    while len(names) < BRANDS:
        names["".join(chance.choices(SYLLABLES, k=3)) + "x"] = None
    return list(names)


def _vocabulary(chance: random.Random) -> dict[str, list[str]]:
    def words(first: int, signs: int, count: int) -> list[str]:
        return [
            "".join(chr(first + chance.randrange(signs)) for _ in range(chance.randint(3, 9))) for _ in range(count)
        ]

    return {
        "en": words(ord("a"), 26, 20_000),
        "ja": [chr(0x3041 + n % 80) if n % 3 else chr(0x4E00 + n * 7 % 3000) for n in range(3_000)],
        "ru": words(0x430, 32, 8_000),
        "ar": words(0x627, 30, 6_000),
        "th": ["".join(chr(0x0E01 + chance.randrange(46)) for _ in range(4)) for _ in range(3_000)],
    }


def texts(chance: random.Random, names: list[str]) -> list[tuple[str, str, str | None]]:
    """Texts with language and hashtag; words are as unevenly frequent as in any language."""
    vocabulary = _vocabulary(chance)
    made = []
    for _ in range(TEXTS):
        lang = chance.choices([name for name, _ in SCRIPTS], [share for _, share in SCRIPTS])[0]
        words = vocabulary[lang]
        between = "" if lang in {"ja", "th"} else " "
        count = chance.randint(8, 40) * (2 if lang == "ja" else 1)
        parts = [words[int(len(words) * chance.random() ** 4)] for _ in range(count)]
        if chance.random() < NAMING:
            # A few brands are named by many, most by hardly anyone.
            parts.insert(count // 2, f" {names[int(len(names) * chance.random() ** 3)]} ")
        text = between.join(parts)
        if chance.random() < 0.2:
            text += f" {chance.choice(EMOJI)}"
        tag = f"tag{int(20_000 * chance.random() ** 3)}" if chance.random() < 0.25 else None
        text += f" #{tag}" if tag else ""
        text += " https://example.com/page" if chance.random() < 0.1 else ""
        made.append((text, lang, tag))
    return made


def write_stream(path: Path, posts: int, per_second: float, seed: int = 1) -> None:
    """Write so many events, `per_second` of them in each second of event time."""
    chance = random.Random(seed)  # noqa: S311 - made-up posts
    names = brands(chance)
    bodies = [_body(text, lang, tag, chance) for text, lang, tag in texts(chance, names)]
    about = [_body(f"what is it with {names[0]} {word}", "en", None, chance) for word in names[-2000:]]
    first, last = int(posts * BURST_FROM), int(posts * BURST_TO)
    with path.open("w", encoding="utf-8") as file:
        for n in range(posts):
            at = START_US + int(n / per_second * 1e6)
            seconds, micros = divmod(at, 1_000_000)
            bursting = first <= n < last and chance.random() < NAMING * BURST
            head, tail = chance.choice(about if bursting else bodies)
            did = f"did:plc:{int(2_000_000 * chance.random() ** 2):024d}"
            made = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{micros // 1000:03}Z"
            file.write(
                f'{{"did":"{did}","time_us":{at + 150_000},"kind":"commit","commit":{{"rev":"3m{n:011}",'
                f'"operation":"create","collection":"app.bsky.feed.post","rkey":"3m{n:011}","record":{{"$type":"app.bsky.feed.post",'
                f'"createdAt":"{made}",{head}{n:024d}{tail}}},"cid":"bafyreif{n:051}"}}}}\n'
            )


def _body(text: str, lang: str, tag: str | None, chance: random.Random) -> tuple[str, str]:
    """The rest of a post's record: what stands before and behind a number that makes its reply one of its own."""
    record: dict[str, object] = {"langs": [lang], "text": text}
    if tag:
        feature = {"$type": "app.bsky.richtext.facet#tag", "tag": tag}
        size = len(text.encode())
        record["facets"] = [{"features": [feature], "index": {"byteEnd": size, "byteStart": size - len(tag) - 1}}]
    cid = "bafyrei" + "".join(chance.choices(LETTERS, k=52))
    roll = chance.random()
    if roll < 0.5:
        uri = "at://did:plc:NUMBER/app.bsky.feed.post/3mabcdefghijk"
        record["reply"] = {
            "parent": {"cid": cid, "uri": uri},
            "root": {"cid": cid, "uri": uri.replace("NUMBER", "x" * 24)},
        }
    elif roll < 0.8:
        blob = {"$type": "blob", "ref": {"$link": cid}, "mimeType": "image/jpeg", "size": 381_234}
        image = {"alt": "NUMBER", "aspectRatio": {"height": 1000, "width": 1000}, "image": blob}
        record["embed"] = {"$type": "app.bsky.embed.images", "images": [image]}
    else:
        card = {"description": "a page " * 12, "thumb": {"$type": "blob", "ref": {"$link": cid}}, "title": "t"}
        record["embed"] = {
            "$type": "app.bsky.embed.external",
            "external": {**card, "uri": "https://example.com/NUMBER"},
        }
    written = json.dumps(record, ensure_ascii=chance.random() < 0.1, separators=(",", ":"))
    head, _, tail = written[1:-1].partition("NUMBER")
    return head, tail


def queries(count: int, seed: int = 1) -> list[str]:
    """Queries of all kinds, most of them for something that few posts have."""
    chance = random.Random(seed)  # noqa: S311 - made-up posts
    names = brands(chance)
    kinds = (
        "{a}",
        "{a} OR {b}",
        "{a} (boycott OR scandal OR recall) -giveaway",
        '"{a} shoes" OR "{b} recall" OR {c}',
        "{a}* OR #{a}",
        "{a} lang:en -#ad",
        "({a} OR {b}) kind:image",
        "@{a} OR {a} OR author:{b}",
    )
    chosen = chance.sample(names[1:], min(len(names) - 1, 3 * count))
    while len(chosen) < 3 * count:
        chosen += chosen
    made = [names[0]]
    for n in range(count - 1):
        a, b, c = chosen[3 * n : 3 * n + 3]
        made.append(kinds[n % len(kinds)].format(a=a, b=b, c=c))
    return made
