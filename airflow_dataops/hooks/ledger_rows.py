"""Rows of runs, for the ledger: plain columns, on a connection of our own."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_dataops.core.ledger.ended import About, RunRow, Told, TryRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

Key = tuple[str, str]

_TELLING = (
    *("BuildOperator", "FreshnessOperator", "FusedOperator", "TestOperator"),
    *("AppendOperator", "ApplyChangesOperator", "HistoryOperator", "IncrementOperator"),
    *("LoadPartitionOperator", "MergeOperator", "ReplaceOperator", "TransferOperator"),
)
"""Operators that return what they wrote and judged; a test compares them with the package's."""
_TOLD_AS = ("return_value", "verdicts", "results")
_RUN = (
    *("dag_id", "run_id", "run_type", "state", "logical_date", "data_interval_end"),
    *("queued_at", "start_date", "end_date"),
)
_TRY = (
    *("task_id", "map_index", "try_number", "state", "operator"),
    *("queued_dttm", "start_date", "end_date", "updated_at"),
)


class RunRows(NamedTuple):
    """All that is committed about one run."""

    run: RunRow
    tries: list[TryRow]
    told: list[Told]
    about: About


def read_runs(keys: Iterable[Key]) -> list[RunRows]:
    """Read what is committed about some runs; those that were deleted are left out.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database does not answer.
    """
    from airflow.settings import get_engine

    wanted = set(keys)
    # A few rows too many where DAGs share run ids; in return the statements are always the same.
    among = {"dags": sorted({key[0] for key in wanted}), "runs": sorted({key[1] for key in wanted})}
    ask = _statements()
    tries: defaultdict[Key, list[TryRow]] = defaultdict(list)
    told: defaultdict[Key, list[Told]] = defaultdict(list)
    with get_engine().connect() as connection:
        runs = [RunRow._make(row) for row in connection.execute(ask.runs, among)]
        for statement, archived in ask.tries:
            for dag_id, run_id, *values in connection.execute(statement, among):
                tries[dag_id, run_id].append(TryRow._make((*values, archived)))
        for dag_id, run_id, *values in connection.execute(ask.told, among):
            told[dag_id, run_id].append(Told._make(values))
        owners = {row[0]: row[1] for row in connection.execute(ask.owners, {"dags": among["dags"]})}
        tags: defaultdict[str, list[str]] = defaultdict(list)
        for dag_id, name in connection.execute(ask.tags, {"dags": among["dags"]}):
            tags[dag_id].append(name)
    return [
        RunRows(
            run,
            tries[run.dag_id, run.run_id],
            told[run.dag_id, run.run_id],
            About(owner=owners.get(run.dag_id), tags=tuple(sorted(tags[run.dag_id]))),
        )
        for run in runs
        if (run.dag_id, run.run_id) in wanted
    ]


def ended_since(since: datetime, limit: int) -> list[tuple[str, str, datetime]]:
    """Return the runs that ended since a time and when, the earliest first.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database does not answer.
    """
    from airflow.models.dagrun import DagRun
    from airflow.settings import get_engine
    from sqlalchemy import select

    of = DagRun.__table__.c
    query = (
        select(of.dag_id, of.run_id, of.end_date)
        .where(of.end_date >= since, of.state.in_(("success", "failed")))
        .order_by(of.end_date)
        .limit(limit)
    )
    with get_engine().connect() as connection:
        return [(row[0], row[1], row[2]) for row in connection.execute(query)]


class _Statements(NamedTuple):
    """Queries with the bound lists `dags` and `runs`."""

    runs: Any
    tries: Sequence[tuple[Any, bool]]
    told: Any
    owners: Any
    tags: Any


@cache
def _statements() -> _Statements:
    from airflow.models.dag import DagModel, DagTag
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from airflow.models.taskinstancehistory import TaskInstanceHistory
    from sqlalchemy import bindparam, select

    dags: Any = bindparam("dags", expanding=True)
    owners, tags = DagModel.__table__.c, DagTag.__table__.c
    return _Statements(
        runs=_of_runs(DagRun, _RUN),
        tries=[
            (_of_runs(table, ("dag_id", "run_id", *_TRY)), archived)
            for table, archived in ((TaskInstance, False), (TaskInstanceHistory, True))
        ],
        told=_told(),
        owners=select(owners.dag_id, owners.owners).where(owners.dag_id.in_(dags)),
        tags=select(tags.dag_id, tags.name).where(tags.dag_id.in_(dags)),
    )


def _of_runs(model: Any, names: Sequence[str]) -> Any:
    from sqlalchemy import bindparam, select

    columns = model.__table__.c
    return select(*(columns[name] for name in names)).where(
        columns.dag_id.in_(bindparam("dags", expanding=True)),
        columns.run_id.in_(bindparam("runs", expanding=True)),
    )


def _told() -> Any:
    from airflow.models.taskinstance import TaskInstance
    from airflow.models.xcom import XComModel
    from sqlalchemy import and_

    names = ("dag_id", "run_id", "task_id", "map_index", "value")
    xcoms, tasks = XComModel.__table__.c, TaskInstance.__table__.c
    same = and_(*(xcoms[name] == tasks[name] for name in names[:4]))
    return (
        _of_runs(XComModel, names)
        .join(TaskInstance.__table__, same)
        .where(tasks.operator.in_(_TELLING), xcoms.key.in_(_TOLD_AS))
    )
