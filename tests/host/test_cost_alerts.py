"""`pipeline-health-monitor` with a ledger: costs and violations are kept, told once, solved."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from airflow_dataops.adapters.ledger.store import LedgerStore
from airflow_dataops.adapters.ledger.tables import alerts
from airflow_dataops.cli.health_monitor import app
from airflow_dataops.core.ledger.events import CheckEvent, CostEvent
from tests.fakes.bigquery import FakeBigQuery, fake_bigquery

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROUTES = """
routes:
  - receivers: ["slack:ops#costs"]
"""


@pytest.fixture
def bigquery(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeBigQuery]:
    routes = tmp_path / "alerts.yaml"
    routes.write_text(ROUTES)
    monkeypatch.setenv("AIRFLOW__DATAOPS__ALERTS_CONFIG", str(routes))
    with fake_bigquery() as found:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", found.url)
        yield found


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerStore]:
    store = LedgerStore(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield store
    store.close()


def checked(folder: Path, limit: float) -> tuple[int, Any]:
    config = folder / "health.json"
    config.write_text(
        json.dumps(
            {
                "check_costs": True,
                "cost_threshold_usd": limit,
                "ledger": f"sqlite:///{folder / 'ledger.db'}",
            }
        )
    )
    arguments = ["--config", str(config), "--project", "p", "--format", "json"]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    return done.exit_code, json.loads(done.stdout)


def told(ledger: LedgerStore) -> list[tuple[str, bool]]:
    with ledger.database.read() as connection:
        rows = connection.execute(alerts.select().order_by(alerts.c.at)).all()
    return [(row.alert["title"], row.solved_at is not None) for row in rows]


def test_a_threshold_alerts_once_and_says_when_it_is_over(
    bigquery: FakeBigQuery, ledger: LedgerStore, tmp_path: Path
) -> None:
    labels = {"airflow-dag": "shop", "airflow-task": "orders", "owner": "ann"}
    bigquery.add_job("j", 20 * 2**40, "select * from d.t", labels)
    assert [checked(tmp_path, 100)[0] for _ in range(2)] == [1, 1]
    [(title, solved)] = told(ledger)
    assert title.startswith("warehouse: costs is violated. 125.00 USD in 24 h for 1 queries")
    assert not solved
    assert checked(tmp_path, 200)[0] == 0
    assert [solved for _, solved in told(ledger)] == [True]
    assert checked(tmp_path, 100)[0] == 1
    assert [solved for _, solved in told(ledger)] == [True, False], "armed again"
    assert [each.status for each in ledger.read(CheckEvent, name="costs")] == [
        *("fail", "pass", "fail", "fail")
    ]


def test_what_each_query_cost_is_in_the_ledger(
    bigquery: FakeBigQuery, ledger: LedgerStore, tmp_path: Path
) -> None:
    labels = {"airflow_dag": "shop", "airflow_task": "orders", "airflow_run": "r", "owner": "ann"}
    bigquery.add_job("j", 2**40, "select 1", labels)
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    arguments = ["--cost-report", "--hours", "24", "--project", "p", "--ledger", url]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert json.loads(done.stdout)["total_cost_usd"] == 6.25
    [event] = ledger.read(CostEvent)
    assert (event.job_id, event.usd, event.bytes) == ("j", 6.25, 2**40)
    assert (event.dag_id, event.run_id, event.task_id) == ("shop", "r", "orders")
    assert event.owner == "ann"
