"""Airflow's events -> a feed of runs. Every hook only remembers which run is to be read."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.listeners import hookimpl

from airflow_dataops.core.runs import RunEnd
from airflow_dataops.hooks.run_feed import HeardRun
from airflow_dataops.plugins.guard import guarded

if TYPE_CHECKING:
    from airflow_dataops.hooks.run_feed import RunFeed

_SCHEDULER = "SchedulerJob"
_BY_HAND = "manually"
"""A word of the message that Airflow's REST API gives with a run that somebody ended."""
_harmless = guarded("The feed of runs", logging.getLogger("airflow_dataops.runs"))


class RunListener:
    """Hears of runs: in the scheduler, and in the api-server of states that are set by hand.

    In a task's process it does nothing.
    """

    def __init__(self, feed: RunFeed) -> None:
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
        """Tell of a run that began."""
        self._feed.add(HeardRun(dag_run.dag_id, dag_run.run_id, ended=False))

    @hookimpl
    @_harmless
    def on_dag_run_success(self, dag_run: Any, msg: str) -> None:
        """Tell of a run that succeeded."""
        self._ended(dag_run, msg)

    @hookimpl
    @_harmless
    def on_dag_run_failed(self, dag_run: Any, msg: str) -> None:
        """Tell of a run that failed."""
        self._ended(dag_run, msg)

    def _ended(self, dag_run: Any, msg: str) -> None:
        """Read only what is loaded already: anything else would flush the scheduler's session."""
        loaded = vars(dag_run)
        end = _run_end(loaded, by_hand=_BY_HAND in msg)
        self._feed.add(HeardRun(loaded["dag_id"], loaded["run_id"], end=end, dag=loaded.get("dag")))

    @hookimpl
    @_harmless
    def on_task_instance_success(self, previous_state: Any, task_instance: Any) -> None:
        """Tell of the run of a task that was set to success by hand."""
        self._by_hand(previous_state, task_instance)

    @hookimpl
    @_harmless
    def on_task_instance_failed(
        self, previous_state: Any, task_instance: Any, error: object
    ) -> None:
        """Tell of the run of a task that was set to failed by hand."""
        self._by_hand(previous_state, task_instance)

    @hookimpl
    @_harmless
    def on_task_instance_skipped(self, previous_state: Any, task_instance: Any) -> None:
        """Tell of the run of a task that was set to skipped by hand."""
        self._by_hand(previous_state, task_instance)

    def _by_hand(self, previous_state: Any, task_instance: Any) -> None:
        if previous_state is None:
            self._feed.add(HeardRun(task_instance.dag_id, task_instance.run_id))

    # Before the other listeners of the package: what the feed counts is sent by them.
    @hookimpl(tryfirst=True)
    @_harmless
    def before_stopping(self, component: Any) -> None:
        """Settle what can be settled before the process ends."""
        self._feed.finish()


def _run_end(loaded: dict[str, Any], *, by_hand: bool) -> RunEnd | None:
    """Return how a run ended; None where it was set by hand while a teardown still runs.

    The scheduler will end such a run.
    """
    if loaded.get("end_date") is None:
        return None
    return RunEnd(
        dag_id=loaded["dag_id"],
        run_id=loaded["run_id"],
        run_type=_plain(loaded["run_type"]),
        state=_plain(loaded["_state"]),
        queued_at=loaded.get("queued_at"),
        start=loaded.get("start_date"),
        end=loaded["end_date"],
        by_hand=by_hand,
        heard=datetime.now(UTC),
    )


def _plain(value: Any) -> str:
    return str(getattr(value, "value", value))
