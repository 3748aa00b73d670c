"""The demo: a dbt project runs as an Airflow DAG, two days one after the other, on DuckDB.

    python -m tools.demo         runs the days, prints what happened, leaves nothing running
    python -m tools.demo --ui    afterwards: starts Airflow with the demo's runs for a browser

Everything is kept in the folder `.demo` of the repository and made anew by each run.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import shutil
import signal
import socket
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import httpx
from rich.console import Console

from tools.airflow_api import ApiError
from tools.airflow_settings import USER, Settings
from tools.demo_progress import RunDisplay
from tools.demo_report import DayReport, collect, query_table, tasks_tables
from tools.guarded import ProcessError
from tools.local_airflow import LocalAirflow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.airflow_answers import DagRun, TaskInstance

ROOT = Path(__file__).resolve().parents[1]
UI_PORT = 8080
LOG_LINES = 30
POLL_SECONDS = 1.0
LOG_WIDTH = 160
INTERRUPTED = 130  # what shells use for Ctrl-C


class DemoError(Exception):
    """The demo did not succeed; the text says why."""


def _last_two_days() -> tuple[date, date]:
    """The last two days that are over: their data is as fresh as the sources' rules ask."""
    today = datetime.now(UTC).date()
    return today - timedelta(days=2), today - timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Demo:
    """What the demo runs and where.

    Attributes:
        dag_ids: the DAGs to run for each day, in this order.
        days: the logical dates to run, one after the other.
        query: SQL to ask the warehouse at the end.
        folder: everything that the demo writes.
        timeout: seconds that all of it may take.
    """

    dag_ids: tuple[str, ...] = ("shop_source", "shop")
    days: tuple[date, ...] = field(default_factory=_last_two_days)
    query: str = (
        "select revenue_date, order_count, order_amount, paid_amount, contribution_amount\n"
        "from marts.fin_daily_revenue\n"
        "order by revenue_date desc\n"
        "limit 7"
    )
    dags_folder: Path = ROOT / "dags"
    folder: Path = ROOT / ".demo"
    timeout: float = 300.0

    @property
    def home(self) -> Path:
        """Airflow's home."""
        return self.folder / "airflow"

    @property
    def database(self) -> Path:
        """The warehouse."""
        return self.folder / "shop.duckdb"


def settings_of(demo: Demo, *, port: int = 0) -> Settings:
    """How Airflow is run for the demo: only what is triggered runs, on one DuckDB file."""
    warehouse = {"conn_type": "duckdb", "host": str(demo.database)}
    return Settings(
        home=demo.home,
        dags_folder=demo.dags_folder,
        port=port,
        parse_seconds=30,
        startup_timeout=demo.timeout,
        scheduled=False,
        environment={"AIRFLOW_CONN_WAREHOUSE": json.dumps(warehouse)},
    )


def run_demo(demo: Demo, console: Console) -> None:
    """Run the days in a fresh Airflow and print what happened.

    Raises:
        DemoError: a run failed; the text has the end of the failing tasks' logs.
        ProcessError, ApiError: Airflow did not come up or did not answer as it should.
    """
    began = time.monotonic()
    _clean(demo)
    console.print("Starting Airflow: api-server, scheduler, dag-processor, triggerer.")
    with LocalAirflow(settings_of(demo), lambda text: console.print(f"  {text}")) as airflow:
        up = time.monotonic() - began
        airflow.api.wait_for_dags(demo.dag_ids, _left(demo, began), airflow.check)
        _print_import_errors(airflow, console)
        days = [_run_day(demo, airflow, day, began, console) for day in demo.days]
    for table in tasks_tables(days, console.width):
        console.print(table)
    _print_query(demo, console)
    total = time.monotonic() - began
    console.print(f"\nAirflow was up after {up:.0f} s; all of it took {total:.0f} s.")


def _left(demo: Demo, began: float) -> float:
    return max(demo.timeout - (time.monotonic() - began), 1.0)


def _clean(demo: Demo) -> None:
    shutil.rmtree(demo.home, ignore_errors=True)
    for file in demo.folder.glob(f"{demo.database.name}*"):
        file.unlink()
    demo.folder.mkdir(parents=True, exist_ok=True)


