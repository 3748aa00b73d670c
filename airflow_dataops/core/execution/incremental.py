"""Adds the rows of one build to an incremental model's table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_dataops.core.engines import get_engine, relations
from airflow_dataops.core.engines.identifiers import resolve, resolve_all
from airflow_dataops.core.engines.models import Macros, Strategy
from airflow_dataops.core.execution.batches import Batch
from airflow_dataops.core.execution.contracts import contract_of
from airflow_dataops.core.execution.staged import staged
from airflow_dataops.core.execution.transactions import writes
from airflow_dataops.core.loads.waiting import execute_patiently
from airflow_dataops.core.model import (
    Incremental,
    ModelSpec,
    PartitionBy,
    Relation,
    SchemaChange,
    Struct,
)
from airflow_dataops.core.sql import catalog, columns, loads, makings
from airflow_dataops.core.sql.contracts import column_list, in_order
from airflow_dataops.core.sql.makings import making_of
from airflow_dataops.errors import ConfigError, RunError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from airflow_dataops.core.execution.staged import Staged
    from airflow_dataops.core.model import Node
    from airflow_dataops.core.ports import SqlRunner
    from airflow_dataops.core.sql.catalog import Column


class _Load(Struct, frozen=True):
    """One load: `source` is the staged query as SQL, `query` and `table` are the columns that
    each has, `written` those to write.
    """

    incremental: Incremental
    relation: Relation
    source: str
    query: tuple[str, ...]
    table: tuple[str, ...]
    written: tuple[str, ...]
    partition_by: PartitionBy | None = None
    batch: Batch | None = None


def add_rows(
    node: Node, relation: Relation, sql: str, runner: SqlRunner, batch: Batch | None = None
) -> int | None:
    """Add a query's rows to a table by the model's strategy; return the rows written.

    Args:
        batch: the times of the rows, of a microbatch model.

    Must run inside a transaction. The query runs once, into a temporary table.

    Raises:
        ConfigError: the strategy is not one that `core/sql` writes.
        RunError: a key or a column does not fit; `on_schema_change: fail` met a change.
    """
    assert isinstance(node.spec, ModelSpec)  # noqa: S101 - for the type checker
    incremental = node.spec.incremental or Incremental()
    strategy = _strategy(node, incremental, runner.dialect)
    with _staged(node, relation, sql, runner) as (source, query):
        load = replace(_plan(node, incremental, relation, source, query, runner), batch=batch)
        with writes(runner):
            rows = _LOADS[strategy](load, runner)
    return rows if rows >= 0 else None


def replace_rows(
    node: Node, relation: Relation, sql: str, condition: str, runner: SqlRunner
) -> int | None:
    """Put those of a query's rows that meet a condition in the place of the table's that do.

    Must run inside a transaction. Returns the rows written; errors as for `add_rows`.
    """
    assert isinstance(node.spec, ModelSpec)  # noqa: S101 - for the type checker
    incremental = node.spec.incremental or Incremental()
    with _staged(node, relation, loads.limited(sql, condition), runner) as (source, query):
        load = _plan(node, incremental, relation, source, query, runner)
        with writes(runner):
            runner.execute(loads.delete_where(_target(load, runner), condition))
            rows = _append(load, runner)
    return rows if rows >= 0 else None


def _staged(
    node: Node, relation: Relation, sql: str, runner: SqlRunner
) -> AbstractContextManager[tuple[Staged, tuple[Column, ...]]]:
    contract = contract_of(node)
    if contract is None or get_engine(runner.dialect).models.contracts.inserts:
        return staged(relation, sql, runner)
    query = in_order(sql, contract, runner.dialect)
    return staged(relation, query, runner, columns=column_list(contract, runner.dialect))


def _strategy(node: Node, incremental: Incremental, dialect: str) -> Strategy:
    known = get_engine(dialect).models
    if incremental.microbatch is not None and known.microbatch is not None:
        return known.microbatch
    if incremental.strategy is None:
        return known.default_strategy
    if incremental.strategy not in known.strategies:
        raise ConfigError(
            f"{node.id}: engine sql does not know the incremental strategy "
            f"{incremental.strategy!r} on {dialect}; it knows {', '.join(known.strategies)}. "
            "Let engine dbt run the model."
        )
    return Strategy(incremental.strategy)


def _plan(
    node: Node,
    incremental: Incremental,
    relation: Relation,
    source: Staged,
    query: tuple[Column, ...],
    runner: SqlRunner,
) -> _Load:
    table = widen_texts(relation, query, catalog.columns_of(runner, relation), runner)
    if incremental.on_schema_change is not SchemaChange.IGNORE:
        table = _follow_query(node, incremental.on_schema_change, relation, query, table, runner)
        written = _names(query)
    else:
        written = _names(table)
    return _Load(
        incremental=incremental,
        relation=relation,
        source=source.sql,
        query=_names(query),
        table=_names(table),
        written=written,
        partition_by=node.orchestration.partition_by,
    )


def widen_texts(
    relation: Relation, query: Sequence[Column], table: tuple[Column, ...], runner: SqlRunner
) -> tuple[Column, ...]:
    """Give a table the longer texts that a query needs, as dbt does; return its columns."""
    wider = columns.wider_texts(query, table, runner.dialect)
    for column in wider:
        for statement in columns.change_type(relation, column, runner.dialect):
            execute_patiently(statement, runner, what=str(relation))
    return catalog.columns_of(runner, relation) if wider else table


def _follow_query(
    node: Node,
    change: SchemaChange,
    relation: Relation,
    query: Sequence[Column],
    table: Sequence[Column],
    runner: SqlRunner,
) -> tuple[Column, ...]:
    """Give the table the query's columns as far as `change` says; return its columns."""
    diff = columns.compare(query, table, runner.dialect)
    if not diff:
        return tuple(table)
    if change is SchemaChange.FAIL:
        raise RunError(_out_of_sync(node, relation, diff))
    dialect = runner.dialect
    statements = [columns.add_column(relation, column, dialect) for column in diff.added]
    if change is SchemaChange.SYNC_ALL_COLUMNS:
        statements += [columns.drop_column(relation, c.name, dialect) for c in diff.removed]
        for column in diff.retyped:
            statements += columns.change_type(relation, column, dialect, making_of(node, dialect))
    for statement in statements:
        execute_patiently(statement, runner, what=str(relation))
    return catalog.columns_of(runner, relation)


