"""Judges how old a source is, as `dbt source freshness` does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.statements import ask
from airflow_dataops.core.execution.results import FreshnessResult, Status
from airflow_dataops.core.model import FreshnessSpec, Relation, SourceSpec
from airflow_dataops.core.sql import catalog
from airflow_dataops.core.sql.freshness import answer_of, newest_row
from airflow_dataops.errors import ConfigError, RunError

if TYPE_CHECKING:
    from airflow_dataops.core.model import Node
    from airflow_dataops.core.ports import SqlRunner

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def check_freshness(node: Node, runner: SqlRunner, *, now: datetime) -> FreshnessResult:
    """Compare the age of a source's newest row with its limits.

    Times without a zone are taken as UTC, dates as their midnight in UTC. A row as old as a
    limit is within it. A source without rows, or without a time in any row, is older than any
    limit: it fails where there is an `error_after` and warns where there is only a
    `warn_after`.

    Args:
        node: a node with a `SourceSpec`.
        runner: an open session.
        now: the time to compare with; must know its zone.

    A source without a field or a query goes by its table's last change, where the engine tells.

    Raises:
        ConfigError: the source declares no freshness or none that the engine can tell, or `now`
            has no zone.
        RunError: there is no such table.
    """
    spec, relation = _declared(node)
    if now.tzinfo is None:
        raise ConfigError(f"{node.id}: now={now.isoformat()} has no time zone; pass an aware time.")
    newest = _newest(node, spec, relation, runner)
    if newest is None:
        status = _judge(spec, None)
        message = f"No row of {relation} has a time of loading{_limits(spec, status)}"
        return FreshnessResult(node=node.id, status=status, message=message)
    age = (now - newest) / timedelta(minutes=1)
    status = _judge(spec, age)
    return FreshnessResult(
        node=node.id,
        status=status,
        max_loaded_at=newest,
        age_minutes=age,
        message=f"The newest row is {_duration(age)} old{_limits(spec, status)}",
    )


def _declared(node: Node) -> tuple[FreshnessSpec, Relation]:
    if not isinstance(node.spec, SourceSpec):
        raise ConfigError(f"{node.id} is a {node.kind}, not a source.")
    spec = node.spec.freshness
    if spec is None or node.relation is None:
        raise ConfigError(f"{node.id} declares no freshness; there is nothing to check.")
    return spec, node.relation


def _newest(
    node: Node, spec: FreshnessSpec, relation: Relation, runner: SqlRunner
) -> datetime | None:
    # dbt prefers the query; a table may inherit the field from its source.
    if spec.loaded_at_field is None and spec.loaded_at_query is None:
        return _last_altered(node, relation, runner)
    if spec.loaded_at_query is not None:
        sql = answer_of(spec.loaded_at_query, relation, runner.dialect)
    else:
        assert spec.loaded_at_field is not None  # noqa: S101 - for the type checker
        columns = [column.name for column in catalog.columns_of(runner, relation)]
        sql = newest_row(relation, spec.loaded_at_field, spec.filter, columns, runner.dialect)
    [(seconds,)] = runner.fetch(sql)
    return None if seconds is None else _EPOCH + timedelta(seconds=float(seconds))


def _last_altered(node: Node, relation: Relation, runner: SqlRunner) -> datetime:
    last_altered = get_engine(runner.dialect).models.last_altered
    if last_altered is None:
        raise ConfigError(
            f"{node.id} declares a freshness but neither loaded_at_field nor loaded_at_query, and "
            f"{runner.dialect} does not tell when a table changed last; add one of them in the "
            "source's YAML."
        )
    rows = ask(last_altered(relation), runner)
    if not rows:
        raise RunError(f"{node.id}: there is no table {relation}, or it may not be seen.")
    if rows[0][0] is None:
        raise RunError(
            f"{node.id}: {runner.dialect} does not tell this account when {relation} changed last; "
            "give the account the right to see it, or add loaded_at_field to the source's YAML."
        )
    return _EPOCH + timedelta(seconds=float(rows[0][0]))


def _judge(spec: FreshnessSpec, age: float | None) -> Status:
    def exceeded(limit: float | None) -> bool:
        return limit is not None and (age is None or age > limit)

    if exceeded(spec.error_after_minutes):
        return Status.FAIL
    return Status.WARN if exceeded(spec.warn_after_minutes) else Status.PASS


def _limits(spec: FreshnessSpec, status: Status) -> str:
    if status is Status.FAIL and spec.error_after_minutes is not None:
        return f"; an error after {_duration(spec.error_after_minutes)}"
    if status is Status.WARN and spec.warn_after_minutes is not None:
        return f"; a warning after {_duration(spec.warn_after_minutes)}"
    return ""


def _duration(minutes: float) -> str:
    """Write minutes for a reader: `45 min`, `5 h 30 min`, `2 d 3 h`."""
    sign, whole = ("-" if minutes <= -1 else "", round(abs(minutes)))
    days, rest = divmod(whole, 1440)
    hours, left = divmod(rest, 60)
    parts = ((days, "d"), (hours, "h"), (left, "min"))
    shown = [f"{count} {unit}" for count, unit in parts if count][:2]
    return sign + (" ".join(shown) or "0 min")
