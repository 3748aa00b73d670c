"""A dbt manifest as a DAG."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Unpack

import pendulum
from airflow.sdk import DAG, AssetAll, AssetAny

from airflow_dataops.core.arguments import count, flag, refuse_unknown, spelled_out, text
from airflow_dataops.core.plan import Start, StartWhen
from airflow_dataops.core.plan.arguments import with_durations
from airflow_dataops.core.plan.names import LONGEST_ID
from airflow_dataops.dag_factory.arguments import DbtDagArguments, names_of
from airflow_dataops.dag_factory.params import put_run_params
from airflow_dataops.dag_factory.timetables import check_dates, in_zone, local_dates, optional_zone
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.sources import local_manifest, locate
from airflow_dataops.operators.assets import table_asset
from airflow_dataops.planning.arguments import SplitArguments, split_arguments, with_current_names
from airflow_dataops.planning.callbacks import with_callbacks
from airflow_dataops.planning.manifest import Planned, plan_manifest
from airflow_dataops.planning.places import caller_file
from airflow_dataops.task_groups.executors import check_executor
from airflow_dataops.task_groups.layer_names import check_layer_names
from airflow_dataops.task_groups.tasks import add_tasks

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_dataops.core.plan import Plan
    from airflow_dataops.planning.arguments import PlanArguments
    from airflow_dataops.planning.sources import ManifestSource

DEFAULT_ARGS = {
    "retries": 2,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10),
}
"""What tasks get unless the caller's `default_args` or the metadata say otherwise."""

_FLAGS = frozenset({"catchup", "fail_fast", "auto_register", "render_template_as_native_obj"})
_COUNTS = frozenset({"max_active_runs", "max_active_tasks"})


@spelled_out(DbtDagArguments)
def dbt_dag(
    *,
    manifest: str | Path | ManifestSource,
    conn_id: str,
    dag_id: str | None = None,
    **arguments: Unpack[DbtDagArguments],
) -> DAG:
    """Return a DAG that runs a dbt project: a task per node, tests as gates.

    Args:
        manifest: path of the manifest, relative to the DAG file; or a remote one, see
            `ManifestSource`.
        conn_id: the warehouse.
        dag_id: the DAG's id; the project's name by default.
        **arguments: those of `PlanArguments` (`select`, `exclude`, `on_empty`, `engine`,
            `group_by`, `freshness`, `granularity`, `tests`, `assets`, `start_on`, `start_when`,
            `threads`, `operator_args`, `group_args`, `tag_args`, `dbt`); all others go to
            Airflow's `DAG` (`schedule`, `start_date`, `default_args`, `tags`, ...), but for
            `slas`, the path of an SLA file, relative to the DAG file. Without
            `schedule`, the one that the project's metadata asks for is taken. Runs of one
            DAG do not overlap unless `max_active_runs` says so.

    Raises:
        ManifestError: it is no manifest, or has nodes that cannot run.
        ConfigError: an argument is wrong, or the file is not there.
    """
    if unknown := sorted(with_current_names(arguments).keys() & SplitArguments.__annotations__):
        raise ConfigError(
            f"dbt_dag makes one DAG and has no {unknown[0]}; load_dags({str(manifest)!r}, "
            "globals(), ...) makes several of one manifest"
        )
    refuse_unknown(f"dbt_dag {dag_id or str(manifest)!r}", arguments, names_of(DbtDagArguments))
    planning, of_dag = split_arguments(arguments)
    settle_start(planning, of_dag)
    planned = plan_manifest(locate(manifest), text(conn_id, "conn_id"), planning, local_manifest)
    check_layer_names(planned, planning)
    return build_dag(planned, dag_id, of_dag)


def settle_start(planning: PlanArguments, of_dag: Mapping[str, Any]) -> None:
    """Let a schedule of the caller's be all that starts a DAG. Raises `ConfigError`."""
    if "schedule" not in of_dag:
        return
    if planning.get("start_on"):
        raise ConfigError(
            "start_on and schedule exclude each other; a schedule in the project's metadata and "
            "start_on go together"
        )
    planning["start_on"] = ()


def build_dag(planned: Planned, dag_id: str | None, of_dag: dict[str, Any]) -> DAG:
    """Turn a plan into a DAG; `of_dag` are the caller's arguments for Airflow's `DAG`.

    Among them `slas`, the path of an SLA file.
    """
    plan = planned.plan.head
    of_dag = with_callbacks(of_dag, "the DAG's arguments")
    default_args = _default_args(of_dag.get("default_args"))
    zone = optional_zone(of_dag.pop("timezone", None))
    if zone is not None:
        of_dag |= local_dates(of_dag, zone)
        default_args |= local_dates(default_args, zone)
    check_dates(of_dag)
    _check_kinds(of_dag)
    if "schedule" in of_dag:
        of_dag["schedule"] = in_zone(of_dag["schedule"], zone)
    slas = of_dag.pop("slas", None)
    part = f", part `{plan.part}`" if plan.part else ""
    defaults: dict[str, Any] = {
        "schedule": in_zone(plan.schedule, zone),
        "max_active_runs": 1,
        "tags": ["dbt"],
        "doc_md": f"The dbt project `{plan.name}`{part}.",
    }
    own: dict[str, Any] = {
        "dag_id": _checked_id(dag_id or plan.name, plan),
        "default_args": DEFAULT_ARGS | default_args,
    }
    if plan.start is Start.INPUTS:
        own["schedule"] = _when_fresh(plan, planned.warehouse.conn_id)
    dag = DAG(**(defaults | of_dag | own))
    if zone is not None:
        dag.timezone = pendulum.timezone(zone)
    dag.fileloc = caller_file()
    add_tasks(planned, dag, dag.task_group)
    put_run_params(dag)
    if slas is not None:
        # Dear to import, and few DAG files name one.
        from airflow_dataops.slas.files import put_rules

        put_rules(dag, locate(slas))
    return dag


def _check_kinds(of_dag: Mapping[str, Any]) -> None:
    """Refuse what Python would take for something else. Raises `ConfigError`."""
    for name in _FLAGS & of_dag.keys():
        flag(of_dag[name], name)
    for name in _COUNTS & of_dag.keys():
        count(of_dag[name], name, least=1)
    if isinstance(tags := of_dag.get("tags"), str):
        raise ConfigError(f"tags={tags!r}: write them in a list; a text is taken letter by letter.")


def _default_args(given: object) -> dict[str, Any]:
    """Return the caller's `default_args`. Raises `ConfigError` where one is wrong."""
    what = "default_args"
    if not isinstance(given, Mapping | None):
        raise ConfigError(f"{what}={given!r}: write operator arguments, such as {{'retries': 3}}.")
    found = with_durations(with_callbacks(given or {}, what), what)
    try:
        check_executor(found.get("executor"))
    except ValueError as error:
        raise ConfigError(f"{what}: {error}") from None
    return found


def _checked_id(dag_id: str, plan: Plan) -> str:
    if len(dag_id) <= LONGEST_ID:
        return dag_id
    part = f", part `{plan.part[:40]}`," if plan.part else ""
    raise ConfigError(
        f"project {plan.name!r}{part} has the dag id {dag_id[:40]}..., of {len(dag_id)} letters; "
        f"Airflow takes {LONGEST_ID}. Give a shorter dag_id, or the part a shorter name"
    )


def _when_fresh(plan: Plan, conn_id: str) -> AssetAll | AssetAny:
    assets = [table_asset(found.relation, conn_id, plan.adapter) for found in plan.inputs]
    return AssetAll(*assets) if plan.start_when is StartWhen.ALL else AssetAny(*assets)
