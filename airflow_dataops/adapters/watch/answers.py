"""What Airflow's REST API answers, as far as SLAs need it (shapes: `/docs` of an api-server)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from airflow_dataops.core.sla.facts import RunFacts, TaskFacts
from airflow_dataops.core.sla.policies import RunType

_RUN_TYPES = frozenset(RunType)
"""A later Airflow may know more; those owe nothing, as runs by hand do."""


_NO_TIMES = ("None", "Asset", "Partitioned Asset", "PartitionedAtRuntime", "@continuous")
"""Airflow's words for such timetables."""


class Dag(msgspec.Struct, frozen=True):
    """A DAG of `GET /dags`. Its next run is the one that the scheduler is to make next."""

    dag_id: str
    is_paused: bool = False
    is_stale: bool = False
    has_import_errors: bool = False
    next_dagrun_logical_date: datetime | None = None
    next_dagrun_data_interval_end: datetime | None = None
    next_dagrun_run_after: datetime | None = None
    timetable_summary: str | None = None

    @property
    def has_no_times(self) -> bool:
        """Whether its runs come when something else does, so that none is due by a schedule."""
        return self.timetable_summary in _NO_TIMES

    @property
    def is_on(self) -> bool:
        """Whether its schedule counts: not paused, and not gone, unless by mistake."""
        return not self.is_paused and (self.has_import_errors or not self.is_stale)


class Version(msgspec.Struct, frozen=True):
    """A version of a DAG."""

    version_number: int = 0


class Details(msgspec.Struct, frozen=True):
    """What `GET /dags/{dag_id}/details` says."""

    default_args: dict[str, Any] | None = None
    latest_dag_version: Version | None = None


class Task(msgspec.Struct, frozen=True):
    """A task of `GET /dags/{dag_id}/tasks`."""

    task_id: str
    downstream_task_ids: list[str] | None = None
    owner: str | None = None


class Run(msgspec.Struct, frozen=True):
    """A run of `POST /dags/~/dagRuns/list`."""

    dag_id: str
    dag_run_id: str
    run_type: str
    state: str
    run_after: datetime
    queued_at: datetime | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    data_interval_end: datetime | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Name the run."""
        return self.dag_id, self.dag_run_id

    def facts(self) -> RunFacts:
        """Return what SLAs are judged by."""
        return RunFacts(
            dag_id=self.dag_id,
            run_id=self.dag_run_id,
            run_type=RunType(self.run_type) if self.run_type in _RUN_TYPES else RunType.MANUAL,
            run_after=self.run_after,
            state=self.state,
            data_interval_end=self.data_interval_end,
            started_at=self.start_date,
            ended_at=self.end_date,
        )


class Instance(msgspec.Struct, frozen=True):
    """A task instance of `POST /dags/~/dagRuns/~/taskInstances/list`, or one of its tries."""

    dag_id: str
    dag_run_id: str
    task_id: str
    map_index: int = -1
    try_number: int = 0
    state: str | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None

    @property
    def began(self) -> datetime | None:
        """When it began; of one that was given up for another, Airflow tells that time instead."""
        return None if self.state == "upstream_failed" else self.start_date

    def facts(self, first: datetime | None = None) -> TaskFacts:
        """Return what SLAs are judged by.

        Args:
            first: when its first try began, if that is not this one.
        """
        return TaskFacts(
            task_id=self.task_id,
            state=self.state,
            map_index=self.map_index,
            started_at=self.began,
            ended_at=self.end_date,
            first_started_at=first or self.began,
        )


class LastEvent(msgspec.Struct, frozen=True):
    """The latest event of an asset."""

    timestamp: datetime | None = None


class Asset(msgspec.Struct, frozen=True):
    """An asset of `GET /assets`."""

    id: int
    name: str
    uri: str
    last_asset_event: LastEvent | None = None


class AssetEvent(msgspec.Struct, frozen=True):
    """An event of `GET /assets/events`."""

    timestamp: datetime


class Page(msgspec.Struct, frozen=True):
    """One page of anything."""

    total_entries: int = 0
    dags: list[Dag] = []
    dag_runs: list[Run] = []
    task_instances: list[Instance] = []
    tasks: list[Task] = []
    assets: list[Asset] = []
    asset_events: list[AssetEvent] = []
