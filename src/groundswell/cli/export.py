"""`groundswell export`: posts, authors, comments or a mart as a file or into a database, raw or cleaned."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from groundswell import __version__
from groundswell.cli.app import Json, app, emit, messages
from groundswell.cli.profile import OutlierRule, counted
from groundswell.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from groundswell.marts.cleaning import Cleaned
    from groundswell.marts.recipe import Rules
    from groundswell.marts.wanted import Wanted
    from groundswell.settings import Settings


class What(StrEnum):
    """What is exported."""

    POSTS = "posts"
    AUTHORS = "authors"
    COMMENTS = "comments"
    VELOCITY = "velocity"
    RAW = "raw"


class Form(StrEnum):
    """The forms of `groundswell.marts.writers.FileFormat`; repeated here so that `--help` needs no Arrow."""

    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"
    XLSX = "xlsx"


class Scaling(StrEnum):
    """The values of `groundswell.marts.recipe.Standard`."""

    Z = "z"
    ROBUST = "robust"
    MINMAX = "minmax"


class Outlying(StrEnum):
    """The values of `groundswell.marts.recipe.Treatment`."""

    MARK = "mark"
    DROP = "drop"


class Seen(StrEnum):
    """The values of `groundswell.marts.rows.Observations`."""

    LATEST = "latest"
    ALL = "all"


@dataclass(slots=True)
class _Export:
    """What goes out, where, and what came of it."""

    rows: pa.RecordBatchReader
    version: int | None
    cleaned: Cleaned | None = None
    written: int = 0
    changed: dict[str, int] | None = None
    target: dict[str, Any] | None = None


@app.command()
def export(
    query: Annotated[
        str, typer.Argument(help="Only posts that match (their authors, their comments); all if absent.")
    ] = "",
    *,
    table: Annotated[What, typer.Option("--table", help="What is exported.")] = What.POSTS,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write.", dir_okay=False)] = None,
    format_: Annotated[
        Form | None, typer.Option("--format", help="Default: from the name of --out.", show_default=False)
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", help="Database to write: sqlite:///FILE, postgresql://…, mongodb://….", show_default=False
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", help="Its table or collection. Default: that of --table.", show_default=False),
    ] = None,
    platform: Annotated[
        list[str] | None, typer.Option("--platform", help="Only this platform; may be repeated.")
    ] = None,
    since: Annotated[str | None, typer.Option("--since", help="Created at or after.")] = None,
    until: Annotated[
        str | None, typer.Option("--until", help="Created before; a date alone is that whole day.")
    ] = None,
    observations: Annotated[
        Seen, typer.Option("--observations", help="The latest of each thing, or all that there are.")
    ] = Seen.LATEST,
    clean: Annotated[
        bool, typer.Option("--clean", help="The analysis table: gaps, outliers and text treated; a recipe beside it.")
    ] = False,
    standardise: Annotated[
        Scaling | None, typer.Option("--standardise", help="With --clean: scaled columns beside the raw ones.")
    ] = None,
    log: Annotated[bool, typer.Option("--log", help="Scale log10(1 + x), for counts that span decades.")] = False,
    nulls: Annotated[
        str, typer.Option("--nulls", help="With --clean: field=keep|zero|median|mean|drop, with commas between.")
    ] = "",
    outliers: Annotated[
        Outlying, typer.Option("--outliers", help="With --clean: name them in a column, or leave their rows out.")
    ] = Outlying.MARK,
    rule: Annotated[OutlierRule, typer.Option("--outlier-rule", help="How outliers are found.")] = OutlierRule.ROBUST_Z,
    limit: Annotated[
        float | None,
        typer.Option("--outlier-limit", help="Default: 3.5 for robust_z, 1.5 for iqr.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write posts, their authors or their comments to a file or a database.

    CSV is safe to open in a spreadsheet. With --clean, FILE.recipe.json says what was done, with every number of it.
    --table raw gives the records as they came, as NDJSON or to MongoDB.
    """
    from groundswell.cli.wanted import wanted_posts
    from groundswell.engines import open_engine
    from groundswell.lake import Lake
    from groundswell.marts.outliers import Rule
    from groundswell.marts.recipe import Rules, Standard, Treatment, parse_nulls
    from groundswell.settings import current_settings

    began = time.perf_counter()
    settings = current_settings()
    form = _form(out, format_, to)
    if not clean and (nulls or standardise or log or outliers is Outlying.DROP):
        wrong = "--nulls, --standardise, --log and --outliers drop are parts of --clean"
        raise UsageError(wrong, hint="add --clean")
    if table is What.RAW:
        if query or platform or since or until or clean:
            wrong = "raw records are exported whole, without a query, a period or --clean"
            raise UsageError(wrong, hint="leave them out; `import` and then export what you want")
        _raw(settings, out, form, to, name, began, as_json=as_json)
        return
    if clean and table is not What.POSTS:
        wrong = f"--clean makes the analysis table of posts, not of {table.value}"
        raise UsageError(wrong, hint="leave out --table, or --clean")
    scaling = None if standardise is None else Standard(standardise.value)
    rules = Rules(parse_nulls(nulls), Treatment(outliers.value), Rule(rule.value), limit, scaling, log)
    wanted = wanted_posts(query, platform, since, until, settings.tz, datetime.now(UTC))
    engine = open_engine(settings)
    try:
        going = _opened(engine, Lake.open(settings), table, wanted, observations, rules if clean else None, bool(to))
        with counted("writing") as tell:
            _write(going, out, form, to, name or table.value, _key(table), tell)
    finally:
        engine.close()
    recipe = _recipe(going, query, wanted, observations, out, name or table.value) if going.cleaned else None
    document = {
        "table": table.value,
        "query": query,
        "out": out,
        "format": None if form is None else form.value,
        "target": going.target,
        "rows": going.written,
        "changed": going.changed or {},
        "recipe": recipe,
        "seconds": round(time.perf_counter() - began, 3),
        "lake_version": going.version,
    }
    if as_json:
        emit(document)
    else:
        _said(document)


