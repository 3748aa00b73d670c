"""`airflow-dataops ledger`: what an operator of a ledger does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from airflow_dataops.adapters.ledger import migrate
from airflow_dataops.adapters.ledger.database import Database
from airflow_dataops.adapters.ledger.store import LedgerStore
from airflow_dataops.adapters.ledger.tables import HEAD
from airflow_dataops.cli.app import app
from airflow_dataops.core.ledger.events import RunEvent
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks import alerts as hooks
from airflow_dataops.hooks.ledger_upkeep import keep_days

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    found = f"sqlite:///{tmp_path / 'ledger.db'}"
    monkeypatch.setenv("AIRFLOW__DATAOPS__LEDGER", found)
    hooks._opened.cache_clear()
    yield found
    hooks._opened.cache_clear()


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["ledger", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_tables_that_may_not_be_changed_by_airflow_are_migrated_by_hand(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate.upgrade(Database(url), "0001")
    monkeypatch.setenv("AIRFLOW__DATAOPS__LEDGER_MIGRATE", "False")
    with pytest.raises(ConfigError, match=f"of revision 0001, this release needs {HEAD}. Run"):
        hooks.open_ledger()
    assert run("migrate").endswith(f"is of revision {HEAD}\n")
    assert hooks.open_ledger().read(RunEvent) == []


def test_what_is_old_is_pruned(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LedgerStore(url)
    at = datetime.now(UTC) - timedelta(days=100)
    store.write([RunEvent(dag_id="shop", run_id=str(n), observed_at=at) for n in range(7_000)])
    assert run("prune") == "0 rows deleted\n"
    assert run("prune", "--days", "90") == "7000 rows deleted\n"
    store.write([RunEvent(dag_id="shop", run_id="r", observed_at=at)])
    monkeypatch.setenv("AIRFLOW__DATAOPS__LEDGER_KEEP_DAYS", "0")
    assert run("prune") == "0 rows deleted\n"
    store.close()


def test_a_wrong_number_of_days_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__DATAOPS__LEDGER_KEEP_DAYS", "a year")
    with pytest.raises(ConfigError, match="ledger_keep_days is 'a year'; write a number of days"):
        keep_days()
