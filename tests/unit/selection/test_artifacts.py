"""Reading run_results.json and sources.json."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from airflow_dataops.core.selection import read_run_results, read_source_freshness
from airflow_dataops.errors import ConfigError


def test_run_results() -> None:
    """Status by node; all else is skipped."""
    data = b"""{"metadata": {}, "elapsed_time": 1.5, "results": [
        {"unique_id": "model.a.b", "status": "error", "message": "boom", "timing": []},
        {"unique_id": "test.a.c", "status": "pass"}]}"""
    assert read_run_results(data, source="run_results.json") == {
        "model.a.b": "error",
        "test.a.c": "pass",
    }


def test_sources() -> None:
    """Time of loading by source, without those whose check did not run."""
    data = b"""{"results": [
        {"unique_id": "source.a.b.c", "status": "pass", "max_loaded_at": "2026-01-02T03:04:05Z"},
        {"unique_id": "source.a.b.d", "status": "runtime error", "error": "no such table"}]}"""
    loaded = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert read_source_freshness(data, source="sources.json") == {"source.a.b.c": loaded}


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"results": [{"status": "pass"}]}'])
def test_other_files(data: bytes) -> None:
    """The error names the file and the remedy."""
    with pytest.raises(ConfigError, match=r"state/run_results\.json is not what dbt writes"):
        read_run_results(data, source="state/run_results.json")