def _raw(
    settings: Settings,
    out: Path | None,
    form: Form | None,
    to: str | None,
    name: str | None,
    began: float,
    *,
    as_json: bool,
) -> None:
    """Export raw records."""
    from groundswell.importing.raw_export import to_documents, to_file
    from groundswell.lake import Lake
    from groundswell.marts.raw_documents import RawDocuments

    lake, target = Lake.open(settings), None
    if to is not None:
        with RawDocuments(to, name or What.RAW.value) as into, counted("writing") as tell:
            done = to_documents(lake, settings, into, tell)
        target = {"target": into.shown, "table": into.collection, "inserted": into.inserted}
        target |= {"updated": 0, "unchanged": into.unchanged}
    else:
        if form is not Form.NDJSON or out is None:
            wrong = "raw records go to an NDJSON file or to MongoDB"
            raise UsageError(wrong, hint="name it FILE.ndjson, or give --to mongodb://HOST/DATABASE")
        with counted("writing") as tell:
            done = to_file(lake, settings, out, tell)
    changed = {"no JSON object, left out": done.unread, "tables or incomplete contents, left out": done.left}
    document = {
        "table": What.RAW.value,
        "query": "",
        "out": out,
        "format": None if form is None else form.value,
        "target": target,
        "rows": done.records,
        "changed": {what: count for what, count in changed.items() if count},
        "recipe": None,
        "seconds": round(time.perf_counter() - began, 3),
        "lake_version": None,
    }
    if as_json:
        emit(document)
    else:
        _said(document)


