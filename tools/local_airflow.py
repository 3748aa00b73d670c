"""Airflow's real processes on this machine, in a folder of their own, for the demo and the tests.

    with LocalAirflow(Settings(home=home, dags_folder=dags)) as airflow:
        airflow.api.wait_for_dags(["shop"], timeout=60)

Metadata is SQLite, tasks run under the LocalExecutor, everything listens on 127.0.0.1 only, and
nothing outlives the `with` block or the program (see `process_guard`).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

import httpx
import psutil

from tools.airflow_api import AirflowApi, ApiError
from tools.airflow_settings import (
    USER,
    Settings,
    airflow_environment,
    free_port,
    password_of,
    prepare_sqlite,
)
from tools.guarded import Command, GuardedProcesses, ProcessError, describe_log

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from tools.airflow_answers import TaskInstance

API_SERVER = "api-server"
COMPONENTS = {
    API_SERVER: (),
    # Their log servers would listen on all interfaces; the api-server reads the same disk.
    "scheduler": ("--skip-serve-logs",),
    "dag-processor": (),
    "triggerer": ("--skip-serve-logs",),
}
# Names of the components in the answer of /monitor/health.
HEALTH = {name: name.replace("-", "_") for name in COMPONENTS if name != API_SERVER}
MIGRATION_TIMEOUT = 180.0
HEALTH_POLL_SECONDS = 0.25

Progress = Callable[[str], None]


class LocalAirflow:
    """Api-server, scheduler, dag-processor and triggerer of one home folder.

    Use it as a context manager. `api` talks to it, `url` opens in a browser, `password` is that
    of the user `admin`.

    Args:
        settings: how it is run.
        progress: is told in a few words what has been reached.
    """

    def __init__(self, settings: Settings, progress: Progress = lambda _: None) -> None:
        settings = replace(
            settings, home=settings.home.resolve(), dags_folder=settings.dags_folder.resolve()
        )
        self.settings = settings
        self._progress = progress
        self._logs = settings.home / "processes"
        self._started = datetime.now(UTC)
        port = settings.port or free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.password = password_of(settings.home)
        self.environment = airflow_environment(settings, port)
        self.api = AirflowApi(self.url, username=USER, password=self.password)
        self._processes = GuardedProcesses(
            tuple(self._command(name, name, *options) for name, options in COMPONENTS.items()),
            environment=self.environment,
            log=self._logs / "guard.log",
            grace=settings.grace,
        )

    def start(self) -> None:
        """Make the metadata database, start the processes and wait until all are healthy.

        Raises:
            ProcessError: a process failed or took too long; the text has the end of its log.
        """
        self._logs.mkdir(parents=True, exist_ok=True)
        self._started = datetime.now(UTC)
        try:
            self._migrate()
            self._processes.start()
            self._wait_until_healthy()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End all processes and everything they started; returns when they are gone."""
        self.api.close()
        self._processes.stop()

    def check(self) -> None:
        """Raise ProcessError if one of the processes has ended."""
        self._processes.check()

    @property
    def pids(self) -> dict[str, int]:
        """Process id of each component."""
        return dict(self._processes.pids)

    @property
    def guard_pid(self) -> int:
        """Process id of the ancestor of every process that runs here."""
        return self._processes.guard_pid

    def log_of(self, component: str) -> Path:
        """The file with the output of a component."""
        return self._logs / f"{component}.log"

    def _command(self, name: str, *arguments: str) -> Command:
        return Command(
            name=name,
            argv=(sys.executable, "-P", "-m", "airflow", *arguments),
            cwd=self.settings.home,
            log=self.log_of(name),
        )

    def _migrate(self) -> None:
        began = time.monotonic()
        prepare_sqlite(self.settings.home)
        migration = self._command("db-migrate", "db", "migrate")
        log = self._logs / "guard.log"
        with GuardedProcesses((migration,), environment=self.environment, log=log) as processes:
            processes.wait("db-migrate", MIGRATION_TIMEOUT)
        self._progress(f"metadata database ready ({time.monotonic() - began:.1f} s)")

    def _wait_until_healthy(self) -> None:
        began = time.monotonic()
        missing = set(COMPONENTS)
        while missing:
            for name in self._healthy() & missing:
                missing.discard(name)
                self._progress(f"{name} is up ({time.monotonic() - began:.1f} s)")
            self._processes.check()
            if time.monotonic() - began > self.settings.startup_timeout:
                raise ProcessError(self._unhealthy(missing))
            time.sleep(HEALTH_POLL_SECONDS)

    def _healthy(self) -> set[str]:
        try:
            # Another Airflow on this port would be healthy too, but has another password.
            self.api.log_in()
            health = self.api.health()
        except (httpx.TransportError, ApiError):
            return set()
        fresh = {
            name
            for name, key in HEALTH.items()
            if health[key]["status"] == "healthy"
            and self._since_start(health[key][f"latest_{key}_heartbeat"])
        }
        return {API_SERVER} | fresh

    def _since_start(self, heartbeat: str | None) -> bool:
        """Whether a heartbeat is ours and not of an earlier start on the same home."""
        return heartbeat is not None and datetime.fromisoformat(heartbeat) >= self._started

    def _unhealthy(self, missing: set[str]) -> str:
        logs = "\n".join(describe_log(self.log_of(name)) for name in sorted(missing))
        return (
            f"Airflow was not healthy after {self.settings.startup_timeout:.0f} s; "
            f"waiting for {', '.join(sorted(missing))}.\n{logs}"
        )

    def task_process(self, task: TaskInstance) -> psutil.Process | None:
        """The process in which a task instance runs now; None if it runs no more or not yet.

        It is found by the name that Airflow gives it and must descend from our own processes.
        """
        title = f"airflow worker -- {task.id}"
        for process in psutil.Process(self.guard_pid).children(recursive=True):
            try:
                if " ".join(process.cmdline()).startswith(title):
                    return process
            except psutil.NoSuchProcess:
                continue
        return None

    def kill_task(self, task: TaskInstance) -> bool:
        """Send SIGKILL to the process of a running task instance; return whether there was one."""
        process = self.task_process(task)
        if process is None:
            return False
        try:
            process.kill()
        except psutil.NoSuchProcess:
            return False
        return True

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
