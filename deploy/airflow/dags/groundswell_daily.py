"""The daily work of Groundswell as an Airflow DAG: one task a step, each a call of the command line for the date.

Airflow and Groundswell live in environments of their own, so that their dependencies never clash: a task only runs the
program that `GROUNDSWELL_COMMAND` names (default: `groundswell` on the path), and what it works on is said by the
`GROUNDSWELL_…` variables of the worker. Each step may be done again for a date: what it makes takes the place of what
it made before.

`GROUNDSWELL_SINCE=2026-11-01` lets the scheduler catch up from that date on; without it, dates of the past are done by
`airflow backfill create --dag-id groundswell_daily --from-date … --to-date …`.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, chain
from airflow.timetables.interval import CronDataIntervalTimetable

#: In this order; models and reports join here, one line each.
STEPS = (
    "import",
    "upkeep",
    "indexes",
    "baselines",
    "summary",
    "trends",
    "warehouse",
    "prune",
)
#: When the day before is worked on, UTC.
AT = os.environ.get("GROUNDSWELL_DAILY_CRON", "30 3 * * *")
SINCE = os.environ.get("GROUNDSWELL_SINCE", "")

#: Airflow's own Python must not be that of the program.
CALL = (
    'exec env -u PYTHONPATH -u VIRTUAL_ENV "${GROUNDSWELL_COMMAND:-groundswell}"'
    " daily --date {{ ds }} --step %s --again --json"
)

with DAG(
    "groundswell_daily",
    description="New raw files, what is usual, the day's statistics and trends, the warehouse, upkeep",
    # The logical date is the day that is worked on; its run begins when that day is over.
    schedule=CronDataIntervalTimetable(AT, timezone="UTC"),
    start_date=datetime.fromisoformat(SINCE or "2026-01-01").replace(tzinfo=UTC),
    catchup=bool(SINCE),
    max_active_runs=1,
    default_args={
        "retries": 3,
        "retry_delay": timedelta(minutes=5),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(hours=1),
        "execution_timeout": timedelta(hours=12),
    },
    tags=["groundswell"],
    doc_md=__doc__,
) as dag:
    chain(*(BashOperator(task_id=step, bash_command=CALL % step) for step in STEPS))
