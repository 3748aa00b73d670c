"""A small BigQuery over HTTP: jobs of queries, run by DuckDB; lists of columns and of jobs.

It takes what Google's own client sends when `BIGQUERY_EMULATOR_HOST` names it.
"""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

import duckdb
import sqlglot
from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Iterator

_JOBS = """create table information.jobs (job_id varchar, user_email varchar, job_type varchar,
  creation_time timestamptz, start_time timestamptz, end_time timestamptz,
  statement_type varchar, total_bytes_processed bigint, total_bytes_billed bigint,
  total_slot_ms bigint, reservation_id varchar, cache_hit boolean,
  labels struct("key" varchar, "value" varchar)[], query varchar)"""
_COLUMNS = """create view information.columns as
select table_schema, table_name, column_name, ordinal_position, is_nullable,
  case data_type when 'BIGINT' then 'INT64' when 'INTEGER' then 'INT64'
    when 'VARCHAR' then 'STRING' when 'DOUBLE' then 'FLOAT64' when 'BOOLEAN' then 'BOOL'
    when 'TIMESTAMP WITH TIME ZONE' then 'TIMESTAMP' when 'TIMESTAMP' then 'DATETIME'
    else data_type end as data_type
from system.information_schema.columns"""
_TYPES = {"BIGINT": "INTEGER", "INTEGER": "INTEGER", "DOUBLE": "FLOAT", "BOOLEAN": "BOOLEAN"}


@dataclass
class FakeBigQuery:
    """Attributes: `asked` holds each query; `bytes_billed` is what each of them costs."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    bytes_billed: int = 10_485_760
    database: duckdb.DuckDBPyConnection = field(default_factory=duckdb.connect)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    results: dict[str, tuple[list[tuple[str, str]], list[tuple[Any, ...]]]] = field(
        default_factory=dict
    )
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.database.execute("set timezone = 'UTC'")
        self.database.execute("create schema information")
        self.database.execute(_JOBS)
        self.database.execute(_COLUMNS)

    def execute(self, sql: str) -> None:
        """Run DuckDB's SQL, to make datasets (schemas) and tables."""
        self.database.execute(sql)

    def add_job(
        self,
        job_id: str,
        billed: int,
        query: str,
        labels: dict[str, str],
        *,
        ago: timedelta = timedelta(minutes=5),
        kind: str = "SELECT",
        reservation: str | None = None,
        slot_ms: int = 1000,
    ) -> None:
        """Let a job have been run."""
        listed = [{"key": key, "value": value} for key, value in labels.items()]
        values = [job_id, billed, query, listed, ago, kind, reservation, slot_ms]
        self.database.execute(
            "insert into information.jobs select $1, 'who@example.org', 'QUERY',"
            " now() - $5::interval, now() - $5::interval, "
            " now() - $5::interval + interval '30 seconds', $6, $2, $2, $8,"
            " $7, false, $4, $3",
            values,
        )

    def run(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        reference = body.get("jobReference") or {}
        id_ = reference.get("jobId") or uuid.uuid4().hex
        if id_ in self.jobs:
            return 409, _error(409, "duplicate", f"Already Exists: Job {id_}")
        query = body["configuration"]["query"]
        self.asked.append(query["query"])
        status: dict[str, Any] = {"state": "DONE"}
        try:
            with self.lock:
                self.results[id_] = self._fetch(query)
        except (duckdb.Error, sqlglot.errors.SqlglotError) as error:
            reason = "notFound" if "does not exist" in str(error) else "invalidQuery"
            status["errorResult"] = {"reason": reason, "message": str(error)[:300]}
            status["errors"] = [status["errorResult"]]
        labels = body["configuration"].get("labels") or {}
        with self.lock:
            self.add_job(id_, self.bytes_billed, query["query"], labels, ago=timedelta())
        millis = str(int(time.time() * 1000))
        self.jobs[id_] = {
            "jobReference": {**reference, "jobId": id_, "location": "US"},
            "configuration": {**body["configuration"], "jobType": "QUERY"},
            "status": status,
            "statistics": {
                "creationTime": millis,
                "startTime": millis,
                "endTime": millis,
                "query": {"statementType": "SELECT", "totalBytesBilled": str(self.bytes_billed)},
            },
        }
        return 200, self.jobs[id_]

    def rows(self, id_: str) -> tuple[int, dict[str, Any]]:
        if (error := self.jobs[id_]["status"].get("errorResult")) is not None:
            code = 404 if error["reason"] == "notFound" else 400
            return code, _error(code, error["reason"], error["message"])
        columns, rows = self.results[id_]
        return 200, {
            "jobReference": self.jobs[id_]["jobReference"],
            "jobComplete": True,
            "totalRows": str(len(rows)),
            "schema": {"fields": [{"name": n, "type": t, "mode": "NULLABLE"} for n, t in columns]},
            "rows": [{"f": [{"v": _cell(value)} for value in row]} for row in rows],
        }

    def _fetch(self, query: dict[str, Any]) -> tuple[list[tuple[str, str]], list[tuple[Any, ...]]]:
        values = [
            datetime.fromisoformat(each["parameterValue"]["value"])
            if each["parameterType"]["type"] == "TIMESTAMP"
            else each["parameterValue"]["value"]
            for each in query.get("queryParameters") or ()
        ]
        cursor = self.database.cursor()
        cursor.execute("set timezone = 'UTC'")
        cursor.execute(_translated(query["query"]), values)
        described = cursor.description or []
        columns = [(name, _TYPES.get(str(type_), "STRING")) for name, type_, *_ in described]
        return columns, cursor.fetchall()


def _translated(sql: str) -> str:
    sql = re.sub(r"`region-[\w-]+`\.INFORMATION_SCHEMA\.JOBS\b", "`information`.`jobs`", sql)
    sql = re.sub(
        r"(?:`[^`]+`\.)?`([^`]+)`\.INFORMATION_SCHEMA\.COLUMNS\b(\s+where)",
        r"`information`.`columns`\2 table_schema = '\1' and",
        sql,
        flags=re.IGNORECASE,
    )
    parsed = sqlglot.parse_one(sql, read="bigquery")
    for table in parsed.find_all(exp.Table):
        table.set("catalog", None)
    return parsed.sql(dialect="duckdb")


def _cell(value: object) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def _error(code: int, reason: str, message: str) -> dict[str, Any]:
    errors = [{"reason": reason, "message": message}]
    return {"error": {"code": code, "message": message, "errors": errors}}


@contextmanager
def fake_bigquery() -> Iterator[FakeBigQuery]:
    """Serve until the end of the block."""
    fake = FakeBigQuery()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.answer(*fake.run(json.loads(self.body())))

        def do_GET(self) -> None:
            room, _, id_ = urlparse(self.path).path.rpartition("/")
            if id_ not in fake.jobs:
                self.answer(404, _error(404, "notFound", f"Not found: {self.path}"))
            elif room.endswith("/queries"):
                self.answer(*fake.rows(id_))
            else:
                self.answer(200, fake.jobs[id_])

        def body(self) -> bytes:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Content-Encoding") == "gzip":
                import gzip

                return gzip.decompress(content)
            return content

        def answer(self, code: int, data: dict[str, Any]) -> None:
            content = json.dumps(data).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    fake.url = f"http://127.0.0.1:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield fake
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
