"""Alerts: incidents, what they are made of, and the outbox."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Index, Integer, String, Text

from airflow_dataops.adapters.ledger.columns import Json, Utc

revision = "0002"
down_revision = "0001"

_ID = String(250)


def upgrade() -> None:
    """Make the tables."""
    _incidents()
    _alerts()
    _outbox()


def downgrade() -> None:
    """Drop them."""
    for name in ("dataops_outbox", "dataops_alerts", "dataops_incidents"):
        op.drop_table(name)


def _incidents() -> None:
    op.create_table(
        "dataops_incidents",
        Column("id", String(32), primary_key=True),
        Column("open_key", String(64), unique=True),
        Column("cause", Text, nullable=False),
        Column("opened_at", Utc, nullable=False, index=True),
        Column("closes_at", Utc, nullable=False),
        Column("solved_at", Utc),
        Column("acknowledged_at", Utc),
    )


def _alerts() -> None:
    op.create_table(
        "dataops_alerts",
        Column("key", String(64), primary_key=True),
        Column("route", String(64), primary_key=True),
        Column("incident", String(32), nullable=False, index=True),
        Column("at", Utc, nullable=False, index=True),
        Column("solved_at", Utc),
        Column("alert", Json, nullable=False),
    )


def _outbox() -> None:
    op.create_table(
        "dataops_outbox",
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
        Index("dataops_outbox_due", "state", "next_at"),
        Index("dataops_outbox_sent", "receiver", "sent_at"),
    )
