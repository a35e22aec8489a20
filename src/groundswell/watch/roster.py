"""The trackers in force, in memory: read again only when the desk says that one was changed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from groundswell.desk import Desk, checkpoints, trackers
from groundswell.watch.contract import TrackerSpec
from groundswell.watch.plan import Plan, in_force, spec_of
from groundswell.watch.state import Key, WatchState

_NEVER = -1


class Roster:
    """The trackers that the watch has taken up, in the order of their names.

    What the desk counts is asked for each batch; the trackers themselves, of which there may be thousands, only where
    that number is another one than before.
    """

    def __init__(self) -> None:
        self._edition = _NEVER
        self._specs: tuple[TrackerSpec, ...] = ()
        self._by_key: dict[Key, TrackerSpec] = {}
        self._keys: tuple[Key, ...] = ()
        self._name = checkpoints.roster_of(())
        self._taught: list[Key] | None = None

    def __len__(self) -> int:
        return len(self._specs)

    def take_up(self, session: Session) -> None:
        """Read the trackers in force, if they may be others than before."""
        edition = trackers.edition(session)
        if edition == self._edition:
            return
        specs = tuple(spec_of(row) for row in trackers.columns_active(session))
        self._edition = edition
        if specs == self._specs:
            return
        self._specs, self._taught = specs, None
        self._keys = tuple((spec.id, spec.version) for spec in specs)
        self._by_key = dict(zip(self._keys, specs, strict=True))
        self._name = checkpoints.roster_of(self._keys)

    def unknown_to(self, state: WatchState) -> list[TrackerSpec]:
        """Those of which `state` does not know anything yet."""
        if self._taught is state.keys:
            return []
        known = set(state.keys)
        found = [spec for key, spec in self._by_key.items() if key not in known]
        self._taught = None if found else state.keys
        return found

    def planned(self, session: Session) -> tuple[tuple[Key, ...], str]:
        """What a plan says now: those that were taken up and are still in force, and what the desk calls them.

        One that was made since is taken up, and taught its past, before a batch counts for it.
        """
        if trackers.edition(session) == self._edition:
            return self._keys, self._name
        keys = tuple(key for key in trackers.versions_active(session) if key in self._by_key)
        return keys, checkpoints.roster_of(keys)

    def of(self, plan: Plan, desk: Desk) -> Sequence[TrackerSpec]:
        """The trackers of a plan, as they were when it was made, or as they are where it is an older process's.

        The same tuple as long as they are the same, so that a step finds out at once.
        """
        if plan.trackers is self._keys:
            return self._specs
        found = [self._by_key.get(key) for key in plan.trackers]
        if None not in found:
            return tuple(spec for spec in found if spec is not None)
        with desk.reading() as session:
            return in_force(plan, trackers.by_id(session))
