"""`airflow-dataops slas check` without a file, and the warning in the scheduler's log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine
from typer.testing import CliRunner

from airflow_dataops.adapters.watch.records import Records
from airflow_dataops.cli.app import app
from airflow_dataops.hooks import alerts as hooks
from airflow_dataops.hooks.sla_unwatched import UnwatchedWarning, dags_with_slas

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_dataops.adapters.ledger.store import LedgerStore

NOW = datetime(2026, 1, 5, 6, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LedgerStore]:
    monkeypatch.setenv("AIRFLOW__DATAOPS__LEDGER", f"sqlite:///{tmp_path / 'ledger.db'}")
    hooks._opened.cache_clear()
    yield hooks.open_ledger()
    hooks._opened.cache_clear()


def check() -> tuple[int, str]:
    done = CliRunner().invoke(app, ["slas", "check"], catch_exceptions=False)
    return done.exit_code, done.output


def test_what_slas_need_is_told_until_it_is_there(
    ledger: LedgerStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, text = check()
    assert code == 1
    for missing in ("monitor: missing", "alerts file: missing", "sender: missing"):
        assert missing in text
    file = tmp_path / "alerts.yaml"
    file.write_text("routes:\n  - receivers: [slack:ops]\n")
    monkeypatch.setenv("AIRFLOW__DATAOPS__ALERTS_CONFIG", str(file))
    hooks.alert_sender().run_once()
    code, text = check()
    assert (code, text.count("missing")) == (1, 1)
    Records(ledger.database).mark(datetime.now(UTC))
    code, text = check()
    assert (code, "missing" in text) == (0, False)


def test_slas_that_nothing_watches_are_told_once(
    ledger: LedgerStore, caplog: pytest.LogCaptureFixture
) -> None:
    dags = [0]
    warning = UnwatchedWarning(NOW, lambda: dags[0])
    later = NOW + timedelta(minutes=11)
    assert not warning.check(ledger, NOW), "the monitor has time to begin"
    assert not warning.check(ledger, later), "there are no SLAs"
    dags[0] = 3
    assert warning.check(ledger, later)
    assert warning.check(ledger, later)
    assert caplog.text.count("3 DAGs have SLAs that nothing watches (never)") == 1
    records = Records(ledger.database)
    records.mark(later)
    assert not warning.check(ledger, later)
    assert warning.check(ledger, later + timedelta(hours=1))
    assert caplog.text.count("that nothing watches") == 2


def test_airflows_database_tells_how_many_dags_have_slas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are paused or gone owe nothing."""
    from airflow import settings

    engine = create_engine(f"sqlite:///{tmp_path / 'airflow.db'}")
    rows = [("a", 0, 0, "sla"), ("b", 1, 0, "sla"), ("c", 0, 1, "sla"), ("d", 0, 0, "other")]
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE dag (dag_id, is_paused, is_stale)")
        connection.exec_driver_sql("CREATE TABLE dag_tag (dag_id, name)")
        for name, paused, stale, tag in rows:
            connection.exec_driver_sql("INSERT INTO dag VALUES (?, ?, ?)", (name, paused, stale))
            connection.exec_driver_sql("INSERT INTO dag_tag VALUES (?, ?)", (name, tag))
    monkeypatch.setattr(settings, "get_engine", lambda: engine)
    assert dags_with_slas() == 1
