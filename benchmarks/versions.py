"""How many versions of a DAG Airflow counts while its manifest is compiled again and again.

Airflow's own bookkeeping decides, on a SQLite metadata database: each parse goes through
`SerializedDagModel.write_dag`, and after each write a task instance of the newest version is
there, as it is while runs are under way.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from benchmarks import contestants, manifests

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.sdk import DAG
    from sqlalchemy.orm import Session

_BUNDLE = "bench"
_MODELS = 20


def count_versions(contestant: str, manifest: Path, parses: int) -> dict[str, Any]:
    """Parse as often as `parses` with another `generated_at`; then change one model."""
    from airflow.utils.db import initdb
    from airflow.utils.session import create_session

    initdb()
    build = getattr(contestants, contestant)(manifest)
    with create_session() as session:
        _add_bundle(session)
    for number in range(parses):
        content = manifests.manifest(_MODELS, generated_at=f"2026-01-01T00:{number:06d}Z")
        _parse(build, manifest, content)
    same = _counted()
    content = manifests.manifest(_MODELS)
    next(iter(content["nodes"].values()))["compiled_code"] += " -- changed"
    _parse(build, manifest, content)
    return {"parses": parses, "versions": same, "after_a_change": _counted()}


def _parse(build: contestants.Build, manifest: Path, content: dict[str, Any]) -> None:
    from airflow.utils.session import create_session

    manifest.write_text(json.dumps(content))
    dag = build()
    with create_session() as session:
        _write(dag, session)


def _add_bundle(session: Session) -> None:
    from airflow.models.dag import DagModel
    from airflow.models.dagbundle import DagBundleModel

    session.add(DagBundleModel(name=_BUNDLE))
    session.flush()
    session.add(DagModel(dag_id=contestants.DAG_ID, bundle_name=_BUNDLE, fileloc=__file__))


def _write(dag: DAG, session: Session) -> None:
    from airflow.models.dag_version import DagVersion
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.models.taskinstance import TaskInstance
    from airflow.serialization.serialized_objects import LazyDeserializedDAG
    from sqlalchemy import select

    dag.fileloc = __file__
    SerializedDagModel.write_dag(
        LazyDeserializedDAG.from_dag(dag), bundle_name=_BUNDLE, session=session
    )
    session.flush()
    version = DagVersion.get_latest_version(dag.dag_id, session=session)
    running = select(TaskInstance).where(TaskInstance.dag_version_id == version.id)
    if session.scalar(running.limit(1)) is None:
        _add_run(dag, version, session)


def _add_run(dag: DAG, version: Any, session: Session) -> None:
    from airflow.models.dagrun import DagRun
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.types import DagRunType

    run_id = f"run_{version.version_number}"
    session.add(DagRun(dag_id=dag.dag_id, run_id=run_id, run_type=DagRunType.MANUAL))
    session.flush()
    serialized = SerializedDagModel.get_dag(dag.dag_id, session=session)
    task = next(iter(serialized.task_dict.values()))
    session.add(TaskInstance(task=task, run_id=run_id, dag_version_id=version.id))


def _counted() -> int:
    from airflow.models.dag_version import DagVersion
    from airflow.utils.session import create_session
    from sqlalchemy import func, select

    with create_session() as session:
        return session.scalar(select(func.count()).select_from(DagVersion))
