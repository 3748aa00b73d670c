"""What importing the package costs, and who may import whom."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import airflow_dataops

FORBIDDEN = (
    "dbt",
    "sqlmesh",
    "sqlglot",
    "pandas",
    "duckdb",
    "cosmos",
    "snowflake",
    "google.cloud",
    "boto3",
)


def modules_after(statement: str) -> set[str]:
    script = f"{statement}\nimport sys\nprint(*sys.modules, sep='\\n')"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(result.stdout.split())


def test_importing_the_package_imports_nothing_else() -> None:
    ours = {name for name in modules_after("import airflow_dataops") if "airflow" in name}
    assert ours == {"airflow_dataops"}


def test_the_dag_factory_pulls_in_no_engine_and_no_sdk() -> None:
    """Beyond Airflow itself, which loads the providers it finds (Cosmos is one) at its start."""
    loaded = modules_after("import airflow.sdk, airflow_dataops.dag_factory")
    ours = loaded - modules_after("import airflow.sdk")
    assert "airflow_dataops.task_groups.tasks" in ours
    assert sorted(ours & set(FORBIDDEN)) == []


def test_every_public_name_can_be_had() -> None:
    for name in airflow_dataops.__all__:
        assert getattr(airflow_dataops, name)


def test_an_unknown_name_is_said_to_be_unknown() -> None:
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = airflow_dataops.nothing_of_the_kind


def test_arrows_point_down() -> None:
    """The contracts of pyproject.toml, checked by import-linter."""
    result = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout
