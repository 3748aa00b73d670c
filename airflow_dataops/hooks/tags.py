"""The task that runs now, as a tag for its statements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.sql.tags import Tag

if TYPE_CHECKING:
    from airflow.sdk import Context

_NOBODY = "airflow"
"""The owner that Airflow gives a task without one."""


def current_tag() -> Tag | None:
    """Return the tag of the task that this process runs; None outside of a task."""
    from airflow.sdk import get_current_context

    try:
        context = get_current_context()
    except RuntimeError:
        return None
    return tag_of(context)


def tag_of(context: Context) -> Tag:
    """Return the tag of a context's task instance."""
    ti = context["ti"]
    task = getattr(ti, "task", None)
    nodes = getattr(task, "nodes", ())
    owner = getattr(task, "owner", None)
    return Tag(
        dag=ti.dag_id,
        task=ti.task_id,
        run=ti.run_id,
        try_number=ti.try_number,
        map_index=-1 if ti.map_index is None else ti.map_index,
        model=nodes[0] if isinstance(nodes, tuple) and len(nodes) == 1 else None,
        owner=owner if isinstance(owner, str) and owner != _NOBODY else None,
    )
