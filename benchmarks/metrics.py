"""What metrics cost: a hook in the task's path, the scheduler at a run's end, a million events.

    python -m benchmarks.metrics hooks
    python -m benchmarks.metrics memory
    python -m benchmarks.metrics scheduler

Each prints one line of JSON. The receivers are on this machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from benchmarks.played import Played
from tests.fakes.statsd_server import StatsdServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EVENTS = 20_000
MILLION = 1_000_000
RUNS = 1_000
ROUNDS = 10


def hooks() -> dict[str, dict[str, float]]:
    """Microseconds of one hook call through Airflow's own dispatch, at the median and at 99 %.

    By what the sink does: `none` is a listener that does nothing.
    """
    found = {"none": _spread(_hook_times(_Nothing()))}
    with StatsdServer() as server, _deaf() as deaf:
        addresses = {
            "up": f"statsd://127.0.0.1:{server.port}",
            "down": "otlp://127.0.0.1:9",
            "accepts without reading": f"otlp://127.0.0.1:{deaf}?timeout=2",
        }
        for name, address in addresses.items():
            with _pipeline(address):
                found[name] = _spread(_hook_times(_listener()))
    return found


def memory() -> dict[str, float]:
    """A million events in one process, as quickly as they can be reported, into a live sink."""
    from airflow_dataops import metrics

    with StatsdServer() as server, _pipeline(f"dogstatsd://127.0.0.1:{server.port}"):
        for number in range(1000):
            metrics.count("warm.up", tags={"country": str(number % 50)})
        metrics.flush(10)
        before, began = _resident_mb(), time.perf_counter()
        greatest = before
        for number in range(MILLION):
            metrics.count("orders", tags={"country": str(number % 50)})
            if number % 10_000 == 0:
                greatest = max(greatest, _resident_mb())
        seconds = time.perf_counter() - began
        metrics.flush(30)
        arrived = server.wait_for("orders", MILLION, 30)
        return {
            "events": MILLION,
            "arrived": arrived,
            "dropped": server.total("dataops.metrics.dropped"),
            "seconds": round(seconds, 2),
            "grown_mb": round(greatest - before, 1),
            "resident_mb": round(greatest, 1),
        }


def scheduler() -> dict[str, float]:
    """What Airflow's scheduler spends on a run, and which part of it is the plugin's.

    The sink is dead. It is the scheduler's own code from a queued run to its end; the tasks
    themselves are played. The plugin's part is the processor time of its hooks and its threads:
    to compare runs with and without it, a shared machine is not steady enough.
    """
    from airflow.listeners.listener import get_listener_manager

    from airflow_dataops.adapters.metrics import current
    from airflow_dataops.plugins.listener import Listener
    from airflow_dataops.plugins.metrics_feed import MetricsFeed
    from airflow_dataops.plugins.run_listener import RunListener

    played = Played()
    hooks_took = [0.0]
    with _pipeline("otlp://127.0.0.1:9"):
        listeners = [Listener(task_events=True), RunListener(feed := MetricsFeed())]
        for listener in listeners:
            for name in {"on_dag_run_running", "on_dag_run_success"} & set(dir(listener)):
                _time(listener, name, hooks_took)
            get_listener_manager().pm.register(listener)
        # Imports and first calls, before anything is measured.
        played.handle(10, finish=feed.finish)
        current.flush(10)
        before = hooks_took[0] + _threads_took()
        total = sum(played.handle(RUNS // ROUNDS, finish=feed.finish) for _ in range(ROUNDS))
        plugin = hooks_took[0] + _threads_took() - before
    return {
        "runs": RUNS,
        "scheduler_ms_per_run": round(1000 * (total - plugin) / RUNS, 3),
        "plugin_ms_per_run": round(1000 * plugin / RUNS, 3),
        "speed": round((total - plugin) / total, 4),
    }


def _time(listener: Any, name: str, took: list[float]) -> None:
    """Have the processor time of a hook added up."""
    from airflow.listeners import hookimpl

    hook = getattr(listener, name)

    def timed(dag_run: Any, msg: str) -> None:
        began = time.thread_time()
        hook(dag_run=dag_run, msg=msg)
        took[0] += time.thread_time() - began

    setattr(listener, name, hookimpl(timed))


def _threads_took() -> float:
    """Return the processor seconds of the plugin's threads."""
    return sum(
        time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
        for thread in threading.enumerate()
        if thread.ident and thread.name.startswith("metrics")
    )


class _Nothing:
    """A listener without a body."""

    def __init__(self) -> None:
        from airflow.listeners import hookimpl

        def on_task_instance_success(previous_state: Any, task_instance: Any) -> None: ...

        self.on_task_instance_success = hookimpl(on_task_instance_success)


def _listener() -> Any:
    from airflow_dataops.plugins.listener import Listener

    return Listener(task_events=True)


@contextlib.contextmanager
def _pipeline(address: str) -> Iterator[None]:
    from airflow_dataops.adapters.metrics import current
    from airflow_dataops.adapters.metrics.pipeline import Pipeline
    from airflow_dataops.adapters.sinks import open_sink
    from airflow_dataops.core.metrics.settings import MetricSettings, parse_sink

    spec = parse_sink(address)
    current.use(Pipeline(MetricSettings(sinks=(address,)), {str(spec): partial(open_sink, spec)}))
    try:
        yield
    finally:
        current.use(None)


def _hook_times(listener: Any) -> list[float]:
    from airflow.sdk import DAG, BaseOperator
    from airflow.sdk._shared.listeners.listener import ListenerManager
    from airflow.sdk._shared.listeners.spec import taskinstance

    manager = ListenerManager()
    manager.add_hookspecs(taskinstance)
    manager.add_listener(listener)
    with DAG("shop", tags=["tier:gold", "daily"]):
        task = BaseOperator(task_id="load", owner="finance")
    instance = SimpleNamespace(dag_id="shop", task_id="load", task=task, state="success")
    call = partial(
        manager.hook.on_task_instance_success, previous_state="running", task_instance=instance
    )
    for _ in range(2000):
        call()
    return list(_times(call, EVENTS))


def _times(call: Callable[[], object], number: int) -> Iterator[float]:
    for _ in range(number):
        began = time.perf_counter_ns()
        call()
        yield (time.perf_counter_ns() - began) / 1000


def _spread(times: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(times, n=1000)
    return {"p50": round(cuts[499], 1), "p99": round(cuts[989], 1), "p999": round(cuts[998], 1)}


@contextlib.contextmanager
def _deaf() -> Iterator[int]:
    """A port that accepts connections and never reads from them."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        for connection in held:
            connection.close()


def _resident_mb() -> float:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    what = {"hooks": hooks, "memory": memory, "scheduler": scheduler}[sys.argv[1]]
    with tempfile.TemporaryDirectory() as home:
        os.environ["AIRFLOW_HOME"] = home
        os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
        os.environ["AIRFLOW__CORE__PARALLELISM"] = "10000"
        os.environ["AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG"] = "10000"
        os.environ["AIRFLOW__CORE__MAX_ACTIVE_RUNS_PER_DAG"] = "10000"
        with contextlib.redirect_stdout(sys.stderr):
            found = what()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
