"""The documents that `--json` prints, verb by verb. Their JSON Schemas in `docs/schemas` are made from these models.

A field that is absent here is not printed and one that is here is always printed: what is not known is null. Times
are RFC 3339 UTC, fractions 0 to 1, sizes bytes, lengths of time seconds. Fields may be added in a later version; a
field is removed or changes its meaning only with a new major version.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from groundswell.documents.analysis import CodebookDocument, ExportDocument, ProfileDocument
from groundswell.documents.bus import BusDocument, ReplayDocument
from groundswell.documents.collect import CollectYouTubeDocument
from groundswell.documents.lake import (
    ImportDocument,
    LedgerDocument,
    PostsDocument,
    QuarantineListDocument,
    QuarantineRetryDocument,
    QuarantineShowDocument,
    TrendsDocument,
)
from groundswell.documents.layouts import LayoutDocument, LayoutsDocument, PreviewDocument, RemovedLayout
from groundswell.documents.raw import MaintainDocument, RemapDocument
from groundswell.documents.system import (
    ConfigDocument,
    DailyDocument,
    DoctorDocument,
    NewTokenDocument,
    ServeDocument,
    TokenLine,
    TokensDocument,
)
from groundswell.documents.topics import TopicsDocument
from groundswell.documents.warehouse import WarehouseSyncDocument
from groundswell.documents.watch import (
    AlertDocument,
    AlertsDocument,
    DemoDocument,
    DetectDocument,
    RunDocument,
    SimulateDocument,
)
from groundswell.web.alert_models import Precision
from groundswell.web.analysis_models import History
from groundswell.web.backtest_models import Backtest
from groundswell.web.channel_models import Channel, ChannelPreview, Channels, Outbox, OutboxMessage, SentTest
from groundswell.web.drift_models import Drift
from groundswell.web.models import Tracker, Trackers
from groundswell.web.raw_models import RawPost

__all__ = ["DOCUMENTS", "file_of", "schema_of"]

#: The document of each verb, by the words that call it.
DOCUMENTS: Final[Mapping[str, type[BaseModel]]] = {
    "import": ImportDocument,
    "collect youtube": CollectYouTubeDocument,
    "layouts list": LayoutsDocument,
    "layouts show": LayoutDocument,
    "layouts preview": PreviewDocument,
    "layouts save": LayoutDocument,
    "layouts remove": RemovedLayout,
    "posts": PostsDocument,
    "history": History,
    "profile": ProfileDocument,
    "export": ExportDocument,
    "codebook": CodebookDocument,
    "trends": TrendsDocument,
    "config": ConfigDocument,
    "doctor": DoctorDocument,
    "ledger": LedgerDocument,
    "replay": ReplayDocument,
    "bus": BusDocument,
    "quarantine list": QuarantineListDocument,
    "quarantine show": QuarantineShowDocument,
    "quarantine retry": QuarantineRetryDocument,
    "raw": RawPost,
    "remap": RemapDocument,
    "drift": Drift,
    "maintain": MaintainDocument,
    "warehouse sync": WarehouseSyncDocument,
    "backtest": Backtest,
    "daily": DailyDocument,
    "detect": DetectDocument,
    "watch add": Tracker,
    "watch edit": Tracker,
    "watch list": Trackers,
    "watch remove": Tracker,
    "watch run": RunDocument,
    "alerts list": AlertsDocument,
    "alerts show": AlertDocument,
    "alerts ack": AlertDocument,
    "alerts snooze": AlertDocument,
    "alerts comment": AlertDocument,
    "alerts verdict": AlertDocument,
    "alerts report": Precision,
    "topics": TopicsDocument,
    "channels add": Channel,
    "channels list": Channels,
    "channels test": SentTest,
    "channels preview": ChannelPreview,
    "channels remove": Channel,
    "channels pause": Channel,
    "channels resume": Channel,
    "channels outbox": Outbox,
    "channels retry": OutboxMessage,
    "token create": NewTokenDocument,
    "token list": TokensDocument,
    "token revoke": TokenLine,
    "serve": ServeDocument,
    "simulate": SimulateDocument,
    "demo": DemoDocument,
}


def schema_of(verb: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a verb's document."""
    schema = DOCUMENTS[verb].model_json_schema(mode="serialization", by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def file_of(verb: str) -> str:
    """Name of the schema file of a verb.

    >>> file_of("watch add")
    'watch-add.schema.json'
    """
    return f"{verb.replace(' ', '-')}.schema.json"
