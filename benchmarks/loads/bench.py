"""Makes the rows of a case once, and a fresh copy of the target for each way and turn."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.loads.cases import CASES
from benchmarks.loads.server import Server, Watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.loads.cases import Size

Run = dict[str, Any]


class WayFailedError(Exception):
    """A way ended with an error; the message is the end of what it wrote."""


class Bench:
    """The server and the files of the cases.

    Args:
        dlt: the Python of an environment with dlt; None to leave it out.
    """

    def __init__(self, size: Size, dlt: Path | None) -> None:
        self.size = size
        self.dlt = dlt
        self.folder = Path(tempfile.mkdtemp(prefix="loads-"))

    def __enter__(self) -> Bench:
        self.server = Server(self.folder / "postgres")
        return self

    def __exit__(self, *_: object) -> None:
        self.server.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, name: str, repeats: int) -> Iterator[tuple[str, Run]]:
        """Run a case's ways in turns; yield each with what it took."""
        case = CASES[name]
        self.server.make("base")
        self._python(["-m", "benchmarks.loads.prepare", name, str(self.size.share)], "base", "base")
        for turn in range(repeats):
            # Whoever comes first after the copy may pay for memory that the others find at hand.
            ways = case.ways if turn % 2 == 0 else case.ways[::-1]
            for way in (*ways, *(case.once if turn == 0 else ())):
                if self.dlt is not None or not way.startswith("dlt "):
                    yield way, self._run(name, way)
        self.server.drop("run")
        self.server.drop("base")

    def _run(self, case: str, way: str) -> Run:
        self._copy_target()
        before = self.server.cpu()
        with Watch(self.server) as watch:
            if way.startswith("dlt "):
                child = str(Path(__file__).with_name("dlt_child.py"))
                command = [child, case, way.removeprefix("dlt ")]
                done = self._python(command, "run", "run", str(self.dlt))
            else:
                done = self._python(
                    ["-m", "benchmarks.loads.child", f"{case}: {way}"], "run", "run"
                )
        run: Run = json.loads(done.splitlines()[-1])
        server = {"cpu": self.server.cpu() - before, "megabytes": watch.megabytes}
        return {**run, "server": server, "load": os.getloadavg()[0]}

    def _copy_target(self) -> None:
        for file in self.folder.glob("run.duckdb*"):
            file.unlink()
        if (base := self.folder / "base.duckdb").exists():
            shutil.copy(base, self.folder / "run.duckdb")
        self.server.make("run", template="base")
        os.sync()

    def _python(
        self, arguments: list[str], database: str, file: str, python: str = sys.executable
    ) -> str:
        command = [python, *arguments]
        environment = self._environment(database, file)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise WayFailedError(f"{' '.join(arguments)}: {done.stderr[-3000:]}")
        return done.stdout

    def _environment(self, database: str, file: str) -> dict[str, str]:
        server = self.server.parts()
        rows, target = str(self.folder / "rows.duckdb"), str(self.folder / f"{file}.duckdb")
        connections = {
            "postgres": {
                "conn_type": "postgres",
                "login": server["user"],
                "schema": database,
                "extra": {"host": server["host"]},
            },
            "duckdb": {"conn_type": "duckdb", "host": target},
            "rows": {"conn_type": "duckdb", "host": rows, "extra": {"read_only": True}},
        }
        parts = {
            "drivername": "postgresql",
            "username": server["user"],
            "password": "none",
            "host": "localhost",
            "database": database,
            "query": {"host": server["host"]},
        }
        return {
            **os.environ,
            **{f"AIRFLOW_CONN_BENCH_{n.upper()}": json.dumps(c) for n, c in connections.items()},
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
            "AIRFLOW_HOME": str(self.folder / "airflow"),
            "PGHOST": server["host"],
            "BENCH_POSTGRES": self.server.uri(database),
            "BENCH_POSTGRES_PARTS": json.dumps(parts),
            "BENCH_DUCKDB": target,
            "BENCH_ROWS": rows,
            "DLT_DATA_DIR": str(self.folder / "dlt"),
            "RUNTIME__DLTHUB_TELEMETRY": "false",
        }
