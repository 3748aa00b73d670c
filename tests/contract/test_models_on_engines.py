"""What dbt builds, by engine `sql` on every engine: models, seeds, snapshots, tests, freshness.

The oracle against dbt itself runs on DuckDB and Postgres; here is what all four must do alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.models import Strategy
from airflow_dataops.core.engines.relations import RelationKind
from airflow_dataops.core.execution.build import build
from airflow_dataops.core.execution.dry_run import show
from airflow_dataops.core.execution.freshness import check_freshness
from airflow_dataops.core.execution.requests import DateRange
from airflow_dataops.core.execution.results import Status
from airflow_dataops.core.execution.tests import run_test
from airflow_dataops.core.model import (
    Code,
    FreshnessSpec,
    HardDeletes,
    Incremental,
    ModelSpec,
    Node,
    NodeKind,
    Orchestration,
    PartitionBy,
    Relation,
    SchemaChange,
    SeedSpec,
    SnapshotSpec,
    SourceSpec,
    Spec,
    StoreFailures,
    TestSpec,
)
from airflow_dataops.core.sql import catalog
from airflow_dataops.errors import ConfigError, DataOpsError, RunError
from tests.execution_cases import values

if TYPE_CHECKING:
    from tests.warehouses import Warehouse

OLD = [(1, "a", 10), (2, "b", 20), (3, "c", 30)]
NEW = [(2, "B", 21), (4, "d", 40)]
UPSERTED = [(1, "a", 10), (2, "B", 21), (3, "c", 30), (4, "d", 40)]
ADDED = sorted([*OLD, *NEW])
COLUMNS = ("id", "name", "n")
KINDS = {
    SeedSpec: NodeKind.SEED,
    SnapshotSpec: NodeKind.SNAPSHOT,
    TestSpec: NodeKind.TEST,
    SourceSpec: NodeKind.SOURCE,
}


@dataclass(frozen=True)
class Project:
    """Nodes with names that the engine folds as it would those that dbt writes."""

    warehouse: Warehouse

    def stored(self, name: str) -> str:
        """Return a column's name as it is stored where an author writes it without quotes."""
        dialect = self.warehouse.dialect
        return name.upper() if dialect == "snowflake" else name

    def relation(self, name: str) -> Relation:
        return self.warehouse.relation(self.stored(name))

    def node(self, name: str, spec: Spec, **more: Any) -> Node:
        return Node(
            id=f"model.shop.{name}",
            kind=KINDS.get(type(spec), NodeKind.MODEL),
            name=name,
            package="shop",
            spec=spec,
            relation=self.relation(name),
            **more,
        )

    def build(self, node: Node, sql: str, **more: Any) -> None:
        build(node, Code(sql=sql, incremental_sql=sql), self.warehouse.runner, **more)

    def rows(self, name: str, *columns: str) -> list[tuple[Any, ...]]:
        stored = [self.stored(column) for column in columns]
        return self.warehouse.rows(self.relation(name), *stored)

    def kind(self, name: str) -> RelationKind | None:
        return catalog.relation_kind(self.warehouse.runner, self.relation(name))

    def leftovers(self) -> set[str]:
        return {name for name in self.warehouse.tables() if "__dbt_tmp" in name.lower()}


@pytest.fixture
def project(warehouse: Warehouse) -> Project:
    return Project(warehouse)


def incremental(project: Project, strategy: str | None, **settings: Any) -> Node:
    how = Incremental(strategy=strategy, **settings)
    return project.node("orders", ModelSpec(materialized="incremental", incremental=how))


@pytest.mark.parametrize("first", ["view", "table"])
@pytest.mark.parametrize("second", ["view", "table"])
def test_tables_and_views_take_each_others_place(project: Project, first: str, second: str) -> None:
    for kind, rows in ((first, OLD), (second, NEW), (second, OLD)):
        node = project.node("orders", ModelSpec(materialized=kind))
        project.build(node, values(rows, COLUMNS), full_refresh=True)
        assert project.kind("orders") is RelationKind(kind)
        assert project.rows("orders", *COLUMNS) == rows


def test_a_model_may_read_the_table_that_it_replaces(project: Project) -> None:
    node = project.node("orders", ModelSpec(materialized="table"))
    project.build(node, values(OLD, COLUMNS))
    name = project.warehouse.sql(project.relation("orders"))
    project.build(node, f"select id, name, n + 1 as n from {name} where id = 1")
    assert project.rows("orders", *COLUMNS) == [(1, "a", 11)]


STRATEGIES = {
    "append": ({}, ADDED),
    "delete+insert": ({"unique_key": ("id",)}, UPSERTED),
    "merge": ({"unique_key": ("id",)}, UPSERTED),
}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_incremental_models(project: Project, strategy: str) -> None:
    settings, expected = STRATEGIES[strategy]
    if strategy not in get_engine(project.warehouse.dialect).models.strategies:
        with pytest.raises(ConfigError, match="it knows merge, insert_overwrite"):
            _twice(project, incremental(project, strategy, **settings))
        return
    _twice(project, incremental(project, strategy, **settings))
    assert project.rows("orders", *COLUMNS) == expected
    assert not project.leftovers()


