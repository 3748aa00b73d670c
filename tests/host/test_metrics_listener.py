"""How long a task's process waits for its sinks at its end."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from airflow_dataops.core.metrics.settings import MetricSettings
from airflow_dataops.plugins.listener import Listener
from airflow_dataops.plugins.run_ends import RunEnds
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
    listener = Listener(RunEnds(), task_events=True)
    with in_use(pipeline_into(sink, settings=settings)):
        listener.on_task_instance_running("queued", TASK)
        if ends:
            listener.on_task_instance_success("running", TASK)
        began = time.monotonic()
        listener.before_stopping(component=None)
        assert least < time.monotonic() - began < at_most(most)
        sink.gate.set()
