"""The test servers as fixtures: one of each for the session of a test process, started by the first test that asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.services.kafka import Kafka
    from tests.services.servers import Ferret, Minio, Postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server."""
    from tests.services.servers import start_postgres

    with start_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def ferretdb() -> Iterator[Ferret]:
    """A server of the MongoDB protocol."""
    from tests.services.servers import start_ferretdb

    with start_ferretdb() as server:
        yield server


@pytest.fixture(scope="session")
def minio() -> Iterator[Minio]:
    """An S3 server."""
    from tests.services.servers import start_minio

    with start_minio() as server:
        yield server


@pytest.fixture(scope="session")
def kafka() -> Iterator[Kafka]:
    """A Kafka broker."""
    from tests.services.kafka import start_kafka

    with start_kafka() as server:
        yield server
