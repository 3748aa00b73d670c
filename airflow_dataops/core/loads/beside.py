"""Tables beside a target that a run fills, checks and publishes from, in tasks of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.relations import render
from airflow_dataops.core.engines.statements import ask
from airflow_dataops.core.loads.stage import drop_staging
from airflow_dataops.core.sql import staging

if TYPE_CHECKING:
    from airflow_dataops.core.loads.sources import Source
    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.ports import SqlRunner


def stage_beside(
    target: Relation, run: str, try_number: int, source: Source, runner: SqlRunner
) -> tuple[Relation, int]:
    """Keep a source's rows in a table by the target; return it and their number.

    Each try has a table of its own: what a dead one left or still writes is in nobody's way.

    Args:
        run: what tells this staging from all others of the target: the run and the task.
    """
    engine = get_engine(runner.dialect)
    name = f"{_prefix(target, run, runner)}{try_number}"
    table = staging.staging_table(target, name, engine, session=False)
    drop_staging(table, runner)
    rows = source.stage(runner, table)
    if rows is None:
        [(rows,)] = ask(staging.facts(render(table, runner.dialect), ()), runner)
    return table, int(rows)


def sweep_beside(target: Relation, run: str, runner: SqlRunner) -> tuple[str, ...]:
    """Drop the tables that `stage_beside` made for a run; return their names."""
    engine = get_engine(runner.dialect)
    left = ask(staging.leftovers(target, _prefix(target, run, runner), engine), runner)
    for (name,) in left:
        table = staging.staging_table(target, name, engine, session=False)
        drop_staging(table, runner)
    return tuple(name for (name,) in left)


def _prefix(target: Relation, run: str, runner: SqlRunner) -> str:
    return staging.staging_prefix(target, f"beside {run}", get_engine(runner.dialect))
