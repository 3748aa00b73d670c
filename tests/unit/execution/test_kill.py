"""A process that builds a model is killed: the old table stays, whole, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.execution.models import build_model
from airflow_dataops.core.model import Relation
from tests.duckdb_runner import open_duckdb
from tests.unit.execution.nodes import code, incremental, model

if TYPE_CHECKING:
    from pathlib import Path

# Builds until it is killed; says when a build begins.
BUILDER = """
import sys
from contextlib import contextmanager
from airflow_dataops.core.execution.models import build_model
from airflow_dataops.core.model import Relation
from tests.duckdb_runner import open_duckdb
from tests.unit.execution.nodes import code, incremental, model

path, materialized, kill_at = sys.argv[1:]

class Stopping:
    # Announces the statement to be killed at, and stays there.
    def __init__(self, runner):
        self.runner, self.seen = runner, 0
        self.dialect, self.placeholder = runner.dialect, runner.placeholder
        self.fetch = runner.fetch

    def execute(self, sql, parameters=()):
        self.stay()
        return self.runner.execute(sql, parameters)

    @contextmanager
    def transaction(self):
        with self.runner.transaction():
            yield
            self.stay()  # all is done, but for the commit

    def stay(self):
        if self.seen == int(kill_at):
            print("here", flush=True)
            sys.stdin.read()
        self.seen += 1

relation = Relation(database="shop", schema="marts", identifier="orders")
with open_duckdb(path) as runner:
    make = incremental if materialized == "incremental" else lambda **k: model(materialized, **k)
    settings = {"unique_key": ("id",)} if materialized == "incremental" else {}
    texts = code("select 2 as version, * from range(100000) as t(id)",
                 "select 2 as version, * from range(50000, 150000) as t(id)")
    if kill_at == "never":
        print("begins", flush=True)
    build_model(make(relation=relation, **settings), texts, Stopping(runner))
    print("done", flush=True)
"""
FIRST = "select 1 as version, * from range(100000) as t(id)"
RELATION = Relation(database="shop", schema="marts", identifier="orders")
CONTENT = "select version, count(*) from marts.orders group by all order by all"
EVERYTHING = "select table_schema, table_name, table_type from system.information_schema.tables"


def prepared(path: Path, before: str) -> None:
    with open_duckdb(str(path)) as runner:
        build_model(model(before, relation=RELATION), code(FIRST), runner)


def start(path: Path, materialized: str, kill_at: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BUILDER, str(path), materialized, kill_at],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def kill_during(path: Path, materialized: str, statement: int) -> str:
    """Kill a build at one of its statements; return what it said before."""
    process = start(path, materialized, str(statement))
    said = process.stdout.readline().strip()
    process.kill()
    process.communicate()
    return said


@pytest.mark.parametrize("materialized", ["table", "view", "incremental"])
@pytest.mark.parametrize("before", ["table", "view"])
def test_a_kill_between_any_two_statements_changes_nothing(
    tmp_path: Path, materialized: str, before: str
) -> None:
    path = tmp_path / "shop.duckdb"
    prepared(path, before)
    kind = "BASE TABLE" if before == "table" else "VIEW"
    for statement in range(10):
        if kill_during(path, materialized, statement) == "done":
            break
        with open_duckdb(str(path)) as runner:
            assert runner.fetch(CONTENT) == [(1, 100_000)]
            assert runner.fetch(EVERYTHING) == [("marts", "orders", kind)]
    else:
        pytest.fail("the build never came to its end")


@pytest.mark.parametrize("materialized", ["table", "incremental"])
def test_a_kill_at_any_moment_leaves_the_old_table_or_the_new_one(
    tmp_path: Path, materialized: str
) -> None:
    """The moment is swept over the length of a build and beyond."""
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
        process = start(path, materialized, "never")
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


def test_a_build_after_a_kill_ends_right(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    prepared(path, "table")
    assert kill_during(path, "incremental", 2) == "here"
    with open_duckdb(str(path)) as runner:
        increment = code("select 1", "select 2 as version, * from range(50000, 150000) as t(id)")
        build_model(incremental(unique_key=("id",), relation=RELATION), increment, runner)
        assert runner.fetch(CONTENT) == [(1, 50_000), (2, 100_000)]
