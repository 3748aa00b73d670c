"""Batches that failed their audit: kept beside the target under a name that tells when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.relations import RelationKind, rename
from airflow_dataops.core.engines.statements import ask
from airflow_dataops.core.loads.stage import drop_staging
from airflow_dataops.core.sql import staging
from airflow_dataops.core.sql.tables import read_table

if TYPE_CHECKING:
    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.ports import SqlRunner


def keep_rejected(
    target: Relation, batch: Relation, at: datetime, runner: SqlRunner
) -> Relation | None:
    """Give a staged batch the name of a rejected one; None where it is gone.

    Args:
        at: when it was rejected, aware.
    """
    if read_table(runner, batch) is None:
        return None
    # Two that are rejected within one second get different names.
    seconds = int(at.timestamp())
    while True:
        name = f"{_prefix(target, runner)}{seconds:08x}"
        kept = staging.staging_table(target, name, get_engine(runner.dialect), session=False)
        if read_table(runner, kept) is None:
            break
        seconds += 1
    runner.execute(rename(batch, name, RelationKind.TABLE, runner.dialect))
    return kept


def drop_rejected(target: Relation, before: datetime, runner: SqlRunner) -> tuple[str, ...]:
    """Drop the batches of a target that were rejected before; return their names."""
    old = tuple(name for name, at in rejected(target, runner) if at < before)
    engine = get_engine(runner.dialect)
    for name in old:
        drop_staging(staging.staging_table(target, name, engine, session=False), runner)
    return old


def rejected(target: Relation, runner: SqlRunner) -> tuple[tuple[str, datetime], ...]:
    """Return the names of a target's rejected batches and when they were, oldest first."""
    prefix, engine = _prefix(target, runner), get_engine(runner.dialect)
    names = [name for (name,) in ask(staging.leftovers(target, prefix, engine), runner)]
    found = [(name, _time(name.removeprefix(prefix))) for name in names]
    return tuple(sorted(found, key=lambda each: each[1]))


def _prefix(target: Relation, runner: SqlRunner) -> str:
    return staging.staging_prefix(target, "rejected", get_engine(runner.dialect))


def _time(suffix: str) -> datetime:
    return datetime.fromtimestamp(int(suffix, 16), UTC)
