"""What the hook makes of an Airflow connection, as JSON and as a URI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.configuration import AIRFLOW_HOME
from airflow.sdk import Connection

from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.duckdb_settings import DuckDBSettings, read_settings

HOME = Path(AIRFLOW_HOME)


def _first(value: object) -> str | None:
    """Name a case without Airflow's home, which is another one in each process."""
    return None if value is None else str(value).replace(str(HOME), "home")


def of_uri(uri: str) -> DuckDBSettings:
    return read_settings(Connection.from_uri(uri, conn_id="warehouse"))


def of_fields(*, extra: dict[str, Any] | None = None, **fields: Any) -> DuckDBSettings:
    return read_settings(connection(extra=extra, **fields))


def connection(*, extra: dict[str, Any] | None = None, **fields: Any) -> Connection:
    written = json.dumps(extra) if extra is not None else None
    return Connection(conn_id="warehouse", conn_type="duckdb", extra=written, **fields)


@pytest.mark.parametrize(
    ("uri", "target"),
    [
        ("duckdb://", ":memory:"),
        ("duckdb:///", ":memory:"),
        ("duckdb:///:memory:", ":memory:"),
        ("duckdb:///data/Shop.duckdb", "/data/Shop.duckdb"),
        ("duckdb:////data/Shop.duckdb", "/data/Shop.duckdb"),
        ("duckdb:///data/with%20space%3F.duckdb", "/data/with space?.duckdb"),
        ("duckdb://%2Fdata%2FShop.duckdb", "/data/Shop.duckdb"),
        ("duckdb://shop.duckdb", str(HOME / "shop.duckdb")),
        ("duckdb://data/Shop.duckdb", str(HOME / "data/Shop.duckdb")),
        ("duckdb://:token@md%3Ashop", "md:shop"),
        ("duckdb:///md:shop?motherduck_token=token", "md:shop"),
    ],
    ids=_first,
)
def test_what_a_uri_opens(uri: str, target: str) -> None:
    assert of_uri(uri).target == target


@pytest.mark.parametrize(
    ("host", "target"),
    [
        (None, ":memory:"),
        ("", ":memory:"),
        (":memory:", ":memory:"),
        ("/data/shop.duckdb", "/data/shop.duckdb"),
        ("/data/../data/shop.duckdb", "/data/shop.duckdb"),
        ("data/Shop.duckdb", str(HOME / "data/Shop.duckdb")),
        ("~/shop.duckdb", str(Path.home() / "shop.duckdb")),
        ("md:shop", "md:shop"),
        ("md:", "md:"),
        ("motherduck:shop", "md:shop"),
    ],
    ids=_first,
)
def test_what_a_host_opens(host: str | None, target: str) -> None:
    assert of_fields(host=host).target == target


@pytest.mark.parametrize("host", ["/data/shop.duckdb", "md:shop", ":memory:"])
def test_a_schema_field_beside_a_host_changes_nothing(host: str) -> None:
    assert of_fields(host=host, schema="main") == of_fields(host=host)


def test_a_connection_survives_its_own_uri() -> None:
    """Airflow hands connections to tasks as URIs and back."""
    before = connection(host="/data/Shop.duckdb", extra={"database": "x", "lock_timeout": 3})
    assert of_uri(before.get_uri()) == read_settings(before)


def test_extras_as_json() -> None:
    extra = {
        "database": "shop",
        "config": {"threads": 2, "memory_limit": "1GB"},
        "lock_timeout": 5,
        "read_only": True,
    }
    settings = of_fields(host="/data/x.duckdb", extra=extra)
    assert settings == DuckDBSettings(
        target="/data/x.duckdb",
        database="shop",
        config=(("memory_limit", "1GB"), ("threads", 2)),
        lock_timeout=5.0,
        read_only=True,
    )


def test_extras_as_the_query_of_a_uri() -> None:
    settings = of_uri(
        "duckdb:///x.duckdb?database=shop&read_only=true&lock_timeout=5&config=%7B%7D"
    )
    assert (settings.database, settings.read_only, settings.lock_timeout) == ("shop", True, 5.0)
    assert settings.config == ()


def test_what_is_not_said_has_a_default() -> None:
    assert of_fields() == DuckDBSettings()
    assert DuckDBSettings().lock_timeout == 600


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"lock_timeout": "soon"}, "'lock_timeout' must be a number of seconds, 0 or more, not 's"),
        ({"lock_timeout": -1}, "'lock_timeout' must be a number of seconds"),
        ({"lock_timeout": True}, "'lock_timeout' must be a number of seconds"),
        ({"lock_timeout": "nan"}, "'lock_timeout' must be a number of seconds"),
        ({"read_only": "perhaps"}, "'read_only' must be true or false, not 'perhaps'"),
        ({"config": "threads"}, "'config' must be an object such as"),
        ({"config": [1]}, "'config' must be an object such as"),
        ({"database": ""}, "'database' must be a text that is not empty, not ''"),
        ({"database": 3}, "'database' must be a text that is not empty, not 3"),
    ],
)
def test_a_wrong_extra_is_named(extra: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match="connection 'warehouse'") as caught:
        of_fields(extra=extra)
    assert message in str(caught.value)


def test_unknown_extras_are_found_and_those_of_common_sql_are_not() -> None:
    settings = of_fields(extra={"thread": 1, "placeholder": "?", "lock_timeout": 1})
    assert settings.unknown_extras == ("thread",)


@pytest.mark.parametrize(
    "fields",
    [{"password": "s3cr3t-token"}, {"extra": {"motherduck_token": "s3cr3t-token"}}],
)
def test_the_token_is_read_and_not_shown(fields: dict[str, Any]) -> None:
    settings = of_fields(host="md:shop", **fields)
    assert settings.token == "s3cr3t-token"
    assert "s3cr3t" not in repr(settings)


def test_a_wrong_token_is_not_shown_either() -> None:
    with pytest.raises(ConfigError) as caught:
        of_fields(extra={"motherduck_token": ["s3cr3t-token"]})
    assert "s3cr3t" not in str(caught.value)
