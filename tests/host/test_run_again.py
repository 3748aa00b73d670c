"""The trigger form's "run again what failed": answered by the state, or by the ledger."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from airflow_dataops.adapters.ledger.store import LedgerStore
from airflow_dataops.core.ledger.ended import events_of
from airflow_dataops.core.ledger.events import RunEvent
from airflow_dataops.core.runs import DagInfo, ReturnedRow, RunRow, RunRows, TryRow
from airflow_dataops.errors import RetryableError
from tests.host.manifests import model
from tests.host.runs import Run
from tests.host.test_fused_tasks import data_test, sql, warehouse
from tests.host.test_run_params import dag_of, tables

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from airflow.sdk import DAG

__all__ = ["warehouse"]

NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
BROKEN = "select 1/0 as id from no_such_table"
AGAIN = "result:error+ result:fail result:skipped"
GRANULARITIES = pytest.mark.parametrize("granularity", ["node", "chain", "layer", "dag"])


def nodes(*, mended: bool = False) -> tuple[dict[str, Any], ...]:
    """`bad` cannot be built, the test of `tested` fails, `warned` is only warned of."""
    wrong = "select 1 where false" if mended else "select 1 as id"
    warned = data_test("w_ok", "warned", code="select 1 as id")
    warned["config"] = {**warned["config"], "severity": "warn"}
    return (
        model("good", **sql("select 1 as id")),
        model("bad", **sql("select 1 as id" if mended else BROKEN)),
        data_test("bad_ok", "bad", code="select 1 where false"),
        model("below_bad", "bad", **sql("select 1 as id")),
        model("tested", **sql("select 1 as id")),
        data_test("t_fails", "tested", code=wrong),
        data_test("t_holds", "tested", code="select 1 where false"),
        model("below_tested", "tested", "good", **sql("select 1 as id")),
        model("warned", **sql("select 1 as id")),
        warned,
    )


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LedgerStore:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    monkeypatch.setenv("AIRFLOW__DATAOPS__LEDGER", url)
    return LedgerStore(url)


def keep(ledger: LedgerStore, run: Run, run_id: str, at: datetime) -> None:
    """Write a run into the ledger, as the feed reads it back from Airflow's database."""
    state = "success" if set(run.states.values()) == {"success"} else "failed"
    row = RunRow("dag", run_id, "manual", state, at, at, at, at, at + timedelta(minutes=9))
    final = {"up_for_retry": "failed"}
    tries = [
        TryRow(id_, -1, 1, final.get(found, found), "X", at, at, at, at, archived=False)
        for id_, found in run.states.items()
    ]
    plain = json.loads(json.dumps(run.results))
    returned = [ReturnedRow(id_, -1, found) for id_, found in plain.items()]
    ledger.write(events_of(RunRows(row, tries, returned, DagInfo()), at))


def ran(run: Run) -> set[str]:
    """Return the names of the nodes that a run built or tested."""
    return ran_in(run.results.values())


def ran_in(results: Iterable[Any]) -> set[str]:
    """Return the names of the nodes that are built or tested according to what tasks returned."""
    told = [found for each in results for found in _nodes(each)]
    return {
        found["node"].split(".")[2]
        for found in told
        if found.get("status") not in ("not selected", "skipped")
    }


