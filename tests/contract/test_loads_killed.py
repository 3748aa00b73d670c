"""Loads that are killed at every statement boundary, retried, and watched meanwhile.

Conformance list: 1 (a reader never sees a hole, a rerun ends right), 2, 3, 12, 17, 18.
"""

from __future__ import annotations

import shutil
import signal
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
import pytest

from airflow_dataops.core.loads.specs import Attempt
from tests.contract.killing import FIRST, CountingRunner, Nursery
from tests.contract.scenarios import SCENARIOS
from tests.duckdb_runner import DuckDBRunner
from tests.postgres import PostgresRunner, open_postgres, postgres_uri
from tests.warehouses import ENGINES, Warehouse, open_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RETRY = Attempt(owner=FIRST.owner, run_id=FIRST.run_id, try_number=2)
Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as opened:
        yield opened


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
@pytest.mark.parametrize("scenario", ["partition", "merge"])
def test_nr_1_kills_around_the_publication(
    nursery: Nursery, tmp_path: Path, engine: str, scenario: str
) -> None:
    """The boundaries in and around the transaction; all of them are a slow test."""
    boundaries = kill_everywhere(nursery, tmp_path, engine, scenario, only_last=8)
    assert boundaries >= 8


@pytest.mark.slow
def test_nr_1_kills_at_every_boundary_of_every_verb(
    nursery: Nursery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    total = 0
    for engine in ("duckdb", "postgres"):
        for scenario in SCENARIOS:
            kills = kill_everywhere(nursery, tmp_path, engine, scenario)
            total += kills
            with capsys.disabled():
                sys.stdout.write(f"{engine:9} {scenario:25} {kills:3} kills\n")
    with capsys.disabled():
        sys.stdout.write(f"{total} kills, each followed by a retry that ends like a run without\n")
    assert total >= 300


def kill_everywhere(
    nursery: Nursery, folder: Path, engine: str, scenario: str, only_last: int | None = None
) -> int:
    """Kill at each boundary and retry; return the number of kills."""
    stage = Duckdb(folder, scenario) if engine == "duckdb" else Postgres(scenario)
    old, new, boundaries = uninterrupted(stage, scenario)
    first = 0 if only_last is None else boundaries - only_last
    for last in range(first, boundaries):
        with stage.fresh() as (where, schema):
            watched = stage.watch(schema) if isinstance(stage, Postgres) else None
            ended = nursery.run(engine, where, schema, scenario, last)
            assert ended == signal.SIGKILL, f"{engine} {scenario} {last}: ended with {ended}"
            assert stage.target(where, schema) in (old, new), f"{engine} {scenario} {last}: torn"
            stage.retry(where, schema, scenario)
            assert stage.target(where, schema) == new, f"{engine} {scenario} {last}: retry"
            assert stage.left(where, schema) == [], f"{engine} {scenario} {last}: staging is left"
            if watched is not None:
                seen = watched.stop()
                assert seen in ([old], [old, new], [new]), f"{scenario} {last}: {seen}"
    return boundaries - first


def uninterrupted(stage: Duckdb | Postgres, scenario: str) -> tuple[Rows, Rows, int]:
    with stage.fresh() as (where, schema):
        old = stage.target(where, schema)
        with stage.session(where) as runner:
            counting = CountingRunner(runner)
            SCENARIOS[scenario].run(counting, schema, FIRST)
        new = stage.target(where, schema)
        assert stage.left(where, schema) == []
    assert old != new
    return old, new, counting.count


def rows_of(runner: DuckDBRunner | PostgresRunner, schema: str) -> Rows:
    found = runner.fetch(f'select * from "{schema}"."target"')
    return sorted(found, key=lambda row: [(value is None, value or 0) for value in row])


LEFT = "select table_name from {}.tables where table_name like '%\\_\\_stg\\_%' escape '\\'"


class Duckdb:
    """A file for each load, copied from one that was set up once."""

    def __init__(self, folder: Path, scenario: str) -> None:
        self._folder = folder
        self._model = folder / f"{scenario}.duckdb"
        with duckdb.connect(str(self._model)) as database:
            warehouse = Warehouse(ENGINES["duckdb"], lambda: DuckDBRunner(database.cursor()))
            SCENARIOS[scenario].set_up(warehouse)
            self._schema = warehouse.schema

    @contextmanager
    def fresh(self) -> Iterator[tuple[str, str]]:
        path = self._folder / "try.duckdb"
        shutil.copy(self._model, path)
        yield str(path), self._schema
        for file in self._folder.glob("try.duckdb*"):
            file.unlink()

    @contextmanager
    def session(self, where: str) -> Iterator[DuckDBRunner]:
        with duckdb.connect(where) as database:
            yield DuckDBRunner(database)

    def target(self, where: str, schema: str) -> Rows:
        with self.session(where) as runner:
            return rows_of(runner, schema)

    def left(self, where: str, schema: str) -> Rows:
        with self.session(where) as runner:
            return runner.fetch(LEFT.format("system.information_schema"))

    def retry(self, where: str, schema: str, scenario: str) -> None:
        with self.session(where) as runner:
            SCENARIOS[scenario].run(runner, schema, RETRY)


class Postgres:
    """A schema for each load."""

    def __init__(self, scenario: str) -> None:
        self._scenario = scenario

    @contextmanager
    def fresh(self) -> Iterator[tuple[str, str]]:
        with open_warehouse("postgres") as warehouse:
            SCENARIOS[self._scenario].set_up(warehouse)
            yield postgres_uri(), warehouse.schema
            warehouse.runner.execute(f"drop schema {warehouse.schema} cascade")

    @contextmanager
    def session(self, where: str) -> Iterator[PostgresRunner]:
        with open_postgres(where) as runner:
            yield runner

    def target(self, where: str, schema: str) -> Rows:
        with self.session(where) as runner:
            return rows_of(runner, schema)

    def left(self, where: str, schema: str) -> Rows:
        with self.session(where) as runner:
            return runner.fetch(
                f"{LEFT.format('information_schema')} and table_schema = '{schema}'"
            )

    def retry(self, where: str, schema: str, scenario: str) -> None:
        with self.session(where) as runner:
            SCENARIOS[scenario].run(runner, schema, RETRY)

    def watch(self, schema: str) -> Watcher:
        return Watcher(schema)


class Watcher:
    """A reader that polls the target until it is stopped."""

    def __init__(self, schema: str) -> None:
        self._schema = schema
        self._stopped = threading.Event()
        self._seen: list[Rows] = []
        self._error: psycopg.Error | None = None
        self._thread = threading.Thread(target=self._poll)
        self._thread.start()

    def stop(self) -> list[Rows]:
        """Return the different states it saw, in order."""
        self._stopped.set()
        self._thread.join()
        assert self._error is None, self._error
        assert self._seen, "the reader saw nothing"
        return self._seen

    def _poll(self) -> None:
        try:
            self._read()
        except psycopg.Error as error:
            self._error = error

    def _read(self) -> None:
        with open_postgres() as runner:
            while not self._stopped.is_set():
                rows = rows_of(runner, self._schema)
                if not self._seen or rows != self._seen[-1]:
                    self._seen.append(rows)
                time.sleep(0.001)
