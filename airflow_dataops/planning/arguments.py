"""What plans are made of, as callers write it: for type checkers and for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict, cast

from airflow_dataops.core.deprecation import renamed_arguments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from airflow_dataops.core.arguments import Names
    from airflow_dataops.planning.callbacks import WarningCallbacks
    from airflow_dataops.planning.dbt_config import DbtConfig
    from airflow_dataops.planning.sources import ManifestSource


class PlanArguments(TypedDict, total=False):
    """What `dbt_dag`, `dbt_task_group` and `load_dags` take besides Airflow's own arguments.

    Attributes:
        select: nodes to run, in dbt's selection language; all by default.
        exclude: nodes to leave out.
        state: what an earlier run left, as dbt's `--state`: a folder, or its address, with the
            `manifest.json` (`state:modified`), `run_results.json` (`result:error`) or
            `sources.json` (`source_status:fresher`) of then. Relative to the DAG file.
        defer: read what does not exist here from where the run of `state` built it, as dbt does.
        defer_state: the folder with the manifest.json to defer to, if it is not `state`.
        favor_state: with `defer`, read all that is not selected from there.
        on_empty: what to do where a part of a selection matches nothing: `error` or `warn`.
        engine: `auto` (compiled SQL where that is faithful, else dbt), `sql` or `dbt`.
        group_by: what TaskGroups stand for: `layer`, `folder`, `tag`, `schema`, `none`.
        freshness: `gate` (a stale source stops what reads from it) or `skip`.
        run_hooks: `run` (on-run-start before all tasks, on-run-end after them) or `skip`.
        granularity: how much one task runs: `node`, `chain` (models in a row, with their
            tests), `layer` or `dag`.
        tests: where the tests of a single model run: `apart` (a task after the model's) or
            `with model` (in its task).
        assets: when a table's asset is emitted: `built`, or `tested` (after its tests).
        start_on: what other DAGs fill and whose freshness starts this one, in the selection
            language (`source:shop`); by default the models of other projects, `()` for nothing.
            Not for task groups.
        start_when: whether `all` or `any` inputs must be fresh.
        threads: sessions that a task of several nodes may open; 4 by default, 1 on DuckDB.
        on_warning_callback: a function, or several, or their import paths, called where tests or
            sources are warned of; see `NodeOperator`.
        operator_args: operator arguments of every task, such as `{"retries": 3}`.
        group_args: operator arguments by group, such as `{"marts": {"pool": "small"}}`.
        tag_args: operator arguments by tag. A model's own `meta.airflow` beats them all.
        dbt: how to call dbt, for the nodes that compiled SQL cannot express.
        vars: dbt's vars that each run sets for itself, `{"run_day": "{{ ds }}"}`; the manifest
            must be compiled with `--runtime-vars run_day`.
        relations: other names for databases, schemas and tables in this environment, such as
            `{"schema": {"dbt_me": "analytics"}}`.
    """

    select: Names | None
    exclude: Names | None
    state: str | Path | ManifestSource | None
    defer: bool
    defer_state: str | Path | ManifestSource | None
    favor_state: bool
    on_empty: str
    engine: str
    group_by: str
    freshness: str
    run_hooks: str
    granularity: str
    tests: str
    assets: str
    start_on: Names | None
    start_when: str
    threads: int | None
    on_warning_callback: WarningCallbacks | str | Sequence[str]
    operator_args: Mapping[str, Any]
    group_args: Mapping[str, Mapping[str, Any]]
    tag_args: Mapping[str, Mapping[str, Any]]
    dbt: DbtConfig | None
    vars: Mapping[str, Any] | None
    relations: Mapping[str, Mapping[str, str]] | None


class SplitArguments(TypedDict, total=False):
    """What `load_dags` takes to make several DAGs of one project.

    Attributes:
        split_by: `schedule`, `tag`, `owner`, `layer`, `folder`, `domain` or `none`. By default
            a project whose metadata names several schedules is split by them, unless the
            caller sets `schedule`.
        selectors: by name of the part, what it takes: an expression in the selection
            language, a list of them, or `{"select": ..., "exclude": ...}`.
        unassigned: what becomes of nodes that no selector takes: `part` (they are the part `rest`)
            or `skip`.
        cycles: what becomes of parts that wait for each other in a cycle: `cut` (the
            default: what comes later is a part of its own, `<part>_2`) or `refuse` (an error).
    """

    split_by: str | None
    selectors: Mapping[str, Any] | None
    unassigned: str | None
    cycles: str | None


def split_arguments(arguments: Mapping[str, Any]) -> tuple[PlanArguments, dict[str, Any]]:
    """Split keyword arguments into those of the plan and those of the orchestrator."""
    ours = PlanArguments.__annotations__.keys()
    planning = {name: value for name, value in arguments.items() if name in ours}
    rest = {name: value for name, value in arguments.items() if name not in ours}
    return cast("PlanArguments", planning), rest


_RENAMED = {"rest": "unassigned", "circles": "cycles"}
_VALUES = {("unassigned", "leave out"): "skip"}


def with_current_names(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments of `load_dags` under today's names; those of the last release still do."""
    return renamed_arguments(arguments, _RENAMED, _VALUES)
