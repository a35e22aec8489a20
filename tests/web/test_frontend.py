from __future__ import annotations

from pathlib import Path

import pytest
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from groundswell.web.frontend import Frontend


@pytest.fixture
def built(tmp_path: Path) -> Path:
    root = tmp_path / "static"
    (root / "assets").mkdir(parents=True)
    (root / "index.html").write_text("<!doctype html>page")
    (root / "assets" / "app-1a2b.js").write_text("script")
    (root / "assets" / "app-1a2b.js.br").write_bytes(b"brotli")
    (root / "assets" / "app-1a2b.js.gz").write_bytes(b"gzip")
    (tmp_path / "secret.txt").write_text("secret")
    return root


def get(root: Path, path: str, method: str = "GET", **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Frontend(root).respond(method, path, Headers(named))


@pytest.mark.parametrize("path", ["/", "/alerts/9b1d", "/design", "/index.html"])
def test_every_address_of_the_page_gives_the_page(built: Path, path: str) -> None:
    answer = get(built, path)

    assert isinstance(answer, FileResponse)
    assert Path(answer.path).name == "index.html"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_hashed_files_are_kept_for_ever(built: Path) -> None:
    answer = get(built, "/assets/app-1a2b.js")

    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize(
    ("accepted", "encoding", "name"),
    [
        ("gzip, deflate, br", "br", "app-1a2b.js.br"),
        ("gzip", "gzip", "app-1a2b.js.gz"),
        ("br;q=0, gzip", "gzip", "app-1a2b.js.gz"),
        ("identity", None, "app-1a2b.js"),
        ("", None, "app-1a2b.js"),
    ],
)
def test_the_packed_form_that_the_browser_takes_is_sent(
    built: Path, accepted: str, encoding: str | None, name: str
) -> None:
    answer = get(built, "/assets/app-1a2b.js", accept_encoding=accepted)

    assert isinstance(answer, FileResponse)
    assert (answer.headers.get("content-encoding"), Path(answer.path).name) == (encoding, name)
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["content-type"].startswith("text/javascript")


def test_what_the_browser_has_is_not_sent_again(built: Path) -> None:
    etag = get(built, "/").headers["etag"]

    assert get(built, "/", if_none_match=f'W/"x", {etag}').status_code == 304
    assert get(built, "/", if_none_match='"x"').status_code == 200


@pytest.mark.parametrize("path", ["/assets/gone-1a2b.js", "/favicon.ico", "/api", "/api/v2/posts", "/../secret.txt"])
def test_a_missing_file_is_not_the_page(built: Path, path: str) -> None:
    with pytest.raises(HTTPException) as refused:
        get(built, path)

    assert refused.value.status_code == 404


@pytest.mark.parametrize("path", ["/..%2fsecret.txt", "/assets/../../secret.txt", "/../secret.txt"])
def test_nothing_outside_the_folder_is_sent(built: Path, path: str) -> None:
    with pytest.raises(HTTPException):
        get(built, path)


@pytest.mark.parametrize("path", ["//etc/passwd", "/\0"])
def test_strange_addresses_are_addresses_of_the_page(built: Path, path: str) -> None:
    answer = get(built, path)

    assert isinstance(answer, FileResponse)
    assert Path(answer.path).name == "index.html"


def test_only_reading_is_possible(built: Path) -> None:
    with pytest.raises(HTTPException) as refused:
        get(built, "/", "POST")

    assert refused.value.status_code == 405


def test_without_a_build_the_page_says_how_to_make_one(tmp_path: Path) -> None:
    answer = get(tmp_path / "static", "/")

    assert b"python scripts/build_frontend.py" in answer.body
    assert answer.headers["cache-control"] == "no-store"
    assert b"http://" not in answer.body
    assert b"https://" not in answer.body
