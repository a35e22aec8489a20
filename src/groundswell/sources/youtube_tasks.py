"""What a collection of YouTube asks for, one request after the other: pure, its state is plain data.

Searches and channels give ids; ids give videos, fifty in a request; videos give threads of comments, and threads the
replies that an answer did not bring along. After each answer the state says what is left, so that a collection goes on
from there after an interruption or on the next day.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from groundswell.errors import UsageError

#: Ids that one request takes, and videos of a page.
BATCH: Final = 50
_THREADS: Final = 100

_VIDEO: Final = re.compile(r"(?:.*(?:[?&]v=|youtu\.be/|/shorts/|/embed/|/live/))?([A-Za-z0-9_-]{11})(?:[?&#].*)?")
_CHANNEL: Final = re.compile(r"(?:.*/channel/)?(UC[A-Za-z0-9_-]{22})(?:[/?#].*)?")
_HANDLE: Final = re.compile(r"(?:.*youtube\.com/)?@?([^/?#@\s]{3,30})(?:[/?#].*)?")


class Job(msgspec.Struct, frozen=True):
    """What a person asked for. `since` and `until` are RFC 3339, `comments` the most threads of a video (0: none)."""

    queries: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    videos: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    most: int | None = None
    comments: int = 0
    authors: bool = False
    region: str | None = None
    lang: str | None = None

    @property
    def id(self) -> str:
        """The same for the same wishes: where a collection that was not finished is found again."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]


class Task(msgspec.Struct):
    """A list that is read page by page. `do` is a resource's part in the plan, `of` what it is about."""

    do: str
    of: str
    page: str | None = None
    got: int = 0
    restarted: bool = False


class State(msgspec.Struct):
    """What is left of a collection. `seen` are ids that were found, `videos` those still to be asked for."""

    tasks: list[Task] = []
    videos: list[str] = []
    seen: list[str] = []
    authors: list[str] = []
    known_authors: list[str] = []
    done: bool = False


class Request(msgspec.Struct, frozen=True):
    """One call: a resource of the API, its parameters, and what it is for."""

    resource: str
    parameters: dict[str, Any]
    do: str
    of: str = ""

    @property
    def id(self) -> str:
        """The same for the same call."""
        return hashlib.sha256(
            msgspec.json.encode(["youtube", self.resource, sorted(self.parameters.items())])
        ).hexdigest()


def video_id(written: str) -> str:
    """The id in an id or an address.

    >>> video_id("https://youtu.be/gQ_1zX-F_No?t=3")
    'gQ_1zX-F_No'

    Raises:
        UsageError: there is none.
    """
    found = _VIDEO.fullmatch(written.strip())
    if found is None:
        what = f"`{written}` is no video"
        raise UsageError(what, hint="give its id of 11 characters or its address")
    return found[1]


def channel(written: str) -> str:
    """A channel's id, or its handle behind `@`.

    >>> channel("https://www.youtube.com/@koeche/videos"), channel("UC0123456789012345678901")
    ('@koeche', 'UC0123456789012345678901')

    Raises:
        UsageError: it is neither.
    """
    if found := _CHANNEL.fullmatch(written.strip()):
        return found[1]
    if found := _HANDLE.fullmatch(written.strip()):
        return f"@{found[1]}"
    what = f"`{written}` is no channel"
    raise UsageError(what, hint="give its id (UC…), its handle (@name) or its address")


def begin(job: Job) -> State:
    """The state before the first request."""
    tasks = [Task("channel", name) for name in job.channels] + [Task("search", query) for query in job.queries]
    return State(tasks, list(dict.fromkeys(job.videos)), list(dict.fromkeys(job.videos)))


def next_request(state: State, job: Job) -> Request | None:
    """The next call; null when nothing is left."""
    searching = any(task.do in ("search", "channel", "uploads") for task in state.tasks)
    if len(state.videos) >= BATCH or (state.videos and not searching):
        ids = ",".join(state.videos[:BATCH])
        return Request("videos", {"part": "snippet,statistics,contentDetails,topicDetails", "id": ids}, "videos")
    if state.authors and (len(state.authors) >= BATCH or not searching):
        ids = ",".join(state.authors[:BATCH])
        return Request("channels", {"part": "snippet,statistics,contentDetails", "id": ids}, "authors")
    return _of_task(state.tasks[0], job) if state.tasks else None


def _of_task(task: Task, job: Job) -> Request:
    page = {"pageToken": task.page} if task.page else {}
    if task.do == "search":
        wishes: dict[str, Any] = {
            "part": "snippet",
            "q": task.of,
            "type": "video",
            "order": "date",
            "maxResults": BATCH,
        }
        named = {"publishedAfter": job.since, "publishedBefore": job.until}
        named |= {"regionCode": job.region, "relevanceLanguage": job.lang}
        return Request("search", {**wishes, **{k: v for k, v in named.items() if v}, **page}, task.do, task.of)
    if task.do == "channel":
        by = {"forHandle": task.of} if task.of.startswith("@") else {"id": task.of}
        return Request("channels", {"part": "snippet,statistics,contentDetails", **by}, task.do, task.of)
    if task.do == "uploads":
        wishes = {"part": "snippet,contentDetails", "playlistId": task.of, "maxResults": BATCH}
        return Request("playlistItems", {**wishes, **page}, task.do, task.of)
    if task.do == "threads":
        wishes = {"part": "snippet,replies", "videoId": task.of, "maxResults": min(_THREADS, job.comments - task.got)}
        return Request("commentThreads", {**wishes, "order": "time", **page}, task.do, task.of)
    wishes = {"part": "snippet", "parentId": task.of, "maxResults": _THREADS}
    return Request("comments", {**wishes, **page}, task.do, task.of)


