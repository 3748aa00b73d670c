"""Pipelines in YAML, loaded and compared."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import TYPE_CHECKING, Any

from airflow.serialization.serialized_objects import DagSerialization

from airflow_dataops import load_dags

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.sdk import DAG


def load(folder: Path, text: str, name: str = "file", **arguments: Any) -> list[DAG]:
    """Return the DAGs of a file; fails with what the import error says."""
    place = folder / "pipelines"
    place.mkdir(exist_ok=True)
    (place / f"{name}.pipeline.yaml").write_text(dedent(text))
    namespace: dict[str, Any] = {"__file__": str(folder / "dag.py")}
    dags = load_dags("pipelines", namespace, **arguments)
    for key, value in namespace.items():
        if key.startswith("dataops_errors"):
            value.validate()
    return dags


def serialized(dag: DAG) -> dict[str, Any]:
    """Return a DAG as Airflow keeps it, without the file that it is in."""
    found: dict[str, Any] = json.loads(json.dumps(DagSerialization.to_dict(dag)))
    for key in ("fileloc", "relative_fileloc"):
        found["dag"].pop(key, None)
    return found


def same(dag: DAG, by_hand: DAG) -> None:
    """Check that two DAGs are one to Airflow."""
    found, expected = serialized(dag), serialized(by_hand)
    for part in (found, expected):
        part["dag"]["tasks"].sort(key=lambda task: task["__var"]["task_id"])
    assert found == expected
