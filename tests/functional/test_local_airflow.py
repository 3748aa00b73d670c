"""The launcher starts Airflow, runs DAGs, and leaves nothing running."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest

from tools.airflow_settings import Settings, free_port
from tools.guarded import ProcessError
from tools.local_airflow import COMPONENTS, LocalAirflow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.functional.started import StartedAirflow
    from tools.airflow_answers import TaskInstance

DAY = datetime(2026, 1, 5, tzinfo=UTC)
TWO_TASKS = """
    from datetime import datetime
    from airflow.sdk import dag, get_current_context, task, task_group

    @dag(schedule=None, start_date=datetime(2026, 1, 1))
    def two_tasks():
        @task_group
        def staging():
            @task
            def first():
                print("Grüße from", get_current_context()["logical_date"].date())
                return {"rows": 3, "day": str(get_current_context()["logical_date"].date())}
            return first()

        @task
        def second(value):
            if get_current_context()["params"].get("broken"):
                raise ValueError("it is broken")
        second(staging())

    two_tasks()
"""
SLOW = """
    import time
    from datetime import datetime, timedelta
    from airflow.sdk import dag, get_current_context, task

    @dag(schedule=None, start_date=datetime(2026, 1, 1))
    def slow():
        @task(retries=1, retry_delay=timedelta(seconds=1))
        def sleep():
            try_number = get_current_context()["ti"].try_number
            time.sleep(600 if try_number == 1 else 0)
            return try_number
        sleep()

    slow()
"""


def running(airflow: LocalAirflow, run_id: str) -> TaskInstance:
    """Wait until the task of a run of `slow` sleeps."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        (task,) = airflow.api.task_instances("slow", run_id)
        if task.state == "running" and airflow.task_process(task):
            return task
        time.sleep(0.2)
    raise AssertionError("the task never ran")


def family(airflow: LocalAirflow) -> list[psutil.Process]:
    guard = psutil.Process(airflow.guard_pid)
    return [guard, *guard.children(recursive=True)]


def connections(process: psutil.Process) -> Sequence[Any]:
    try:
        return process.net_connections("inet")
    except psutil.NoSuchProcess:  # the parser of a DAG file, done since
        return []


