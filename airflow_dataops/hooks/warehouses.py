"""Sessions with warehouses for the command line: an Airflow connection, or BigQuery as it is."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow_dataops.adapters.bigquery import default_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.ports import SqlRunner

LABELS = {"dataops_task": "health"}
"""On each query, so that a cost report tells what looking costs."""


@contextmanager
def open_warehouse(
    conn_id: str | None, *, project: str | None = None, location: str | None = None
) -> Iterator[SqlRunner]:
    """Open a session on an Airflow connection.

    Args:
        conn_id: None for BigQuery with the default credentials of the machine; then Airflow
            is not needed at all.
        project: of the default credentials: BigQuery's project that runs the queries.
        location: BigQuery's region of the jobs, likewise.

    Raises:
        ConfigError: the connection's type is not supported, or no project is known.
        MissingExtraError: BigQuery's client is not installed.
    """
    if conn_id is None:
        from airflow_dataops.hooks.bigquery_session import BigQuerySession

        with default_client(project, location) as client:
            yield BigQuerySession(client, labels=LABELS)
        return
    from airflow_dataops.hooks.sql_runner import open_session

    with open_session(conn_id) as session:
        yield session
