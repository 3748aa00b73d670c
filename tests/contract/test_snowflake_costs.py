"""Costs and health on the emulated Snowflake, with the account's views made by hand.

Columns and types are those of Snowflake's reference of ACCOUNT_USAGE: QUERY_HISTORY and
WAREHOUSE_METERING_HISTORY. The statements are the ones that a real account gets.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from airflow_dataops.core.cost.queries import Prices, read_costs
from airflow_dataops.core.cost.report import cost_report
from airflow_dataops.core.health.config import TableHealth
from airflow_dataops.core.health.tables import check_tables
from airflow_dataops.core.sql.tags import Tag, query_tag
from tests import accounts
from tests.warehouses import Warehouse, open_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = datetime(2024, 3, 31, 12, tzinfo=UTC)
HISTORY = """create or replace table snowflake.account_usage.query_history (
  query_id varchar, query_text varchar, query_type varchar, user_name varchar,
  warehouse_name varchar, query_tag varchar, start_time timestamp_ltz, end_time timestamp_ltz,
  bytes_scanned number, partitions_scanned number, partitions_total number,
  bytes_spilled_to_local_storage number, bytes_spilled_to_remote_storage number,
  credits_used_cloud_services float)"""
METERING = """create or replace table snowflake.account_usage.warehouse_metering_history (
  start_time timestamp_ltz, end_time timestamp_ltz, warehouse_id number, warehouse_name varchar,
  credits_used number, credits_used_compute float, credits_used_cloud_services float)"""
TAG = query_tag(Tag(dag="shop", task="orders", run="r", model="model.shop.orders", owner="ann"))


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    with open_warehouse("snowflake") as opened:
        yield opened


@pytest.fixture
def account(warehouse: Warehouse) -> Warehouse:
    """The account's views: three queries and a metered hour before noon, an idle one after."""
    if accounts.connection("snowflake"):
        pytest.skip("a real account has these views, and other queries in them")
    run = warehouse.runner.execute
    for statement in (
        "create database if not exists snowflake",
        "create schema if not exists snowflake.account_usage",
        HISTORY,
        METERING,
    ):
        run(statement)
    gib = 2**30
    history = (
        ("tagged", "select a from t", TAG, 11, 45, 4 * gib, 98, 0, 0),
        ("dbt", '/* {"node_id": "model.shop.fct"} */ select 1', "", 11, 10, 0, 1, 0, 0),
        ("nobody", "select * from big", None, 11, 5, 9 * gib, 10, 3 * gib, 2 * gib),
        ("before", "select 1", "", 3, 5, 0, 0, 0, 0),
    )
    for id_, text, tag, hour, minutes, scanned, parts, local, remote in history:
        begin = NOON.replace(hour=hour)
        run(
            "insert into snowflake.account_usage.query_history "
            "select %s, %s, 'SELECT', 'ANN', 'WH', %s, to_timestamp_tz(%s), to_timestamp_tz(%s),"
            " %s, %s, 100, %s, %s, 0.25",
            [
                *(id_, text, tag, begin.isoformat()),
                (begin + timedelta(minutes=minutes)).isoformat(),
                *(scanned, parts, local, remote),
            ],
        )
    for hour, credits_ in ((3, 9.0), (11, 3.0), (12, 1.0)):
        run(
            "insert into snowflake.account_usage.warehouse_metering_history "
            "select to_timestamp_tz(%s), to_timestamp_tz(%s), 1, 'WH', %s, %s, 0.0",
            [
                NOON.replace(hour=hour).isoformat(),
                NOON.replace(hour=hour + 1).isoformat(),
                *(credits_, credits_),
            ],
        )
    return warehouse


def test_what_queries_cost_and_whose_they_are(account: Warehouse) -> None:
    """3 credits by seconds (45, 10 and 5 of 60 minutes), cloud services each, 1 idle."""
    since = NOON - timedelta(hours=4)
    queries, idle = read_costs(account.runner, since, Prices(per_credit=2.0))
    assert {each.job_id: each.units for each in queries} == pytest.approx(
        {"tagged": 2.25 + 0.25, "dbt": 0.5 + 0.25, "nobody": 0.25 + 0.25}
    )
    assert idle == pytest.approx(2.0)
    report = cost_report(queries, idle, hours=4, at=NOON)
    assert report.total_cost_usd == pytest.approx(2 * (3 + 1 + 3 * 0.25))
    assert report.unattributed_usd == pytest.approx(2.0 + 1.0)
    assert report.unattributed_share == pytest.approx(3 / 9.5, abs=1e-4)
    assert [(each.name, each.cost_usd) for each in report.by_model] == [
        ("model.shop.orders", 5.0),
        ("model.shop.fct", 1.5),
    ]
    assert [each.name for each in report.by_task] == ["shop.orders"]
    assert [each.name for each in report.by_owner] == ["ann"]


def test_the_most_expensive_come_with_advice(account: Warehouse) -> None:
    queries, idle = read_costs(account.runner, NOON - timedelta(hours=4), Prices())
    top = {
        each.job_id: each.advice
        for each in cost_report(queries, idle, hours=4, at=NOON).most_expensive
    }
    assert [said.partition(":")[0] for said in top["tagged"]] == [
        "Full scan",
        "No partition filter",
    ]
    assert top["nobody"][0].startswith("Spilled 2.0 GiB to remote storage")
    assert top["dbt"] == ()


@pytest.mark.parametrize(
    ("type_", "value", "zone", "hours"),
    [
        ("timestamp_ntz", "2024-03-31 11:00:00", "UTC", 1),
        ("timestamp_ntz", "2024-03-31 13:00:00", "Europe/Berlin", 1),
        ("timestamp_tz", "2024-03-31 13:00:00 +02:00", "UTC", 1),
        ("date", "2024-03-31", "UTC", 12),
    ],
)
def test_freshness_and_days(
    warehouse: Warehouse, type_: str, value: str, zone: str, hours: float
) -> None:
    # In full: making a database, as the tests above do, makes it the session's.
    name = f"shop.{warehouse.schema}.t_{type_}_{hours}_{zone.partition('/')[0]}"
    warehouse.runner.execute(f"create table {name} as select cast('{value}' as {type_}) as at")
    row_count = {"min_rows": 1, "partition_column": "at", "lookback_days": 1, "include_today": True}
    given: dict[str, Any] = {
        "table_id": name,
        "freshness": {"timestamp_column": "at", "max_age_hours": 2, "timezone": zone},
        "row_count": row_count,
    }
    table = msgspec.convert(given, TableHealth)
    fresh, rows = check_tables(warehouse.runner, [table], now=NOON)
    assert fresh.value == pytest.approx(hours)
    assert rows.message == "1 of 2 days are out of bounds (2024-03-30: 0)."
