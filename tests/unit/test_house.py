"""What importing the package costs, and who may import whom."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import airflow_dataops
from airflow_dataops.core.engines import engine_names

PACKAGE = Path(airflow_dataops.__path__[0])
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
    loaded = modules_after("from airflow_dataops.dag_factory import dbt_dag, load_dags")
    ours = loaded - modules_after("import airflow.sdk")
    assert "airflow_dataops.task_groups.tasks" in ours
    assert sorted(ours & set(FORBIDDEN)) == []


def test_every_public_name_can_be_had() -> None:
    for name in airflow_dataops.__all__:
        assert getattr(airflow_dataops, name)


def test_an_unknown_name_is_said_to_be_unknown() -> None:
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = airflow_dataops.nothing_of_the_kind


_ENGINES = re.compile(rf"""["']({"|".join(engine_names())})["']""")
_OF_ONE_ENGINE = {
    "core/sql/bulk.py": "BigQuery's staging tables and Snowflake's stages",
    "core/sql/copying.py": "Snowflake's COPY INTO",
    "core/sql/makings.py": "BigQuery's partitions and clusters",
    "core/sql/options.py": "BigQuery's options of tables",
    "core/sql/sessions.py": "DuckDB's files",
    "core/assets.py": "how dbt's adapters store names; many have no engine here",
    "core/cost/queries.py": "the two warehouses that tell of costs",
    "core/plan/engines.py": "what dbt-bigquery refuses",
    "operators/dbt_checks.py": "names compared without case",
    "operators/assets.py": "an example in an error",
}


def test_engines_are_asked_and_not_named() -> None:
    """What differs between engines is in `core/engines`: elsewhere nothing asks which one it is."""
    found = {}
    for room in ("core", "operators", "task_groups", "dag_factory"):
        for path in (PACKAGE / room).rglob("*.py"):
            name = path.relative_to(PACKAGE).as_posix()
            if name.startswith(("core/engines/", "core/manifests/dbt/")):
                continue
            if _ENGINES.search(path.read_text()):
                found[name] = path
    assert set(found) == set(_OF_ONE_ENGINE)
    asking = re.compile(r"dialect (==|!=|in) ")
    assert [name for name in found if asking.search(found[name].read_text())] == ["core/assets.py"]


READS = re.compile(r"\.read_(?:bytes|text)\(|(?<![\w.])open\([^)]*\"r|json\.load\(")
MAY_READ = {
    "hooks/duckdb_lock.py": "of the kernel",
    "dag_factory/bundle_versions.py": "of object storage",
}


def test_files_are_read_in_one_place() -> None:
    """`adapters.local_files` hangs at no pipe, and ends with files that have no end."""
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if READS.search(path.read_text())
    }
    assert found == set(MAY_READ)
