"""Airflow's REST API, through its official client (extra `cli`)."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_dataops.errors import ConfigError, MissingExtraError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_client.client import ApiClient

URL = "AIRFLOW_API_URL"
TOKEN = "AIRFLOW_API_TOKEN"  # noqa: S105 - the name of a variable
USERNAME = "AIRFLOW_API_USERNAME"
PASSWORD = "AIRFLOW_API_PASSWORD"  # noqa: S105 - the name of a variable
_TIMEOUT = 30
_REFUSED = (401, 403)
_IMPORTING = threading.Lock()


def load_client() -> None:
    """Import the client, one thread at a time: its modules import each other in circles.

    Raises:
        MissingExtraError: it is not installed.
    """
    with _IMPORTING:
        try:
            import airflow_client.client  # noqa: F401
        except ImportError:
            raise MissingExtraError("Airflow's REST API", "cli") from None


@contextmanager
def airflow_api(
    url: str | None = None, environ: Mapping[str, str] | None = None
) -> Iterator[ApiClient]:
    """Open a client of an Airflow's REST API; who calls is told by the environment.

    Args:
        url: where the api-server listens, such as `https://airflow.example.org`;
            `AIRFLOW_API_URL` by default.
        environ: `AIRFLOW_API_TOKEN`, or `AIRFLOW_API_USERNAME` and `AIRFLOW_API_PASSWORD`,
            for which Airflow gives a token. The process's environment by default.

    Raises:
        ConfigError: the address or the login is missing or wrong, or Airflow refuses a call.
        RetryableError: Airflow cannot be reached.
    """
    given = os.environ if environ is None else environ
    host = (url or given.get(URL, "")).rstrip("/")
    if not host:
        raise ConfigError(f"Which Airflow? Name its api-server by --url or {URL}.")
    load_client()
    client = _client(host)
    with client, said_clearly(host):
        client.configuration.access_token = given.get(TOKEN) or _log_in(client, host, given)
        yield client


@contextmanager
def said_clearly(host: str) -> Iterator[None]:
    """Turn the client's exceptions into ours, with Airflow's own words."""
    load_client()
    from airflow_client.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ApiException as error:
        kind = RetryableError if (error.status or 0) >= 500 else ConfigError
        raise kind(f"Airflow at {host} answered {error.status}: {detail(error)}") from None
    except HTTPError as error:
        raise RetryableError(f"Airflow at {host} cannot be reached: {error}") from None


def detail(error: Any) -> str:
    """Return what Airflow says in the body of an error."""
    if error.status in _REFUSED:
        return f"not allowed; set {TOKEN}, or {USERNAME} and {PASSWORD}"
    try:
        found = msgspec.json.decode(error.body or "")
    except msgspec.DecodeError:
        return str(error.body or error.reason)[:2000]
    said = found.get("detail") if isinstance(found, dict) else None
    return str(said or found)


def _client(host: str) -> ApiClient:
    from airflow_client.client import ApiClient, Configuration

    return ApiClient(Configuration(host=host))


def _log_in(client: ApiClient, host: str, given: Mapping[str, str]) -> str:
    username, password = given.get(USERNAME), given.get(PASSWORD)
    if not username or not password:
        raise ConfigError(f"Who calls? Set {TOKEN}, or {USERNAME} and {PASSWORD}.")
    answer = client.call_api(
        "POST",
        f"{host}/auth/token",
        header_params={"Content-Type": "application/json", "Accept": "application/json"},
        body={"username": username, "password": password},
        _request_timeout=_TIMEOUT,
    )
    text = answer.read() or b""  # type: ignore[no-untyped-call]
    if answer.status in _REFUSED:
        raise ConfigError(f"Airflow at {host} does not know this {USERNAME} and {PASSWORD}.")
    try:
        return msgspec.json.decode(text, type=_Token).access_token
    except msgspec.MsgspecError:
        raise ConfigError(
            f"{host} gives no token (it answered {answer.status}): is it an api-server?"
        ) from None


class _Token(msgspec.Struct):
    access_token: str
