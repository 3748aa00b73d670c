"""What dbt's profile and flags ask of a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from airflow_dataops.core.engines.session_settings import carried

_OF_CONNECTION = frozenset(
    {
        *("host", "hostname", "server", "port", "user", "username", "password", "dbname"),
        *("database", "schema", "path", "account", "project", "dataset", "token", "method"),
        *("keyfile", "keyfile_json", "private_key", "private_key_path", "private_key_passphrase"),
        *("authenticator", "oauth_client_id", "oauth_client_secret", "client_id", "client_secret"),
        *("refresh_token", "token_uri", "scopes", "quota_project", "impersonate_service_account"),
        *("sslmode", "sslcert", "sslkey", "sslrootcert", "connect_timeout", "keepalives_idle"),
        *("connect_retries", "connect_timeout", "retries", "retry_all", "retry_on_database_errors"),
        *("job_retries", "job_creation_timeout_seconds", "job_retry_deadline_seconds"),
        *("client_session_keep_alive", "reuse_connections", "protocol", "proxy_host"),
        *("proxy_port", "insecure_mode", "is_motherduck", "location"),
    }
)
"""Settings of a profile that the Airflow connection has, or the hook and Airflow's retries do."""

_WHERE_CONNECTION_HAS = {"snowflake": frozenset({"role", "warehouse"})}
_NESTED = {"duckdb": "settings"}


@dataclasses.dataclass(frozen=True, slots=True)
class DbtSettings:
    """What was found.

    Attributes:
        session: what sessions are given, see `SessionSql` of `core/engines`.
        left_out: names of what the profile sets and sessions are not given.
        warn_error: whether a test that warns fails.
        fail_fast: whether dbt stops a run at the first failure.
    """

    session: dict[str, Any]
    left_out: tuple[str, ...]
    warn_error: bool
    fail_fast: bool


def read_settings(adapter: str, credentials: Any, flags: Any) -> DbtSettings:
    """Read what dbt has made of the profile and of the flags.

    Args:
        adapter: its type.
        credentials: dbt's dataclass of the target.
        flags: dbt's, after a command.
    """
    options = getattr(flags, "WARN_ERROR_OPTIONS", None)
    session, left_out = split(adapter, _given(credentials))
    return DbtSettings(
        session=session,
        left_out=left_out,
        warn_error=bool(flags.WARN_ERROR or (options and options.includes("LogTestResult"))),
        fail_fast=bool(getattr(flags, "FAIL_FAST", False)),
    )


def split(adapter: str, given: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return what sessions are given, and the names of what they are not."""
    flat = dict(given)
    inner = flat.pop(_NESTED.get(adapter, ""), None)
    if isinstance(inner, Mapping):
        settings = {str(name): value for name, value in inner.items()}
        others = {name: value for name, value in flat.items() if name != "search_path"}
    else:
        settings, others = (flat, flat) if adapter not in _NESTED else ({}, flat)
    session = carried(adapter, settings)
    elsewhere = _OF_CONNECTION | _WHERE_CONNECTION_HAS.get(adapter, frozenset())
    names = {*settings, *others} - session.keys() - elsewhere
    return session, tuple(sorted(names))


def _given(credentials: Any) -> dict[str, Any]:
    """Return what a profile sets otherwise than the adapter does by itself."""
    found = {}
    for field in dataclasses.fields(credentials):
        value, default = getattr(credentials, field.name, None), field.default
        if default is dataclasses.MISSING:
            made = field.default_factory
            default = None if made is dataclasses.MISSING else made()
        # An adapter may put an empty list in place of its None.
        if value not in (None, [], {}) and value != default and not field.name.startswith("_"):
            found[field.name] = value
    return found