def _out_of_sync(node: Node, relation: Relation, diff: columns.SchemaDiff) -> str:
    def listed(found: Sequence[Column]) -> str:
        return ", ".join(f"{column.name} {column.type}" for column in found) or "none"

    return (
        f"{node.id}: the columns of the query and of {relation} differ, and on_schema_change is "
        f"fail. Only in the query: {listed(diff.added)}. Only in the table: "
        f"{listed(diff.removed)}. Of another type in the query: {listed(diff.retyped)}. "
        "Set on_schema_change to append_new_columns or sync_all_columns, run a full refresh, "
        "or alter the table."
    )


def _append(load: _Load, runner: SqlRunner) -> int:
    _require_all_in_query(load, load.written)
    return runner.execute(
        loads.insert(_target(load, runner), load.source, load.written, runner.dialect)
    )


def _delete_insert(load: _Load, runner: SqlRunner) -> int:
    keys = _keys(load)
    if keys:
        target, source = _target(load, runner), load.source
        predicates = load.incremental.predicates
        runner.execute(loads.delete_matching(target, source, keys, predicates, runner.dialect))
    return _append(load, runner)


def _merge(load: _Load, runner: SqlRunner) -> int:
    of_query = get_engine(runner.dialect).models.macros is Macros.DUCKDB
    (_require_all_in_table if of_query else _require_all_written)(load)
    columns = load.query if of_query else load.written
    return runner.execute(
        loads.merge(
            _target(load, runner),
            load.source,
            _keys(load),
            insert_columns=columns,
            update_columns=_update_columns(load, columns),
            predicates=load.incremental.predicates,
            dialect=runner.dialect,
        )
    )


