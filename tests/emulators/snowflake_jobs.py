"""Statements that fakesnow runs while nobody waits: asynchronous ones, and scripts.

A script waits before its commit for as long as the file that HOLD names is there.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fakesnow.server
from snowflake.connector.errors import DatabaseError, ProgrammingError
from starlette.responses import JSONResponse

from tests.emulators.scripting import block_of, run_script

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

HOLD = "EMULATED_SNOWFLAKE_HOLD"
_CANCEL = re.compile(r"\s*select\s+system\$cancel_query\('([^']+)'\)\s*;?\s*", re.IGNORECASE)
_RESULT = re.compile(r"\s*select \* from table\(result_scan\('([^']+)'\)\)\s*;?\s*", re.IGNORECASE)


@dataclass
class Job:
    """One statement; `failure` is what it raised."""

    status: str = "RUNNING"
    result: str = ""
    failure: Exception | None = None
    connection: Any = None
    cancelled: threading.Event = field(default_factory=threading.Event)


jobs: dict[str, Job] = {}
_here = threading.local()


async def query_request(request: Request) -> JSONResponse:
    """Begin a statement that nobody waits for, or run another as fakesnow does."""
    body = await request.body()
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    asked = json.loads(body)
    if not asked.get("asyncExec"):
        return await fakesnow.server.query_request(request)
    connection = fakesnow.server.to_conn(fakesnow.server.to_token(request))
    job_id = str(uuid.uuid4())
    jobs[job_id] = Job(connection=connection)
    thread = threading.Thread(target=_run, args=(jobs[job_id], asked["sqlText"]), daemon=True)
    thread.start()
    data = {"queryId": job_id, "getResultUrl": f"/queries/{job_id}/result"}
    return JSONResponse({"data": data, "code": "333334", "success": True})


def monitoring(request: Request) -> JSONResponse:
    """Tell how a statement goes; any session may ask."""
    job = jobs.get(request.path_params["sfqid"])
    if job is None:
        return JSONResponse(fakesnow.server.monitoring_query(request))
    said = {"status": job.status}
    if job.failure is not None:
        error = job.failure
        said |= {"errorMessage": str(error), "errorCode": getattr(error, "errno", None) or "9999"}
    state = getattr(job.failure, "sqlstate", None)
    return JSONResponse({"data": {"queries": [said], "sqlState": state}, "success": True})


def execute(cursor: Any, command: str, plain: Callable[[str], Any]) -> Any:
    """Run what fakesnow does not know; return None for all other statements.

    Args:
        plain: runs a statement that fakesnow knows.
    """
    if found := _CANCEL.fullmatch(command):
        _cancel(found[1])
        return plain("select 'query [...] terminated.' as status")
    if found := _RESULT.fullmatch(command):
        return plain(f"select '{jobs[found[1]].result}' as \"anonymous block\"")
    if (block := block_of(command)) is not None:

        def run(sql: str) -> int:
            plain(sql)
            if sql.casefold().startswith("merge"):
                return int(cursor.fetchone()[0])
            return int(cursor.rowcount or 0)

        changed = run_script(block, "snowflake", run, _held)
        return plain(f"select '{changed}' as \"anonymous block\"")
    return None


def _run(job: Job, sql: str) -> None:
    _here.job = job
    try:
        cursor = job.connection.cursor()
        cursor.execute(sql, server=True)
        row = cursor.fetchone()
        job.result = str(row[0]) if row else ""
        job.status = "SUCCESS"
    except (DatabaseError, ProgrammingError) as error:
        job.failure = error
        job.status = "ABORTED" if job.cancelled.is_set() else "FAILED_WITH_ERROR"


def _held() -> None:
    """Wait for as long as the tests hold all scripts; end where one is cancelled."""
    file = Path(os.environ.get(HOLD, "/nowhere"))
    job: Job | None = getattr(_here, "job", None)
    while file.exists():
        _stop_if_cancelled(job)
        time.sleep(0.02)
    _stop_if_cancelled(job)


def _stop_if_cancelled(job: Job | None) -> None:
    if job is not None and job.cancelled.is_set():
        raise ProgrammingError(msg="SQL execution canceled", errno=604, sqlstate="57014")


def _cancel(job_id: str) -> None:
    job = jobs.get(job_id)
    if job is not None and job.status == "RUNNING":
        job.cancelled.set()
        while job.status == "RUNNING":
            time.sleep(0.01)
