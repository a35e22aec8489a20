"""What an import would make of a file, from a sample of it: layouts, columns and their fields, how much is filled.

Nothing is stored. A file of lines is cut after `ROWS` of them, a table is read by its first chunk, a document by its
first pieces, an archive by its first members; so a preview of a file of any size takes about the same time.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from groundswell.importing.choice import Chooser, Options
from groundswell.importing.contents import FileReading
from groundswell.importing.derive import Origin
from groundswell.importing.reading import Reader
from groundswell.importing.reads import Ignored, Posts, Reached
from groundswell.platforms.generic.names import NAMES
from groundswell.platforms.generic.nested import leaves_of
from groundswell.platforms.saved import registry_for
from groundswell.schema import MAPPED_OF
from groundswell.sources.compression import Compression
from groundswell.sources.containers import Container, Form, detect, text
from groundswell.sources.files import SourceFile, find_files
from groundswell.sources.stored import Limits
from groundswell.sources.unfold import unfold

if TYPE_CHECKING:
    import pyarrow as pa

    from groundswell.engines.contract import Engine
    from groundswell.platforms.layout import Layout
    from groundswell.settings import Settings

#: Records that are looked at, and members of an archive.
ROWS: Final = 1000
PARTS: Final = 3
_EXAMPLES: Final = 3
_WIDE: Final = 120
#: Bytes of lines that are looked at.
_BYTES: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class Packing:
    """How the records are packed: form, compression, encoding and delimiter of a text."""

    form: str
    compression: str | None = None
    encoding: str | None = None
    delimiter: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One layout and what it made of the sample."""

    layout: str | None
    platform: str | None
    description: str
    table: str | None
    rows: int
    rejected: int
    ignored: int
    reasons: dict[str, int]


