"""How long a task's process waits for its sinks at its end."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_dataops.core.metrics.settings import MetricSettings
from airflow_dataops.core.runs import DagInfo, RunRow, RunRows
from airflow_dataops.hooks import run_rows
from airflow_dataops.plugins.listener import Listener
from airflow_dataops.plugins.metrics_feed import MetricsFeed
from airflow_dataops.plugins.run_listener import RunListener
from tests.fakes.metric_sink import FakeSink
from tests.pace import at_most
from tests.unit.metrics.pipelines import in_use, pipeline_into

TASK = SimpleNamespace(dag_id="shop", task_id="load", task=None, state=None)


@pytest.mark.parametrize(
    ("ends", "least", "most"), [(True, 1.4, 5), (False, 0.1, 1.2)], ids=["ended", "deferred"]
)
def test_a_deferred_task_does_not_linger_and_another_one_only_for_so_long(
    ends: bool, least: float, most: float
) -> None:
    """Airflow fails a deferred task whose process outlives the trigger."""
    sink = FakeSink()
    sink.gate.clear()
    settings = MetricSettings(sinks=("test",), flush_seconds=0.05, exit_seconds=1.5)
    listener = Listener(task_events=True)
    with in_use(pipeline_into(sink, settings=settings)):
        listener.on_task_instance_running("queued", TASK)
        if ends:
            listener.on_task_instance_success("running", TASK)
        began = time.monotonic()
        listener.before_stopping(component=None)
        assert least < time.monotonic() - began < at_most(most)
        sink.gate.set()


def test_a_run_is_counted_once_its_end_is_committed_and_the_database_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Heard twice, of a database that is down at first, and then not there yet."""
    now = datetime.now(UTC)
    key = ("shop", "r")
    answers: list[Any] = [
        OSError("no route to host"),
        {key: RunRows(RunRow(*key, state="running"), [], [], DagInfo())},
        {key: RunRows(RunRow(*key, state="success", end_date=now), [], [], DagInfo())},
    ]

    def read_runs(keys: object, *, whole: bool = True) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(run_rows, "read_runs", read_runs)
    feed = MetricsFeed()
    feed._thread = SimpleNamespace()  # type: ignore[assignment]
    listener, sink = RunListener(feed), FakeSink()
    run = SimpleNamespace(
        dag_id="shop", run_id="r", run_type="manual", _state="success", end_date=now, start_date=now
    )
    with in_use(pipeline_into(sink)) as pipeline:
        listener.on_dag_run_success(run, "")
        listener.on_dag_run_success(run, "")
        settled = [feed.settle() for _ in range(4)]
        pipeline.flush(2)
        assert sink.total("airflow.dag_run.success") == 1
    assert (settled, answers) == ([0, 0, 1, 0], [])
