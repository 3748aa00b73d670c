"""Loads that are killed at every statement boundary, retried, and watched meanwhile.

Conformance list: 1 (a reader never sees a hole, a rerun ends right), 2, 3, 12, 17, 18.
"""

from __future__ import annotations

import shutil
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from airflow_dataops.core.loads.specs import Attempt
from tests.contract.killing import FIRST, CountingRunner, Nursery, in_process, load
from tests.contract.scenarios import SCENARIOS
from tests.duckdb_runner import DuckDBRunner
from tests.postgres import PostgresRunner, open_postgres, postgres_uri
from tests.warehouses import ENGINES, Warehouse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

RETRY = Attempt(owner=FIRST.owner, run_id=FIRST.run_id, try_number=2)
Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as opened:
        yield opened


@pytest.mark.parametrize(
    ("engine", "scenario"),
    [("duckdb", "partition"), ("duckdb", "merge"), *(("postgres", name) for name in SCENARIOS)],
)
def test_nr_1_kills_around_the_publication(tmp_path: Path, engine: str, scenario: str) -> None:
    """In this process, the boundaries in and around the transaction."""
    kills = kill_everywhere(in_process(load), tmp_path, engine, scenario, only_last=4)
    assert kills == 4


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_nr_1_kills_in_this_process_at_every_boundary(tmp_path: Path, engine: str) -> None:
    """What the quick test shows of a death is true of all boundaries."""
    for scenario in SCENARIOS:
        assert kill_everywhere(in_process(load), tmp_path, engine, scenario) >= 4


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_nr_1_kills_at_every_boundary_of_every_verb(
    nursery: Nursery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    total = 0
    for engine in ("duckdb", "postgres"):
        for scenario in SCENARIOS:
            kills = kill_everywhere(nursery.run, tmp_path, engine, scenario)
            total += kills
            with capsys.disabled():
                sys.stdout.write(f"{engine:9} {scenario:25} {kills:3} kills\n")
    with capsys.disabled():
        sys.stdout.write(f"{total} kills, each followed by a retry that ends like a run without\n")
    assert total >= 300


def kill_everywhere(
    run: Callable[..., int],
    folder: Path,
    engine: str,
    scenario: str,
    only_last: int | None = None,
) -> int:
    """Kill at each boundary and retry; return the number of kills.

    Args:
        run: runs `killing.load` and returns the signal that ended it.
    """
    with Duckdb(folder, scenario) if engine == "duckdb" else Postgres(scenario) as stage:
        expected = uninterrupted(stage, scenario)
        boundaries = expected.boundaries
        first = 0 if only_last is None else max(0, boundaries - only_last)
        for last in range(first, boundaries):
            try:
                with stage.fresh() as (where, schema), stage.watch(schema) as watched:
                    ended = run(engine, where, schema, scenario, last)
                    assert ended == signal.SIGKILL, f"it ended with {ended}"
                    retry(stage, where, schema, scenario, expected)
                assert watched in ([], [expected.old], [expected.old, expected.new])
            except BaseException as error:
                error.add_note(f"{scenario} on {engine}, killed at boundary {last} of {boundaries}")
                raise
    return boundaries - first


@dataclass(frozen=True)
class Expected:
    old: Rows
    new: Rows
    boundaries: int


def uninterrupted(stage: Duckdb | Postgres, scenario: str) -> Expected:
    with stage.fresh() as (where, schema), stage.session(where) as runner:
        old = rows_of(runner, schema)
        counting = CountingRunner(runner)
        SCENARIOS[scenario].run(counting, schema, FIRST)
        new = rows_of(runner, schema)
        assert left(runner, schema) == []
    assert old != new
    return Expected(old, new, counting.count)


def retry(
    stage: Duckdb | Postgres, where: str, schema: str, scenario: str, expected: Expected
) -> None:
    with stage.session(where) as runner:
        found = rows_of(runner, schema)
        assert found in (expected.old, expected.new), "torn"
        SCENARIOS[scenario].run(runner, schema, RETRY)
        assert rows_of(runner, schema) == expected.new
        assert left(runner, schema) == []


def rows_of(runner: DuckDBRunner | PostgresRunner, schema: str) -> Rows:
    found = runner.fetch(f'select * from "{schema}"."target"')
    return sorted(found, key=lambda row: [(value is None, value or 0) for value in row])


_TABLES = {
    "duckdb": "select table_name as name, schema_name as place from duckdb_tables()",
    "postgres": (
        "select relname as name, cast(relnamespace as regnamespace)::text as place from pg_class"
        " where relkind = 'r' and not pg_is_other_temp_schema(relnamespace)"
    ),
}


def left(runner: DuckDBRunner | PostgresRunner, schema: str) -> Rows:
    """Return the staging tables that are left: the schema's and the session's."""
    return runner.fetch(
        f"select name from ({_TABLES[runner.dialect]}) as listed where strpos(name, '__stg_') > 0"
        f" and (place in ('{schema}', 'main') or strpos(place, 'pg_temp') = 1)"
    )


class Duckdb:
    """A file for each load, copied from one that was set up once."""

    def __init__(self, folder: Path, scenario: str) -> None:
        self._folder = folder
        self._model = folder / f"{scenario}.duckdb"
        with duckdb.connect(str(self._model)) as database:
            warehouse = Warehouse(ENGINES["duckdb"], lambda: DuckDBRunner(database.cursor()))
            SCENARIOS[scenario].set_up(warehouse)
            self._schema = warehouse.schema

    def __enter__(self) -> Duckdb:
        return self

    def __exit__(self, *_: object) -> None:
        self._model.unlink()

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

    @contextmanager
    def watch(self, schema: str) -> Iterator[list[Rows]]:
        """Nobody else can open the file."""
        yield []


class Postgres:
    """A schema for each load, all made over one session."""

    def __init__(self, scenario: str) -> None:
        self._scenario = scenario

    def __enter__(self) -> Postgres:
        self._runner = PostgresRunner()
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.close()

    @contextmanager
    def fresh(self) -> Iterator[tuple[str, str]]:
        warehouse = Warehouse(ENGINES["postgres"], lambda: self._runner)
        SCENARIOS[self._scenario].set_up(warehouse)
        yield postgres_uri(), warehouse.schema
        self._runner.execute(f"drop schema {warehouse.schema} cascade")

    @contextmanager
    def session(self, where: str) -> Iterator[PostgresRunner]:
        with open_postgres(where) as runner:
            yield runner

    @contextmanager
    def watch(self, schema: str) -> Iterator[list[Rows]]:
        """Poll the target in the block; yield the different states that were seen, in order."""
        seen: list[Rows] = []
        stopped = threading.Event()
        with open_postgres() as runner, ThreadPoolExecutor(1) as pool:
            seen.append(rows_of(runner, schema))
            polling = pool.submit(_poll, runner, schema, seen, stopped)
            try:
                yield seen
            finally:
                stopped.set()
                polling.result(timeout=60)


def _poll(runner: PostgresRunner, schema: str, seen: list[Rows], stopped: threading.Event) -> None:
    while not stopped.is_set():
        rows = rows_of(runner, schema)
        if rows != seen[-1]:
            seen.append(rows)
        time.sleep(0.001)