def lead_of(request: Request, document: Mapping[str, Any]) -> dict[str, Any]:
    """What leads on from an answer; kept with its ETag, because an unchanged answer does not repeat it."""
    items = [item for item in _listed(document.get("items")) if isinstance(item, Mapping)]
    lead: dict[str, Any] = {"next": document.get("nextPageToken"), "count": len(items)}
    if request.do == "search":
        lead["ids"] = [[_at(item, "id", "videoId"), None] for item in items]
    elif request.do == "uploads":
        lead["ids"] = [
            [_at(item, "contentDetails", "videoId"), _at(item, "contentDetails", "videoPublishedAt")] for item in items
        ]
    elif request.do == "channel":
        lead["uploads"] = [_at(item, "contentDetails", "relatedPlaylists", "uploads") for item in items]
    elif request.do == "videos":
        lead["found"] = [
            [item.get("id"), _at(item, "snippet", "channelId"), _at(item, "statistics", "commentCount")]
            for item in items
        ]
    elif request.do == "threads":
        lead["more"] = [
            item.get("id")
            for item in items
            if int(_at(item, "snippet", "totalReplyCount") or 0) > len(_listed(_at(item, "replies", "comments")))
        ]
    return lead


def advance(state: State, job: Job, request: Request, lead: Mapping[str, Any]) -> State:
    """The state after an answer."""
    new = msgspec.convert(msgspec.to_builtins(state), State)
    if request.do == "videos":
        _after_videos(new, job, request, lead)
    elif request.do == "authors":
        new.authors = new.authors[BATCH:]
    else:
        _after_task(new, job, lead)
    new.done = next_request(new, job) is None
    return new


def skip(state: State, job: Job, request: Request) -> State:
    """The state after an answer that says that what was asked for is not there."""
    new = msgspec.convert(msgspec.to_builtins(state), State)
    if request.do == "videos":
        new.videos = new.videos[BATCH:]
    elif request.do == "authors":
        new.authors = new.authors[BATCH:]
    else:
        new.tasks = new.tasks[1:]
    new.done = next_request(new, job) is None
    return new


def restart(state: State, job: Job, request: Request) -> State:
    """The state after a page that does not exist any more: its list from the start, once."""
    if not state.tasks or state.tasks[0].restarted:
        return skip(state, job, request)
    new = msgspec.convert(msgspec.to_builtins(state), State)
    new.tasks[0].page, new.tasks[0].restarted = None, True
    return new


def _after_videos(state: State, job: Job, request: Request, lead: Mapping[str, Any]) -> None:
    asked = str(request.parameters["id"]).split(",")
    state.videos = state.videos[len(asked) :]
    for found, author, comments in lead["found"]:
        if job.authors and author and author not in state.known_authors:
            state.known_authors.append(author)
            state.authors.append(author)
        # No count at all: comments are switched off.
        if job.comments and found and comments not in (None, "0", 0):
            state.tasks.append(Task("threads", found))


def _after_task(state: State, job: Job, lead: Mapping[str, Any]) -> None:
    task = state.tasks[0]
    if task.do == "channel":
        state.tasks[:1] = [Task("uploads", playlist) for playlist in lead["uploads"] if playlist]
        return
    task.page, ended = lead["next"], not lead["next"]
    if task.do in ("search", "uploads"):
        ended = _found(state, job, task, lead["ids"]) or ended
    elif task.do == "threads":
        task.got += lead["count"]
        ended = ended or task.got >= job.comments
        state.tasks += [Task("replies", thread) for thread in lead["more"] if thread]
    if ended:
        state.tasks.remove(task)


def _found(state: State, job: Job, task: Task, ids: Iterable[Any]) -> bool:
    """Take up the ids of a page; whether no further page is needed."""
    seen, older = set(state.seen), 0
    listed = list(ids)
    for found, published in listed:
        if job.most is not None and task.got >= job.most:
            return True
        older += bool(published and job.since and published < job.since)
        out_of_time = published and ((job.since and published < job.since) or (job.until and published >= job.until))
        if not found or out_of_time:
            continue
        task.got += 1
        if found not in seen:
            seen.add(found)
            state.seen.append(found)
            state.videos.append(found)
    # Uploads are listed newest first, but for what was published later than it was uploaded.
    return (bool(listed) and older == len(listed)) or (job.most is not None and task.got >= job.most)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _at(item: Any, *keys: str) -> Any:
    for key in keys:
        item = item.get(key) if isinstance(item, Mapping) else None
    return item
