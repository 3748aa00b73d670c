"""The ledger: runs, tasks, checks, SLAs, volumes, costs, misses."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, String, Text

from airflow_dataops.adapters.ledger.columns import Json, Utc

revision = "0001"
down_revision = None

_ID = String(250)
_Big = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _runs()
    _tasks()
    _checks()
    _slas()
    _volumes()
    _costs()
    _misses()


def downgrade() -> None:
    """Drop them."""
    for name in (
        "dataops_misses",
        "dataops_costs",
        "dataops_volumes",
        "dataops_slas",
        "dataops_checks",
        "dataops_tasks",
        "dataops_runs",
    ):
        op.drop_table(name)


def _runs() -> None:
    op.create_table(
        "dataops_runs",
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


def _tasks() -> None:
    op.create_table(
        "dataops_tasks",
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


def _checks() -> None:
    op.create_table(
        "dataops_checks",
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


def _slas() -> None:
    op.create_table(
        "dataops_slas",
        Column("sla", _ID, primary_key=True),
        Column("subject", String(500), primary_key=True),
        Column("observed_at", Utc, nullable=False, index=True),
        Column("tier", String(20)),
        Column("owner", Text),
        Column("definition", Json),
    )


def _volumes() -> None:
    op.create_table(
        "dataops_volumes",
        Column("relation", String(500), primary_key=True),
        Column("measure", String(50), primary_key=True),
        Column("observed_at", Utc, primary_key=True, index=True),
        Column("rows", _Big),
        Column("bytes", _Big),
        Column("dag_id", _ID),
        Column("run_id", _ID),
        Column("task_id", _ID),
    )


def _costs() -> None:
    op.create_table(
        "dataops_costs",
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


def _misses() -> None:
    op.create_table(
        "dataops_misses",
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
