"""What metrics may cost at most; `python -m benchmarks.metrics` prints the figures."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip("datadog")


def measured(what: str) -> Any:
    """The figures of one benchmark, in a process of its own."""
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.metrics", what],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(result.stdout.splitlines()[-1])


@pytest.mark.slow
def test_a_hook_costs_microseconds_whatever_the_sink_does() -> None:
    """Beyond Airflow's own dispatch, at most 30 at the median, 500 in 99 of 100 calls."""
    found = measured("hooks")
    assert set(found) == {"none", "up", "down", "accepts without reading"}
    for name, times in found.items():
        assert times["p50"] - found["none"]["p50"] <= 30, name
        assert times["p99"] - found["none"]["p99"] <= 500, name


@pytest.mark.slow
def test_a_million_events_arrive_and_need_no_memory() -> None:
    found = measured("memory")
    assert found["arrived"] == found["events"] == 1_000_000
    assert found["dropped"] == 0
    assert found["grown_mb"] <= 10


@pytest.mark.slow
def test_the_scheduler_keeps_99_percent_of_its_speed_with_a_dead_sink() -> None:
    assert measured("scheduler")["speed"] >= 0.99
