"""Builds a model as dbt would leave it: view, table or incremental.

Where the engine's DDL is transactional, all of a build is one transaction: a reader sees the
old relation or the new one, and a process that is killed leaves the old one.
"""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine, relations
from airflow_dataops.core.engines.identifiers import derived
from airflow_dataops.core.engines.models import Macros, Replace
from airflow_dataops.core.engines.relations import PLAIN, RelationKind
from airflow_dataops.core.execution.building import building
from airflow_dataops.core.execution.contracts import contract_of, hold_to_contract
from airflow_dataops.core.execution.days import event_time, rebuild_days
from airflow_dataops.core.execution.finishing import create_indexes, described_columns, finish
from airflow_dataops.core.execution.results import Action, BuildResult
from airflow_dataops.core.loads.waiting import execute_patiently
from airflow_dataops.core.model import ModelSpec, Relation
from airflow_dataops.core.sql import catalog
from airflow_dataops.core.sql.contracts import in_order
from airflow_dataops.core.sql.finishing import commented_columns
from airflow_dataops.core.sql.makings import clustering, keeps_grants, making_of, view_clauses
from airflow_dataops.errors import ConfigError, RunError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_dataops.core.engines.relations import Making
    from airflow_dataops.core.execution.batches import Batch
    from airflow_dataops.core.execution.requests import DateRange
    from airflow_dataops.core.execution.turns import Turn
    from airflow_dataops.core.loads.waiting import Patience
    from airflow_dataops.core.model import Code, Node
    from airflow_dataops.core.ports import SqlRunner


def build_model(
    node: Node,
    code: Code,
    runner: SqlRunner,
    *,
    full_refresh: bool = False,
    days: DateRange | None = None,
    batch: Batch | None = None,
    adds: bool | None = None,
    turn: Turn | None = None,
) -> BuildResult:
    """Build one SQL model.

    Args:
        node: a node with a `ModelSpec`.
        code: its compiled SQL; `incremental_sql` too when an incremental model has a table.
        runner: an open session.
        full_refresh: rebuild an incremental model; its own `full_refresh` setting wins.
        days: what to build anew of an incremental model that has an `event_time` and a table.
        batch: the times of the rows that a microbatch model builds.
        adds: whether rows are added to what is there; None to find out.
        turn: who builds, and how long it waits.

    Raises:
        ConfigError: the model, its code or the connection cannot be used.
        RunError: keys or columns do not fit the table.
    """
    spec = _sql_model(node)
    sql = _required(code.sql, node, "compiled code")
    last: list[Callable[[], object]] = []
    with building(node, runner, turn, last=last) as (relation, runner):
        existing = catalog.relation_kind(runner, relation)
        action = Action.REPLACED if existing else Action.CREATED
        if adds is None:
            adds = adds_rows(spec, existing, full_refresh=full_refresh)
        rows = None
        if header := node.config.get("sql_header"):
            runner.execute(header)
        hold_to_contract(node, relation, _query(code, sql, adds=adds), runner)
        if spec.materialized == "view":
            _require_no_table(node, relation, existing, runner, full_refresh=full_refresh)
            build_view(relation, sql, existing, runner, clauses=view_clauses(node, runner.dialect))
            _comment_in_view(node, relation, sql, runner)
        elif adds:
            action = Action.UPDATED
            rows = _increment(node, relation, code, days, runner, batch)
        else:
            making = making_of(node, runner.dialect)
            rows = build_table(relation, _in_order(node, sql, runner), existing, runner, making)
            cluster(node, relation, runner)
            create_indexes(node, relation, runner)
        kind = RelationKind.VIEW if spec.materialized == "view" else RelationKind.TABLE
        kept = action is Action.UPDATED or keeps_grants(node, runner.dialect)
        end = partial(finish, node, relation, kind, runner, inherits=existing is not None and kept)
        if spec.materialized == "table":
            last.append(end)
        else:
            end()
    return BuildResult(node=node.id, relation=str(relation), action=action, rows=rows)


def _query(code: Code, sql: str, *, adds: bool) -> str:
    """Return the query whose rows are written."""
    return code.incremental_sql or sql if adds else sql


def _in_order(node: Node, sql: str, runner: SqlRunner) -> str:
    contract = contract_of(node)
    return sql if contract is None else in_order(sql, contract, runner.dialect)


def _increment(
    node: Node,
    relation: Relation,
    code: Code,
    days: DateRange | None,
    runner: SqlRunner,
    batch: Batch | None,
) -> int | None:
    if days is not None and event_time(node):
        sql = _required(code.sql, node, "compiled code")
        return rebuild_days(node, relation, sql, days, runner)
    increment = _required(code.incremental_sql, node, "code for an incremental build")
    # Only where a table is there to be added to.
    from airflow_dataops.core.execution.incremental import add_rows

    return add_rows(node, relation, increment, runner, batch)


