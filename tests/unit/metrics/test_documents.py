"""The committed files are those of the catalogue, and those who read them accept them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from airflow_dataops.core.metrics.catalogue import CATALOGUE, Kind
from airflow_dataops.core.metrics.documents.files import DASHBOARD, RULES, files
from airflow_dataops.core.metrics.tags import NEVER, clean_name

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("name", sorted(files()))
def test_the_committed_file_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == files()[name], "run `make metrics`"


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Debian's prometheus has promtool")
def test_prometheus_takes_the_rules() -> None:
    result = subprocess.run(
        ["promtool", "check", "rules", DOCS / RULES], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def test_every_metric_has_a_panel_that_does_not_overlap() -> None:
    panels = json.loads(files()[DASHBOARD])["panels"]
    charts = [panel for panel in panels if panel["type"] == "timeseries"]
    assert [panel["title"] for panel in charts] == [
        metric.name for metric in sorted(CATALOGUE, key=lambda m: list(_ORIGINS).index(m.origin))
    ]
    taken = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(taken) == len(set(taken))
    assert len({panel["id"] for panel in panels}) == len(panels)


_ORIGINS = dict.fromkeys(metric.origin for metric in CATALOGUE)


def test_names_are_clean_and_distinct() -> None:
    names = [metric.name for metric in CATALOGUE]
    assert names == [clean_name(name) for name in names]
    assert len(set(names)) == len(names)
    assert {"airflow.task.success", "airflow.task.failure"} <= set(names)


@pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)
def test_no_metric_has_a_series_per_run(metric: object) -> None:
    assert not NEVER & set(metric.tags)  # type: ignore[attr-defined]


def test_outcomes_have_the_tag_dag() -> None:
    outcomes = [m for m in CATALOGUE if m.name.startswith("airflow.task.")]
    assert all("dag" in metric.tags for metric in outcomes)
    assert all(m.name.endswith("seconds") == (m.kind is Kind.TIMING) for m in outcomes)
