"""`groundswell drift`: fields that came to be filled less often, and what the layouts do not read."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from groundswell.cli.app import Json, app, emit, messages, output

_SHOWN: Final = 60


@app.command()
def drift(
    *,
    layout: Annotated[
        str | None, typer.Option("--layout", help="Only this layout, with the share of each field.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show where a platform seems to have changed its format.

    For each layout the share of records in which a field has a value is kept. A share that falls raises a notice,
    with keys that came up at the same time; it is closed when the field is filled again.
    """
    from groundswell.desk import open_desk
    from groundswell.importing.drift import document
    from groundswell.lake import Lake
    from groundswell.settings import load_settings

    settings = load_settings()
    if layout is not None:
        from groundswell.platforms.saved import registry_for

        registry_for(settings).get(layout)
    with open_desk(settings) as desk:
        found = document(Lake.open(settings), desk, layout)
    if as_json:
        emit(found)
        return
    _show_notices(found["notices"])
    if layout is not None:
        for each in found["layouts"]:
            _show_layout(each)
    elif found["layouts"] and not found["notices"]:
        named = ", ".join(each["layout"] for each in found["layouts"])
        messages.print(f"watched: {named}; `--layout` shows the share of each field", markup=False)


def _show_notices(notices: list[dict[str, Any]]) -> None:
    if not notices:
        messages.print("no field has fallen")
        return
    for notice in notices:
        what = notice["field"] or "usable records"
        output.print(
            f"{notice['state']}  {notice['layout']}  {what}: {_percent(notice['share_before'])} of "
            f"{notice['records_before']:,} records before, {_percent(notice['share_now'])} of "
            f"{notice['records_now']:,} since {notice['since'][:16]}",
            markup=False,
            soft_wrap=True,
        )
        for key in notice["instead"]:
            was = _percent(key["before"] or 0.0)
            output.print(
                f"      instead? {key['key']} in {_percent(key['share'])} (before {was}): {_shown(key)}", markup=False
            )
        for text in notice["unread"]:
            output.print(f"      could not be read: {text}", markup=False)


def _show_layout(layout: dict[str, Any]) -> None:
    from rich.table import Table

    output.print(
        f"{layout['layout']} version {layout['layout_version']}: the newest {layout['records']:,} records, "
        f"{layout['usable']:,} usable",
        markup=False,
    )
    table = Table("field", "filled", "before", box=None)
    for entry in layout["fields"]:
        before = "–" if entry["before"] is None else _percent(entry["before"])
        table.add_row(entry["field"], _percent(entry["share"]), before)
    output.print(table)
    if layout["unknown_keys"]:
        keys = Table("key that the layout does not read", "in", "examples", box=None)
        for entry in layout["unknown_keys"]:
            keys.add_row(entry["key"], _percent(entry["share"]), _shown(entry))
        output.print(keys)


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _shown(key: dict[str, Any]) -> str:
    text = " · ".join(key["examples"])
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