def build_table(
    relation: Relation,
    sql: str,
    existing: RelationKind | None,
    runner: SqlRunner,
    making: Making = PLAIN,
    patience: Patience | None = None,
) -> int | None:
    """Make a table of a query's rows in place of what is there; return the rows.

    Must run inside a transaction, where DDL can be part of one. The query may read the table
    it replaces.

    Args:
        patience: with those who read what is replaced.

    Raises:
        RetryableError: they read it for too long.
    """
    dialect = runner.dialect
    if not get_engine(dialect).loads.transactional_ddl:
        if existing is RelationKind.VIEW:
            runner.execute(relations.drop(relation, existing, dialect))
        runner.execute(relations.replace_table_as(relation, sql, dialect, making))
        return None
    if existing is None:
        return _count(_create_table(relation, sql, runner, making))
    by_statement = get_engine(dialect).models.replace_table is Replace.STATEMENT
    if existing is RelationKind.TABLE and by_statement and not making.names:
        return _count(runner.execute(relations.replace_table_as(relation, sql, dialect)))
    beside = _beside(relation, dialect)
    rows = _create_table(beside, sql, runner, making)
    _drop(relation, existing, runner, patience)
    runner.execute(
        relations.rename(beside, relation.identifier, RelationKind.TABLE, dialect),
    )
    return _count(rows)


def _create_table(relation: Relation, sql: str, runner: SqlRunner, making: Making) -> int:
    if not making.names:
        return runner.execute(relations.create_table_as(relation, sql, runner.dialect))
    runner.execute(relations.create_table(relation, runner.dialect, making))
    return runner.execute(relations.insert_into(relation, sql, runner.dialect, making))


def build_view(
    relation: Relation,
    sql: str,
    existing: RelationKind | None,
    runner: SqlRunner,
    patience: Patience | None = None,
    *,
    clauses: str = "",
) -> None:
    """Make a view in place of what is there; as `build_table`."""
    dialect = runner.dialect
    if existing is not None and get_engine(dialect).models.replace_view is Replace.SWAP:
        beside = _beside(relation, dialect)
        runner.execute(relations.create_view_as(beside, sql, dialect))
        _drop(relation, existing, runner, patience)
        runner.execute(relations.rename(beside, relation.identifier, RelationKind.VIEW, dialect))
        return
    if existing is RelationKind.TABLE:
        runner.execute(relations.drop(relation, existing, dialect))
    runner.execute(relations.replace_view_as(relation, sql, dialect, clauses))


def cluster(node: Node, relation: Relation, runner: SqlRunner) -> None:
    """Have a new table kept in the order of its clusters, where the engine does that."""
    for sql in clustering(node, relation, runner.dialect):
        runner.execute(sql)


def _comment_in_view(node: Node, relation: Relation, sql: str, runner: SqlRunner) -> None:
    """Make a view again with comments on its columns, where CREATE VIEW alone can write them."""
    described = described_columns(node)
    if not described:
        return
    dialect = runner.dialect
    present = [column.name for column in catalog.columns_of(runner, relation)]
    listed = commented_columns(described, present, dialect)
    if listed is not None:
        clauses = listed + view_clauses(node, dialect)
        runner.execute(relations.replace_view_as(relation, sql, dialect, clauses))


def _drop(
    relation: Relation, kind: RelationKind, runner: SqlRunner, patience: Patience | None
) -> None:
    sql = relations.drop(relation, kind, runner.dialect)
    execute_patiently(sql, runner, patience, what=str(relation))


def _require_no_table(
    node: Node,
    relation: Relation,
    existing: RelationKind | None,
    runner: SqlRunner,
    *,
    full_refresh: bool,
) -> None:
    """Refuse what dbt-bigquery refuses: to drop a table for a view unasked."""
    if get_engine(runner.dialect).models.macros is not Macros.BIGQUERY or full_refresh:
        return
    if existing is RelationKind.TABLE:
        raise RunError(
            f"{node.id}: {relation} is a table, and materialized='view' would drop it. Drop it "
            "yourself, run a full refresh, or give the model another alias."
        )


def adds_rows(spec: ModelSpec, existing: RelationKind | None, *, full_refresh: bool) -> bool:
    """Return dbt's `is_incremental()`: a table is there, and no full refresh was asked for."""
    if spec.full_refresh is not None:
        full_refresh = spec.full_refresh
    incremental = spec.materialized == "incremental"
    return incremental and existing is RelationKind.TABLE and not full_refresh


def _beside(relation: Relation, dialect: str) -> Relation:
    # Random, so that it never meets a table of the author's. It lives inside the transaction.
    name = derived(relation.identifier, f"__{secrets.token_hex(4)}", dialect)
    return Relation(database=relation.database, schema=relation.schema, identifier=name)


def _sql_model(node: Node) -> ModelSpec:
    spec = node.spec
    if not isinstance(spec, ModelSpec):
        raise ConfigError(f"{node.id} is a {node.kind}, not a model.")
    if spec.language != "sql" or spec.materialized not in ("view", "table", "incremental"):
        raise ConfigError(
            f"{node.id}: engine sql builds views, tables and incremental models in SQL, not "
            f"{spec.materialized!r} in {spec.language}. Let engine dbt run it."
        )
    if spec.unsupported:
        raise ConfigError(
            f"{node.id}: engine sql cannot build it faithfully, because of "
            f"{', '.join(spec.unsupported)}. Let engine dbt run it."
        )
    return spec


def _required(sql: str | None, node: Node, what: str) -> str:
    if sql is None:
        raise ConfigError(
            f"{node.id}: the manifest has no {what}. "
            "Write it with `airflow-dataops compile`, or let engine dbt run the model."
        )
    return sql


def _count(rows: int) -> int | None:
    return rows if rows >= 0 else None
