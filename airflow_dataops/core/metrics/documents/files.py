"""The files and where they are, below a folder."""

from __future__ import annotations

from airflow_dataops.core.metrics.documents.dashboard import dashboard
from airflow_dataops.core.metrics.documents.page import page
from airflow_dataops.core.metrics.documents.rules import rules

PAGE = "metrics-catalogue.md"
RULES = "metrics/prometheus-rules.yml"
DASHBOARD = "metrics/grafana-dashboard.json"


def files() -> dict[str, str]:
    """Return the text of each file by its path."""
    return {PAGE: page(), RULES: rules(), DASHBOARD: dashboard()}