@dataclass(frozen=True, slots=True)
class Column:
    """One column (or key) of the sample: the field that it is read as, and what stands in it.

    `filled` is a fraction of the rows, `unreadable` a number of cells. `field` null: it goes to `extra` as it is.
    """

    column: str
    field: str | None
    filled: float
    unreadable: int
    examples: list[str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One field of what comes out: where from, how much of it is filled, and examples."""

    table: str
    field: str
    column: str | None
    filled: float
    examples: list[str]


@dataclass(frozen=True)
class Preview:
    """What an import would make of a file. `mappable`: a person may say which column is which field."""

    path: str
    container: Packing
    parts: int
    rows: int
    estimated_rows: int | None
    layouts: list[Found]
    mappable: bool
    columns: list[Column]
    fields: list[Outcome]
    habits: list[str]
    notes: list[str]
    choices: list[str] = field(default_factory=lambda: list(NAMES))

    def document(self) -> dict[str, Any]:
        """The preview as JSON has it."""
        return asdict(self)


def preview_file(path: Path, options: Options, settings: Settings) -> dict[str, Any]:
    """`preview` of the file at `path` as a document.

    Raises:
        GroundswellError: the file does not exist, or the options do not fit it.
    """
    return preview(find_files([str(path)], settings.tmp_path)[0], options, settings).document()


def preview(file: SourceFile, options: Options, settings: Settings, engine: Engine | None = None) -> Preview:
    """What an import of `file` would make of it, from a sample.

    Raises:
        GroundswellError: the options name a layout, a field or a column that does not exist.
    """
    from groundswell.engines import open_engine  # noqa: PLC0415 - a caller that has one needs no other

    chooser = Chooser.for_options(registry_for(settings), options)
    opened = None if engine is not None else open_engine(settings)
    try:
        sample = _Sample(chooser, settings, engine or opened)  # type: ignore[arg-type]  # one of the two is there
        for part in islice(unfold(file, Limits.of(settings), settings.tmp_path), PARTS):
            sample.add(part)
            if sample.rows >= ROWS:
                break
        return sample.preview(file)
    finally:
        if opened is not None:
            opened.close()


class _Sample:
    """Reads some records of a file and remembers what became of them."""

    def __init__(self, chooser: Chooser, settings: Settings, engine: Engine) -> None:
        self._chooser, self._settings, self._engine = chooser, settings, engine
        self._container: Container | None = None
        self._form = ""
        self._layout: Layout | None = None
        self._records: list[dict[str, Any]] = []
        self._read: dict[str | None, Counter[str]] = {}
        self._layouts: dict[str, Layout] = {}
        self._reasons: dict[str | None, Counter[str]] = {}
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._raw: list[bytes] = []
        self._hint: dict[str, Any] = {}
        self._parts = 0
        self._notes: list[str] = []
        self.rows = 0

    def begin(self, file: SourceFile, container: Container | None, _position: int) -> None:
        """Reading begins (`Watcher`)."""
        if self._container is None and not self._form:
            self._container = container
            self._form = container.form.value if container is not None else _form_of(file)

    def sample(self, layout: Layout, records: list[dict[str, Any]]) -> None:
        """The layout of a part and the records that it was chosen by (`Watcher`)."""
        if self._layout is None:
            self._layout, self._records = layout, records

    def add(self, part: SourceFile) -> None:
        """Read the beginning of one part."""
        self._parts += 1
        if part.refused is not None:
            self._notes.append(f"{part.name}: {part.refused}")
            return
        with _beginning(part, self._settings) as beginning:
            reader = Reader(self._engine, self._chooser, Origin("preview", part.name, 0), self._settings.tmp_path)
            reading = FileReading(beginning, reader, self._settings.max_record, watcher=self)
            for read in reading.reads():
                self._take(read)
                if isinstance(read, Reached) and self.rows >= ROWS:
                    break
        self._hint = self._hint or reading.hint
        self._notes += reading.notes + ([f"{part.name}: {reading.error}"] if reading.error else [])

    def _take(self, read: Any) -> None:
        if isinstance(read, Posts):
            self._count(read.layout, "rows", len(read.numbers))
            named = self._rows.setdefault(read.layout.table, [])
            named += _plain(read.rows.slice(0, max(ROWS - len(named), 0)), read.layout.table)
        elif isinstance(read, Ignored):
            self._count(read.layout, "ignored", read.count)
            self._reasons.setdefault(read.layout.id if read.layout else None, Counter())[read.reason] += read.count
        elif isinstance(read, list):
            for bad in read:
                layout = self._layouts.get(bad.layout or "") or (self._layout if bad.layout else None)
                self._count(layout, "rejected", 1)
                self._reasons.setdefault(layout.id if layout else None, Counter())[bad.reason] += 1
                self._raw.append(bad.raw[:4096])

    def _count(self, layout: Layout | None, what: str, count: int) -> None:
        name = layout.id if layout else None
        if layout is not None:
            self._layouts.setdefault(layout.id, layout)
        self._read.setdefault(name, Counter())[what] += count
        self.rows += count

    def preview(self, file: SourceFile) -> Preview:
        """What is known now."""
        container, layout = self._container, self._layout
        mapping = _columns_of(layout)
        of = layout.table if layout is not None else "posts"
        records = self._records or _rows_of(self._raw, self._hint)
        return Preview(
            path=file.name,
            container=Packing(
                self._form or "unknown",
                _packed(container),
                container.encoding if container is not None else None,
                container.delimiter if container is not None else None,
            ),
            parts=self._parts,
            rows=self.rows,
            estimated_rows=None,
            layouts=[self._found(name, counts) for name, counts in self._read.items()],
            mappable=layout is None or "map" in layout.parameters,
            columns=_columns(records, mapping, self._rows.get(of, [])),
            fields=[
                outcome
                for table, rows in self._rows.items()
                for outcome in _outcomes(table, rows, mapping if table == of else {})
            ],
            habits=_habits(layout),
            notes=self._notes,
        )

    def _found(self, name: str | None, counts: Counter[str]) -> Found:
        layout = self._layouts.get(name or "")
        rows, rejected, ignored = counts["rows"], counts["rejected"], counts["ignored"]
        reasons = dict(self._reasons.get(name, Counter()).most_common())
        if layout is None:
            return Found(None, None, "no known layout", None, rejected + ignored, rejected, ignored, reasons)
        read = rows + rejected + ignored
        return Found(name, layout.platform, layout.description, layout.table, read, rejected, ignored, reasons)


def _packed(container: Container | None) -> str | None:
    plain = container is None or container.compression is Compression.NONE
    return None if plain or container is None else container.compression.value


def _form_of(file: SourceFile) -> str:
    return "database" if file.database is not None else "table"


@contextmanager
def _beginning(part: SourceFile, settings: Settings) -> Iterator[SourceFile]:
    """The part itself; of a file of lines a copy of the first."""
    container = None
    if part.table is None and part.database is None:
        try:
            container = detect(part.stored)
        except OSError:
            container = None
    if container is None or container.form is not Form.NDJSON:
        yield part
        return
    settings.tmp_path.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.tmp_path, prefix="preview-") as folder:
        path = Path(folder) / "beginning.ndjson"
        path.write_bytes(_first_lines(text(part.stored, container)))
        yield replace(part, path=path, inside=None, size=path.stat().st_size)


def _first_lines(chunks: Iterator[bytes]) -> bytes:
    found = b""
    for chunk in chunks:
        found += chunk
        if len(found) >= _BYTES or found.count(b"\n") >= ROWS:
            lines = found.split(b"\n")[: ROWS + 1]
            return b"\n".join(lines[:-1]) + b"\n" if len(lines) > 1 else found
    return found


def _rows_of(raw: Sequence[bytes], hint: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows that no layout read, by their raw text: of a table, or JSON objects."""
    import csv  # noqa: PLC0415 - mostly the rows are there

    if not hint.get("header"):
        return [found for line in raw[:ROWS] if isinstance(found := _json(line), dict)]
    lines = [hint["header"], *(line.decode(hint.get("encoding") or "utf-8", "replace") for line in raw[:ROWS])]
    rows = list(csv.reader((line.strip("\r\n") for line in lines), delimiter=hint.get("delimiter") or ","))
    header = [name.strip().lstrip("\ufeff") for name in rows[0]] if rows else []
    return [dict(zip(header, row, strict=False)) for row in rows[1:]]


def _json(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _plain(rows: pa.Table, table: str) -> list[dict[str, Any]]:
    names = [name for name in MAPPED_OF[table].names if name in rows.column_names]
    found: list[dict[str, Any]] = rows.select(names).to_pylist()
    return found


def _columns(
    records: Sequence[Mapping[str, Any]], mapping: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
) -> list[Column]:
    """Every column of the sample, in order."""
    names = list(dict.fromkeys(name for record in records for name in record))
    fields = {column: name for name, column in mapping.items()}
    unread: Counter[str] = Counter()
    for row in rows:
        extra = row.get("extra")
        if extra and '"unread"' in extra:
            unread.update(json.loads(extra).get("unread", {}).keys())
    out = []
    for name, path in leaves_of(names, records).items():
        values = [value for record in records if (value := _at(record, path)) not in (None, "", [], {})]
        read_as = fields.get(name)
        filled = len(values) / len(records) if records else 0.0
        out.append(Column(name, read_as, filled, unread.get(read_as or "", 0), _examples(values)))
    return out


def _at(record: Any, path: Sequence[str]) -> Any:
    for key in path:
        record = record.get(key) if isinstance(record, Mapping) else None
    return record


def _outcomes(table: str, rows: Sequence[Mapping[str, Any]], mapping: Mapping[str, str]) -> list[Outcome]:
    """The fields of a table that have any value in the sample."""
    out = []
    for name in MAPPED_OF[table].names:
        values = [value for row in rows if (value := row.get(name)) not in (None, [])]
        if values:
            out.append(Outcome(table, name, mapping.get(name), len(values) / len(rows), _examples(values)))
    return out


def _examples(values: Sequence[Any]) -> list[str]:
    """Up to three different values as short texts."""
    shown = dict.fromkeys(map(_short, values[:200]))
    return list(islice(shown, _EXAMPLES))


def _short(value: Any) -> str:
    if hasattr(value, "isoformat"):
        told = value.isoformat().replace("+00:00", "Z")
    elif isinstance(value, str):
        told = value
    else:
        told = json.dumps(value, ensure_ascii=False, default=str)
    line = " ".join(told.split())
    return line if len(line) <= _WIDE else line[: _WIDE - 1] + "…"


def _columns_of(layout: Layout | None) -> Mapping[str, str]:
    """The column of each field that a fitted layout chose."""
    said = layout.parameters if layout is not None else {}
    columns: Mapping[str, str] = said.get("map") or said.get("fields") or {}
    return columns


def _habits(layout: Layout | None) -> list[str]:
    """How a fitted layout takes days and numbers, in words."""
    habits = layout.parameters.get("habits") if layout is not None else None
    if habits is None:
        return []
    told = []
    if habits.parted and habits.day_first is not None:
        order = "day before month" if habits.day_first else "month before day"
        told.append(f"{', '.join(habits.parted)}: {order}")
    for column, style in habits.counts:
        said = [f"`{style.thousands}` parts thousands"] if style.thousands.strip() else []
        said += ["blanks part thousands"] if style.thousands == " " else []
        said += ["`,` parts decimals"] if style.decimal == "," else []
        said += ["magnitudes (K, M)"] if style.suffixes else []
        said += ["may be negative"] if style.signed else []
        told.append(f"{column}: {', '.join(said)}")
    return told
