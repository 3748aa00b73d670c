"""A client of BigQuery's emulator, which has no scripts: a thread runs their statements.

Only jobs with an id of the client's own are run like that, as a script without a session.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from google.api_core.exceptions import BadRequest, GoogleAPIError

from airflow_dataops.hooks import sql_runner
from airflow_dataops.hooks.bigquery_session import BigQuerySession
from tests.emulators.scripting import run_script

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

jobs: dict[str, Script] = {}
_hold = threading.Event()


class Script:
    """One job."""

    project, location = "emulated", "US"

    def __init__(self, job_id: str, sql: str, client: Any) -> None:
        self.job_id = job_id
        self.state = "RUNNING"
        self._sql = sql
        self._client = client
        self._changed = ""
        self._error: Exception | None = None
        self._cancelled = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def result(self) -> list[Any]:
        while self.state != "DONE":
            time.sleep(0.01)
        if self._error is not None:
            raise self._error
        return [SimpleNamespace(values=lambda: (self._changed,))]

    def cancel(self) -> None:
        self._cancelled.set()

    def _run(self) -> None:
        session = BigQuerySession(self._client)
        session._ensure_session()
        try:
            self._changed = run_script(self._sql, "bigquery", session.execute, self._held)
        except GoogleAPIError as error:
            self._error = error
        finally:
            session._abort()
            self.state = "DONE"

    def _held(self) -> None:
        while _hold.is_set() and not self._cancelled.is_set():
            time.sleep(0.01)
        if self._cancelled.is_set():
            raise BadRequest("Job execution was cancelled: User requested cancellation")  # type: ignore[no-untyped-call]


class Client:
    """Google's client with scripts."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def query(self, sql: str, job_config: Any, job_id: str | None = None, **place: Any) -> Any:
        if job_id is None:
            return self._client.query(sql, job_config=job_config, **place)
        jobs[job_id] = Script(job_id, sql, self._client)
        return jobs[job_id]

    def get_job(self, job_id: str, project: str, location: str) -> Script:
        assert (project, location) == (Script.project, Script.location)
        return jobs[job_id]


def use_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let sessions have the client with scripts."""
    connect = sql_runner._connect_bigquery

    def connected(hook: Any, tag: Any) -> BigQuerySession:
        session = connect(hook, tag)
        session._client = Client(session._client)  # type: ignore[assignment]
        return session

    monkeypatch.setattr(sql_runner, "_connect_bigquery", connected)


@contextmanager
def held() -> Iterator[None]:
    """Let no script come to its commit in the block."""
    _hold.set()
    try:
        yield
    finally:
        _hold.clear()
