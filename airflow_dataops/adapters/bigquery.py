"""A way into BigQuery without Airflow: the machine's default credentials, or an emulator."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from airflow_dataops.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.cloud.bigquery import Client

EMULATOR = "BIGQUERY_EMULATOR_HOST"


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
