"""Schedules and settings of a DAG that would be taken for something else."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dataops import dbt_dag
from airflow_dataops.dag_factory.timetables import in_zone
from airflow_dataops.errors import ConfigError
from tests.host.manifests import manifest, model, write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("schedule", "bogus"),
        ("schedule", timedelta(0)),
        ("schedule", timedelta(days=-1)),
        ("tags", "abc"),
        ("catchup", "no"),
        ("max_active_runs", "3"),
        ("max_active_runs", 0),
    ],
)
def test_a_wrong_setting_is_refused_by_name(tmp_path: Path, name: str, wrong: Any) -> None:
    path = write(tmp_path / "manifest.json", manifest(model("a")))
    given: dict[str, Any] = {name: wrong}
    with pytest.raises(ConfigError, match=f"{name}="):
        dbt_dag(manifest=str(path), conn_id="w", **given)


@pytest.mark.parametrize("text", ["@once", "@daily", "@midnight", "*/5 * * * *", "0 0 * * * 30"])
def test_what_airflow_reads_stays_as_it_is(text: str) -> None:
    assert in_zone(text) == text
