"""What Airflow's provider discovery reads."""

from __future__ import annotations

from typing import Any

from airflow_dataops.config_section import config_section


def get_provider_info() -> dict[str, Any]:
    """Return the provider's description, in the form of Airflow's provider schema."""
    return {
        "package-name": "airflow-dataops",
        "name": "DataOps",
        "description": "Data pipelines from manifests: dbt projects become live DAGs.",
        "hook-class-names": ["airflow_dataops.hooks.duckdb.DuckDBHook"],
        "connection-types": [
            {
                "connection-type": "duckdb",
                "hook-class-name": "airflow_dataops.hooks.duckdb.DuckDBHook",
                "hook-name": "DuckDB",
                "ui-field-behaviour": {
                    "hidden-fields": ["schema", "login", "port"],
                    "relabeling": {"host": "File path", "password": "MotherDuck token"},
                    "placeholders": {
                        "host": "/data/shop.duckdb, :memory: or md:shop",
                        "extra": '{"database": "shop", "config": {"threads": 2}, '
                        '"lock_timeout": 600}',
                    },
                },
            }
        ],
        "config": config_section(),
    }
