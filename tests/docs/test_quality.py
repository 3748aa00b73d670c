"""The page of quality checks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, DownstreamTasksSkipped

from airflow_dataops.core.ledger.events import CheckEvent, CheckStatus
from airflow_dataops.errors import RetryableError
from airflow_dataops.hooks.alerts import open_ledger
from tests.docs.blocks import block
from tests.docs.running import run, run_task

if TYPE_CHECKING:
    from airflow.sdk import DAG

    from tests.docs.running import Desk

PAGE = block("docs/quality.md", 1)
BRANCHING = block("docs/quality.md", 2)
AUDITED = block("docs/quality.md", 3)
CONTRACT = block("docs/quality.md", 4)
AGREED = block("docs/quality.md", 5)


@pytest.fixture
def dag(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> DAG:
    monkeypatch.setenv("AIRFLOW__DATAOPS__LEDGER", f"sqlite:///{desk.folder}/ledger.db")
    newest = f"{datetime.now(UTC) - timedelta(hours=3):%Y-%m-%d %H:%M}"
    desk.sql(
        "create schema raw; create schema sales;"
        "create table raw.customers as select * from (values (1), (2)) c(id);"
        "create table raw.orders (id int, customer_id int, status text, amount double,"
        " ordered_at timestamp, email text);"
        f"insert into raw.orders values (1, 1, 'paid', 5, '{newest}', 'ada@shop.example'),"
        f" (2, 2, 'open', 7, '{newest}', 'bob@shop.example');"
        "create table sales.orders as from raw.orders where false"
    )
    [found] = desk.dags(PAGE).values()
    return found


def test_good_rows_pass_and_are_published(desk: Desk, dag: DAG) -> None:
    report = run(dag)["check_orders"]
    assert {each["status"] for each in report["checks"]} == {"PASS"}
    assert len(report["checks"]) == 12
    assert desk.rows("select id from sales.orders order by 1") == [(1,), (2,)]
    of_staged = open_ledger().read(CheckEvent, subject="sales.orders")
    assert {each.name for each in of_staged} == {
        *("null_rate:customer_id", "duplicate_rate:id", "min_rows")
    }


def test_bad_rows_stop_the_chain_and_are_shown_masked(desk: Desk, dag: DAG) -> None:
    """In the error, from which alerts are made, in the XCom and in the ledger."""
    desk.sql("update raw.orders set status = 'lost' where id = 2")
    with pytest.raises(AirflowFailException) as failed:
        run(dag)
    assert '"status": "lost"' in str(failed.value)
    assert "bob@shop.example" not in str(failed.value)
    assert desk.rows("from sales.orders") == []
    name = "accepted_values:status"
    [kept] = open_ledger().read(CheckEvent, subject="raw.orders", name=name)
    assert (kept.status, kept.value, kept.run_id) == (CheckStatus.FAIL, 0.5, "run")
    assert '"email": "***"' in str(kept.message)


def test_rows_that_are_staged_and_fail_are_not_published(desk: Desk, dag: DAG) -> None:
    desk.sql("insert into raw.orders select * from raw.orders where id = 1")
    with pytest.raises(AirflowFailException, match="duplicate_rate:id"):
        run(dag, only={"orders.stage", "orders.check", "orders.publish"})
    assert desk.rows("from sales.orders") == []


@pytest.mark.parametrize(
    ("errored", "tries_left", "outcome"),
    [
        ("retry", False, RetryableError),
        ("retry_then_pass", True, RetryableError),
        ("retry_then_pass", False, None),
        ("fail", True, AirflowFailException),
    ],
)
def test_a_dead_connection_is_an_error_and_no_failure(
    desk: Desk, dag: DAG, monkeypatch: pytest.MonkeyPatch, errored: str, tries_left: bool,
    outcome: Any,
) -> None:  # fmt: skip
    """All checks errored; what becomes of the task is the policy's to say."""
    from airflow_dataops import QualityPolicy
    from tests.docs import running

    def dead(*args: Any, **more: Any) -> Any:
        raise ConnectionError("connection refused")

    monkeypatch.setattr("airflow_dataops.hooks.sql_runner.open_session", dead)
    monkeypatch.setattr(running._Ti, "max_tries", int(tries_left))
    task: Any = dag.get_task("check_orders")
    task.policy = QualityPolicy(errored=errored)
    if outcome is None:
        assert {each["status"] for each in run(dag, only={"check_orders"})["check_orders"][
            "checks"]} == {"ERROR"}  # fmt: skip
    else:
        with pytest.raises(outcome, match="connection refused"):
            run(dag, only={"check_orders"})
    found = open_ledger().read(CheckEvent, subject="raw.orders")
    assert {each.status for each in found} == {CheckStatus.ERROR}
    assert len(found) == 12


