"""Rows of runs and their tries: plain columns, in a session of our own."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_dataops.core.metrics.run_end import RunRow, TryRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement

    from airflow_dataops.core.metrics.run_end import RunEnd

Key = tuple[str, str]


class Rows(NamedTuple):
    """Rows by DAG id and run id."""

    runs: dict[Key, RunRow]
    tries: dict[Key, list[TryRow]]


def read_rows(runs: Sequence[RunEnd]) -> Rows:
    """Read what is committed about some runs."""
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from airflow.models.taskinstancehistory import TaskInstanceHistory
    from airflow.utils.session import create_session
    from sqlalchemy import select

    keys = [(run.dag_id, run.run_id) for run in runs]
    with create_session() as session:
        found = session.execute(select(*_run_columns(DagRun)).where(_among(DagRun, keys)))
        rows = {(row[0], row[1]): RunRow._make(row) for row in found}
        tries: defaultdict[Key, list[TryRow]] = defaultdict(list)
        for table, archived in ((TaskInstance, False), (TaskInstanceHistory, True)):
            statement = select(*_try_columns(table)).where(_among(table, keys))
            for dag_id, run_id, *values in session.execute(statement):
                tries[dag_id, run_id].append(TryRow._make((*values, archived)))
    return Rows(rows, dict(tries))


def _run_columns(table: Any) -> list[Any]:
    names = ("dag_id", "run_id", "state", "queued_at", "end_date", "updated_at")
    return [getattr(table, name) for name in names]


def _try_columns(table: Any) -> list[Any]:
    names = ("dag_id", "run_id", "task_id", "map_index", "try_number", "state", "queued_dttm")
    return [getattr(table, name) for name in (*names, "start_date", "end_date", "updated_at")]


def _among(table: Any, keys: Iterable[Key]) -> ColumnElement[bool]:
    """Return the condition for some runs; a list of run ids per DAG is quick everywhere."""
    from sqlalchemy import and_, or_

    by_dag: defaultdict[str, list[str]] = defaultdict(list)
    for dag_id, run_id in keys:
        by_dag[dag_id].append(run_id)
    return or_(
        *(and_(table.dag_id == dag_id, table.run_id.in_(ids)) for dag_id, ids in by_dag.items())
    )
