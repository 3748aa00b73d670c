"""What builds a model is killed: the old table stays, whole, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.execution.models import build_model
from airflow_dataops.core.model import Relation
from tests.duckdb_runner import open_duckdb
from tests.unit.execution.nodes import code, incremental, model
from tests.unit.execution.stopping import KILLS, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow_dataops.core.ports import SqlRunner

FIRST = "select 1 as version, * from range(100000) as t(id)"
SECOND = code(
    "select 2 as version, * from range(100000) as t(id)",
    "select 2 as version, * from range(50000, 150000) as t(id)",
)
RELATION = Relation(database="shop", schema="marts", identifier="orders")
CONTENT = "select version, count(*) from marts.orders group by all order by all"
EVERYTHING = "select table_schema, table_name, table_type from system.information_schema.tables"
MOST_STATEMENTS = 10


def build(materialized: str, runner: SqlRunner) -> None:
    """Build the second version of the model."""
    if materialized == "incremental":
        node = incremental(relation=RELATION, unique_key=("id",))
    else:
        node = model(materialized, relation=RELATION)
    build_model(node, SECOND, runner)


WORK: dict[str, Callable[[SqlRunner], None]] = {
    name: partial(build, name) for name in ("table", "view", "incremental")
}


def prepared(path: Path, before: str) -> None:
    with open_duckdb(str(path)) as runner:
        build_model(model(before, relation=RELATION), code(FIRST), runner)


@KILLS
@pytest.mark.parametrize("materialized", WORK)
@pytest.mark.parametrize("before", ["table", "view"])
def test_a_kill_between_any_two_statements_changes_nothing(
    tmp_path: Path, materialized: str, before: str, kill: Callable[..., bool]
) -> None:
    path = tmp_path / "shop.duckdb"
    prepared(path, before)
    kind = "BASE TABLE" if before == "table" else "VIEW"
    for statement in range(MOST_STATEMENTS):
        if not kill(__name__, materialized, path, statement):
            break
        with open_duckdb(str(path)) as runner:
            assert runner.fetch(CONTENT) == [(1, 100_000)]
            assert runner.fetch(EVERYTHING) == [("marts", "orders", kind)]
    else:
        pytest.fail("the build never came to its end")
    assert statement > 1


@KILLS
def test_a_build_after_a_kill_ends_right(tmp_path: Path, kill: Callable[..., bool]) -> None:
    path = tmp_path / "shop.duckdb"
    prepared(path, "table")
    assert kill(__name__, "incremental", path, 2)
    with open_duckdb(str(path)) as runner:
        build("incremental", runner)
        assert runner.fetch(CONTENT) == [(1, 50_000), (2, 100_000)]


@pytest.mark.slow
@pytest.mark.parametrize("materialized", ["table", "incremental"])
def test_a_kill_at_any_moment_leaves_the_old_table_or_the_new_one(
    tmp_path: Path, materialized: str
) -> None:
    """By SIGKILL; the moment is swept over the length of a build and beyond."""
    path = tmp_path / "shop.duckdb"
    prepared(path, "table")
    old, new = (
        [(1, 100_000)],
        {
            "table": [(2, 100_000)],
            "incremental": [(1, 50_000), (2, 100_000)],
        }[materialized],
    )
    ends = []
    for moment in range(20):
        process = start(path, materialized)
        assert process.stdout is not None
        assert process.stdout.readline() == "begins\n"
        time.sleep(0.01 * moment)
        process.kill()
        process.communicate()
        with open_duckdb(str(path)) as runner:
            ends.append(runner.fetch(CONTENT))
            assert runner.fetch(EVERYTHING) == [("marts", "orders", "BASE TABLE")]
            build_model(model("table", relation=RELATION), code(FIRST), runner)
    assert all(end in (old, new) for end in ends)
    assert ends[0] == old


def start(path: Path, materialized: str) -> subprocess.Popen[str]:
    """Start a process that says when it begins to build."""
    call = f"from {__name__} import begin; begin({str(path)!r}, {materialized!r})"
    command = [sys.executable, "-c", call]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def begin(path: str, materialized: str) -> None:
    with open_duckdb(path) as runner:
        sys.stdout.write("begins\n")
        sys.stdout.flush()
        build(materialized, runner)
