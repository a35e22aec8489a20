"""Objects of an S3 store, on a real server: listed by prefix and pattern, read by ranges, told apart by ETag."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from tests.services.servers import Minio, start_minio

from groundswell.errors import GroundswellError, NotFoundError, UnavailableError, UnknownChoiceError, UsageError
from groundswell.sources.compression import CutShortError, content
from groundswell.sources.files import find_files
from groundswell.sources.s3 import S3Object, find_objects

pytestmark = pytest.mark.service

KEYS = ("a/x.ndjson.gz", "a/b/y.ndjson.gz", "a/.hidden/z", "a/q.csv", "a/c d/é.ndjson.gz", "a2/x.csv")


def put(server: Minio, bucket: str, key: str, data: bytes) -> None:
    with server.files.open_output_stream(f"{bucket}/{key}", compression=None) as stream:
        stream.write(data)


@pytest.fixture
def bucket(minio: Minio, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket with some objects; the environment has the keys of the store."""
    for name, value in minio.environment().items():
        monkeypatch.setenv(name, value)
    name = minio.new_bucket()
    for key in KEYS:
        put(minio, name, key, gzip.compress(key.encode()))
    return name


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("a", ["a/b/y.ndjson.gz", "a/c d/é.ndjson.gz", "a/q.csv", "a/x.ndjson.gz"]),
        ("a/", ["a/b/y.ndjson.gz", "a/c d/é.ndjson.gz", "a/q.csv", "a/x.ndjson.gz"]),
        ("a/*.gz", ["a/x.ndjson.gz"]),
        ("a/**/*.gz", ["a/b/y.ndjson.gz", "a/c d/é.ndjson.gz", "a/x.ndjson.gz"]),
        ("a/[xq]*", ["a/q.csv", "a/x.ndjson.gz"]),
        ("a/[!x].csv", ["a/q.csv"]),
        ("*/?.csv", ["a/q.csv", "a2/x.csv"]),
        ("a/x.ndjson.gz", ["a/x.ndjson.gz"]),
    ],
)
def test_objects_are_found_by_key_prefix_and_pattern(asked: str, found: list[str], minio: Minio, bucket: str) -> None:
    objects = find_objects(f"s3://{bucket}/{asked}", minio.endpoint)
    assert [one.key.removeprefix(f"{bucket}/") for one in objects] == found


def one(minio: Minio, bucket: str, key: str) -> S3Object:
    (found,) = find_objects(f"s3://{bucket}/{key}", minio.endpoint)
    return found


def test_an_object_is_read_like_a_file(minio: Minio, bucket: str, tmp_path: Path) -> None:
    data = bytes(range(256)) * 50_000
    put(minio, bucket, "big.bin", data)
    with one(minio, bucket, "big.bin").open() as stream:
        assert stream.seekable()
        assert stream.read(1000) == data[:1000]
        stream.seek(12_000_000)
        assert stream.read() == data[12_000_000:]
    (file,) = find_files([f"s3://{bucket}/a/x.ndjson.gz"], tmp_path, s3_endpoint=minio.endpoint)
    assert file.name == f"s3://{bucket}/a/x.ndjson.gz"
    assert b"".join(content(file.stored)) == b"a/x.ndjson.gz"


def test_an_object_that_changed_is_another(minio: Minio, bucket: str) -> None:
    put(minio, bucket, "state", b"first")
    first, again = one(minio, bucket, "state").identity, one(minio, bucket, "state").identity
    put(minio, bucket, "state", b"other")
    assert first == again
    assert one(minio, bucket, "state").identity != first


def test_what_is_not_there_says_so(minio: Minio, bucket: str) -> None:
    wrong: list[tuple[str, type[GroundswellError], str]] = [
        (f"s3://{bucket}/none", NotFoundError, "nothing below it"),
        (f"s3://{bucket}/a/*.zip", NotFoundError, "no object matches"),
        (f"s3://{bucket}x/a", UnknownChoiceError, f"no bucket.*{bucket}"),
        ("s3:///a", UsageError, "no bucket"),
    ]
    for url, kind, said in wrong:
        with pytest.raises(kind, match=said):
            list(find_objects(url, minio.endpoint))


def test_wrong_keys_are_told(minio: Minio, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(UnavailableError, match="does not let us in"):
        list(find_objects(f"s3://{bucket}/a", minio.endpoint))


def test_a_store_that_goes_away_leaves_what_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with start_minio() as own:
        for name, value in own.environment().items():
            monkeypatch.setenv(name, value)
        bucket = own.new_bucket()
        data = bytes(range(256)) * 100_000
        put(own, bucket, "big.bin", data)
        found = one(own, bucket, "big.bin")
        with found.open() as stream:
            first = stream.read(1000)
            own.process.kill()
            with pytest.raises(CutShortError, match="stopped answering"):
                stream.read()
    assert first == data[:1000]
    with pytest.raises(UnavailableError, match="cannot be reached"):
        list(find_objects(f"s3://{bucket}/a", own.endpoint))
