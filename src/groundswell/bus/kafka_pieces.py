"""Records of several partitions as blocks, in the order of their receipt. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from groundswell.bus.blocks import MAX_BYTES, MAX_RECORDS, Kind, Micros
from groundswell.bus.kafka_records import Incoming, describe_poison

Placed = tuple[int, Incoming]
"""An offset and what is there."""

_SPACE: Final = b" "


@dataclass(frozen=True)
class Taken:
    """Records of one partition and one sort that follow each other: what becomes a block.

    `records` have no line feed in them; `poison` are the values of those that are none, with offset and reason.
    """

    partition: int
    first_offset: int
    last_offset: int
    source: str
    kind: Kind
    hint: str | None
    records: list[bytes]
    received_us: Micros
    poison: tuple[tuple[int, bytes, str], ...]
    positions: tuple[tuple[str, str], ...]

    @property
    def size(self) -> int:
        """Bytes of the records with a line feed between each two."""
        return sum(map(len, self.records)) + max(0, len(self.records) - 1)


def cut(found: Mapping[int, Sequence[Placed]], slot_us: int | None) -> list[Taken]:
    """Records by partition as blocks; with `slot_us` those of several partitions are ordered in slots of that time."""
    if slot_us is None:
        return [taken for number in sorted(found) for taken in pieces(number, found[number])]
    slotted: list[tuple[int, int, list[Placed]]] = []
    for number, placed in found.items():
        for each in placed:
            slot = each[1].received_us // slot_us
            last = slotted[-1] if slotted else None
            # A partition keeps its own order: a record that was received before an earlier one goes into its slot.
            if last is not None and last[1] == number and slot <= last[0]:
                last[2].append(each)
            else:
                slotted.append((slot, number, [each]))
    slotted.sort(key=lambda part: part[:2])
    return [taken for _, number, placed in slotted for taken in pieces(number, placed)]


def pieces(number: int, placed: Sequence[Placed]) -> Iterator[Taken]:
    """Records of one partition as blocks: one source, kind and hint each, and not too large."""
    start = size = 0
    for at, (_, each) in enumerate(placed):
        if at > start and (
            _sort(each) != _sort(placed[start][1]) or at - start >= MAX_RECORDS or size + len(each.data) > MAX_BYTES
        ):
            yield piece(number, placed[start:at])
            start, size = at, 0
        size += len(each.data)
    if start < len(placed):
        yield piece(number, placed[start:])


def _sort(each: Incoming) -> tuple[str, Kind, str | None, bool]:
    kind = Kind.OVERSIZED if each.reason is not None else each.kind
    return each.source, kind, each.hint, each.empty


def piece(number: int, placed: Sequence[Placed]) -> Taken:
    """Records of one sort as one block."""
    first = placed[0][1]
    poison = [(offset, each.data, each.reason) for offset, each in placed if each.reason is not None]
    records = [record_in(number, offset, each) for offset, each in placed if not each.empty]
    received = np.array([each.received_us for _, each in placed if not each.empty], dtype=np.int64)
    return Taken(
        partition=number,
        first_offset=placed[0][0],
        last_offset=placed[-1][0],
        source=first.source,
        kind=Kind.OVERSIZED if poison else first.kind,
        hint=first.hint,
        records=records,
        received_us=received,
        poison=tuple(poison),
        positions=tuple(each.position for _, each in placed if each.position is not None),
    )


def record_in(number: int, offset: int, each: Incoming) -> bytes:
    """The record as it stands in a block: on one line, and what is none described."""
    if each.reason is not None:
        return describe_poison(each, f"{each.topic}/{number}", offset)
    return each.data.replace(b"\n", _SPACE) if b"\n" in each.data else each.data
