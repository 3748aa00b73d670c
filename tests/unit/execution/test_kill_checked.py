"""What loads a seed, keeps a snapshot or stores failures is killed at each statement.

What it was to change stays whole and as it was; the next run ends right.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.core.execution.seeds import build_seed
from airflow_dataops.core.execution.snapshots import build_snapshot
from airflow_dataops.core.execution.tests import run_test
from airflow_dataops.core.model import (
    Code,
    HardDeletes,
    NodeKind,
    Relation,
    SeedSpec,
    SnapshotSpec,
    StoreFailures,
    TestSpec,
)
from tests.duckdb_runner import open_duckdb
from tests.unit.execution.nodes import node
from tests.unit.execution.stopping import KILLS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow_dataops.core.ports import SqlRunner

RELATION = Relation(database="shop", schema="kept", identifier="orders")
SOURCES = (
    "select 1 as version, * from range(20000) as t(id)",
    "select 2 as version, *, 'x' as added from range(10000, 30000) as t(id)",
)
MOST_STATEMENTS = 20


def seed(state: int, runner: SqlRunner) -> None:
    """The second state has the same columns, the third has others."""
    files = ["id,v\n1,a\n2,b\n", "id,v\n2,c\n3,d\n", "id,w\n3,1.5\n"]
    spec = SeedSpec(file="orders.csv")
    build_seed(
        node(spec, relation=RELATION, kind=NodeKind.SEED),
        Code(csv=files[state]),
        runner,
        full_refresh=False,
    )


def other_seed(state: int, runner: SqlRunner) -> None:
    seed(2 * state, runner)


def snapshot(state: int, runner: SqlRunner) -> None:
    spec = SnapshotSpec(
        strategy="check",
        unique_key=("id",),
        check_cols=("all",),
        hard_deletes=HardDeletes.NEW_RECORD,
    )
    build_snapshot(
        node(spec, relation=RELATION, kind=NodeKind.SNAPSHOT), Code(sql=SOURCES[state]), runner
    )


def stored(state: int, runner: SqlRunner) -> None:
    kept = (StoreFailures.TABLE, StoreFailures.VIEW)[state]
    test = node(TestSpec(store_failures=kept), relation=RELATION, kind=NodeKind.TEST)
    run_test(test, Code(sql=SOURCES[state]), runner)


STATES: dict[str, Callable[[int, SqlRunner], None]] = {
    "seed": seed,
    "other_seed": other_seed,
    "snapshot": snapshot,
    "stored": stored,
}
WORK = {name: partial(state, 1) for name, state in STATES.items()}


def content(path: Path) -> tuple[Any, ...]:
    """Return the rows, but for clock readings and what hangs on them, and what there is."""
    with open_duckdb(str(path)) as runner:
        columns = [r[0] for r in runner.fetch("describe kept.orders") if r[0][:4] != "dbt_"]
        listed = ", ".join(f'"{name}"' for name in columns)
        return (
            columns,
            runner.fetch(f"select {listed}, count(*) from kept.orders group by all order by all"),
            runner.fetch("select table_name, table_type from system.information_schema.tables"),
        )


@KILLS
@pytest.mark.parametrize("what", WORK)
def test_a_kill_at_any_statement_changes_nothing(
    tmp_path: Path, what: str, kill: Callable[..., bool]
) -> None:
    path, straight = tmp_path / "shop.duckdb", tmp_path / "straight" / "shop.duckdb"
    straight.parent.mkdir()
    for file in (path, straight):
        with open_duckdb(str(file)) as runner:
            STATES[what](0, runner)
    with open_duckdb(str(straight)) as runner:
        STATES[what](1, runner)
    before, after = content(path), content(straight)
    assert before != after
    for statement in range(MOST_STATEMENTS):
        if not kill(__name__, what, path, statement):
            break
        assert content(path) == before
    assert statement > 1
    assert content(path) == after
