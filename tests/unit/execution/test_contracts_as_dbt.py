"""Enforced contracts against `dbt build`: tables, constraints, and verdicts on what breaks them."""

from __future__ import annotations

import re
from functools import partial
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

import duckdb
import psycopg
import pytest

from airflow_dataops.core.execution.build import build
from airflow_dataops.errors import DataOpsError
from tests.oracle.recording import WAYS, recording
from tests.unit.execution.contracted_project import CONFIGS, WRONG, files
from tests.unit.execution.on_postgres import OnPostgres
from tests.unit.execution.side_by_side import SideBySide

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_dataops.core.model import Manifest
    from airflow_dataops.core.ports import SqlRunner
    from tests.unit.execution.dbt_process import Verdict

RUNS = ((), (), ("--full-refresh",))
COLUMNS = (
    "(select table_name, column_index, column_name, data_type, is_nullable, column_default"
    " from duckdb_columns() where schema_name = 'main' and database_name = 'wh'"
    " order by table_name, column_index)"
)
CONSTRAINTS = (
    "(select table_name, constraint_type, constraint_text from duckdb_constraints()"
    " where schema_name = 'main' and database_name = 'wh' order by all)"
)
_DIFFERENCE = re.compile(r"^ *\|(.*)\|", re.M)


@pytest.fixture(params=WAYS)
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SideBySide]:
    with recording(request, "contracts") as recorded:
        both = SideBySide(tmp_path, files(foreign_keys=False), recorded)
        both.execute("create schema raw", "create table raw.days as select 1 as n")
        yield both


def test_contracts_are_kept_as_by_dbt(pair: SideBySide) -> None:
    for run in RUNS:
        verdicts = pair.dbt("build", *run)
        ours = pair.ours(partial(build_all, pair.manifest(), full_refresh=bool(run)))
        assert ours == {_name(id_): _said(verdict) for id_, verdict in verdicts.items()}
        assert {name for name, said in ours.items() if said is not None} == WRONG
        for left in (COLUMNS, CONSTRAINTS, *sorted(CONFIGS.keys() - WRONG)):
            theirs, mine = pair.tables(left)
            assert mine == theirs, left
        pair.execute("update raw.days set n = n + 1")


ON_POSTGRES = (
    """select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
         pg_get_expr(d.adbin, d.adrelid)
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
       left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
       where c.relnamespace = 'main'::regnamespace and c.relkind in ('r', 'v')
       order by 1, a.attnum""",
    """select conrelid::regclass::text, contype, pg_get_constraintdef(oid) from pg_constraint
       where connamespace = 'main'::regnamespace order by 1, 2, 3""",
    "select * from main.t",
    "select * from main.i order by id",
    "select * from main.k order by id",
)


@pytest.mark.slow
def test_contracts_are_kept_as_by_dbt_on_postgres(tmp_path: Path) -> None:
    both = OnPostgres(tmp_path, files(foreign_keys=True))
    for day, run in enumerate(RUNS):
        said, left = [], []
        for database in (both.theirs, both.ours):
            with database.open() as runner:
                runner.execute("create schema if not exists raw")
                runner.execute("drop table if exists raw.days cascade")
                runner.execute(f"create table raw.days as select {day + 1} as n")
                if database is both.ours:
                    manifest = both.compiled(database)
                    said.append(build_all(manifest, runner, full_refresh=bool(run)))
                else:
                    verdicts = both.dbt(database, "build", *run)
                    said.append({_name(id_): _said(v) for id_, v in verdicts.items()})
                left.append([runner.fetch(sql) for sql in ON_POSTGRES])
        assert said[0] == said[1]
        assert {name for name, each in said[0].items() if each is not None} == WRONG
        assert left[0] == left[1]


def build_all(
    manifest: Manifest, runner: SqlRunner, *, full_refresh: bool
) -> dict[str, list[str] | None]:
    """Build all models; return of each that fails the differences that the error tells."""
    said: dict[str, list[str] | None] = {}
    nodes = manifest.project.nodes
    for id_ in TopologicalSorter({id_: nodes[id_].parents for id_ in nodes}).static_order():
        node = nodes[id_]
        assert node.spec.unsupported == ()
        said[node.name] = None
        try:
            build(node, manifest.code[id_], runner, full_refresh=full_refresh)
        except DataOpsError as error:
            said[node.name] = _differences(str(error))
        except (duckdb.Error, psycopg.Error):
            said[node.name] = []
    return said


def _said(verdict: Verdict) -> list[str] | None:
    return None if verdict.status == "success" else _differences(verdict.message)


def _differences(message: str) -> list[str]:
    rows = [[cell.strip() for cell in row.split("|")] for row in _DIFFERENCE.findall(message)]
    return sorted(str(row) for row in rows if not set("".join(row)) <= {"-", " "})


def _name(id_: str) -> str:
    return id_.split(".")[-1]
