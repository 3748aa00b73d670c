"""The queue: nothing waits, nothing is lost, nothing spreads from one sink to another."""

from __future__ import annotations

import logging
import os
import threading
import time

import pytest

from airflow_dataops import metrics
from airflow_dataops.core.metrics.settings import MetricSettings
from airflow_dataops.core.metrics.tags import TagPolicy
from tests.fakes.metric_sink import FakeSink
from tests.fakes.statsd_server import StatsdServer
from tests.pace import at_most
from tests.unit.metrics.pipelines import QUICK, in_use, pipeline_into, pipeline_to


def test_without_a_pipeline_nothing_happens() -> None:
    metrics.count("orders")
    metrics.gauge("orders", -1)
    metrics.timing("orders", 1)
    assert metrics.flush() is True


def test_counters_add_up_gauges_hold_timings_spread() -> None:
    sink = FakeSink()
    with in_use(pipeline_into(sink)):
        for value in (1, 2, 3):
            metrics.count("orders", value, tags={"country": "de"})
            metrics.gauge("stock", value)
            metrics.timing("load", value)
        assert metrics.flush() is True
    assert sink.total("orders") == 6
    assert [*sink.sent.gauges.values()] == [3]
    (timing,) = sink.timings("load")
    assert (timing.count, timing.total) == (3, 6)


def test_what_is_reported_is_sent_without_being_asked() -> None:
    sink = FakeSink()
    with in_use(pipeline_into(sink)):
        metrics.count("orders")
        deadline = time.monotonic() + 5
        while not sink.sends and time.monotonic() < deadline:
            time.sleep(0.01)
    assert sink.total("orders") == 1


def test_from_many_threads_every_event_arrives_once() -> None:
    sink = FakeSink()
    with in_use(pipeline_into(sink)):
        threads = [
            threading.Thread(target=lambda: [metrics.count("n") for _ in range(5000)])
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert metrics.flush(5) is True
    assert sink.total("n") == 40_000


def test_a_sink_that_raises_keeps_what_it_missed_and_is_reported_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "airflow_dataops.metrics")
    broken, healthy = FakeSink(failing=ConnectionRefusedError("nobody\nlistens")), FakeSink()
    with in_use(pipeline_into(broken, healthy)):
        for _ in range(3):
            metrics.count("orders")
            assert metrics.flush() is False
        assert healthy.total("orders") == 3
        broken.failing = None
        assert metrics.flush() is True
    assert broken.total("orders") == 3
    assert [record.getMessage() for record in caplog.records] == [
        "Metrics sink sink-0 does not work, tasks go on without it: "
        "ConnectionRefusedError: nobody listens",
        "Metrics sink sink-0 works again; nothing was lost.",
    ]


def test_a_sink_that_hangs_delays_nobody(caplog: pytest.LogCaptureFixture) -> None:
    hanging, healthy = FakeSink(), FakeSink()
    hanging.gate.clear()
    with in_use(pipeline_into(hanging, healthy)):
        metrics.count("orders")
        began = time.monotonic()
        assert metrics.flush(0.3) is False
        assert 0.2 < time.monotonic() - began < at_most(1.5)
        assert healthy.total("orders") == 1
        hanging.gate.set()
        assert metrics.flush(5) is True
    assert hanging.total("orders") == 1
    assert [record.getMessage() for record in caplog.records] == [
        "Metrics sink sink-0 does not work, tasks go on without it: no answer within 0.3 s"
    ]


def test_what_one_send_took_is_not_sent_again() -> None:
    """A batch is sent in parts; one that fails is sent again, those before it are not."""
    sink = FakeSink(limit=2)
    real, calls = sink.send, []

    def second_fails(batch: object) -> None:
        calls.append(batch)
        if len(calls) == 2:
            raise OSError("once")
        real(batch)  # type: ignore[arg-type]

    sink.send = second_fails  # type: ignore[method-assign]
    with in_use(pipeline_into(sink)):
        for number in range(5):
            metrics.count(f"n{number}")
        assert metrics.flush() is False
        assert metrics.flush() is True
    assert sorted(sink.sent.counters.values()) == [1] * 5


