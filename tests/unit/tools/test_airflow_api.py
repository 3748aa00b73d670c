"""The client against a hand-written server that answers as Airflow's `/api/v2` does."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tools.airflow_answers import TaskInstance, dag_run, log_lines
from tools.airflow_api import AirflowApi, ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "right"
RUN = {"dag_id": "shop", "dag_run_id": "a/b", "state": "running", "start_date": None}


class FakeAirflow(BaseHTTPRequestHandler):
    """Answers from tables: canned answers by path, and 250 DAGs in pages."""

    token: Any = None
    answers: dict[str, tuple[int, Any]] = {}
    asked: list[str] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        right = body.get("password") == PASSWORD
        self._answer(201 if right else 401, self.token if right else {"detail": "no"})

    def do_GET(self) -> None:
        self.asked.append(self.path)
        parts = urlsplit(self.path)
        if self.headers["Authorization"] != "Bearer t":
            self._answer(401, {"detail": "Not authenticated"})
        elif parts.path == "/api/v2/dags":
            self._answer(200, _page_of_dags(parse_qs(parts.query)))
        else:
            status, body = self.answers.get(parts.path, (404, {"detail": "not found"}))
            self._answer(status, body)

    def _answer(self, status: int, body: Any) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _page_of_dags(query: dict[str, list[str]]) -> Any:
    offset, limit = int(query["offset"][0]), int(query["limit"][0])
    dags = [{"dag_id": f"d{number}", "is_stale": number == 7} for number in range(250)]
    return {"dags": dags[offset : offset + limit], "total_entries": 250}


@pytest.fixture
def server() -> Iterator[str]:
    FakeAirflow.answers, FakeAirflow.asked = {}, []
    FakeAirflow.token = {"access_token": "t"}
    with ThreadingHTTPServer(("127.0.0.1", 0), FakeAirflow) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def api(server: str) -> Iterator[AirflowApi]:
    api = AirflowApi(server, username="admin", password=PASSWORD)
    yield api
    api.close()


def task(task_id: str) -> TaskInstance:
    return TaskInstance(
        id="1",
        dag_id="shop",
        run_id="manual__2026-01-05T00:00:00+00:00",
        task_id=task_id,
        map_index=-1,
        state="success",
        try_number=1,
        start=None,
        duration=None,
        pid=None,
    )


def test_all_pages_are_read_and_stale_dags_left_out(api: AirflowApi) -> None:
    assert api.dag_ids() == {f"d{number}" for number in range(250)} - {"d7"}
    assert len(FakeAirflow.asked) == 3


def test_a_wrong_password_is_told(server: str) -> None:
    api = AirflowApi(server, username="admin", password="wrong")
    with pytest.raises(ApiError, match="POST /auth/token was answered with 401"):
        api.dag_ids()


def test_a_server_that_is_not_airflow_is_told(server: str) -> None:
    FakeAirflow.token = "<html>"
    api = AirflowApi(server, username="admin", password=PASSWORD)
    with pytest.raises(ApiError, match="it is not Airflow that listens there"):
        api.log_in()


def test_a_proxy_of_the_environment_is_not_used(
    api: AirflowApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert "d0" in api.dag_ids()


def test_an_error_names_request_status_and_detail(api: AirflowApi) -> None:
    FakeAirflow.answers["/api/v2/dags/x/details"] = (500, {"detail": "database is gone"})
    with pytest.raises(ApiError, match=r"/api/v2/dags/x/details .* 500 .*database is gone"):
        api.dag("x")


def test_ids_with_slashes_and_signs_stay_one_part_of_the_path(api: AirflowApi) -> None:
    with pytest.raises(ApiError, match="404"):
        api.run("a/b?c", "manual__2026-01-05T00:00:00+00:00")
    assert FakeAirflow.asked[-1] == (
        "/api/v2/dags/a%2Fb%3Fc/dagRuns/manual__2026-01-05T00%3A00%3A00%2B00%3A00"
    )


def test_a_missing_xcom_is_none(api: AirflowApi) -> None:
    assert api.xcom(task("staging.stg_orders")) is None


def test_waiting_for_dags_ends_with_the_import_errors(api: AirflowApi) -> None:
    error = {"filename": "shop.py", "stack_trace": "ValueError: no manifest"}
    FakeAirflow.answers["/api/v2/importErrors"] = (
        200,
        {"import_errors": [error], "total_entries": 1},
    )
    with pytest.raises(ApiError, match=r"shop did not load(?s:.*)ValueError: no manifest"):
        api.wait_for_dags(["shop", "d1"], timeout=0)


def test_waiting_for_a_run_ends_with_the_unfinished_tasks(api: AirflowApi) -> None:
    run = {**RUN, "end_date": None}
    FakeAirflow.answers["/api/v2/dags/shop/dagRuns/a%2Fb"] = (200, run)
    FakeAirflow.answers["/api/v2/dags/shop/dagRuns/a%2Fb/taskInstances"] = (
        200,
        {"task_instances": [], "total_entries": 0},
    )
    with pytest.raises(ApiError, match="is running after 0 s"):
        api.wait_for_run(dag_run(run), timeout=0)


def test_what_is_waited_for_is_checked_meanwhile(api: AirflowApi) -> None:
    """A dead Airflow ends the wait."""

    def dead() -> None:
        raise OSError("the scheduler ended")

    with pytest.raises(OSError, match="scheduler ended"):
        api.wait_for_dags(["shop"], timeout=60, check=dead)


def test_an_error_in_a_log_shows_its_frames_and_its_message() -> None:
    frame = {"filename": "shop.py", "lineno": 3, "name": "load"}
    entry = {
        "event": "Task failed",
        "error_detail": [{"exc_type": "ValueError", "exc_value": "no", "frames": [frame]}],
    }
    assert log_lines(entry) == [
        "Task failed",
        '  File "shop.py", line 3, in load',
        "ValueError: no",
    ]
    assert log_lines("one\ntwo") == ["one", "two"]
