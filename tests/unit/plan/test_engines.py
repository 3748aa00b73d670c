"""Which engine runs the nodes of which adapter's project."""

from __future__ import annotations

import pytest

from airflow_dataops.core.model import ModelSpec, Node, NodeKind
from airflow_dataops.core.plan.engines import SPOKEN, Chosen, choose
from airflow_dataops.core.plan.structs import Engine, PlanOptions
from airflow_dataops.core.sql.dialects import DIALECTS

MODEL = Node(
    id="model.shop.a",
    kind=NodeKind.MODEL,
    name="a",
    package="shop",
    spec=ModelSpec(materialized="view"),
)
BOTH = PlanOptions(available=frozenset(Engine))


def test_the_plan_counts_on_the_dialects_that_are_written() -> None:
    assert set(DIALECTS) == SPOKEN


@pytest.mark.parametrize("adapter", [*sorted(SPOKEN), None])
def test_engine_sql_runs_what_it_speaks(adapter: str | None) -> None:
    chosen = choose(MODEL, BOTH, adapter)
    assert isinstance(chosen, Chosen)
    assert chosen.engine is Engine.SQL


def test_other_adapters_go_to_dbt_and_the_reason_says_so() -> None:
    assert choose(MODEL, BOTH, "snowflake") == Chosen(
        Engine.DBT, "engine sql does not write dbt's materializations for snowflake"
    )
