"""Every metric that the package reports: name, kind, unit, tags, meaning.

The documentation page, the Prometheus rules and the Grafana dashboard are made from this list.
"""

from __future__ import annotations

from enum import StrEnum

from airflow_dataops.core.model import Struct


class Kind(StrEnum):
    """How values of one series go together."""

    COUNTER = "counter"
    """They are added up."""
    GAUGE = "gauge"
    """The last one holds."""
    TIMING = "timing"
    """They are a distribution, in seconds."""


class Unit(StrEnum):
    """What one of a metric is."""

    ONE = "1"
    SECONDS = "s"
    BYTES = "By"


class Origin(StrEnum):
    """Where a metric comes from, which says how exact it is."""

    RUN_END = "run end"
    """Read from Airflow's database when a run has ended: each try counts exactly once."""
    LIVE = "live"
    """What listeners see, as it happens; a killed process tells nothing."""
    TASK = "task"
    """Reported by the package's operators and by users' tasks."""
    SELF = "self"
    """About the metrics themselves."""


class Metric(Struct, frozen=True):
    """One metric.

    Attributes:
        tags: the tags it has, unless a policy takes them away. Tasks also add `owner`, `tier`
            and what they were asked to.
        help: one sentence for the operator who reads it.
    """

    name: str
    kind: Kind
    unit: Unit
    origin: Origin
    tags: tuple[str, ...]
    help: str


_TASK = ("dag", "task", "owner", "tier")
_DAG = ("dag", "run_type", "tier")


def _run_end(name: str, help_: str, tags: tuple[str, ...] = _TASK) -> Metric:
    return Metric(
        name=name, kind=Kind.COUNTER, unit=Unit.ONE, origin=Origin.RUN_END, tags=tags, help=help_
    )


def _seconds(name: str, help_: str, tags: tuple[str, ...] = _TASK) -> Metric:
    return Metric(
        name=name, kind=Kind.TIMING, unit=Unit.SECONDS, origin=Origin.RUN_END, tags=tags, help=help_
    )


def _live(name: str, help_: str, *tags: str) -> Metric:
    return Metric(
        name=name, kind=Kind.COUNTER, unit=Unit.ONE, origin=Origin.LIVE, tags=tags, help=help_
    )


def _task(name: str, help_: str, unit: Unit = Unit.ONE, kind: Kind = Kind.COUNTER) -> Metric:
    return Metric(
        name=name, kind=kind, unit=unit, origin=Origin.TASK, tags=(*_TASK, "node"), help=help_
    )


TASK_SUCCESS = _run_end("airflow.task.success", "Task instances that ended in success.")
TASK_FAILURE = _run_end("airflow.task.failure", "Task instances that ended in failure.")
TASK_SKIPPED = _run_end("airflow.task.skipped", "Task instances that were skipped.")
TASK_UPSTREAM_FAILED = _run_end(
    "airflow.task.upstream_failed", "Task instances that never ran: something upstream failed."
)
TASK_REMOVED = _run_end("airflow.task.removed", "Task instances whose task left the DAG.")
TASK_RETRY = _run_end("airflow.task.retry", "Tries that were followed by another try.")
TASK_UNFINISHED = _run_end(
    "airflow.task.unfinished", "Task instances without a final state when their run ended."
)
TASK_RUN_SECONDS = _seconds("airflow.task.run_seconds", "From the start of a try to its end.")
TASK_QUEUE_SECONDS = _seconds(
    "airflow.task.queue_seconds", "From the time a task is queued to its start."
)
RUN_SUCCESS = _run_end("airflow.dag_run.success", "DAG runs that ended in success.", _DAG)
RUN_FAILURE = _run_end("airflow.dag_run.failure", "DAG runs that ended in failure.", _DAG)
RUN_SECONDS = _seconds("airflow.dag_run.seconds", "From the start of a DAG run to its end.", _DAG)
RUN_QUEUE_SECONDS = _seconds(
    "airflow.dag_run.queue_seconds", "From the time a DAG run is queued to its start.", _DAG
)

RUN_STARTED = _live("airflow.dag_run.started", "DAG runs that began to run.", *_DAG)
TASK_STARTED = _live("airflow.task.started", "Tries that began to run.", *_TASK)
TASK_ENDED = _live(
    "airflow.task.ended",
    "Tries whose process told how they ended; `state` is success, failed, up_for_retry, skipped.",
    *_TASK,
    "state",
)
TASK_STATE_SET = _live(
    "airflow.task.state_set", "Task instances whose state somebody set by hand.", *_TASK, "state"
)
ASSET_CREATED = _live("airflow.asset.created", "Assets that Airflow saw for the first time.")
ASSET_UPDATED = _live("airflow.asset.updated", "Asset events.", "asset", "dag")
IMPORT_ERROR_NEW = _live("airflow.import_error.new", "DAG files that stopped loading.", "file")
IMPORT_ERROR_AGAIN = _live(
    "airflow.import_error.again", "Times that a broken DAG file was found broken again.", "file"
)

ROWS = _task("dataops.rows", "Rows that a node wrote or changed.")
BYTES = _task(
    "dataops.bytes", "Bytes that a statement read, where the warehouse says so.", Unit.BYTES
)
CHECK_PASSED = _task("dataops.check.passed", "Data tests that passed.")
CHECK_WARNED = _task("dataops.check.warned", "Data tests that warned.")
CHECK_FAILED = _task("dataops.check.failed", "Data tests that failed.")
FRESHNESS_AGE = _task(
    "dataops.freshness.age_seconds", "Age of a source's newest row.", Unit.SECONDS, Kind.GAUGE
)

DROPPED = Metric(
    name="dataops.metrics.dropped",
    kind=Kind.COUNTER,
    unit=Unit.ONE,
    origin=Origin.SELF,
    tags=("reason",),
    help="Measurements that were lost, by reason: `full` or `invalid`.",
)

CATALOGUE: tuple[Metric, ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Metric)
)
"""All metrics, in the order of the documentation."""
