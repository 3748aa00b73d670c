"""An engine of another package: by entry points, without a change here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from airflow_dataops.core import engines
from airflow_dataops.core.engines import get_engine, registry
from airflow_dataops.core.engines.names import parse_relation
from airflow_dataops.core.engines.postgres import ENGINE as POSTGRES
from airflow_dataops.core.engines.relations import render
from airflow_dataops.hooks import connectors
from airflow_dataops.hooks.connectors import Connector
from airflow_dataops.hooks.sql_runner import find_hook
from airflow_dataops.hooks.sql_session import PostgresSession

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "materialize"
ENGINE = msgspec.structs.replace(POSTGRES, name=NAME)
CONNECTOR = Connector(NAME, "airflow_dataops.hooks.bulk.postgres", PostgresSession)


class Entry:
    """As `importlib.metadata` gives it."""

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self.load = lambda: value


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    known = {
        registry.GROUP: Entry(NAME, ENGINE),
        connectors.GROUP: Entry("postgres_like", CONNECTOR),
    }

    def entry_points(group: str, name: str | None = None) -> list[Entry]:
        return [each for each in [known[group]] if name in (None, each.name)]

    caches = (
        *(engines.engine_names, engines.find_engine),
        *(connectors.find_connector, connectors.bulk_path),
    )
    for module in (registry, connectors):
        monkeypatch.setattr(module, "entry_points", entry_points)
    for each in caches:
        each.cache_clear()
    yield
    for each in caches:
        each.cache_clear()


@pytest.mark.usefixtures("installed")
def test_a_strangers_engine_is_one_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    assert NAME in engines.engine_names()
    assert engines.is_engine(NAME)
    assert not engines.tells_last_change(NAME)
    assert get_engine(NAME) is ENGINE
    assert render(parse_relation("Shop.Orders", NAME), NAME) == '"shop"."orders"'
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "postgres_like"}))
    assert connectors.find_connector("postgres_like") is CONNECTOR
    assert connectors.bulk_path(NAME).__name__ == CONNECTOR.bulk
    assert "postgres_like" in connectors.connection_types()


@pytest.mark.usefixtures("installed")
def test_its_hook_is_that_of_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    made = CONNECTOR._replace(hook=lambda connection, **_: connection.conn_type)
    monkeypatch.setattr(connectors, "find_connector", lambda _: made)
    monkeypatch.setattr("airflow_dataops.hooks.sql_runner.find_connector", lambda _: made)
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "postgres_like"}))
    assert find_hook("warehouse") == ("postgres_like", made)
