"""The built page: its files with the right cache headers, and `index.html` for every address of the page itself."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.types import Receive, Scope, Send

STATIC: Final = Path(__file__).with_name("static")
#: What the build made beside a file, best first; the names are those of `Accept-Encoding`.
_PACKED: Final = (("br", ".br"), ("gzip", ".gz"))
#: The build puts a hash of the content into the names of this folder's files.
_HASHED: Final = "assets/"
_FOREVER: Final = "public, max-age=31536000, immutable"
_TYPES: Final = {".js": "text/javascript", ".mjs": "text/javascript", ".woff2": "font/woff2", ".svg": "image/svg+xml"}

NOT_BUILT: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Groundswell: the page is not built</title>
<style>
:root { color-scheme: light dark }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: light-dark(#f6f6f3, #0f1114);
  color: light-dark(#1a1c1f, #e7e9ec); font: 14px/20px Inter, system-ui, sans-serif }
main { max-width: 30rem; margin: 2rem; padding: 2rem; border: 1px solid light-dark(#e2e2dc, #2a2f36);
  border-radius: 8px; background: light-dark(#ffffff, #171a1e) }
h1 { margin: 0 0 .5rem; font-size: 20px; line-height: 28px; font-weight: 600 }
p { margin: .75rem 0; color: light-dark(#676b72, #9aa0a8) }
pre { margin: 0; padding: .75rem 1rem; border-radius: 8px; overflow-x: auto; background: light-dark(#efefeb, #1e2227) }
a { color: light-dark(#1f6fb2, #62aee8) }
</style>
<main>
<h1>The server runs; the page is not built yet</h1>
<p>This is a source checkout without a build of the web page. Build it once:</p>
<pre>python scripts/build_frontend.py</pre>
<p>Then load this page again. An installed wheel has the page inside.</p>
<p>The REST API works without it: <a href="/api/v1/docs">API reference</a>, <a href="/api/v1/health">health</a>.</p>
</main>
</html>
"""


class Frontend:
    """ASGI application for everything that is no route of the API."""

    def __init__(self, root: Path = STATIC) -> None:
        self._root = root.resolve()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for a file or an address of the page.

        Raises:
            HTTPException: 404 for an unknown address of the API or a missing file, 405 for another method.
        """
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 4404})
            return
        response = self.respond(scope["method"], scope["path"], Headers(scope=scope))
        await response(scope, receive, send)

    def respond(self, method: str, path: str, headers: Headers) -> Response:
        """The answer to a request for `path`."""
        if path == "/api" or path.startswith("/api/"):
            raise HTTPException(404)
        if method not in {"GET", "HEAD"}:
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        found = self._file(path.lstrip("/"))
        if found is not None:
            return self._send(found, headers)
        if "." in path.rpartition("/")[2]:
            raise HTTPException(404)
        index = self._file("index.html")
        if index is None:
            return HTMLResponse(NOT_BUILT, headers={"Cache-Control": "no-store"})
        return self._send(index, headers)

    def _file(self, name: str) -> Path | None:
        if not name or "\0" in name:
            return None
        path = (self._root / name).resolve()
        return path if path.is_relative_to(self._root) and path.is_file() else None

    def _send(self, path: Path, headers: Headers) -> Response:
        name = path.relative_to(self._root).as_posix()
        answer = {"Cache-Control": _FOREVER if name.startswith(_HASHED) else "no-cache", "Vary": "Accept-Encoding"}
        kind = _TYPES.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        accepted = _accepted(headers.get("accept-encoding", ""))
        chosen = path
        for encoding, ending in _PACKED:
            packed = path.with_name(path.name + ending)
            if encoding in accepted and packed.is_file():
                answer["Content-Encoding"] = encoding
                chosen = packed
                break
        response = FileResponse(chosen, media_type=kind, headers=answer)
        response.set_stat_headers(chosen.stat())
        if _unchanged(response.headers["etag"], headers.get("if-none-match", "")):
            kept = {key: response.headers[key] for key in ("cache-control", "etag", "vary")}
            return Response(status_code=304, headers=kept)
        return response


def _accepted(header: str) -> set[str]:
    """Names in an `Accept-Encoding` header that are not refused by `q=0`.

    >>> sorted(_accepted("gzip, br;q=0.9, zstd;q=0"))
    ['br', 'gzip']
    """
    names: set[str] = set()
    for item in header.split(","):
        name, _, quality = item.partition(";")
        if quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}:
            names.add(name.strip().lower())
    return names - {""}


def _unchanged(etag: str, header: str) -> bool:
    known = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    return etag in known or "*" in known