def _print_import_errors(airflow: LocalAirflow, console: Console) -> None:
    for error in airflow.api.import_errors():
        console.print(f"{error.filename} does not load:\n{error.stack_trace}", markup=False)


def _run_day(
    demo: Demo, airflow: LocalAirflow, day: date, began: float, console: Console
) -> DayReport:
    """Run all DAGs for one day, one after the other."""
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    runs = []
    for dag_id in demo.dag_ids:
        airflow.api.unpause(dag_id)
        run = airflow.api.trigger(dag_id, logical_date=at)
        with RunDisplay(console, f"{day} {dag_id}") as display:
            run = airflow.api.wait_for_run(
                run,
                _left(demo, began),
                progress=display.update,
                check=airflow.check,
                poll=POLL_SECONDS,
            )
        if run.state != "success":
            raise DemoError(_failure(airflow, run))
        runs.append(run)
    return collect(airflow.api, str(day), runs)


def _failure(airflow: LocalAirflow, run: DagRun) -> str:
    tasks = airflow.api.task_instances(run.dag_id, run.run_id)
    logs = [_log_tail(airflow, task) for task in tasks if task.state == "failed"]
    return "\n\n".join([f"Run {run.run_id} of {run.dag_id} is {run.state}.", *logs])


def _log_tail(airflow: LocalAirflow, task: TaskInstance) -> str:
    lines = [line for line in airflow.api.task_log(task) if not line.startswith("::")]
    tail = [f"  {line}" for line in lines[-LOG_LINES:]]
    return "\n".join([f"{task.task_id} failed. The end of its log:", *tail])


def _print_query(demo: Demo, console: Console) -> None:
    import duckdb

    with duckdb.connect(str(demo.database), read_only=True) as connection:
        cursor = connection.execute(demo.query)
        columns = [column[0] for column in cursor.description or ()]
        console.print(demo.query, markup=False, style="dim")
        console.print(query_table(columns, cursor.fetchall()))


def serve_ui(demo: Demo, console: Console) -> NoReturn:
    """Start Airflow on the demo's home and keep it until Ctrl-C.

    Raises:
        DemoError: the demo has not run yet.
    """
    if not (demo.home / "airflow.db").exists():
        raise DemoError("There is nothing to show yet. Run `make demo` first.")
    settings = settings_of(demo, port=UI_PORT if _is_free(UI_PORT) else 0)
    console.print("Starting Airflow: api-server, scheduler, dag-processor, triggerer.")
    with LocalAirflow(settings, lambda text: console.print(f"  {text}")) as airflow:
        console.print(f"\nOpen {airflow.url} and log in as {USER} with {airflow.password}")
        console.print("Ctrl-C ends it.")
        while True:
            airflow.check()
            time.sleep(1)


def _is_free(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@contextmanager
def _alone(demo: Demo) -> Iterator[None]:
    """Let only one demo at a time use the folder."""
    demo.folder.mkdir(parents=True, exist_ok=True)
    with (demo.folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(
                f"The demo runs already in {demo.folder}: end it (Ctrl-C) and try again."
            ) from None
        yield


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def main(arguments: list[str] | None = None, demo: Demo = Demo()) -> int:
    """Run the demo or its web UI; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo", description=__doc__)
    parser.add_argument("--ui", action="store_true", help="start Airflow for a browser")
    parser.add_argument("--timeout", type=float, default=demo.timeout, help="seconds for all of it")
    options = parser.parse_args(arguments)
    demo = replace(demo, timeout=options.timeout)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else LOG_WIDTH)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        with _alone(demo):
            action = serve_ui if options.ui else run_demo
            action(demo, console)
    except KeyboardInterrupt:
        console.print("\nStopped. Nothing is left running.")
        return 0 if options.ui else INTERRUPTED
    except (DemoError, ProcessError, ApiError, httpx.TransportError) as error:
        console.print(f"\n{error}", markup=False, style="red")
        return 1
    console.print("Nothing is left running. `make demo-ui` shows the runs in Airflow's web UI.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
