"""Starts bqemulator once in each test process, from an environment that is made once."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from tests import accounts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_dataops.core.ports import SqlRunner

PROJECT = "emulated"
_ROOT = Path(__file__).parents[2]
_PINS = Path(__file__).with_name("bigquery-constraints.txt")
_STARTED_WITHIN = 90.0
_QUIETLY = {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}


def environment() -> Path:
    """Return the Python of the emulator's environment; make it unless it is there.

    bqemulator needs an older DuckDB and an older sqlglot than everything else here.
    """
    python, failure = _environment()
    if failure:
        pytest.skip(f"the environment of the BigQuery emulator cannot be made: {failure}")
    return python


@lru_cache(maxsize=1)
def _environment() -> tuple[Path, str]:
    """Return its Python, and why it could not be made if so."""
    content = sha256(_PINS.read_bytes() + sys.version.encode()).hexdigest()[:16]
    place = _ROOT / ".cache" / "bigquery-emulator" / content
    python = place / "bin" / "python"
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{place}.lock"):
        return python, "" if (place / "ready").exists() else _make(place, python)


def _make(place: Path, python: Path) -> str:
    uv = Path(sys.executable).with_name("uv")
    for command in (
        [uv, "venv", "--clear", "--python", sys.executable, place],
        [uv, "pip", "install", "--no-deps", "--python", python, "--requirement", _PINS],
    ):
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, env=os.environ | _QUIETLY
        )
        if done.returncode:
            shutil.rmtree(place, ignore_errors=True)
            return done.stderr
    (place / "ready").touch()
    return ""


@lru_cache(maxsize=1)
def server() -> tuple[str, Path]:
    """Start the emulator unless it runs; return its address and the folder of gs:// buckets."""
    python = environment()
    folder = Path(tempfile.mkdtemp(prefix="bigquery-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "buckets").mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [python, "-m", "tests.emulators.bigquery_server", str(port), folder / "buckets"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=_ROOT, stdout=log, stderr=subprocess.STDOUT)
    atexit.register(_end, process)
    _wait(process, port, folder / "log")
    return f"http://127.0.0.1:{port}", folder / "buckets"


def bigquery_connection() -> str:
    """Start the server unless it runs; return an Airflow connection, as JSON."""
    os.environ["BIGQUERY_EMULATOR_HOST"], _ = server()
    extra = {"is_anonymous": True, "project": PROJECT}
    return json.dumps({"conn_type": "google_cloud_platform", "extra": extra})


@contextmanager
def sessions() -> Iterator[Callable[[], SqlRunner]]:
    """Give a function that opens sessions over Airflow's hook; they end with the block."""
    from airflow_dataops.hooks.sql_runner import open_session

    os.environ["AIRFLOW_CONN_EMULATED_BIGQUERY"] = (
        accounts.connection("bigquery") or bigquery_connection()
    )
    with ExitStack() as opened:
        yield lambda: opened.enter_context(open_session("emulated_bigquery"))


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _STARTED_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"the BigQuery emulator did not start: {log.read_text()}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
