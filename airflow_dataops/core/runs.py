"""Runs and tries of tasks as Airflow's database has them: what metrics and the ledger read.

Listeners hear only of what happens in a process that lives to tell: not of a task that was killed,
skipped or failed by the scheduler, or set by hand. So tasks are read from the database when their
run has ended, where all of them are, and cost nothing in their own path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FINAL = frozenset({"success", "failed"})
"""The states in which a run stays."""


class RunRow(NamedTuple):
    """A row of `dag_run`, as it is committed now."""

    dag_id: str
    run_id: str
    run_type: str | None = None
    state: str | None = None
    logical_date: datetime | None = None
    data_interval_end: datetime | None = None
    queued_at: datetime | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    updated_at: datetime | None = None


class TryRow(NamedTuple):
    """A row of `task_instance`, or one of `task_instance_history` (`archived`)."""

    task_id: str
    map_index: int
    try_number: int
    state: str | None
    operator: str | None
    queued_at: datetime | None
    start_date: datetime | None
    end_date: datetime | None
    updated_at: datetime | None
    archived: bool


class ReturnedRow(NamedTuple):
    """What a task of this package returned or pushed, decoded."""

    task_id: str
    map_index: int
    value: Any


class DagInfo(NamedTuple):
    """What is known of a DAG: its owner and tags, and the owners of its tasks."""

    owner: str | None = None
    tags: tuple[str, ...] | None = None
    owners: Mapping[str, str] = {}


class RunRows(NamedTuple):
    """All that is committed about one run; `returned` and `about` where they were asked for."""

    run: RunRow
    tries: list[TryRow]
    returned: list[ReturnedRow]
    about: DagInfo


class RunEnd(NamedTuple):
    """A run that ended, as the listener saw it; its transaction may not be committed yet.

    Attributes:
        state: the state it ended in.
        end: when it ended.
        by_hand: whether somebody set the state, over REST or in the UI.
        heard: when the listener was told.
    """

    dag_id: str
    run_id: str
    run_type: str
    state: str
    queued_at: datetime | None
    start: datetime | None
    end: datetime
    by_hand: bool
    heard: datetime

    @property
    def begin(self) -> datetime:
        """When the leg began: a run that is cleared is queued and started anew."""
        return min(filter(None, (self.queued_at, self.start, self.end)))
