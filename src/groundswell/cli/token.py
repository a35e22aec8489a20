"""`groundswell token`: API tokens, needed for every use from another machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from groundswell.cli.app import Json, app, emit, messages, output

if TYPE_CHECKING:
    from groundswell.desk import Desk
    from groundswell.desk.tables import TokenRow

token = typer.Typer(help="API tokens: needed for every use of `serve` from another machine.", no_args_is_help=True)
app.add_typer(token, name="token")


def _desk() -> Desk:
    from groundswell.desk import open_desk
    from groundswell.settings import current_settings

    return open_desk(current_settings())


def _document(row: TokenRow) -> dict[str, Any]:
    from groundswell.desk.clock import iso

    return {"id": row.id, "name": row.name, "created_at": iso(row.created_at), "revoked_at": iso(row.revoked_at)}


@token.command()
def create(
    name: Annotated[str, typer.Argument(help="Who or what will use it.")],
    as_json: Json = False,
) -> None:
    """Make a token and print its secret, which is shown only this once."""
    from groundswell.desk import tokens

    with _desk() as desk, desk.session() as session:
        secret, row = tokens.create(session, name)
        document = _document(row)
    if as_json:
        emit({**document, "secret": secret})
        return
    messages.print(f"token {row.id} for {name}; keep it, it is not shown again:", soft_wrap=True, markup=False)
    output.print(secret, soft_wrap=True, markup=False)


@token.command("list")
def list_(as_json: Json = False) -> None:
    """List the tokens, newest first."""
    from groundswell.desk import tokens

    with _desk() as desk, desk.reading() as session:
        documents = [_document(row) for row in tokens.listed(session)]
    if as_json:
        emit({"items": documents})
        return
    if not documents:
        messages.print("no tokens yet; make one with `groundswell token create NAME`")
        return
    from rich import box
    from rich.table import Table

    shown = Table("id", "name", "created", "state", box=box.SIMPLE_HEAD, pad_edge=False)
    for each in documents:
        state = "in force" if each["revoked_at"] is None else f"revoked {each['revoked_at'][:16]}"
        shown.add_row(each["id"], each["name"], each["created_at"][:16], state)
    output.print(shown)


@token.command()
def revoke(
    identity: Annotated[str, typer.Argument(metavar="ID", help="Its id, as `list` shows it.")],
    as_json: Json = False,
) -> None:
    """End a token; a server that runs stops taking it within seconds."""
    from groundswell.desk import tokens

    with _desk() as desk, desk.session() as session:
        row = tokens.revoke(session, identity)
        document = _document(row)
    if as_json:
        emit(document)
        return
    messages.print(f"token {row.id} ({row.name}) is revoked", soft_wrap=True, markup=False)
