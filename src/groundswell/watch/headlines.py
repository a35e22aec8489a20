"""What happened, in one sentence, and how much of it in a second line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from groundswell.watch.contract import MINUTE, SeriesPoint, WatchParams
from groundswell.watch.episodes import Episode, Voice
from groundswell.watch.signals import SIGNALS

#: Posts expected per window below which a ratio says nothing.
LEAST_EXPECTED: Final = 0.5


def ratio_of(point: SeriesPoint) -> float | None:
    """Count over expectation; None where almost nothing was expected."""
    if point.expected is None or point.expected < LEAST_EXPECTED:
        return None
    return round(point.count / point.expected, 3)


def headline(name: str, episode: Episode, params: WatchParams) -> str:
    """What happened, in one sentence: of the posts, or of another signal where that is the rarest."""
    peak, ratio = episode.peak, ratio_of(episode.peak)
    length = _duration(params.window_us)
    if episode.lead.signal != "posts" and episode.lead.signal in SIGNALS:
        return _of_signal(name, episode.lead, length)
    if episode.direction == "drop":
        share = 100 * peak.count / (peak.expected or 1.0)
        return f"“{name}” is down to {share:.0f} % of what is usual"
    if ratio is None:
        posts = f"{peak.count:,} post" + ("" if peak.count == 1 else "s")
        return f"“{name}” is in {posts} in {length}; usually there are almost none"
    return f"“{name}” is mentioned {ratio:.1f} times as often as usual"


def _of_signal(name: str, lead: Voice, length: str) -> str:
    signal = SIGNALS[lead.signal]
    if signal.kind == "share":
        usual = f"usually {100 * lead.expected:.0f} %"
        return f"“{name}”: the {signal.label} is {100 * lead.observed:.0f} % in {length}, {usual}"
    if signal.kind == "count":
        if lead.direction == "drop":
            return f"“{name}”: only {lead.observed:,.0f} {signal.label} in {length}, usually {lead.expected:,.0f}"
        return f"“{name}”: {lead.observed:,.0f} {signal.label} in {length}, usually {lead.expected:,.0f}"
    times = lead.observed / max(lead.expected, 1e-9)
    return f"“{name}”: {signal.label}, {times:,.1f} times as high as usual in {length}"


def detail(evidence: Mapping[str, Any]) -> str:
    """How much, for how long, by whom: the line below the headline, from the evidence alone."""
    parts = [
        f"{evidence['posts_total']:,} posts in {_duration(evidence['parameters']['span_s'] * 1_000_000)}",
        f"{evidence['authors_total']:,} author" + ("" if evidence["authors_total"] == 1 else "s"),
    ]
    copies = float(evidence["parameters"]["copies_share"])
    top = max(evidence["authors"], key=lambda row: row["posts"], default=None)
    top_share = top["posts"] / max(evidence["posts_total"], 1) if top else 0.0
    if copies >= 0.3:
        parts.append(f"{copies:.0%} copies of one text".replace("%", " %"))
    elif top is not None and top_share >= 0.2:
        parts.append(f"{top['label']} wrote {top_share:.0%}".replace("%", " %"))
    elif evidence["authors_total"]:
        parts.append("nobody dominates")
    return " · ".join(parts)


def _duration(length_us: int) -> str:
    minutes = length_us / MINUTE
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h".replace(".0 h", " h")
