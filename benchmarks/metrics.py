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
    """What Airflow's scheduler spends on a run without the plugin and with it.

    The sink is dead. It is the scheduler's own code from a queued run to its end; the tasks
    themselves are played. Rounds with and without take turns. What counts is processor time of
    the whole process, with what the plugin does in the background: others on the machine do not
    disturb it.
    """
    from airflow.listeners.listener import get_listener_manager

    from airflow_dataops.adapters.metrics import current

    played = Played()
    taken: dict[str, float] = {"without": 0.0, "with": 0.0}
    with _pipeline("otlp://127.0.0.1:9"):
        listener = _listener()
        manager = get_listener_manager()
        # Imports and first calls on both sides, before anything is measured.
        manager.pm.register(listener)
        played.handle(10, finish=listener._run_ends.finish)
        current.flush(10)
        manager.pm.unregister(listener)
        for number in range(2 * ROUNDS):
            # Without, with, with, without: what grows meanwhile burdens both.
            name = ("without", "with")[number % 4 in (1, 2)]
            if name == "with":
                manager.pm.register(listener)
            taken[name] += played.handle(RUNS // ROUNDS, finish=listener._run_ends.finish)
            if name == "with":
                manager.pm.unregister(listener)
    return {
        "runs": RUNS,
        "without_ms_per_run": round(1000 * taken["without"] / RUNS, 3),
        "with_ms_per_run": round(1000 * taken["with"] / RUNS, 3),
        "speed": round(taken["without"] / taken["with"], 4),
    }


class _Nothing:
    """A listener without a body."""

    def __init__(self) -> None:
        from airflow.listeners import hookimpl

        def on_task_instance_success(previous_state: Any, task_instance: Any) -> None: ...

        self.on_task_instance_success = hookimpl(on_task_instance_success)


def _listener() -> Any:
    from airflow_dataops.plugins.listener import Listener
    from airflow_dataops.plugins.run_ends import RunEnds

    return Listener(RunEnds(), task_events=True)


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