def _insert_overwrite(load: _Load, runner: SqlRunner) -> int:
    _require_all_in_query(load, load.written)
    target, dialect = _target(load, runner), runner.dialect
    if get_engine(dialect).models.macros is not Macros.BIGQUERY:
        return runner.execute(loads.overwrite(target, load.source, load.written, dialect))
    by = load.partition_by
    if by is None:
        raise ConfigError(
            f"{load.relation}: insert_overwrite replaces partitions, and the model has no "
            "partition_by; add it, or use merge."
        )
    found = runner.fetch(loads.distinct_values(load.source, makings.partition(by)))
    values = sorted(value for (value,) in found if value is not None)
    condition = makings.among(by, values, f"{loads.MERGE_TARGET}.")
    return runner.execute(
        loads.overwrite_partitions(target, load.source, load.written, condition, dialect)
    )


def _delete_batch_insert(load: _Load, runner: SqlRunner) -> int:
    assert load.batch is not None  # noqa: S101 - for the type checker
    assert load.incremental.microbatch is not None  # noqa: S101 - likewise
    dialect, predicates = runner.dialect, load.incremental.predicates
    column = load.incremental.microbatch.event_time
    _require_all_in_query(load, load.written)
    runner.execute(
        loads.delete_batch(_target(load, runner), column, load.batch, predicates, dialect)
    )
    return runner.execute(
        loads.insert_batch(
            _target(load, runner), load.source, load.written, column, load.batch, dialect
        )
    )


def _require_all_written(load: _Load) -> None:
    _require_all_in_query(load, load.written)


def _require_all_in_table(load: _Load) -> None:
    extra = [name for name in load.query if resolve(name, load.table) is None]
    if extra:
        raise RunError(
            f"merge: the query returns {', '.join(map(repr, extra))}, which {load.relation} does "
            "not have. Set on_schema_change to append_new_columns or sync_all_columns, or run a "
            "full refresh."
        )


def _update_columns(load: _Load, all_of_them: tuple[str, ...]) -> tuple[str, ...]:
    include = load.incremental.merge_update_columns
    exclude = load.incremental.merge_exclude_columns
    if include and exclude:
        raise ConfigError(
            f"{load.relation}: merge_update_columns and merge_exclude_columns are both set; "
            "keep one."
        )
    if include:
        found = resolve_all(
            include, load.table, what="merge_update_columns", where=str(load.relation)
        )
    elif exclude:
        excluded = {name.lower() for name in exclude}
        found = tuple(name for name in load.written if name.lower() not in excluded)
    else:
        return all_of_them
    _require_all_in_query(load, found)
    return found


def _keys(load: _Load) -> tuple[str, ...]:
    keys = load.incremental.unique_key
    where = str(load.relation)
    resolve_all(keys, load.query, what="unique_key", where=f"the query of {where}")
    return resolve_all(keys, load.table, what="unique_key", where=where)


def _require_all_in_query(load: _Load, names: Sequence[str]) -> None:
    missing = [name for name in names if resolve(name, load.query) is None]
    if missing:
        raise RunError(
            f"the query of {load.relation} does not return {', '.join(map(repr, missing))}, which "
            f"the table has; it returns {', '.join(load.query)}. Set on_schema_change to "
            "append_new_columns or sync_all_columns, or run a full refresh."
        )


def _target(load: _Load, runner: SqlRunner) -> str:
    return relations.render(load.relation, runner.dialect)


def _names(found: Sequence[Column]) -> tuple[str, ...]:
    return tuple(column.name for column in found)


_LOADS = {
    Strategy.APPEND: _append,
    Strategy.DELETE_INSERT: _delete_insert,
    Strategy.MERGE: _merge,
    Strategy.INSERT_OVERWRITE: _insert_overwrite,
    Strategy.DELETE_BATCH_INSERT: _delete_batch_insert,
}