def _nodes(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        inner = [found for each in value.values() for found in _nodes(each)]
        return [value, *inner] if "node" in value else inner
    return [found for each in value for found in _nodes(each)] if isinstance(value, list) else []


WENT_WRONG = {"bad", "below_bad", "bad_ok", "t_fails", "below_tested"}


@GRANULARITIES
@pytest.mark.usefixtures("warehouse")
def test_what_failed_in_the_last_run_runs_again(
    ledger: LedgerStore, tmp_path: Path, granularity: str
) -> None:
    """Both that failed and what was skipped for it; what was well is left as it is."""
    first = Run(dag_of(tmp_path, *nodes(), granularity=granularity)).all()
    keep(ledger, first, "earlier", NOW)
    again = Run(dag_of(tmp_path, *nodes(mended=True), granularity=granularity), select=AGAIN).all()
    assert set(again.states.values()) == {"success"}, again.errors
    assert ran(again) == WENT_WRONG
    keep(ledger, again, "again", NOW + timedelta(minutes=10))
    third = Run(dag_of(tmp_path, *nodes(mended=True), granularity=granularity), select=AGAIN).all()
    assert "matches nothing" in str(next(iter(third.errors.values())))


@pytest.mark.usefixtures("warehouse")
def test_it_is_what_run_results_of_dbt_would_say(ledger: LedgerStore, tmp_path: Path) -> None:
    """The statuses that dbt writes of such a run select the same, and beat the ledger."""
    first = Run(dag_of(tmp_path, *nodes())).all()
    keep(ledger, first, "earlier", NOW)
    statuses = {
        "model.tiny.bad": "error",
        "test.tiny.bad_ok": "skipped",
        "model.tiny.below_bad": "skipped",
        "test.tiny.t_fails": "fail",
        "model.tiny.below_tested": "skipped",
        "test.tiny.w_ok": "warn",
        "model.tiny.good": "success",
    }
    results = [{"unique_id": id_, "status": status} for id_, status in statuses.items()]
    (tmp_path / "prod").mkdir()
    (tmp_path / "prod" / "run_results.json").write_text(json.dumps({"results": results}))
    for select in (AGAIN, "result:error", "result:fail", "result:skipped", "result:warn"):
        told = Run(dag_of(tmp_path, *nodes(mended=True), state=tmp_path / "prod"), select=select)
        known = Run(dag_of(tmp_path, *nodes(mended=True)), select=select)
        assert ran(told.all()) == ran(known.all()), select
    only_told = dag_of(tmp_path, *nodes(mended=True), state=tmp_path / "prod")
    assert ran(Run(only_told, select="result:success").all()) == {"good"}


def refusal(dag: DAG, **conf: Any) -> str:
    """Return why the first task of a run stops for good."""
    run = Run(dag, **conf)
    task = next(iter(dag.topological_sort()))
    run.one(task)
    assert isinstance(run.errors[task.task_id], AirflowFailException)
    return str(run.errors[task.task_id])


@pytest.mark.usefixtures("warehouse")
def test_what_cannot_be_known_is_refused(ledger: LedgerStore, tmp_path: Path) -> None:
    dag = dag_of(tmp_path, *nodes())
    assert "the ledger knows none of DAG 'dag'" in refusal(dag, select="result:error")
    keep(ledger, Run(dag).all(), "earlier", NOW)
    assert "the ledger keeps what went wrong" in refusal(dag, select="result:success")
    assert "there is none to compare with" in refusal(dag, select="state:modified")
    late = NOW + timedelta(minutes=20)
    ledger.write([RunEvent(dag_id="dag", run_id="now", observed_at=late, state="running")])
    with pytest.raises(RetryableError, match="has not heard of its end"):
        Run(dag, select="result:error").one(dag.get_task("good"))


def test_a_ledger_without_tables_is_an_error(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__DATAOPS__LEDGER", f"sqlite:///{tmp_path / 'none.db'}")
    assert "ledger" in refusal(dag_of(tmp_path, *nodes()), select="result:error")
    assert not warehouse.exists()


@pytest.mark.parametrize("granularity", ["node", "dag"])
@pytest.mark.usefixtures("warehouse")
def test_a_run_that_would_do_nothing_is_refused(tmp_path: Path, granularity: str) -> None:
    """It would be green: tasks that a run is not for succeed."""
    dag = dag_of(tmp_path, *nodes(), granularity=granularity, exclude="bad+")
    assert "none of which runs in this DAG" in refusal(dag, select="below_bad")
    assert "mode 'test' has nothing to do" in refusal(dag, select="good", mode="test")
    run = Run(dag, select="good below_bad")
    run.one(next(iter(dag.topological_sort())))
    assert set(run.states.values()) == {"success"}, run.errors
    assert tables(tmp_path / "wh.duckdb") == ["good"]


@pytest.mark.parametrize("granularity", ["node", "dag"])
@pytest.mark.usefixtures("warehouse")
def test_a_mode_in_which_a_dag_does_nothing_is_refused(tmp_path: Path, granularity: str) -> None:
    bare = dag_of(tmp_path, model("a"), model("b", "a"), granularity=granularity)
    assert "param mode: no task of this DAG" in refusal(bare, mode="test")
    found = (model("a"), data_test("t", "a", code="select 1 where false"))
    checks = dag_of(tmp_path, *found, select="t", granularity=granularity)
    assert "mode 'build' has nothing to do" in refusal(checks, mode="build")
    run = Run(dag_of(tmp_path, *found, granularity=granularity), mode="build").all()
    assert set(run.states.values()) == {"success"}, run.errors


@pytest.mark.usefixtures("warehouse")
def test_a_worker_that_built_one_task_knows_the_others(
    ledger: LedgerStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(ledger, Run(dag_of(tmp_path, *nodes())).all(), "earlier", NOW)
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "tiny")
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_TASK_ID", "below_tested")
    worker = dag_of(tmp_path, *nodes(mended=True), exclude="warned")
    assert list(worker.task_dict) == ["below_tested"]
    run = Run(worker, select=AGAIN)
    run.one(worker.get_task("below_tested"))
    assert ran(run) == {"below_tested"}, run.errors
    alone = dag_of(tmp_path, *nodes(mended=True), exclude="warned")
    assert "none of which runs in this DAG" in refusal(alone, select="warned")
