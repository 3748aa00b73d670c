"""Circuit breakers."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Integer, String, Text

from airflow_dataops.adapters.ledger.columns import Utc

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "dataops_breakers",
        Column("name", String(250), primary_key=True),
        Column("state", String(20), nullable=False),
        Column("generation", Integer, nullable=False),
        Column("failures", Integer, nullable=False),
        Column("changed_at", Utc),
        Column("error", Text),
    )


def downgrade() -> None:
    """Drop it: all breakers are closed."""
    op.drop_table("dataops_breakers")
