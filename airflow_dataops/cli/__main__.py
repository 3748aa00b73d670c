"""`python -m airflow_dataops.cli`."""

from __future__ import annotations

from airflow_dataops.cli.main import run

run()
