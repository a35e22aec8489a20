"""Emerging topics: what people start to talk about, whether a tracker asks for it or not."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query

from groundswell.desk import topics
from groundswell.desk.clock import moment
from groundswell.desk.topics import TopicState
from groundswell.web.documents import micros_of
from groundswell.web.models import Posts
from groundswell.web.search import Search, Sort
from groundswell.web.services import ServicesOf
from groundswell.web.topic_models import Topic, Topics, TopicSummary

router = APIRouter(prefix="/topics", tags=["topics"])
TopicId = Annotated[str, Path(description="Id of the topic.", max_length=32)]


@router.get("")
def list_topics(
    services: ServicesOf,
    state: Annotated[TopicState, Query(description="Only topics that are open, or closed.")] = "all",
    platform: Annotated[str | None, Query(description="Only topics seen on this platform.", max_length=100)] = None,
    since: Annotated[datetime | None, Query(description="Only topics that were not over before.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str | None, Query(max_length=100, description="`next` of the page before.")] = None,
) -> Topics:
    """Topics: open ones first, by rarity times reach, then closed ones, newest first."""
    since_us = None if since is None else micros_of(since)
    with services.desk.reading() as session:
        rows, after = topics.page(
            session, state=state, platform=platform, since_us=since_us, cursor=cursor, limit=limit
        )
        names = topics.tracker_names(session)
        items = [TopicSummary.model_validate(topics.summary(row, names)) for row in rows]
        return Topics(items=items, open=topics.open_count(session), next=after)


@router.get("/{topic}")
def show_topic(services: ServicesOf, topic: TopicId) -> Topic:
    """One topic with its evidence: series, terms, example posts, authors, and a query for a tracker of it."""
    with services.desk.reading() as session:
        return Topic.model_validate(topics.whole(topics.get(session, topic), topics.tracker_names(session)))


@router.get("/{topic}/posts")
def list_topic_posts(
    services: ServicesOf,
    topic: TopicId,
    sort: Annotated[Sort, Query(description="What comes first.")] = "latest",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Posts:
    """The posts that the topic's query finds in its time, as the lake has them now (up to a minute late)."""
    with services.desk.reading() as session:
        row = topics.get(session, topic)
        search = Search(
            query=row.query, since=moment(row.started_at), until=moment(row.updated_at), sort=sort, limit=limit
        )
    return services.search.run(search)
