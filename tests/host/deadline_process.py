"""Makes runs of a DAG with many SLAs in a metadata database of its own; prints what it finds.

Usage: deadline_process.py NUMBER_OF_TASKS, with AIRFLOW_HOME set to an empty folder.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

logging.disable(logging.WARNING)

DUES: list[dict[str, Any]] = [
    {"by": "07:00", "timezone": "Europe/Berlin", "days": "workdays"},
    {"by": "09:30", "timezone": "Europe/Berlin"},
    {"by": "07:00", "timezone": "Asia/Tokyo", "tier": "critical"},
    {"after_interval": "2h"},
    {"after_interval": "3h", "run_types": ["scheduled", "backfill"]},
    {"after_run_start": "1h"},
    {"within": "30m"},
]
FRIDAY = datetime(2026, 11, 20, tzinfo=UTC)


def build(count: int) -> Any:
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG

    from airflow_dataops import set_sla

    with DAG("many", schedule="@daily", start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
        tasks = [EmptyOperator(task_id=f"t{number:05}") for number in range(count)]
        for number, task in enumerate(tasks):
            set_sla(task, **DUES[number % len(DUES)])
    return dag


def serialize(dag: Any) -> Any:
    """Write a DAG as the dag-processor does; return the scheduler's view and its versions."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.models.dag_version import DagVersion
    from airflow.models.dagbag import DBDagBag
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.serialization.definitions.dag import SerializedDAG
    from airflow.serialization.serialized_objects import LazyDeserializedDAG
    from airflow.utils.session import create_session
    from sqlalchemy import func, select

    with create_session() as session:
        DagBundlesManager().sync_bundles_to_db(session=session)
    with create_session() as session:
        lazy = LazyDeserializedDAG.from_dag(dag)
        SerializedDAG.bulk_write_to_db("dags-folder", None, [lazy], session=session)
        SerializedDagModel.write_dag(lazy, "dags-folder", session=session)
    with create_session() as session:
        versions = session.scalar(select(func.count()).select_from(DagVersion))
        return DBDagBag().get_latest_version_of_dag("many", session=session), versions


def make_run(dag: Any, run_type: str, end: datetime) -> list[str]:
    """Make a run as the scheduler does; return the times of its deadlines."""
    from airflow.models.deadline import Deadline
    from airflow.timetables.base import DataInterval
    from airflow.utils.session import create_session
    from airflow.utils.types import DagRunTriggeredByType, DagRunType
    from sqlalchemy import select

    with create_session() as session:
        logical = None if run_type == "asset_triggered" else end - timedelta(days=1)
        run = dag.create_dagrun(
            run_id=f"{run_type}_{end:%Y%m%d}",
            logical_date=logical,
            data_interval=None if logical is None else DataInterval(logical, end),
            run_after=end,
            run_type=DagRunType(run_type),
            triggered_by=DagRunTriggeredByType.TIMETABLE,
            state="queued",
            session=session,
        )
        session.flush()
        times = session.scalars(select(Deadline.deadline_time).where(Deadline.dagrun_id == run.id))
        return sorted(at.astimezone(UTC).isoformat() for at in times)


def main(count: int) -> None:
    from airflow.utils.db import initdb

    initdb()
    found: dict[str, Any] = {}
    began = time.perf_counter()
    dag = build(count)
    found["build_seconds"] = time.perf_counter() - began
    began = time.perf_counter()
    stored, _ = serialize(dag)
    found["store_seconds"] = time.perf_counter() - began
    began = time.perf_counter()
    found["scheduled"] = make_run(stored, "scheduled", FRIDAY)
    found["run_seconds"] = time.perf_counter() - began
    found["saturday"] = make_run(stored, "scheduled", FRIDAY + timedelta(days=1))
    for week, run_type in enumerate(("manual", "backfill", "asset_triggered"), 1):
        found[run_type] = make_run(stored, run_type, FRIDAY + timedelta(weeks=week))
    _, found["versions"] = serialize(build(count))
    found["alerts"] = _alerts()
    sys.stdout.write(json.dumps(found) + "\n")


def _alerts() -> int:
    from airflow.models.deadline_alert import DeadlineAlert
    from airflow.utils.session import create_session
    from sqlalchemy import func, select

    with create_session() as session:
        return int(session.scalar(select(func.count()).select_from(DeadlineAlert)) or 0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
