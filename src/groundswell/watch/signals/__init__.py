"""Signals: what of a tracker's windows is scored. Adding one is a file like its neighbours and a name below."""

from __future__ import annotations

from typing import Final

from groundswell.watch.signals.authors import Authors
from groundswell.watch.signals.base import Kind, Matched, Signal
from groundswell.watch.signals.copies import Copies
from groundswell.watch.signals.engagement import Engagement
from groundswell.watch.signals.posts import Posts
from groundswell.watch.signals.reach import Reach
from groundswell.watch.signals.tally import Tally
from groundswell.watch.signals.top_author import TopAuthor

SIGNALS: Final[dict[str, Signal]] = {
    signal.name: signal for signal in (Posts(), Authors(), TopAuthor(), Copies(), Engagement(), Reach())
}

__all__ = ["SIGNALS", "Kind", "Matched", "Signal", "Tally"]
