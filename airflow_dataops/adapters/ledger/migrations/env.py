"""What Alembic runs: the caller has opened the connection and its transaction."""

from __future__ import annotations

from alembic import context

from airflow_dataops.adapters.ledger.tables import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
context.run_migrations()
