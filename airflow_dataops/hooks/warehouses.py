"""Sessions with warehouses for the command line: an Airflow connection, or BigQuery as it is."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow_dataops.adapters.bigquery import BigQueryRunner, default_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.ports import SqlRunner

_GOOGLE = ("google_cloud_platform", "gcpbigquery")


@contextmanager
def open_warehouse(
    conn_id: str | None, *, project: str | None = None, location: str | None = None
) -> Iterator[SqlRunner]:
    """Open a session on an Airflow connection.

    Args:
        conn_id: None for BigQuery with the default credentials of the machine; then Airflow
            is not needed at all.
        project: BigQuery's project that runs the queries.
        location: BigQuery's region of the jobs.

    Raises:
        ConfigError: the connection's type is not supported, or no project is known.
        MissingExtraError: BigQuery's client is not installed.
    """
    if conn_id is None:
        with default_client(project, location) as client:
            yield BigQueryRunner(client)
        return
    from airflow.sdk import BaseHook

    if BaseHook.get_connection(conn_id).conn_type in _GOOGLE:
        from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook

        hook = BigQueryHook(gcp_conn_id=conn_id, location=location, use_legacy_sql=False)
        yield BigQueryRunner(hook.get_client(project_id=project or hook.project_id))
        return
    from airflow_dataops.hooks.sql_runner import open_session

    with open_session(conn_id) as session:
        yield session