def goes_on(process: psutil.Process) -> bool:
    """Whether a process runs; one that ended and waits to be noticed does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_all_components_run_and_beat(airflow: StartedAirflow) -> None:
    assert set(airflow.airflow.pids) == set(COMPONENTS)
    health = airflow.api.health()
    assert {part["status"] for part in health.values()} == {"healthy"}


def test_it_listens_on_the_loopback_interface_only(airflow: StartedAirflow) -> None:
    listening = {
        connection.laddr.ip
        for process in family(airflow.airflow)
        for connection in connections(process)
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_the_api_wants_the_password(airflow: StartedAirflow) -> None:
    answer = httpx.get(f"{airflow.api.url}/api/v2/dags", trust_env=False)
    assert answer.status_code == httpx.codes.UNAUTHORIZED


def test_a_dropped_dag_loads_and_runs(airflow: StartedAirflow) -> None:
    """Its states, values, log lines and version come back over the API."""
    airflow.drop("two_tasks.py", TWO_TASKS, "two_tasks")
    looks = []
    run = airflow.api.trigger("two_tasks", logical_date=DAY)
    run = airflow.api.wait_for_run(run, 120, progress=lambda run, tasks: looks.append(len(tasks)))
    assert run.state == "success"
    assert set(looks) == {2}
    tasks = airflow.tasks(run)
    assert {task.state for task in tasks.values()} == {"success"}
    first = tasks["staging.first"]
    assert airflow.api.xcom(first) == {"rows": 3, "day": "2026-01-05"}
    assert airflow.api.xcom(tasks["second"]) is None
    assert "Grüße from 2026-01-05" in airflow.api.task_log(first)
    assert [version["version_number"] for version in airflow.api.dag_versions("two_tasks")] == [1]
    assert {task["task_id"] for task in airflow.api.dag_tasks("two_tasks")} == set(tasks)


def test_a_failed_task_shows_its_error_in_the_log_and_can_be_cleared(
    airflow: StartedAirflow,
) -> None:
    airflow.drop("two_tasks.py", TWO_TASKS, "two_tasks")
    run = airflow.run("two_tasks", logical_date=DAY.replace(day=6), conf={"broken": True})
    assert run.state == "failed"
    second = airflow.tasks(run)["second"]
    assert "ValueError: it is broken" in airflow.api.task_log(second)
    airflow.api.clear(run, task_ids=["second"])
    run = airflow.api.wait_for_run(airflow.api.run(run.dag_id, run.run_id), 120)
    assert airflow.tasks(run)["second"].try_number == second.try_number + 1


def test_a_broken_file_is_an_import_error_and_its_neighbours_load(airflow: StartedAirflow) -> None:
    broken = airflow.drop("broken.py", "import airflow\nraise ValueError('this dag is broken')\n")
    airflow.drop("two_tasks.py", TWO_TASKS, "two_tasks")
    deadline = time.monotonic() + 60
    while not airflow.api.import_errors() and time.monotonic() < deadline:
        time.sleep(0.3)
    (error,) = airflow.api.import_errors()
    broken.unlink()
    assert error.filename.endswith("broken.py")
    assert "this dag is broken" in error.stack_trace


def test_a_killed_task_is_retried(airflow: StartedAirflow) -> None:
    """SIGKILL hits the process of this very task, and Airflow gives it its second try."""
    airflow.drop("slow.py", SLOW, "slow")
    run = airflow.api.trigger("slow")
    task = running(airflow.airflow, run.run_id)
    process = airflow.airflow.task_process(task)
    assert process is not None
    assert process.pid == task.pid
    assert airflow.airflow.kill_task(task)
    run = airflow.api.wait_for_run(run, 120)
    assert run.state == "success"
    ended = airflow.tasks(run)["sleep"]
    assert airflow.api.xcom(ended) == 2
    assert not airflow.airflow.kill_task(ended)


def test_a_stopped_airflow_leaves_nothing_and_can_start_again(tmp_path: Path) -> None:
    """Stopped while a task runs, in a folder with a space; the next start knows the run."""
    dags = tmp_path / "my dags"
    dags.mkdir()
    # The scheduler may still see the task's end: then it is to wait, and its run goes on.
    source = SLOW.replace("timedelta(seconds=1)", "timedelta(hours=1)")
    (dags / "slow.py").write_text("\n".join(line[4:] for line in source.splitlines()))
    settings = Settings(home=tmp_path / "my home", dags_folder=dags, scheduled=False, grace=1)
    with LocalAirflow(settings) as airflow:
        airflow.api.wait_for_dags(["slow"], 60, airflow.check)
        run = airflow.api.trigger("slow", logical_date=DAY)
        running(airflow, run.run_id)
        processes = family(airflow)
        assert len(processes) >= len(COMPONENTS) + 2
    assert [process for process in processes if goes_on(process)] == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(airflow.url, trust_env=False)
    with LocalAirflow(settings) as again:
        assert again.api.run("slow", run.run_id).state == "running"
        assert again.password == airflow.password


def test_a_port_that_is_taken_is_told_with_the_log(airflow: StartedAirflow, tmp_path: Path) -> None:
    port = int(airflow.api.url.rsplit(":", 1)[1])
    settings = Settings(home=tmp_path, dags_folder=tmp_path / "dags", port=port)
    second = LocalAirflow(settings)
    with pytest.raises(ProcessError, match=r"api-server ended(?s:.*)address already in use"):
        second.start()
    assert second.pids
    assert not any(psutil.pid_exists(pid) for pid in second.pids.values())


def test_a_migration_that_fails_is_told_with_the_log(tmp_path: Path) -> None:
    environment = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sqlite:////no/such/folder/airflow.db"}
    settings = Settings(
        home=tmp_path, dags_folder=tmp_path, environment=environment, port=free_port()
    )
    with pytest.raises(ProcessError, match=r"db-migrate failed(?s:.*)unable to open"):
        LocalAirflow(settings).start()
