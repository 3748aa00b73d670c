"""Rows of runs and their tries: plain columns, on a connection of our own."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_dataops.core.pipelines.names import VERBS
from airflow_dataops.core.runs import DagInfo, ReturnedRow, RunRow, RunRows, TryRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

Key = tuple[str, str]
"""A DAG id and a run id."""

_RETURNING = (
    *("DbtBuildOperator", "FreshnessOperator", "FusedOperator", "DbtTestOperator"),
    # As they were called in the runs of the last release.
    *("BuildOperator", "TestOperator"),
    *(f"{verb}Operator" for verb in VERBS.values()),
    "TransferOperator",
)
"""Operators that return what they wrote and judged; a test compares them with the package's."""
_RETURNED_AS = ("return_value", "verdicts", "results")
_TRY = (
    *("task_id", "map_index", "try_number", "state", "operator"),
    *("queued_dttm", "start_date", "end_date", "updated_at"),
)


def read_runs(keys: Iterable[Key], *, whole: bool = True) -> dict[Key, RunRows]:
    """Read what is committed about some runs; those that were deleted are left out.

    Args:
        whole: also what the tasks returned, owners and tags; otherwise runs and tries alone.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database does not answer.
    """
    from airflow.settings import get_engine

    wanted = set(keys)
    # A few rows too many where DAGs share run ids; in return the statements are always the same.
    among = {"dags": sorted({key[0] for key in wanted}), "runs": sorted({key[1] for key in wanted})}
    ask = _statements()
    tries: defaultdict[Key, list[TryRow]] = defaultdict(list)
    returned: defaultdict[Key, list[ReturnedRow]] = defaultdict(list)
    about: Mapping[str, DagInfo] = {}
    with get_engine().connect() as connection:
        runs = [RunRow._make(row) for row in connection.execute(ask.runs, among)]
        for statement, archived in ask.tries:
            for dag_id, run_id, *values in connection.execute(statement, among):
                tries[dag_id, run_id].append(TryRow._make((*values, archived)))
        if whole:
            for dag_id, run_id, *values in connection.execute(ask.returned, among):
                returned[dag_id, run_id].append(ReturnedRow._make(values))
            about = _about(connection, among["dags"])
    found = [run for run in runs if (run.dag_id, run.run_id) in wanted]
    return {
        (key := (run.dag_id, run.run_id)): RunRows(
            run, tries[key], returned[key], about.get(run.dag_id, DagInfo())
        )
        for run in found
    }


def _about(connection: Any, dags: list[str]) -> dict[str, DagInfo]:
    ask = _statements()
    owners = {row[0]: row[1] for row in connection.execute(ask.owners, {"dags": dags})}
    tags: defaultdict[str, list[str]] = defaultdict(list)
    for dag_id, name in connection.execute(ask.tags, {"dags": dags}):
        tags[dag_id].append(name)
    return {each: DagInfo(owners.get(each), tuple(sorted(tags[each]))) for each in dags}


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
    """Queries with the bound lists `dags` and `runs`; of tries, the second is of archived ones."""

    runs: Any
    tries: Sequence[tuple[Any, bool]]
    returned: Any
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
        runs=_of_runs(DagRun, RunRow._fields),
        tries=[
            (_of_runs(table, ("dag_id", "run_id", *_TRY)), archived)
            for table, archived in ((TaskInstance, False), (TaskInstanceHistory, True))
        ],
        returned=_returned(),
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


def _returned() -> Any:
    from airflow.models.taskinstance import TaskInstance
    from airflow.models.xcom import XComModel
    from sqlalchemy import and_

    names = ("dag_id", "run_id", "task_id", "map_index", "value")
    xcoms, tasks = XComModel.__table__.c, TaskInstance.__table__.c
    same = and_(*(xcoms[name] == tasks[name] for name in names[:4]))
    return (
        _of_runs(XComModel, names)
        .join(TaskInstance.__table__, same)
        .where(tasks.operator.in_(_RETURNING), xcoms.key.in_(_RETURNED_AS))
    )
