"""`airflow-dataops alerts`, as a user calls it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from airflow_dataops.cli.app import app
from airflow_dataops.core.alerts.alert import Alert
from airflow_dataops.core.sla.misses import Tier
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks import alerts as hooks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GOOD = "routes:\n  - receivers: [slack:ops]\n    group: {by: none, wait_seconds: 0}\n"


@pytest.fixture(autouse=True)
def own_ledger() -> Iterator[None]:
    hooks._opened.cache_clear()
    yield
    hooks._opened.cache_clear()


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["alerts", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_good_file_has_nothing_wrong(tmp_path: Path) -> None:
    file = tmp_path / "alerts.yaml"
    file.write_text(GOOD)
    assert run("check", file) == f"{file}: 1 routes, nothing wrong\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("routes: [", "is not YAML"),
        ("routes:\n  - receivers: [fax:1]\n    grup: {}\n", "2 mistakes"),
        ("routes: []\nmessages: {title: '{{ a'}\n", r"\$\.messages\.title, line 1"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "alerts.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=problem):
        run("check", file)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        run("check", tmp_path / "none.yaml")


def test_what_is_due_is_sent_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")
    file = tmp_path / "alerts.yaml"
    file.write_text(GOOD)
    assert run("send", "--config", file) == "0 alerts sent\n"


@pytest.fixture
def incident(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The id of one that is open, in the ledger of the commands."""
    file = tmp_path / "alerts.yaml"
    file.write_text(GOOD)
    monkeypatch.setenv("AIRFLOW__DATAOPS__LEDGER", f"sqlite:///{tmp_path / 'ledger.db'}")
    monkeypatch.setenv("AIRFLOW__DATAOPS__ALERTS_CONFIG", str(file))
    alert = Alert(key="a", title="shop is late", at=datetime.now(UTC), tier=Tier.CRITICAL)
    assert hooks.alert_service().alert(alert)
    [found] = json.loads(run("list", "--format", "json"))
    return str(found["id"])


def test_incidents_are_listed_acknowledged_and_resolved(incident: str) -> None:
    assert run("list").startswith(f"{incident[:12]}  critical  open  since ")
    assert "shop is late" in run("list")
    assert run("acknowledge", incident[:8]) == f"{incident[:12]} acknowledged\n"
    assert "acknowledged" in run("list")
    assert "before" in run("acknowledge", incident)
    assert run("resolve", incident[:8]) == f"{incident[:12]} solved\n"
    assert run("list") == "No incident is open.\n"
    assert "solved" in run("list", "--all")
    assert "was solved before" in run("resolve", incident)


def test_an_incident_that_is_none_is_told(incident: str) -> None:
    with pytest.raises(ConfigError, match="There is no incident 'zzzz'"):
        run("resolve", incident, "zzzz")
    assert "open" in run("list"), "all or none"
