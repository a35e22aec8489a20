"""What goes along with an import: it sees every record that is stored or set aside, and commits with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.desk.clock import Clock, wall_us
from groundswell.errors import GroundswellError
from groundswell.importing.choice import GENERIC
from groundswell.importing.drift import check_drift, sentence
from groundswell.importing.fill import FillCounting
from groundswell.importing.rawzone import keeping
from groundswell.importing.rawzone_stream import StreamKeeping
from groundswell.importing.refusals import decode

if TYPE_CHECKING:
    import numpy.typing as npt

    from groundswell.desk import Desk
    from groundswell.importing.blocks import RawBlock
    from groundswell.importing.choice import Options
    from groundswell.importing.reads import Posts
    from groundswell.lake import Lake
    from groundswell.platforms.layout import Layout
    from groundswell.settings import Settings
    from groundswell.sources.containers import Container
    from groundswell.sources.files import SourceFile

#: Records of one block of a stream that are looked at for unknown keys.
SAMPLED_OF_A_BLOCK: Final = 50


class Attendant(Protocol):
    """What is committed together with rows."""

    def refused(self, rows: pa.Table) -> None:
        """Rows as they go to the quarantine."""

    def commit(self, txn: tuple[str, int]) -> None:
        """Make visible what was kept, unless this transaction was done before; the first commit of all."""

    def abort(self) -> None:
        """Forget it; may be called after `commit`, and then does nothing."""


class Companion(Attendant, Protocol):
    """Goes along with one part of a run: a run has one, that of a very large file several."""

    def begin(self, file: SourceFile, container: Container | None, position: int) -> None:
        """Reading of a file begins at this byte (or row) of its content; `container` null: it is a table by itself."""

    def sample(self, layout: Layout, records: Sequence[Mapping[str, Any]]) -> None:
        """The decoded records by which the layout of a file was chosen."""

    def rows(self, read: Posts, new: npt.NDArray[np.bool_]) -> None:
        """Usable rows of one layout, perhaps of several files (`origin` says of which), and which are stored."""

    def ended(self, file: SourceFile, position: int | None) -> None:
        """The content of the file was read up to this byte, where a part ends; null: to its end."""


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


class AlongStream:
    """What goes along with one batch of a stream: its raw records are kept, its fields counted."""

    def __init__(self, lake: Lake, settings: Settings, imported_us: int) -> None:
        self._fill = FillCounting(lake, versions(), at_us=imported_us)
        self._raw = StreamKeeping(lake, settings, imported_us) if settings.keep_raw else None

    def block(self, block: RawBlock) -> None:
        """Records that are read now.

        Raises:
            UnavailableError: they cannot be written.
        """
        if self._raw is not None:
            self._raw.add(block)

    def rows(self, table: str, block: RawBlock, rows: pa.Table, new: npt.NDArray[np.bool_]) -> None:
        """The rows of one table from a block (`record` says of which of its records), and which are stored."""
        made = block.made
        if made is None or len(made.left):
            self._fill.mixed(table, rows, new)
        elif rows.num_rows:
            # Kernels read what a layout declares as it stands, and leave the rest to others.
            self._fill.derived(made.layout.id, made.layout.version, table, rows, new, may_be_unread=False)
            if self._fill.has_enough(made.layout):
                return
        some = np.flatnonzero(new)[:SAMPLED_OF_A_BLOCK]
        if not len(block.records):
            return  # they were read elsewhere, and did not come along
        sample_block(self._fill, block.records, rows.select(["layout", "record"]).take(pa.array(some)))

    def refused(self, rows: pa.Table) -> None:
        """Rows as they go to the quarantine."""
        self._fill.refused(rows)

    def commit(self, txn: tuple[str, int]) -> None:
        """Make visible what was kept and counted."""
        if self._raw is not None:
            self._raw.commit(txn)
        self._fill.commit(txn)

    def abort(self) -> None:
        """Forget it; does nothing after `commit`."""
        if self._raw is not None:
            self._raw.abort()


def sample_block(fill: FillCounting, records: Sequence[bytes], rows: pa.Table) -> None:
    """Look for unknown keys in some of the records that rows were made of."""
    from groundswell.platforms import registry  # noqa: PLC0415 - loads every layout

    some = rows.slice(0, SAMPLED_OF_A_BLOCK).select(["layout", "record"])
    for name in some["layout"].unique().to_pylist():
        layout = next(
            (layout for layout in registry().layouts if layout.id == name and layout.platform != GENERIC), None
        )
        if layout is not None and not fill.has_enough(layout):
            places = some.filter(pc.equal(some["layout"], name))["record"].to_pylist()
            decoded = (decode(records[place])[0] for place in dict.fromkeys(places))
            fill.sample(layout, [record for record in decoded if record is not None])


def finished(lake: Lake, desk: Desk, *, now: Clock = wall_us) -> list[str]:
    """What is done once after some imports: fields are checked for drift. Sentences for the person."""
    try:
        return [sentence(row) for row in check_drift(lake, desk, now=now)]
    except GroundswellError as error:
        return [f"drift was not checked: {error}"]  # what was imported stays imported
