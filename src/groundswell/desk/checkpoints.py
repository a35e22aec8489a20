"""Checkpoints and plans: where each reader of the journal is, and what it is about to do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.orm import Session

from groundswell.desk.clock import wall_us
from groundswell.desk.tables import CheckpointRow, PlanRow, RosterRow
from groundswell.desk.upsert import upsert

#: Done for every batch: made once, and past the mapper.
_ROSTER = select(RosterRow.__table__.c.id).where(RosterRow.__table__.c.id == bindparam("roster"))
_PLAN = insert(PlanRow.metadata.tables[PlanRow.__tablename__])


def get(session: Session, name: str) -> CheckpointRow | None:
    """The checkpoint of a reader (`watch`, `lake`); null if it has none yet."""
    return session.get(CheckpointRow, name)


def put(
    session: Session,
    name: str,
    *,
    block: int,
    batch: int,
    generation: int = 0,
    watermark_us: int | None = None,
    now_us: int | None = None,
) -> None:
    """Record that a reader has done everything up to `block`, in batches up to `batch`."""
    row = {
        "name": name,
        "block": block,
        "batch": batch,
        "generation": generation,
        "watermark": watermark_us,
        "at": wall_us() if now_us is None else now_us,
    }
    upsert(session, CheckpointRow, [row])


def plan(
    session: Session,
    number: int,
    *,
    first_block: int,
    last_block: int,
    clock_us: int,
    trackers: Sequence[tuple[str, int]],
    covered: Sequence[tuple[int, int]] | None = None,
    roster: str | None = None,
) -> None:
    """Record a batch before it is done. `roster` is `roster_of(trackers)`, where the caller has it already."""
    roster = roster_of(trackers) if roster is None else roster
    connection = session.connection()
    if connection.execute(_ROSTER, {"roster": roster}).scalar() is None:
        session.execute(insert(RosterRow).values(id=roster, trackers=[list(tracker) for tracker in trackers]))
    row = {
        "number": number,
        "first_block": first_block,
        "last_block": last_block,
        "clock": clock_us,
        "roster": roster,
        "covered": None if covered is None else [list(interval) for interval in covered],
    }
    connection.execute(_PLAN, row)


def roster_of(trackers: Sequence[tuple[str, int]]) -> str:
    """The id of these trackers (id and version of each), in this order."""
    said = json.dumps([list(tracker) for tracker in trackers], separators=(",", ":"))
    return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()


def plans_after(session: Session, number: int) -> list[PlanRow]:
    """The plans with a greater number, in order: begun, and not in a checkpoint yet."""
    return list(session.scalars(select(PlanRow).where(PlanRow.number > number).order_by(PlanRow.number)))


def drop_plans_after(session: Session, number: int) -> None:
    """Remove the plans with a greater number: what they say is planned anew."""
    session.execute(delete(PlanRow).where(PlanRow.number > number))


def drop_plans(session: Session, number: int) -> None:
    """Remove the plans up to `number`: a checkpoint covers them. The trackers of the last one are likely to be next."""
    needed = select(PlanRow.roster).where(PlanRow.number >= number)
    session.execute(delete(PlanRow).where(PlanRow.number < number))
    session.execute(delete(RosterRow).where(RosterRow.id.not_in(needed)))
    session.execute(delete(PlanRow).where(PlanRow.number == number))
