"""A small client of Airflow's public REST API, for the demo and the tests.

The shapes are those of Airflow 3.3's `/api/v2` (see `/docs` of a running api-server).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from tools.airflow_answers import (
    DagRun,
    ImportFailure,
    Json,
    TaskInstance,
    dag_run,
    log_lines,
    task_instance,
)

if TYPE_CHECKING:
    from datetime import datetime

PAGE = 100  # the greatest page that Airflow gives by default
POLL_SECONDS = 0.4


class ApiError(Exception):
    """Airflow refused a request, or what was waited for did not come."""


RunProgress = Callable[[DagRun, Sequence[TaskInstance]], None]


class AirflowApi:
    """Requests to one api-server.

    Args:
        url: where it listens, without a path: `http://127.0.0.1:8080`.
        username, password: a user of the simple auth manager.
    """

    def __init__(self, url: str, *, username: str, password: str) -> None:
        self.url = url
        self.login = {"username": username, "password": password}
        # A proxy from the environment has no business with 127.0.0.1.
        self._client = httpx.Client(base_url=url, timeout=30, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int | bool] | None = None,
        body: Json = None,
    ) -> Json:
        """Send a request below `/api/v2` and return its decoded answer (None if empty).

        Raises:
            ApiError: the server answered with an error; the text has status and detail.
            httpx.TransportError: it cannot be reached.
        """
        self.log_in()
        answer = self._client.request(method, f"/api/v2{path}", params=query, json=body)
        return _decoded(answer)

    def log_in(self) -> None:
        """Get a token, unless there is one.

        Raises:
            ApiError: who listens there is not Airflow, or not the one with this password.
            httpx.TransportError: nobody listens.
        """
        if "Authorization" in self._client.headers:
            return
        answer = _decoded(self._client.post("/auth/token", json=self.login))
        if not isinstance(answer, dict) or "access_token" not in answer:
            raise ApiError(f"{self.url} gives no token: it is not Airflow that listens there.")
        self._client.headers["Authorization"] = f"Bearer {answer['access_token']}"

    @retry(
        # A small machine that starts four processes may keep a question waiting.
        retry=retry_if_exception_type(httpx.TimeoutException),
        stop=stop_after_attempt(3),
        reraise=True,
    )
    def get(self, path: str, **query: str | int | bool) -> Json:
        """The answer to a GET request, which is asked again if it takes too long."""
        return self.request("GET", path, query=query)

    def _pages(self, path: str, field: str, **query: str | int | bool) -> Iterator[Json]:
        offset = 0
        while True:
            page = self.get(path, limit=PAGE, offset=offset, **query)
            yield from page[field]
            offset += PAGE
            if offset >= page["total_entries"]:
                return

    def health(self) -> Json:
        """State and last heartbeat of each component: `{"scheduler": {"status": ...}, ...}`."""
        return _decoded(self._client.get("/api/v2/monitor/health"))

    # DAGs

    def dag_ids(self) -> set[str]:
        """Ids of the DAGs that are loaded now."""
        return {dag["dag_id"] for dag in self._pages("/dags", "dags") if not dag["is_stale"]}

    def dag(self, dag_id: str) -> Json:
        """A DAG with its details."""
        return self.get(f"/dags/{_part(dag_id)}/details")

    def dag_tasks(self, dag_id: str) -> list[Json]:
        """The tasks of a DAG's newest version, each with `task_id`, `downstream_task_ids`, ..."""
        return list(self.get(f"/dags/{_part(dag_id)}/tasks")["tasks"])

    def dag_versions(self, dag_id: str) -> list[Json]:
        """The versions of a DAG, oldest first."""
        return list(
            self._pages(
                f"/dags/{_part(dag_id)}/dagVersions", "dag_versions", order_by="version_number"
            )
        )

    def unpause(self, dag_id: str) -> None:
        """Let a DAG's runs run."""
        self.request("PATCH", f"/dags/{_part(dag_id)}", body={"is_paused": False})

    def reparse(self, dag_id: str) -> None:
        """Have the DAG's file parsed as soon as possible."""
        token = self.dag(dag_id)["file_token"]
        self.request("PUT", f"/parseDagFile/{_part(token)}")

    def import_errors(self) -> list[ImportFailure]:
        """The DAG files that do not load."""
        return [
            ImportFailure(filename=error["filename"], stack_trace=error["stack_trace"])
            for error in self._pages("/importErrors", "import_errors")
        ]

    def wait_for_dags(
        self, dag_ids: Sequence[str], timeout: float, check: Callable[[], None] = lambda: None
    ) -> None:
        """Wait until DAGs are loaded; `check` is called in between and may raise.

        Raises:
            ApiError: they did not come within `timeout` seconds; the text has the import errors.
        """
        deadline = time.monotonic() + timeout
        while missing := set(dag_ids) - self.dag_ids():
            check()
            if time.monotonic() > deadline:
                raise ApiError(_missing_dags(missing, timeout, self.import_errors()))
            time.sleep(POLL_SECONDS)

    def add_connection(self, conn_id: str, conn_type: str, **fields: Json) -> None:
        """Store a connection; fields are those of Airflow: `host`, `schema`, `extra`, ..."""
        body = {"connection_id": conn_id, "conn_type": conn_type, **fields}
        self.request("POST", "/connections", body=body)

    # Runs

    def trigger(
        self,
        dag_id: str,
        *,
        logical_date: datetime | None = None,
        conf: Mapping[str, Json] | None = None,
        run_id: str | None = None,
    ) -> DagRun:
        """Start a run; `logical_date` must know its time zone."""
        body: dict[str, Json] = {
            "logical_date": logical_date.isoformat() if logical_date else None,
            "conf": dict(conf or {}),
        }
        if run_id:
            body["dag_run_id"] = run_id
        return dag_run(self.request("POST", f"/dags/{_part(dag_id)}/dagRuns", body=body))

    def run(self, dag_id: str, run_id: str) -> DagRun:
        """A run as it is now."""
        return dag_run(self.get(_run_path(dag_id, run_id)))

    def task_instances(self, dag_id: str, run_id: str) -> list[TaskInstance]:
        """All task instances of a run."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances"
        return [task_instance(each) for each in self._pages(path, "task_instances")]

    def wait_for_run(
        self,
        run: DagRun,
        timeout: float,
        *,
        progress: RunProgress | None = None,
        check: Callable[[], None] = lambda: None,
        poll: float = POLL_SECONDS,
    ) -> DagRun:
        """Wait until a run has ended, well or not.

        Args:
            timeout: seconds.
            poll: seconds between two looks; each costs the api-server some 0.1 s.
            progress: called after each look with the run and its task instances.
            check: called in between; may raise, for example when Airflow has died.

        Raises:
            ApiError: the run did not end in time; the text has the unfinished tasks.
        """
        deadline = time.monotonic() + timeout
        while True:
            run = self.run(run.dag_id, run.run_id)
            if progress:
                progress(run, self.task_instances(run.dag_id, run.run_id))
            if run.finished:
                return run
            check()
            if time.monotonic() > deadline:
                raise ApiError(
                    _unfinished(run, timeout, self.task_instances(run.dag_id, run.run_id))
                )
            time.sleep(poll)

    def clear(self, run: DagRun, *, task_ids: Sequence[str] | None = None) -> None:
        """Have tasks of a run (all of them by default) run again."""
        body: dict[str, Json] = {
            "dry_run": False,
            "dag_run_id": run.run_id,
            "only_failed": False,
            "reset_dag_runs": True,
        }
        if task_ids is not None:
            body["task_ids"] = list(task_ids)
        self.request("POST", f"/dags/{_part(run.dag_id)}/clearTaskInstances", body=body)

    # What tasks left behind

    def xcom(self, task: TaskInstance, key: str = "return_value") -> Json:
        """The value that a task returned (or pushed as `key`); None if there is none."""
        path = f"{_task_path(task)}/xcomEntries/{_part(key)}"
        try:
            return self.get(path, map_index=task.map_index)["value"]
        except NotFoundError:
            return None

    def task_log(self, task: TaskInstance, try_number: int | None = None) -> list[str]:
        """The lines of a task's log, the last try's by default."""
        path = f"{_task_path(task)}/logs/{try_number or max(task.try_number, 1)}"
        content = self.get(path, map_index=task.map_index, full_content=True)["content"]
        return [line for entry in content for line in log_lines(entry)]


class NotFoundError(ApiError):
    """There is no such thing."""


def _part(text: str) -> str:
    return quote(text, safe="")


def _run_path(dag_id: str, run_id: str) -> str:
    return f"/dags/{_part(dag_id)}/dagRuns/{_part(run_id)}"


def _task_path(task: TaskInstance) -> str:
    return f"{_run_path(task.dag_id, task.run_id)}/taskInstances/{_part(task.task_id)}"


def _decoded(answer: httpx.Response) -> Json:
    request = answer.request
    if answer.is_success:
        try:
            return answer.json() if answer.content else None
        except ValueError:
            raise ApiError(f"{request.method} {request.url} was answered with no JSON.") from None
    kind = NotFoundError if answer.status_code == httpx.codes.NOT_FOUND else ApiError
    raise kind(
        f"{request.method} {request.url.path} was answered with "
        f"{answer.status_code} {answer.reason_phrase}: {answer.text[:2000]}"
    )


def _missing_dags(missing: set[str], timeout: float, errors: Sequence[ImportFailure]) -> str:
    found = "\n".join(f"{error.filename}:\n{error.stack_trace}" for error in errors)
    return f"{', '.join(sorted(missing))} did not load within {timeout:.0f} s. " + (
        f"Import errors:\n{found}" if found else "There are no import errors."
    )


def _unfinished(run: DagRun, timeout: float, tasks: Sequence[TaskInstance]) -> str:
    left = [f"{task.task_id} ({task.state})" for task in tasks if task.state != "success"]
    return (
        f"Run {run.run_id} of {run.dag_id} is {run.state} after {timeout:.0f} s. "
        f"Not successful: {', '.join(left) or 'nothing'}."
    )
