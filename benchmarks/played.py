"""Airflow's scheduler at work on runs whose tasks are played: they succeed as soon as queued."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.airflow_settings import prepare_sqlite

if TYPE_CHECKING:
    from collections.abc import Callable

TASKS = 4


class Played:
    """A metadata database, the scheduler's own job runner, and one DAG of four tasks.

    Airflow is imported when this is made: its settings come from the environment.
    """

    def __init__(self) -> None:
        from airflow.jobs.job import Job
        from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
        from airflow.utils.db import initdb

        prepare_sqlite(Path(os.environ["AIRFLOW_HOME"]))
        initdb()
        self._dag = _deploy()
        self._number = 0
        self._runner = SchedulerJobRunner(job=Job(), executors=[_executor()])
        self._runner._scheduler_use_job_schedule = False

    def handle(self, runs: int, finish: Callable[[], None]) -> float:
        """Let the scheduler handle new runs; return its processor seconds, without the playing."""
        from airflow.utils.session import create_session

        self._queue(runs)
        seconds = 0.0
        while self._unfinished():
            began = time.process_time()
            with create_session() as session:
                self._runner._do_scheduling(session)
            seconds += time.process_time() - began
            self._play()
        began = time.process_time()
        finish()
        return seconds + time.process_time() - began

    def _queue(self, runs: int) -> None:
        from airflow.utils import timezone
        from airflow.utils.session import create_session
        from airflow.utils.state import DagRunState
        from airflow.utils.types import DagRunTriggeredByType, DagRunType

        with create_session() as session:
            for _ in range(runs):
                self._number += 1
                self._dag.create_dagrun(
                    run_id=f"r{self._number}",
                    run_after=timezone.utcnow(),
                    run_type=DagRunType.MANUAL,
                    triggered_by=DagRunTriggeredByType.TEST,
                    state=DagRunState.QUEUED,
                    session=session,
                )

    def _unfinished(self) -> int:
        from airflow.models.dagrun import DagRun
        from airflow.utils.session import create_session
        from sqlalchemy import func, select

        with create_session() as session:
            running = DagRun.state.in_(("queued", "running"))
            return int(session.scalar(select(func.count()).select_from(DagRun).where(running)))

    def _play(self) -> None:
        from airflow.models.taskinstance import TaskInstance
        from airflow.utils import timezone
        from airflow.utils.session import create_session
        from sqlalchemy import update

        now = timezone.utcnow()
        with create_session() as session:
            session.execute(
                update(TaskInstance)
                .where(TaskInstance.state == "queued")
                .values(state="success", start_date=now, end_date=now)
            )
        executor: Any = self._runner.executor
        executor.queued_tasks.clear()


def _executor() -> Any:
    from airflow.executors.base_executor import BaseExecutor

    class Nowhere(BaseExecutor):
        """Takes everything and runs nothing."""

        def _process_workloads(self, workload_items: Any) -> None: ...

    return Nowhere(parallelism=10_000)


def _deploy() -> Any:
    from airflow.models.dagbundle import DagBundleModel
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG
    from airflow.serialization.definitions.dag import SerializedDAG
    from airflow.serialization.serialized_objects import DagSerialization, LazyDeserializedDAG
    from airflow.utils.session import create_session

    with DAG("shop", schedule=None, is_paused_upon_creation=False) as dag:
        for number in range(TASKS):
            BashOperator(task_id=f"t{number}", bash_command="true")
    lazy = LazyDeserializedDAG.from_dag(dag)
    with create_session() as session:
        session.add(DagBundleModel(name="bench"))
        session.flush()
        SerializedDAG.bulk_write_to_db("bench", None, [lazy], session=session)
        SerializedDagModel.write_dag(lazy, bundle_name="bench", session=session)
    return DagSerialization.from_dict(DagSerialization.to_dict(dag))
