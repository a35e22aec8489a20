"""Profiles of the lake: each is read once by a process of its own, and given again until the lake changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

from groundswell.lake import Lake
from groundswell.settings import Settings
from groundswell.web.analysis_models import OutlierRule, Profile
from groundswell.web.children import Child

#: Answers that are kept.
_KEPT: Final = 16

Question = tuple[str, tuple[str, ...], str]


class Profiles:
    """Safe to use from several threads; one profile is read at a time."""

    def __init__(self, settings: Settings, lake: Lake) -> None:
        self._settings = settings
        self._lake = lake
        self._turn = threading.Lock()
        self._known: OrderedDict[Question, tuple[int, Profile]] = OrderedDict()
        self._child: Child | None = None

    def read(self, query: str, platforms: tuple[str, ...], rule: OutlierRule) -> Profile:
        """The profile of the posts that match.

        Raises:
            GroundswellError: it cannot be read; or the server ends.
        """
        question = (query, platforms, rule)
        with self._turn:
            version = self._lake.version("posts")
            known = self._known.get(question)
            if known is not None and known[0] == version:
                return known[1]
            self._child = Child(
                {
                    "do": "profile",
                    "settings": self._settings.model_dump(mode="json"),
                    "query": query,
                    "platforms": platforms,
                    "rule": rule,
                }
            )
            found = Profile.model_validate(self._child.run(lambda _: None))
            self._known[question] = (version, found)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
            return found

    def close(self) -> None:
        """End what is being read."""
        child = self._child
        if child is not None:
            child.end()
