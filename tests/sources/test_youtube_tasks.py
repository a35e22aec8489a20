"""What a collection asks for, one request after the other."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.errors import UsageError
from groundswell.sources.youtube_tasks import (
    Job,
    State,
    Task,
    advance,
    begin,
    channel,
    lead_of,
    next_request,
    restart,
    skip,
    video_id,
)

ID = "gQ_1zX-F_No"


@pytest.mark.parametrize(
    "written",
    [
        ID,
        f"https://www.youtube.com/watch?v={ID}",
        f"https://www.youtube.com/watch?list=PL&v={ID}&t=3s",
        f"https://youtu.be/{ID}?si=x",
        f"https://www.youtube.com/shorts/{ID}",
    ],
)
def test_a_video_is_named_by_its_id_or_any_of_its_addresses(written: str) -> None:
    assert video_id(written) == ID


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("UC_x5XG1OV2P6uZZ5FSM9Ttw", "UC_x5XG1OV2P6uZZ5FSM9Ttw"),
        ("https://www.youtube.com/channel/UC_x5XG1OV2P6uZZ5FSM9Ttw/videos", "UC_x5XG1OV2P6uZZ5FSM9Ttw"),
        ("@koeche", "@koeche"),
        ("https://www.youtube.com/@koeche?x=1", "@koeche"),
        ("koeche", "@koeche"),
    ],
)
def test_a_channel_is_named_by_its_id_its_handle_or_its_address(written: str, name: str) -> None:
    assert channel(written) == name


def test_what_names_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="is no video"):
        video_id("https://example.invalid/")
    with pytest.raises(UsageError, match="is no channel"):
        channel("a b")


def test_the_same_wishes_are_the_same_job() -> None:
    assert Job(queries=("tea",)).id == Job(queries=("tea",)).id != Job(queries=("tea",), comments=5).id


def test_ids_are_asked_for_in_batches_of_fifty_while_pages_go_on() -> None:
    job = Job(queries=("tea",), since="2026-01-01T00:00:00Z", region="DE")
    state = begin(job)
    search = next_request(state, job)
    assert search is not None
    assert search.resource == "search"
    assert search.parameters["publishedAfter"] == "2026-01-01T00:00:00Z"
    assert search.parameters["regionCode"] == "DE"
    page = {"next": "P2", "count": 50, "ids": [[f"v{number}", None] for number in range(50)]}
    state = advance(state, job, search, page)
    videos = next_request(state, job)
    assert videos is not None
    assert videos.resource == "videos"
    assert videos.parameters["id"].split(",") == [f"v{number}" for number in range(50)]
    state = advance(state, job, videos, {"found": []})
    again = next_request(state, job)
    assert again is not None
    assert again.parameters["pageToken"] == "P2"
    # The last page brings one new id and one that is known.
    state = advance(state, job, again, {"next": None, "count": 2, "ids": [["v1", None], ["v99", None]]})
    last = next_request(state, job)
    assert last is not None
    assert last.parameters["id"] == "v99"
    assert advance(state, job, last, {"found": []}).done


def test_uploads_end_with_the_page_that_is_older_than_what_is_wanted() -> None:
    job = Job(channels=("@local",), since="2026-01-10T00:00:00Z", until="2026-01-20T00:00:00Z")
    state = State(tasks=[Task("uploads", "UU0")])
    request = next_request(state, job)
    assert request is not None
    newer = {"next": "P2", "ids": [["a", "2026-01-25T00:00:00Z"], ["b", "2026-01-15T00:00:00Z"], ["gone", None]]}
    state = advance(state, job, request, newer)
    assert state.videos == ["b", "gone"]
    older = {"next": "P3", "ids": [["c", "2026-01-09T00:00:00Z"], ["d", "2026-01-08T00:00:00Z"]]}
    state = advance(state, job, request, older)
    assert state.tasks == []
    assert state.videos == ["b", "gone"]


def test_no_more_are_taken_than_were_wanted() -> None:
    job = Job(queries=("tea",), most=3)
    state = begin(job)
    request = next_request(state, job)
    assert request is not None
    state = advance(state, job, request, {"next": "P2", "ids": [[f"v{n}", None] for n in range(5)]})
    assert state.videos == ["v0", "v1", "v2"]
    assert state.tasks == []


def test_comments_are_asked_for_where_there_are_some_and_replies_where_they_are_missing() -> None:
    job = Job(videos=(ID, "b" * 11, "c" * 11), comments=150, authors=True)
    state = begin(job)
    request = next_request(state, job)
    assert request is not None
    state = advance(state, job, request, {"found": [[ID, "UC1", "7"], ["b" * 11, "UC1", "0"], ["c" * 11, "UC2", None]]})
    authors = next_request(state, job)
    assert authors is not None
    assert authors.parameters["id"] == "UC1,UC2"
    state = advance(state, job, authors, {})
    threads = next_request(state, job)
    assert threads is not None
    assert (threads.resource, threads.of, threads.parameters["maxResults"]) == ("commentThreads", ID, 100)
    state = advance(state, job, threads, {"next": "P2", "count": 100, "more": ["t1"]})
    more = next_request(state, job)
    assert more is not None
    assert more.parameters["maxResults"] == 50
    state = advance(state, job, more, {"next": "P3", "count": 50, "more": []})
    replies = next_request(state, job)
    assert replies is not None
    assert (replies.resource, replies.of) == ("comments", "t1")
    assert advance(state, job, replies, {"next": None, "count": 3}).done


def test_a_page_that_is_gone_is_begun_again_once() -> None:
    job = Job(queries=("tea",))
    state = State(tasks=[Task("search", "tea", page="P9", got=10)])
    request = next_request(state, job)
    assert request is not None
    state = restart(state, job, request)
    assert state.tasks[0].page is None
    assert restart(state, job, request).tasks == []


def test_what_is_not_there_is_passed_over() -> None:
    job = Job(videos=(ID,))
    request = next_request(begin(job), job)
    assert request is not None
    assert skip(begin(job), job, request).done


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["items", "id", "snippet", "replies", "statistics"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["items", "nextPageToken"]), anything), st.sampled_from(["search", "videos"]))
def test_no_answer_stops_the_plan(document: dict[str, Any], kind: str) -> None:
    job = Job(queries=("tea",), videos=(ID,), comments=3, authors=True)
    state = begin(job) if kind == "videos" else State(tasks=[Task("search", "tea")])
    request = next_request(State(videos=[ID]) if kind == "videos" else state, job)
    assert request is not None
    lead_of(request, document)
