"""Which assets a run of one part tells the others of: tested tables, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.host.manifests import model
from tests.host.runs import Run
from tests.host.test_fused_tasks import data_test, sql, warehouse
from tests.host.test_splitting import load

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.sdk import DAG

__all__ = ["warehouse"]


def tagged(name: str, tag: str, *parents: str, **code: str) -> dict[str, Any]:
    return model(name, *parents, config={"materialized": "table", "tags": [tag]}, **code)


def upstream_dag(folder: Path, bad: str = "select 1 where false", **arguments: Any) -> DAG:
    """`a` has a test of its own and one that it shares with `b`; another DAG reads both."""
    nodes = (
        tagged("a", "up", **sql("select 1 as id")),
        data_test("a_ok", "a", code=bad),
        tagged("b", "up", **sql("select 2 as id")),
        data_test("ab", "a", "b"),
        tagged("own", "up", **sql("select 3 as id")),
        tagged("below", "down", "a", "b"),
    )
    return load(folder, *nodes, split_by="tag", **arguments)["tiny__up"]


def told(run: Run) -> dict[str, list[str]]:
    """By task that emitted any: the tables of its assets."""
    by_task = {
        id_: [name.rsplit("/", 1)[1] for name in assets] for id_, assets in run.assets.items()
    }
    return {id_: tables for id_, tables in by_task.items() if tables}


ALL = {"a.ready": ["a"], "test.ab": ["b"], "own": ["own"]}


@pytest.mark.parametrize(
    ("conf", "expected"),
    [
        ({}, ALL),
        ({"dry_run": True}, {}),
        ({"mode": "build"}, {"own": ["own"]}),
        ({"select": "own"}, {"own": ["own"]}),
        ({"select": "a b"}, {"a.ready": ["a"], "test.ab": ["b"]}),
        ({"exclude": "a_ok"}, {"test.ab": ["b"], "own": ["own"]}),
    ],
    ids=str,
)
@pytest.mark.usefixtures("warehouse")
def test_a_run_tells_of_what_its_tests_vouch_for(
    tmp_path: Path, conf: dict[str, Any], expected: dict[str, list[str]]
) -> None:
    dag = upstream_dag(tmp_path)
    if "a_ok" in str(conf):
        Run(dag).all()
    run = Run(dag, **conf).all()
    assert set(run.states.values()) == {"success"}, run.errors
    assert told(run) == expected


@pytest.mark.usefixtures("warehouse")
def test_tests_alone_vouch_again(tmp_path: Path) -> None:
    """After data was mended by hand, a run of tests lets the others go on."""
    dag = upstream_dag(tmp_path)
    Run(dag).all()
    assert told(Run(dag, mode="test").all()) == {"a.ready": ["a"], "test.ab": ["b"]}


@pytest.mark.usefixtures("warehouse")
def test_a_failed_test_tells_nobody(tmp_path: Path) -> None:
    run = Run(upstream_dag(tmp_path, bad="select 1")).all()
    assert run.states["a.test"] == "failed"
    assert run.states["a.ready"] == "upstream_failed"
    assert told(run) == {"test.ab": ["b"], "own": ["own"]}


@pytest.mark.usefixtures("warehouse")
@pytest.mark.parametrize("granularity", ["chain", "layer", "dag"])
def test_fused_tasks_tell_the_same(tmp_path: Path, granularity: str) -> None:
    run = Run(upstream_dag(tmp_path, granularity=granularity)).all()
    assert set(run.states.values()) == {"success"}, run.errors
    assert sorted(table for tables in told(run).values() for table in tables) == ["a", "b", "own"]


@pytest.mark.usefixtures("warehouse")
@pytest.mark.parametrize("granularity", ["chain", "layer", "dag"])
def test_fused_tasks_that_fail_tell_nobody(tmp_path: Path, granularity: str) -> None:
    run = Run(upstream_dag(tmp_path, bad="select 1", granularity=granularity)).all()
    assert "a" not in [table for tables in told(run).values() for table in tables]
