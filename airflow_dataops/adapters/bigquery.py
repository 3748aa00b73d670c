"""BigQuery through Google's client, as a `SqlRunner`."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from airflow_dataops.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from google.cloud.bigquery import Client

EMULATOR = "BIGQUERY_EMULATOR_HOST"
LABELS = {"dataops_command": "health"}
"""On each query, so that a cost report tells what looking costs."""


class BigQueryRunner:
    """Runs each statement as a job. There are no transactions over several of them."""

    dialect = "bigquery"
    placeholder = "?"

    def __init__(self, client: Client) -> None:
        self.client = client

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run one statement; see `SqlRunner.execute`."""
        job = self._run(sql, parameters)
        job.result()
        changed = job.num_dml_affected_rows
        return -1 if changed is None else int(changed)

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one query; see `SqlRunner.fetch`."""
        return [tuple(row.values()) for row in self._run(sql, parameters).result()]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Refuse: jobs of their own share no transaction."""
        raise ConfigError("BigQuery runs each statement by itself here, without transactions.")
        yield

    def _run(self, sql: str, parameters: Sequence[Any]) -> Any:
        from google.cloud.bigquery import QueryJobConfig, ScalarQueryParameter

        bound = [ScalarQueryParameter(None, _type(value), value) for value in parameters]
        config = QueryJobConfig(query_parameters=bound, labels=LABELS)
        return self.client.query(sql, job_config=config)


@contextmanager
def default_client(project: str | None, location: str | None) -> Iterator[Client]:
    """Open a client with the machine's default credentials, or of an emulator.

    Args:
        project: by default that of the credentials, or GOOGLE_CLOUD_PROJECT.

    Raises:
        ConfigError: there are no credentials, or they name no project.
        MissingExtraError: Google's client is not installed.
    """
    try:
        from google.auth.credentials import AnonymousCredentials
        from google.auth.exceptions import DefaultCredentialsError
        from google.cloud.bigquery import Client
    except ImportError:
        raise MissingExtraError("BigQuery", "google") from None
    known = project or os.environ.get("GOOGLE_CLOUD_PROJECT")
    try:
        if os.environ.get(EMULATOR):
            # As everywhere in Google's clients, whoever names an emulator needs no login.
            client = Client(known or "emulated", AnonymousCredentials(), location=location)  # type: ignore[no-untyped-call]
        else:
            client = Client(known, location=location)
    except (DefaultCredentialsError, OSError) as error:
        raise ConfigError(
            f"No way into BigQuery: {error} Log in with `gcloud auth application-default login`, "
            "name a project by --project, or an Airflow connection by --conn-id."
        ) from None
    with closing(client):
        yield client


def _type(value: object) -> str:
    known = ((bool, "BOOL"), (int, "INT64"), (float, "FLOAT64"), (datetime, "TIMESTAMP"))
    return next(
        (name for kind, name in (*known, (date, "DATE")) if isinstance(value, kind)), "STRING"
    )
