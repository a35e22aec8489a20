"""The test servers answer; each test has a corner of its own."""

from __future__ import annotations

import pytest
from tests.services.kafka import Kafka
from tests.services.servers import Ferret, Minio, Postgres

pytestmark = pytest.mark.service


def test_postgresql_answers_with_the_password(postgres: Postgres) -> None:
    with postgres.connect(postgres.new_database()) as connection:
        assert connection.execute("select 1 + 1").fetchone() == (2,)


def test_ferretdb_keeps_documents(ferretdb: Ferret) -> None:
    with ferretdb.client() as client:
        collection = client[ferretdb.new_database()]["videos"]
        collection.insert_many([{"_id": n, "likes": n * n} for n in range(5)])
        assert [found["likes"] for found in collection.find().sort("_id", -1)] == [16, 9, 4, 1, 0]


def test_minio_keeps_objects(minio: Minio) -> None:
    bucket = minio.new_bucket()
    with minio.files.open_output_stream(f"{bucket}/a.txt") as stream:
        stream.write(b"hello")
    assert minio.files.get_file_info(f"{bucket}/a.txt").size == 5


def test_kafka_keeps_messages_in_their_order(kafka: Kafka) -> None:
    topic = kafka.new_topic()
    kafka.produce(topic, [(b"a", b"one"), (b"b", b"two")])
    assert [(m.key(), m.value(), m.offset()) for m in kafka.messages(topic)] == [(b"a", b"one", 0), (b"b", b"two", 1)]
