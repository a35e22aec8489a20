"""A commit to a table in an S3 store, which may arrive although the answer does not.

The number of a commit is taken by a conditional put, so nobody overwrites another's. When nothing or a failure of the
server is answered, whether it arrived is looked up by a mark that the commit carries, before it is tried again.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError

from groundswell.errors import ConflictError
from groundswell.lake.delta import commits
from groundswell.lake.tables import SEQ_KEY, TableLayout
from groundswell.stores.refusals import may_pass

if TYPE_CHECKING:
    from deltalake.transaction import AddAction, RemoveAction

    from groundswell.stores import S3Path

#: Commit metadata by which a commit finds itself again.
MARK_KEY: Final = "groundswell_mark"
#: Commits that are looked through for it, and how often a number that another writer took is passed.
_BACK: Final = 32
_TURNS: Final = 20


def commit_to_store(
    table: DeltaTable,
    path: S3Path,
    layout: TableLayout,
    actions: Sequence[AddAction | RemoveAction],
    notes: Mapping[str, str],
    transactions: list[Transaction] | None,
    *,
    first_number: int,
) -> None:
    """Commit once, however often it has to be tried; `table` is at its version afterwards.

    Raises:
        ConflictError: another home has written rows with the same numbers (from `first_number` on) meanwhile.
        OSError: the store does not answer for longer than it is waited for; what was written is left for `vacuum`.
        DeltaError: the commit is refused.
    """
    mark = secrets.token_hex(16)
    properties = CommitProperties(
        custom_metadata={**notes, MARK_KEY: mark}, app_transactions=transactions, max_commit_retries=0
    )
    tried = False

    def attempt() -> None:
        nonlocal tried
        for turn in range(_TURNS):
            if tried:
                table.update_incremental()
                if _landed(table, path, mark):
                    return
                _check_numbers(table, path, layout, first_number)
            tried = True
            try:
                table.create_write_transaction(
                    list(actions),
                    "append",
                    table.schema(),
                    partition_by=list(layout.partition_by),
                    commit_properties=properties,
                )
            except CommitFailedError as error:
                # Somebody else took the number (a vacuum notes itself, too), or our own try arrived after all.
                if turn == _TURNS - 1 or may_pass(error):
                    raise
                continue
            table.update_incremental()
            return

    path.store.patiently(f"write the table `{layout.name}`", attempt)


def _landed(table: DeltaTable, path: S3Path, mark: str) -> bool:
    return any(entry.get(MARK_KEY) == mark for entry in commits(path, table, _BACK))


def _check_numbers(table: DeltaTable, path: S3Path, layout: TableLayout, first_number: int) -> None:
    if layout.numbered is None:
        return
    noted = next((int(entry[SEQ_KEY]) for entry in commits(path, table, _BACK) if SEQ_KEY in entry), 0)
    if noted >= first_number:
        what = f"another home wrote the table `{layout.name}` at the same time"
        hint = "several machines may share a lake if they share a desk, too: set GROUNDSWELL_DESK to one PostgreSQL"
        raise ConflictError(what, where=str(path), hint=hint)
