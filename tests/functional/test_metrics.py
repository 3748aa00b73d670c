"""Under the real Airflow: all sinks at once have the same numbers, and so has the database."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.metrics.catalogue import CATALOGUE, Kind, Origin
from tests.functional import metadata
from tests.functional.fates import BY_HAND, DAG_ID, database_says, source, states
from tests.functional.started import StartedAirflow
from tests.receivers.cloudwatch import CloudWatchReceiver, EmfReceiver
from tests.receivers.datagrams import DogStatsdReceiver, StatsdReceiver
from tests.receivers.otlp import OtlpReceiver
from tests.receivers.prometheus import HAS_PROMETHEUS, PrometheusReceiver, TextfileReceiver
from tools.airflow_settings import Settings
from tools.local_airflow import LocalAirflow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.receivers.numbers import Key, Numbers, Receiver
    from tools.airflow_answers import DagRun

OUTCOMES = {
    metric.name.replace(".", "_")
    for metric in CATALOGUE
    if metric.origin is Origin.RUN_END
    and metric.kind is Kind.COUNTER
    and metric.name.startswith("airflow.task")
}
UNKNOWN = "grafite://nowhere"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("metrics")


@pytest.fixture(scope="module")
def receivers(folder: Path) -> Iterator[dict[str, Receiver]]:
    """All that this machine has; Prometheus comes from Debian."""
    made: dict[str, Receiver] = {
        "statsd": StatsdReceiver(),
        "dogstatsd": DogStatsdReceiver(),
        "otlp": OtlpReceiver(),
        "cloudwatch": CloudWatchReceiver(),
        "emf": EmfReceiver(folder),
        "textfile": TextfileReceiver(folder),
    }
    if HAS_PROMETHEUS:
        made["prometheus"] = PrometheusReceiver(folder)
    with ExitStack() as stack:
        for receiver in made.values():
            stack.enter_context(receiver)
        yield made


@pytest.fixture(scope="module")
def metered(folder: Path, receivers: dict[str, Receiver]) -> Iterator[StartedAirflow]:
    """An Airflow that sends to all receivers, and to one sink that does not exist."""
    dags = folder / "dags"
    dags.mkdir()
    addresses = [UNKNOWN, *(receiver.address for receiver in receivers.values())]
    settings = Settings(
        home=folder / "home",
        dags_folder=dags,
        parse_seconds=2,
        scheduled=False,
        environment={
            "AIRFLOW__DATAOPS__METRICS_SINKS": ", ".join(addresses),
            "AIRFLOW__DATAOPS__METRICS_EXIT_SECONDS": "10",
            **metadata.environment(metadata.database("metered")),
        },
    )
    with LocalAirflow(settings) as running:
        started = StartedAirflow(running, dags)
        notes = folder / "notes"
        notes.mkdir()
        started.drop("fates.py", source(notes, times=3), DAG_ID)
        yield started


def run_all_fates(airflow: StartedAirflow) -> DagRun:
    """Run the DAG; set the states of some tasks by hand while they run."""
    api = airflow.api
    run = api.trigger(DAG_ID)
    left = dict(BY_HAND)
    deadline = time.monotonic() + 240
    while left and time.monotonic() < deadline:
        for task in api.task_instances(DAG_ID, run.run_id):
            if task.state == "running" and task.task_id in left:
                time.sleep(1.5)
                path = f"/dags/{DAG_ID}/dagRuns/{run.run_id}/taskInstances/{task.task_id}"
                api.request("PATCH", path, body={"new_state": left.pop(task.task_id)})
        time.sleep(0.3)
    assert left == {}
    return api.wait_for_run(run, 240, check=airflow.airflow.check)


def settled(receiver: Receiver, runs: int) -> Numbers:
    """The numbers of a receiver once it has heard of all runs, and a little later."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = receiver.numbers()
        ended = found.total("airflow.dag_run.failure") + found.total("airflow.dag_run.success")
        if ended >= runs:
            time.sleep(1)
            return receiver.numbers()
        time.sleep(0.2)
    return receiver.numbers()


def outcomes(found: Numbers) -> Counter[tuple[str, str]]:
    """Outcomes by metric and task, of the one DAG; each has all of its tags."""
    by_task: Counter[tuple[str, str]] = Counter()
    for (name, pairs), value in found.counters.items():
        tags = dict(pairs)
        if name in OUTCOMES and tags.get("dag") == DAG_ID:
            assert tags == {
                "dag": DAG_ID,
                "task": tags["task"],
                "owner": "finance",
                "tier": "gold",
            }
            by_task[name, tags["task"]] += int(value)
    return by_task


def sure(found: Numbers) -> dict[Key, float]:
    """All counters but those of a process that was deferred: it does not wait to be heard."""
    return {
        series: value
        for series, value in found.counters.items()
        if series[0] != "airflow_task_started"
        or dict(series[1])["task"] not in ("deferred", "rescheduled")
    }


