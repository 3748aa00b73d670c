"""A pipeline -> a DAG."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.sdk import DAG, Asset, AssetAll, AssetAny, Param, get_parsing_context

from airflow_dataops.core.pipelines.faults import Fault, PipelineError
from airflow_dataops.core.pipelines.marks import DATES, DURATIONS
from airflow_dataops.dag_factory.timetables import in_zone
from airflow_dataops.errors import DataOpsError
from airflow_dataops.planning.callbacks import with_callbacks
from airflow_dataops.planning.places import caller_file
from airflow_dataops.task_groups.objects import (
    Objects,
    class_of,
    duration_from,
    import_object,
    moment_of,
)
from airflow_dataops.task_groups.partial import is_wanted
from airflow_dataops.task_groups.pipelines import Copying, add_pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_dataops.adapters.pipeline_store import OpenedPipelines
    from airflow_dataops.core.pipelines.calls import Signatures
    from airflow_dataops.core.pipelines.model import Pipeline
    from airflow_dataops.task_groups.copies import Copies

_CONFIGURED = (
    "catchup",
    "disable_bundle_versioning",
    "max_active_runs",
    "max_active_tasks",
    "max_consecutive_failed_dag_runs",
    "rerun_with_latest_version",
)
_timetables: dict[tuple[object, ...], Any] = {}
"""The timetables that `DAG` made of texts, by all that they come from."""
_OF_DAG = {"doc": "doc_md", "display_name": "dag_display_name"}
_OF_PARAM = frozenset({"default", "type", "title", "description", "enum", "format"})


def build_pipelines(
    opened: OpenedPipelines, source: str, copies: Copies
) -> Iterator[DAG | PipelineError]:
    """Yield the DAGs of a file that this process wants, or why one cannot be.

    Operators are copied where that is known to be the same, but for a worker, which wants one.
    """
    is_worker = get_parsing_context().dag_id is not None
    for pipeline in opened.pipelines:
        if is_wanted(pipeline.dag_id):
            copying = None
            if not is_worker:
                of_dag = copies.of(pipeline, partial(_dag, pipeline))
                copying = Copying(of_dag, opened)
            try:
                yield build_pipeline(pipeline, source, copying)
            except PipelineError as error:
                yield error


def build_pipeline(pipeline: Pipeline, source: str, copying: Copying | None = None) -> DAG:
    """Return the DAG of a pipeline.

    Args:
        source: the name of its file.
        copying: copies operators; None to build each.

    Raises:
        PipelineError: what cannot be imported, or Airflow refuses; all of it.
    """
    try:
        dag = _dag(pipeline)
    except (DataOpsError, TypeError, ValueError) as error:
        fault = Fault(
            rule="dag",
            message=f"Airflow does not take the DAG {pipeline.dag_id!r}: {error}",
            place=pipeline.at,
        )
        raise PipelineError(source, [fault]) from error
    add_pipeline(pipeline, dag, source, copying)
    return dag


def explained(
    error: PipelineError,
    path: Path,
    root: Path,
    environment: str | None,
    signatures: Signatures,
) -> PipelineError:
    """Return an error of building a DAG, with what can be told from its file more precisely."""
    from airflow_dataops.adapters.pipeline_lint import lint_file

    environments = [environment] if environment else []
    found = lint_file(path, root, signatures, environments).faults
    rest = [
        fault
        for fault in error.faults
        if not any(each.path.startswith(fault.path) for each in found)
    ]
    return PipelineError(error.source, [*found, *rest])


def _dag(pipeline: Pipeline) -> DAG:
    zone = pipeline.timezone
    objects = Objects(zone, lambda *_: None)
    found: dict[str, Any] = {}
    for name, value in with_callbacks(pipeline.settings, "the DAG's settings").items():
        if name in DURATIONS:
            value = duration_from(name, value)
        elif name in DATES:
            value = moment_of(value, zone)
        elif name.startswith("user_defined"):
            value = {key: import_object(path) for key, path in value.items()}
        found[_OF_DAG.get(name, name)] = value
    defaults = objects.arguments(found.pop("default_args", {}))
    if "owner" in found:
        defaults = {"owner": found.pop("owner")} | defaults
    if defaults:
        found["default_args"] = defaults
    if "params" in found:
        found["params"] = {name: _param(value) for name, value in found["params"].items()}
    key = (repr(pipeline.schedule), zone, *(repr(s.get("start_date")) for s in (found, defaults)))
    schedule = _timetables.get(key) or _schedule(pipeline.schedule, zone, objects)
    dag = DAG(pipeline.dag_id, schedule=schedule, **(_configured() | found))
    if isinstance(schedule, str):
        _timetables[key] = dag.timetable
    if zone is not None:
        dag.timezone = pendulum.timezone(zone)
    dag.fileloc = caller_file()
    return dag


@cache
def _configured() -> dict[str, Any]:
    """Return what Airflow's configuration says of DAGs, which each would look up again."""
    dag = DAG("configured", schedule=None)
    return {name: getattr(dag, name) for name in _CONFIGURED}


def _param(value: Any) -> Any:
    """Return a param: of a mapping with a default or a type, as the trigger form takes it."""
    if isinstance(value, dict) and value.keys() & {"default", "type"} and value.keys() & _OF_PARAM:
        options = dict(value)
        return Param(options.pop("default", None), **options)
    return value


def _schedule(given: Any, zone: str | None, objects: Objects) -> Any:
    """Return what Airflow takes as a schedule; see `core.pipelines.schedules`."""
    if given is None or isinstance(given, str):
        return in_zone(given, zone)
    if "every" in given:
        return duration_from("every", given["every"])
    if "timetable" in given:
        arguments = {key: objects.of(part) for key, part in given.items() if key != "timetable"}
        listed = arguments.pop("arguments", [])
        return class_of(given["timetable"])(*listed, **arguments)
    if "partitions" in given:
        return _partitioned(given, zone)
    if "assets" not in given:
        return in_zone(given["cron"], zone)
    assets = _assets(given["assets"])
    if "cron" not in given:
        return assets
    from airflow.sdk import AssetOrTimeSchedule

    return AssetOrTimeSchedule(assets=assets, timetable=_timetable(given["cron"], zone))


def _timetable(cron: str, zone: str | None) -> Any:
    """Return the timetable of cron, which `DAG` would make of a text by itself."""
    return in_zone(cron, zone or "UTC")


def _partitioned(given: dict[str, Any], zone: str | None) -> Any:
    from airflow import sdk

    from airflow_dataops.core.manifests.schedule import split_zone

    if "cron" in given:
        cron, own = split_zone(given["cron"])
        return sdk.CronPartitionTimetable(cron, timezone=own or zone or "UTC")
    assets = _assets(given["assets"])
    if given["partitions"] is True:
        return sdk.PartitionedAssetTimetable(assets=assets)
    mapper = getattr(sdk, f"StartOf{given['partitions'].title()}Mapper")
    return sdk.PartitionedAssetTimetable(assets=assets, default_partition_mapper=mapper())


def _assets(given: dict[str, Any]) -> Any:
    if "asset" in given:
        return Asset(**given["asset"])
    of = AssetAll if "all" in given else AssetAny
    return of(*(_assets(each) for each in given.get("all") or given["any"]))
