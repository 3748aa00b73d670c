"""What Airflow's provider discovery reads."""

from __future__ import annotations

from typing import Any

from airflow_dataops.config_section import config_section


def get_provider_info() -> dict[str, Any]:
    """Return the provider's description, in the form of Airflow's provider schema."""
    return {
        "package-name": "airflow-dataops",
        "name": "DataOps",
        "description": "Data pipelines from manifests: dbt, SQLMesh and YAML become live DAGs.",
        "hook-class-names": ["airflow_dataops.hooks.duckdb.DuckDBHook"],
        "connection-types": [
            {
                "connection-type": "duckdb",
                "hook-class-name": "airflow_dataops.hooks.duckdb.DuckDBHook",
            }
        ],
        "config": config_section(),
    }
