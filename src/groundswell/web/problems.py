"""Errors as problem documents (RFC 9457): what went wrong, where, and what to do; never a traceback."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from groundswell.errors import GroundswellError, QuerySyntaxError
from groundswell.web.models import Problem

log = logging.getLogger("groundswell.web")
MEDIA_TYPE: Final = "application/problem+json"


class BusyError(GroundswellError):
    """More comes in than can be worked off; try again after `retry_s` seconds (HTTP 429)."""

    status = 429

    def __init__(self, what: str, *, retry_s: int) -> None:
        super().__init__(what, hint=f"send again in {retry_s} seconds", fields={"retry_s": retry_s})
        self.retry_s = retry_s


class TooLargeError(GroundswellError):
    """A request is larger than the server takes (HTTP 413)."""

    status = 413


class GoneError(GroundswellError):
    """What is asked for was there and is not kept any more (HTTP 410)."""

    status = 410


def problem_response(
    status: int,
    detail: str | None = None,
    *,
    instance: str | None = None,
    hint: str | None = None,
    errors: list[dict[str, object]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """A problem document as an answer."""
    problem = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, instance=instance, hint=hint, errors=errors
    )
    return JSONResponse(
        problem.model_dump(mode="json", exclude_none=True), status, headers=headers, media_type=MEDIA_TYPE
    )


async def _expected(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, GroundswellError):
        raise error
    return answer_to(error, request.url.path)


def answer_to(error: GroundswellError, path: str) -> JSONResponse:
    """What is said of an error to the one that asked for `path`."""
    detail = error.what if error.where is None else f"{error.what}: {error.where}"
    headers = {"Retry-After": str(error.retry_s)} if isinstance(error, BusyError) else None
    # The page shows the place in the query itself.
    errors = [error.fields] if isinstance(error, QuerySyntaxError) else None
    return problem_response(error.status, detail, instance=path, hint=error.hint, errors=errors, headers=headers)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    errors: list[dict[str, object]] = [
        {"where": ".".join(str(part) for part in each["loc"]), "what": each["msg"]} for each in error.errors()
    ]
    detail = "; ".join(f"{each['where']}: {each['what']}" for each in errors)
    hint = "see /api/v1/docs for what is accepted"
    return problem_response(422, detail, instance=request.url.path, hint=hint, errors=errors)


async def _http(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    detail: Any = error.detail
    if detail == HTTPStatus(error.status_code).phrase:
        detail = f"nothing at {request.url.path}" if error.status_code == 404 else None
    return problem_response(error.status_code, detail, instance=request.url.path, headers=error.headers)


class UnexpectedErrors:
    """ASGI middleware: what nobody expected is logged once and answered without a word about the code."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer 500 when that fails before an answer has begun."""
        begun = False

        async def note(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, note)
        except Exception as error:
            if scope["type"] != "http":
                raise
            log.exception("%s %s failed", scope["method"], scope["path"])
            if begun:
                return  # the connection is cut, so the client knows that this is not all
            detail = f"an unexpected {type(error).__name__}; the server's log has the details"
            response = problem_response(500, detail, instance=scope["path"], hint="please report it")
            await response(scope, receive, send)


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of `app` with a problem document."""
    app.add_exception_handler(GroundswellError, _expected)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_middleware(UnexpectedErrors)
