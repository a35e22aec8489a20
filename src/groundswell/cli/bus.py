"""`groundswell bus`: what the bus holds, and how far it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from groundswell.cli.app import Json, app, emit, messages, output

if TYPE_CHECKING:
    from groundswell.settings import Settings


@app.command()
def bus(*, as_json: Json = False) -> None:
    """Show how far the watch, the lake and each partition of Kafka are behind."""
    from groundswell.settings import current_settings

    document = _document(current_settings())
    if as_json:
        emit(document)
    else:
        _show(document)


def _document(settings: Settings) -> dict[str, Any]:
    from groundswell.bus import open_bus
    from groundswell.bus.kafka_address import is_kafka, read_address
    from groundswell.bus.lag import read_lag
    from groundswell.desk import checkpoints, open_desk
    from groundswell.desk.clock import wall_us
    from groundswell.web.state import partition_status

    with open_desk(settings) as desk, open_bus(settings, desk) as found, desk.reading() as session:
        last = found.last_block()
        marks = {name: checkpoints.get(session, name) for name in ("watch", "lake")}
        behind = {name: last if mark is None else max(0, last - mark.block) for name, mark in marks.items()}
        return {
            "bus": read_address(settings.bus).where if is_kafka(settings.bus) else settings.bus,
            "blocks": last,
            "records": found.next_record(),
            "watch_behind": behind["watch"],
            "lake_behind": behind["lake"],
            "partitions": [
                partition_status(lag, wall_us()).model_dump(mode="json") for lag in read_lag(session, wall_us())
            ],
        }


def _show(document: dict[str, Any]) -> None:
    from rich.table import Table

    behind = f"the watch is {document['watch_behind']:,} blocks behind, the lake {document['lake_behind']:,}"
    output.print(f"{document['bus']}: {document['records']:,} records in {document['blocks']:,} blocks; {behind}")
    if not document["partitions"]:
        return
    names = ("reader", "topic", "partition", "read to", "end", "behind", "late", "read by")
    table = Table(*names, box=None, pad_edge=False, header_style="bold")
    for each in document["partitions"]:
        late = "" if each["late_s"] is None else f"{each['late_s']:,.0f} s"
        numbers = (f"{each[name]:,}" for name in ("next_offset", "end_offset", "behind"))
        table.add_row(
            each["consumer"],
            each["topic"],
            str(each["partition"]),
            *numbers,
            late,
            each["owner"] if each["reading"] else "–",
        )
        if each["lost"]:
            messages.print(
                f"Kafka removed {each['lost']:,} messages of partition {each['partition']} before they were read:"
                " keep them for longer (retention.ms)",
                style="yellow",
            )
    output.print(table)