def test_a_child_process_sends_its_own_and_not_its_parents() -> None:
    with StatsdServer() as server, in_use(pipeline_to(f"statsd://127.0.0.1:{server.port}")):
        metrics.count("from.parent")
        metrics.flush()
        metrics.count("from.parent")
        if (child := os.fork()) == 0:
            metrics.count("from.child")
            os._exit(0 if metrics.flush(5) else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert metrics.flush() is True
        assert server.wait_for("from.child", 1) == 1
        assert server.wait_for("from.parent", 2) == 2


def test_a_fork_in_the_middle_of_counting_does_not_block(server: StatsdServer) -> None:
    """Another thread may hold any lock at the moment of the fork."""
    with in_use(pipeline_to(f"statsd://127.0.0.1:{server.port}")):
        stop = threading.Event()
        busy = threading.Thread(
            target=lambda: [metrics.count("n") for _ in iter(stop.is_set, True)]
        )
        busy.start()
        children = []
        for _ in range(10):
            if (child := os.fork()) == 0:
                metrics.count("from.child")
                os._exit(0 if metrics.flush(5) else 1)
            children.append(child)
        stop.set()
        busy.join()
        assert [os.waitpid(child, 0)[1] for child in children] == [0] * 10
    assert server.wait_for("from.child", 10) == 10


@pytest.fixture
def server() -> object:
    with StatsdServer() as running:
        yield running


def test_series_are_bounded_and_no_count_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    sink = FakeSink()
    settings = MetricSettings(sinks=("test",), flush_seconds=0.05, max_series=10)
    with in_use(pipeline_into(sink, settings=settings)):
        for number in range(1000):
            metrics.count("orders", tags={"customer": str(number)})
        metrics.flush()
    assert len(sink.sent.counters) == 11
    assert sink.total("orders") == 1000
    assert [record.getMessage()[:60] for record in caplog.records] == [
        "More than 10 series of metrics in this process (the newest i"
    ]


def test_tags_follow_the_policy() -> None:
    sink = FakeSink()
    policy = TagPolicy(deny=frozenset({"country"}), constant=(("env", "prod"),))
    settings = MetricSettings(sinks=("test",), policy=policy)
    with in_use(pipeline_into(sink, settings=settings)):
        metrics.count("orders", tags={"country": "de", "run_id": "x", "shop": 7, "none": None})
        metrics.flush()
    ((_, tags),) = sink.sent.counters
    assert tags == (("env", "prod"), ("shop", "7"))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, "many", None, 10**400])
def test_a_value_that_is_none_is_dropped_counted_and_said(
    value: float, caplog: pytest.LogCaptureFixture
) -> None:
    sink = FakeSink()
    with in_use(pipeline_into(sink)):
        metrics.count("orders", value)
        metrics.count("orders", value)
        metrics.flush()
    assert sink.total("orders") == 0
    assert sink.total("dataops.metrics.dropped") == 2
    assert [record.getMessage() for record in caplog.records] == [
        "Metric orders: a value was dropped; a counter takes a finite number that is 0 or more."
    ]


def test_injection_and_long_tags_are_cleaned_and_said_once(
    server: StatsdServer, caplog: pytest.LogCaptureFixture
) -> None:
    with in_use(pipeline_to(f"statsd://127.0.0.1:{server.port}?tags=influxdb")):
        for _ in range(2):
            metrics.count(
                "a:1|c\nairflow.task.failure:1000|c\x00", tags={"x\ny": "1|#z\r\n" * 2000}
            )
        metrics.flush()
        server.wait_for("nothing", 1, 0.2)
    assert server.wrong == []
    ((name, _),) = server.counters
    assert name.startswith("a_1_c_airflow.task.failure_1000_c_,x_y=1_z_1_z")
    assert len(name) < 250
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "Metric 'a:1|c\\nairflow.task.failure:1000|c\\x00' has characters or a length that not "
        "every sink takes; it is sent as a_1_c_airflow.task.failure_1000_c_.",
        said[1],
    ]
    assert said[1].startswith("Metric a_1_c_airflow.task.failure_1000_c_: tag 'x\\ny' has charac")


def test_nothing_runs_before_the_first_event() -> None:
    before = threading.active_count()
    pipeline_into(FakeSink(), settings=QUICK)
    assert threading.active_count() == before
