"""The document about emerging topics."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from groundswell.documents.base import Count, Printed
from groundswell.web.topic_models import Topic


class TopicsDocument(Printed):
    """`groundswell topics --json`."""

    items: Annotated[list[Topic], Field(description="open ones first, by rank, then closed ones, newest first")]
    open: Annotated[Count, Field(description="topics that are not over, in all")]
