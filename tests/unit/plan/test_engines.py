"""Which engine runs the nodes of which adapter's project."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from airflow_dataops.core.engines import (
    engine_names,
    get_engine,
    is_engine,
    tells_last_change,
)
from airflow_dataops.core.manifests.dbt.unsupported import strategies
from airflow_dataops.core.model import (
    FreshnessSpec,
    Incremental,
    ModelSpec,
    Node,
    NodeKind,
    Orchestration,
    PartitionBy,
    SourceSpec,
)
from airflow_dataops.core.plan.engines import Chosen, choose
from airflow_dataops.core.plan.structs import Engine, PlanOptions
from airflow_dataops.errors import Problem

MODEL = Node(
    id="model.shop.a",
    kind=NodeKind.MODEL,
    name="a",
    package="shop",
    spec=ModelSpec(materialized="view"),
)
BOTH = PlanOptions(available=frozenset(Engine))


@pytest.mark.parametrize("adapter", engine_names())
def test_the_parse_knows_what_the_engine_knows(adapter: str) -> None:
    """It is told by the registry, which imports no engine."""
    assert is_engine(adapter)
    assert tells_last_change(adapter) is (get_engine(adapter).models.last_altered is not None)


@pytest.mark.parametrize("adapter", [*engine_names(), None])
def test_engine_sql_runs_what_it_speaks(adapter: str | None) -> None:
    chosen = choose(MODEL, BOTH, adapter)
    assert isinstance(chosen, Chosen)
    assert chosen.engine is Engine.SQL


def test_other_adapters_go_to_dbt_and_the_reason_says_so() -> None:
    assert choose(MODEL, BOTH, "athena") == Chosen(
        Engine.DBT, "engine sql does not write dbt's materializations for athena"
    )


def _incremental(strategy: str | None, *, partitioned: bool = False) -> Node:
    by = PartitionBy(field="day") if partitioned else None
    return msgspec.structs.replace(
        MODEL,
        spec=ModelSpec(materialized="incremental", incremental=Incremental(strategy=strategy)),
        orchestration=Orchestration(partition_by=by),
    )


def _source(**freshness: Any) -> Node:
    spec = SourceSpec(source="raw", freshness=FreshnessSpec(warn_after_minutes=60, **freshness))
    return msgspec.structs.replace(MODEL, id="source.shop.raw.a", kind=NodeKind.SOURCE, spec=spec)


@pytest.mark.parametrize(
    ("node", "adapter", "message"),
    [
        (_incremental("append"), "bigquery", "incremental_strategy is 'append', which dbt-big"),
        (_incremental("delete+insert", partitioned=True), "bigquery", "write one of merge, ins"),
        (_incremental("insert_overwrite"), "bigquery", "there is no config.partition_by; add it"),
        (_source(), "duckdb", "duckdb does not tell when a table changed last; add one of them"),
        (_source(), "postgres", "load the manifest with freshness='skip'"),
        (_source(loaded_at_field="at"), "athena", "does not look at the age of sources on athe"),
    ],
)
def test_what_no_engine_can_do_is_a_problem_of_its_node(
    node: Node, adapter: str, message: str
) -> None:
    found = choose(node, BOTH, adapter)
    assert isinstance(found, Problem)
    assert found.node == node.id
    assert message in str(found)


@pytest.mark.parametrize(
    ("node", "adapter"),
    [
        (_incremental("append"), "snowflake"),
        (_incremental(None), "bigquery"),
        (_incremental("insert_overwrite", partitioned=True), "bigquery"),
        (_source(), "snowflake"),
        (_source(), "bigquery"),
        (_source(), None),
        (_source(loaded_at_field="at"), "postgres"),
    ],
)
def test_what_an_engine_can_do_is_none(node: Node, adapter: str | None) -> None:
    assert isinstance(choose(node, BOTH, adapter), Chosen)


@pytest.mark.parametrize("adapter", engine_names())
def test_the_reader_knows_the_strategies_of_each_dialect(adapter: str) -> None:
    assert set(strategies(adapter)) == set(get_engine(adapter).models.strategies)
