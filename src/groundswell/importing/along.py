"""What goes along with an import: it sees every record that is stored or set aside, and commits with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from groundswell.desk.clock import Clock, wall_us
from groundswell.importing.drift import check_drift, sentence
from groundswell.importing.fill import FillCounting
from groundswell.importing.rawzone import keeping

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from groundswell.desk import Desk
    from groundswell.importing.choice import Options
    from groundswell.importing.reads import Posts
    from groundswell.lake import Lake
    from groundswell.platforms.layout import Layout
    from groundswell.settings import Settings
    from groundswell.sources.containers import Container
    from groundswell.sources.files import SourceFile


class Companion(Protocol):
    """Goes along with one part of a run: a run has one, that of a very large file several."""

    def begin(self, file: SourceFile, container: Container | None, position: int) -> None:
        """Reading of a file begins at this byte (or row) of its content; `container` null: it is a table by itself."""

    def sample(self, layout: Layout, records: Sequence[Mapping[str, Any]]) -> None:
        """The decoded records by which the layout of a file was chosen."""

    def rows(self, read: Posts, new: npt.NDArray[np.bool_]) -> None:
        """Usable rows of one layout, perhaps of several files (`origin` says of which), and which are stored."""

    def refused(self, rows: pa.Table) -> None:
        """Rows as they go to the quarantine."""

    def ended(self, file: SourceFile, position: int | None) -> None:
        """The content of the file was read up to this byte, where a part ends; null: to its end."""

    def commit(self, txn: tuple[str, int]) -> None:
        """Make visible what was kept, unless this transaction was done before; the first commit of the part."""

    def abort(self) -> None:
        """Forget it; may be called after `commit`, and then does nothing."""


def companions(lake: Lake, settings: Settings, options: Options) -> list[Companion]:
    """What goes along with one part of an import with these options."""
    found: list[Companion] = [FillCounting(lake, versions())]
    raw = keeping(lake, settings, options)
    return found if raw is None else [raw, *found]


@cache
def versions() -> Mapping[str, tuple[int, str]]:
    """Version and table of each layout that is installed, by its id."""
    from groundswell.platforms import registry  # noqa: PLC0415 - loads every layout

    return {layout.id: (layout.version, layout.table) for layout in registry().layouts}


def finished(lake: Lake, desk: Desk, layouts: Collection[str] | None = None, *, now: Clock = wall_us) -> list[str]:
    """What is done once after some imports: fields are checked for drift. Sentences about what changed.

    Raises:
        UnavailableError: the lake cannot be read or the desk not be written.
    """
    return [sentence(row) for row in check_drift(lake, desk, layouts, now=now)]
