"""No query found is no judgement on what was spent."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from airflow_dataops.cli import health_whole
from airflow_dataops.cli.cost_document import cost_document
from airflow_dataops.core.cost.report import CostReport, cost_report
from airflow_dataops.core.health.config import HealthConfig

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize("limit", [None, 100.0])
def test_costs_that_nobody_can_see_are_not_within_their_limit(
    limit: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(*_: object) -> CostReport:
        return cost_report([], 0.0, hours=24, at=NOW)

    monkeypatch.setattr(health_whole, "read_report", nothing)
    config = HealthConfig(check_costs=True, cost_threshold_usd=limit)
    assert health_whole.check_costs(config, NOW).status == "SKIP"


def test_a_report_of_nothing_shows_no_share() -> None:
    facts = cost_document(cost_report([], 0.0, hours=24, at=NOW)).facts
    assert facts["Not attributed"] == "-"