def run_and_compare(airflow: StartedAirflow, receivers: dict[str, Receiver], runs: int) -> None:
    run = run_all_fates(airflow)
    address = metadata.address("metered")
    in_database = database_says(address, DAG_ID)
    heard = {name: settled(receiver, runs) for name, receiver in receivers.items()}
    for name, found in heard.items():
        assert outcomes(found) == in_database, name
        assert found.total("airflow.dag_run.failure", dag=DAG_ID) == runs, name
    by_state = states(address, DAG_ID, run.run_id)
    assert {"success", "failed", "skipped", "upstream_failed"} <= set(by_state)
    assert by_state.total() >= 60
    first = heard["statsd"]
    for name, found in heard.items():
        assert sure(found) == sure(first), name
        assert {k: round(v, 2) for k, v in found.counts.items()} == {
            k: round(v, 2) for k, v in first.counts.items()
        }, name


@pytest.mark.timeout(900)
def test_all_fates_twice_in_all_sinks(
    metered: StartedAirflow, receivers: dict[str, Receiver], folder: Path
) -> None:
    """72 task instances: success, retry, failure, skip, SIGKILL, mapped, deferred, by hand."""
    for runs in (1, 2):
        run_and_compare(metered, receivers, runs)
    found = receivers["statsd"].numbers()
    assert found.total("orders.loaded", task="t0_ok", country="de") == 2 * 42
    assert found.total("tried") == 2 * 3
    assert found.total("mapped") == 2 * 6
    assert found.total("resumed") == 2
    for task in BY_HAND:
        assert found.total("before.the.end", which=task) == 2, "told before the process was killed"
        assert found.total("airflow.task.state_set", task=task) == 2


LEGS = """
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG, task
    import time

    with DAG("legs"):
        @task
        def fine(): ...

        @task
        def failing():
            raise ValueError("on purpose")

        fine()
        failing() >> EmptyOperator(task_id="after")

    with DAG("endless"):
        @task
        def forever():
            time.sleep(600)

        forever() >> EmptyOperator(task_id="after")
"""


def test_what_is_cleared_counts_again_and_what_is_set_after_the_end_does_not(
    metered: StartedAirflow, receivers: dict[str, Receiver]
) -> None:
    api = metered.api
    metered.drop("legs.py", LEGS, "legs", "endless")
    run = metered.run("legs")
    time.sleep(2)
    api.clear(run, task_ids=["failing", "after"])
    run = api.wait_for_run(run, 90)
    time.sleep(2)
    path = f"/dags/legs/dagRuns/{run.run_id}"
    api.request("PATCH", path, body={"state": "success"})
    # This clears what is downstream, so the run goes on and ends a third time.
    api.request("PATCH", f"{path}/taskInstances/failing", body={"new_state": "success"})

    ended = api.trigger("endless")
    deadline = time.monotonic() + 60
    while not any(task.state == "running" for task in api.task_instances("endless", ended.run_id)):
        assert time.monotonic() < deadline
        time.sleep(0.3)
    api.request("PATCH", f"/dags/endless/dagRuns/{ended.run_id}", body={"state": "failed"})
    time.sleep(4)

    found = receivers["statsd"].numbers()

    def counted(dag: str, task: str) -> dict[str, float]:
        names = {name for name, _ in found.counters if name in OUTCOMES}
        by_name = {name: found.total(name, dag=dag, task=task) for name in names}
        return {name.removeprefix("airflow_task_"): n for name, n in by_name.items() if n}

    assert counted("legs", "fine") == {"success": 1}
    assert counted("legs", "failing") == {"failure": 2}
    assert counted("legs", "after") == {"upstream_failed": 2, "success": 1}
    assert found.total("airflow.dag_run.failure", dag="legs") == 2
    assert found.total("airflow.dag_run.success", dag="legs") == 1
    assert found.total("airflow.task.state_set", dag="legs", state="success") == 1
    assert counted("endless", "forever") == {"failure": 1}
    assert counted("endless", "after") == {"skipped": 1}
    assert found.total("airflow.dag_run.failure", dag="endless") == 1


def test_an_unknown_sink_is_one_line_in_the_log(metered: StartedAirflow) -> None:
    run = metered.api.trigger(DAG_ID)
    try:
        deadline = time.monotonic() + 90
        said: list[str] = []
        while not said and time.monotonic() < deadline:
            for task in metered.api.task_instances(DAG_ID, run.run_id):
                if task.task_id == "t0_ok" and task.state == "success":
                    lines = metered.api.task_log(task)
                    said = [line for line in lines if UNKNOWN in line]
            time.sleep(0.5)
    finally:
        path = f"/dags/{DAG_ID}/dagRuns/{run.run_id}"
        metered.api.request("PATCH", path, body={"state": "failed"})
    assert said == [
        "Metrics sink grafite://nowhere does not work, tasks go on without it: there is no sink "
        "'grafite'. There are cloudwatch, dogstatsd, emf, otlp, otlps, pushgateway, "
        "pushgateways, statsd, textfile; one of your own is written import:package.module.Class"
    ]
