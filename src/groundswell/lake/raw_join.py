"""Joining the small objects that streams leave in a store, where nothing can be appended to: one for each commit.

Frames stand by themselves, so objects are put one behind the other as they are, and the index is moved along in one
commit. What was joined is swept the next time, so that who reads by the index of a moment ago still finds it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from groundswell.lake import raw
from groundswell.lake.failures import told
from groundswell.lake.raw_index import TABLE
from groundswell.lake.rewriting import replace
from groundswell.lake.store import Lake
from groundswell.schema import EXTENT
from groundswell.stores import S3Path, way

#: An object of fewer bytes is small.
SMALL: Final = 32 << 20
#: Joined objects are about so large at most.
GROUP: Final = 256 << 20
#: Fewer small objects of a day are left as they are.
LEAST: Final = 8


@dataclass(frozen=True, slots=True)
class Joined:
    """What was done."""

    objects_before: int = 0
    objects_after: int = 0


def join_objects(lake: Lake, staging: Path) -> Joined:
    """Join the small objects of each day's streams, in a store; on a disk a day has one anyway.

    `staging` is a folder for what is on its way. Hold the lease `lake`.

    Raises:
        UnavailableError: the store or the disk fails; the index refers to what is there, the old or the new.
    """
    root = lake.root / "raw"
    if not isinstance(root, S3Path):
        return Joined()
    rows = lake.read(TABLE).combine_chunks()
    moved: dict[str, tuple[str, int]] = {}
    before = after = 0
    with told("join the raw content", root):
        for folder, group in _groups(root, _objects_of(rows)):
            name = f"{folder}/{secrets.token_hex(12)}{raw.SUFFIX}"
            moved |= {each: (name, at) for each, at in _put(root, name, group, staging).items()}
            before, after = before + len(group), after + 1
    if moved:
        replace(lake, TABLE, _moved_rows(rows, moved))
    return Joined(before, after)


def _objects_of(rows: pa.Table) -> set[str]:
    """The objects that the index refers to: others may be garbage."""
    found = pc.struct_field(pc.list_flatten(rows["extents"]), "object").unique().to_pylist()
    return {*found, *pc.struct_field(rows["places"], "object").unique().to_pylist()}


def _groups(root: S3Path, known: set[str]) -> Iterator[tuple[str, list[str]]]:
    folders: dict[str, list[tuple[str, int]]] = {}
    for path, size in sorted(raw.objects(root), key=lambda each: str(each[0])):
        name = way(path, root).as_posix()
        folder = name.rpartition("/")[0]
        if size < SMALL and name in known and folder.startswith(f"{raw.STREAMS}/"):
            folders.setdefault(folder, []).append((name, size))
    for folder, small in folders.items():
        if len(small) < LEAST:
            continue
        group: list[str] = []
        bulk = 0
        for name, size in small:
            if group and bulk + size > GROUP:
                yield folder, group
                group, bulk = [], 0
            group.append(name)
            bulk += size
        if len(group) > 1:
            yield folder, group


def _put(root: S3Path, name: str, group: Sequence[str], staging: Path) -> dict[str, int]:
    """Put some objects behind each other; the place of each in the new one."""
    staging.mkdir(parents=True, exist_ok=True)
    path = staging / f"raw-{secrets.token_hex(12)}{raw.SUFFIX}"
    places: dict[str, int] = {}
    try:
        with path.open("xb") as out:
            for each in group:
                places[each] = out.tell()
                with (root / each).open() as file:
                    out.write(file.read())
        (root / name).put(path)
    finally:
        path.unlink(missing_ok=True)
    return places


def _moved_rows(rows: pa.Table, moved: Mapping[str, tuple[str, int]]) -> pa.Table:
    """The index with the extents of what was moved."""
    keys = pa.array(moved)
    names = pa.array([name for name, _ in moved.values()], pa.string())
    shifts = pa.array([at for _, at in moved.values()], pa.int64())

    def shift(extents: Any) -> Any:
        columns = {one.name: pc.struct_field(extents, one.name) for one in EXTENT}
        at = pc.index_in(columns["object"], value_set=keys)
        columns["object"] = pc.coalesce(names.take(at), columns["object"])
        columns["offset"] = pc.add(columns["offset"], pc.fill_null(shifts.take(at), 0))
        return pa.StructArray.from_arrays([*columns.values()], fields=[*EXTENT], mask=extents.is_null())

    lists = rows["extents"].chunk(0) if rows["extents"].num_chunks else pa.array([], rows["extents"].type)
    places = rows["places"].chunk(0) if rows["places"].num_chunks else pa.array([], rows["places"].type)
    # Offsets of lists without content: an entry with none has no extents, and none is null.
    extents = pa.ListArray.from_arrays(_offsets(lists), shift(lists.flatten()))
    rows = rows.set_column(rows.schema.get_field_index("extents"), rows.schema.field("extents"), extents)
    return rows.set_column(rows.schema.get_field_index("places"), rows.schema.field("places"), shift(places))


def _offsets(lists: pa.ListArray) -> pa.Array:
    lengths = pc.fill_null(lists.value_lengths(), 0)
    return pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths).cast(pa.int32())])
