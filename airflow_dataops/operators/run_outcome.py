"""What a run builds, and what became of it: what hooks around a run are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.empty import EmptyOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_dataops.adapters.manifest_store import StoredManifest
    from airflow_dataops.core.execution.requests import RunRequest
    from airflow_dataops.core.model import Node
    from airflow_dataops.core.plan.structs import Builder


class OutcomeOperator(EmptyOperator):
    """Ends as the run did, where hooks run after tasks that failed; it starts no process."""

    ui_color = "#e8e8e8"


def to_build(
    around: Sequence[Builder],
    manifest: StoredManifest,
    request: RunRequest,
    selected: frozenset[str] | None,
) -> list[Node]:
    """Return the nodes that a run is to build."""
    from airflow_dataops.core.execution.parts import takes_part
    from airflow_dataops.core.plan import TaskKind

    return [
        manifest.node(id_)
        for builder in around
        for id_ in builder.nodes
        if takes_part(TaskKind.BUILD, id_, request, selected)
    ]


def built_in(context: Context, around: Sequence[Builder], nodes: Sequence[Node]) -> list[Node]:
    """Return those of the nodes that were built in the run of a context."""
    ti: Any = context["ti"]
    found = ti.get_task_states(
        dag_id=ti.dag_id, task_ids=[each.task for each in around], run_ids=[ti.run_id]
    )
    states = found.get(ti.run_id, {})
    built: set[str] = set()
    for each in around:
        if states.get(each.task) == "success":
            built.update(each.nodes)
        elif len(each.nodes) > 1:
            built.update(_built_before_failing(ti, each.task))
    return [node for node in nodes if node.id in built]


def _built_before_failing(ti: Any, task_id: str) -> set[str]:
    """Return what a task of several nodes built although it failed."""
    results = ti.xcom_pull(task_ids=task_id, key="results") or {}
    return {each["node"] for each in results.get("nodes", ()) if "action" in each}
