"""The OpenAPI document: what FastAPI derives, with problem documents, examples and the token added."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from groundswell import __version__
from groundswell.web.backtest_examples import BACKTEST_EXAMPLES
from groundswell.web.channel_examples import CHANNEL_EXAMPLES
from groundswell.web.data_examples import DATA_EXAMPLES
from groundswell.web.day_models import DAY_EXAMPLES
from groundswell.web.examples import EXAMPLES
from groundswell.web.models import Problem
from groundswell.web.query_models import QUERY_EXAMPLES
from groundswell.web.topic_models import TOPIC_EXAMPLES

DESCRIPTION: Final = """\
Push raw posts, watch queries, read alerts with their evidence, and search what was stored.

Times are RFC 3339 UTC. A value that is not known is `null`, never 0. Fractions are 0 to 1, not percent.
Errors are problem documents (RFC 9457). From this machine no token is needed; from any other send
`Authorization: Bearer TOKEN` (made by `groundswell token create`).

`/api/v1/live` is a WebSocket: connect with `?after=SEQ` (and `&token=` from another machine) to get every `Change`
after that number and then each as it happens. It closes with code 4008 when a client is too slow (connect again with
the last number), and 4009 when the changes after SEQ are not kept any more (load everything anew first).
"""
TAGS: Final = [
    {"name": "records", "description": "Raw records pushed by other programs."},
    {"name": "imports", "description": "Files that are uploaded, and how they are read."},
    {"name": "posts", "description": "Search over what was stored."},
    {"name": "queries", "description": "The query language: what a query means, and where it is wrong."},
    {"name": "trackers", "description": "Queries that are watched, and their series."},
    {"name": "alerts", "description": "What is or was unusual, and why."},
    {"name": "topics", "description": "What people start to talk about, whether a tracker asks for it or not."},
    {"name": "days", "description": "What is worked out once a day: statistics, and what rose."},
    {"name": "channels", "description": "Where people are told of alerts, and what they are told."},
    {"name": "live", "description": "Changes as they happen."},
    {"name": "accounts", "description": "What came in and what was set aside."},
    {"name": "state", "description": "Whether and how far everything works."},
]
_PROBLEM: Final = {
    "description": "What went wrong, where, and what to do.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def operation_id(route: APIRoute) -> str:
    """The function's name in camel case, as generated clients like it."""
    head, *rest = route.name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def document_of(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of `app`."""
    document = get_openapi(
        title="Groundswell",
        version=__version__,
        summary="Notice what people start to talk about, and see who and what is behind it.",
        description=DESCRIPTION,
        routes=app.routes,
        tags=TAGS,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    schemas: dict[str, Any] = document["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    for name, example in (
        EXAMPLES | DATA_EXAMPLES | CHANNEL_EXAMPLES | QUERY_EXAMPLES | BACKTEST_EXAMPLES | TOPIC_EXAMPLES | DAY_EXAMPLES
    ).items():
        schemas[name]["examples"] = [example]
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    document["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "Only needed from another machine."}
    }
    document["security"] = [{}, {"token": []}]
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = _PROBLEM
    return document
