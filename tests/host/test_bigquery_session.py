"""Sessions with BigQuery, as jobs of a client; what the server does with them is not tried here."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest

from airflow_dataops.core.sql.tags import Tag
from airflow_dataops.hooks.bigquery_session import BigQuerySession
from tests.fakes.bigquery_client import FakeBigQueryClient

TAG = Tag(dag="shop", task="orders", run="monday", try_number=2)


class Stopped(BaseException):
    """A timeout or a signal."""


def session_of(client: FakeBigQueryClient) -> BigQuerySession:
    fake: Any = client
    return BigQuerySession(fake, TAG, {"team": "data"})


def said(client: FakeBigQueryClient) -> list[str]:
    return [job.sql for job in client.jobs]


def test_each_job_carries_the_task_in_its_labels() -> None:
    client = FakeBigQueryClient()
    session_of(client).execute("select 1")
    assert client.jobs[0].config.labels == {
        "team": "data",
        "airflow_dag": "shop",
        "airflow_task": "orders",
        "airflow_run": "monday",
        "airflow_try": "2",
    }
    assert client.jobs[0].config.use_legacy_sql is False


def test_values_are_bound_with_their_types() -> None:
    client = FakeBigQueryClient()
    naive = datetime(2026, 1, 5)
    values = [
        None,
        True,
        1,
        1.5,
        Decimal("1.5"),
        date(2026, 1, 5),
        naive,
        naive.replace(tzinfo=UTC),
    ]
    session_of(client).execute("select ?", [*values, ["a", None]])
    bound = client.jobs[0].config.query_parameters
    kinds = [parameter.to_api_repr()["parameterType"]["type"] for parameter in bound]
    assert kinds == [
        *("STRING", "BOOL", "INT64", "FLOAT64", "BIGNUMERIC", "DATE", "DATETIME", "TIMESTAMP"),
        "ARRAY",
    ]


def test_statements_tell_the_rows_they_changed() -> None:
    session = session_of(FakeBigQueryClient())
    assert (session.execute("delete from t"), session.execute("create table t")) == (2, -1)


def test_a_transaction_is_one_of_a_session_that_ends_with_it() -> None:
    client = FakeBigQueryClient()
    session = session_of(client)
    session.execute("select 0")
    with session.transaction():
        session.execute("delete from t")
    session.close()
    assert said(client) == [
        *("select 0", "select 1", "begin transaction", "delete from t", "commit transaction"),
        "call bq.abort_session()",
    ]
    properties = [job.config.connection_properties for job in client.jobs]
    assert [[p.value for p in found] for found in properties] == [[], [], *[["s1"]] * 4]
    assert client.closed


def test_a_session_is_made_where_the_tables_are() -> None:
    """By default it would be in the US, where tables of the EU are not found."""
    client = FakeBigQueryClient()
    session = session_of(client)
    session.execute("select 1 from t")
    with session.transaction():
        session.execute("insert into t values (1)")
    session.close()
    assert [job.location for job in client.jobs] == ["EU"] * 6


def test_a_transaction_that_raises_is_rolled_back_even_if_bigquery_did_already() -> None:
    error = BadRequest("no transaction")
    client = FakeBigQueryClient({"rollback transaction": error, "bad": BadRequest("bad")})
    session = session_of(client)
    with pytest.raises(BadRequest, match="bad"), session.transaction():
        session.execute("bad")
    assert said(client)[-1] == "rollback transaction"


def test_what_a_timeout_ends_is_cancelled() -> None:
    client = FakeBigQueryClient({"slow": Stopped()})
    with pytest.raises(Stopped):
        session_of(client).execute("slow")
    assert client.jobs[0].cancelled


def test_an_error_of_bigquery_cancels_nothing() -> None:
    client = FakeBigQueryClient({"bad": BadRequest("bad")})
    with pytest.raises(BadRequest):
        session_of(client).execute("bad")
    assert not client.jobs[0].cancelled


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("Transaction is aborted due to concurrent update against table p:d.t.", "40001"),
        ("Could not serialize access to table p:d.t due to concurrent update", "40001"),
        ("Already Exists: Table p:d.t", "42P07"),
        ("Session sess123 is expired", "08003"),
        ("Syntax error: Unexpected keyword FROM", None),
    ],
)
def test_errors_tell_by_a_sqlstate_what_a_load_can_do(said: str, state: str | None) -> None:
    session = session_of(FakeBigQueryClient({"select 1": BadRequest(said)}))
    with pytest.raises(BadRequest) as caught:
        session.execute("select 1")
    assert getattr(caught.value, "sqlstate", None) == state


def test_what_a_dbt_profile_bounds_holds_for_every_job() -> None:
    client = FakeBigQueryClient()
    settings = {
        "maximum_bytes_billed": 1000,
        "priority": "batch",
        "job_execution_timeout_seconds": 90,
    }
    fake: Any = client
    session = BigQuerySession(fake, TAG)
    session.bound_by(settings)
    with session.transaction():
        session.execute("select 1")
    bounds = {
        (job.config.maximum_bytes_billed, job.config.priority, job.config.job_timeout_ms)
        for job in client.jobs
    }
    assert bounds == {(1000, "BATCH", "90000")}
