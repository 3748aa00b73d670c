"""Names are data: quotes, dots, spaces, unicode and SQL in them go through every statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.engines import relations
from airflow_dataops.core.engines.identifiers import quote
from airflow_dataops.core.engines.relations import RelationKind
from airflow_dataops.core.execution.models import build_model
from airflow_dataops.core.model import Relation, SchemaChange
from airflow_dataops.core.sql import catalog, sessions
from tests.duckdb_runner import open_duckdb
from tests.unit.execution.nodes import code, incremental, model

if TYPE_CHECKING:
    from airflow_dataops.core.model import Node
    from tests.duckdb_runner import DuckDBRunner

NAMES = [
    "a.b",
    '"x',
    'a""b',
    "Größe 名前 🦆",
    "two words",
    " leading and trailing ",
    "Robert'); drop table x;--",
    "/* comment",
    "line\nbreak",
    "back\\slash",
    "{{ jinja }}",
    "%s and ?",
    "$1",
    "select",
    "DBT_INTERNAL_DEST",
    "n" * 1000,
]
STRATEGIES = ["append", "delete+insert", "merge"]


def strange(name: str) -> Relation:
    return Relation(database="memory", schema=name, identifier=name)


def query(name: str, *rows: tuple[int, int]) -> str:
    """Return rows of a column of that name and of one called `n`."""
    column = quote(name, "duckdb")
    return " union all ".join(f"select {key} as {column}, {n} as n" for key, n in rows)


def content(runner: DuckDBRunner, name: str) -> list[tuple[object, ...]]:
    return runner.fetch(f"from {relations.render(strange(name), 'duckdb')} order by all")


def nothing_else(runner: DuckDBRunner, name: str) -> bool:
    tables = "select table_schema, table_name from system.information_schema.tables"
    return set(runner.fetch(tables)) == {(name, name), ("main", "x")}


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("materialized", ["view", "table"])
def test_as_schema_relation_and_column(name: str, materialized: str) -> None:
    with open_duckdb() as runner:
        runner.execute("create table x(i int)")
        for _ in range(2):
            build_model(
                model(materialized, relation=strange(name)), code(query(name, (1, 2))), runner
            )
        assert content(runner, name) == [(1, 2)]
        assert nothing_else(runner, name)
        kind = RelationKind.VIEW if materialized == "view" else RelationKind.TABLE
        assert catalog.relation_kind(runner, strange(name)) is kind
        assert [c.name for c in catalog.columns_of(runner, strange(name))] == [name, "n"]


@pytest.mark.sample(5)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("keys", [1, 2])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_as_unique_key(name: str, strategy: str, keys: int) -> None:
    built = incremental(strategy=strategy, unique_key=(name, name)[:keys], relation=strange(name))
    texts = code(query(name, (1, 1), (2, 2)), query(name, (2, 3), (4, 4)))
    with open_duckdb() as runner:
        runner.execute("create table x(i int)")
        build_model(built, texts, runner)
        build_model(built, texts, runner)
        kept = [(2, 2)] if strategy == "append" else []
        assert content(runner, name) == [(1, 1), *kept, (2, 3), (4, 4)]
        assert nothing_else(runner, name)


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("columns", ["merge_update_columns", "merge_exclude_columns"])
def test_as_column_of_a_merge(name: str, columns: str) -> None:
    settings = {columns: (name,)}
    built = incremental(strategy="merge", unique_key=("n",), relation=strange(name), **settings)
    texts = code(query(name, (1, 1)), query(name, (2, 1)))
    with open_duckdb() as runner:
        build_model(built, texts, runner)
        build_model(built, texts, runner)
        expected = 2 if columns == "merge_update_columns" else 1
        assert content(runner, name) == [(expected, 1)]


@pytest.mark.parametrize("name", NAMES)
def test_as_column_that_comes_goes_and_changes_its_type(name: str) -> None:
    column = quote(name, "duckdb")
    built: Node = incremental(
        strategy="append", change=SchemaChange.SYNC_ALL_COLUMNS, relation=strange(name)
    )
    texts = [
        f"select 1 as {column}, 1 as n",
        f"select 2.5 as {column}, 2 as n",
        "select 3 as n",
        f"select 4 as n, 'four' as {column}",
    ]
    with open_duckdb() as runner:
        for text in texts:
            build_model(built, code(text, text), runner)
        assert [(c.name, c.type) for c in catalog.columns_of(runner, strange(name))] == [
            ("n", "INTEGER"),
            (name, "VARCHAR"),
        ]
        assert content(runner, name) == [(1, None), (2, None), (3, None), (4, "four")]


@pytest.mark.parametrize("name", NAMES)
def test_as_database(name: str) -> None:
    with open_duckdb() as runner:
        runner.execute(sessions.attach(":memory:", name, read_only=False))
        runner.execute(sessions.use(name))
        assert catalog.current_database(runner) == name
        relation = Relation(database=name, schema="s", identifier="t")
        build_model(model("table", relation=relation), code("select 1 as id"), runner)
        assert runner.fetch(f"from {relations.render(relation, 'duckdb')}") == [(1,)]
