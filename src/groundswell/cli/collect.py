"""`groundswell collect`: posts, comments and authors from a platform's API into the lake."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.markup import escape

from groundswell.cli.app import Json, app, emit, messages
from groundswell.cli.columns import many

if TYPE_CHECKING:
    from rich.status import Status

    from groundswell.sources.youtube import Collected
    from groundswell.sources.youtube_tasks import Job

#: Seconds before the progress shows.
_PATIENCE_S: Final = 2.0

verbs = typer.Typer(no_args_is_help=True, help="Collect from a platform's API.")
app.add_typer(verbs, name="collect")


@verbs.callback()
def _root() -> None:
    """Collect from a platform's API."""


@verbs.command()
def youtube(
    *,
    query: Annotated[
        list[str] | None, typer.Option("--query", "-q", help="Search for this; may be repeated (100 units a page).")
    ] = None,
    channel: Annotated[
        list[str] | None, typer.Option("--channel", help="All uploads of this channel: id, @handle or address.")
    ] = None,
    video: Annotated[list[str] | None, typer.Option("--video", help="This video: id or address.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Published at this time or later.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Published before this time.")] = None,
    most: Annotated[
        int | None, typer.Option("--max", min=1, help="At most so many videos of each query and channel.")
    ] = None,
    comments: Annotated[
        int, typer.Option("--comments", min=0, help="At most so many threads of comments of each video, with replies.")
    ] = 0,
    authors: Annotated[bool, typer.Option("--authors", help="Also the channels of the videos, 1 unit for 50.")] = False,
    region: Annotated[str | None, typer.Option("--region", help="Searches: videos for this country (DE).")] = None,
    lang: Annotated[str | None, typer.Option("--lang", help="Searches: videos in this language first (de).")] = None,
    to: Annotated[
        str | None, typer.Option("--to", help="Raw answers also to this MongoDB database: mongodb://HOST/DB.")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="With --to: the collection.")] = "youtube",
    only: Annotated[bool, typer.Option("--only", help="With --to: not into the lake.")] = False,
    as_json: Json = False,
) -> None:
    """Collect videos with their counters, comments and channels from the YouTube Data API v3.

    The key is read from YOUTUBE_API_KEY. Before the day's units are spent it stops; the same command goes on from
    there, also after an interruption. Run again when it was done, it looks at everything once more.
    """
    from groundswell.errors import UsageError
    from groundswell.importing.collecting import collect_youtube
    from groundswell.marts.raw_documents import RawDocuments
    from groundswell.settings import current_settings

    settings = current_settings()
    job = _job(
        {
            "queries": query or [],
            "channels": channel or [],
            "videos": video or [],
            "since": since,
            "until": until,
            "most": most,
            "comments": comments,
            "authors": authors,
            "region": region.upper() if region else None,
            "lang": lang.lower() if lang else None,
        }
    )
    if only and to is None:
        what = "--only is for --to"
        raise UsageError(what, hint="add --to mongodb://HOST/DATABASE")
    with _stopping() as stop, _Shown() as shown, ExitStack() as stack:
        raw = stack.enter_context(RawDocuments(to, name, only)) if to is not None else None
        document = collect_youtube(job, settings, stop, tell=shown.tell, to=raw)
    if as_json:
        emit(document)
    else:
        _show(document)


def _job(wishes: dict[str, Any]) -> Job:
    """What is asked for, checked."""
    from groundswell.errors import UsageError
    from groundswell.sources import youtube_tasks

    queries = tuple(query.strip() for query in wishes["queries"] if query.strip())
    if not (queries or wishes["channels"] or wishes["videos"]):
        what = "nothing to collect"
        raise UsageError(what, hint="give --query WORDS, --channel ID or --video ID")
    checked = {
        "queries": queries,
        "channels": tuple(youtube_tasks.channel(name) for name in wishes["channels"]),
        "videos": tuple(youtube_tasks.video_id(name) for name in wishes["videos"]),
        "since": _moment(wishes["since"]),
        "until": _moment(wishes["until"]),
    }
    return youtube_tasks.Job(**{**wishes, **checked})


def _moment(written: str | None) -> str | None:
    """A time as the API wants it."""
    from groundswell.desk.clock import iso
    from groundswell.errors import UsageError
    from groundswell.settings import current_settings
    from groundswell.text.times import read_time

    if written is None:
        return None
    micros = read_time(written, current_settings().tz)
    if micros is None:
        what = f"`{written}` is no time"
        raise UsageError(what, hint="write it like 2026-11-01 or 2026-11-01T12:00Z")
    return iso(micros // 1_000_000 * 1_000_000)


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set, so that what came is committed first."""
    stop = threading.Event()

    def end(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        messages.print("stopping after this request; once more to end at once")
        stop.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Shown:
    """Says on a terminal, after two seconds, what is asked for and what is left."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._status: Status | None = None

    def __enter__(self) -> _Shown:
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def tell(self, what: str, done: Collected, left: int) -> None:
        """One request is done."""
        if not messages.is_terminal or time.monotonic() - self._begun < _PATIENCE_S:
            return
        if self._status is None:
            self._status = messages.status("")
            self._status.start()
        text = f"{what[:40]}: {many(done.requests, 'request')}, {many(done.videos, 'video')}, {left:,} units left"
        self._status.update(escape(text))


def _show(document: dict[str, Any]) -> None:
    units = document["units"]
    if document["resumed"]:
        messages.print("went on with what an earlier run left")
    unchanged = f", {document['unchanged']:,} unchanged" if document["unchanged"] else ""
    messages.print(
        f"{many(document['videos'], 'video')} and {document['items'] - document['videos']:,} other items in "
        f"{many(document['requests'], 'request')}{unchanged}; "
        f"{units['this_run']:,} units spent, {units['left']:,} of {units['limit']:,} left today"
    )
    raw, lake = document["raw"], document["lake"]
    if raw is not None:
        messages.print(f"{raw['inserted']:,} new documents in {raw['collection']} of {raw['target']}", soft_wrap=True)
    if lake is None:
        messages.print("another process takes them from the journal to the lake")
    else:
        messages.print(
            f"{lake['stored']:,} stored, {lake['known']:,} known, {lake['rejected']:,} rejected, "
            f"{lake['ignored']:,} ignored"
        )
    for line in document["skipped"][:5]:
        messages.print(f"  [yellow]skipped[/] {escape(line['what'])}: {escape(line['reason'])}", soft_wrap=True)
    if len(document["skipped"]) > 5:
        messages.print(f"  and {len(document['skipped']) - 5:,} more; `--json` lists them")
    if document["state"] == "out of units":
        renewed = datetime.fromisoformat(units["renewed_at"]).astimezone()
        messages.print(f"[bold]the day's units are spent[/]: the same command goes on after {renewed:%Y-%m-%d %H:%M}")
    elif document["state"] == "stopped":
        messages.print("stopped; the same command goes on from here")
