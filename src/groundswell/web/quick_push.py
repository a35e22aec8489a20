"""A push that names no more than its source, answered before the framework looks at it.

Two thirds of the processor's time of a push of a hundred records would be routing, dependencies and validation, which
are the same for each. What this does not take goes on to `routes.records`, which says what is wrong with it.
"""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from groundswell.errors import GroundswellError
from groundswell.sources.push import NAME
from groundswell.web.bodies import read_records
from groundswell.web.problems import answer_to

if TYPE_CHECKING:
    from groundswell.web.services import Services

#: Names of sources.
SOURCE: Final = r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$"
_SOURCE: Final = re.compile(SOURCE)


class QuickPush:
    """ASGI middleware in front of the routes; `path` is that of pushes."""

    def __init__(self, app: ASGIApp, *, path: str) -> None:
        self._app = app
        self._path = path
        self._route = SimpleNamespace(path=path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take the records, or pass the request on."""
        source = None
        if scope["type"] == "http" and scope["path"] == self._path and scope["method"] == "POST":
            source = source_of(scope["query_string"])
        if source is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = self._route
        services: Services = scope["app"].state.services
        try:
            services.intake.check_room()
            records = await read_records(Request(scope, receive), services.settings.max_record)
            numbers = await services.intake.append(source, records, None)
        except GroundswellError as error:
            await answer_to(error, self._path)(scope, receive, send)
            return
        first, last = numbers or ("null", "null")
        body = f'{{"received":{len(records)},"first":{first},"last":{last}}}'.encode()
        headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 202, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def source_of(query: bytes) -> str | None:
    """The source that a query string names, if that is all that it says.

    >>> source_of(b""), source_of(b"source=shop"), source_of(b"source=shop&tz=UTC"), source_of(b"source=-")
    ('push', 'shop', None, None)
    """
    if not query:
        return NAME
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    if len(pairs) != 1 or pairs[0][0] != "source" or not _SOURCE.fullmatch(pairs[0][1]):
        return None
    return pairs[0][1]
