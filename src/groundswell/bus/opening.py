"""Opening the bus that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundswell.bus.contract import Bus, Connected
from groundswell.bus.journal import Journal
from groundswell.bus.kafka_address import is_kafka, read_address
from groundswell.desk import bus_index, open_desk
from groundswell.errors import ConflictError

if TYPE_CHECKING:
    from groundswell.desk import Desk
    from groundswell.settings import Settings


def open_bus(settings: Settings, desk: Desk | None = None) -> Bus:
    """The bus of the settings; `desk` is the open desk of this process, where it has one.

    Raises:
        UnavailableError: it cannot be opened.
        ConflictError: the records of this home are in another bus.
    """
    if is_kafka(settings.bus):
        return _kafka(settings, desk)
    if desk is not None:
        _check_journal(settings, desk)
    return Journal(settings.journal_path)


def connections_of(settings: Settings, desk: Desk) -> list[Connected]:
    """When sources were connected, of all time, without opening the bus to read or write records.

    Raises:
        UnavailableError: it cannot be read.
    """
    if is_kafka(settings.bus):
        with desk.reading() as session:
            return [Connected(*found) for found in bus_index.connections(session, 0)]
    if not settings.journal_path.exists():
        return []
    with Journal(settings.journal_path) as journal:
        return journal.connections()


def _kafka(settings: Settings, desk: Desk | None) -> Bus:
    from groundswell.bus.avro import decoder_for  # noqa: PLC0415 - what only Kafka needs
    from groundswell.bus.kafka import KafkaBus  # noqa: PLC0415 - an extra

    address = read_address(settings.bus)
    found = open_desk(settings) if desk is None else desk
    try:
        _begin(settings, found)
        decode = decoder_for(address, settings)
        return KafkaBus(address, found, max_record=settings.max_record, decode=decode, own_desk=desk is None)
    except BaseException:
        if desk is None:
            found.close()
        raise


def _begin(settings: Settings, desk: Desk) -> None:
    """Let numbers go on behind those of the journal, once its records are done by all readers."""
    with desk.reading() as session:
        if bus_index.numbers(session) is not None:
            return
        least, most = bus_index.least_done(session)
    blocks = records = 0
    if settings.journal_path.exists():
        with Journal(settings.journal_path) as journal:
            blocks, records = journal.last_block(), journal.next_record()
    if blocks > least:
        what = f"{blocks - least:,} blocks of the journal are not in the lake yet"
        hint = "let `groundswell watch run --source journal` take them in with GROUNDSWELL_BUS=journal first"
        raise ConflictError(what, where=settings.journal_path, hint=hint)
    with desk.session() as session:
        bus_index.begin(session, max(blocks, most) + 1, records)


def _check_journal(settings: Settings, desk: Desk) -> None:
    with desk.reading() as session:
        if bus_index.numbers(session) is None:
            return
    what = "the records of this home come by Kafka"
    hint = "set GROUNDSWELL_BUS as before, or use another home; numbers of the journal would begin before what is done"
    raise ConflictError(what, where=desk.where, hint=hint)
