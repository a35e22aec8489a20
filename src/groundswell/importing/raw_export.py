"""Raw records out again, as they came: what the raw zone keeps as JSON, one record after another."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from groundswell.importing.rawzone_read import KeptContent
from groundswell.importing.rawzone_stream import Numbered
from groundswell.lake import Lake, raw_index
from groundswell.lake.raw import RawReader
from groundswell.lake.raw_index import NUMBERED, Kept
from groundswell.marts.raw_documents import RawDocuments
from groundswell.sources.containers import Form
from groundswell.stores import raw_root

if TYPE_CHECKING:
    from groundswell.settings import Settings

#: Documents that are parsed and written together.
_TOGETHER: Final = 1_000

Told = Callable[[int], None]


@dataclass(slots=True)
class RawExported:
    """Records that were written, those that are no JSON, and contents that are tables or not whole, which stay."""

    records: int = 0
    unread: int = 0
    left: int = 0


def to_file(lake: Lake, settings: Settings, out: Path, tell: Told = lambda _rows: None) -> RawExported:
    """Write all raw records to an NDJSON file, each as it stands.

    Raises:
        UnavailableError: raw content is missing or damaged.
        OSError: the file cannot be written.
    """
    from groundswell.marts.writers import new_file  # noqa: PLC0415 - loads Ibis, which only an export to a file needs

    done = RawExported()
    with new_file(out) as target:
        for record in _records(lake, settings, done):
            target.write(record.strip().replace(b"\n", b" ") + b"\n")
            done.records += 1
            tell(done.records)
    return done


def to_documents(lake: Lake, settings: Settings, into: RawDocuments, tell: Told = lambda _rows: None) -> RawExported:
    """Write all raw records to a collection; one that is there already stays as it is.

    Raises:
        UnavailableError: raw content is missing or damaged, or the database cannot be reached.
    """
    done = RawExported()
    records = _records(lake, settings, done)
    while some := list(islice(records, _TOGETHER)):
        parsed = [value for record in some if (value := _parsed(record)) is not None]
        into.put(parsed, None)
        done.records += len(parsed)
        done.unread += len(some) - len(parsed)
        tell(done.records)
    return done


def _records(lake: Lake, settings: Settings, done: RawExported) -> Iterator[bytes]:
    """Of each origin the newest content, of streams all."""
    kept = raw_index.kept_of(lake.read(raw_index.TABLE))
    reader = RawReader(raw_root(settings))
    kept.sort(key=lambda entry: (entry.source, entry.origin, entry.imported_us, entry.batch, entry.position))
    for _, group in groupby(kept, key=lambda entry: (entry.source, entry.origin)):
        entries = list(group)
        for entry in entries:
            if entry.form == NUMBERED:
                yield from Numbered.of(reader, entry).records(reader)
        files = [entry for entry in entries if entry.form != NUMBERED]
        if files:
            yield from _of_file([entry for entry in files if entry.batch == files[-1].batch], settings, done)


def _of_file(parts: list[Kept], settings: Settings, done: RawExported) -> Iterator[bytes]:
    content = KeptContent.of(raw_root(settings), parts)
    if content is None or parts[0].form not in (str(Form.NDJSON), str(Form.JSON)):
        done.left += 1
        return
    with content.open() as file:
        if parts[0].form == str(Form.NDJSON):
            yield from (line for line in file if line.strip())
            return
        data = file.read()
    value = _any(data)
    if not isinstance(value, list):
        yield data
        return
    for one in value:
        yield json.dumps(one, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _parsed(record: bytes) -> dict[str, Any] | None:
    value = _any(record)
    return value if isinstance(value, dict) else None


def _any(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
