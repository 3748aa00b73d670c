"""Comments and indexes against `dbt build`: a first build, two increments, a full refresh."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.execution.build import build
from airflow_dataops.core.model import Code
from tests.oracle.recording import WAYS, recording
from tests.postgres import open_postgres
from tests.unit.execution.finished_project import SEED, files
from tests.unit.execution.on_postgres import OnPostgres
from tests.unit.execution.side_by_side import SideBySide

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_dataops.core.model import Manifest
    from airflow_dataops.core.ports import SqlRunner
    from tests.unit.execution.dbt_process import Verdict

RUNS = ((), (), (), ("--full-refresh",))
LEFT = (
    "(select 'column', table_name, column_name, comment from duckdb_columns()"
    " where schema_name = 'main' and database_name = 'wh'"
    " union all select 'table', table_name, null, comment from duckdb_tables()"
    " where schema_name = 'main' and database_name = 'wh'"
    " union all select 'view', view_name, null, comment from duckdb_views()"
    " where schema_name = 'main' and database_name = 'wh' and not internal"
    " union all select 'index', table_name, expressions, is_unique::varchar from duckdb_indexes()"
    " order by all)"
)


@pytest.fixture(scope="module", params=WAYS)
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SideBySide]:
    with recording(request, "finished") as recorded:
        project = files(grants=True, indexes=True)
        both = SideBySide(tmp_path_factory.mktemp("finished"), project, recorded)
        both.execute("create schema raw", "create table raw.days as select 1 as n")
        yield both


def test_what_is_beside_the_rows_is_dbts(pair: SideBySide) -> None:
    for run in RUNS:
        assert failed(pair.dbt("build", *run)) == []
        manifest = pair.manifest()
        pair.ours(partial(build_all, manifest, full_refresh=bool(run)))
        theirs, ours = pair.tables(LEFT)
        assert ours == theirs
        assert any("drop table" in (comment or "") for *_, comment in ours.rows)
        pair.execute("update raw.days set n = n + 1")


def build_all(manifest: Manifest, runner: SqlRunner, *, full_refresh: bool) -> None:
    for id_, node in manifest.project.nodes.items():
        assert node.spec.unsupported == ()
        code = Code(csv=SEED) if node.name == "s" else manifest.code[id_]
        build(node, code, runner, full_refresh=full_refresh)


# What nobody granted on Postgres and no model asks for, on a table that stays: it is taken away.
STRANGER = "grant insert on main.{table} to stranger"
ON_POSTGRES = (
    """select c.relname, c.relkind, a.attname, coalesce(
           col_description(c.oid, a.attnum), '-'), obj_description(c.oid)
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
       where c.relnamespace = 'main'::regnamespace and c.relkind in ('r', 'v') order by 1, 3""",
    """select table_name, grantee, privilege_type, grantor from information_schema.role_table_grants
       where table_schema = 'main' and grantee <> grantor order by 1, 2, 3""",
    """select tablename, regexp_replace(indexdef, '"?[0-9a-f]{32}"?', 'name') from pg_indexes
       where schemaname = 'main' order by 1, 2""",
)


@pytest.mark.slow
def test_what_is_beside_the_rows_is_dbts_on_postgres(tmp_path: Path) -> None:
    both = OnPostgres(tmp_path, files(grants=True, indexes=True))
    with open_postgres() as server:
        for role in ("reader", "writer", "stranger"):
            server.execute(f"drop role if exists {role}")
            server.execute(f"create role {role}")
    for day, run in enumerate(RUNS):
        left = []
        for database in (both.theirs, both.ours):
            with database.open() as runner:
                runner.execute("create schema if not exists raw")
                runner.execute("drop table if exists raw.days cascade")
                runner.execute(f"create table raw.days as select {day} as n")
                if database is both.ours:
                    build_all(both.compiled(database), runner, full_refresh=bool(run))
                else:
                    assert failed(both.dbt(database, "build", *run)) == []
                left.append([runner.fetch(sql) for sql in ON_POSTGRES])
                runner.execute(STRANGER.format(table="i"))
        assert left[0] == left[1]
        assert all(left[0])


def failed(verdicts: dict[str, Verdict]) -> list[Verdict]:
    return [verdict for verdict in verdicts.values() if verdict.status != "success"]
