"""The Typer application: common options, one JSON document on stdout, and errors as people can use them."""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from groundswell import __version__
from groundswell.errors import GroundswellError

app = typer.Typer(
    name="groundswell",
    help="Notice what people start to talk about, and see who and what is behind it.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

#: What people read while a verb works goes to stderr, so that stdout is only ever the result.
messages = Console(stderr=True, highlight=False)
output = Console(highlight=False)

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else there.")]


def emit(document: object) -> None:
    """Print one JSON document on stdout; times as RFC 3339, paths as text."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2, default=_plain) + "\n")


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Path):
        return str(value)
    what = f"cannot show a {type(value).__name__} as JSON"
    raise TypeError(what)


def _version(show: bool) -> None:
    if show:
        output.print(f"groundswell {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    home: Annotated[
        Path | None,
        typer.Option("--home", help="Folder that holds everything (GROUNDSWELL_HOME).", show_default=False),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    if home is not None:
        os.environ["GROUNDSWELL_HOME"] = str(home)


def fail(error: GroundswellError) -> NoReturn:
    """Print what went wrong, where and what to do; end with the error's exit code."""
    messages.print(f"[bold red]error[/]: {error.what}" + (f": {error.where}" if error.where else ""), soft_wrap=True)
    if error.hint:
        messages.print(f"  {error.hint[0].upper() + error.hint[1:]}", soft_wrap=True, markup=False)
    raise SystemExit(error.exit_code)


def run() -> None:
    """Run the command line; the console script."""
    try:
        app()
    except GroundswellError as error:
        fail(error)
    except BrokenPipeError:
        # The reader (`head`) has seen enough; Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        messages.print("stopped")
        raise SystemExit(130) from None