def test_a_batch_that_fails_its_audit_is_kept_and_not_published(desk: Desk, dag: DAG) -> None:
    [audited] = desk.dags(AUDITED).values()
    done = run(audited)
    assert done["orders.sweep"] is None
    assert desk.rows("select id from sales.orders order by 1") == [(1,), (2,)]
    desk.sql("update raw.orders set amount = -amount where id = 2")
    results: dict[str, Any] = {}
    run_task(audited.get_task("orders.write"), results=results)
    results["orders.write"] = run_task(audited.get_task("orders.write"), results=results)
    with pytest.raises(AirflowFailException, match="accepted_range:amount"):
        run_task(audited.get_task("orders.audit"), results=results)
    results["orders.audit"] = {"status": "FAIL"}
    kept = run_task(audited.get_task("orders.sweep"), results=results)
    assert desk.rows(f"select id, amount from {kept} order by 1") == [(1, 5), (2, -7)]
    assert desk.rows("select min(amount) from sales.orders") == [(5,)]
    tables = "select count(*) from duckdb_tables() where table_name like 'orders__stg%'"
    assert desk.rows(tables) == [(1,)]
    assert audited.get_task("orders.alarm").trigger_rule == "one_failed"


def test_a_batch_is_held_to_its_contract(desk: Desk, dag: DAG) -> None:
    """Columns that nobody agreed on are left out; a wrong status is refused by the audit."""
    (desk.folder / "orders.yaml").write_text(CONTRACT.text)
    [agreed] = desk.dags(AGREED).values()
    desk.sql("insert into raw.orders values (null, 1, 'open', 9, null, null)")
    run(agreed)
    found = "select id, amount, status, email from sales.orders order by 1"
    assert desk.rows(found) == [(1, 5, "paid", None), (2, 7, "open", None)]
    desk.sql("update raw.orders set status = 'lost' where id = 2")
    with pytest.raises(AirflowFailException, match="accepted_values:status"):
        run(agreed, only={"orders.write", "orders.audit", "orders.publish"})
    desk.sql("alter table raw.orders alter id type varchar")
    with pytest.raises(AirflowFailException, match="id is VARCHAR, not integer"):
        run(agreed)


@pytest.mark.parametrize(
    ("rows", "skipped"), [("where true", "tell_nobody_ordered"), ("where false", "process")]
)
def test_a_branch_is_followed_by_the_number_of_rows(
    desk: Desk, dag: DAG, monkeypatch: pytest.MonkeyPatch, rows: str, skipped: str
) -> None:
    from tests.docs import running

    [branching] = desk.dags(BRANCHING).values()
    monkeypatch.setattr(running._Ti, "task", branching.get_task("any_rows"), raising=False)
    desk.sql(f"create or replace table raw.orders as from raw.orders {rows}")
    with pytest.raises(DownstreamTasksSkipped) as others:
        run(branching, only={"any_rows"})
    assert list(others.value.tasks) == [(skipped, -1)] or list(others.value.tasks) == [skipped]
