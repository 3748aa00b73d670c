"""Transfers that are killed at every statement and every batch, and retried.

Conformance list: 1, 17, 18. Also: nothing of a dead process is left but what its retry sweeps.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
import pytest

from tests.connections import connect_duckdb
from tests.contract import killing_transfers
from tests.contract.killing import Nursery, in_process
from tests.contract.killing_transfers import transfer
from tests.postgres import PostgresRunner, open_postgres, postgres_uri

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Rows = list[tuple[Any, ...]]
ROWS = killing_transfers.ROWS
OLD = [(1, "old 1"), (ROWS + 1, "old")]
NEW = [(i, f"new {i}") for i in range(1, ROWS + 1)]
EXPECTED = {
    "merge": [*NEW, OLD[1]],
    "replace": NEW,
    "append": [OLD[0], *NEW[1:], OLD[1]],
}
NAME = "dataops_killed"
CASES = [("postgres", "duckdb", "merge"), ("files", "postgres", "replace")]
MORE = [("duckdb", "postgres", "append"), ("postgres", "postgres", "merge")]
MORE += [("files", "duckdb", "append"), ("postgres", "duckdb", "replace")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files are: two of rows, two of DuckDB."""
    made = tmp_path_factory.mktemp("killed")
    for number, part in enumerate((NEW[: ROWS // 2], NEW[ROWS // 2 :])):
        lines = ["id,name", *(f"{i},{name}" for i, name in part)]
        (made / f"{number}.csv").write_text("\n".join(lines) + "\n")
    return made


@pytest.fixture
def connections(folder: Path) -> Iterator[None]:
    """Airflow's connections, in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        server = psycopg.conninfo.conninfo_to_dict(postgres_uri())
        extra = {"host": server["host"], "application_name": NAME}
        connection = {"conn_type": "postgres", "login": server["user"], "extra": extra}
        connection["schema"] = server["dbname"]
        for side in ("in", "out"):
            patch.setenv(f"AIRFLOW_CONN_POSTGRES_{side.upper()}", json.dumps(connection))
            connect_duckdb(patch, f"duckdb_{side}", folder / f"{side}.duckdb")
        yield


@pytest.fixture
def server() -> Iterator[PostgresRunner]:
    with open_postgres() as runner:
        yield runner
        runner.execute("drop schema if exists killed_transfers cascade")


@pytest.mark.sample(2)
@pytest.mark.parametrize(("source", "target", "verb"), CASES)
@pytest.mark.usefixtures("connections")
def test_nr_18_a_transfer_killed_while_it_stages_and_while_it_publishes(
    server: PostgresRunner, folder: Path, source: str, target: str, verb: str
) -> None:
    """In this process, some boundaries of each part."""
    run = in_process(transfer)
    assert kill_everywhere(run, server, folder, source, target, verb, every=6) >= 4


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("connections")
def test_nr_18_a_transfer_killed_at_every_statement_and_batch(
    server: PostgresRunner, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By SIGKILL."""
    total = 0
    with Nursery("tests.contract.killing_transfers") as nursery:
        for case in CASES + MORE:
            kills = kill_everywhere(nursery.run, server, folder, *case)
            total += kills
            with capsys.disabled():
                sys.stdout.write(f"{' '.join(case):25} {kills:3} kills\n")
    with capsys.disabled():
        sys.stdout.write(f"{total} kills, each followed by a retry that ends like a run without\n")
    assert total >= 100


def kill_everywhere(
    run: Callable[..., int],
    server: PostgresRunner,
    folder: Path,
    source: str,
    target: str,
    verb: str,
    every: int = 1,
) -> int:
    """Kill at each boundary and retry; return the number of kills.

    Args:
        run: runs `transfer` and returns the signal that ended it.
    """
    set_up(server, folder, target)
    assert run(source, target, verb, str(folder), 1, None) == 0
    assert rows_of(server, folder, target) == EXPECTED[verb]
    boundaries = int((folder / "boundaries").read_text())
    killed_at = range(0, boundaries, every)
    for last in killed_at:
        try:
            set_up(server, folder, target)
            ended = run(source, target, verb, str(folder), 1, last)
            assert ended == signal.SIGKILL, f"it ended with {ended}"
            wait_for_closed(server)
            assert rows_of(server, folder, target) in (OLD, EXPECTED[verb])
            assert run(source, target, verb, str(folder), 2, None) == 0
            wait_for_closed(server)
            assert rows_of(server, folder, target) == EXPECTED[verb]
            assert staged(server, folder, target) == []
        except BaseException as error:
            error.add_note(f"{source} to {target}, {verb}, boundary {last} of {boundaries}")
            raise
    return len(killed_at)


def set_up(server: PostgresRunner, folder: Path, target: str) -> None:
    statements = [
        "drop schema if exists killed_transfers cascade",
        "create schema killed_transfers",
        "create table killed_transfers.arrived (id bigint, name varchar)",
        f"insert into killed_transfers.arrived values {', '.join(map(str, OLD))}",
    ]
    if target == "postgres":
        for statement in statements:
            server.execute(statement)
        return
    with duckdb.connect(str(folder / "out.duckdb")) as database:
        database.execute(";".join(statements))


def rows_of(server: PostgresRunner, folder: Path, target: str) -> Rows:
    query = "select * from killed_transfers.arrived order by id"
    return asked(server, folder, target, query)


def staged(server: PostgresRunner, folder: Path, target: str) -> Rows:
    """Return the staging tables that are left, whoever's."""
    listing = {
        "duckdb": "select table_name as name from duckdb_tables()",
        "postgres": "select relname as name from pg_class where relkind = 'r'",
    }[target]
    query = f"select name from ({listing}) as listed where strpos(name, 'arrived__stg_') > 0"
    return asked(server, folder, target, query)


def asked(server: PostgresRunner, folder: Path, target: str, query: str) -> Rows:
    if target == "postgres":
        return server.fetch(query)
    with duckdb.connect(str(folder / "out.duckdb")) as database:
        return database.execute(query).fetchall()


def wait_for_closed(server: PostgresRunner) -> None:
    """Wait until the server has noticed that the other side of the sessions is gone."""
    count = f"select count(*) from pg_stat_activity where application_name = '{NAME}'"
    deadline = time.monotonic() + 10
    while server.fetch(count) != [(0,)]:
        assert time.monotonic() < deadline, "sessions of the dead process are left"
        time.sleep(0.01)
