"""Where the rows of one part of an import go: each to its table, those that are known left out, in one go.

The commits come in a fixed order: what goes along (raw bytes), quarantine, authors, comments, posts. All name
the same transaction, and the commit of the posts carries the summary: once it is there, all are. A part that
was killed before is done again; tables that it had committed already are not written twice, and what they
got from it counts as new, as it did then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.importing.known import MANY, KeySet, keys_of, take_rows
from groundswell.lake import Appender, Lake
from groundswell.lake.keyfiles import MODEST
from groundswell.schema import FIELDS

if TYPE_CHECKING:
    from groundswell.importing.along import Attendant

QUARTER_US: Final = 900_000_000
#: The tables of what layouts give, in the order of their commits; the posts are last, because theirs says it all.
ORDER: Final = (*sorted(name for name in FIELDS if name != "posts"), "posts")


class Keys:
    """The keys seen so far in each table, kept from one run to the next while nobody else writes."""

    def __init__(self, lake: Lake, most: int = MODEST) -> None:
        """Key files of the lake are joined when they are asked for, up to `most` keys in one go."""
        self._lake = lake
        self._most = most
        self._sets: dict[str, KeySet] = {}
        self._versions: dict[str, int] = {}

    def of(self, table: str) -> KeySet:
        """The keys of a table."""
        if table not in self._sets:
            self.without(table, set())
        return self._sets[table]

    def forget(self) -> None:
        """Know only what the lake holds, as after rows that were seen and then not stored."""
        self._sets.clear()

    def trim(self) -> None:
        """Forget the keys of tables of which many were seen; the lake holds them, after a commit."""
        for table in [table for table, keys in self._sets.items() if keys.held >= MANY]:
            del self._sets[table]

    def without(self, table: str, files: set[str]) -> None:
        """Know what the lake holds outside of some files (their names)."""
        self._sets[table] = KeySet(keys_of(self._lake, table, files, self._most), self._lake.beside)

    def check(self) -> None:
        """Forget the keys of tables that another process has appended to since `settle`."""
        for table in list(self._sets):
            if self._versions.get(table) != self._lake.version(table):
                del self._sets[table]

    def settle(self) -> None:
        """Take the lake's versions of now for those whose keys are known."""
        self._versions = {table: self._lake.version(table) for table in self._sets}


class Sink:
    """One part of a run on its way into the lake; leaving the `with` block without a commit leaves nothing."""

    def __init__(
        self, lake: Lake, txn: tuple[str, int], keys: Keys, along: Sequence[Attendant] = (), *, for_now: bool = False
    ) -> None:
        """`for_now`: its files are of a stream, whose many commits are joined soon."""
        self._lake = lake
        self._for_now = for_now
        self.txn = txn
        self._keys = keys
        self._along = along
        self._quarantine = QuarantineWriter(lake, txn)
        self._appenders: dict[str, Appender] = {}
        self._done = {name for name in ORDER if (lake.txn_version(name, txn[0]) or 0) >= txn[1]}
        for name in self._done:
            keys.without(name, lake.files_of(name, txn))

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, *error: object) -> None:
        # Each of them is ended whatever the others do; those that have committed stay as they are.
        with ExitStack() as stack:
            stack.callback(self._quarantine.__exit__)
            for appender in self._appenders.values():
                stack.callback(appender.__exit__, None, None, None)
            for companion in self._along:
                stack.callback(companion.abort)
            self._along = ()

    def store(self, table: str, rows: pa.Table) -> npt.NDArray[np.bool_]:
        """Add those of some rows that are new; says which they are.

        Raises:
            UnavailableError: the disk is full or cannot be written.
        """
        new = self._keys.of(table).admit(rows)
        if table not in self._done and new.any():
            self._appender(table).write(take_rows(rows, new))
        return new

    def refuse(self, rows: pa.Table) -> None:
        """Add rows to the quarantine, those that it has left out."""
        self._quarantine.write(rows)
        for companion in self._along:
            companion.refused(rows)

    def commit(self, metadata: Mapping[str, str]) -> None:
        """Make all of it visible; `metadata` goes with the commit of the posts.

        Raises:
            UnavailableError: the disk is full or cannot be written; the part has to be done again.
        """
        for companion in self._along:
            companion.commit(self.txn)
        self._along = ()
        self._quarantine.commit()
        for table in ORDER[:-1]:
            if table in self._appenders:
                self._appenders[table].commit(txn=self.txn)
        if ORDER[-1] not in self._done:
            self._appender(ORDER[-1]).commit(txn=self.txn, metadata=metadata)

    def _appender(self, table: str) -> Appender:
        if table not in self._appenders:
            self._appenders[table] = self._lake.appender(table, for_now=self._for_now)
        return self._appenders[table]


class QuarantineWriter:
    """Appends to the quarantine what is not there yet; makes no commit when there is nothing to append."""

    def __init__(self, lake: Lake, txn: tuple[str, int]) -> None:
        self._lake = lake
        self._txn = txn
        self._done = (lake.txn_version("quarantine", txn[0]) or 0) >= txn[1]
        self._appender: Appender | None = None
        self._origins: set[str] = set()
        self._known: set[str] = set()

    def __enter__(self) -> QuarantineWriter:
        return self

    def __exit__(self, *error: object) -> None:
        if self._appender is not None:
            self._appender.__exit__(None, None, None)

    def write(self, rows: pa.Table) -> None:
        """Add rows; those whose id the quarantine has are left out."""
        if self._done or not rows.num_rows:
            return
        self._load(set(pc.unique(rows["origin"]).to_pylist()))
        fresh = []
        for id_ in rows["id"].to_pylist():
            fresh.append(id_ not in self._known)
            self._known.add(id_)
        if any(fresh):
            self._appender = self._appender or self._lake.appender("quarantine")
            self._appender.write(rows.filter(pa.array(fresh)))

    def commit(self) -> None:
        """Make the rows visible."""
        if self._appender is not None:
            self._appender.commit(txn=self._txn)

    def _load(self, origins: set[str]) -> None:
        """Learn which ids of some origins are held."""
        wanted = origins - self._origins
        if not wanted:
            return
        self._origins |= wanted
        if len(wanted) == 1:
            held = self._lake.read("quarantine", ["id"], {"origin": next(iter(wanted))})
        else:
            every = self._lake.read("quarantine", ["id", "origin"])
            held = every.filter(pc.is_in(every["origin"], value_set=pa.array(sorted(wanted), pa.string())))
        self._known.update(held["id"].to_pylist())
