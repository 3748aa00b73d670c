"""A dbt project under the functional tests' Airflow, with a DuckDB file of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow_dataops.cli.compile import compile_project
from tests.duckdb_runner import open_duckdb
from tests.oracle.databases import DuckDBFile
from tests.oracle.dbt_process import Dbt, environment
from tests.oracle.state import Clock, State, now, read_state

if TYPE_CHECKING:
    from pathlib import Path

    from tests.functional.started import StartedAirflow
    from tests.oracle.projects import OracleProject
    from tools.airflow_answers import DagRun

FIRST_DAY = datetime(2026, 1, 5, tzinfo=UTC)
DAG_FILE = """
    from datetime import timedelta
    from airflow_dataops import DbtConfig, dbt_dag

    # Sources of January are stale by now, so freshness would stop the airflow dag.
    dag = dbt_dag(
        dag_id={dag_id!r},
        manifest={manifest!r},
        conn_id={dag_id!r},
        freshness="skip",
        default_args={{
            "retries": {retries},
            "retry_delay": timedelta(seconds=1),
            "retry_exponential_backoff": False,
        }},
        dbt=DbtConfig(
            project_dir={project_dir!r}, profile={profile!r}, target="dev", env={env!r}
        ),
    )
"""


@dataclass
class Pipeline:
    """A project with its DuckDB file; `windows` are the times in which something was built."""

    project: OracleProject
    file: Path
    windows: list[tuple[datetime, datetime]]

    def load(self, day: int) -> None:
        """Bring the raw data of a day."""
        with open_duckdb(str(self.file)) as connection:
            self.project.load(connection, day)

    def now(self) -> datetime:
        with open_duckdb(str(self.file)) as connection:
            return now(connection)

    def state(self) -> State:
        """All tables, with times of the clock masked by run and rank."""
        return self._read(Clock(tuple(self.windows)))

    def exact_state(self) -> State:
        """All tables as they are."""
        return self._read(Clock(()))

    def _read(self, clock: Clock) -> State:
        with open_duckdb(str(self.file)) as connection:
            return read_state(connection, clock)


def new_pipeline(project: OracleProject, folder: Path) -> Pipeline:
    """Return a project on an empty DuckDB file in a new folder."""
    folder.mkdir(parents=True)
    return Pipeline(project, folder / f"{project.name}.duckdb", [])


def build_by_dbt(pipeline: Pipeline) -> None:
    """Let dbt build what is loaded: our expectation."""
    begun = pipeline.now()
    project, file = pipeline.project, pipeline.file
    Dbt(project, project.directory, DuckDBFile(file), file.parent).build()
    pipeline.windows.append((begun, pipeline.now()))


@dataclass(frozen=True)
class Deployed:
    """A pipeline that Airflow runs."""

    airflow: StartedAirflow
    pipeline: Pipeline
    dag_id: str

    def trigger(self, day: int) -> DagRun:
        return self.airflow.api.trigger(self.dag_id, logical_date=FIRST_DAY + timedelta(days=day))

    def run(self, day: int) -> DagRun:
        """Run a day and wait for its end."""
        begun = self.pipeline.now()
        run = self.trigger(day)
        run = self.airflow.api.wait_for_run(run, 300, check=self.airflow.airflow.check)
        self.pipeline.windows.append((begun, self.pipeline.now()))
        return run

    def states(self, run: DagRun) -> dict[str, str | None]:
        """The state of each task."""
        return {id_: task.state for id_, task in self.airflow.tasks(run).items()}

    def troubles(self, run: DagRun) -> str:
        """The logs' ends of the tasks that did not succeed."""
        return "\n\n".join(
            f"{task.task_id} {task.state}\n" + "\n".join(self.airflow.api.task_log(task)[-25:])
            for task in self.airflow.tasks(run).values()
            if task.state == "failed"
        )


def deploy(
    airflow: StartedAirflow, pipeline: Pipeline, manifest: Path, dag_id: str, *, retries: int = 0
) -> Deployed:
    """Give Airflow the connection and the DAG of a pipeline."""
    airflow.api.add_connection(dag_id, "duckdb", host=str(pipeline.file))
    project = pipeline.project
    source = DAG_FILE.format(
        dag_id=dag_id,
        manifest=str(manifest),
        retries=retries,
        project_dir=str(project.directory),
        profile=project.name,
        env={project.variable: str(pipeline.file)},
    )
    airflow.drop(f"{dag_id}.py", source, dag_id)
    return Deployed(airflow, pipeline, dag_id)


def compiled(project: OracleProject, folder: Path) -> Path:
    """Compile a project as a user would in CI; return the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / "manifest.json"
    with environment(project.variable, str(folder / f"{project.name}.duckdb")):
        compile_project(project.directory, output=manifest)
    return manifest
