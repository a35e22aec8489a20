"""Objects of an S3 store imported like files, on a real server."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.services.servers import Minio

from groundswell.settings import load_settings

pytestmark = pytest.mark.service


@pytest.fixture
def bucket(minio: Minio, workshop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty bucket that the workshop's settings lead to."""
    for name, value in minio.environment().items():
        monkeypatch.setenv(name, value)
    workshop.settings = load_settings(home=workshop.settings.home, threads=2)
    return minio.new_bucket()


def put(server: Minio, key: str, data: bytes) -> None:
    with server.files.open_output_stream(key, compression=None) as stream:
        stream.write(data)


def posts(first: int, count: int, likes: int = 1) -> list[dict[str, Any]]:
    return [{"post_id": f"p{n}", "text": f"post {n}", "likes": likes} for n in range(first, first + count)]


def ndjson(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.ndjson", data)
    return out.getvalue()


def parquet(rows: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out)
    return out.getvalue()


def test_every_container_is_read_from_a_store(workshop: Any, minio: Minio, bucket: str) -> None:
    put(minio, f"{bucket}/in/a.ndjson.gz", gzip.compress(ndjson(posts(0, 50))))
    put(minio, f"{bucket}/in/b.ndjson", ndjson(posts(50, 50)))
    put(minio, f"{bucket}/in/c.csv", b"post_id,text,likes\np100,post 100,1\np101,post 101,x\n")
    put(minio, f"{bucket}/in/d.json", json.dumps({"items": posts(102, 20)}).encode())
    put(minio, f"{bucket}/in/e.zip", zipped(one=ndjson(posts(122, 10)), two=ndjson(posts(132, 10))))
    put(minio, f"{bucket}/in/f.parquet", parquet(posts(142, 10)))
    put(minio, f"{bucket}/in/g.bin", b"\0\1\2" * 100)
    document = workshop.import_(f"s3://{bucket}/in/")
    assert (document["stored"], document["rejected"], document["exit_code"]) == (152, 0, 1)
    names = {Path(file["path"]).name: file["error"] for file in document["files"]}
    assert set(names) == {
        *("a.ndjson.gz", "b.ndjson", "c.csv", "d.json", "f.parquet", "g.bin"),
        *("e.zip::one.ndjson", "e.zip::two.ndjson"),
    }
    assert [name for name, error in names.items() if error] == ["g.bin"]
    assert workshop.import_(f"s3://{bucket}/in/*.*")["stored"] == 0


def test_an_object_that_changed_brings_what_is_new(workshop: Any, minio: Minio, bucket: str) -> None:
    put(minio, f"{bucket}/a.ndjson", ndjson(posts(0, 10)))
    assert workshop.import_(f"s3://{bucket}/a.ndjson")["stored"] == 10
    put(minio, f"{bucket}/a.ndjson", ndjson([*posts(0, 10), *posts(3, 2, likes=5)]))
    document = workshop.import_(f"s3://{bucket}/a.ndjson")
    assert (document["read"], document["stored"], document["known"]) == (12, 2, 10)


def test_a_post_knows_its_object(workshop: Any, minio: Minio, bucket: str) -> None:
    put(minio, f"{bucket}/deep/er/a.ndjson", ndjson(posts(0, 2)))
    workshop.import_(f"s3://{bucket}/**/a.ndjson")
    (first, _) = workshop.posts("origin", "origin_offset")
    assert first == {"origin": f"s3://{bucket}/deep/er/a.ndjson", "origin_offset": 0}