def _twice(project: Project, node: Node) -> None:
    for rows in (OLD, NEW):
        project.build(node, values(rows, COLUMNS))


def test_the_default_strategy_upserts_by_the_key(project: Project) -> None:
    """It is merge or delete+insert, whichever dbt's adapter takes."""
    _twice(project, incremental(project, None, unique_key=("ID",)))
    assert project.rows("orders", *COLUMNS) == UPSERTED


def test_merge_without_a_key_adds_rows(project: Project) -> None:
    _twice(project, incremental(project, "merge"))
    assert project.rows("orders", *COLUMNS) == ADDED


def test_merge_updates_some_columns_where_a_predicate_holds(project: Project) -> None:
    node = incremental(
        project,
        "merge",
        unique_key=("id",),
        merge_update_columns=("N",),
        predicates=("DBT_INTERNAL_DEST.n > 15",),
    )
    for rows in (OLD, [(2, "B", 21)]):
        project.build(node, values(rows, COLUMNS))
    assert project.rows("orders", *COLUMNS) == [(1, "a", 10), (2, "b", 21), (3, "c", 30)]


def test_a_full_refresh_begins_anew(project: Project) -> None:
    node = incremental(project, "merge", unique_key=("id",))
    project.build(node, values(OLD, COLUMNS))
    project.build(node, values(NEW, COLUMNS), full_refresh=True)
    assert project.rows("orders", *COLUMNS) == NEW


def test_insert_overwrite_replaces_partitions_or_all(project: Project) -> None:
    """Partitions on BigQuery, all of the table on Snowflake, as dbt's adapters do."""
    dialect = project.warehouse.dialect
    if Strategy.INSERT_OVERWRITE not in get_engine(dialect).models.strategies:
        pytest.skip("dbt's adapter does not have it")
    node = incremental(project, "insert_overwrite")
    node = msgspec.structs.replace(
        node, orchestration=Orchestration(partition_by=PartitionBy(field="day"))
    )
    old = "select 1 as id, date '2026-01-01' as day union all select 2, date '2026-01-02'"
    new = "select 3 as id, date '2026-01-02' as day union all select 4, date '2026-01-03'"
    for sql in (old, new, new):
        project.build(node, sql)
    kept = [(1,)] if dialect == "bigquery" else []
    assert project.rows("orders", "id") == [*kept, (3,), (4,)]


def test_a_dry_run_shows_the_statements_and_changes_nothing(project: Project) -> None:
    node = incremental(project, "merge", unique_key=("id",))
    project.build(node, values(OLD, COLUMNS))
    code = Code(sql="select 1", incremental_sql=values(NEW, COLUMNS))
    shown = show(lambda dry: build(node, code, dry), project.warehouse.runner)
    assert "__dbt_tmp" in shown
    assert values(NEW, COLUMNS) in shown
    assert shown.endswith("-- what follows depends on what these statements return")
    assert project.rows("orders", *COLUMNS) == OLD
    assert not project.leftovers()


@pytest.mark.parametrize("change", ["append_new_columns", "sync_all_columns"])
def test_the_table_follows_the_query(project: Project, change: str) -> None:
    node = incremental(project, "merge", unique_key=("id",), on_schema_change=SchemaChange(change))
    project.build(node, values(OLD, COLUMNS))
    project.build(node, values([(1, "x", 5)], ("id", "extra", "n")))
    names = [c.name.lower() for c in catalog.columns_of(project.warehouse.runner, node.relation)]
    kept = ["name"] if change == "append_new_columns" else []
    assert sorted(names) == sorted(["id", "n", "extra", *kept])
    assert project.rows("orders", "id", "extra") == [(1, "x"), (2, None), (3, None)]


def test_a_changed_schema_can_be_refused(project: Project) -> None:
    node = incremental(project, "merge", unique_key=("id",), on_schema_change=SchemaChange.FAIL)
    project.build(node, values(OLD, COLUMNS))
    with pytest.raises(RunError, match=r"on_schema_change is\s+fail"):
        project.build(node, values([(1, "x")], ("id", "extra")))
    assert project.rows("orders", *COLUMNS) == OLD
    assert not project.leftovers()


def test_days_are_built_anew(project: Project) -> None:
    node = incremental(project, "merge", unique_key=("id",))
    node = msgspec.structs.replace(node, config={"event_time": "at"})
    sql = "select {} as id, cast('2026-01-0{} 10:00:00' as {}) as at"
    time = project.warehouse.engine.types["time"]
    project.build(node, " union all ".join(sql.format(day, day, time) for day in (1, 2, 3)))
    days = DateRange(begin=datetime(2026, 1, 2).date(), end=datetime(2026, 1, 3).date())
    project.build(node, " union all ".join(sql.format(9, d, time) for d in (1, 2)), days=days)
    assert project.rows("orders", "id") == [(1,), (3,), (9,)]


