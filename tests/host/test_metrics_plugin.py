"""The plugin as Airflow loads it: what it costs, when it is on, what it makes of the settings."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from jsonschema import validate

from airflow_dataops.get_provider_info import get_provider_info
from tests.pace import at_most

if TYPE_CHECKING:
    from collections.abc import Mapping

HEAVY = ("statsd", "datadog", "boto3", "prometheus_client", "airflow_dataops.core", "msgspec")

_LOOK = """
import json, sys, time
import airflow.sdk.execution_time.task_runner, airflow.plugins_manager
before = set(sys.modules)
began = time.perf_counter()
import airflow_dataops.plugins.metrics_plugin as plugin
took = time.perf_counter() - began
print(json.dumps({
    "seconds": took,
    "loaded": sorted(set(sys.modules) - before),
    "listeners": [type(listener).__name__ for listener in plugin.MetricsPlugin.listeners],
}))
"""


def look(environment: Mapping[str, str]) -> dict[str, object]:
    """Import the plugin in a process as a task's; say what that did."""
    import os

    result = subprocess.run(
        [sys.executable, "-c", _LOOK],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    found: dict[str, object] = json.loads(result.stdout.splitlines()[-1])
    return found | {"log": result.stderr + "".join(result.stdout.splitlines()[:-1])}


def test_without_a_sink_nothing_is_loaded_and_nothing_listens() -> None:
    found = look({})
    assert found["listeners"] == []
    assert found["loaded"] == [
        "airflow_dataops.plugins",
        "airflow_dataops.plugins.metrics_plugin",
        "airflow_dataops.plugins.section",
    ]


@pytest.mark.slow
def test_without_a_sink_it_takes_milliseconds() -> None:
    look({})
    assert float(str(look({})["seconds"])) <= at_most(0.030)


@pytest.mark.parametrize(
    "environment",
    [
        {"AIRFLOW__DATAOPS__METRICS_SINKS": "statsd://localhost"},
        {"AIRFLOW_CONN_DATAOPS_METRICS": "statsd://localhost"},
    ],
    ids=["setting", "connection"],
)
def test_a_sink_switches_it_on(environment: Mapping[str, str]) -> None:
    """The client library itself is loaded with the first event, in the background."""
    found = look(environment)
    assert found["listeners"] == ["Listener", "RunListener"]
    assert "statsd" not in str(found["loaded"]).split("'")


def test_a_wrong_setting_switches_it_off_and_is_said() -> None:
    found = look(
        {
            "AIRFLOW__DATAOPS__METRICS_SINKS": "statsd://localhost",
            "AIRFLOW__DATAOPS__METRICS_MAX_SERIES": "many",
        }
    )
    assert found["listeners"] == []
    assert (
        "Metrics are off: [dataops] metrics_max_series is 'many'; "
        "write a number from 1 to 1e+06" in str(found["log"])
    )


def test_the_config_section_is_as_airflow_wants_it() -> None:
    import airflow

    with open(f"{next(iter(airflow.__path__))}/provider_info.schema.json") as file:
        validate(get_provider_info(), json.load(file))


def test_airflow_finds_the_plugin_by_its_entry_point() -> None:
    from importlib.metadata import entry_points

    (found,) = entry_points(group="airflow.plugins", name="dataops_metrics")
    assert found.load().name == "dataops_metrics"
