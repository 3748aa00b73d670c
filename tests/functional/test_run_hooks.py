"""Hooks around a run beside `dbt build`: the same rows in the same order, on both engines."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from airflow_dataops import DbtConfig, dbt_dag
from tests.host.runs import Run

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

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        for name, text in FILES.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        self.file = folder / "wh.duckdb"
        duckdb.connect(str(self.file)).close()
        monkeypatch.setenv("WH", str(self.file))
        monkeypatch.setenv("DO_NOT_TRACK", "1")
        address = str(self.file).replace("/", "%2F")
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", f"duckdb://{address}")

    def call(self, *command: str) -> int:
        beside = Path(sys.executable).with_name(command[0])
        done = subprocess.run(
            [beside, *command[1:]],
            cwd=self.folder,
            env=os.environ | {"WH": str(self.file)},
            check=False,
            capture_output=True,
            text=True,
        )
        return done.returncode

    def rows(self) -> dict[str, Any]:
        with duckdb.connect(str(self.file)) as connection:
            return {
                name: connection.execute(f"from {name} order by 1, 2").fetchall()
                if name == "dev.audit"
                else connection.execute(f"from {name} order by all").fetchall()
                for (name,) in connection.execute(
                    "select schema_name || '.' || table_name from duckdb_tables() order by 1"
                ).fetchall()
            }


class DbtRun(Run):
    """A run in which some tasks are Cosmos's operators."""

    def one(self, task: BaseOperator, max_tries: int = 2) -> None:
        if hasattr(task, "full_refresh"):
            task.full_refresh = False
        super().one(task, max_tries)


def dag_of(place: Place, engine: str) -> DAG:
    assert place.call("airflow-dataops", "compile", "-o", "m.json") == 0
    project = str(place.folder)
    env = {"WH": str(place.file)}
    dbt = DbtConfig(project_dir=project, profile="p", target="dev", env=env)
    manifest = str(place.folder / "m.json")
    return dbt_dag(manifest=manifest, conn_id="warehouse", engine=engine, dbt=dbt)


@pytest.mark.parametrize(("engine", "runs"), [("auto", 3), ("dbt", 1)])
def test_runs_leave_what_builds_of_dbt_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, runs: int
) -> None:
    theirs = Place(tmp_path / "theirs", monkeypatch)
    for _ in range(runs):
        theirs.call("dbt", "build")
    ours = Place(tmp_path / "ours", monkeypatch)
    dag = dag_of(ours, engine)
    for _ in range(runs):
        run = DbtRun(dag).all()
    assert run.states["hooks.on_run_end"] == "success", run.errors
    assert len(ours.rows()["dev.audit"]) == runs * 6
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
    assert ("schemas dev",) in [row[1:] for row in ours.rows()["dev.audit"]]


def test_the_projects_own_files_stay_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path / "ours", monkeypatch)
    dag = dag_of(place, "dbt")
    DbtRun(dag).one(dag.get_task("codes"))
    assert place.rows() == {"dev.codes": [(1,)]}, "a node alone runs no hook"
    assert {name: (place.folder / name).read_text() for name in FILES} == FILES
    assert not (place.folder / "dataops_packages").exists()
