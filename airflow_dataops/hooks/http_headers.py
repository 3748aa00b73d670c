"""An Airflow connection -> the headers of an HTTP request."""

from __future__ import annotations

from airflow.sdk import BaseHook

from airflow_dataops.adapters.http_source import basic


def connection_headers(conn_id: str) -> dict[str, str]:
    """Return what authorizes a request.

    A login with a password is basic auth; a password alone is a bearer token; the extra
    `headers`, an object, is sent as it is and beats both.
    """
    connection = BaseHook.get_connection(conn_id)
    headers = {}
    if connection.login:
        headers["Authorization"] = basic(connection.login, connection.password or "")
    elif connection.password:
        headers["Authorization"] = f"Bearer {connection.password}"
    more = connection.extra_dejson.get("headers") or {}
    return headers | {str(name): str(value) for name, value in more.items()}
