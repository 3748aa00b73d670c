"""Airflow's events -> the ledger. Every hook only remembers which run is to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.listeners import hookimpl

from airflow_dataops.hooks.ledger_feed import LOG
from airflow_dataops.plugins.guard import guarded

if TYPE_CHECKING:
    from airflow_dataops.hooks.ledger_feed import LedgerFeed

_SCHEDULER = "SchedulerJob"
_harmless = guarded("The ledger", LOG)


class LedgerListener:
    """Hears of runs: in the scheduler, and in the api-server of states that are set by hand.

    In a task's process it does nothing.
    """

    def __init__(self, feed: LedgerFeed) -> None:
        self._feed = feed

    @hookimpl
    @_harmless
    def on_starting(self, component: Any) -> None:
        """Have the scheduler look for what ended while nobody listened."""
        if type(component).__name__ == "Job":
            # What the job is comes later, and is read without waking its session.
            self._feed.start(lambda: vars(component).get("job_type") == _SCHEDULER)

    @hookimpl
    @_harmless
    def on_dag_run_running(self, dag_run: Any, msg: str) -> None:
        """Have a run written that began."""
        self._feed.add(dag_run.dag_id, dag_run.run_id, {}, ended=False)

    @hookimpl
    @_harmless
    def on_dag_run_success(self, dag_run: Any, msg: str) -> None:
        """Have a run written that succeeded, with its tasks."""
        self._feed.add(dag_run.dag_id, dag_run.run_id, _owners(dag_run))

    @hookimpl
    @_harmless
    def on_dag_run_failed(self, dag_run: Any, msg: str) -> None:
        """Have a run written that failed, with its tasks."""
        self._feed.add(dag_run.dag_id, dag_run.run_id, _owners(dag_run))

    @hookimpl
    @_harmless
    def on_task_instance_success(self, previous_state: Any, task_instance: Any) -> None:
        """Have the run of a task written anew that was set to success by hand."""
        self._by_hand(previous_state, task_instance)

    @hookimpl
    @_harmless
    def on_task_instance_failed(
        self, previous_state: Any, task_instance: Any, error: object
    ) -> None:
        """Have the run of a task written anew that was set to failed by hand."""
        self._by_hand(previous_state, task_instance)

    @hookimpl
    @_harmless
    def on_task_instance_skipped(self, previous_state: Any, task_instance: Any) -> None:
        """Have the run of a task written anew that was set to skipped by hand."""
        self._by_hand(previous_state, task_instance)

    def _by_hand(self, previous_state: Any, task_instance: Any) -> None:
        if previous_state is None:
            self._feed.add(task_instance.dag_id, task_instance.run_id, {})

    @hookimpl
    @_harmless
    def before_stopping(self, component: Any) -> None:
        """Write what can be written before the process ends."""
        self._feed.finish()


def _owners(dag_run: Any) -> dict[str, str]:
    """Return the owners of a run's tasks, from what is loaded already."""
    dag = vars(dag_run).get("dag")
    tasks = getattr(dag, "task_dict", {})
    return {id_: owner for id_, task in tasks.items() if (owner := getattr(task, "owner", None))}
