"""What the ledger keeps. Writing the same event again changes nothing; a newer one adds to it.

All times are aware; they are kept in UTC. `observed_at` is when something was seen: of two
events with one key the later one wins, field by field, where it says anything (is not None).
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from airflow_dataops.core.model import Struct


class Via(StrEnum):
    """Who saw it: Airflow's listener as it happened, or whoever looked afterwards."""

    LISTENER = "listener"
    RECONCILER = "reconciler"


class CheckStatus(StrEnum):
    """The verdict of a check; `error` is a check that could not be made."""

    PASS = "pass"  # noqa: S105 - a verdict
    WARN = "warn"
    FAIL = "fail"
    ERROR = "error"


class RunEvent(Struct, frozen=True):
    """A DAG run.

    Attributes:
        run_type: Airflow's: `scheduled`, `manual`, `backfill`, `asset_triggered`.
        state: Airflow's: `queued`, `running`, `success`, `failed`.
    """

    KEY: ClassVar = ("dag_id", "run_id")

    dag_id: str
    run_id: str
    observed_at: datetime
    run_type: str | None = None
    state: str | None = None
    logical_date: datetime | None = None
    data_interval_end: datetime | None = None
    queued_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    owner: str | None = None
    tags: tuple[str, ...] | None = None
    via: Via = Via.LISTENER


class TaskEvent(Struct, frozen=True):
    """One try of a task instance. `rows` and `bytes` are what it wrote, if it said so."""

    KEY: ClassVar = ("dag_id", "run_id", "task_id", "map_index", "try_number")

    dag_id: str
    run_id: str
    task_id: str
    observed_at: datetime
    map_index: int = -1
    try_number: int = 1
    state: str | None = None
    operator: str | None = None
    owner: str | None = None
    queued_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    rows: int | None = None
    bytes: int | None = None
    via: Via = Via.LISTENER


class CheckEvent(Struct, frozen=True):
    """The outcome of a check of a table, a column, an asset or a run.

    Attributes:
        subject: what was checked, such as `shop.orders`.
        name: which check, such as `freshness` or `unique:id`.
        value: what was measured; `expected` is what was asked for, for a reader.
    """

    KEY: ClassVar = ("subject", "name", "observed_at")

    subject: str
    name: str
    observed_at: datetime
    status: CheckStatus
    value: float | None = None
    expected: str | None = None
    message: str | None = None
    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None


class SlaEvent(Struct, frozen=True):
    """An SLA as it was defined when it was seen. `definition` is plain data."""

    KEY: ClassVar = ("sla", "subject")

    sla: str
    subject: str
    observed_at: datetime
    tier: str | None = None
    owner: str | None = None
    definition: dict[str, Any] | None = None


class VolumeEvent(Struct, frozen=True):
    """How much is in a table, or was written to it, at one time."""

    KEY: ClassVar = ("relation", "measure", "observed_at")

    relation: str
    measure: str
    observed_at: datetime
    rows: int | None = None
    bytes: int | None = None
    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None


class CostEvent(Struct, frozen=True):
    """What one query or job cost.

    Attributes:
        platform: `bigquery`, `snowflake`, ...
        job_id: the platform's own id of the query.
        usd: US dollars; None where the platform gives units alone.
        units: slot milliseconds, or credits; `bytes` are those scanned.
        seconds: how long it ran.
    """

    KEY: ClassVar = ("platform", "job_id")

    platform: str
    job_id: str
    observed_at: datetime
    ended_at: datetime | None = None
    usd: float | None = None
    units: float | None = None
    bytes: int | None = None
    seconds: float | None = None
    model: str | None = None
    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    owner: str | None = None


Event = RunEvent | TaskEvent | CheckEvent | SlaEvent | VolumeEvent | CostEvent
"""All that `Ledger.write` takes. Misses have a life of their own: `core.sla.misses`."""
EVENTS: tuple[type[Event], ...] = (
    RunEvent,
    TaskEvent,
    CheckEvent,
    SlaEvent,
    VolumeEvent,
    CostEvent,
)
