"""Builds some days of an incremental model anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.engines.identifiers import resolve_all
from airflow_dataops.core.model import ModelSpec
from airflow_dataops.core.sql import catalog
from airflow_dataops.core.sql.days import within

if TYPE_CHECKING:
    from airflow_dataops.core.execution.requests import DateRange
    from airflow_dataops.core.model import Node, Relation
    from airflow_dataops.core.ports import SqlRunner


def event_time(node: Node) -> str | None:
    """Return the column with the time of a model's rows: dbt's `event_time`, or `meta`'s."""
    found = node.config.get("event_time") or node.meta.get("event_time")
    return found if isinstance(found, str) else None


def ignores_days(node: Node) -> bool:
    """Tell whether a range of days means nothing to a model that adds rows."""
    spec = node.spec
    adds = isinstance(spec, ModelSpec) and spec.materialized == "incremental"
    return adds and event_time(node) is None


def rebuild_days(
    node: Node, relation: Relation, sql: str, days: DateRange, runner: SqlRunner
) -> int | None:
    """Put the query's rows of some days in the place of the table's; return the rows written.

    Must run inside a transaction.

    Args:
        sql: the model's query for a full build: the one for an incremental build would leave
            out what the table has already.

    Raises:
        RunError: the table lacks the column, or it holds no times.
    """
    columns = catalog.columns_of(runner, relation)
    names = [column.name for column in columns]
    wanted = event_time(node) or ""
    (name,) = resolve_all([wanted], names, what="event_time", where=str(relation))
    column = columns[names.index(name)]
    condition = within(column, days.begin, days.end, runner.dialect)
    # Only runs that ask for days need it.
    from airflow_dataops.core.execution.incremental import replace_rows

    return replace_rows(node, relation, sql, condition, runner)
