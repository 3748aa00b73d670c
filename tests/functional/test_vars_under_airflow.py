"""dbt's vars by date under Airflow's scheduler: each day of a backfill has its own rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_dataops.cli.compile import compile_project
from tests.duckdb_runner import open_duckdb
from tests.functional.test_backfill import run
from tests.oracle.dbt_process import environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.functional.started import StartedAirflow

DAYS = ["2026-02-01", "2026-02-02", "2026-02-03"]
FILES = {
    "dbt_project.yml": "name: daily\nprofile: daily\nmodels: {+materialized: incremental}\n",
    "profiles.yml": "daily: {target: dev, outputs: {dev: "
    "{type: duckdb, path: \"{{ env_var('DAILY_DUCKDB') }}\"}}}",
    "models/printed.sql": "select '{{ var(\"run_day\") }}' as run_day",
    "models/counted.sql": "select '{{ var(\"run_day\") }}' as run_day, count(*) as days "
    "from {{ ref('printed') }}",
    "models/decided.sql": "select '{{ var(\"run_day\") }}' as run_day, "
    "{% if var('run_day') > '2026-02-02' %} 'late' {% else %} 'early' {% endif %} as found",
    "models/tested.yml": """
models:
  - name: printed
    columns:
      - name: run_day
        data_tests: [accepted_values: {arguments: {values: ["{{ var('run_day') }}"]},
          config: {where: "run_day >= '{{ var('run_day') }}'"}}]
""",
}
DAG = """
    from datetime import datetime, timezone
    from airflow_dataops import DbtConfig, dbt_dag

    # An airflow dag of which each run says its own day.
    dag = dbt_dag(
        dag_id="daily",
        manifest={manifest!r},
        conn_id="daily",
        schedule="@daily",
        start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
        catchup=False,
        vars={{"run_day": "{{{{ ds }}}}"}},
        default_args={{"retries": 0}},
        dbt=DbtConfig(
            project_dir={project!r}, profile="daily", target="dev", env={{"DAILY_DUCKDB": {file!r}}}
        ),
    )
"""


@pytest.mark.timeout(2400)
def test_each_day_of_a_backfill_has_its_own_rows(airflow: StartedAirflow, tmp_path: Path) -> None:
    """On both engines: what is printed runs as SQL, what decides is rendered by dbt."""
    file, project = tmp_path / "daily.duckdb", tmp_path / "project"
    for name, text in FILES.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text, encoding="utf-8")
    manifest = tmp_path / "manifest.json"
    elsewhere = tmp_path / "compile"
    elsewhere.mkdir()
    # Of the same name: dbt in this process keeps the file open.
    with environment("DAILY_DUCKDB", str(elsewhere / file.name)):
        compile_project(
            project,
            output=manifest,
            variables={"run_day": "2020-01-01"},
            runtime_vars=("run_day",),
        )
    airflow.api.add_connection("daily", "duckdb", host=str(file))
    source = DAG.format(manifest=str(manifest), project=str(project), file=str(file))
    airflow.drop("daily.py", source, "daily")
    operators = {each["task_id"]: each["operator_name"] for each in airflow.api.dag_tasks("daily")}
    assert operators["printed"] == "DbtBuildOperator"
    assert operators["decided"] == "CosmosRunOperator"

    done = run(airflow, "daily", DAYS[0], DAYS[-1], timeout=1800)
    assert (done.returncode, done.stderr) == (0, "")
    with open_duckdb(str(file)) as connection:
        found = {
            name: sorted(connection.fetch(f"select * from {name}"))
            for name in ("printed", "counted", "decided")
        }
    assert found == {
        "printed": [(day,) for day in DAYS],
        "counted": [(day, number) for number, day in enumerate(DAYS, 1)],
        "decided": [(DAYS[0], "early"), (DAYS[1], "early"), (DAYS[2], "late")],
    }
