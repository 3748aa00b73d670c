"""What the factories of DAGs take, for type checkers and for people."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypedDict

import attrs
from airflow.sdk import DAG

from airflow_dataops.planning.arguments import PlanArguments, SplitArguments

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, MutableMapping
    from datetime import datetime, timedelta
    from pathlib import Path

    import jinja2
    from airflow.sdk.api.datamodels._generated import DagRunType
    from airflow.sdk.definitions.context import Context
    from airflow.sdk.definitions.dag import ScheduleArg
    from airflow.sdk.definitions.deadline import DeadlineAlert

    Callback = Callable[[Context], None]


class DagArguments(TypedDict, total=False):
    """What Airflow's `DAG` takes besides its id; see there."""

    description: str | None
    default_args: dict[str, Any]
    start_date: datetime | None
    end_date: datetime | None
    schedule: ScheduleArg
    template_searchpath: str | Iterable[str] | None
    template_undefined: type[jinja2.StrictUndefined]
    user_defined_macros: dict[str, Any] | None
    user_defined_filters: dict[str, Any] | None
    max_active_tasks: int
    max_active_runs: int
    max_consecutive_failed_dag_runs: int
    dagrun_timeout: timedelta | None
    deadline: list[DeadlineAlert] | DeadlineAlert | None
    sla_miss_callback: None
    catchup: bool
    on_success_callback: Callback | list[Callback] | None
    on_failure_callback: Callback | list[Callback] | None
    doc_md: str | None
    params: MutableMapping[str, Any] | None
    access_control: dict[str, dict[str, Collection[str]]] | None
    is_paused_upon_creation: bool | None
    jinja_environment_kwargs: dict[str, Any] | None
    render_template_as_native_obj: bool
    tags: Collection[str]
    owner_links: dict[str, str]
    auto_register: bool
    fail_fast: bool
    allowed_run_types: DagRunType | Collection[DagRunType] | None
    dag_display_name: str
    disable_bundle_versioning: bool
    rerun_with_latest_version: bool | None


class DbtDagArguments(PlanArguments, DagArguments, total=False):
    """What `dbt_dag` takes besides its manifest, connection and id.

    Attributes:
        slas: path of an SLA file, relative to the DAG file.
        timezone: name of the time zone whose clock schedules keep to that name none, and of
            start and end dates without one (`Europe/Berlin`).
    """

    slas: str | Path | None
    timezone: str | None


class LoadDagsArguments(DbtDagArguments, SplitArguments, total=False):
    """What `load_dags` takes besides its folder, namespace and connection.

    Attributes:
        dag_id: for a folder with one project: the DAG's id, or what those of its parts begin with.
    """

    dag_id: str | None


class ProjectArguments(LoadDagsArguments, total=False):
    """What `per_project` takes for one project."""

    conn_id: str


@cache
def names_of(arguments: type) -> frozenset[str]:
    """Return the names of all arguments, with those that this Airflow's `DAG` takes besides."""
    of_dag = {field.name for field in attrs.fields(DAG) if field.init}
    return frozenset(arguments.__annotations__) | (of_dag - {"dag_id", "task_group"})
