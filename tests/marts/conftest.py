"""Posts made of a few words each, a lake that holds them, and the default engine."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from groundswell.engines import Engine, open_engine
from groundswell.lake import Lake
from groundswell.schema import POSTS
from groundswell.settings import Settings

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
Rows = Sequence[Mapping[str, Any]]
MakePosts = Callable[[Rows], pa.Table]


def _tokens(text: str | None) -> str | None:
    return None if text is None else f" {' '.join(text.lower().replace('#', '').split())} "


def post_rows(rows: Rows) -> pa.Table:
    full = []
    for number, row in enumerate(rows, 1):
        created = row.get("created_at")
        base = {
            "platform": "x",
            "ingest_seq": number,
            "imported_at": NOON,
            "tokens": _tokens(row.get("text")),
            "key": hashlib.blake2b(str(number).encode(), digest_size=16).digest(),
            "month": f"{created:%Y-%m}" if created else "unknown",
        }
        full.append(base | dict(row))
    return pa.Table.from_pylist(full, schema=POSTS)


@pytest.fixture
def make_posts() -> MakePosts:
    """Rows of POSTS from what a test says about them; `ingest_seq` counts from 1."""
    return post_rows


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    opened = open_engine(settings)
    yield opened
    opened.close()


@pytest.fixture
def lake(settings: Settings) -> Lake:
    return Lake.open(settings)


@pytest.fixture
def noon() -> datetime:
    return NOON
