"""A dbt manifest as a TaskGroup of somebody's DAG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from airflow.sdk import TaskGroup
from airflow.sdk.definitions._internal.contextmanager import DagContext

from airflow_dataops.core.arguments import refuse_unknown, spelled_out, text
from airflow_dataops.core.plan.arguments import with_durations
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.sources import local_manifest, locate
from airflow_dataops.planning.arguments import split_arguments
from airflow_dataops.planning.callbacks import with_callbacks
from airflow_dataops.planning.manifest import plan_manifest
from airflow_dataops.task_groups.arguments import DbtGroupArguments
from airflow_dataops.task_groups.layer_names import check_layer_names
from airflow_dataops.task_groups.tasks import add_tasks

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.sdk import DAG

    from airflow_dataops.planning.sources import ManifestSource


@spelled_out(DbtGroupArguments)
def dbt_task_group(
    *,
    group_id: str,
    manifest: str | Path | ManifestSource,
    conn_id: str,
    dag: DAG | None = None,
    **arguments: Unpack[DbtGroupArguments],
) -> TaskGroup:
    """Return a TaskGroup that runs a dbt project, or a part of one.

    Args:
        group_id: the group's id; as in Airflow it goes before the ids of its tasks.
        manifest: path of the manifest, relative to the DAG file; or a remote one, see
            `ManifestSource`.
        conn_id: the warehouse.
        dag: the DAG; None inside a `with DAG(...)` block.
        **arguments: those of `PlanArguments` (`select`, `exclude`, `on_empty`, `engine`,
            `group_by`, `freshness`, `granularity`, `tests`, `threads`, `operator_args`,
            `group_args`, `tag_args`, `dbt`); all others go to
            Airflow's `TaskGroup`. The group's `default_args` hold for its tasks.

    Raises:
        ManifestError: it is no manifest, or has nodes that cannot run.
        ConfigError: an argument is wrong, or the file is not there.
    """
    dag = dag or DagContext.get_current()
    if dag is None:
        raise ConfigError(
            f"dbt_task_group {group_id!r} is outside of a DAG: call it inside `with DAG(...)`, "
            "or pass dag="
        )
    known = DbtGroupArguments.__annotations__
    refuse_unknown(f"dbt_task_group {group_id!r}", arguments, known)
    planning, of_group = split_arguments(arguments)
    if planning.get("start_on"):
        raise ConfigError(
            f"dbt_task_group {group_id!r}: start_on is for DAGs; give your DAG a schedule of assets"
        )
    planning["start_on"] = ()
    planned = plan_manifest(locate(manifest), text(conn_id, "conn_id"), planning, local_manifest)
    check_layer_names(planned, planning)
    if of_group.get("default_args"):
        where = f"dbt_task_group {group_id!r}: default_args"
        of_group["default_args"] = with_durations(
            with_callbacks(of_group["default_args"], where), where
        )
    group = TaskGroup(group_id=group_id, dag=dag, **of_group)
    add_tasks(planned, dag, group)
    return group
