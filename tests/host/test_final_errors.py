"""What a task does with an engine's error: red at once, or a retry, and a message that helps."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from airflow.sdk.exceptions import AirflowRuntimeError

from airflow_dataops import dbt_dag
from airflow_dataops.errors import RetryableError, SupersededError
from airflow_dataops.operators.attempts import turn_of
from tests.host.manifests import manifest, model, write
from tests.host.runs import Run, Ti
from tests.host.test_fused_tasks import data_test, sql

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.sdk import DAG

WRONG = 'select id, count(*) as n\nfrom "wh"."main"."a"\ngroup by alll'
NODES = (model("a", **sql("select 1 as id")), model("b", "a", **sql(WRONG)))


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "wh.duckdb"
    monkeypatch.setenv("AIRFLOW_CONN_W", json.dumps({"conn_type": "duckdb", "host": str(file)}))
    return file


def dag_of(folder: Path, *nodes: dict[str, Any], **arguments: Any) -> DAG:
    return dbt_dag(manifest=write(folder / "m.json", manifest(*nodes)), conn_id="w", **arguments)


def task_of(run: Run, name: str) -> str:
    return next(id_ for id_ in run.states if name in id_)


@pytest.mark.parametrize("granularity", ["node", "dag"])
def test_sql_that_does_not_fit_fails_the_task_at_once(
    warehouse: Path, tmp_path: Path, granularity: str
) -> None:
    """Also in a task of many nodes; it names node, file, line and statement in a few lines."""
    run = Run(dag_of(tmp_path, *NODES, granularity=granularity)).all()
    failed = next(id_ for id_, state in run.states.items() if state != "success")
    assert run.states[failed] == "failed"  # not up for retry
    error = run.errors[failed]
    text = str(error)
    assert "model.tiny.b (models/b.sql, line 3 of the compiled query): DuckDB says:" in text
    assert "\n>    3 group by alll" in text
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__


def test_a_test_that_cannot_be_run_is_an_error_and_keeps_no_other_from_running(
    warehouse: Path, tmp_path: Path
) -> None:
    nodes = (
        NODES[0],
        data_test("wrong", "a", code="select * from nowhere"),
        data_test("found", "a", code='select * from "wh"."main"."a"'),
        data_test("fine", "a"),
    )
    run = Run(dag_of(tmp_path, *nodes)).all()
    failed = next(id_ for id_, state in run.states.items() if state == "failed")
    told = {each["node"]: each["status"] for each in run.results[failed]["tests"]}
    assert told == {
        "test.tiny.fine": "pass",
        "test.tiny.found": "fail",
        "test.tiny.wrong": "error",
    }
    text = str(run.errors[failed])
    assert text.startswith("1 of 3 tests failed, 1 of 3 tests could not be run:")
    assert "test.tiny.wrong (tests/wrong.sql" in text


def test_a_file_that_is_in_use_is_tried_again(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = {"conn_type": "duckdb", "host": str(warehouse), "extra": {"lock_timeout": 0.1}}
    monkeypatch.setenv("AIRFLOW_CONN_W", json.dumps(connection))
    dag = dag_of(tmp_path, NODES[0])
    from airflow_dataops.hooks.duckdb_lock import FileQueue

    queue = FileQueue(warehouse)
    queue.enter(0, 0)
    try:
        with pytest.raises(RetryableError, match="was not free within"):
            Run(dag).all()
    finally:
        queue.leave()


@pytest.mark.parametrize("granularity", ["node", "dag"])
def test_a_missing_connection_is_no_matter_of_retries(tmp_path: Path, granularity: str) -> None:
    path = write(tmp_path / "m.json", manifest(NODES[0]))
    run = Run(dbt_dag(manifest=path, conn_id="absent", granularity=granularity)).all()
    [(failed, state)] = run.states.items()
    assert state == "failed"
    assert str(run.errors[failed]).startswith("there is no connection 'absent'.")
    assert "conn_id= of load_dags" in str(run.errors[failed])


@pytest.mark.parametrize("granularity", ["node", "dag"])
def test_the_sql_that_ran_is_in_the_log_in_a_folded_group(
    warehouse: Path, tmp_path: Path, granularity: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        run = Run(dag_of(tmp_path, NODES[0], granularity=granularity)).all()
    lines = [record.getMessage() for record in caplog.records]
    begin = next(n for n, line in enumerate(lines) if line.startswith("::group::SQL"))
    group = lines[begin : lines.index("::endgroup::", begin)]
    assert any("select 1 as id" in line for line in group)
    shown = next(iter(run.sql.values()))
    assert shown.index("select 1 as id") < shown.index("-- looked up for it:")


class Gone:
    """A store that answers as the API server does for a task instance that it has forgotten."""

    def __init__(self, status: int) -> None:
        self.status = status

    def delete(self, key: str) -> None:
        from airflow.sdk.exceptions import ErrorType
        from airflow.sdk.execution_time.comms import ErrorResponse

        detail = {"status_code": self.status}
        raise AirflowRuntimeError(ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail=detail))


@pytest.mark.parametrize(("status", "is_over"), [(404, True), (410, True), (500, False)])
def test_a_try_that_airflow_has_given_up_stops(status: int, is_over: bool) -> None:
    """Each try has an id of its own with the server, which forgets it when the next one begins."""
    context: Any = {"ti": Ti("task", 2), "task_state_store": Gone(status)}
    check = turn_of(context).check
    if is_over:
        with pytest.raises(SupersededError, match="has given up try 1"):
            check()
    else:
        check()


def stop_reading(session: Any) -> None:
    from airflow_dataops.hooks.bulk import duckdb as bulk

    with bulk.read(session, "select range as i from range(300000)", ()) as batches:
        next(iter(batches))
        raise ValueError("stopped")


def test_an_arrow_stream_that_failed_does_not_keep_the_file(tmp_path: Path) -> None:
    """DuckDB would wait for it without end, when the same process opens the file again."""
    from airflow_dataops.hooks.duckdb_connection import DuckDBConnection
    from airflow_dataops.hooks.duckdb_file import duckdb_file
    from airflow_dataops.hooks.duckdb_settings import DuckDBSettings

    settings = DuckDBSettings(target=str(tmp_path / "a.duckdb"))
    file = duckdb_file(tmp_path / "a.duckdb")
    kept = []
    for _ in range(3):
        connection = DuckDBConnection(*file.connect(settings))
        session: Any = type("Session", (), {"connection": connection})
        with pytest.raises(ValueError, match="stopped") as caught:
            stop_reading(session)
        kept.append(caught.value)
        connection.close()


def test_a_stream_that_somebody_holds_bounds_the_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_dataops.hooks import duckdb_opening
    from airflow_dataops.hooks.duckdb_settings import DuckDBSettings

    monkeypatch.setattr(duckdb_opening, "_MOMENT", 0.1)
    monkeypatch.setattr(duckdb_opening, "_LONGEST", 0.3)
    path = str(tmp_path / "a.duckdb")
    instance = duckdb.connect(path)
    reader = instance.sql("select range as i from range(300000)").to_arrow_reader(1000)
    reader.read_next_batch()
    instance.close()
    try:
        with pytest.raises(RetryableError, match=r"did not open within 0\.3 s"):
            duckdb_opening.open_in_time(DuckDBSettings(target=path), deadline=float("inf"))
    finally:
        reader.close()
    # The attempt that was given up opens now, and closes what it opened.
    for _ in range(100):
        with contextlib.suppress(RetryableError, duckdb.Error):
            duckdb_opening.open_in_time(DuckDBSettings(target=path), deadline=float("inf")).close()
            return
        time.sleep(0.1)
    pytest.fail("the file does not open any more")
