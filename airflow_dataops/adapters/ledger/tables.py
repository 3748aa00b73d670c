"""The tables as they are now. What made them so is in `migrations`; a test compares the two.

Names carry a prefix, for a Postgres database may hold other things, such as Airflow's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

from airflow_dataops.adapters.ledger.columns import Json, Utc
from airflow_dataops.core.ledger.events import (
    CheckEvent,
    CostEvent,
    RunEvent,
    SlaEvent,
    TaskEvent,
    VolumeEvent,
)

if TYPE_CHECKING:
    from airflow_dataops.core.model import Struct

HEAD = "0005"
"""The revision that these tables are of; a test compares it with the newest script."""
VERSION_TABLE = "dataops_ledger_version"

metadata = MetaData()
_ID = String(250)
_Big = BigInteger().with_variant(Integer(), "sqlite")

runs = Table(
    "dataops_runs",
    metadata,
    Column("dag_id", _ID, primary_key=True),
    Column("run_id", _ID, primary_key=True),
    Column("observed_at", Utc, nullable=False, index=True),
    Column("run_type", String(50)),
    Column("state", String(50)),
    Column("logical_date", Utc),
    Column("data_interval_end", Utc),
    Column("queued_at", Utc),
    Column("started_at", Utc),
    Column("ended_at", Utc),
    Column("owner", Text),
    Column("tags", Json),
    Column("via", String(20), nullable=False),
)
tasks = Table(
    "dataops_tasks",
    metadata,
    Column("dag_id", _ID, primary_key=True),
    Column("run_id", _ID, primary_key=True),
    Column("task_id", _ID, primary_key=True),
    Column("map_index", Integer, primary_key=True, autoincrement=False),
    Column("try_number", Integer, primary_key=True, autoincrement=False),
    Column("observed_at", Utc, nullable=False, index=True),
    Column("state", String(50)),
    Column("operator", String(250)),
    Column("owner", Text),
    Column("queued_at", Utc),
    Column("started_at", Utc),
    Column("ended_at", Utc),
    Column("rows", _Big),
    Column("bytes", _Big),
    Column("via", String(20), nullable=False),
)
checks = Table(
    "dataops_checks",
    metadata,
    Column("subject", String(500), primary_key=True),
    Column("name", _ID, primary_key=True),
    Column("observed_at", Utc, primary_key=True, index=True),
    Column("status", String(20), nullable=False),
    Column("value", Float),
    Column("expected", Text),
    Column("message", Text),
    Column("dag_id", _ID),
    Column("run_id", _ID),
    Column("task_id", _ID),
)
slas = Table(
    "dataops_slas",
    metadata,
    Column("sla", _ID, primary_key=True),
    Column("subject", String(500), primary_key=True),
    Column("observed_at", Utc, nullable=False, index=True),
    Column("tier", String(20)),
    Column("owner", Text),
    Column("definition", Json),
)
volumes = Table(
    "dataops_volumes",
    metadata,
    Column("relation", String(500), primary_key=True),
    Column("measure", String(50), primary_key=True),
    Column("observed_at", Utc, primary_key=True, index=True),
    Column("rows", _Big),
    Column("bytes", _Big),
    Column("dag_id", _ID),
    Column("run_id", _ID),
    Column("task_id", _ID),
)
costs = Table(
    "dataops_costs",
    metadata,
    Column("platform", String(50), primary_key=True),
    Column("job_id", _ID, primary_key=True),
    Column("observed_at", Utc, nullable=False, index=True),
    Column("ended_at", Utc),
    Column("usd", Float),
    Column("units", Float),
    Column("bytes", _Big),
    Column("seconds", Float),
    Column("model", String(500)),
    Column("dag_id", _ID),
    Column("run_id", _ID),
    Column("task_id", _ID),
    Column("owner", Text),
)
misses = Table(
    "dataops_misses",
    metadata,
    Column("key", String(32), primary_key=True),
    Column("sla", _ID, nullable=False),
    Column("subject", String(500), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("dag_id", _ID),
    Column("run_id", _ID),
    Column("task_id", _ID),
    Column("map_index", Integer, nullable=False),
    Column("tier", String(20), nullable=False),
    Column("owner", Text),
    Column("warning", Boolean, nullable=False),
    Column("due", Utc, nullable=False),
    Column("detected_at", Utc, nullable=False, index=True),
    Column("solved_at", Utc),
    Column("miss", Json, nullable=False),
    Index("dataops_misses_of_run", "dag_id", "run_id"),
)
incidents = Table(
    "dataops_incidents",
    metadata,
    Column("id", String(32), primary_key=True),
    # What new alerts join by; emptied when the group's time is over or all is solved.
    Column("open_key", String(64), unique=True),
    Column("cause", Text, nullable=False),
    Column("opened_at", Utc, nullable=False, index=True),
    Column("closes_at", Utc, nullable=False),
    Column("solved_at", Utc),
    Column("acknowledged_at", Utc),
)
alerts = Table(
    "dataops_alerts",
    metadata,
    Column("key", String(64), primary_key=True),
    # The route it took: an alert may take several.
    Column("route", String(64), primary_key=True),
    Column("incident", String(32), nullable=False, index=True),
    Column("at", Utc, nullable=False, index=True),
    Column("solved_at", Utc),
    Column("alert", Json, nullable=False),
    # 0 for a critical one; and its place in the incident, from 1 on.
    Column("rank", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", String(50)),
    Column("subject", String(500)),
    Column("dag_id", _ID),
    Column("run_id", _ID),
    Index("dataops_alerts_of_dag", "dag_id", "solved_at"),
)
outbox = Table(
    "dataops_outbox",
    metadata,
    Column("key", String(32), primary_key=True),
    Column("incident", String(32), nullable=False, index=True),
    Column("receiver", String(500), nullable=False),
    Column("action", String(20), nullable=False),
    Column("step", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("next_at", Utc, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("leased_by", String(100)),
    Column("leased_until", Utc),
    Column("sent_at", Utc),
    Column("count", Integer),
    Column("error", Text),
    # The worst alert's that it is to tell, and the number of the newest that it told.
    Column("rank", Integer, nullable=False),
    Column("seen", Integer),
    Index("dataops_outbox_due", "state", "next_at"),
    Index("dataops_outbox_sent", "receiver", "sent_at"),
    Index("dataops_outbox_lane", "receiver", "state", "rank", "next_at"),
)
receivers = Table(
    "dataops_receivers",
    metadata,
    Column("receiver", String(500), primary_key=True),
    # The message that it did not take: nothing is sent to it before that is due again.
    Column("message", String(32), nullable=False),
    # In a row.
    Column("failures", Integer, nullable=False),
    Column("error", Text),
)
watched = Table(
    "dataops_watched",
    metadata,
    Column("dag_id", _ID, primary_key=True),
    Column("run_id", _ID, primary_key=True),
    Column("observed_at", Utc, nullable=False, index=True),
    # Whether there is anything left to look at.
    Column("open", Boolean, nullable=False, index=True),
    Column("watched", Json, nullable=False),
)
marks = Table(
    "dataops_marks",
    metadata,
    # Who has come so far.
    Column("name", _ID, primary_key=True),
    Column("at", Utc, nullable=False),
)
breakers = Table(
    "dataops_breakers",
    metadata,
    Column("name", _ID, primary_key=True),
    Column("state", String(20), nullable=False),
    # Grows with each change of state and each probe.
    Column("generation", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("changed_at", Utc),
    Column("error", Text),
)

TABLE_OF: dict[type[Struct], Table] = {
    RunEvent: runs,
    TaskEvent: tasks,
    CheckEvent: checks,
    SlaEvent: slas,
    VolumeEvent: volumes,
    CostEvent: costs,
}
