"""Rows of runs and their tries: plain columns, on a connection of our own."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_dataops.core.metrics.run_end import RunRow, TryRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.metrics.run_end import RunEnd

Key = tuple[str, str]

_RUN_COLUMNS = ("dag_id", "run_id", "state", "queued_at", "end_date", "updated_at")
_TRY_COLUMNS = (
    *("dag_id", "run_id", "task_id", "map_index", "try_number", "state"),
    *("queued_dttm", "start_date", "end_date", "updated_at"),
)


class Rows(NamedTuple):
    """Rows by DAG id and run id."""

    runs: dict[Key, RunRow]
    tries: dict[Key, list[TryRow]]


def read_rows(runs: Sequence[RunEnd]) -> Rows:
    """Read what is committed about some runs.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database does not answer.
    """
    from airflow.settings import get_engine

    keys = {(run.dag_id, run.run_id) for run in runs}
    # A few rows too many where DAGs share run ids; in return the statements are always the same.
    among = {"dags": sorted({key[0] for key in keys}), "runs": sorted({key[1] for key in keys})}
    of_runs, of_tries = _statements()
    tries: defaultdict[Key, list[TryRow]] = defaultdict(list)
    with get_engine().connect() as connection:
        found = [RunRow._make(row) for row in connection.execute(of_runs, among)]
        for statement, archived in of_tries:
            for dag_id, run_id, *values in connection.execute(statement, among):
                tries[dag_id, run_id].append(TryRow._make((*values, archived)))
    return Rows({(row.dag_id, row.run_id): row for row in found}, dict(tries))


@cache
def _statements() -> tuple[Any, tuple[tuple[Any, bool], ...]]:
    """Return the queries for runs, and those for tries, the second one for archived ones."""
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from airflow.models.taskinstancehistory import TaskInstanceHistory

    tries = (TaskInstance, False), (TaskInstanceHistory, True)
    return (
        _select(DagRun, _RUN_COLUMNS),
        tuple((_select(table, _TRY_COLUMNS), archived) for table, archived in tries),
    )


def _select(model: Any, names: tuple[str, ...]) -> Any:
    from sqlalchemy import bindparam, select

    columns = model.__table__.c
    return select(*(columns[name] for name in names)).where(
        columns.dag_id.in_(bindparam("dags", expanding=True)),
        columns.run_id.in_(bindparam("runs", expanding=True)),
    )
