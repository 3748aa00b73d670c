"""Builds a seed: the rows of a CSV file as a table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine, relations
from airflow_dataops.core.engines.models import SeedRows
from airflow_dataops.core.engines.relations import RelationKind
from airflow_dataops.core.execution.building import building
from airflow_dataops.core.execution.csv_table import SeedTable, read_seed
from airflow_dataops.core.execution.finishing import finish
from airflow_dataops.core.execution.models import build_table
from airflow_dataops.core.execution.results import Action, BuildResult
from airflow_dataops.core.execution.staged import staging_place
from airflow_dataops.core.execution.transactions import writes
from airflow_dataops.core.model import SeedSpec
from airflow_dataops.core.sql import catalog, loads, seeds
from airflow_dataops.core.sql.catalog import Column
from airflow_dataops.errors import ConfigError, RunError

if TYPE_CHECKING:
    from airflow_dataops.core.execution.staged import Staged
    from airflow_dataops.core.execution.turns import Turn
    from airflow_dataops.core.model import Code, Node, Relation
    from airflow_dataops.core.ports import SqlRunner

_BATCH_ROWS = 10_000
_JSON_ROWS = 2_000
_BOUND_AT_ONCE = 5_000
"""Values of one statement; Postgres's protocol has room for 32,767."""


def build_seed(
    node: Node,
    code: Code,
    runner: SqlRunner,
    *,
    full_refresh: bool = False,
    turn: Turn | None = None,
) -> BuildResult:
    """Load a seed's file into its table, in one transaction.

    The table ends with exactly the file's columns and rows. One whose columns and types are
    the file's keeps its identity (grants, what depends on it) and gets new rows; any other is
    made anew, where dbt would ask for a full refresh.

    Args:
        node: a node with a `SeedSpec`.
        code: `csv` is the text of the file.
        runner: an open session.
        full_refresh: make the table anew even so; the seed's own setting wins.
        turn: who builds, and how long it waits.

    Raises:
        ConfigError: the seed, its code or the connection cannot be used.
        RunError: the file is not well-formed, or a view has the seed's name.
    """
    spec, text = _seed(node, code)
    table = _read(node, spec, text, runner.dialect)
    if spec.full_refresh is not None:
        full_refresh = spec.full_refresh
    with building(node, runner, turn) as (relation, runner):
        existing = catalog.relation_kind(runner, relation)
        if existing is RelationKind.VIEW:
            raise RunError(
                f"{node.id}: {relation} is a view; drop it, or give the seed another alias."
            )
        with staging_place(relation, runner) as staged:
            _stage(staged, table, runner)
            _publish(relation, staged, existing, runner, full_refresh=full_refresh)
        finish(node, relation, RelationKind.TABLE, runner, inherits=False)
    action = Action.REPLACED if existing else Action.CREATED
    return BuildResult(node=node.id, relation=str(relation), action=action, rows=table.rows)


def _seed(node: Node, code: Code) -> tuple[SeedSpec, str]:
    if not isinstance(node.spec, SeedSpec):
        raise ConfigError(f"{node.id} is a {node.kind}, not a seed.")
    if node.spec.unsupported:
        raise ConfigError(
            f"{node.id}: engine sql cannot load it faithfully, because of "
            f"{', '.join(node.spec.unsupported)}. Let engine dbt run it."
        )
    if code.csv is None:
        raise ConfigError(
            f"{node.id}: the manifest does not carry the text of {node.spec.file}. "
            "Write it with `airflow-dataops compile`, or let engine dbt load the seed."
        )
    return node.spec, code.csv


def _read(node: Node, spec: SeedSpec, text: str, dialect: str) -> SeedTable:
    types = {
        name: seeds.check_type(type_, dialect, f"{node.id}, column {name}")
        for name, type_ in spec.column_types.items()
    }
    where = f"{node.id} ({spec.file})"
    known = get_engine(dialect).models
    table = read_seed(
        text,
        where=where,
        delimiter=spec.delimiter,
        column_types=types,
        nulls=known.seeds.nulls,
        types=known.seeds.types,
    )
    quoted = known.seeds.quoted if spec.quote_columns is None else spec.quote_columns
    if quoted:
        return table
    folded = get_engine(dialect).naming.folded
    columns = tuple(Column(name=folded(c.name), type=c.type) for c in table.columns)
    return SeedTable(columns=columns, values=table.values)


def _stage(staged: Staged, table: SeedTable, runner: SqlRunner) -> None:
    runner.execute(seeds.create_stage(staged.relation, table.columns, runner.dialect))
    if get_engine(runner.dialect).models.seeds.rows is SeedRows.JSON:
        insert = seeds.insert_json(staged.sql, table.columns, runner.dialect, runner.placeholder)
        for start in range(0, table.rows, _JSON_ROWS):
            lines = zip(*(v[start : start + _JSON_ROWS] for v in table.values), strict=True)
            runner.execute(insert, [json.dumps(list(lines))])
        return
    if get_engine(runner.dialect).models.seeds.rows is SeedRows.VALUES:
        _stage_values(staged, table, runner)
        return
    insert = seeds.insert_values(staged.sql, table.columns, runner.dialect, runner.placeholder)
    for start in range(0, table.rows, _BATCH_ROWS):
        runner.execute(insert, [values[start : start + _BATCH_ROWS] for values in table.values])


def _stage_values(staged: Staged, table: SeedTable, runner: SqlRunner) -> None:
    lines = list(zip(*table.values, strict=True))
    at_once = max(_BOUND_AT_ONCE // len(table.columns), 1)
    for start in range(0, len(lines), at_once):
        part = lines[start : start + at_once]
        insert = seeds.insert_rows(
            staged.sql, table.columns, len(part), runner.dialect, runner.placeholder
        )
        runner.execute(insert, [value for line in part for value in line])


def _publish(
    relation: Relation,
    staged: Staged,
    existing: RelationKind | None,
    runner: SqlRunner,
    *,
    full_refresh: bool,
) -> None:
    dialect = runner.dialect
    columns = catalog.columns_of(runner, staged.relation)
    if full_refresh or columns != catalog.columns_of(runner, relation):
        build_table(relation, seeds.every_row(staged.sql), existing, runner)
        return
    target = relations.render(relation, dialect)
    with writes(runner):
        runner.execute(seeds.delete_all(target, dialect))
        runner.execute(loads.insert(target, staged.sql, [c.name for c in columns], dialect))
