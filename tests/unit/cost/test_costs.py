"""Whose queries are, what they cost, what to do about them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_dataops.core.cost.attribution import Whose, whose
from airflow_dataops.core.cost.queries import Prices, QueryCost, read_costs, snowflake_costs
from airflow_dataops.core.cost.report import cost_report
from airflow_dataops.core.sql.tags import Tag, comment, labels, query_tag
from airflow_dataops.errors import ConfigError
from tests.fakes.sql_runner import FakeSqlRunner

NOW = datetime(2024, 3, 31, 12, tzinfo=UTC)
HOUR = 1711879200  # 10:00 that day
TAG = Tag(dag="shop", task="orders", run="manual", model="orders", owner="ann")
OURS = {
    "dag_id": "shop",
    "task_id": "orders",
    "run_id": "manual",
    "model": "orders",
    "owner": "ann",
}


@pytest.mark.parametrize(
    ("given", "query", "expected"),
    [
        (labels(TAG), "select 1", Whose(**OURS)),
        (json.loads(query_tag(TAG)), "", Whose(**OURS)),
        ({}, f"{comment(TAG)} select 1", Whose(**OURS)),
        ({"airflow-dag": "d", "airflow-task": "t"}, "", Whose(dag_id="d", task_id="t")),
        (
            {"owner": "ann"},
            '/* {"node_id": "model.a.b"} */ x',
            Whose(model="model.a.b", owner="ann"),
        ),
        ({"other": "x"}, "/* {not json} */ select '/*a*/'", Whose()),
    ],
)
def test_whose_a_query_is(given: dict[str, str], query: str, expected: Whose) -> None:
    """By our own labels, tags and comments, those of Airflow's Google provider, and dbt's."""
    assert whose(given, query) == expected


def job(**of: Any) -> tuple[Any, ...]:
    row = {
        "job_id": "j",
        "user": "ann",
        "started": HOUR,
        "ended": HOUR + 10,
        "kind": "SELECT",
        "bytes": 2**41,
        "billed": 2**41,
        "slot_ms": 3_600_000,
        "reserved": None,
        "cached": False,
        "labels": '[{"key": "airflow-dag", "value": "shop"}]',
        "query": "select 1",
    }
    return tuple({**row, **of}.values())


def test_a_job_costs_its_bytes_on_demand_and_its_slots_when_reserved() -> None:
    rows = [job(), job(reserved="p:US.r"), job(billed=None, labels=None)]
    runner = FakeSqlRunner(rows, dialect="bigquery")
    found, idle = read_costs(runner, NOW, Prices(), location="EU")
    assert [query.usd for query in found] == [12.5, 0.06, 0.0]
    assert [query.whose.dag_id for query in found] == ["shop", "shop", None]
    assert idle == 0
    [(sql, bound)] = runner.told
    assert "`region-eu`.INFORMATION_SCHEMA.JOBS" in sql
    assert bound == (NOW,)


def query(id_: str, start: float, end: float, **of: Any) -> dict[str, Any]:
    return {
        "job_id": id_,
        "user": "ann",
        "started": start,
        "ended": end,
        "kind": "SELECT",
        "bytes": 0,
        "warehouse": "WH",
        "service_credits": 0,
        "partitions": 0,
        "partitions_total": 0,
        "spilled_local": None,
        "spilled_remote": None,
        "tag": "",
        "query": "select 1",
        **of,
    }


def test_a_warehouse_hour_is_shared_by_seconds_and_an_idle_one_is_nobodys() -> None:
    """One query runs 45 minutes of ten o'clock's hour and 15 of the next, one 15 in the first."""
    ran = [
        query("long", HOUR + 900, HOUR + 4500, service_credits=0.5),
        query("short", HOUR, HOUR + 900, tag='{"dag": "shop"}'),
    ]
    metered = [("WH", HOUR, 4.0), ("WH", HOUR + 3600, 1.0), ("WH", HOUR + 7200, 2.0)]
    found, idle = snowflake_costs(ran, metered, Prices(per_credit=2.0))
    assert [each.units for each in found] == pytest.approx([3.0 + 1.0 + 0.5, 1.0])
    assert [each.usd for each in found] == pytest.approx([9.0, 2.0])
    assert idle == pytest.approx(4.0)
    assert sum(each.usd for each in found) + idle == pytest.approx(2.0 * (4 + 1 + 2 + 0.5))
    assert found[1].whose == Whose(dag_id="shop")


def cost(**of: Any) -> QueryCost:
    base: dict[str, Any] = {
        "platform": "bigquery",
        "job_id": "j",
        "user": "ann",
        "started": NOW,
        "seconds": 1,
        "usd": 1.0,
        "query": "select 1",
        "bytes": 2**31,
    }
    return QueryCost(**{**base, **of})


def test_the_report_sums_up_and_says_what_nobody_accounts_for() -> None:
    mine = Whose(dag_id="shop", task_id="orders", owner="ann")
    queries = [cost(usd=3.0, whose=mine), cost(usd=5.0, whose=mine), cost(usd=1.0)]
    found = cost_report(queries, 1.0, hours=24, at=NOW)
    assert found.total_cost_usd == 10.0
    assert (found.unattributed_usd, found.unattributed_share) == (2.0, 0.2)
    assert [(share.name, share.cost_usd) for share in found.by_task] == [("shop.orders", 8.0)]
    assert [each.cost_usd for each in found.most_expensive] == [5.0, 3.0, 1.0]
    assert cost_report([], 0.0, hours=1, at=NOW).unattributed_share == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select * from d.t", ["No partition filter: d.t", "SELECT * reads"]),
        ("select a from d.t limit 5", ["No partition filter: d.t", "LIMIT does not"]),
        ("with x as (select a from d.t where b = 1) select * from x", []),
        ("insert into d.o select a from d.t join d.u using (a)", ["No partition filter: d.t, d.u"]),
        ("select a from d.t where day = '2024-01-01'", []),
        ("selec nonsense from (", []),
    ],
)
def test_advice_by_the_text(text: str, expected: list[str]) -> None:
    [found] = cost_report([cost(query=text)], 0, hours=1, at=NOW).most_expensive
    assert len(found.advice) == len(expected)
    for said, begins in zip(found.advice, expected, strict=True):
        assert said.startswith(begins)


def test_advice_by_what_was_scanned() -> None:
    [found] = cost_report([cost(scanned=0.97)], 0, hours=1, at=NOW).most_expensive
    assert found.advice[0].startswith("Full scan: 97% of the partitions were read.")


@pytest.mark.parametrize(
    ("spilled", "remote", "begins"),
    [
        (2**31, 0, "Spilled 2.0 GiB to local disks."),
        (2**31, 2**30, "Spilled 1.0 GiB to remote storage"),
        (2**20, 0, None),
    ],
)
def test_advice_by_what_found_no_room(spilled: int, remote: int, begins: str | None) -> None:
    query = cost(spilled=spilled, spilled_remote=remote)
    [found] = cost_report([query], 0, hours=1, at=NOW).most_expensive
    assert [each.startswith(begins or "") for each in found.advice] == ([True] if begins else [])


def test_an_engine_without_costs_is_refused() -> None:
    with pytest.raises(ConfigError, match="duckdb keeps no record of costs"):
        read_costs(FakeSqlRunner(), NOW, Prices())
