"""What a database answers, read like a file; and how far its cursor column was read before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from groundswell.desk.tables import RunRow
from groundswell.importing.choice import SAMPLE
from groundswell.importing.refusals import decode
from groundswell.sources.databases import DocumentAnswer, Mark
from groundswell.sources.lines import LongLine, Piece, spill_lines

#: Bytes of documents that are looked at to choose their layout.
_SAMPLE_BYTES: Final = 8 << 20
_BLOCK: Final = 4 << 20


def last_mark(session: Session, kind: str, subject: str) -> Mark | None:
    """How far the last run of that kind and subject that ended has read its cursor column; null if none did."""
    query = (
        select(RunRow.summary)
        .where(RunRow.kind == kind, RunRow.subject == subject, RunRow.state == "done")
        .order_by(RunRow.started_at.desc(), RunRow.id)
    )
    for summary in session.scalars(query.limit(1)):
        if summary and summary.get("cursor"):
            return Mark.from_document(summary["cursor"])
    return None


class Sampled:
    """Documents in blocks of lines; `first` are the decoded records at their beginning, `size` counts the bytes."""

    def __init__(self, answer: DocumentAnswer) -> None:
        self.first: list[dict[str, Any]] = []
        self.size = 0
        self._lines = answer.lines()
        self._begun: list[bytes] = []
        size = 0
        for block in self._lines:
            self._begun.append(block)
            size += len(block)
            found = (decode(line)[0] for line in block.split(b"\n") if line.strip())
            self.first += [record for record in found if record is not None]
            if len(self.first) >= SAMPLE or size >= _SAMPLE_BYTES:
                break
        del self.first[SAMPLE:]

    def pieces(self, limit: int, tmp: Path) -> Iterator[Piece | LongLine]:
        """All of them in pieces; the place of a document is its number."""
        for part in spill_lines(self._counted(), (0, 1), limit, tmp):
            if isinstance(part, LongLine):
                yield replace(part, record=replace(part.record, offset=part.line))
            else:
                yield replace(part, offsets=np.arange(part.first_line, part.first_line + _lines_of(part.path)))

    def _counted(self) -> Iterator[bytes]:
        for block in chain(self._begun, self._lines):
            self.size += len(block)
            yield block


def _lines_of(path: Path) -> int:
    lines = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            lines += block.count(b"\n")
    return lines + 1
