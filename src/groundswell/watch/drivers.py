"""Who and what an episode's excess consists of, against the tracker's own past."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from groundswell.watch.profiles import Past

#: Drivers of a kind, and groups of copies, that are shown.
SHOWN: Final = 8

Row = dict[str, Any]


class Shares:
    """Turns counts in the posts that were read into shares of the episode's excess.

    The excess is what came above expectation; of a drop, what stayed away. A driver's part is its posts less those
    that it usually has among as many as were expected. Where every post has just one (author, language), the parts
    of all, with those that are usual and did not come, add up to 1; what is below 0 is shown as 0. Without a past,
    everybody is taken to have had as much of what was expected as of what came.
    """

    def __init__(self, posts: int, expected: float, burst: bool, past: Past, read: int) -> None:
        """`posts` and `expected` of the whole episode, of which `read` posts are looked at."""
        self.scale = posts / read if read else 0.0
        self.posts = posts
        self.expected = expected
        self.burst = burst
        self.past = past.posts

    def usual(self, past: Mapping[str, float], key: str) -> float | None:
        """The fraction of earlier posts that carry it; null without a past."""
        return past.get(key, 0.0) / self.past if self.past else None

    def part(self, count: float, usual: float | None) -> float:
        """Its part of the excess, unbounded; `count` posts of those read carry it."""
        posts = count * self.scale
        if usual is None:
            return posts / self.posts if self.posts else 0.0
        excess = self.posts - self.expected if self.burst else self.expected - self.posts
        more = posts - self.expected * usual
        return (more if self.burst else -more) / max(excess, 1.0)

    def of(self, count: float, usual: float | None) -> float:
        """Its part as it is shown, 0 to 1."""
        return round(min(max(self.part(count, usual), 0.0), 1.0), 4)

    def drivers(self, keys: Iterable[str], past: Mapping[str, float], label: str) -> list[Row]:
        """The drivers of one kind, those of the greatest part first (`web.evidence_models.Driver`)."""
        counts = Counter(keys)
        if not self.burst:
            # Of a drop, those who did not come are what counts.
            counts.update(dict.fromkeys(past.keys() - counts.keys(), 0))
        rows: list[Row] = []
        for key, count in counts.items():
            usual = self.usual(past, key)
            rows.append(
                {
                    "key": key,
                    "label": label.format(key),
                    "posts": round(count * self.scale),
                    "share": self.of(count, usual),
                    "usual_share": None if usual is None else round(usual, 4),
                }
            )
        shown = sorted(rows, key=lambda row: (-row["share"], -row["posts"], row["key"]))[:SHOWN]
        return [row for row in shown if row["posts"] or row["share"]]

    def copies(self, rows: Sequence[Row], groups: Sequence[Sequence[int]]) -> list[Row]:
        """The texts that came more than once (`web.evidence_models.Copies`)."""
        found: list[Row] = []
        for group in groups:
            if len(group) < 2:
                continue
            members = [rows[at] for at in group]
            best = min(members, key=rank)
            found.append(
                {
                    "key": f"{best['platform'] or 'unknown'}:{best['post_id'] or best['record']}",
                    "text": shortened(best["text"]),
                    "posts": round(len(group) * self.scale),
                    "authors": len({row["author"] for row in members if row["author"]}),
                    "share": self.of(len(group), 0.0 if self.burst else None),
                }
            )
        return sorted(found, key=lambda row: (-row["posts"], row["key"]))[:SHOWN]


def known_posts(rows: Sequence[Row]) -> dict[str, int]:
    """How many of the posts read have each of the things that drivers are made of."""
    names = ("author", "hashtags", "sound", "domains", "lang", "text")
    return {name: sum(bool(row[name]) for row in rows) for name in names}


def rank(row: Row) -> tuple[int, int]:
    """Greatest reach first, then the earliest record."""
    return (-(row["followers"] or row["views"] or 0), row["record"] or 0)


def shortened(text: str | None) -> str | None:
    """As much of a text as a card keeps."""
    return text[:500] if text else text


def top_author(rows: Sequence[Row]) -> str | None:
    """Who wrote the most; of equals the first by name."""
    counts = Counter(row["author"] for row in rows if row["author"])
    return min(counts, key=lambda name: (-counts[name], name)) if counts else None
