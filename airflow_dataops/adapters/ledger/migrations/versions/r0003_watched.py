"""Runs whose SLAs are watched, and how far the watcher has come."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Boolean, Column, String

from airflow_dataops.adapters.ledger.columns import Json, Utc

revision = "0003"
down_revision = "0002"

_ID = String(250)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "dataops_watched",
        Column("dag_id", _ID, primary_key=True),
        Column("run_id", _ID, primary_key=True),
        Column("observed_at", Utc, nullable=False, index=True),
        Column("open", Boolean, nullable=False, index=True),
        Column("watched", Json, nullable=False),
    )
    op.create_table(
        "dataops_marks",
        Column("name", String(250), primary_key=True),
        Column("at", Utc, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("dataops_marks")
    op.drop_table("dataops_watched")
