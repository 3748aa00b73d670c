"""What the factories of TaskGroups take, for type checkers and for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from airflow_dataops.planning.arguments import PlanArguments

if TYPE_CHECKING:
    from airflow.sdk import DAG, TaskGroup


class GroupArguments(TypedDict, total=False):
    """What Airflow's `TaskGroup` takes besides its id and DAG; see there."""

    group_display_name: str
    prefix_group_id: bool
    parent_group: TaskGroup | None
    default_args: dict[str, Any]
    tooltip: str
    doc_md: str | None
    ui_color: str
    ui_fgcolor: str
    add_suffix_on_collision: bool


class LoadGroupArguments(GroupArguments, total=False):
    """What `load_task_group` passes on to Airflow's `TaskGroup`."""

    dag: DAG


class DbtGroupArguments(PlanArguments, GroupArguments, total=False):
    """What `dbt_task_group` takes besides its manifest and connection."""
