"""A DAG whose tasks meet every fate that Airflow knows, and what its database says of them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from pathlib import Path

DAG_ID = "fates"
BY_HAND = {"hand_failed": "failed", "hand_success": "success", "hand_skipped": "skipped"}

SOURCE = '''
import os, signal, time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.sensors.python import PythonSensor
from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk import DAG, BaseOperator, task
from airflow.sdk.exceptions import AirflowSkipException

from airflow_dataops import metrics

TIMES = {times}
NOTES = Path({notes!r})


class Deferred(BaseOperator):
    def execute(self, context):
        # Airflow fails a task that goes on before its first process has ended.
        moment = datetime.now(timezone.utc) + timedelta(seconds=4)
        self.defer(trigger=DateTimeTrigger(moment=moment), method_name="resume")

    def resume(self, context, event=None):
        metrics.count("resumed")


def second_time(run_id):
    note = NOTES / run_id.replace(":", "_")
    if note.exists():
        return True
    note.touch()
    return False


with DAG({dag_id!r}, tags=["tier:gold"], default_args={{"owner": "finance"}}) as dag:
    def once(name):
        """Eight task instances, three of which have a process."""
        @task(task_id=name + "_ok")
        def ok():
            metrics.count("orders.loaded", 42, tags={{"country": "de"}})
            metrics.timing("load.seconds", 0.5)

        @task(task_id=name + "_failing")
        def failing():
            raise ValueError("on purpose")

        @task.branch(task_id=name + "_branch")
        def branch():
            return name + "_taken"

        ok() >> failing() >> [EmptyOperator(task_id=f"{{name}}_never_{{n}}") for n in range(2)]
        choice = branch()
        choice >> EmptyOperator(task_id=name + "_taken")
        choice >> [EmptyOperator(task_id=f"{{name}}_not_taken_{{n}}") for n in range(2)]

    for number in range(TIMES):
        once(f"t{{number}}")

    for number in range(12):
        EmptyOperator(task_id=f"empty_{{number}}")

    @task(retries=2, retry_delay=timedelta(seconds=1))
    def retried(ti=None):
        metrics.count("tried")
        if ti.try_number < 3:
            raise ValueError("not yet")

    @task(retries=1, retry_delay=timedelta(seconds=1))
    def killed_once(ti=None):
        if ti.try_number == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    @task
    def killed():
        os.kill(os.getpid(), signal.SIGKILL)

    @task
    def skipping():
        raise AirflowSkipException("on purpose")

    @task(max_active_tis_per_dagrun=2)
    def mapped(number):
        metrics.count("mapped", number)
        if number == 2:
            raise ValueError("on purpose")

    @task
    def hand(ti=None):
        metrics.count("before.the.end", tags={{"which": ti.task_id}})
        while True:
            time.sleep(0.1)

    retried()
    killed_once()
    killed() >> [EmptyOperator(task_id=f"after_killed_{{n}}") for n in range(6)]
    skipping() >> [EmptyOperator(task_id=f"after_skipped_{{n}}") for n in range(6)]
    mapped.expand(number=[0, 1, 2, 3])
    Deferred(task_id="deferred")
    PythonSensor(
        task_id="rescheduled",
        python_callable=second_time,
        op_args=["{{{{ run_id }}}}"],
        mode="reschedule",
        poke_interval=10,
    )
    for task_id in {by_hand!r}:
        hand.override(task_id=task_id)() >> EmptyOperator(task_id="after_" + task_id)
'''

_BY_STATE = {
    "success": "airflow_task_success",
    "failed": "airflow_task_failure",
    "skipped": "airflow_task_skipped",
    "upstream_failed": "airflow_task_upstream_failed",
    "removed": "airflow_task_removed",
}


def source(notes: Path, *, times: int) -> str:
    """The DAG file; it has 48 task instances and `8 * times` more."""
    return SOURCE.format(times=times, notes=str(notes), dag_id=DAG_ID, by_hand=list(BY_HAND))


def database_says(address: str, dag_id: str) -> Counter[tuple[str, str]]:
    """Count the task instances of all runs by metric and task, and tries before the last.

    Args:
        address: of Airflow's database.
    """
    found: Counter[tuple[str, str]] = Counter()
    with psycopg.connect(address) as database:
        ended = "select state, task_id, count(*) from task_instance where dag_id = %s group by 1, 2"
        for state, task_id, number in database.execute(ended, (dag_id,)):
            found[_BY_STATE[state], task_id] = number
        tries = (
            "select task_id, count(*) from task_instance_history where dag_id = %s "
            "and try_number > 0 and start_date is not null group by 1"
        )
        for task_id, number in database.execute(tries, (dag_id,)):
            found["airflow_task_retry", task_id] = number
    return found


def states(address: str, dag_id: str, run_id: str) -> Counter[str]:
    """Count the task instances of one run by state."""
    query = "select state, count(*) from task_instance where dag_id = %s and run_id = %s group by 1"
    with psycopg.connect(address) as database:
        return Counter(dict(database.execute(query, (dag_id, run_id)).fetchall()))
