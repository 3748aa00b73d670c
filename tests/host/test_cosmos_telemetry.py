"""Cosmos's telemetry is off unless the user turns it on, whoever imports Cosmos first."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

FIRST = {
    "ours": "import airflow_dataops.operators.dbt",
    "the plugins, Cosmos's first": "import cosmos.plugin, airflow_dataops.plugins.ledger_plugin",
    "the plugins, ours first": "import airflow_dataops.plugins.ledger_plugin, cosmos.plugin",
}


@pytest.mark.parametrize("first", FIRST.values(), ids=FIRST)
@pytest.mark.parametrize(("setting", "emits"), [(None, False), ("True", True), ("False", False)])
@pytest.mark.slow
def test_nothing_is_told_unless_it_is_asked_for(
    first: str, setting: str | None, *, emits: bool
) -> None:
    code = f"{first}\nfrom cosmos.telemetry import should_emit\nprint('emits', should_emit())"
    left_out = ("DO_NOT_TRACK", "SCARF_NO_ANALYTICS", "AIRFLOW__COSMOS__ENABLE_TELEMETRY")
    environment = {key: value for key, value in os.environ.items() if key not in left_out}
    if setting is not None:
        environment["AIRFLOW__COSMOS__ENABLE_TELEMETRY"] = setting
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert f"emits {emits}" in done.stdout
