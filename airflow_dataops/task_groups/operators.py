"""One planned task -> one operator."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.param import ParamsDict
from msgspec.structs import replace

from airflow_dataops.core.model import RunMoment
from airflow_dataops.core.plan import TaskKind
from airflow_dataops.errors import ConfigError
from airflow_dataops.operators.assets import table_asset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import BaseOperator

    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.plan import Plan, PlannedTask
    from airflow_dataops.operators.node import NodeOperator
    from airflow_dataops.planning.warehouse import Warehouse

_SQL_OPERATORS = {
    TaskKind.BUILD: ("build", "DbtBuildOperator"),
    TaskKind.TEST: ("test", "DbtTestOperator"),
    TaskKind.FRESHNESS: ("freshness", "FreshnessOperator"),
    TaskKind.FUSED: ("fused", "FusedOperator"),
    TaskKind.READY: ("ready", "ReadyOperator"),
    TaskKind.RUN_START: ("run_hooks", "HooksOperator"),
    TaskKind.RUN_END: ("run_hooks", "HooksOperator"),
}
"""Module and class, loaded when the first task of the kind is made: a worker runs one kind."""
_AROUND = {TaskKind.RUN_START: "all_success", TaskKind.RUN_END: "all_done"}
"""Trigger rules of the hooks around a run."""


def build_operator(
    kind: type[NodeOperator], warehouse: Warehouse, **arguments: Any
) -> NodeOperator:
    """Build an operator of engine `sql` the way Airflow does."""
    operator = kind(
        manifest=warehouse.manifest,
        conn_id=warehouse.conn_id,
        state=warehouse.state,
        vars=warehouse.vars,
        runtime_vars=warehouse.runtime_vars,
        relations=warehouse.relations,
        deferral=warehouse.deferral,
        **arguments,
    )
    operator.params = own_params(operator)
    return operator


def own_params(operator: BaseOperator) -> ParamsDict:
    """Return an operator's params without the DAG's.

    Airflow copies them into each task, although it merges them again when a task runs.
    """
    return ParamsDict.filter_params_by_source(ParamsDict(operator.params), source="task")


def operator_class(task: PlannedTask) -> type[NodeOperator]:
    """Return the class that runs a task on engine `sql`."""
    module, name = _SQL_OPERATORS[task.kind]
    kind: type[NodeOperator] = getattr(import_module(f"airflow_dataops.operators.{module}"), name)
    return kind


def own_arguments(
    task: PlannedTask, warehouse: Warehouse, arguments: dict[str, Any]
) -> dict[str, Any]:
    """Return the arguments in which tasks of one profile differ, besides id and nodes."""
    doc = arguments.get("doc_md") or task.description or None
    outlets = [table_asset(found, warehouse.conn_id, warehouse.dialect) for found in _emitted(task)]
    outlets += arguments.get("outlets", ())
    own = {"doc_md": doc, "outlets": outlets}
    if task.kind is TaskKind.FUSED:
        own |= {"parts": task.parts, "threads": warehouse.threads}
    if task.kind in _AROUND:
        own |= {"around": task.around, "trigger_rule": _AROUND[task.kind]}
    return own


def _emitted(task: PlannedTask) -> Sequence[Relation]:
    """Return the tables whose assets a task emits, those that it builds first."""
    if task.parts:
        built = [part.relation for part in task.parts if part.relation]
        return [*built, *(task.outlets or ())]
    if task.outlets is not None:
        return task.outlets
    return (task.relation,) if task.relation else ()


def inputs_operator(head: Plan, warehouse: Warehouse, arguments: dict[str, Any]) -> BaseOperator:
    """Build the operator that waits for the inputs of a DAG."""
    # It reads cron expressions, which few DAGs need.
    from airflow_dataops.operators.inputs import InputsSensor

    arguments.pop("on_warning_callback", None)
    return InputsSensor(
        inputs=head.inputs,
        conn_id=warehouse.conn_id,
        dialect=warehouse.dialect,
        start_when=head.start_when,
        schedule=head.schedule,
        **arguments,
    )


def outcome_operator(arguments: dict[str, Any]) -> BaseOperator:
    """Build the operator that ends as the run did."""
    from airflow_dataops.operators.run_outcome import OutcomeOperator

    others = {"metric_tags", "on_warning_callback"}
    ours = {name: value for name, value in arguments.items() if name not in others}
    return OutcomeOperator(**ours | {"trigger_rule": "none_failed"})


def dbt_task_operator(
    task: PlannedTask, warehouse: Warehouse, arguments: dict[str, Any]
) -> BaseOperator:
    """Build the operator of a task on engine `dbt`. Raises `ConfigError`."""
    if warehouse.dbt is None:
        raise ConfigError(f"{task.id} needs dbt: pass dbt=DbtConfig(project_dir=...)")
    variables = {**warehouse.dbt.vars, **warehouse.vars}
    dbt = replace(warehouse.dbt, vars=variables)
    operator: Any
    # Cosmos is an extra, and dear to import: only DAGs that need it pay.
    if task.kind in _AROUND:
        from airflow_dataops.operators.dbt_run_hooks import hooks_operator

        around, moment = arguments.pop("around"), RunMoment(task.kind)
        arguments.pop("on_warning_callback", None)
        operator = hooks_operator(moment, around, dbt, warehouse.conn_id, arguments)
    else:
        from airflow_dataops.operators.dbt import dbt_operator

        operator = dbt_operator(task.node_kind, task.fqns, dbt, warehouse.conn_id, arguments)
    operator.manifest, operator.nodes = warehouse.manifest, task.nodes
    operator.relations, operator.runtime_vars = warehouse.relations, warehouse.runtime_vars
    operator.compiled_vars = warehouse.compiled_vars
    operator.fingerprint = task.fingerprint
    operator.state, operator.deferral = warehouse.state, warehouse.deferral
    operator.params = own_params(operator)
    built: BaseOperator = operator
    return built
