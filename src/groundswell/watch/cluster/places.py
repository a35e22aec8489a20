"""Where the driver and the executors keep what is theirs."""

from __future__ import annotations

import secrets
import tempfile
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from groundswell.bus.kafka_address import KafkaAddress

_NAME: Final = "place.json"


class Place(msgspec.Struct, frozen=True):
    """What the folder of a topic remembers of itself: written before its queries first start."""

    app: str
    """Names the transactions of the lake."""
    base: int
    """The desk's block when it was made: micro-batch 0 is block `base` + 1."""

    @classmethod
    def taken(cls, folder: Path, block: int) -> Place:
        """The place of a folder, which is made where it is not there; `block` is the desk's now."""
        path = folder / _NAME
        if path.exists():
            return msgspec.json.decode(path.read_bytes(), type=cls)
        folder.mkdir(parents=True, exist_ok=True)
        place = cls(f"spark-{secrets.token_hex(6)}", block)
        partial = path.with_suffix(".partial")
        partial.write_bytes(msgspec.json.encode(place))
        partial.replace(path)
        return place


def folder_of(address: KafkaAddress, home: Path) -> Path:
    """Where the queries of a topic keep where they are."""
    name = sha256(f"{','.join(sorted(address.servers))}/{address.topic}".encode()).hexdigest()[:12]
    return home.absolute() / "spark" / f"{address.topic}-{name}"


@cache
def home_here(home: str) -> Path:
    """The driver's home where that is on this machine, else a folder of this process: without saved mappings."""
    found = Path(home)
    return found if found.is_dir() else Path(tempfile.mkdtemp(prefix="groundswell-"))