def test_seeds_are_loaded_with_types_and_loaded_again(project: Project) -> None:
    node = project.node("colours", SeedSpec(file="seeds/colours.csv"))
    runner = project.warehouse.runner
    for text, expected in (
        ("id,name,price,on_day,ok\n1,red,1.5,2026-01-31,true\n2,it's,,,\n", 2),
        ("id,name,price,on_day,ok\n3,green,2.5,2026-02-01,false\n", 1),
        ("id,name\n4,blue\n", 1),
    ):
        result = build(node, Code(csv=text), runner)
        assert result.rows == expected
        if "price" in text and expected == 2:
            rows = project.rows("colours", "id", "name", "price", "ok")
            assert rows == [(1, "red", 1.5, True), (2, "it's", None, None)]
    assert project.rows("colours", "id", "name") == [(4, "blue")]
    assert not project.leftovers()


def test_snapshots_keep_history(project: Project) -> None:
    spec = SnapshotSpec(
        strategy="check",
        unique_key=("id",),
        check_cols=("all",),
        hard_deletes=HardDeletes.INVALIDATE,
    )
    node = project.node("history", spec)
    for rows in (OLD, OLD, [(1, "a", 10), (2, "B", 21), (4, "d", 40)]):
        project.build(node, values(rows, COLUMNS))
    found = project.rows("history", "id", "name", "dbt_valid_to")
    assert [(id_, name, end is None) for id_, name, end in found] == [
        (1, "a", True),
        (2, "B", True),
        (2, "b", False),
        (3, "c", False),
        (4, "d", True),
    ]
    assert not project.leftovers()


def test_snapshots_by_time_take_new_columns(project: Project) -> None:
    spec = SnapshotSpec(strategy="timestamp", unique_key=("id",), updated_at="at")
    node = project.node("history", spec)
    time = project.warehouse.engine.types["time"]
    sql = "select 1 as id, cast('2026-01-0{} 10:00:00' as {}) as at"
    project.build(node, sql.format(1, time))
    project.build(node, sql.format(1, time))
    project.build(node, sql.format(2, time) + ", 'new' as word")
    found = project.rows("history", "id", "word", "dbt_valid_to")
    assert [(id_, word, end is None) for id_, word, end in found] == [
        (1, "new", True),
        (1, None, False),
    ]


def test_data_tests_are_judged_and_stored(project: Project) -> None:
    runner = project.warehouse.runner
    sql = values(OLD, COLUMNS)
    for kind in (StoreFailures.NO, StoreFailures.TABLE, StoreFailures.VIEW):
        node = project.node("failing", TestSpec(store_failures=kind, warn_if=">0", error_if=">2"))
        assert run_test(node, Code(sql=sql), runner).status is Status.FAIL
        result = run_test(node, Code(sql=f"select * from ({sql}) as s where id = 1"), runner)
        assert (result.status, result.failures) == (Status.WARN, 1)
    assert project.kind("failing") is RelationKind.VIEW


@pytest.mark.parametrize("type_", ["time", "zoned", "date"])
def test_the_age_of_a_source(project: Project, type_: str) -> None:
    """Times without a zone are UTC, and dates their midnight in UTC."""
    name = project.stored("loaded")
    column = project.stored("at")
    project.warehouse.table(name, {column: type_})
    spec = FreshnessSpec(warn_after_minutes=60, error_after_minutes=600, loaded_at_field="at")
    node = project.node("loaded", SourceSpec(source="raw", freshness=spec))
    now = datetime(2026, 1, 2, 1, 30, tzinfo=UTC)
    runner = project.warehouse.runner
    assert check_freshness(node, runner, now=now).status is Status.FAIL
    written = "2026-01-02" if type_ == "date" else "2026-01-02 00:00:00"
    zone = "+00:00" if type_ == "zoned" else ""
    sql_type = project.warehouse.engine.types[type_]
    project.warehouse.runner.execute(
        f"insert into {project.warehouse.sql(project.relation('loaded'))}"
        f" select cast('{written}{zone}' as {sql_type})"
    )
    found = check_freshness(node, runner, now=now)
    assert (found.status, found.age_minutes) == (Status.WARN, 90)


def test_the_age_of_a_source_by_its_last_change(project: Project) -> None:
    project.warehouse.table(project.stored("loaded"), {"id": "int"}, [(1,)])
    spec = FreshnessSpec(warn_after_minutes=60)
    node = project.node("loaded", SourceSpec(source="raw", freshness=spec))
    now = datetime.now(UTC)
    if get_engine(project.warehouse.dialect).models.last_altered is None:
        with pytest.raises(ConfigError, match="does not tell when a table changed last"):
            check_freshness(node, project.warehouse.runner, now=now)
        return
    later = now + timedelta(hours=2)
    assert check_freshness(node, project.warehouse.runner, now=now).status is Status.PASS
    assert check_freshness(node, project.warehouse.runner, now=later).status is Status.WARN
    absent = project.node("absent", SourceSpec(source="raw", freshness=spec))
    with pytest.raises(DataOpsError, match="there is no table"):
        check_freshness(absent, project.warehouse.runner, now=now)
