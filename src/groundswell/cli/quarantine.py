"""`groundswell quarantine`: what was set aside, why, and reading it again."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from groundswell.cli.app import Json, app, emit, messages, output
from groundswell.errors import NotFoundError

quarantine = typer.Typer(
    help="Records that could not be read: list them, show one, read them again.", no_args_is_help=True
)
app.add_typer(quarantine, name="quarantine")

Reason = Annotated[str | None, typer.Option("--reason", help="Only rows with exactly this reason.")]
Origin = Annotated[str | None, typer.Option("--origin", help="Only rows of this file or partition.")]


@quarantine.command("list")
def list_(
    *,
    reason: Reason = None,
    origin: Origin = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many rows.")] = 50,
    as_json: Json = False,
) -> None:
    """List the held rows, newest first, and how many there are of each reason."""
    from groundswell.importing.retry import held_rows
    from groundswell.lake import Lake
    from groundswell.settings import load_settings

    rows = held_rows(Lake.open(load_settings()), reason=reason, origin=origin)
    counts = {e["values"]: e["counts"] for e in rows["reason"].value_counts().to_pylist()}
    reasons = dict(sorted(counts.items(), key=lambda pair: -pair[1]))
    shown = rows.slice(0, limit).to_pylist()
    if as_json:
        emit({"held": rows.num_rows, "reasons": reasons, "rows": [_document(row, whole=False) for row in shown]})
        return
    if not shown:
        messages.print("the quarantine is empty")
        return
    from rich.table import Table

    table = Table("id", "origin", "row", "layout", "reason", box=None)
    for row in shown:
        table.add_row(row["id"][:12], row["origin"], f"{row['row']:,}", row["layout"] or "–", row["reason"])
    output.print(table)
    for name, count in reasons.items():
        output.print(f"{count:,} held: {name}", markup=False)


@quarantine.command("show")
def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The id, or its beginning, from `quarantine list`.")],
    *,
    as_json: Json = False,
) -> None:
    """Show one row whole: where it was, why it is here, its bytes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from groundswell.lake import Lake
    from groundswell.settings import load_settings

    rows: pa.Table = Lake.open(load_settings()).read("quarantine")
    rows = rows.filter(pc.starts_with(rows["id"], id_))
    if not rows.num_rows:
        what = "no row with that id"
        raise NotFoundError(what, where=id_, hint="`groundswell quarantine list` shows what is held")
    document = _document(rows.slice(0, 1).to_pylist()[0], whole=True)
    if as_json:
        emit(document)
        return
    for name, value in document.items():
        if name != "raw":
            output.print(f"{name:>14}  {value if value is not None else '–'}", markup=False, soft_wrap=True)
    output.print(document["raw"], markup=False, soft_wrap=True)


@quarantine.command("retry")
def retry_(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids or their beginnings; all held rows if none.")] = None,
    *,
    reason: Reason = None,
    origin: Origin = None,
    layout: Annotated[str | None, typer.Option("--layout", help="Read them by this layout.")] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=COLUMN", help="Which column holds a field; may be repeated."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Read held rows again through today's layouts; what is readable now is stored."""
    from groundswell.desk import open_desk
    from groundswell.engines import open_engine
    from groundswell.importing import Options
    from groundswell.importing.choice import read_mapping
    from groundswell.importing.retry import retry
    from groundswell.lake import Lake
    from groundswell.settings import load_settings

    settings = load_settings()
    chosen = Options(layout, read_mapping(mapping or ()), tz=settings.tz) if layout or mapping else None
    engine = open_engine(settings)
    try:
        with open_desk(settings) as desk:
            done = retry(
                Lake.open(settings), desk, engine, settings, options=chosen, reason=reason, origin=origin, ids=ids or ()
            )
    finally:
        engine.close()
    if as_json:
        emit({name: getattr(done, name) for name in ("read", "stored", "known", "ignored", "held")})
    else:
        messages.print(
            f"{done.read:,} read again: {done.stored:,} stored, {done.known:,} known, {done.ignored:,} ignored, "
            f"{done.held:,} still held"
        )


def _document(row: dict[str, Any], *, whole: bool) -> dict[str, Any]:
    raw = bytes(row.pop("raw") or b"")
    text = raw.decode("utf-8", "replace")
    return row | {"raw": text if whole else text[:200]}
