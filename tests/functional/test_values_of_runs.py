"""Compiled once, run later and elsewhere: each table is dbt's, or the plan gives it to dbt."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops.cli.compile import compile_project
from airflow_dataops.core.execution.requests import RunRequest
from airflow_dataops.core.execution.values import RunValues
from airflow_dataops.core.manifests import read_manifest
from airflow_dataops.core.relocation import read_relocation
from tests.oracle.databases import DuckDBFile, PostgresDatabase, postgres_profile
from tests.oracle.dbt_process import Dbt, environment
from tests.oracle.engine_side import Engine
from tests.oracle.jinja_models import MACROS, models
from tests.oracle.projects import Databases, OracleProject

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from airflow_dataops.core.ports import SqlRunner
    from tests.oracle.databases import Database
    from tests.oracle.dbt_process import Outcomes

RUNTIME = ("run_day", "region", "n")
PROFILES = """
later:
  target: dev
  outputs:
    dev: {type: duckdb, path: "{{ env_var('LATER_DUCKDB') }}", schema: dbt_me}
    prod: {type: duckdb, path: "{{ env_var('LATER_DUCKDB') }}", schema: analytics}
"""
SOURCES = "sources: [{name: raw, tables: [{name: days}]}]"
ELSEWHERE = {"database": {"then": "later"}, "schema": {"dbt_me": "analytics"}}


def load(runner: SqlRunner, day: int) -> None:
    del day
    runner.execute("create schema if not exists raw")
    days = ", ".join(f"('2026-01-{each:02}', {each})" for each in range(1, 31))
    runner.execute("drop table if exists raw.days")
    runner.execute(f"create table raw.days as select * from (values {days}) as v(d, n)")


def write(folder: Path, name: str, files: Mapping[str, str]) -> Path:
    for path, text in files.items():
        (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / name / path).write_text(text, encoding="utf-8")
    return folder / name


@dataclass(frozen=True)
class Sides:
    """dbt on its database, and our engine on another."""

    dbt: Dbt
    theirs: Database
    engine: Engine
    ours: Database
    schema: str

    def run(self, variables: Mapping[str, Any], *options: str) -> tuple[Outcomes, dict[str, str]]:
        """Run both sides for a day; return how dbt's nodes ended, and our errors."""
        given = ("--vars", json.dumps(escaped(variables)), *options)
        outcomes = self.dbt.build(*given)
        with self.theirs.open() as runner:
            ((started_at, id_),) = runner.fetch(f"select * from {self.schema}.began")
        values = RunValues(
            variables=dict(variables),
            started_at=datetime.fromisoformat(started_at),
            invocation_id=id_,
        )
        request = self.engine.request
        self.engine.request = RunRequest(values=values, relations=request.relations)
        native = outcomes.keys() - self.engine.needing_dbt()
        found, errors = self.engine.build(native, full_refresh="--full-refresh" in options)
        assert {id_: each for id_, each in found.items() if id_ not in errors} == {
            id_: each for id_, each in outcomes.items() if id_ in native and id_ not in errors
        }
        return outcomes, errors


