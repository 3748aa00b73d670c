"""One function builds every kind of node that can be built."""

from __future__ import annotations

import pytest

from airflow_dataops.core.execution.build import build
from airflow_dataops.core.execution.results import Action
from airflow_dataops.core.model import (
    Code,
    NodeKind,
    SeedSpec,
    SnapshotSpec,
    SourceSpec,
    TestSpec,
    UnitTestSpec,
)
from airflow_dataops.errors import ConfigError
from tests.duckdb_runner import open_duckdb
from tests.fakes.sql_runner import FakeSqlRunner
from tests.unit.execution.nodes import incremental, model, node

SNAPSHOT = SnapshotSpec(strategy="check", unique_key=("id",), check_cols=("all",))


def test_each_kind_is_built() -> None:
    with open_duckdb() as runner:
        seed = node(SeedSpec(file="orders.csv"), kind=NodeKind.SEED)
        assert build(seed, Code(csv="id\n1\n2\n"), runner).rows == 2
        assert build(model("table"), Code(sql="select 1 as id"), runner).action is Action.REPLACED
        runner.execute("drop table marts.orders")
        history = node(SNAPSHOT, kind=NodeKind.SNAPSHOT)
        assert build(history, Code(sql="select 1 as id"), runner).rows == 1


def test_a_full_refresh_reaches_the_model_and_spares_the_snapshot() -> None:
    code = Code(sql="select 1 as id", incremental_sql="select 2 as id")
    with open_duckdb() as runner:
        build(incremental(), code, runner)
        refreshed = build(incremental(), code, runner, full_refresh=True)
        assert refreshed.action is Action.REPLACED
        runner.execute("drop table marts.orders")
        history = node(SNAPSHOT, kind=NodeKind.SNAPSHOT)
        build(history, Code(sql="select 1 as id, 'a' as x"), runner)
        build(history, Code(sql="select 1 as id, 'b' as x"), runner, full_refresh=True)
        assert runner.fetch("select x from marts.orders order by x") == [("a",), ("b",)]


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        (TestSpec(), NodeKind.TEST),
        (SourceSpec(source="raw"), NodeKind.SOURCE),
        (UnitTestSpec(model="model.shop.orders"), NodeKind.UNIT_TEST),
    ],
)
def test_what_is_not_built_is_refused(
    spec: TestSpec | SourceSpec | UnitTestSpec, kind: NodeKind
) -> None:
    fake = FakeSqlRunner()
    with pytest.raises(ConfigError, match="only models, seeds and snapshots are built"):
        build(node(spec, kind=kind), Code(sql="select 1"), fake)
    assert fake.told == []


def test_another_engines_dialect_is_refused_with_those_that_are_written() -> None:
    fake = FakeSqlRunner(dialect="athena")
    with pytest.raises(ConfigError, match="no engine 'athena': SQL is written for bigq"):
        build(model("table"), Code(sql="select 1"), fake)
    assert fake.told == []
