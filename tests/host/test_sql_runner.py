"""Which Airflow connections become sessions."""

from __future__ import annotations

import json

import pytest

from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.connectors import connection_types
from airflow_dataops.hooks.duckdb import DuckDBHook
from airflow_dataops.hooks.sql_runner import get_sql_hook


def test_a_duckdb_connection_gets_our_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "duckdb"}))
    hook, dialect = get_sql_hook("warehouse")
    assert isinstance(hook, DuckDBHook)
    assert dialect == "duckdb"
    assert hook.get_conn_id() == "warehouse"


def test_a_connection_without_sql_is_refused_with_those_that_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "http"}))
    with pytest.raises(ConfigError) as caught:
        get_sql_hook("warehouse")
    assert str(caught.value) == (
        "connection 'warehouse' is of type 'http'; engine sql runs on "
        f"{', '.join(connection_types())}. Mend the connection, or the argument conn_id= "
        "of load_dags, dbt_dag, dbt_task_group, the operator or the source."
    )


def test_a_missing_connection_names_the_argument_to_mend() -> None:
    with pytest.raises(ConfigError) as caught:
        get_sql_hook("wherehouse")
    assert str(caught.value) == (
        "there is no connection 'wherehouse'. Add it (Admin > Connections, or the variable "
        "AIRFLOW_CONN_WHEREHOUSE), or mend the argument conn_id= of load_dags, dbt_dag, "
        "dbt_task_group, the operator or the source."
    )
