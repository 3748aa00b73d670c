"""Keeps a query's rows for the time of a build."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.identifiers import derived
from airflow_dataops.core.engines.relations import render
from airflow_dataops.core.engines.statements import send
from airflow_dataops.core.loads.failures import Quietly
from airflow_dataops.core.model import Relation, Struct
from airflow_dataops.core.sql import catalog, staging

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.ports import SqlRunner
    from airflow_dataops.core.sql.catalog import Column

MARK = "__dbt_tmp"
"""What is in the name of each such table."""


class Staged(Struct, frozen=True):
    """A staging table. `sql` is its name, each part quoted."""

    relation: Relation
    sql: str


@contextmanager
def staged(
    target: Relation, query: str, runner: SqlRunner, *, what: str = "", columns: str = ""
) -> Iterator[tuple[Staged, tuple[Column, ...]]]:
    """Run a query once, into a staging table of the session or, where the engine has none, by
    the target; give it and its columns. It is dropped at the end of the block.

    Args:
        what: tells several of one build apart.
        columns: those of the table, where they are not the query's alone.
    """
    with staging_place(target, runner, what=what) as table:
        kept = get_engine(runner.dialect).models.create_staging
        create = staging.create_as(
            table.relation, query, runner.dialect, columns=columns, create_staging=kept
        )
        runner.execute(create)
        yield table, catalog.columns_of(runner, table.relation)


@contextmanager
def staging_place(target: Relation, runner: SqlRunner, *, what: str = "") -> Iterator[Staged]:
    """Give the name of a staging table, which the block makes; drop it at the end."""
    engine = get_engine(runner.dialect)
    suffix = f"{MARK}_{what}" if what else MARK
    if engine.loads.session is None:  # the name must be nobody else's
        suffix = f"{suffix}_{secrets.token_hex(4)}"
    name = derived(target.identifier, suffix, engine.name)
    relation = staging.staging_table(target, name, engine, session=True)
    drop = staging.drop_table(relation, engine.name)
    try:
        yield Staged(relation=relation, sql=render(relation, engine.name))
    except BaseException:  # a kill, too, leaves no table behind
        if engine.loads.session is None:
            with Quietly(f"drop the staging table {relation}"):
                send(drop, runner)
        raise
    send(drop, runner)
