"""`groundswell layouts`: what is read, what an import would make of a file, and mappings saved under a name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from groundswell.cli.app import Json, app, emit, messages, output

if TYPE_CHECKING:
    from groundswell.platforms.layout import Layout
    from groundswell.settings import Settings

layouts = typer.Typer(
    help="What is read from which record: list, show, try on a file, save a mapping of columns.", no_args_is_help=True
)
app.add_typer(layouts, name="layouts")

Mapping_ = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="FIELD=COLUMN", help="Which column holds a field; may be repeated."),
]


@layouts.command("list")
def list_(
    platform: Annotated[str | None, typer.Option("--platform", help="Only those of this platform.")] = None,
    as_json: Json = False,
) -> None:
    """List all layouts, the saved ones first."""
    from groundswell.platforms.saved import registry_for
    from groundswell.settings import load_settings

    found = registry_for(load_settings()).layouts
    if platform is not None:
        found = tuple(layout for layout in found if layout.platform == platform)
    if as_json:
        emit({"items": [_line(layout) for layout in found]})
        return
    from rich import box
    from rich.table import Table

    shown = Table("layout", "version", "table", "what it reads", box=box.SIMPLE_HEAD, pad_edge=False)
    for layout in found:
        shown.add_row(layout.id, str(layout.version), layout.table, layout.description)
    output.print(shown)


@layouts.command()
def show(
    name: Annotated[str, typer.Argument(help="platform.name, or the name of a saved mapping.")],
    as_json: Json = False,
) -> None:
    """Show what one layout reads and which fields it fills."""
    from groundswell.platforms.saved import registry_for
    from groundswell.settings import load_settings

    settings = load_settings()
    document = _document(registry_for(settings).get(name), settings)
    if as_json:
        emit(document)
        return
    output.print(f"{document['layout']} (version {document['version']}): {document['description']}", markup=False)
    output.print(f"table: {document['table']}", markup=False)
    if document["map"]:
        for field, column in document["map"].items():
            output.print(f"  {field} = {column}", markup=False)
    else:
        output.print(f"reads: {', '.join(document['reads'])}", markup=False, soft_wrap=True)
        output.print(f"fills: {', '.join(document['fields'])}", markup=False, soft_wrap=True)
    if document["unwraps"]:
        output.print(f"records of a document are under: {', '.join(document['unwraps'])}", markup=False)


@layouts.command()
def preview(
    file: Annotated[Path, typer.Argument(help="A file, an archive, or a URL.")],
    *,
    layout: Annotated[str | None, typer.Option("--layout", help="Read everything by this layout.")] = None,
    mapping: Mapping_ = None,
    platform: Annotated[str | None, typer.Option("--platform", help="Only layouts of this platform.")] = None,
    tz: Annotated[str | None, typer.Option("--tz", help="Time zone of times that name none (IANA name).")] = None,
    as_json: Json = False,
) -> None:
    """Show what an import would make of a file, from a sample; store nothing."""
    from groundswell.cli.preview_view import show_preview
    from groundswell.importing.choice import Options, read_mapping
    from groundswell.importing.preview import preview as look
    from groundswell.settings import load_settings
    from groundswell.sources.files import find_files

    settings = load_settings(**({} if tz is None else {"tz": tz}))
    options = Options(layout, read_mapping(mapping or ()), platform, settings.tz)
    found = look(find_files([str(file)], settings.tmp_path)[0], options, settings)
    if as_json:
        emit(found.document())
    else:
        show_preview(found)


@layouts.command()
def save(
    name: Annotated[str, typer.Argument(help="Lower-case letters, digits, - and _.")],
    file: Annotated[
        Path | None, typer.Argument(help="A table or JSON to take the guessed columns from; --map corrects them.")
    ] = None,
    *,
    mapping: Mapping_ = None,
    platform: Annotated[str | None, typer.Option("--platform", help="What to call the platform.")] = None,
    tz: Annotated[str | None, typer.Option("--tz", help="Time zone of times that name none (IANA name).")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Write over a mapping of that name.")] = False,
    as_json: Json = False,
) -> None:
    """Save a mapping of columns; tables with these columns are read by it from then on, or by --layout NAME."""
    from groundswell.importing.choice import read_mapping
    from groundswell.platforms.saved import SavedMapping, registry_for
    from groundswell.platforms.saved import save as write
    from groundswell.settings import load_settings

    settings = load_settings(**({} if tz is None else {"tz": tz}))
    named = read_mapping(mapping or ())
    columns: tuple[str, ...] = ()
    if file is not None:
        named, columns = _guessed(file, named, settings)
    hidden = tuple(field for field, column in named.items() if not column)
    kept = {field: column for field, column in named.items() if column}
    path = write(settings, SavedMapping(name, kept, columns, platform, tz, hidden), replace=replace)
    if as_json:
        emit(_document(registry_for(settings).get(f"saved.{name}"), settings))
        return
    said = ", ".join(f"{field}={column}" for field, column in kept.items())
    messages.print(f"saved as {name} in {path}: {said}", soft_wrap=True, markup=False)


@layouts.command()
def remove(
    name: Annotated[str, typer.Argument(help="The name of a saved mapping.")],
    as_json: Json = False,
) -> None:
    """Forget a saved mapping; what it read stays."""
    from groundswell.platforms import saved
    from groundswell.settings import load_settings

    settings = load_settings()
    found = saved.find(settings, name)
    saved.remove(settings, name)
    if as_json:
        emit({"removed": found.name})
        return
    messages.print(f"{found.name} is removed", soft_wrap=True, markup=False)


def _guessed(file: Path, named: dict[str, str], settings: Settings) -> tuple[dict[str, str], tuple[str, ...]]:
    """Columns by field as they are guessed in a file, with those that a person names; and all its columns."""
    from groundswell.errors import ConflictError
    from groundswell.importing.choice import Options
    from groundswell.importing.preview import preview as look
    from groundswell.sources.files import find_files

    # Without a map the content decides; a file that a layout of its own knows needs no mapping, but may have one.
    options = Options(None if named else "generic.table", named, None, settings.tz)
    found = look(find_files([str(file)], settings.tmp_path)[0], options, settings)
    guessed = {column.field: column.column for column in found.columns if column.field}
    if not guessed:
        what = "no column looks like the text or the id of a post"
        raise ConflictError(what, where=file, hint="name one: --map text=COLUMN")
    tops = dict.fromkeys(column.column.partition(".")[0] for column in found.columns)
    return {**guessed, **named}, tuple(tops)


def _line(layout: Layout) -> dict[str, Any]:
    return {
        "layout": layout.id,
        "platform": layout.platform,
        "name": layout.name,
        "version": layout.version,
        "table": layout.table,
        "shape": layout.shape.value,
        "description": layout.description,
        "saved": "saved" in layout.parameters,
    }


def _document(layout: Layout, settings: Settings) -> dict[str, Any]:
    import ibis

    from groundswell.platforms.casts import filled_columns
    from groundswell.platforms.saved import folder_of
    from groundswell.schema import MAPPED_OF

    filled = filled_columns(layout.posts(ibis.table(dict(layout.raw), name="raw")))
    saved = layout.parameters.get("saved")
    mapped = layout.parameters.get("map")
    return {
        **_line(layout),
        "reads": [leaf for name, kind in layout.raw.items() for leaf in _leaves(name, kind)],
        "fields": [name for name in MAPPED_OF[layout.table].names if name in filled],
        "unwraps": [".".join(path) for path in layout.unwraps],
        "map": dict(saved.map if saved is not None else mapped) if mapped is not None else None,
        "columns": list(saved.columns) if saved is not None else None,
        "tz": saved.tz if saved is not None else None,
        "file": str(folder_of(settings) / f"{saved.name}.json") if saved is not None else None,
    }


def _leaves(name: str, kind: Any) -> list[str]:
    import ibis

    dtype = ibis.dtype(kind)
    if dtype.is_array():
        return _leaves(f"{name}[]", dtype.value_type)
    if dtype.is_struct():
        return [leaf for part, inner in dtype.items() for leaf in _leaves(f"{name}.{part}", inner)]
    return [name]
