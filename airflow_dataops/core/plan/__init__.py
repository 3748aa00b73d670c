"""Project -> Plan: pure functions over frozen structs."""

from airflow_dataops.core.plan.make import make_plan
from airflow_dataops.core.plan.options import plan_options
from airflow_dataops.core.plan.structs import (
    Engine,
    EngineChoice,
    FreshnessMode,
    GroupBy,
    Plan,
    PlannedTask,
    PlanOptions,
    TaskKind,
)

__all__ = [
    "Engine",
    "EngineChoice",
    "FreshnessMode",
    "GroupBy",
    "Plan",
    "PlanOptions",
    "PlannedTask",
    "TaskKind",
    "make_plan",
    "plan_options",
]
