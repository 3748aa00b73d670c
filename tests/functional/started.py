"""The Airflow that the functional tests share, with a DAG folder that tests write to."""

from __future__ import annotations

import textwrap
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.functional import metadata
from tools.airflow_settings import Settings
from tools.local_airflow import LocalAirflow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from tools.airflow_answers import DagRun, TaskInstance
    from tools.airflow_api import AirflowApi

LOAD_TIMEOUT = 60.0
RUN_TIMEOUT = 180.0


@dataclass(frozen=True)
class StartedAirflow:
    """A running Airflow.

    Attributes:
        dags: its DAG folder; a file dropped there is seen within seconds.
    """

    airflow: LocalAirflow
    dags: Path

    @property
    def api(self) -> AirflowApi:
        """Its REST API."""
        return self.airflow.api

    def drop(self, name: str, source: str, *dag_ids: str) -> Path:
        """Write a DAG file and wait until its DAGs are loaded.

        The source must hold the words `dag` and `airflow`, or Airflow does not look at it.
        """
        file = self.dags / name
        file.write_text(textwrap.dedent(source), encoding="utf-8")
        if dag_ids:
            self.api.wait_for_dags(dag_ids, LOAD_TIMEOUT, self.airflow.check)
        return file

    def run(
        self,
        dag_id: str,
        *,
        logical_date: datetime | None = None,
        conf: Mapping[str, Any] | None = None,
        timeout: float = RUN_TIMEOUT,
    ) -> DagRun:
        """Trigger a run and wait until it has ended, well or not."""
        run = self.api.trigger(dag_id, logical_date=logical_date, conf=conf)
        return self.api.wait_for_run(run, timeout, check=self.airflow.check)

    def tasks(self, run: DagRun) -> dict[str, TaskInstance]:
        """The task instances of a run by task id."""
        return {task.task_id: task for task in self.api.task_instances(run.dag_id, run.run_id)}


@contextmanager
def scheduled_airflow(folder: Path, database: str) -> Iterator[StartedAirflow]:
    """Start an Airflow with a DAG folder of its own, whose scheduler makes runs.

    Args:
        database: the name of its metadata's, in the Postgres of the tests.
    """
    (folder / "dags").mkdir()
    settings = Settings(
        home=folder / "home",
        dags_folder=folder / "dags",
        parse_seconds=2,
        environment=metadata.environment(metadata.database(database)),
    )
    with LocalAirflow(settings) as running:
        yield StartedAirflow(running, folder / "dags")
