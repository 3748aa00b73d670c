"""What Airflow's provider discovery reads."""

from __future__ import annotations

from typing import Any

from airflow_dataops.config_section import config_section

_NAME = "DataOps"
_OPERATORS = (
    *("build", "freshness", "fused", "quality", "quality_branch", "sla_monitor", "test"),
    *(
        "loads.append",
        "loads.audit",
        "loads.changes",
        "loads.history",
        "loads.increment",
        "loads.merge",
    ),
    *("loads.partition", "loads.replace", "loads.stage", "loads.transfer"),
)


def get_provider_info() -> dict[str, Any]:
    """Return the provider's description, in the form of Airflow's provider schema."""
    return {
        "package-name": "airflow-dataops",
        "name": _NAME,
        "description": "Data pipelines from manifests: dbt projects become live DAGs.",
        "integrations": [
            {"integration-name": name, "external-doc-url": url, "tags": ["software"]}
            for name, url in {
                _NAME: "https://github.com/airflow-dataops/airflow-dataops",
                "DuckDB": "https://duckdb.org/docs/",
                "dbt": "https://docs.getdbt.com/",
            }.items()
        ],
        "operators": _modules(*(f"operators.{name}" for name in _OPERATORS)),
        "sensors": _modules(
            "operators.inputs",
            *(f"sensors.{name}" for name in ("base", "breaker", "files", "published", "tables")),
        ),
        "hooks": [
            {"integration-name": "DuckDB", "python-modules": ["airflow_dataops.hooks.duckdb"]}
        ],
        "triggers": _modules(
            "triggers.kafka", "triggers.publication", "triggers.sla_monitor", "triggers.watching"
        ),
        "transfers": [
            {
                "source-integration-name": _NAME,
                "target-integration-name": _NAME,
                "python-module": "airflow_dataops.operators.loads.transfer",
            }
        ],
        "bundles": _modules("dag_factory.bundle"),
        "notifications": ["airflow_dataops.callbacks.alerts.AlertNotifier"],
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


def _modules(*names: str) -> list[dict[str, Any]]:
    return [
        {
            "integration-name": _NAME,
            "python-modules": [f"airflow_dataops.{name}" for name in names],
        }
    ]
