"""Failed checks of tables become misses, once until they pass."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from airflow_dataops.adapters.ledger.store import LedgerStore
from airflow_dataops.adapters.outbox.service import AlertService
from airflow_dataops.adapters.watch.tables import TableWatch
from airflow_dataops.core.alerts.config import AlertsConfig
from airflow_dataops.core.health.sla_config import FreshnessSla, SlaConfig, TableSla
from airflow_dataops.core.health.verdict import Status, Verdict
from airflow_dataops.core.sla.misses import Tier
from tests.fakes.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
CONFIG = SlaConfig(
    tables=(
        TableSla(
            table_id="shop.orders",
            freshness_sla=FreshnessSla(timestamp_column="at", max_age_hours=2),
        ),
    )
)


def verdict(status: Status, check: str = "freshness", table: str = "shop.orders") -> Verdict:
    newest = (NOON - timedelta(hours=3)).isoformat()
    return Verdict(
        check=check, table=table, status=status, message="said", details={"newest": newest}
    )


def test_a_table_that_is_too_old_is_missed_once_until_it_is_fresh(tmp_path: Path) -> None:
    clock = FakeClock(NOON)
    ledger = LedgerStore(f"sqlite:///{tmp_path / 'ledger.db'}")
    watch = TableWatch(
        CONFIG.max_ages, ledger, AlertService(ledger.database, AlertsConfig(), clock)
    )
    [miss] = watch.tell([verdict(Status.FAIL)], NOON)
    assert (str(miss.subject), miss.due, miss.reason) == (
        "shop.orders",
        NOON - timedelta(hours=1),
        "said",
    )
    assert watch.tell([verdict(Status.FAIL)], NOON) == []
    assert watch.tell([verdict(Status.ERROR)], NOON) == []
    assert len(ledger.open_misses()) == 1
    watch.tell([verdict(Status.PASS)], NOON)
    assert ledger.open_misses() == []
    later = NOON + timedelta(hours=9)
    fails = [verdict(Status.FAIL, "quality"), verdict(Status.FAIL, "x", "another.dag")]
    assert [miss.sla for miss in watch.tell(fails, later)] == ["quality"]
    ledger.close()


def test_a_table_that_matters_more_than_when_it_was_told_is_told_again(tmp_path: Path) -> None:
    clock = FakeClock(NOON)
    ledger = LedgerStore(f"sqlite:///{tmp_path / 'ledger.db'}")
    watch = TableWatch(
        CONFIG.max_ages, ledger, AlertService(ledger.database, AlertsConfig(), clock)
    )
    fails = verdict(Status.FAIL)
    assert len(watch.tell([fails], NOON)) == 1
    critical = msgspec.structs.replace(fails, critical=True)
    assert [miss.tier for miss in watch.tell([critical], NOON)] == [Tier.CRITICAL]
    assert watch.tell([critical], NOON) == []
    assert watch.tell([fails], NOON) == [], "less is no news"
    assert [miss.tier for miss in ledger.open_misses()] == [Tier.CRITICAL]
    ledger.close()
