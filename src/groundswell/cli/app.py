"""The Typer application: common options, one JSON document on stdout, and errors as people can use them."""

from __future__ import annotations

import atexit
import json
import logging
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

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
#: Words between colons (`posts.db:x:`) are a name or a text of somebody, and no code of a picture.
messages = Console(stderr=True, highlight=False, emoji=False)
output = Console(highlight=False, emoji=False)
log = logging.getLogger("groundswell.cli")
#: Columns of a line that no terminal shows.
_ENDLESS: Final = 10_000

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
    if not {"-h", "--help"} & set(sys.argv):
        _begin_log()


def _begin_log() -> None:
    """Log as the settings say, and send traces where a collector is configured."""
    from groundswell.settings import load_settings
    from groundswell.telemetry import logs, tracing

    try:
        settings = load_settings()
    except GroundswellError:
        return  # the verb asks for its settings too, and says what is wrong with them
    logs.configure(settings.log_format, settings.log_level)
    if settings.log_format == "json":
        # What people would read in the meantime is a line of the log too; nothing is wrapped, nothing drawn.
        messages.file, messages.width = logs.sentences(), _ENDLESS
    sent = tracing.listen()
    if sent is not None:
        atexit.register(sent.close)


def _is_logged() -> bool:
    """Whether what is told goes to a log of JSON."""
    from groundswell.telemetry.logs import Sentences

    return isinstance(messages.file, Sentences)


def fail(error: GroundswellError) -> NoReturn:
    """Print what went wrong, where and what to do; end with the error's exit code."""
    if _is_logged():
        fields = {"error.type": type(error).__name__, "error.message": error.what, "error.where": str(error.where)}
        log.error("%s", error, extra={"fields": fields | {"error.hint": error.hint}})
        raise SystemExit(error.exit_code)
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
    except Exception as error:
        if not _is_logged():
            raise
        log.exception("an error that nobody expected: %s", error)
        raise SystemExit(1) from error
