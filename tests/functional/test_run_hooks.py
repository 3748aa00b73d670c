"""Hooks around a run beside `dbt build`: the same rows in the same order, on both engines."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops import DbtConfig, dbt_dag
from tests.connections import connect_duckdb, connect_postgres
from tests.host.runs import Run
from tests.oracle.databases import DuckDBFile, PostgresDatabase, postgres_profile
from tests.oracle.state import Clock, read_state

if TYPE_CHECKING:
    from airflow.sdk import DAG, BaseOperator

pytestmark = pytest.mark.slow

FILES = {
    "dbt_project.yml": """
name: shop
version: "1.0"
profile: p
flags: {send_anonymous_usage_stats: false}
models: {+materialized: table, shop: {stats: {+schema: stats}}}
on-run-start:
  - "create table if not exists {{ target.schema }}.audit (n integer, what text)"
  - "{{ note('start of ' ~ project_name) }}"
  - "create table if not exists {{ target.schema }}_stats.seen (what text)"
on-run-end:
  - "{{ note('schemas ' ~ (schemas | sort | join(' and '))) }}"
  - "{% for database, schema in database_schemas | sort %}{{ note(schema) }}; {% endfor %}"
  - "{{ note('end') }}"
""",
    "profiles.yml": """
p:
  target: dev
  outputs:
    dev: {type: duckdb, path: "{{ env_var('WH') }}", schema: dev}
""",
    "macros/note.sql": """
{% macro note(what) -%}
insert into {{ target.schema }}.audit select count(*), '{{ what }}' from {{ target.schema }}.audit
{%- endmacro %}
""",
    "dbt_packages/helper/dbt_project.yml": """
name: helper
version: "1.0"
on-run-start: >-
  insert into dev_stats.seen values ('start of helper'); insert into dev.audit values (0, 'helper')
on-run-end: ["insert into dev_stats.seen values ('end of helper')"]
""",
    "models/one.sql": "select 1 as n",
    "models/stats/two.sql": "select n from {{ ref('one') }}",
    "models/stats/three.sql": "select * from {{ ref('two') }}",
    "seeds/codes.csv": "code\n1\n",
}


class Place:
    """A copy of the project with a warehouse of its own."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, adapter: str = "duckdb"
    ) -> None:
        self.folder = folder
        for name, text in FILES.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        self.warehouse: DuckDBFile | PostgresDatabase
        if adapter == "duckdb":
            self.warehouse = DuckDBFile.create("wh", folder)
            connect_duckdb(monkeypatch, "warehouse", self.warehouse.path)
        else:
            self.warehouse = PostgresDatabase.create("wh", folder)
            (folder / "profiles.yml").write_text(postgres_profile("p", "WH", "dev"))
            connect_postgres(monkeypatch, "warehouse", self.warehouse.value)
        with self.warehouse.open():
            monkeypatch.setenv("WH", self.warehouse.value)
        monkeypatch.setenv("DO_NOT_TRACK", "1")

    def call(self, *command: str) -> int:
        beside = Path(sys.executable).with_name(command[0])
        done = subprocess.run(
            [beside, *command[1:]],
            cwd=self.folder,
            env=os.environ | {"WH": self.warehouse.value},
            check=False,
            capture_output=True,
            text=True,
        )
        return done.returncode

    def rows(self) -> dict[str, Any]:
        """Return all tables and views."""
        with self.warehouse.open() as runner:
            found = read_state(runner, Clock(()))
        return {name: sorted(table.rows.elements(), key=repr) for name, table in found.items()}

    def audit(self) -> list[tuple[int, str]]:
        """Return what hooks noted, in order."""
        with self.warehouse.open() as runner:
            return [(n, what) for n, what in runner.fetch("select * from dev.audit order by 1, 2")]


class DbtRun(Run):
    """A run in which some tasks are Cosmos's operators."""

    def one(self, task: BaseOperator, max_tries: int = 2) -> None:
        if hasattr(task, "full_refresh"):
            task.full_refresh = False
        super().one(task, max_tries)


def dag_of(place: Place, engine: str) -> DAG:
    assert place.call("airflow-dataops", "compile", "-o", "m.json") == 0
    project = str(place.folder)
    env = {"WH": place.warehouse.value}
    dbt = DbtConfig(project_dir=project, profile="p", target="dev", env=env)
    manifest = str(place.folder / "m.json")
    return dbt_dag(manifest=manifest, conn_id="warehouse", engine=engine, dbt=dbt)


@pytest.mark.parametrize(
    ("adapter", "engine", "runs"),
    [("duckdb", "auto", 3), ("duckdb", "dbt", 1), ("postgres", "auto", 2), ("postgres", "dbt", 1)],
)
def test_runs_leave_what_builds_of_dbt_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, adapter: str, engine: str, runs: int
) -> None:
    theirs = Place(tmp_path / "theirs", monkeypatch, adapter)
    for _ in range(runs):
        assert theirs.call("dbt", "build") == 0
    ours = Place(tmp_path / "ours", monkeypatch, adapter)
    dag = dag_of(ours, engine)
    for _ in range(runs):
        run = DbtRun(dag).all()
    assert run.states["hooks.on_run_end"] == "success", run.errors
    assert len(ours.audit()) == runs * 6
    assert ours.audit() == theirs.audit()
    assert ours.rows() == theirs.rows()


def test_after_a_failure_the_end_is_told_what_was_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The schemas are those of what succeeded, and the outcome is red."""
    broken = "select 1 as n where 'x'::int = 1"
    theirs = Place(tmp_path / "theirs", monkeypatch)
    (theirs.folder / "models/stats/two.sql").write_text(broken)
    (theirs.folder / "models/stats/three.sql").write_text(broken)
    assert theirs.call("dbt", "build") == 1
    ours = Place(tmp_path / "ours", monkeypatch)
    for name in ("two", "three"):
        (ours.folder / f"models/stats/{name}.sql").write_text(broken)
    run = DbtRun(dag_of(ours, "auto")).all()
    assert run.states["two"] == "failed"
    assert run.states["hooks.outcome"] == "upstream_failed"
    assert ours.rows() == theirs.rows()
    assert "schemas dev" in [what for _, what in ours.audit()]


def test_the_projects_own_files_stay_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path / "ours", monkeypatch)
    dag = dag_of(place, "dbt")
    DbtRun(dag).one(dag.get_task("codes"))
    assert place.rows().keys() == {"dev.codes"}, "a node alone runs no hook"
    assert {name: (place.folder / name).read_text() for name in FILES} == FILES
    assert not (place.folder / "dataops_packages").exists()