def escaped(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return vars for dbt, which prints quotes as they are."""
    return {k: v.replace("'", "''") if isinstance(v, str) else v for k, v in variables.items()}


def rows(database: Database, table: str) -> list[Any]:
    with database.open() as runner:
        return sorted(runner.fetch(f"select * from {table}"))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_models_later_and_elsewhere(tmp_path: Path, seed: int) -> None:
    """100 models: what any of them may call, in another environment and at another day."""
    made = dict(models(random.Random(seed), 100))
    project = write(
        tmp_path,
        "project",
        {
            "dbt_project.yml": "name: later\nprofile: later\nvars: {fixed: f-1}\n"
            "models: {+materialized: table}\n",
            "profiles.yml": PROFILES,
            "macros/all.sql": MACROS,
            "models/sources.yml": SOURCES,
            "models/began.sql": "select '{{ run_started_at }}' as t, '{{ invocation_id }}' as i",
            **{f"models/{name}.sql": sql for name, sql in made.items()},
        },
    )
    then, theirs, ours = (
        DuckDBFile.create(name, folder)
        for name, folder in (
            ("then", tmp_path),
            ("later", tmp_path / "a"),
            ("later", tmp_path / "b"),
        )
    )
    for database in (then, theirs, ours):
        database.path.parent.mkdir(exist_ok=True)
        with database.open() as runner:
            load(runner, 0)
    given = {"run_day": "2026-01-05", "region": "us", "n": 3}
    with environment("LATER_DUCKDB", then.value), environment("VALUES_PLACE", "then"):
        output = compile_project(
            project, output=tmp_path / "manifest.json", variables=given, runtime_vars=RUNTIME
        ).output
    manifest = read_manifest(output.read_bytes(), source="manifest.json")
    relocation = read_relocation(ELSEWHERE, "duckdb")
    assert relocation is not None
    manifest = replace_project(manifest, relocation)
    oracle = OracleProject(
        "later", "duckdb", project, load, lambda *_: Databases(theirs, ours, ours)
    )
    dbt = Dbt(oracle, project, theirs, tmp_path / "files", ("--target", "prod"))
    engine = Engine(manifest, ours, dbt, RunRequest(relations=relocation))
    sides = Sides(dbt, theirs, engine, ours, "analytics")
    refused: set[str] = set()
    for day, options in (("06", ()), ("07", ()), ("08", ("--full-refresh",))):
        values = {"run_day": f"2026-01-{day}", "region": "asia", "n": 40}
        with environment("VALUES_PLACE", "later"):
            outcomes, errors = sides.run(values, *options)
        assert {status for status, _ in outcomes.values()} == {"success"}
        assert all("where it must be" in error for error in errors.values()), errors
        refused |= errors.keys()
        for id_ in outcomes.keys() - engine.needing_dbt() - refused - {"model.later.began"}:
            table = f"analytics.{id_.rpartition('.')[2]}"
            assert rows(ours, table) == rows(theirs, table), made[id_.rpartition(".")[2]]
    native = len(outcomes) - len(engine.needing_dbt() & outcomes.keys()) - len(refused)
    assert native > 30
    assert len(refused) < 10


def replace_project(manifest: Any, relocation: Any) -> Any:
    import msgspec

    return msgspec.structs.replace(manifest, project=relocation.project(manifest.project))


BACKFILL = {
    "dbt_project.yml": "name: later\nprofile: later\nvars: {region: eu}\n",
    "models/began.sql": "select '{{ run_started_at }}' as t, '{{ invocation_id }}' as i",
    "models/facts.sql": "{{ config(materialized='incremental', unique_key='d', "
    "incremental_strategy='delete+insert') }}"
    "select d, n * {{ var('n') }} as n, '{{ var('region') }}' as region "
    "from {{ source('raw', 'days') }}"
    "{% if is_incremental() %} where d = '{{ var('run_day') }}'"
    "{% else %} where d <= '{{ var('run_day') }}' {% endif %}",
    "models/decided.sql": "{{ config(materialized='table') }}"
    "select {% if var('run_day') > '2026-01-07' %} 'late' {% else %} 'early' {% endif %} as x",
    "models/later.sql": "select * from {{ ref('facts') }} where d >= '{{ var('run_day') }}'",
    "models/all.yml": """
models:
  - name: facts
    columns:
      - name: d
        data_tests:
          - not_null: {config: {where: "d = '{{ var('run_day') }}'"}}
          - accepted_values: {values: ["{{ var('run_day') }}"], config: {severity: warn}}
sources:
  - name: raw
    config:
      freshness: {warn_after: {count: 1, period: day}, filter: "d <= '{{ var('run_day') }}'"}
      loaded_at_field: cast(d as timestamp)
    tables: [{name: days}]
""",
    "snapshots/kept.sql": "{% snapshot kept %}{{ config(target_schema='kept', strategy='check', "
    "unique_key='id', check_cols='all') }} select 1 as id, '{{ var('run_day') }}' as day"
    "{% endsnapshot %}",
}


@pytest.mark.slow
@pytest.mark.parametrize("adapter", ["duckdb", "postgres"])
def test_each_day_of_a_backfill_has_its_vars(tmp_path: Path, adapter: str) -> None:
    """Five days, `dbt build --vars` beside ours; a hostile text is a text on both sides."""
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
    kind: Any = DuckDBFile if adapter == "duckdb" else PostgresDatabase
    theirs, ours = (kind.create("later", folder) for folder in folders)
    profiles = PROFILES
    if adapter == "postgres":
        profiles = postgres_profile("later", "LATER_POSTGRES", "dbt_me")
        ours = theirs
    project = write(tmp_path, "project", BACKFILL | {"profiles.yml": profiles})
    for database in (theirs, ours):
        with database.open() as runner:
            load(runner, 0)
    oracle = OracleProject(
        "later", adapter, project, load, lambda *_: Databases(theirs, ours, ours)
    )
    dbt = Dbt(oracle, project, theirs, tmp_path / "files")
    given = {"run_day": "2026-01-01", "n": 1}
    with environment(oracle.variable, ours.value):
        output = compile_project(
            project, output=tmp_path / "manifest.json", variables=given, runtime_vars=RUNTIME
        ).output
    manifest = read_manifest(output.read_bytes(), source="manifest.json")
    engine = Engine(manifest, ours, Dbt(oracle, project, ours, tmp_path / "files"))
    assert engine.needing_dbt() == {"model.later.decided"}
    if adapter == "postgres":
        return backfill_one_database(engine, dbt, theirs)
    sides = Sides(dbt, theirs, engine, ours, "dbt_me")
    for day in range(5, 10):
        given = {"run_day": f"2026-01-{day:02}", "n": day, "region": "o'; drop table x; --\\"}
        outcomes, errors = sides.run(given)
        assert errors == {}
        assert len(outcomes) == 7
        for table in ("dbt_me.facts", "dbt_me.later"):
            assert rows(ours, table) == rows(theirs, table)
        kept = "(select id, day, dbt_valid_to is null from kept.kept)"
        assert rows(ours, kept) == rows(theirs, kept)
        assert len(rows(ours, kept)) == day - 4
    return None


def backfill_one_database(engine: Engine, dbt: Dbt, database: Any) -> None:
    """Compare in one database: dbt's tables of a day, then ours in their place."""
    compared = "(select * from dbt_me.facts)", "(select * from dbt_me.later)"
    sql = "create table if not exists dbt_me.began (t text, i text)"
    for day in range(5, 10):
        given = {"run_day": f"2026-01-{day:02}", "n": day, "region": "o'; drop table x; --\\"}
        outcomes = dbt.build("--vars", json.dumps(escaped(given)), "--full-refresh")
        theirs = [rows(database, f"{table} as t") for table in compared]
        with database.open() as runner:
            runner.execute(sql)
            runner.execute("drop table dbt_me.facts cascade")
        engine.request = RunRequest(values=RunValues(variables=given))
        found, errors = engine.build(outcomes.keys() - engine.needing_dbt(), full_refresh=False)
        assert errors == {}
        assert found == {id_: outcomes[id_] for id_ in found}
        assert [rows(database, f"{table} as t") for table in compared] == theirs
