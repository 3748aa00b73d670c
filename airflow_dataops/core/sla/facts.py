"""What is known of a run: recorded times and states, as Airflow tells them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from airflow_dataops.core.model import Struct
from airflow_dataops.core.sla.policies import RunType


class State(StrEnum):
    """What a subject comes to, over Airflow's many states."""

    WAITING = "waiting"
    """Not begun: no state, scheduled, queued, up for retry or for reschedule, deferred."""
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """Failed or upstream failed: nothing goes on by itself."""
    EXEMPT = "exempt"
    """Skipped or removed: it was not to run."""


_STATES = {
    "success": State.DONE,
    "failed": State.FAILED,
    "upstream_failed": State.FAILED,
    "skipped": State.EXEMPT,
    "removed": State.EXEMPT,
    "running": State.RUNNING,
    "restarting": State.RUNNING,
}


def state_of(airflow_state: str | None) -> State:
    """Return what a state of Airflow comes to."""
    return _STATES.get(airflow_state or "", State.WAITING)


class RunFacts(Struct, frozen=True):
    """A DAG run. Times are aware; None where it has not come to that.

    Attributes:
        run_after: when the scheduler was to make it.
        state: Airflow's.
        clear_number: how often it was cleared.
    """

    dag_id: str
    run_id: str
    run_type: RunType
    run_after: datetime
    state: str | None = None
    data_interval_end: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    clear_number: int = 0


class TaskFacts(Struct, frozen=True):
    """A task instance: its last try.

    Attributes:
        state: Airflow's.
        first_started_at: when its first try began; the last's start where nobody knows.
        upstream: ids of the tasks that it waits for.
    """

    task_id: str
    state: str | None = None
    map_index: int = -1
    started_at: datetime | None = None
    ended_at: datetime | None = None
    first_started_at: datetime | None = None
    upstream: tuple[str, ...] = ()
    owner: str | None = None
