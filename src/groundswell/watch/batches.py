"""From blocks of the journal to what the watch takes: by compiled kernels where they are loaded, else by the engine."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell import schema
from groundswell.bus import Block, Kind
from groundswell.bus.blocks import content_of
from groundswell.bus.buffers import BUFFERS
from groundswell.kernels import load, load_live, loaded, loaded_live
from groundswell.sources.replay import is_undated
from groundswell.watch import handing
from groundswell.watch.arrivals import BATCH, TableArrivals
from groundswell.watch.contract import Arrivals, Ints
from groundswell.watch.detector import warm
from groundswell.watch.joined_arrivals import JoinedArrivals, join

if TYPE_CHECKING:
    from groundswell.engines.contract import Engine
    from groundswell.importing.fast.posts import FastLayout, FastPosts
    from groundswell.importing.handover import Handover
    from groundswell.platforms import Registry
    from groundswell.query import Matcher
    from groundswell.settings import Settings

#: What a post of the journal names as the place it came from.
ORIGIN: Final = "journal"
#: Records of which a part is worth a thread of its own.
_PART: Final = 2_000
#: From so many posts on, an engine makes them sooner.
_MANY: Final = 4_000
#: Records from which on the kernels are loaded; before, most of a test or a small file would be over.
_WORTH_WHILE: Final = 10_000
_met: Final[list[int]] = []
_begun: Final[list[bool]] = []
_turn: Final = threading.Lock()
#: An engine is not for several threads at once, and the parts of a batch are asked for their posts by several.
_engine_turn: Final = threading.Lock()
_LINE_FEED: Final = 0x0A


@dataclass(frozen=True)
class Ways:
    """What the ordinary way in needs."""

    engine: Engine
    registry: Registry
    settings: Settings
    imported_us: int
    matcher: Matcher | None = None
    """The queries that posts are matched with while they are read, where they are known by then."""
    handover: Handover | None = None
    """Where the lake writer takes rows from, if it works in this process."""

    @property
    def counts_terms(self) -> bool:
        """Whether anybody will ask for the words of posts."""
        return self.settings.topics > 0


@dataclass(frozen=True)
class Records:
    """Raw records of one source: `data` holds them, record n between `bounds[n]` and `bounds[n + 1]`, with a line feed.

    `numbers` are their numbers in the journal, `received_us` when each was received.
    """

    source: str
    hint: dict[str, object] | None = field(hash=False)
    data: npt.NDArray[np.uint8]
    bounds: Ints
    numbers: Ints
    received_us: Ints
    blocks: tuple[int, ...] = ()
    """The blocks that hold them, where they are known …"""
    starts: Ints | None = field(default=None, hash=False)
    """… and where the records of each begin, and those of the last one end."""

    @classmethod
    def of(cls, blocks: Sequence[Block], threads: int = 1) -> Records:
        """The records of blocks of one source and hint; so many threads unpack large ones."""
        numbers = np.concatenate([block.numbers for block in blocks])
        received = np.concatenate([block.received_us for block in blocks])
        if threads > 1 and len(numbers) >= _PART * threads and all(block.frame is not None for block in blocks):
            data, bounds = _unpacked(blocks, threads)
        else:
            data = np.frombuffer(content_of(blocks), np.uint8)
            bounds = borders_of(data, len(numbers))
        starts = np.cumsum([0, *(block.count for block in blocks)])
        seqs = tuple(block.seq for block in blocks)
        return cls(blocks[0].source, blocks[0].hint, data, bounds, numbers, received, seqs, starts)

    def __len__(self) -> int:
        return len(self.numbers)

    def lines(self, rows: Ints) -> list[bytes]:
        """Some of the records, without the line feed."""
        begins, ends = self.bounds[rows].tolist(), (self.bounds[rows + 1] - 1).tolist()
        return [self.data[begin:end].tobytes() for begin, end in zip(begins, ends, strict=True)]


def _unpacked(blocks: Sequence[Block], threads: int) -> tuple[npt.NDArray[np.uint8], Ints]:
    """The content of some blocks, and where each record begins, by several threads."""
    places = np.cumsum([0, *(block.size for block in blocks)])
    numbers = np.cumsum([0, *(block.count for block in blocks)])
    data, bounds = BUFFERS.take(int(places[-1])), np.zeros(numbers[-1] + 1, np.int64)

    def unpack(part: tuple[int, int]) -> None:
        first, last = part
        for at in range(first, last):
            blocks[at].unpack(data[places[at] : places[at + 1]].data)
        mine = data[places[first] : places[last]]
        found = borders_of(mine, int(numbers[last] - numbers[first]))
        bounds[numbers[first] + 1 : numbers[last] + 1] = found[1:] + places[first]

    parts = np.searchsorted(places, np.linspace(0, places[-1], threads + 1)).tolist()
    list(_pool(threads).map(unpack, pairwise(parts)))
    data.setflags(write=False)
    return data, bounds


def arrivals_of(blocks: Sequence[Block], ways: Ways) -> Arrivals:
    """The posts of some blocks, in the order of their records."""
    records = sum(block.count for block in blocks)
    warm_up(records, ways.settings.home / "cache")
    if ways.handover is None or not blocks:
        return _arrivals_of(blocks, ways)
    with ways.handover.reading(blocks[0].seq, blocks[-1].seq, many=records >= handing.LEAST):
        return _arrivals_of(blocks, ways)


def _arrivals_of(blocks: Sequence[Block], ways: Ways) -> Arrivals:
    counted = [block for block in blocks if block.kind == Kind.RECORDS and not is_undated(block.hint)]
    groups = groupby(counted, key=lambda block: (block.source, repr(block.hint)))
    return arrivals_of_records([Records.of(list(group), ways.settings.cores) for _, group in groups], ways)


def arrivals_of_records(groups: Sequence[Records], ways: Ways) -> Arrivals:
    """The posts of some raw records, in their order."""
    parts: list[Arrivals] = []
    for records in groups:
        layout = None if loaded_live() is None else _fast_layout(records, ways)
        if layout is None:
            parts.append(_begun_table(posts_of(records, np.arange(len(records)), ways), ways))
        else:
            parts += _fast(records, layout, ways)
    # Parts that were matched where they were read have nothing left to work out, and the threads read what follows.
    joined = join(parts, _pool(ways.settings.cores) if len(parts) > 1 and ways.matcher is None else None)
    if ways.matcher is not None and isinstance(joined, JoinedArrivals):
        # By whoever reads, which may be beside a step; that one then waits for no thread.
        joined.begin(ways.matcher, terms=ways.counts_terms)
    return joined


def _begun_table(posts: pa.Table, ways: Ways) -> TableArrivals:
    arrivals = TableArrivals(posts)
    return arrivals if ways.matcher is None else arrivals.begin(ways.matcher, terms=ways.counts_terms)


def posts_of(records: Records, rows: Ints, ways: Ways) -> pa.Table:
    """The posts of some records (ascending) by the ordinary way in, with the columns of `BATCH`."""
    from groundswell.importing import RawBlock, normalise  # noqa: PLC0415 - loads the engine; `watch list` needs none
    from groundswell.importing.choice import SAMPLE  # noqa: PLC0415 - loads what an import needs

    numbers, received = records.numbers[rows], records.received_us[rows]
    raw = RawBlock(
        records=records.lines(rows),
        source=records.source,
        origin=ORIGIN,
        numbers=numbers,
        received_us=received,
        hint=records.hint,
        imported_us=ways.imported_us,
        sample=records.lines(np.arange(min(SAMPLE, len(records)))),
    )
    with _engine_turn:
        posts = normalise(raw, ways.engine, ways.registry, ways.settings).posts
    index = posts.column("record").to_numpy()
    order = np.argsort(numbers[index], kind="stable")
    index = index[order]
    posts = posts.take(pa.array(order))
    columns = [
        posts.column(f.name) if f.name in posts.column_names else pa.nulls(len(posts), f.type) for f in schema.POSTS
    ]
    columns += [pa.array(numbers[index]), pa.array(received[index])]
    return pa.Table.from_arrays(columns, schema=BATCH)


def _fast_layout(records: Records, ways: Ways) -> FastLayout | None:
    """The fast layout of some records, if the one that the ordinary way would choose has one."""
    from groundswell.importing.blocks import layout_of  # noqa: PLC0415 - loads what an import needs
    from groundswell.importing.choice import SAMPLE  # noqa: PLC0415 - loads what an import needs
    from groundswell.importing.fast.layouts import FAST  # noqa: PLC0415 - loads Numba

    chosen = layout_of(records.lines(np.arange(min(SAMPLE, len(records)))), records.hint, ways.registry, ways.settings)
    if chosen is None or chosen.parameters:
        return None
    fast = FAST.get(chosen.id)
    return fast if fast is not None and fast.version == chosen.version else None


def _fast(records: Records, layout: FastLayout, ways: Ways) -> list[Arrivals]:
    """The records by kernels, in parts that several threads work out, and the doubted ones by the engine."""
    workers, make = _pool(ways.settings.cores), WholePosts(records, layout, ways)
    count = max(1, min(ways.settings.cores, len(records) // _PART))
    borders = np.linspace(0, len(records), count + 1).astype(np.int64)
    leaving = handing.Handing.of(records, layout, ways, ORIGIN)
    if leaving is not None:
        borders = leaving.whole(borders)
    read = workers.map(lambda part: _part(make, leaving, *part), list(pairwise(borders.tolist())))
    parts: list[Arrivals] = []
    doubted = []
    for arrivals, rows in read:
        parts.append(arrivals)
        doubted.append(rows)
    again = np.concatenate(doubted)
    if len(again):
        parts.append(_begun_table(posts_of(records, again, ways), ways))
    return parts


def _part(make: WholePosts, leaving: handing.Handing | None, begin: int, end: int) -> tuple[Arrivals, Ints]:
    """Posts of the records from `begin` to before `end`, and those of them that are doubted."""
    from groundswell.importing.blocks import FUTURE_US  # noqa: PLC0415 - loads what an import needs
    from groundswell.watch.fast_arrivals import FastArrivals  # noqa: PLC0415 - loads Numba

    records, layout, ways = make.records, make.layout, make.ways
    every = None if leaving is None else leaving.wanted(begin)
    spans = (every or layout.paths).walk(records.data, records.bounds[begin : end + 1])
    found = layout.read(spans)
    created, known = found.created
    received = records.received_us[begin:end][found.row]
    true = ~known | (created <= received + FUTURE_US)
    if not true.all():
        found, received = found.take(np.flatnonzero(true)), received[true]
    arrivals = FastArrivals(found, found.row + begin, received, make)
    if leaving is not None and every is not None:
        arrivals.made = leaving.give(spans, found, begin, arrivals.words)
    arrivals.begin(ways.matcher, terms=ways.counts_terms)
    return arrivals, np.flatnonzero(found.doubted) + begin


@dataclass(frozen=True, eq=False)
class WholePosts:
    """Makes whole posts of the records that one layout reads, for all parts of them alike."""

    records: Records
    layout: FastLayout
    ways: Ways

    @property
    def platform(self) -> str:
        """Their platform."""
        return self.layout.platform

    @property
    def numbers(self) -> Ints:
        """The number of each record."""
        return self.records.numbers

    def __call__(self, rows: Ints, posts: FastPosts) -> pa.Table:
        """One post for each of some records, in their order; `posts` are what the layout read of them."""
        return whole_posts(self.records, rows, posts, self.layout, self.ways)


def whole_posts(records: Records, rows: Ints, posts: FastPosts, layout: FastLayout, ways: Ways) -> pa.Table:
    """One post for each of some records, in their order; `posts` are what the layout read of them."""
    from groundswell.importing.derive import Origin  # noqa: PLC0415 - loads the engine
    from groundswell.watch.whole import whole  # noqa: PLC0415 - loads Numba

    if len(rows) > _MANY:
        return engine_posts(records, rows, layout, ways)
    registered = ways.registry.get(layout.id)
    origin = Origin(records.source, ORIGIN, ways.imported_us)
    places = (records.numbers[rows], records.received_us[rows])
    made, doubted = whole(posts, records.lines(rows), layout, registered, origin, places)
    if not doubted.any():
        return made
    again = np.flatnonzero(doubted)
    place = np.arange(len(rows))
    place[again] = len(rows) + np.arange(len(again))
    return pa.concat_tables([made, engine_posts(records, rows[again], layout, ways)]).take(pa.array(place))


def engine_posts(records: Records, rows: Ints, layout: FastLayout, ways: Ways) -> pa.Table:
    """One post for each of some records, in their order, by the engine."""
    distinct, at = np.unique(rows, return_inverse=True)
    posts = posts_of(records, distinct, ways)
    numbers = records.numbers[distinct]
    if not np.array_equal(posts["record"].to_numpy(), numbers):
        # The ordinary way sees it otherwise: what is known for certain stands in for those that it does not give.
        posts = _with_stand_ins(posts, records, distinct, layout)
    return posts.take(pa.array(at))


def _with_stand_ins(posts: pa.Table, records: Records, rows: Ints, layout: FastLayout) -> pa.Table:
    """The first post of each record, or one of which hardly more than its platform is known."""
    first = {number: at for at, number in reversed(list(enumerate(posts["record"].to_pylist())))}
    numbers = records.numbers[rows].tolist()
    missing = [at for at, number in enumerate(numbers) if number not in first]
    columns: dict[str, Any] = {name: [None] * len(missing) for name in BATCH.names}
    columns |= {"platform": [layout.platform] * len(missing), "record": [numbers[at] for at in missing]}
    columns["received_us"] = records.received_us[rows][missing].tolist()
    stand_ins = pa.table(columns, schema=BATCH)
    first |= {numbers[at]: posts.num_rows + n for n, at in enumerate(missing)}
    return pa.concat_tables([posts, stand_ins]).take(pa.array([first[number] for number in numbers]))


def borders_of(data: npt.NDArray[np.uint8], count: int) -> Ints:
    """Where each of so many records begins, and where the last one ends."""
    kernel = loaded()
    bounds = np.zeros(count + 1, np.int64)
    if kernel is None:
        bounds[1:] = np.flatnonzero(data == _LINE_FEED) + 1
    else:
        kernel.line_starts(data, bounds[1:])
    return bounds


def warm_up(records: int, folder: Path) -> None:
    """Load the compiled kernels beside the work, once so much has come in that they pay for themselves."""
    with _turn:
        _met[:] = [sum(_met) + records]
        if _met[0] < _WORTH_WHILE or _begun:
            return
        _begun.append(True)
    threading.Thread(target=_load_all, args=(folder,), name="kernels", daemon=True).start()


def _load_all(folder: Path) -> None:
    """Load the compiled kernels and the detector's, which the first window to be closed would have to wait for."""
    load(folder)
    warm()
    load_live(folder)


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """Threads for the kernels, which release the interpreter's lock."""
    return ThreadPoolExecutor(threads, thread_name_prefix="arrivals")
