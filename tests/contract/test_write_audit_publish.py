"""Readers never see a row that was not audited, nor half of a batch."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops import AcceptedRange, DuplicateRate
from airflow_dataops.core.health.verdict import Status
from airflow_dataops.core.loads.beside import stage_beside, sweep_beside
from airflow_dataops.core.loads.rejected import drop_rejected, keep_rejected, rejected
from airflow_dataops.core.loads.run import run_load
from airflow_dataops.core.loads.sources import Query
from airflow_dataops.core.loads.specs import Append, Attempt, Load
from airflow_dataops.core.quality.checks import as_checks
from airflow_dataops.core.quality.run import check_table

if TYPE_CHECKING:
    from tests.warehouses import Warehouse

ROWS = 10
CHECKS = as_checks([AcceptedRange(column="amount", min=0), DuplicateRate(columns="id")])


class Poller(threading.Thread):
    """Reads a table a hundred times a second; keeps what it should never have seen."""

    def __init__(self, warehouse: Warehouse, table: str) -> None:
        super().__init__(daemon=True)
        self.runner, self.over = warehouse.session(), threading.Event()
        self.query = (
            "select count(case when amount < 0 then 1 end), count(*), count(distinct id)\n"
            f"from {table}"
        )
        self.seen: list[Any] = []
        self.reads, self.last = 0, 0

    def run(self) -> None:
        began = time.monotonic()
        while not self.over.is_set():
            [(bad, rows, ids)] = self.runner.fetch(self.query)
            self.reads += 1
            if bad or rows % ROWS or rows != ids or rows < self.last:
                self.seen.append((bad, rows, ids))
            self.last = rows
            # At a hundred a second over all, also after a read that waited.
            self.over.wait(max(0.0, began + self.reads / 100 - time.monotonic()))


def batch(warehouse: Warehouse, number: int, *, bad: bool) -> Query:
    ids = range(number * ROWS, (number + 1) * ROWS)
    rows = [(i, -1 if bad and i == ids[-1] else 1) for i in ids]
    listed = " union all ".join(f"select {i} as id, {a} as amount" for i, a in rows)
    return Query(sql=listed)


def write_audit_publish(warehouse: Warehouse, number: int, *, bad: bool) -> None:
    """What the tasks of the group do, one after another."""
    target, runner = warehouse.relation("t"), warehouse.runner
    run, now = f"run {number}", datetime.now(UTC)
    staged, _ = stage_beside(target, run, 1, batch(warehouse, number, bad=bad), runner)
    report = check_table(staged, CHECKS, runner, now=now, subject="t")
    assert report.status is (Status.FAIL if bad else Status.PASS)
    if bad:
        assert keep_rejected(target, staged, now, runner) is not None
    else:
        rows = Query(sql=f"select * from {warehouse.sql(staged)}")
        attempt = Attempt(owner="wap", run_id=run)
        run_load(Load(target=target, verb=Append(keys=("id",)), attempt=attempt), rows, runner)
    sweep_beside(target, run, runner)


@pytest.mark.parametrize(
    "batches", [15, pytest.param(500, marks=pytest.mark.slow)], ids=["sample", "all"]
)
def test_a_poller_sees_no_row_that_was_not_audited(warehouse: Warehouse, batches: int) -> None:
    """Each fifth batch is bad: none of its rows shows, at any of a hundred reads a second."""
    target = warehouse.table("t", {"id": "int", "amount": "int"})
    poller = Poller(warehouse, warehouse.sql(target))
    poller.start()
    for number in range(batches):
        write_audit_publish(warehouse, number, bad=number % 5 == 4)
    poller.over.set()
    poller.join(30)
    assert poller.reads > batches
    assert poller.seen == []
    assert len(warehouse.rows(target)) == ROWS * (batches - batches // 5)
    kept = rejected(target, warehouse.runner)
    assert len(kept) == batches // 5


def test_a_failed_batch_is_kept_for_a_time(warehouse: Warehouse) -> None:
    target = warehouse.table("t", {"id": "int", "amount": "int"})
    write_audit_publish(warehouse, 0, bad=True)
    write_audit_publish(warehouse, 1, bad=True)
    names = [name for name, _ in rejected(target, warehouse.runner)]
    assert len(warehouse.rows(warehouse.relation(names[0]))) == ROWS
    now = datetime.now(UTC)
    assert drop_rejected(target, now - timedelta(hours=1), warehouse.runner) == ()
    assert set(drop_rejected(target, now + timedelta(hours=1), warehouse.runner)) == set(names)
    assert warehouse.rows(target) == []


def test_what_is_published_is_what_was_audited(warehouse: Warehouse) -> None:
    """Rows that come to the source after the audit wait for the next batch."""
    warehouse.table("t", {"id": "int", "amount": "int"})
    source = warehouse.table("s", {"id": "int", "amount": "int"}, [(1, 1)])
    target = warehouse.relation("t")
    rows = Query(sql=f"select * from {warehouse.sql(source)}")
    staged, _ = stage_beside(target, "run", 1, rows, warehouse.runner)
    warehouse.add(source, ("id", "amount"), [(2, -1)])
    report = check_table(staged, CHECKS, warehouse.runner, now=datetime.now(UTC))
    assert report.status is Status.PASS
    verb, attempt = Append(keys=("id",)), Attempt(owner="wap", run_id="run")
    audited = Query(sql=f"select * from {warehouse.sql(staged)}")
    run_load(Load(target=target, verb=verb, attempt=attempt), audited, warehouse.runner)
    assert warehouse.rows(target) == [(1, 1)]
