"""Under the real scheduler: the DAGs of split projects start each other, and lose nothing."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from tests.functional.pipelines import build_by_dbt, new_pipeline
from tests.functional.started import scheduled_airflow
from tests.host.manifests import manifest, model, write
from tests.host.test_fused_tasks import data_test, sql
from tests.oracle.projects import SHOP
from tests.oracle.state import differences
from tools.airflow_answers import DagRun, dag_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.functional.started import StartedAirflow

DAG_FILE = """
    from datetime import datetime, timedelta, timezone
    from airflow_dataops import load_dags

    # The airflow dags of {base}.
    load_dags(
        {manifest!r}, globals(), conn_id={base!r}, dag_id={base!r},
        default_args={{"retries": 0}}, {arguments}
    )
"""
TIMEOUT = 150.0
SHOP_MANIFEST = Path(__file__).parents[2] / "dags" / "manifests" / "shop" / "manifest.json"


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedAirflow]:
    """An Airflow of this module alone, whose scheduler makes runs; that of others does not."""
    with scheduled_airflow(tmp_path_factory.mktemp("scheduled"), "scheduled") as started:
        yield started


class Split:
    """A project of which each part is a DAG, on a DuckDB file of its own."""

    def __init__(
        self,
        airflow: StartedAirflow,
        folder: Path,
        base: str,
        nodes: tuple[dict[str, Any], ...],
        parts: tuple[str, ...],
        **arguments: Any,
    ) -> None:
        self.airflow, self.base = airflow, base
        self.file = folder / "wh.duckdb"
        with duckdb.connect(str(self.file)) as connection:
            connection.execute("create table raw as select 1 as n")
        airflow.api.add_connection(base, "duckdb", host=str(self.file))
        path = write(folder / "m.json", manifest(*nodes))
        given = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        source = DAG_FILE.format(base=base, manifest=str(path), arguments=given)
        airflow.drop(f"{base}.py", source, *(self.dag_id(part) for part in parts))

    def dag_id(self, part: str) -> str:
        return f"{self.base}__{part}"

    def load(self, number: int) -> None:
        """Change the raw data, when no task has the file."""
        deadline = time.monotonic() + 10
        while True:
            try:
                with duckdb.connect(str(self.file)) as connection:
                    connection.execute("update raw set n = ?", [number])
                return
            except duckdb.IOException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def run(self, part: str) -> DagRun:
        return self.airflow.run(self.dag_id(part))

    def runs(self, part: str) -> list[tuple[str, DagRun]]:
        """The runs of a part, each with what started it."""
        answer = self.airflow.api.get(f"/dags/{self.dag_id(part)}/dagRuns")
        return [(run["run_type"], dag_run(run)) for run in answer["dag_runs"]]

    def wait_for(self, part: str, count: int = 1) -> list[str]:
        """Wait until that many runs of a part have ended; return what started them."""
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            found = self.runs(part)
            if len(found) >= count and all(run.finished for _, run in found):
                assert {run.state for _, run in found} == {"success"}, self.states(part)
                return [kind for kind, _ in found]
            time.sleep(0.5)
        raise AssertionError(f"{part}: {self.runs(part)} {self.states(part)}")

    def states(self, part: str) -> list[dict[str, str | None]]:
        return [
            {id_: task.state for id_, task in self.airflow.tasks(run).items()}
            for _, run in self.runs(part)
        ]

    def read(self, table: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.file)) as connection:
            return connection.execute(f'from "{table}"').fetchall()


def from_(*tables: str, plus: int = 0) -> dict[str, str]:
    """A model that adds up the numbers in other tables."""
    total = " + ".join(f'(select n from "wh"."main"."{table}")' for table in tables)
    return sql(f"select {total} + {plus} as n")


def tagged(name: str, tag: str, *parents: str, **code: str) -> dict[str, Any]:
    return model(name, *parents, config={"materialized": "table", "tags": [tag]}, **code)


A_DIAMOND = (
    tagged("a", "up", **from_("raw")),
    data_test("a_ok", "a", code='select * from "wh"."main"."a" where n < 0'),
    tagged("b", "left", "a", **from_("a", plus=10)),
    tagged("c", "right", "a", **from_("a", plus=100)),
    tagged("d", "join", "b", "c", **from_("b", "c")),
    tagged("e", "tail", "d", **from_("d", plus=1000)),
)
PARTS = ("up", "left", "right", "join", "tail")


def test_a_diamond_and_a_chain_run_through_by_themselves(
    airflow: StartedAirflow, tmp_path: Path
) -> None:
    """Five DAGs: one run of the first brings each of the others one run, and all the data.

    Then a failing test in the first keeps the others from starting, until its data is mended.
    """
    split = Split(airflow, tmp_path, "diamond", A_DIAMOND, PARTS, split_by="tag")
    assert split.run("up").state == "success"
    for part in PARTS[1:]:
        assert split.wait_for(part) == ["asset_triggered"]
    assert split.read("e") == [(1 + 10 + 1 + 100 + 1000,)]

    split.load(-1)
    failed = split.run("up")
    assert failed.state == "failed"
    assert {id_: task.state for id_, task in airflow.tasks(failed).items()} == {
        "a": "success",
        "a.test": "failed",
    }
    time.sleep(5)
    assert [len(split.runs(part)) for part in PARTS] == [2, 1, 1, 1, 1]

    split.load(5)
    airflow.api.clear(failed)
    for part in PARTS[1:]:
        assert split.wait_for(part, 2) == ["asset_triggered"] * 2
    assert split.read("e") == [(5 + 10 + 5 + 100 + 1000,)]


def test_any_input_starts_a_dag_that_asks_for_any(airflow: StartedAirflow, tmp_path: Path) -> None:
    """Two roots, one of which runs: that starts the join, which reads the other one as it is."""
    nodes = (
        tagged("b", "left", **from_("raw", plus=10)),
        tagged("c", "right", **from_("raw", plus=100)),
        tagged("d", "join", "b", "c", **from_("b", "c")),
    )
    parts = ("left", "right", "join")
    split = Split(airflow, tmp_path, "either", nodes, parts, split_by="tag", start_when="any")
    with duckdb.connect(str(split.file)) as connection:
        connection.execute("create table c as select 0 as n")
    assert split.run("left").state == "success"
    assert split.wait_for("join") == ["asset_triggered"]
    assert split.read("d") == [(11,)]
    assert split.runs("right") == []


def test_an_input_that_is_left_over_from_before_is_not_taken_for_fresh(
    airflow: StartedAirflow, tmp_path: Path
) -> None:
    """Airflow starts the join with it; the join waits for the run that will renew it."""
    long = [
        tagged(f"l{number}", "left", f"l{number - 1}", **from_(f"l{number - 1}", plus=10))
        for number in range(1, 6)
    ]
    nodes = (
        tagged("l0", "left", **from_("raw")),
        *long,
        tagged("r", "right", **from_("raw", plus=100)),
        tagged("d", "join", "l5", "r", **from_("l5", "r")),
    )
    split = Split(
        airflow,
        tmp_path,
        "skewed",
        nodes,
        ("left", "right", "join"),
        split_by="tag",
        group_args={"inputs": {"poke_interval": 10}},
    )
    assert split.run("left").state == "success"
    split.load(2)
    airflow.api.trigger(split.dag_id("left"))
    airflow.api.trigger(split.dag_id("right"))
    assert split.wait_for("join") == ["asset_triggered"]
    assert split.read("d") == [(2 + 50 + 2 + 100,)]
    ((_, run),) = split.runs("join")
    log = "\n".join(airflow.api.task_log(airflow.tasks(run)["inputs.wait"]))
    assert "a run of skewed__left is under way and did not emit it yet" in log


def scheduled(name: str, schedule: str, *parents: str, **code: str) -> dict[str, Any]:
    config = {"materialized": "table", "meta": {"schedule": schedule}}
    return model(name, *parents, config=config, **code)


def test_a_dag_with_a_schedule_of_its_own_waits_for_what_it_reads(
    airflow: StartedAirflow, tmp_path: Path
) -> None:
    """Both are due at midnight; the second goes on when the first one's tests have passed."""
    nodes = (
        scheduled("a", "daily", **from_("raw")),
        data_test("a_ok", "a", code='select * from "wh"."main"."a" where n < 2'),
        scheduled("b", "0 0 * * *", "a", **from_("a", plus=10)),
    )
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    split = Split(
        airflow,
        tmp_path,
        "timed",
        nodes,
        ("daily", "0_0_x_x_x"),
        catchup=True,
        group_args={"inputs": {"poke_interval": 10}},
        start_date=Code(f"datetime.fromisoformat({today.isoformat()!r})"),
    )
    deadline = time.monotonic() + TIMEOUT
    while not any("up_for_reschedule" in s.values() for s in split.states("0_0_x_x_x")):
        assert time.monotonic() < deadline, split.states("0_0_x_x_x")
        time.sleep(0.5)
    (first,) = [airflow.api.wait_for_run(run, TIMEOUT) for _, run in split.runs("daily")]
    assert first.state == "failed"
    split.load(2)
    airflow.api.clear(first)
    assert split.wait_for("daily") == ["scheduled"]
    assert split.wait_for("0_0_x_x_x") == ["scheduled"]
    assert split.read("b") == [(12,)]


