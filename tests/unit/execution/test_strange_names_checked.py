"""Names are data in seeds, snapshots, tests and freshness too."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.engines import relations
from airflow_dataops.core.engines.identifiers import quote
from airflow_dataops.core.execution.freshness import check_freshness
from airflow_dataops.core.execution.results import Status
from airflow_dataops.core.execution.seeds import build_seed
from airflow_dataops.core.execution.snapshots import build_snapshot
from airflow_dataops.core.execution.tests import run_test
from airflow_dataops.core.model import (
    Code,
    FreshnessSpec,
    HardDeletes,
    NodeKind,
    SeedSpec,
    SnapshotColumns,
    SnapshotSpec,
    SourceSpec,
    StoreFailures,
    TestSpec,
)
from airflow_dataops.core.sql import catalog
from tests.duckdb_runner import open_duckdb
from tests.unit.execution.nodes import node
from tests.unit.execution.test_strange_names import NAMES, content, nothing_else, strange

if TYPE_CHECKING:
    from tests.duckdb_runner import DuckDBRunner

# Those that the statements of snapshots use themselves come on top.
MORE_NAMES = [*NAMES, "incoming", "open_rows", "history", "ended", "batch", "now", "'"]


def column_names(runner: DuckDBRunner, name: str) -> list[str]:
    return [column.name for column in catalog.columns_of(runner, strange(name))]


@pytest.mark.sample(2)
@pytest.mark.parametrize("name", MORE_NAMES)
def test_as_a_seeds_relation_columns_and_values(name: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file).writerows([(name, "n"), (name, 1), ("", 2)])
    spec = SeedSpec(file="seed.csv", column_types={name: "varchar"})
    seed = node(spec, relation=strange(name), kind=NodeKind.SEED)
    with open_duckdb() as runner:
        runner.execute("create table x(i int)")
        for full_refresh in (False, False, True):
            build_seed(seed, Code(csv=file.getvalue()), runner, full_refresh=full_refresh)
            assert content(runner, name) == [(name, 1), (None, 2)]
            assert column_names(runner, name) == [name, "n"]
        assert nothing_else(runner, name)


@pytest.mark.sample(5)
@pytest.mark.parametrize(
    ("strategy", "hard_deletes"),
    [
        ("timestamp", HardDeletes.INVALIDATE),
        ("timestamp", HardDeletes.NEW_RECORD),
        ("check", HardDeletes.NEW_RECORD),
    ],
)
@pytest.mark.parametrize("name", MORE_NAMES)
def test_as_a_snapshots_relation_key_columns_and_values(
    name: str, strategy: str, hard_deletes: HardDeletes
) -> None:
    """The key, the time, the compared column and the added ones all have strange names."""
    names = [f"{name}{suffix}" for suffix in ("", " key", " seen")]
    value, key, seen = names
    added = SnapshotColumns(
        **{field: f"{name} {field}" for field in SnapshotColumns.__struct_fields__}
    )
    spec = SnapshotSpec(
        strategy=strategy,
        unique_key=(key, quote(value, "duckdb")) if strategy == "timestamp" else (key,),
        updated_at=seen if strategy == "timestamp" else None,
        check_cols=(value,) if strategy == "check" else (),
        hard_deletes=hard_deletes,
        columns=added,
    )
    snapshot = node(spec, relation=strange(name), kind=NodeKind.SNAPSHOT)
    query = "select " + ", ".join(f"col{i} as {quote(n, 'duckdb')}" for i, n in enumerate(names))
    with open_duckdb() as runner:
        runner.execute("create table x(i int)")
        for day, rows in enumerate(("('a', 1), ('b', 2)", "('c', 1), ('d', 3)"), start=1):
            source = f"select *, date '2024-01-0{day}' from (values {rows})"
            text = f"{query} from ({source}) as t(col0, col1, col2)"
            build_snapshot(snapshot, Code(sql=text), runner)
        expected = 4 + (hard_deletes is HardDeletes.NEW_RECORD) * (1 + (strategy == "timestamp"))
        assert len(content(runner, name)) == expected
        deleted = [added.is_deleted] if hard_deletes is HardDeletes.NEW_RECORD else []
        own = [added.scd_id, added.updated_at, added.valid_from, added.valid_to, *deleted]
        assert column_names(runner, name) == [*names, *own]
        assert nothing_else(runner, name)


@pytest.mark.sample(2)
@pytest.mark.parametrize("name", MORE_NAMES)
def test_as_a_snapshots_new_column(name: str) -> None:
    spec = SnapshotSpec(strategy="check", unique_key=("id",), check_cols=("all",))
    snapshot = node(spec, relation=strange(name), kind=NodeKind.SNAPSHOT)
    with open_duckdb() as runner:
        build_snapshot(snapshot, Code(sql="select 1 as id"), runner)
        text = f"select 1 as id, 2 as {quote(name, 'duckdb')}"
        build_snapshot(snapshot, Code(sql=text), runner)
        assert column_names(runner, name)[-1] == name
        found = runner.fetch(
            f"select {quote(name, 'duckdb')} from "
            f"{relations.render(strange(name), 'duckdb')} order by dbt_valid_from"
        )
        assert found == [(None,), (2,)]


@pytest.mark.sample(3)
@pytest.mark.parametrize("kept", [StoreFailures.TABLE, StoreFailures.VIEW])
@pytest.mark.parametrize("name", MORE_NAMES)
def test_as_a_tests_relation(name: str, kept: StoreFailures) -> None:
    test = node(TestSpec(store_failures=kept), relation=strange(name), kind=NodeKind.TEST)
    with open_duckdb() as runner:
        runner.execute("create table x(i int)")
        for _ in range(2):
            text = f"select 1 as {quote(name, 'duckdb')}"
            assert run_test(test, Code(sql=text), runner).failures == 1
        assert content(runner, name) == [(1,)]
        assert nothing_else(runner, name)


@pytest.mark.sample(3)
@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize("name", MORE_NAMES)
def test_as_a_sources_relation_and_time(name: str, quoted: bool) -> None:
    field = quote(name, "duckdb")
    table = relations.render(strange(name), "duckdb")
    limits = {"warn_after_minutes": 1.0, "error_after_minutes": 60.0}
    declared = (
        FreshnessSpec(loaded_at_field=field if quoted else name, **limits),
        FreshnessSpec(loaded_at_query="select max(columns(*)) from {{ this }}", **limits),
    )
    with open_duckdb() as runner:
        runner.execute(relations.create_schema(strange(name), "duckdb"))
        runner.execute(f"create table {table} as select timestamp '2024-01-01 12:00' as {field}")
        for freshness in declared:
            source = node(
                SourceSpec(source="raw", freshness=freshness),
                relation=strange(name),
                kind=NodeKind.SOURCE,
            )
            now = datetime(2024, 1, 1, 12, 30, tzinfo=UTC)
            result = check_freshness(source, runner, now=now)
            assert (result.status, result.age_minutes) == (Status.WARN, 30)