def _form(out: Path | None, given: Form | None, to: str | None) -> Form | None:
    if to is not None:
        if out is not None or given is not None:
            wrong = "--to writes to a database, --out and --format to a file"
            raise UsageError(wrong, hint="choose one of them")
        return None
    if out is None:
        wrong = "nothing says where to write"
        raise UsageError(wrong, hint="add --out FILE.csv (.ndjson, .parquet, .xlsx) or --to sqlite:///FILE.db")
    named = {"jsonl": "ndjson"}.get(out.suffix.lower().lstrip("."), out.suffix.lower().lstrip("."))
    if given is None and named not in set(Form):
        wrong = "the name of the file does not say its form"
        raise UsageError(wrong, where=out, hint="add --format csv, ndjson, parquet or xlsx")
    return given or Form(named)


def _opened(
    engine: Any, lake: Any, table: What, wanted: Wanted, observations: Seen, rules: Rules | None, identity: bool
) -> _Export:
    from groundswell.marts.cleaning import cleaned
    from groundswell.marts.latest import version_of
    from groundswell.marts.rows import select_rows
    from groundswell.marts.velocity import velocity

    if table is What.VELOCITY:
        version = version_of(lake.version("posts"))
        return _Export(velocity(engine, lake, wanted), version)
    chosen = select_rows(engine, lake, table.value, wanted, observations=observations.value, identity=identity)
    if rules is None:
        return _Export(chosen.open(), chosen.version)
    made = cleaned(chosen.open, rules)
    return _Export(made.rows, chosen.version, made)


def _key(table: What) -> tuple[str, ...]:
    from groundswell.marts.rows import IDENTITY

    return ("platform", "post_id") if table is What.VELOCITY else ("platform", IDENTITY[table.value])


def _write(
    going: _Export,
    out: Path | None,
    form: Form | None,
    to: str | None,
    name: str,
    key: tuple[str, ...],
    tell: Callable[[int], None],
) -> None:
    if to is not None:
        from groundswell.marts.targets import write_rows as write_database

        written = write_database(to, name, going.rows, key, tell)
        going.written = written.rows
        going.target = {
            "target": written.target,
            "table": written.table,
            "inserted": written.inserted,
            "updated": written.updated,
            "unchanged": written.unchanged,
        }
        return
    from groundswell.marts.writers import FileFormat, write_rows

    assert out is not None and form is not None  # noqa: S101, PT018 - `_form` made sure
    going.written, going.changed = write_rows(going.rows, going.rows.schema, out, FileFormat(form.value), tell)


def _recipe(going: _Export, query: str, wanted: Wanted, observations: Seen, out: Path | None, name: str) -> Path:
    """Write the recipe beside the file."""
    from groundswell.marts.writers import new_file
    from groundswell.platforms.definitions import DEFINITIONS

    assert going.cleaned is not None  # noqa: S101 - only called then
    recipe = going.cleaned.recipe.document()
    platforms = {one["platform"] for one in recipe["bounds"]}
    document = {
        "groundswell": __version__,
        "made_at": datetime.now(UTC),
        "lake_version": going.version,
        "posts": {
            "query": query,
            "platforms": list(wanted.platforms),
            "since": wanted.since,
            "until": wanted.until,
            "observations": observations.value,
        },
        **recipe,
        "columns": going.rows.schema.names,
        "definitions": [one.document() for one in DEFINITIONS if one.platform in platforms],
    }
    path = out.with_name(f"{out.name}.recipe.json") if out is not None else Path(f"{name}.recipe.json")
    with new_file(path) as target:
        target.write((json.dumps(document, ensure_ascii=False, indent=2, default=_plain) + "\n").encode())
    return path


def _plain(value: object) -> str:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)


def _said(document: dict[str, Any]) -> None:
    where = document["out"] or f"{document['target']['table']} in {document['target']['target']}"
    messages.print(f"wrote {document['rows']:,} rows to {where}", soft_wrap=True, markup=False)
    if document["target"]:
        counts = ", ".join(f"{document['target'][one]:,} {one}" for one in ("inserted", "updated", "unchanged"))
        messages.print(counts, style="dim")
    for what, count in document["changed"].items():
        messages.print(f"{what}: {count:,}", style="yellow")
    if document["recipe"]:
        messages.print(f"what was done: {document['recipe']}", style="dim", soft_wrap=True)