LAYERS = ("staging", "intermediate", "marts", "intermediate_2", "marts_2")


@pytest.mark.slow
def test_two_days_of_the_shop_in_five_dags_equal_dbt(
    airflow: StartedAirflow, tmp_path: Path
) -> None:
    """Only the first DAG is triggered; marts and intermediate read from each other in turns."""
    expected, ours = (new_pipeline(SHOP, tmp_path / name) for name in ("dbt", "ours"))
    airflow.api.add_connection("shop", "duckdb", host=str(ours.file))
    arguments = 'split_by="layer", cycles="cut", freshness="skip"'
    source = DAG_FILE.format(base="shop", manifest=str(SHOP_MANIFEST), arguments=arguments)
    ids = [f"shop__{part}" for part in LAYERS]
    airflow.drop("shop.py", source, *ids)
    for day in range(2):
        expected.load(day)
        build_by_dbt(expected)
        ours.load(day)
        begun = ours.now()
        airflow.api.trigger(ids[0])
        wait_for_all(airflow, ids, day + 1)
        ours.windows.append((begun, ours.now()))
        assert differences(expected.state(), ours.state()) == []


def wait_for_all(airflow: StartedAirflow, ids: list[str], count: int) -> None:
    """Wait until each DAG has had as many runs, all of them good."""
    deadline = time.monotonic() + 400
    while True:
        runs = [
            run
            for id_ in ids
            for run in map(dag_run, airflow.api.get(f"/dags/{id_}/dagRuns")["dag_runs"])
        ]
        assert "failed" not in {run.state for run in runs}, troubles(airflow, runs)
        if len(runs) == count * len(ids) and all(run.finished for run in runs):
            return
        assert time.monotonic() < deadline, runs
        time.sleep(1)


def troubles(airflow: StartedAirflow, runs: list[DagRun]) -> str:
    """The logs' ends of the tasks that failed."""
    tasks = [task for run in runs for task in airflow.tasks(run).values()]
    return "\n\n".join(
        f"{task.task_id}\n" + "\n".join(airflow.api.task_log(task)[-25:])
        for task in tasks
        if task.state == "failed"
    )


class Code(str):
    """A piece of the DAG file."""

    def __repr__(self) -> str:
        return str(self)
