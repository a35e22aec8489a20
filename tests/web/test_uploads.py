"""Files that people upload, from the request to the posts, with real processes."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from groundswell.desk import Desk, leases, runs
from groundswell.settings import Settings
from groundswell.web.children import Child, EndedError, ToldError

RECORDS = [
    {"id": f"7{number:03}", "text": f"number {number}", "created_at": "2026-11-20T08:11:04Z", "likes": str(number)}
    for number in range(40)
]
LINES = b"".join(json.dumps(record).encode() + b"\n" for record in RECORDS)
DIRTY = LINES + b"{oops\n" + b'{"id": "1", "text": "x", "created_at": "soon"}\n'

pytestmark = pytest.mark.service


@pytest.fixture
def send(client: httpx.Client, until: Callable[..., None]) -> Callable[..., dict[str, Any]]:
    """Upload a file and wait until it was looked at."""

    def upload(name: str, content: bytes, *, wait: bool = True) -> dict[str, Any]:
        answer = client.post("/imports", params={"name": name}, content=content)
        assert answer.status_code == 201, answer.text
        identity = answer.json()["id"]
        if wait:
            until(lambda: state(client, identity) != "looking", seconds=60, what="the look at the file")
        found: dict[str, Any] = client.get(f"/imports/{identity}").json()
        return found

    return upload


def state(client: httpx.Client, identity: str) -> str:
    return str(client.get(f"/imports/{identity}").json()["state"])


@pytest.fixture
def finish(client: httpx.Client, until: Callable[..., None]) -> Callable[..., dict[str, Any]]:
    """Import an upload and wait for its end."""

    def start(identity: str, **options: Any) -> dict[str, Any]:
        answer = client.post(f"/imports/{identity}/start", json=options or None)
        assert answer.status_code == 202, answer.text
        until(lambda: state(client, identity) not in {"waiting", "running"}, seconds=60, what="the import")
        done: dict[str, Any] = client.get(f"/imports/{identity}").json()
        return done

    return start


def test_an_upload_becomes_posts_and_its_file_goes(
    served: Any, client: httpx.Client, send: Callable[..., Any], finish: Callable[..., Any]
) -> None:
    upload = send("posts.ndjson", DIRTY)
    digest = hashlib.blake2b(DIRTY, digest_size=4).hexdigest()
    assert (upload["kind"], upload["name"], upload["bytes"]) == ("upload", "posts.ndjson", len(DIRTY))
    assert upload["origin"] == f"uploads/{digest}/posts.ndjson"

    preview = upload["preview"]
    assert upload["state"] == "ready"
    assert (preview["container"]["form"], preview["rows"]) == ("ndjson", 42)
    assert {column["column"]: column["field"] for column in preview["columns"]}["likes"] == "likes"

    done = finish(upload["id"])

    result = done["result"]
    assert (done["state"], result["read"], result["stored"], result["rejected"]) == ("done", 42, 40, 2)
    assert sum(layout["stored"] for layout in result["layouts"]) == 40
    assert {each["rows"] for each in result["reasons"]} == {1}
    assert [post["origin"] for post in client.get("/posts", params={"limit": 1}).json()["items"]] == [upload["origin"]]
    assert {row["origin"] for row in client.get("/quarantine").json()["items"]} == {upload["origin"]}
    assert not (served.services.uploads.folder / upload["id"]).exists()
    assert [each["id"] for each in client.get("/imports").json()["items"]] == [upload["id"]], (
        "its run is not told twice"
    )


def test_the_same_file_again_stores_nothing_new(send: Callable[..., Any], finish: Callable[..., Any]) -> None:
    finish(send("posts.ndjson", DIRTY)["id"])
    result = finish(send("posts.ndjson", DIRTY)["id"])["result"]

    assert (result["stored"], result["known"], result["rejected"]) == (0, 40, 2)


def test_what_is_packed_is_unpacked(send: Callable[..., Any], finish: Callable[..., Any]) -> None:
    result = finish(send("posts.ndjson.gz", gzip.compress(LINES))["id"])["result"]

    assert (result["stored"], result["rejected"]) == (40, 0)


def test_a_file_that_cannot_be_read_is_kept_to_be_read_in_another_way(
    served: Any, send: Callable[..., Any], finish: Callable[..., Any]
) -> None:
    table = b"when,what\n2026-11-20 08:00,hello\n2026-11-20 09:00,again\n"
    upload = send("talk.csv", table)

    failed = finish(upload["id"])
    assert failed["state"] == "failed"
    assert failed["error"]

    done = finish(upload["id"], map={"text": "what", "created_at": "when"}, tz="Europe/Paris")
    assert (done["state"], done["result"]["stored"]) == ("done", 2)
    assert done["options"]["tz"] == "Europe/Paris"
    times = [post["created_at"] for post in served.client.get("/posts").json()["items"]]
    assert times == ["2026-11-20T08:00:00Z", "2026-11-20T07:00:00Z"]


def test_an_upload_that_is_not_wanted_is_forgotten(served: Any, client: httpx.Client, send: Callable[..., Any]) -> None:
    upload = send("posts.ndjson", LINES)

    assert client.delete(f"/imports/{upload['id']}").status_code == 204

    assert client.get(f"/imports/{upload['id']}").status_code == 404
    assert not (served.services.uploads.folder / upload["id"]).exists()


def test_an_import_that_waits_is_given_up_and_stays_listed(
    served: Any, desk: Desk, client: httpx.Client, send: Callable[..., Any], until: Callable[..., None]
) -> None:
    upload = send("posts.ndjson", LINES)
    with leases.hold(desk, "lake"):
        client.post(f"/imports/{upload['id']}/start")
        progress = served.services.uploads.progress
        until(lambda: (progress.get(upload["id"]) or {}).get("says"), seconds=60, what="the word on what it waits for")
        shown = client.get(f"/imports/{upload['id']}").json()
        assert shown["state"] == "running"
        assert "waiting for process" in shown["progress"]["says"]
        assert client.delete(f"/imports/{upload['id']}").status_code == 204

    assert state(client, upload["id"]) == "cancelled"
    assert client.get("/posts").json()["items"] == []
    folder = served.services.uploads.folder / upload["id"]
    until(lambda: not folder.exists(), what="the file to go")
    assert client.delete(f"/imports/{upload['id']}").status_code == 204
    assert client.get("/imports").json()["items"] == []


def test_an_import_whose_server_ended_is_interrupted_and_resumes(
    settings: Settings, served: Any, desk: Desk, send: Callable[..., Any], until: Callable[..., None]
) -> None:
    upload, later = send("posts.ndjson", LINES), send("later.ndjson", LINES)
    with leases.hold(desk, "lake"):
        for each in (upload, later):
            served.client.post(f"/imports/{each['id']}/start")
        until(lambda: state(served.client, upload["id"]) == "running", seconds=60, what="the import to begin")
        served.stop()

    after = type(served)(settings)
    try:
        assert [each["state"] for each in after.client.get("/imports").json()["items"]] == ["interrupted"] * 2
        assert after.client.post(f"/imports/{upload['id']}/start").status_code == 202
        until(lambda: state(after.client, upload["id"]) == "done", seconds=60, what="the import")
        assert after.client.get(f"/imports/{upload['id']}").json()["result"]["stored"] == 40
    finally:
        after.stop()


def test_an_import_whose_server_was_killed_is_interrupted(desk: Desk, client: httpx.Client, send: Any) -> None:
    upload = send("posts.ndjson", LINES)
    with desk.session() as session:
        row = runs.get(session, upload["id"])
        host = leases.this_process().partition(":")[0]
        row.summary = (row.summary or {}) | {"state": "running", "holder": f"{host}:999999999:1"}

    assert state(client, upload["id"]) == "interrupted"


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.csv", "a.csv"),
        (".hidden", "hidden"),
        ("a\u202etxt.csv", "a_txt.csv"),
    ],
)
def test_a_file_lies_where_it_should_whatever_it_is_called(
    served: Any, send: Callable[..., Any], name: str, plain: str
) -> None:
    upload = send(name, LINES, wait=False)

    assert upload["name"] == plain
    assert (served.services.uploads.folder / upload["id"] / plain).read_bytes() == LINES


def test_an_empty_file_is_refused(served: Any, client: httpx.Client) -> None:
    answer = client.post("/imports", params={"name": "posts.csv"}, content=b"")

    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert list(served.services.uploads.folder.glob("*")) == []


def test_a_file_that_is_too_large_is_refused_before_and_while_it_comes(
    settings: Settings, served: Any, client: httpx.Client
) -> None:
    served.services.settings = settings.model_copy(update={"max_upload": 5000})

    declared = client.post("/imports", params={"name": "a.csv"}, content=b"x" * 6000)
    assert (declared.status_code, "GROUNDSWELL_MAX_UPLOAD" in declared.json()["hint"]) == (413, True)

    def parts() -> Iterator[bytes]:
        for _ in range(6):
            yield b"x" * 1000

    assert client.post("/imports", params={"name": "a.csv"}, content=parts()).status_code == 413
    assert list(served.services.uploads.folder.glob("*")) == []


def test_a_disk_without_room_is_told_before_the_file_is_taken(
    served: Any, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groundswell.web.spool.SPARE", 1 << 60)

    answer = client.post("/imports", params={"name": "a.csv"}, content=LINES)

    assert (answer.status_code, "no room" in answer.json()["detail"]) == (507, True)
    assert list(served.services.uploads.folder.glob("*")) == []


def test_an_upload_from_a_page_of_another_site_is_refused(client: httpx.Client) -> None:
    answer = client.post(
        "/imports", params={"name": "a.csv"}, content=LINES, headers={"Origin": "http://elsewhere.example"}
    )

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"layout": "tiktok.neste"}, "tiktok.nested"),
        ({"tz": "Paris"}, "Europe/Paris"),
        ({"map": {"text": "a", "likes": "a"}}, "one field"),
    ],
)
def test_options_that_make_no_sense_are_refused_with_the_valid_ones(
    client: httpx.Client, send: Callable[..., Any], options: dict[str, Any], said: str
) -> None:
    upload = send("posts.ndjson", LINES, wait=False)

    answer = client.post(f"/imports/{upload['id']}/start", json=options)

    assert answer.status_code == 400
    assert said in answer.json()["hint"]


def test_an_import_is_not_started_twice(send: Callable[..., Any], finish: Callable[..., Any], client: Any) -> None:
    upload = send("posts.ndjson", LINES)
    finish(upload["id"])

    again = client.post(f"/imports/{upload['id']}/start")

    assert (again.status_code, "done" in again.json()["detail"]) == (409, True)
    assert client.post("/imports/none/start").status_code == 404


def test_what_the_command_line_imported_is_listed_too(
    settings: Settings, client: httpx.Client, tmp_path: Path, desk: Desk
) -> None:
    from groundswell.engines import open_engine
    from groundswell.importing import Options, import_paths
    from groundswell.lake import Lake

    path = tmp_path / "posts.ndjson"
    path.write_bytes(DIRTY)
    engine = open_engine(settings)
    import_paths([str(path)], Options(), Lake.open(settings), desk, engine, settings)
    engine.close()

    (item,) = client.get("/imports").json()["items"]

    assert (item["kind"], item["state"], item["name"], item["result"]["stored"]) == ("command", "done", str(path), 40)
    assert client.get(f"/imports/{item['id']}").json() == item
    assert client.delete(f"/imports/{item['id']}").status_code == 404


def test_held_records_are_read_again(
    client: httpx.Client, send: Callable[..., Any], finish: Callable[..., Any]
) -> None:
    table = b"when,what\n2026-11-20 08:00,hello\n2026-11-20 09:00,again\n"
    finish(send("talk.csv", table)["id"])
    held = client.get("/quarantine").json()
    assert (held["held"], [share["rows"] for share in held["by_reason"]]) == (2, [2])

    again = client.post("/quarantine/retry", json={"map": {"text": "what", "created_at": "when"}}).json()

    assert again == {"read": 2, "stored": 2, "known": 0, "ignored": 0, "held": 0}
    assert client.get("/quarantine").json()["held"] == 0
    assert {row["state"] for row in client.get("/quarantine").json()["items"]} == {"resolved"}


def test_a_retry_of_what_is_not_held_says_so(client: httpx.Client) -> None:
    answer = client.post("/quarantine/retry", json={"ids": ["abcdef"]})

    assert (answer.status_code, "no held row" in answer.json()["detail"]) == (404, True)


def test_a_child_says_what_went_wrong_and_ends_with_its_server(settings: Settings) -> None:
    order = {"do": "retry", "settings": settings.model_dump(mode="json"), "reason": None, "origin": None}
    with pytest.raises(ToldError, match="no held row"):
        Child({**order, "ids": ["abcdef"], "options": {}}).run(print)
    ended = Child(order)
    ended.end()
    with pytest.raises(EndedError):
        ended.run(print)


def test_a_saved_mapping_reads_the_next_table_of_its_kind(
    client: httpx.Client, send: Callable[..., Any], finish: Callable[..., Any]
) -> None:
    table = b"when,what,hearts\n2026-11-20 08:00,hello,4\n2026-11-20 09:00,again,5\n"
    mapping = {"text": "what", "created_at": "when", "likes": ""}

    saved = client.post("/layouts", json={"name": "talk", "map": mapping, "platform": "forum", "tz": None})

    assert saved.status_code == 201
    assert saved.json()["items"][0]["id"] == "saved.talk"
    assert client.post("/layouts", json={"name": "talk", "map": mapping}).status_code == 409
    upload = send("talk.csv", table)
    assert [layout["layout"] for layout in upload["preview"]["layouts"]] == ["saved.talk"]
    assert finish(upload["id"])["result"]["stored"] == 2


def test_a_preview_follows_the_mapping(client: httpx.Client, send: Callable[..., Any], until: Any) -> None:
    upload = send("talk.csv", b"when,what,likes\n2026-11-20 08:00,hello,many\n2026-11-20 09:00,again,5\n")

    client.post(f"/imports/{upload['id']}/preview", json={"map": {"text": "what", "views": "likes", "likes": ""}})
    until(lambda: state(client, upload["id"]) == "ready", seconds=60, what="the second look")

    preview = client.get(f"/imports/{upload['id']}").json()["preview"]
    columns = {column["column"]: (column["field"], column["unreadable"]) for column in preview["columns"]}
    assert columns["what"] == ("text", 0)
    assert columns["likes"] == ("views", 1)


def test_a_mapping_that_does_not_fit_says_so_and_keeps_the_file(
    served: Any, client: httpx.Client, send: Callable[..., Any], until: Any
) -> None:
    upload = send("talk.csv", b"when,what\n2026-11-20 08:00,hello\n")

    client.post(f"/imports/{upload['id']}/preview", json={"map": {"text": "body"}})
    until(lambda: state(client, upload["id"]) != "looking", seconds=60, what="the second look")

    shown = client.get(f"/imports/{upload['id']}").json()
    assert (shown["state"], "no column `body`" in shown["error"]) == ("failed", True)
    assert shown["preview"] is not None, "what was seen before stays in sight"
    assert (served.services.uploads.folder / upload["id"] / "talk.csv").exists()


def test_what_came_from_one_file_is_found_by_it(send: Any, finish: Any, client: httpx.Client) -> None:
    first = finish(send("posts.ndjson", LINES)["id"])
    finish(send("talk.csv", b"id,text\n1,hello\n2,again\n")["id"])

    found = client.get("/posts", params={"origin": first["origin"], "limit": 100}).json()["items"]

    assert len(found) == 40


def test_a_post_has_a_history(send: Any, finish: Any, client: httpx.Client) -> None:
    seen = [
        {"id": "8", "text": "x", "created_at": "2026-11-20T08:00:00Z", "observed_at": f"2026-11-2{day}T08:00:00Z"}
        | {"likes": likes, "platform": "forum"}
        for day, likes in ((0, 10), (1, 58))
    ]
    finish(send("seen.ndjson", b"".join(json.dumps(each).encode() + b"\n" for each in seen))["id"])

    found = client.get("/posts/forum/8/history").json()

    assert [each["likes"] for each in found["observations"]] == [10, 58]
    assert (found["at_24h"]["likes"], found["observations"][1]["velocity"]["likes"]) == (58, 2.0)
    assert client.get("/posts/forum/9/history").status_code == 404


def test_a_profile_is_read_once_for_each_state_of_the_lake(
    served: Any, send: Any, finish: Any, client: httpx.Client
) -> None:
    finish(send("posts.ndjson", LINES)["id"])

    found = client.get("/profile").json()
    fields = {each["field"]: each for each in found["fields"]}

    assert (found["rows"], fields["likes"]["missing"], fields["views"]["missing_share"]) == (40, 0, 1.0)
    assert client.get("/profile", params={"q": "number"}).json()["rows"] == 40
    assert client.get("/profile", params={"q": "(a OR"}).status_code == 400
    known = served.services.profiles.read("", (), "robust_z")
    assert served.services.profiles.read("", (), "robust_z") is known
