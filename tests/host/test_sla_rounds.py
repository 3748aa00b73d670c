"""`sla-tracker` over an Airflow connection to DuckDB, with a ledger of its rounds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from typer.testing import CliRunner

from airflow_dataops.adapters.ledger.store import LedgerStore
from airflow_dataops.cli.sla_tracker import app

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    connection = {"conn_type": "duckdb", "host": str(tmp_path / "shop.duckdb")}
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps(connection))
    sql(tmp_path, "create table orders as select now()::timestamp as created_at, 5 as amount")
    table = {
        "table_id": "orders",
        "owner": "ann",
        "freshness_sla": {"timestamp_column": "created_at", "max_age_hours": 2},
        "quality_sla": {
            "query": "select avg(case when amount < 0 then 1.0 else 0.0 end) from {table}",
            "max_failure_rate": 0.1,
        },
        "availability_sla": {"target_availability": 0.6},
    }
    ledger = f"sqlite:///{tmp_path / 'ledger.db'}"
    path = tmp_path / "sla.json"
    path.write_text(json.dumps({"conn_id": "shop", "ledger": ledger, "tables": [table]}))
    return path


def sql(folder: Path, statement: str) -> None:
    with duckdb.connect(folder / "shop.duckdb") as connection:
        connection.execute(statement)


def tracked(config: Path, *options: str) -> tuple[int, Any]:
    arguments = ["--config", str(config), "--format", "json", *options]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    return done.exit_code, json.loads(done.stdout)


@pytest.mark.foreign_clock
def test_rounds_are_kept_and_reckoned(config: Path) -> None:
    code, found = tracked(config)
    assert code == 0
    assert {each["check"]: each["status"] for each in found["checks"]} == {
        "freshness": "PASS",
        "availability": "PASS",
        "quality": "PASS",
    }
    sql(config.parent, "update orders set amount = -1")
    code, found = tracked(config, "--report")
    assert code == 1
    [quality] = found["violations"]
    assert (quality["check"], quality["value"], quality["owner"]) == ("quality", 1.0, "ann")
    rates = {each["sla"]: each["rate"] for each in found["compliance"]}
    assert rates == {"freshness": 100, "availability": 100, "quality": 50}


@pytest.mark.foreign_clock
def test_a_violation_is_a_miss_in_the_same_ledger_until_it_is_over(config: Path) -> None:
    ledger = LedgerStore(f"sqlite:///{config.parent / 'ledger.db'}")
    sql(config.parent, "update orders set amount = -1")
    assert [tracked(config)[0] for _ in range(2)] == [1, 1]
    [miss] = ledger.open_misses()
    assert (miss.subject.name, miss.sla, miss.owner) == ("orders", "quality", "ann")
    sql(config.parent, "update orders set amount = 1")
    assert tracked(config)[0] == 0
    assert ledger.open_misses() == []
    assert len(ledger.misses()) == 1
    ledger.close()


def test_a_table_that_is_gone_costs_availability(config: Path) -> None:
    """Of three rounds the table is there in two, which is above 60 %; of four, in two."""
    tracked(config)
    tracked(config)
    sql(config.parent, "alter table orders rename to gone")
    code, found = tracked(config)
    assert code == 0
    [only] = found["checks"]
    assert only["check"] == "availability"
    assert only["message"].startswith(
        "It could be read in 66.6667 % of 3 rounds. There is no table"
    )
    code, found = tracked(config)
    assert (code, found["checks"][0]["value"]) == (1, 50.0)
