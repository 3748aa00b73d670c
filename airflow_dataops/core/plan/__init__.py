"""Project -> Plan: pure functions over frozen structs."""

from airflow_dataops.core.plan.arguments import argument_layers, arguments_of
from airflow_dataops.core.plan.make import make_plan
from airflow_dataops.core.plan.options import plan_options
from airflow_dataops.core.plan.structs import (
    ArgumentLayers,
    Engine,
    EngineChoice,
    FreshnessMode,
    Granularity,
    GroupBy,
    Part,
    Plan,
    PlannedTask,
    PlanOptions,
    Profile,
    TaskKind,
)

__all__ = [
    "ArgumentLayers",
    "Engine",
    "EngineChoice",
    "FreshnessMode",
    "Granularity",
    "GroupBy",
    "Part",
    "Plan",
    "PlanOptions",
    "PlannedTask",
    "Profile",
    "TaskKind",
    "argument_layers",
    "arguments_of",
    "make_plan",
    "plan_options",
]
